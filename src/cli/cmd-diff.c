/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/run.h"
#include "tell/tell.h"

enum { STANDARD_ROWS = 12 };

static bool add_all(struct hw_run *run, struct hw_series *series, struct hw_err *err)
{
    for (size_t i = 0; i < run->args->word_count; i++) {
        struct hw_graph *graph = NULL;
        if (*run->cancel)
            return hw_err_set(err, HW_ERR_INTERRUPTED, "interrupted");
        if (!hw_run_open(run, run->args->words[i], &graph, err) ||
            !hw_series_add(series, graph, err))
            return false;
    }
    return true;
}

bool hw_cmd_diff(struct hw_run *run, struct hw_err *err)
{
    struct hw_series *series = NULL;
    struct hw_diff *diff = NULL;
    bool ok = hw_series_create(&series, err) && add_all(run, series, err);
    if (ok)
        hw_progress_stage(&run->progress, "comparing");
    ok = ok && hw_diff_ask(series, &diff, err);
    hw_progress_clear(&run->progress);
    if (ok)
        hw_tell_diff(&run->out, diff, hw_run_limit(run, STANDARD_ROWS));
    hw_diff_destroy(diff);
    hw_series_destroy(series);
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run.h"
#include "tell/tell.h"

enum { STANDARD_ROWS = 12 };

bool hw_cmd_diff(struct hw_run *run, struct hw_err *err)
{
    struct hw_series *series = NULL;
    struct hw_diff *diff = NULL;
    bool ok = hw_series_create(&series, err) && hw_run_series(run, series, err);
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

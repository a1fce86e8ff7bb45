/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run.h"
#include "tell/tell.h"

enum { STANDARD_ROWS = 8 };

bool hw_cmd_memory(struct hw_run *run, struct hw_err *err)
{
    struct hw_series *series = NULL;
    struct hw_memory *memory = NULL;
    bool ok = hw_series_create(&series, err) && hw_run_series(run, series, err);
    if (ok)
        hw_progress_stage(&run->progress, "adding up");
    ok = ok && hw_memory_ask(series, &memory, err);
    hw_progress_clear(&run->progress);
    if (ok)
        hw_tell_memory(&run->out, hw_graph_facts(hw_series_last(series)), memory,
                       hw_run_limit(run, STANDARD_ROWS));
    hw_memory_destroy(memory);
    hw_series_destroy(series);
    return ok;
}

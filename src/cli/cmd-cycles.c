/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run.h"
#include "tell/tell.h"

enum { STANDARD_GROUPS = 5 };

bool hw_cmd_cycles(struct hw_run *run, struct hw_err *err)
{
    struct hw_graph *graph = NULL;
    struct hw_cycles *cycles = NULL;
    bool done;
    if (!hw_run_watches_cycles(run, &done, err) || done)
        return done;
    bool ok = hw_run_open(run, run->args->words[0], &graph, err);
    if (ok)
        hw_progress_stage(&run->progress, "looking for cycles");
    ok = ok && hw_cycles_ask(graph, hw_run_limit(run, STANDARD_GROUPS), &cycles, err);
    hw_progress_clear(&run->progress);
    if (ok)
        hw_tell_cycles(&run->out, graph, cycles);
    hw_cycles_destroy(cycles);
    hw_graph_destroy(graph);
    return ok;
}

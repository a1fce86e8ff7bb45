/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run.h"
#include "tell/tell.h"

bool hw_cmd_text(struct hw_run *run, struct hw_err *err)
{
    struct hw_graph *graph = NULL;
    bool ok = hw_run_open(run, run->args->words[0], &graph, err);
    hw_progress_clear(&run->progress);
    if (ok)
        ok = run->args->ndjson ? hw_tell_ndjson(&run->out, graph, err)
                               : hw_tell_text(&run->out, graph, err);
    hw_graph_destroy(graph);
    return ok;
}

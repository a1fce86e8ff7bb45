/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run.h"
#include "tell/tell.h"

enum { STANDARD_ROWS = 20 };

bool hw_cmd_types(struct hw_run *run, struct hw_err *err)
{
    struct hw_graph *graph = NULL;
    struct hw_types *types = NULL;
    bool ok =
        hw_run_open(run, run->args->words[0], &graph, err) && hw_types_ask(graph, &types, err);
    hw_progress_clear(&run->progress);
    if (ok)
        hw_tell_types(&run->out, hw_graph_facts(graph), types, (enum hw_types_sort)run->args->sort,
                      hw_run_limit(run, STANDARD_ROWS));
    hw_types_destroy(types);
    hw_graph_destroy(graph);
    return ok;
}

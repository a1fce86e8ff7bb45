/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run.h"
#include "tell/tell.h"

#include <stdlib.h>

enum { STANDARD_ROWS = 10 };

bool hw_cmd_paths(struct hw_run *run, struct hw_err *err)
{
    struct hw_graph *graph = NULL;
    struct hw_paths *paths = NULL;
    hw_id *ids = NULL;
    size_t count = 0;
    bool ok = hw_run_open(run, run->args->words[0], &graph, err) &&
              hw_run_matches(run, graph, &ids, &count, err) &&
              hw_paths_ask(graph, ids, count, hw_run_limit(run, STANDARD_ROWS), &paths, err);
    hw_progress_clear(&run->progress);
    if (ok)
        hw_tell_paths(&run->out, hw_graph_facts(graph), run->args->words[1], paths);
    hw_paths_destroy(paths);
    free(ids);
    hw_graph_destroy(graph);
    return ok;
}

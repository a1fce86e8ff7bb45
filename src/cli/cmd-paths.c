/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run.h"
#include "tell/tell.h"

#include <stdlib.h>

/* paths and owners: many objects, brought together by where they are. */

enum { STANDARD_ROWS = 10 };

typedef bool ask_merged(const struct hw_graph *graph, const hw_id *ids, size_t count,
                        size_t max_rows, struct hw_merged **ret_merged, struct hw_err *err);

static bool ask_and_tell(struct hw_run *run, ask_merged *ask, enum hw_merged_kind kind,
                         struct hw_err *err)
{
    struct hw_graph *graph = NULL;
    struct hw_merged *merged = NULL;
    hw_id *ids = NULL;
    size_t count = 0;
    bool ok = hw_run_open(run, run->args->words[0], &graph, err) &&
              hw_run_matches(run, graph, &ids, &count, err) &&
              ask(graph, ids, count, hw_run_limit(run, STANDARD_ROWS), &merged, err);
    hw_progress_clear(&run->progress);
    if (ok)
        hw_tell_merged(&run->out, hw_graph_facts(graph), run->args->words[1], kind, merged);
    hw_merged_destroy(merged);
    free(ids);
    hw_graph_destroy(graph);
    return ok;
}

bool hw_cmd_paths(struct hw_run *run, struct hw_err *err)
{
    return ask_and_tell(run, hw_paths_ask, HW_MERGED_PATHS, err);
}

bool hw_cmd_owners(struct hw_run *run, struct hw_err *err)
{
    return ask_and_tell(run, hw_owners_ask, HW_MERGED_OWNERS, err);
}

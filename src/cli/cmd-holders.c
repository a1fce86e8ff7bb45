/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/run.h"
#include "tell/tell.h"

#include <stdlib.h>

enum { STANDARD_CHAINS = 3 };

static bool ask(struct hw_run *run, const struct hw_graph *graph, const hw_id *ids, size_t count,
                struct hw_holders **holders, struct hw_err *err)
{
    bool asked = run->args->limit != HW_LIMIT_DEFAULT;
    size_t limit = asked ? (size_t)run->args->limit : STANDARD_CHAINS;
    for (size_t i = 0; i < count; i++)
        if (!hw_holders_ask(graph, ids[i], limit, &holders[i], err))
            return false;
    return true;
}

bool hw_cmd_holders(struct hw_run *run, struct hw_err *err)
{
    struct hw_match match = {.question = run->args->words[1]};
    struct hw_graph *graph = NULL;
    struct hw_holders **holders = NULL;
    hw_id *ids = NULL;
    bool ok = hw_run_open(run, run->args->words[0], &graph, err) &&
              hw_run_objects(run, graph, &ids, &match.count, &match.total, err);
    if (ok)
        holders = calloc(match.count + 1, sizeof(struct hw_holders *));
    if (ok && !holders)
        ok = hw_err_no_memory(err);
    ok = ok && ask(run, graph, ids, match.count, holders, err);
    hw_progress_clear(&run->progress);
    if (ok)
        hw_tell_holders(&run->out, graph, &match, holders);
    for (size_t i = 0; holders && i < match.count; i++)
        hw_holders_destroy(holders[i]);
    free(holders);
    free(ids);
    hw_graph_destroy(graph);
    return ok;
}

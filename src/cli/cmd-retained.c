/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run.h"
#include "tell/tell.h"

#include <stdlib.h>

enum { STANDARD_ROWS = 15, OWNERS = 10 };

static bool all_objects(struct hw_run *run, const struct hw_graph *graph, struct hw_err *err)
{
    struct hw_retained *retained = NULL;
    bool asked = run->args->limit != HW_LIMIT_DEFAULT;
    if (!hw_retained_ask(graph, asked ? (size_t)run->args->limit : STANDARD_ROWS, &retained, err))
        return false;
    hw_progress_clear(&run->progress);
    hw_tell_retained(&run->out, hw_graph_facts(graph), retained, hw_run_limit(run, STANDARD_ROWS));
    hw_retained_destroy(retained);
    return true;
}

static bool some_objects(struct hw_run *run, const struct hw_graph *graph, struct hw_err *err)
{
    struct hw_match match = {.question = run->args->words[1]};
    struct hw_weighing *weighing = NULL;
    hw_id *ids = NULL;
    bool ok = hw_run_objects(run, graph, &ids, &match.count, &match.total, err) &&
              hw_weighing_ask(graph, ids, match.count, OWNERS, &weighing, err);
    free(ids);
    if (!ok)
        return false;
    hw_progress_clear(&run->progress);
    hw_tell_weighing(&run->out, graph, &match, weighing, hw_run_limit(run, STANDARD_ROWS));
    hw_weighing_destroy(weighing);
    return true;
}

bool hw_cmd_retained(struct hw_run *run, struct hw_err *err)
{
    struct hw_graph *graph = NULL;
    if (!hw_run_open(run, run->args->words[0], &graph, err))
        return false;
    bool ok =
        run->args->word_count > 1 ? some_objects(run, graph, err) : all_objects(run, graph, err);
    hw_graph_destroy(graph);
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run.h"
#include "tell/tell.h"

#include <stdint.h>

enum { STANDARD_BRANCHES = 8 };
static const double LEAST_SHARE = 0.01;

static struct hw_branch_options options_of(const struct hw_args *args)
{
    bool asked = args->limit != HW_LIMIT_DEFAULT;
    return (struct hw_branch_options){
        .depth = (size_t)args->depth,
        .limit = asked       ? (size_t)args->limit
                 : args->all ? SIZE_MAX
                             : STANDARD_BRANCHES,
        .least_share = asked || args->all ? 0 : LEAST_SHARE,
    };
}

/* A type's name stands for one of its objects. */
static bool find(const struct hw_run *run, const struct hw_graph *graph, hw_id *ret_id,
                 struct hw_err *err)
{
    size_t count;
    return run->args->word_count < 2 ||
           hw_object_resolve(graph, run->args->words[1], ret_id, 1, &count, err);
}

bool hw_cmd_tree(struct hw_run *run, struct hw_err *err)
{
    struct hw_graph *graph = NULL;
    struct hw_branch *branch = NULL;
    struct hw_branch_options options = options_of(run->args);
    hw_id id = HW_NONE;
    bool ok = hw_run_open(run, run->args->words[0], &graph, err) && find(run, graph, &id, err) &&
              hw_branch_ask(graph, id, &options, &branch, err);
    hw_progress_clear(&run->progress);
    if (ok)
        hw_tell_tree(&run->out, hw_graph_facts(graph), branch);
    hw_branch_destroy(branch);
    hw_graph_destroy(graph);
    return ok;
}

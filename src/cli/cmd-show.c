/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/run.h"
#include "tell/tell.h"

#include <stdlib.h>

enum { STANDARD_LINKS = 20 };

static bool ask(struct hw_run *run, const struct hw_graph *graph, const hw_id *ids, size_t count,
                struct hw_object **objects, struct hw_err *err)
{
    bool asked = run->args->limit != HW_LIMIT_DEFAULT;
    size_t limit = asked ? (size_t)run->args->limit : STANDARD_LINKS;
    for (size_t i = 0; i < count; i++)
        if (!hw_object_ask(graph, ids[i], limit, &objects[i], err))
            return false;
    return true;
}

bool hw_cmd_show(struct hw_run *run, struct hw_err *err)
{
    struct hw_match match = {.question = run->args->words[1]};
    struct hw_graph *graph = NULL;
    struct hw_object **objects = NULL;
    hw_id *ids = NULL;
    bool ok = hw_run_open(run, run->args->words[0], &graph, err) &&
              hw_run_objects(run, graph, &ids, &match.count, &match.total, err);
    if (ok)
        objects = calloc(match.count + 1, sizeof(struct hw_object *));
    if (ok && !objects)
        ok = hw_err_no_memory(err);
    ok = ok && ask(run, graph, ids, match.count, objects, err);
    hw_progress_clear(&run->progress);
    if (ok)
        hw_tell_objects(&run->out, graph, &match, objects);
    for (size_t i = 0; objects && i < match.count; i++)
        hw_object_destroy(objects[i]);
    free(objects);
    free(ids);
    hw_graph_destroy(graph);
    return ok;
}

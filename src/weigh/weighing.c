/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "weigh/rows.h"

#include <stdlib.h>

struct weighing_result {
    struct hw_weighing weighing;
    struct hw_arena arena;
};

static bool weigh(const struct hw_rows *rows, hw_id id, struct hw_retained_object *row)
{
    struct hw_hop hop = hw_rows_hop(rows, id);
    return hw_rows_weigh(rows, &hop, row);
}

static bool fill_owners(const struct hw_rows *rows, size_t max, struct hw_weighed *weighed)
{
    hw_id root = rows->graph->node_count - 1;
    hw_id first = hw_dominators_owner(rows->dominators, weighed->object.step.node), up = first;
    for (; up != HW_NONE && up != root; up = hw_dominators_owner(rows->dominators, up))
        weighed->owner_total++;
    size_t count = weighed->owner_total < max ? weighed->owner_total : max;
    weighed->owners = hw_arena_array(rows->arena, count + 1, sizeof(*weighed->owners));
    bool ok = weighed->owners != NULL;
    for (up = first; ok && weighed->owner_count < count;
         up = hw_dominators_owner(rows->dominators, up))
        ok = weigh(rows, up, &weighed->owners[weighed->owner_count++]);
    return ok;
}

static bool fill(const struct hw_rows *rows, hw_id id, size_t max, struct hw_weighed *weighed)
{
    if (!weigh(rows, id, &weighed->object))
        return false;
    weighed->reached = hw_dominators_reached(rows->dominators, id);
    return !weighed->reached ||
           (fill_owners(rows, max, weighed) &&
            hw_rows_by_type(rows, id, false, &weighed->types, &weighed->type_count));
}

static bool fill_all(struct weighing_result *result, const struct hw_graph *graph, const hw_id *ids,
                     size_t max, struct hw_err *err)
{
    struct hw_weighing *weighing = &result->weighing;
    struct hw_rows rows;
    if (!hw_rows_init(&rows, graph, &result->arena, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < weighing->object_count; i++)
        ok = fill(&rows, ids[i], max, &weighing->objects[i]);
    hw_rows_deinit(&rows);
    return ok || hw_err_no_memory(err);
}

static bool fill_paths(struct weighing_result *result, const struct hw_graph *graph,
                       struct hw_err *err)
{
    struct hw_weighing *weighing = &result->weighing;
    struct hw_namer namer;
    if (!hw_namer_init(&namer, graph, &result->arena, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < weighing->object_count; i++)
        ok = hw_namer_find(&namer, &weighing->objects[i].object);
    hw_namer_deinit(&namer);
    return ok || hw_err_no_memory(err);
}

bool hw_weighing_ask(const struct hw_graph *graph, const hw_id *ids, size_t count,
                     size_t max_owners, struct hw_weighing **ret_weighing, struct hw_err *err)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] >= graph->node_count)
            return hw_err_set(err, HW_ERR_USAGE, "node %u is not in the graph", ids[i]);
    struct weighing_result *result = calloc(1, sizeof(*result));
    if (!result)
        return hw_err_no_memory(err);
    struct hw_weighing *weighing = &result->weighing;
    weighing->objects = hw_arena_array(&result->arena, count + 1, sizeof(*weighing->objects));
    weighing->object_count = count;
    bool ok = weighing->objects || hw_err_no_memory(err);
    if (!ok || !fill_all(result, graph, ids, max_owners, err) || !fill_paths(result, graph, err)) {
        hw_weighing_destroy(weighing);
        return false;
    }
    *ret_weighing = weighing;
    return true;
}

void hw_weighing_destroy(struct hw_weighing *weighing)
{
    if (!weighing)
        return;
    struct weighing_result *result = (struct weighing_result *)weighing;
    hw_arena_deinit(&result->arena);
    free(result);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "grow/swell.h"

#include "base/err.h"
#include "grow/judge.h"

static bool rises(const uint64_t *sizes, size_t n)
{
    for (size_t k = 1; k < n; k++)
        if (!sizes[0] || sizes[k] <= sizes[k - 1])
            return false;
    return sizes[n - 1] - sizes[0] >= HW_JUDGE_BYTES;
}

/* Containers grow with their members; those are another matter. */
static bool may_swell(const struct hw_growth *growth, hw_id id)
{
    const struct hw_series_shot *last = &growth->series->shots[growth->series->count - 1];
    return hw_graph_weight(growth->graph, id) >= HW_JUDGE_BYTES && !is_new(growth, id) &&
           tree_has(&growth->tree, id) && !last->members[id];
}

/* One that took the place of a smaller one. Its owner counts as new as well when it has nothing
 * else that is old. Two snapshots show that of any object that is made anew. */
static bool may_replace(const struct hw_growth *growth, hw_id id)
{
    const struct hw_series_shot *last = &growth->series->shots[growth->series->count - 1];
    if (growth->series->count < 3 || !is_new(growth, id) || !tree_has(&growth->tree, id) ||
        last->members[id] || hw_graph_weight(growth->graph, id) < HW_JUDGE_BYTES)
        return false;
    hw_id owner = growth->tree.parent[id];
    return owner != HW_NONE && owner < growth->graph->object_count;
}

static uint64_t size_in(const struct hw_growth *growth, size_t k, hw_id id)
{
    if (!is_new(growth, id))
        return hw_series_size(growth->series, k, id);
    if (k == growth->series->count - 1)
        return hw_graph_weight(growth->graph, id);
    return hw_slots_find(&growth->series->shots[k].slots, growth->graph, growth->tree.parent[id],
                         growth->tree.edge[id]);
}

static bool fill(struct hw_growth *growth, hw_id id, struct hw_swell *swell)
{
    size_t n = growth->series->count;
    uint64_t *sizes = hw_arena_array(&growth->arena, n, sizeof(*sizes));
    uint64_t *none = hw_arena_array(&growth->arena, n, sizeof(*none));
    if (!sizes || !none)
        return false;
    for (size_t k = 0; k < n; k++)
        sizes[k] = size_in(growth, k, id);
    *swell = (struct hw_swell){
        .site = {.box = id, .name = id, .born = none, .joined = none, .lengths = none},
        .sizes = sizes};
    return true;
}

bool hw_swells_find(struct hw_growth *growth, struct hw_swell *ret_swells, size_t *ret_count,
                    struct hw_err *err)
{
    size_t count = 0;
    for (hw_id id = 0; id < growth->graph->object_count && count < HW_SWELL_MAX; id++) {
        if (!may_swell(growth, id) && !may_replace(growth, id))
            continue;
        if (!fill(growth, id, &ret_swells[count]))
            return hw_err_no_memory(err);
        count += rises(ret_swells[count].sizes, growth->series->count);
    }
    *ret_count = count;
    return true;
}

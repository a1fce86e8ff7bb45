/* SPDX-License-Identifier: Apache-2.0 */
#include "weigh/merge.h"

#include "ask/garbage.h"
#include "ask/spell.h"
#include "base/err.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

/* Holders of different types at one place are told apart, so many of them. */
enum { HOLDERS_MAX = 16 };

struct merged_result {
    struct hw_merged merged;
    struct hw_arena arena;
};

struct hw_merge_group {
    uint32_t shape;
    hw_id holder;  /* one of them; HW_NONE: nobody in particular */
    uint32_t next; /* group of the same shape; HW_NONE: the last */
    bool shared;
    uint64_t count, bytes;
    hw_id example;
};

void hw_merge_init(struct hw_merge *merge, const struct hw_graph *graph)
{
    *merge = (struct hw_merge){.graph = graph};
}

void hw_merge_deinit(struct hw_merge *merge)
{
    free(merge->groups);
    free(merge->first);
    free(merge->unheld);
    *merge = (struct hw_merge){0};
}

/* ---- groups ---- */

static bool holders_alike(const struct hw_graph *graph, hw_id a, hw_id b)
{
    if (a == HW_NONE || b == HW_NONE)
        return a == b;
    if (a >= graph->object_count || b >= graph->object_count)
        return hw_node_type_name(graph, a) == hw_node_type_name(graph, b);
    return graph->type[a] == graph->type[b];
}

static bool know_shape(struct hw_merge *merge, uint32_t shape)
{
    if (shape < merge->first_count)
        return true;
    uint32_t *first =
        hw_vec_grow(merge->first, &merge->first_capacity, shape + (size_t)1, sizeof(*first));
    if (!first)
        return false;
    merge->first = first;
    while (merge->first_count <= shape)
        first[merge->first_count++] = HW_NONE;
    return true;
}

static struct hw_merge_group *add_group(struct hw_merge *merge, struct hw_merge_group group,
                                        uint32_t after)
{
    struct hw_merge_group *groups =
        hw_vec_grow(merge->groups, &merge->capacity, merge->count + 1, sizeof(*groups));
    if (!groups)
        return NULL;
    merge->groups = groups;
    if (after == HW_NONE)
        merge->first[group.shape] = (uint32_t)merge->count;
    else
        groups[after].next = (uint32_t)merge->count;
    groups[merge->count] = group;
    return &groups[merge->count++];
}

/* The group of a shape whose holder is of this type, made when it is the first. */
static struct hw_merge_group *find_group(struct hw_merge *merge, uint32_t shape, hw_id holder,
                                         bool shared)
{
    if (!know_shape(merge, shape))
        return NULL;
    uint32_t last = HW_NONE;
    unsigned n = 0;
    for (uint32_t at = merge->first[shape]; at != HW_NONE; at = merge->groups[at].next) {
        struct hw_merge_group *group = &merge->groups[at];
        if (group->shared == shared &&
            (++n == HOLDERS_MAX || holders_alike(merge->graph, group->holder, holder)))
            return group;
        last = at;
    }
    struct hw_merge_group group = {
        .shape = shape, .holder = holder, .next = HW_NONE, .shared = shared};
    return add_group(merge, group, last);
}

bool hw_merge_add(struct hw_merge *merge, hw_id id, uint32_t shape, hw_id holder, bool shared)
{
    uint64_t bytes = hw_graph_size(merge->graph, id);
    struct hw_merge_group *group = find_group(merge, shape, holder, shared);
    if (!group)
        return false;
    if (!group->count++)
        group->example = id;
    group->bytes += bytes;
    merge->sums.count++;
    merge->sums.bytes += bytes;
    return true;
}

bool hw_merge_add_unheld(struct hw_merge *merge, hw_id id)
{
    struct hw_merged *sums = &merge->sums;
    uint64_t bytes = hw_graph_size(merge->graph, id);
    hw_id *unheld = hw_vec_grow(merge->unheld, &merge->unheld_capacity, sums->unheld_count + 1,
                                sizeof(*unheld));
    if (!unheld)
        return false;
    merge->unheld = unheld;
    unheld[sums->unheld_count++] = id;
    sums->unheld_bytes += bytes;
    sums->count++;
    sums->bytes += bytes;
    return true;
}

/* ---- the result ---- */

static bool count_garbage(struct hw_merge *merge, struct hw_err *err)
{
    struct hw_garbage garbage;
    struct hw_merged *sums = &merge->sums;
    if (!sums->unheld_count)
        return true;
    if (!hw_garbage_init(&garbage, merge->graph, err))
        return false;
    for (size_t i = 0; i < sums->unheld_count; i++) {
        if (!garbage.is_garbage[merge->unheld[i]])
            continue;
        sums->garbage_count++;
        sums->garbage_bytes += hw_graph_weight(merge->graph, merge->unheld[i]);
    }
    hw_garbage_deinit(&garbage);
    return true;
}

/* Shapes are numbered in the order in which they were met: equal weights stay in it. */
static int by_weight(const void *a, const void *b)
{
    const struct hw_merge_group *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return x->shape < y->shape ? -1 : x->shape > y->shape;
}

static bool fill_row(const struct hw_merge *merge, const struct hw_merge_group *group,
                     const struct hw_shapes *shapes, struct hw_arena *arena,
                     struct hw_merged_row *row)
{
    struct hw_buf path = {0};
    const char *holder =
        group->holder == HW_NONE ? "" : hw_node_type_name(merge->graph, group->holder);
    hw_shape_spell(shapes, group->shape, &path);
    *row = (struct hw_merged_row){.path = hw_arena_strdup(arena, hw_buf_str(&path)),
                                  .holder = hw_arena_strdup(arena, holder),
                                  .shared = group->shared,
                                  .count = group->count,
                                  .bytes = group->bytes,
                                  .example = group->example,
                                  .example_addr = hw_graph_addr(merge->graph, group->example)};
    bool ok = hw_buf_ok(&path) && row->path && row->holder;
    hw_buf_deinit(&path);
    return ok;
}

static bool fill(struct hw_merge *merge, const struct hw_shapes *shapes, size_t max_rows,
                 struct merged_result *result)
{
    struct hw_merged *merged = &result->merged;
    size_t n = max_rows && max_rows < merge->count ? max_rows : merge->count;
    *merged = merge->sums;
    merged->place_count = merge->count;
    merged->rows = hw_arena_array(&result->arena, n + 1, sizeof(*merged->rows));
    if (!merged->rows)
        return false;
    if (merge->count)
        qsort(merge->groups, merge->count, sizeof(*merge->groups), by_weight);
    for (; merged->row_count < n; merged->row_count++)
        if (!fill_row(merge, &merge->groups[merged->row_count], shapes, &result->arena,
                      &merged->rows[merged->row_count]))
            return false;
    for (size_t i = n; i < merge->count; i++) {
        merged->rest_count += merge->groups[i].count;
        merged->rest_bytes += merge->groups[i].bytes;
    }
    return true;
}

bool hw_merge_finish(struct hw_merge *merge, const struct hw_shapes *shapes, size_t max_rows,
                     struct hw_merged **ret_merged, struct hw_err *err)
{
    struct merged_result *result = calloc(1, sizeof(*result));
    if (!result)
        return hw_err_no_memory(err);
    if (!count_garbage(merge, err)) {
        hw_merged_destroy(&result->merged);
        return false;
    }
    if (!fill(merge, shapes, max_rows, result)) {
        hw_merged_destroy(&result->merged);
        return hw_err_no_memory(err);
    }
    *ret_merged = &result->merged;
    return true;
}

void hw_merged_destroy(struct hw_merged *merged)
{
    if (!merged)
        return;
    struct merged_result *result = (struct merged_result *)merged;
    hw_arena_deinit(&result->arena);
    free(result);
}

bool hw_merge_check(const struct hw_graph *graph, const hw_id *ids, size_t count,
                    struct hw_err *err)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] >= graph->node_count)
            return hw_err_set(err, HW_ERR_USAGE, "node %u is not in the graph", ids[i]);
    return true;
}

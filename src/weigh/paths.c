/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/garbage.h"
#include "ask/lookup.h"
#include "ask/shape.h"
#include "ask/spell.h"
#include "base/err.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

/* Holders of different types on one path are told apart, so many of them. */
enum { HOLDERS_MAX = 16 };

struct paths_result {
    struct hw_paths paths;
    struct hw_arena arena;
};

/* Objects on one path, held by one type. */
struct group {
    uint32_t shape;
    hw_id holder;  /* one of them */
    uint32_t next; /* group of the same shape; HW_NONE: the last */
    uint64_t count, bytes;
    hw_id example;
};

struct merge {
    const struct hw_graph *graph;
    struct hw_tree tree;
    struct hw_shapes *shapes;
    struct group *groups;
    size_t count, capacity;
    uint32_t *first; /* by shape: its first group; HW_NONE: none */
    size_t first_capacity, first_count;
    struct hw_err *err;
};

/* What holds id on its path: the object, not its __dict__. */
static hw_id holder_of(const struct merge *merge, hw_id id)
{
    const struct hw_tree *tree = &merge->tree;
    hw_id holder = tree->parent[id];
    if (holder == HW_NONE || holder >= merge->graph->object_count)
        return holder == HW_NONE ? id : holder;
    bool is_space = edge_kind(merge->graph, tree->edge[holder]) == HW_LABEL_ATTR &&
                    strcmp(edge_string(merge->graph, tree->edge[holder]), "__dict__") == 0;
    return is_space ? tree->parent[holder] : holder;
}

static bool holders_alike(const struct hw_graph *graph, hw_id a, hw_id b)
{
    if (a >= graph->object_count || b >= graph->object_count)
        return hw_node_type_name(graph, a) == hw_node_type_name(graph, b);
    return graph->type[a] == graph->type[b];
}

static bool know_shape(struct merge *merge, uint32_t shape)
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

/* The group of a shape whose holder is of this type, made when it is the first. */
static struct group *find_group(struct merge *merge, uint32_t shape, hw_id holder)
{
    if (!know_shape(merge, shape))
        return NULL;
    uint32_t at = merge->first[shape], last = HW_NONE;
    for (unsigned n = 0; at != HW_NONE; n++) {
        struct group *group = &merge->groups[at];
        if (n + 1 == HOLDERS_MAX || holders_alike(merge->graph, group->holder, holder))
            return group;
        last = at;
        at = group->next;
    }
    struct group *groups =
        hw_vec_grow(merge->groups, &merge->capacity, merge->count + 1, sizeof(*groups));
    if (!groups)
        return NULL;
    merge->groups = groups;
    if (last == HW_NONE)
        merge->first[shape] = (uint32_t)merge->count;
    else
        groups[last].next = (uint32_t)merge->count;
    groups[merge->count] = (struct group){.shape = shape, .holder = holder, .next = HW_NONE};
    return &groups[merge->count++];
}

static bool add_objects(struct merge *merge, const hw_id *ids, size_t count, struct hw_paths *paths)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t bytes = hw_graph_size(merge->graph, ids[i]);
        paths->count++;
        paths->bytes += bytes;
        if (!tree_has(&merge->tree, ids[i])) {
            paths->unheld_count++;
            paths->unheld_bytes += bytes;
            continue;
        }
        uint32_t shape = hw_shape_of(merge->shapes, ids[i]);
        struct group *group = shape ? find_group(merge, shape, holder_of(merge, ids[i])) : NULL;
        if (!group)
            return hw_err_no_memory(merge->err);
        if (!group->count++)
            group->example = ids[i];
        group->bytes += bytes;
    }
    return true;
}

static bool count_garbage(const struct merge *merge, const hw_id *ids, size_t count,
                          struct hw_paths *paths)
{
    struct hw_garbage garbage;
    if (!paths->unheld_count)
        return true;
    if (!hw_garbage_init(&garbage, merge->graph, merge->err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!garbage.is_garbage[ids[i]] || tree_has(&merge->tree, ids[i]))
            continue;
        paths->garbage_count++;
        paths->garbage_bytes += hw_graph_size(merge->graph, ids[i]);
    }
    hw_garbage_deinit(&garbage);
    return true;
}

/* Shapes are numbered in the order in which they were met: equal weights stay in it. */
static int by_weight(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return x->shape < y->shape ? -1 : x->shape > y->shape;
}

static bool fill_row(struct merge *merge, const struct group *group, struct paths_result *result,
                     struct hw_path_row *row)
{
    struct hw_buf path = {0};
    hw_shape_spell(merge->shapes, group->shape, &path);
    *row = (struct hw_path_row){
        .path = hw_arena_strdup(&result->arena, hw_buf_str(&path)),
        .holder = hw_arena_strdup(&result->arena, hw_node_type_name(merge->graph, group->holder)),
        .count = group->count,
        .bytes = group->bytes,
        .example = group->example,
        .example_addr = hw_graph_addr(merge->graph, group->example)};
    bool ok = hw_buf_ok(&path) && row->path && row->holder;
    hw_buf_deinit(&path);
    return ok || hw_err_no_memory(merge->err);
}

static bool fill_rows(struct merge *merge, size_t max_rows, struct paths_result *result)
{
    struct hw_paths *paths = &result->paths;
    size_t n = max_rows && max_rows < merge->count ? max_rows : merge->count;
    paths->path_count = merge->count;
    paths->rows = hw_arena_array(&result->arena, n + 1, sizeof(*paths->rows));
    if (!paths->rows)
        return hw_err_no_memory(merge->err);
    if (merge->count)
        qsort(merge->groups, merge->count, sizeof(*merge->groups), by_weight);
    for (size_t i = 0; i < n; i++)
        if (!fill_row(merge, &merge->groups[i], result, &paths->rows[i]))
            return false;
    paths->row_count = n;
    for (size_t i = n; i < merge->count; i++) {
        paths->rest_count += merge->groups[i].count;
        paths->rest_bytes += merge->groups[i].bytes;
    }
    return true;
}

static bool check_ids(const struct hw_graph *graph, const hw_id *ids, size_t count,
                      struct hw_err *err)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] >= graph->node_count)
            return hw_err_set(err, HW_ERR_USAGE, "node %u is not in the graph", ids[i]);
    return true;
}

bool hw_paths_ask(const struct hw_graph *graph, const hw_id *ids, size_t count, size_t max_rows,
                  struct hw_paths **ret_paths, struct hw_err *err)
{
    if (!check_ids(graph, ids, count, err))
        return false;
    struct merge merge = {.graph = graph, .err = err};
    struct paths_result *result = calloc(1, sizeof(*result));
    bool ok = result || hw_err_no_memory(err);
    ok = ok && hw_tree_init(&merge.tree, graph, err) &&
         hw_shapes_create(&merge.shapes, graph, &merge.tree, err) &&
         add_objects(&merge, ids, count, &result->paths) &&
         count_garbage(&merge, ids, count, &result->paths) && fill_rows(&merge, max_rows, result);
    hw_shapes_destroy(merge.shapes);
    hw_tree_deinit(&merge.tree);
    free(merge.groups);
    free(merge.first);
    if (!ok) {
        hw_paths_destroy(result ? &result->paths : NULL);
        return false;
    }
    *ret_paths = &result->paths;
    return true;
}

void hw_paths_destroy(struct hw_paths *paths)
{
    if (!paths)
        return;
    struct paths_result *result = (struct paths_result *)paths;
    hw_arena_deinit(&result->arena);
    free(result);
}

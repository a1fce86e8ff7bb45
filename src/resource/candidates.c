/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/look.h"
#include "ask/lookup.h"
#include "ask/origin.h"
#include "base/err.h"
#include "base/vec.h"
#include "resource/work.h"

#include <stdlib.h>
#include <string.h>

/*
 * Descriptors without an owner are often numbers that Python code keeps: a list of os.open(), an
 * attribute _fd. Any int of that value could be one, and small ints are everywhere. So a place
 * counts only when its name says so, or when all that is there are such numbers and it is not a
 * library's: tables of constants look like that.
 */

enum { LEAST_NUMBERS = 3, PARENTS_MAX = 64, EDGES_MAX = 1 << 20 };

/* A reference to an int whose value is the number of an ownerless descriptor. */
struct mention {
    hw_id holder;
    uint32_t edge;
    uint32_t row; /* of the descriptor */
};
struct mentions {
    struct mention *items;
    size_t count, capacity;
};

/* Names of constants are written in capitals: SIGPIPE, SOCK_STREAM, EBADFD. */
static bool says_descriptor(const char *name)
{
    static const char *const words[] = {"fd", "fileno", "descriptor", "handle", "pipe", "sock"};
    if (!name[strcspn(name, "abcdefghijklmnopqrstuvwxyz")])
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (strcasestr(name, words[i]))
            return true;
    return false;
}

/* The row of each int node that is such a number, + 1; NULL: memory is out. */
static uint32_t *find_numbers(struct hw_resource_work *work, uint64_t *ret_found)
{
    const struct hw_graph *graph = work->graph;
    uint32_t *row_of = calloc(graph->object_count + 1, sizeof(*row_of));
    *ret_found = 0;
    for (hw_id id = 0; row_of && id < graph->object_count; id++) {
        int64_t value;
        if (!type_has(graph, id, HW_TYPE_INT) || !hw_int_value(graph, id, &value) || value < 0 ||
            value > INT32_MAX)
            continue;
        size_t row = hw_fd_find(&graph->system, (int32_t)value);
        if (row == SIZE_MAX || !hw_owned_is_none(&work->owned, graph, row))
            continue;
        row_of[id] = (uint32_t)row + 1;
        ++*ret_found;
    }
    return row_of;
}

static const char *name_of_edge(const struct hw_graph *graph, uint32_t edge,
                                char text[HW_LOOK_TEXT_MAX])
{
    switch (edge_kind(graph, edge)) {
    case HW_LABEL_ATTR:
    case HW_LABEL_NAMED:
    case HW_LABEL_LOCAL:
        return edge_string(graph, edge);
    case HW_LABEL_VALUE:
        return hw_look_value(graph, key_of(graph, edge), text) && text[0] == '\'' ? text : "";
    default:
        return "";
    }
}

/* Whether all members of a container, keys or values, are ownerless numbers. */
static bool is_container_of_numbers(const struct hw_graph *graph, hw_id holder,
                                    const uint32_t *row_of, enum hw_label_kind kind)
{
    uint64_t numbers = 0;
    for (uint32_t e = graph->edge_start[holder]; e < graph->edge_start[holder + 1]; e++) {
        hw_id to = graph->edge_to[e];
        if (edge_kind(graph, e) != kind)
            continue;
        if (to >= graph->object_count || !row_of[to])
            return false;
        numbers++;
    }
    return numbers >= LEAST_NUMBERS;
}

/* By the module that the best path leads through. */
static bool is_in_library(const struct hw_resource_work *work, const struct hw_origins *origins,
                          hw_id node)
{
    char name[HW_LOOK_TEXT_MAX];
    for (unsigned i = 0; node != HW_NONE && i < PARENTS_MAX; i++) {
        if (node < work->graph->object_count && type_has(work->graph, node, HW_TYPE_MODULE))
            return hw_look_value(work->graph, node, name) &&
                   hw_origin_of_module(origins, name) == HW_ORIGIN_LIBRARY;
        node = work->tree.parent[node];
    }
    return false;
}

static bool is_namespace(const struct hw_resource_work *work, hw_id node)
{
    hw_id parent = work->tree.parent[node];
    return parent != HW_NONE && parent < work->graph->object_count &&
           type_has(work->graph, parent, HW_TYPE_MODULE);
}

static bool is_container(const struct hw_graph *graph, hw_id node)
{
    return type_has(graph, node, HW_TYPE_LIST | HW_TYPE_TUPLE | HW_TYPE_SET | HW_TYPE_DEQUE |
                                     HW_TYPE_DICT);
}

static bool add_mention(struct mentions *mentions, struct mention mention)
{
    struct mention *items =
        hw_vec_grow(mentions->items, &mentions->capacity, mentions->count + 1, sizeof(*items));
    if (!items)
        return false;
    mentions->items = items;
    items[mentions->count++] = mention;
    return true;
}

/* How the holder itself is held: what is in box.fds. */
static bool holder_says_descriptor(const struct hw_resource_work *work, hw_id holder)
{
    char text[HW_LOOK_TEXT_MAX];
    uint32_t edge = work->tree.parent[holder] == HW_NONE ? HW_NO_EDGE : work->tree.edge[holder];
    return edge != HW_NO_EDGE && says_descriptor(name_of_edge(work->graph, edge, text));
}

static bool look_at_holder(const struct hw_resource_work *work, const struct hw_origins *origins,
                           hw_id holder, const uint32_t *row_of, struct mentions *mentions)
{
    const struct hw_graph *graph = work->graph;
    char text[HW_LOOK_TEXT_MAX];
    int known[HW_LABEL_HIDDEN + 1] = {0}; /* by kind of edge: 1 it is one, -1 it is none */
    for (uint32_t e = graph->edge_start[holder]; e < graph->edge_start[holder + 1]; e++) {
        hw_id to = graph->edge_to[e];
        enum hw_label_kind kind = edge_kind(graph, e);
        if (to >= graph->object_count || !row_of[to] || mentions->count == EDGES_MAX)
            continue;
        bool fits = says_descriptor(name_of_edge(graph, e, text)) &&
                    (kind != HW_LABEL_VALUE || is_namespace(work, holder) ||
                     !is_in_library(work, origins, holder));
        if (!fits && is_container(graph, holder)) {
            if (!known[kind])
                known[kind] = (is_container_of_numbers(graph, holder, row_of, kind) &&
                               !is_in_library(work, origins, holder)) ||
                                      holder_says_descriptor(work, holder)
                                  ? 1
                                  : -1;
            fits = known[kind] > 0;
        }
        if (fits && !add_mention(mentions, (struct mention){holder, e, row_of[to] - 1}))
            return false;
    }
    return true;
}

/* Path of the holder and what the edge adds, as a shape, so that thousands are one place. */
static const char *spell_candidate(struct hw_resource_work *work, const struct mention *mention)
{
    struct hw_buf text = {0};
    uint32_t shape = hw_shape_of(work->shapes, mention->holder);
    if (shape == HW_SHAPE_NONE)
        return "";
    shape = hw_shape_extend(work->shapes, shape, mention->holder, mention->edge);
    hw_shape_spell(work->shapes, shape, &text);
    return hw_work_keep(work, &text);
}

/* Of several places the one with the most telling path. */
static bool tell_mentions(struct hw_resource_work *work, const struct mentions *mentions)
{
    struct hw_resources *resources = &work->result->resources;
    uint32_t *best = malloc((resources->descriptor_count + 1) * sizeof(*best));
    if (!best)
        return hw_err_no_memory(work->err);
    for (size_t i = 0; i < resources->descriptor_count; i++)
        best[i] = UINT32_MAX;
    for (size_t i = 0; i < mentions->count; i++) {
        uint32_t *now = &best[mentions->items[i].row];
        uint32_t cost = work->tree.cost[mentions->items[i].holder];
        if (*now == UINT32_MAX || cost < work->tree.cost[mentions->items[*now].holder])
            *now = (uint32_t)i;
    }
    bool ok = true;
    for (size_t i = 0; ok && i < resources->descriptor_count; i++)
        if (best[i] != UINT32_MAX) {
            const char *text = spell_candidate(work, &mentions->items[best[i]]);
            ok = text != NULL;
            resources->descriptors[i].candidate = ok ? text : "";
        }
    free(best);
    return ok;
}

bool hw_work_add_candidates(struct hw_resource_work *work)
{
    const struct hw_graph *graph = work->graph;
    struct mentions mentions = {0};
    uint64_t found = 0;
    if (!work->result->resources.unowned)
        return true;
    struct hw_origins *origins = NULL;
    if (!hw_origins_create(&origins, graph, work->err))
        return false;
    uint32_t *row_of = find_numbers(work, &found);
    bool ok = row_of != NULL;
    for (hw_id id = 0; ok && found && id < graph->node_count; id++)
        ok = look_at_holder(work, origins, id, row_of, &mentions);
    ok = ok ? tell_mentions(work, &mentions) : hw_err_no_memory(work->err);
    hw_origins_destroy(origins);
    free(row_of);
    free(mentions.items);
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/garbage.h"

#include "ask/lookup.h"
#include "base/err.h"

#include <stdlib.h>

/* The permanent generation is not examined: gc.freeze() hid it from the collector. */
static bool is_examined(const struct hw_graph *graph, hw_id id)
{
    return (graph->flags[id] & (HW_NODE_TRACKED | HW_NODE_FROZEN)) == HW_NODE_TRACKED;
}

/* Only references that the collector knows of can make garbage; what was found by scanning is a
 * guess. */
static bool is_counted(const struct hw_graph *graph, uint32_t edge)
{
    return edge_kind(graph, edge) != HW_LABEL_WORD && edge_kind(graph, edge) != HW_LABEL_HIDDEN;
}

static void subtract_references(const struct hw_graph *graph, uint32_t *refs)
{
    for (hw_id id = 0; id < graph->object_count; id++) {
        if (!is_examined(graph, id))
            continue;
        for (uint32_t e = graph->edge_start[id]; e < graph->edge_start[id + 1]; e++) {
            hw_id to = graph->edge_to[e];
            if (to < graph->object_count && refs[to] && is_counted(graph, e))
                refs[to]--;
        }
    }
}

/* A word on a stack or in C data that nobody counts is what was left there. */
static bool is_stale(const struct hw_graph *graph, hw_id from, uint32_t edge)
{
    return from >= graph->object_count && edge_kind(graph, edge) == HW_LABEL_WORD;
}

/* Marks start and all it reaches as alive; stack has room for every object. */
static void mark_alive(const struct hw_graph *graph, hw_id start, hw_id cleared, uint8_t *alive,
                       hw_id *stack)
{
    size_t depth = 0;
    alive[start] = 1;
    stack[depth++] = start;
    while (depth) {
        hw_id id = stack[--depth];
        if (id == cleared)
            continue;
        for (uint32_t e = graph->edge_start[id]; e < graph->edge_start[id + 1]; e++) {
            hw_id to = graph->edge_to[e];
            if (!alive[to] && !is_stale(graph, id, e)) {
                alive[to] = 1;
                stack[depth++] = to;
            }
        }
    }
}

static bool is_held_outside(const struct hw_graph *graph, hw_id id, const uint32_t *refs)
{
    return refs[id] || graph->flags[id] & (HW_NODE_STATIC | HW_NODE_IMMORTAL);
}

static void mark_all_alive(const struct hw_graph *graph, const uint32_t *refs, hw_id cleared,
                           uint8_t *alive, hw_id *stack)
{
    for (hw_id id = 0; id < graph->node_count; id++) {
        bool outside = id >= graph->object_count || (graph->flags[id] & HW_NODE_FROZEN) ||
                       (is_examined(graph, id) && is_held_outside(graph, id, refs));
        if (outside && !alive[id])
            mark_alive(graph, id, cleared, alive, stack);
    }
}

static void add(struct hw_garbage *garbage, const struct hw_graph *graph, hw_id id)
{
    garbage->is_garbage[id] = HW_GARBAGE_FREE;
    garbage->count++;
    garbage->tracked += is_examined(graph, id);
    garbage->bytes += hw_graph_weight(graph, id);
}

/* An untracked object dies with the garbage when every one of its references was subtracted: then
 * its own references go too, which may end others. */
static void add_untracked(struct hw_garbage *garbage, const struct hw_graph *graph, hw_id id,
                          uint32_t *refs, const uint8_t *alive, hw_id *stack)
{
    size_t depth = 0;
    stack[depth++] = id;
    add(garbage, graph, id);
    while (depth) {
        id = stack[--depth];
        for (uint32_t e = graph->edge_start[id]; e < graph->edge_start[id + 1]; e++) {
            hw_id to = graph->edge_to[e];
            if (alive[to] || garbage->is_garbage[to] || is_examined(graph, to) || !refs[to] ||
                --refs[to])
                continue;
            add(garbage, graph, to);
            stack[depth++] = to;
        }
    }
}

static void collect(struct hw_garbage *garbage, const struct hw_graph *graph, uint32_t *refs,
                    const uint8_t *alive, hw_id *stack)
{
    for (hw_id id = 0; id < graph->object_count; id++)
        if (is_examined(graph, id) && !alive[id])
            add(garbage, graph, id);
    for (hw_id id = 0; id < graph->object_count; id++)
        if (!is_examined(graph, id) && !alive[id] && !garbage->is_garbage[id] &&
            graph->refcount[id] && !is_held_outside(graph, id, refs))
            add_untracked(garbage, graph, id, refs, alive, stack);
}

static void stick(struct hw_garbage *garbage, const struct hw_graph *graph, hw_id id)
{
    garbage->is_garbage[id] = HW_GARBAGE_STUCK;
    garbage->stuck++;
    garbage->stuck_bytes += hw_graph_weight(graph, id);
}

static void stick_from(struct hw_garbage *garbage, const struct hw_graph *graph, hw_id id,
                       hw_id *stack)
{
    size_t depth = 0;
    stick(garbage, graph, id);
    stack[depth++] = id;
    while (depth) {
        id = stack[--depth];
        for (uint32_t e = graph->edge_start[id]; e < graph->edge_start[id + 1]; e++) {
            hw_id to = graph->edge_to[e];
            if (garbage->is_garbage[to] != HW_GARBAGE_FREE || edge_kind(graph, e) == HW_LABEL_WORD)
                continue;
            stick(garbage, graph, to);
            stack[depth++] = to;
        }
    }
}

static void find_stuck(struct hw_garbage *garbage, const struct hw_graph *graph, hw_id *stack)
{
    for (hw_id id = 0; id < graph->object_count; id++)
        if (garbage->is_garbage[id] == HW_GARBAGE_FREE && is_examined(graph, id) &&
            type_has(graph, id, HW_TYPE_LEGACY_DEL))
            stick_from(garbage, graph, id, stack);
}

bool hw_garbage_init_without(struct hw_garbage *garbage, const struct hw_graph *graph,
                             hw_id cleared, struct hw_err *err)
{
    size_t n = graph->node_count;
    struct hw_garbage made = {.is_garbage = calloc(n, 1)};
    uint32_t *refs = malloc(n * sizeof(*refs));
    uint8_t *alive = calloc(n, 1);
    hw_id *stack = malloc(n * sizeof(*stack));
    bool ok = made.is_garbage && refs && alive && stack;
    if (ok) {
        for (size_t i = 0; i < n; i++)
            refs[i] = graph->refcount[i];
        subtract_references(graph, refs);
        mark_all_alive(graph, refs, cleared, alive, stack);
        collect(&made, graph, refs, alive, stack);
        find_stuck(&made, graph, stack);
    }
    free(refs);
    free(stack);
    free(alive);
    if (!ok) {
        hw_garbage_deinit(&made);
        return hw_err_no_memory(err);
    }
    *garbage = made;
    return true;
}

bool hw_garbage_init(struct hw_garbage *garbage, const struct hw_graph *graph, struct hw_err *err)
{
    return hw_garbage_init_without(garbage, graph, HW_NONE, err);
}

void hw_garbage_deinit(struct hw_garbage *garbage)
{
    free(garbage->is_garbage);
    *garbage = (struct hw_garbage){0};
}

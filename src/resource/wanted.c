/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/lookup.h"
#include "ask/spell.h"
#include "base/err.h"
#include "base/vec.h"
#include "resource/work.h"

#include <stdlib.h>

/*
 * Paths to what is waited for. Who waits for an object holds it, too, in its frame, and that is
 * often the shortest path; but what the reader wants to know is where else it is kept.
 */

enum { PARENTS_MAX = 256 };

bool hw_work_want_path(struct hw_resource_work *work, hw_id node, const char **slot)
{
    struct hw_wanted *wanted =
        hw_vec_grow(work->wanted, &work->wanted_capacity, work->wanted_count + 1, sizeof(*wanted));
    if (!wanted)
        return hw_err_no_memory(work->err);
    work->wanted = wanted;
    wanted[work->wanted_count++] = (struct hw_wanted){node, slot};
    return true;
}

static bool is_running(const struct hw_graph *graph, hw_id node)
{
    const struct hw_synthetic *s = hw_graph_synthetic(graph, node);
    return s ? s->kind == HW_SYN_FRAME || s->kind == HW_SYN_NATIVE_STACK
             : type_has(graph, node, HW_TYPE_GENERATOR | HW_TYPE_FRAME);
}

/* Whether the best path leads through something that runs, or through `without`. */
static bool leads_through(const struct hw_resource_work *work, hw_id node, hw_id without)
{
    for (unsigned i = 0; node != HW_NONE && i < PARENTS_MAX; i++) {
        if (node == without || is_running(work->graph, node))
            return true;
        node = work->tree.parent[node];
    }
    return false;
}

struct other {
    hw_id from;
    uint32_t edge;
};

static void look_at_edges(const struct hw_resource_work *work, hw_id from, const uint32_t *index,
                          struct other *others)
{
    const struct hw_graph *graph = work->graph;
    for (uint32_t e = graph->edge_start[from]; e < graph->edge_start[from + 1]; e++) {
        hw_id to = graph->edge_to[e];
        struct other *other = index[to] ? &others[index[to] - 1] : NULL;
        bool is_way = other && edge_kind(graph, e) != HW_LABEL_WORD && tree_has(&work->tree, from);
        if (is_way &&
            (other->from == HW_NONE || work->tree.cost[from] < work->tree.cost[other->from]) &&
            !leads_through(work, from, to))
            *other = (struct other){from, e};
    }
}

static const char *spell_other(struct hw_resource_work *work, hw_id node,
                               const struct other *other)
{
    struct hw_chain chain;
    if (other->from == HW_NONE)
        return hw_work_path(work, node);
    return hw_chain_spell(work->graph, &work->tree, other->from, other->edge, node,
                          &work->result->arena, &chain, work->err)
               ? chain.path
               : NULL;
}

bool hw_work_spell_wanted(struct hw_resource_work *work)
{
    const struct hw_graph *graph = work->graph;
    size_t n = work->wanted_count, count = 0;
    if (!n)
        return true;
    uint32_t *index = calloc(graph->node_count, sizeof(*index)); /* into others, + 1 */
    struct other *others = malloc(n * sizeof(*others));
    bool ok = (index && others) || hw_err_no_memory(work->err);
    for (size_t i = 0; ok && i < n; i++) {
        hw_id node = work->wanted[i].node;
        if (index[node])
            continue;
        others[count] = (struct other){HW_NONE, HW_NO_EDGE};
        index[node] = (uint32_t)++count;
    }
    for (hw_id id = 0; ok && id < graph->node_count; id++)
        look_at_edges(work, id, index, others);
    for (size_t i = 0; ok && i < n; i++) {
        const struct hw_wanted *w = &work->wanted[i];
        *w->slot = leads_through(work, w->node, HW_NONE)
                       ? spell_other(work, w->node, &others[index[w->node] - 1])
                       : hw_work_path(work, w->node);
        ok = *w->slot != NULL;
    }
    free(index);
    free(others);
    return ok;
}

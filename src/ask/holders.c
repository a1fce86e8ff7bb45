/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/garbage.h"
#include "ask/lookup.h"
#include "ask/spell.h"
#include "base/err.h"
#include "base/vec.h"

#include <stdlib.h>

struct holders_result {
    struct hw_holders holders;
    struct hw_arena arena;
};

/* A direct referrer and its cheapest edge to the target. */
struct referrer {
    hw_id from;
    uint32_t edge;
    uint32_t
        cost; /* of the chain through it; UINT32_MAX: no root reaches it but through the target */
};
struct referrers {
    struct referrer *rows;
    size_t count, capacity;
};

static bool add_referrer(struct referrers *referrers, struct referrer row)
{
    struct referrer *rows =
        hw_vec_grow(referrers->rows, &referrers->capacity, referrers->count + 1, sizeof(*rows));
    if (!rows)
        return false;
    referrers->rows = rows;
    referrers->rows[referrers->count++] = row;
    return true;
}

/* A path to the referrer that passes the target holds nothing of it. Costs never fall along the
 * way up, which ends the walk early. */
static bool is_below(const struct hw_tree *tree, hw_id id, hw_id target)
{
    for (; id != HW_NONE && tree->cost[id] >= tree->cost[target]; id = tree->parent[id])
        if (id == target)
            return true;
    return false;
}

static uint32_t chain_cost(const struct hw_costs *costs, const struct hw_tree *tree, hw_id from,
                           uint32_t edge, hw_id target)
{
    if (!tree_has(tree, from) || is_below(tree, from, target))
        return UINT32_MAX;
    return tree->cost[from] + hw_costs_hop(costs, from, edge);
}

static bool find_referrers(const struct hw_graph *graph, const struct hw_tree *tree,
                           const struct hw_costs *costs, hw_id target, struct referrers *referrers)
{
    for (hw_id from = 0; from < graph->node_count; from++) {
        struct referrer best = {HW_NONE, 0, UINT32_MAX};
        for (uint32_t e = graph->edge_start[from]; e < graph->edge_start[from + 1]; e++) {
            if (graph->edge_to[e] != target)
                continue;
            uint32_t cost = chain_cost(costs, tree, from, e, target);
            if (best.from == HW_NONE || cost < best.cost)
                best = (struct referrer){from, e, cost};
        }
        if (best.from != HW_NONE && !add_referrer(referrers, best))
            return false;
    }
    return true;
}

/* A word on a C stack, or the package that was asked: where somebody else holds the target, it only
 * does for the moment. */
static bool is_passing(const struct hw_graph *graph, const struct referrer *row)
{
    const struct hw_synthetic *s = hw_graph_synthetic(graph, row->from);
    return s && (s->kind == HW_SYN_NATIVE_STACK || synthetic_is_own(s));
}

static void drop_passing(const struct hw_graph *graph, struct referrers *referrers)
{
    size_t kept = 0;
    bool others = false;
    for (size_t i = 0; i < referrers->count; i++)
        others |= referrers->rows[i].cost != UINT32_MAX && !is_passing(graph, &referrers->rows[i]);
    for (size_t i = 0; i < referrers->count; i++)
        if (!others || !is_passing(graph, &referrers->rows[i]))
            referrers->rows[kept++] = referrers->rows[i];
    referrers->count = kept;
}

static int by_cost(const void *a, const void *b)
{
    const struct referrer *x = a, *y = b;
    if (x->cost != y->cost)
        return x->cost < y->cost ? -1 : 1;
    return x->from < y->from ? -1 : x->from > y->from;
}

static bool spell_chains(struct holders_result *result, const struct hw_graph *graph,
                         const struct hw_tree *tree, const struct referrers *referrers, size_t max,
                         struct hw_err *err)
{
    struct hw_holders *holders = &result->holders;
    size_t n = 0;
    while (n < max && n < referrers->count && referrers->rows[n].cost != UINT32_MAX)
        n++;
    holders->chains = hw_arena_array(&result->arena, n + 1, sizeof(*holders->chains));
    if (!holders->chains)
        return hw_err_no_memory(err);
    for (size_t i = 0; i < n; i++) {
        const struct referrer *row = &referrers->rows[i];
        if (!hw_chain_spell(graph, tree, row->from, row->edge, holders->target, &result->arena,
                            &holders->chains[i], err))
            return false;
        holders->chains[i].cost = row->cost;
    }
    holders->chain_count = n;
    return true;
}

static bool is_garbage(const struct hw_graph *graph, hw_id id, bool *ret_garbage,
                       struct hw_err *err)
{
    struct hw_garbage garbage;
    if (!hw_garbage_init(&garbage, graph, err))
        return false;
    *ret_garbage = garbage.is_garbage[id];
    hw_garbage_deinit(&garbage);
    return true;
}

static bool fill(struct holders_result *result, const struct hw_graph *graph,
                 const struct hw_tree *tree, const struct hw_costs *costs, size_t max,
                 struct hw_err *err)
{
    struct hw_holders *holders = &result->holders;
    struct referrers referrers = {0};
    bool ok = find_referrers(graph, tree, costs, holders->target, &referrers);
    if (!ok) {
        free(referrers.rows);
        return hw_err_no_memory(err);
    }
    drop_passing(graph, &referrers);
    if (referrers.count)
        qsort(referrers.rows, referrers.count, sizeof(*referrers.rows), by_cost);
    for (size_t i = 0; i < referrers.count; i++)
        holders->referrer_count += referrers.rows[i].from < graph->object_count;
    ok = spell_chains(result, graph, tree, &referrers, max, err);
    free(referrers.rows);
    if (ok && !tree_has(tree, holders->target))
        ok = is_garbage(graph, holders->target, &holders->garbage, err);
    return ok;
}

bool hw_holders_ask(const struct hw_graph *graph, hw_id id, size_t max_chains,
                    struct hw_holders **ret_holders, struct hw_err *err)
{
    if (id >= graph->node_count)
        return hw_err_set(err, HW_ERR_USAGE, "node %u is not in the graph", id);
    struct hw_tree tree = {0};
    struct hw_costs *costs = NULL;
    struct holders_result *result = calloc(1, sizeof(*result));
    bool ok = result || hw_err_no_memory(err);
    if (ok) {
        result->holders.target = id;
        ok = hw_tree_init(&tree, graph, err) && hw_costs_create(&costs, graph, err) &&
             fill(result, graph, &tree, costs, max_chains, err);
    }
    hw_tree_deinit(&tree);
    hw_costs_destroy(costs);
    if (!ok) {
        hw_holders_destroy(result ? &result->holders : NULL);
        return false;
    }
    *ret_holders = &result->holders;
    return true;
}

void hw_holders_destroy(struct hw_holders *holders)
{
    if (!holders)
        return;
    struct holders_result *result = (struct holders_result *)holders;
    hw_arena_deinit(&result->arena);
    free(result);
}

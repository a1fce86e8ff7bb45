/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/tree.h"

#include "ask/rules.h"
#include "base/err.h"
#include "base/vec.h"

#include <stdlib.h>

/*
 * What is known for sure is searched first: the words of C data and C stacks are only asked about
 * what nothing else reaches. By cost alone such a word would be shorter than a long chain of true
 * references.
 *
 * Dial's version of Dijkstra's algorithm: costs are small integers, so nodes wait in one bucket for
 * each distance, and distances in play span less than BUCKETS, whence the ring. A node that is
 * found at a better distance waits twice; the stale place is skipped when its turn comes.
 */
enum { BUCKETS = 256 };
_Static_assert((int)HW_COST_MAX < (int)BUCKETS, "the ring must hold every distance in play");

struct bucket {
    hw_id *nodes;
    size_t count, capacity;
};

static bool bucket_put(struct bucket *bucket, hw_id node)
{
    hw_id *nodes = hw_vec_grow(bucket->nodes, &bucket->capacity, bucket->count + 1, sizeof(*nodes));
    if (!nodes)
        return false;
    bucket->nodes = nodes;
    bucket->nodes[bucket->count++] = node;
    return true;
}

struct search {
    const struct hw_graph *graph;
    const struct hw_costs *costs;
    struct hw_tree *tree;
    struct bucket ring[BUCKETS];
    size_t waiting;
    bool guesses; /* words may be followed, too */
};
enum { AHEAD = 8 }; /* references whose targets are on their way from memory */

static bool relax(struct search *search, hw_id node)
{
    const struct hw_graph *graph = search->graph;
    struct hw_tree *tree = search->tree;
    uint32_t end = graph->edge_start[node + 1];
    for (uint32_t e = graph->edge_start[node]; e < end; e++) {
        hw_id to = graph->edge_to[e];
        if (e + AHEAD < end)
            __builtin_prefetch(&tree->cost[graph->edge_to[e + AHEAD]]);
        /* Most edges lead to what has been reached for less than any hop from here. */
        if (tree->cost[to] <= tree->cost[node] || (!search->guesses && graph_is_guess(graph, to)))
            continue;
        uint32_t cost = tree->cost[node] + hw_costs_hop(search->costs, node, e);
        if (cost >= tree->cost[to])
            continue;
        tree->cost[to] = cost;
        tree->parent[to] = node;
        tree->edge[to] = e;
        if (!graph_degree(graph, to))
            continue;
        if (!bucket_put(&search->ring[cost % BUCKETS], to))
            return false;
        search->waiting++;
    }
    return true;
}

/* A bucket may grow while it is worked off: hops that cost nothing. A node's cost only ever falls,
 * so that it is in one bucket once. */
static bool work_off(struct search *search, uint32_t distance)
{
    struct bucket *bucket = &search->ring[distance % BUCKETS];
    struct hw_tree *tree = search->tree;
    for (size_t i = 0; i < bucket->count; i++) {
        hw_id node = bucket->nodes[i];
        search->waiting--;
        if (tree->cost[node] != distance)
            continue;
        tree->order[tree->count++] = node;
        if (!relax(search, node))
            return false;
    }
    bucket->count = 0;
    return true;
}

/* Nothing is reached through a leaf: they need not wait, and stand behind all others. */
static void add_leaves(struct search *search)
{
    const struct hw_graph *graph = search->graph;
    struct hw_tree *tree = search->tree;
    for (hw_id id = 0; id + 1 < graph->node_count; id++)
        if (!graph_degree(graph, id) && tree->cost[id] != UINT32_MAX)
            tree->order[tree->count++] = id;
}

/* The holders of words, by what is known of their own holders; then what they alone reach. */
static bool add_guesses(struct search *search, uint32_t distance)
{
    const struct hw_graph *graph = search->graph;
    struct hw_tree *tree = search->tree;
    for (hw_id from = graph->object_count; from < graph->node_count; from++)
        for (uint32_t e = graph->edge_start[from]; e < graph->edge_start[from + 1]; e++) {
            hw_id to = graph->edge_to[e];
            if (tree->cost[from] == UINT32_MAX || !graph_is_guess(graph, to) ||
                tree->cost[to] != UINT32_MAX)
                continue;
            tree->cost[to] = distance + hw_costs_hop(search->costs, from, e);
            tree->parent[to] = from;
            tree->edge[to] = e;
            if (!graph_degree(graph, to))
                continue;
            if (!bucket_put(&search->ring[tree->cost[to] % BUCKETS], to))
                return false;
            search->waiting++;
        }
    search->guesses = true;
    return true;
}

static bool search_all(struct search *search)
{
    hw_id root = search->graph->node_count - 1;
    bool ok = bucket_put(&search->ring[0], root);
    uint32_t distance = 0;
    search->tree->cost[root] = 0;
    search->waiting = 1;
    for (; ok && search->waiting; distance++)
        ok = work_off(search, distance);
    ok = ok && add_guesses(search, distance);
    for (; ok && search->waiting; distance++)
        ok = work_off(search, distance);
    for (size_t i = 0; i < BUCKETS; i++)
        free(search->ring[i].nodes);
    add_leaves(search);
    return ok;
}

bool hw_tree_init(struct hw_tree *tree, const struct hw_graph *graph, struct hw_err *err)
{
    size_t n = graph->node_count;
    struct hw_tree made = {.parent = malloc(n * sizeof(uint32_t)),
                           .edge = malloc(n * sizeof(uint32_t)),
                           .cost = malloc(n * sizeof(uint32_t)),
                           .order = malloc(n * sizeof(uint32_t))};
    if (!made.parent || !made.edge || !made.cost || !made.order) {
        hw_tree_deinit(&made);
        return hw_err_no_memory(err);
    }
    for (size_t i = 0; i < n; i++) {
        made.parent[i] = made.edge[i] = HW_NONE;
        made.cost[i] = UINT32_MAX;
    }
    struct search search = {.graph = graph, .tree = &made};
    struct hw_costs *costs;
    if (!hw_costs_create(&costs, graph, err)) {
        hw_tree_deinit(&made);
        return false;
    }
    search.costs = costs;
    bool ok = search_all(&search);
    hw_costs_destroy(costs);
    if (!ok) {
        hw_tree_deinit(&made);
        return hw_err_no_memory(err);
    }
    *tree = made;
    return true;
}

void hw_tree_deinit(struct hw_tree *tree)
{
    free(tree->parent);
    free(tree->edge);
    free(tree->cost);
    free(tree->order);
    *tree = (struct hw_tree){0};
}

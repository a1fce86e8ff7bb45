/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ASK_TREE_H
#define HW_ASK_TREE_H

/*
 * The tree of best paths: for every node the most telling way from the root. A path is not an
 * owner, so hops have costs (rules.h); the tree holds a cheapest path to each node. Time and memory
 * are linear in nodes and edges.
 */

#include "heap/graph.h"

struct hw_tree {
    uint32_t *parent; /* HW_NONE: the root, or not reached */
    uint32_t *edge;   /* the edge from the parent: index into edge_to, edge_label */
    uint32_t *cost;   /* UINT32_MAX: not reached */
    uint32_t *order;  /* nodes reached, parents before children; the root first, leaves last */
    uint32_t count;   /* of order */
};
bool hw_tree_init(struct hw_tree *tree, const struct hw_graph *graph, struct hw_err *err);
void hw_tree_deinit(struct hw_tree *tree);

static inline bool tree_has(const struct hw_tree *tree, hw_id id)
{
    return tree->cost[id] != UINT32_MAX;
}

/* What hops cost in one graph. */
struct hw_costs;
bool hw_costs_create(struct hw_costs **ret_costs, const struct hw_graph *graph, struct hw_err *err);
void hw_costs_destroy(struct hw_costs *costs);
uint32_t hw_costs_hop(const struct hw_costs *costs, hw_id from, uint32_t edge);
/* Whether the standard library's module of that name, or a part of it, is meant. */
bool hw_costs_is_stdlib(const struct hw_costs *costs, const char *module);

#endif

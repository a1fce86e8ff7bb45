/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WEIGH_DOMINATORS_H
#define HW_WEIGH_DOMINATORS_H

/*
 * Who owns whom. Node d dominates n when every way from the root to n leads through d: without d, n
 * is gone. The nearest dominator is n's owner; the owners make a tree, and what a node retains is
 * the size of its subtree: what would be freed if nothing referred to the node. All references
 * count, also those to types and those found by scanning objects; weak ones are none. Words on C
 * stacks and in C data, which may be long dead or borrowed, count only for what nothing else
 * reaches, and what they reach alone has no say about the rest. Nodes that no root reaches at all
 * (garbage, and what only C code holds) are outside the tree.
 *
 * Exact, and at worst n log n on any graph. The result takes 8 bytes for each node and 12 more for
 * each that refers to anything; making it takes at most 24 more for these, and four for each
 * reference among them. The graph must live as long.
 */

#include "heap/graph.h"

struct hw_dominators;
bool hw_dominators_create(struct hw_dominators **ret_dominators, const struct hw_graph *graph,
                          struct hw_err *err);
void hw_dominators_destroy(struct hw_dominators *dominators);

/* HW_NONE: the root, or not reached. */
hw_id hw_dominators_owner(const struct hw_dominators *dominators, hw_id id);

bool hw_dominators_reached(const struct hw_dominators *dominators, hw_id id);

/* Bytes of id and all that it dominates, as hw_graph_weight() says. Not reached: 0. */
uint64_t hw_dominators_retained(const struct hw_dominators *dominators, hw_id id);

/* Nodes in id's subtree, itself and synthetic ones included. Not reached: 0. */
uint32_t hw_dominators_count(const struct hw_dominators *dominators, hw_id id);

/* All nodes reached, each followed by its subtree: that of order[i] is order[i] to order[i + count
 * - 1], its first child is order[i + 1], and the child after a child stands that child's count
 * further on. So whatever is asked about subtrees is one pass without a stack. */
const hw_id *hw_dominators_order(const struct hw_dominators *dominators, uint32_t *ret_count);

/* Where id stands in the order; by looking through it. HW_NONE: not reached. */
uint32_t hw_dominators_position(const struct hw_dominators *dominators, hw_id id);

#endif

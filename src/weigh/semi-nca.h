/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WEIGH_SEMI_NCA_H
#define HW_WEIGH_SEMI_NCA_H

/*
 * The dominator tree of a graph's core: its nodes that refer to something, and the root. A node has
 * a place there, in a preorder of the tree: 0 is the root, and the subtree of the node at place p
 * stands at places p to p + size[p] - 1.
 *
 * The algorithm is SEMI-NCA (L. Georgiadis: Linear-Time Algorithms for Dominators and Related
 * Problems, 2005, section 2.3): semidominators with path compression, then the owner as the nearest
 * ancestor that is not below the semidominator. That last walk is quadratic on some graphs, so it
 * goes by jump pointers (E. W. Myers: An applicative random-access stack, 1983), which answer for
 * common ancestors as well.
 */

#include "heap/graph.h"

/* In the by_node array: refers to nothing. Larger than any place. */
#define HW_SEMI_LEAF (HW_NONE - 1)

struct hw_semi_nca {
    uint32_t count; /* of the core that is reached */
    uint32_t sure;  /* of them, those not reached by guesses alone; they have the first places */
    /* By place: */
    hw_id *node;
    uint32_t *owner; /* its place; 0 for 0 */
    uint32_t *size;
    uint32_t *jump; /* an ancestor further up */
};

/* core: how many nodes have edges, the root counted in any case. Fills by_node with places,
 * HW_SEMI_LEAF for leaves, HW_NONE for the core that is not reached. False: no memory. */
bool hw_semi_nca_init(struct hw_semi_nca *tree, const struct hw_graph *graph, uint32_t core,
                      uint32_t *by_node);
void hw_semi_nca_deinit(struct hw_semi_nca *tree);

/* The lowest common ancestor of all that stands from one place to another. */
uint32_t hw_semi_nca_common(const struct hw_semi_nca *tree, uint32_t low, uint32_t high);

#endif

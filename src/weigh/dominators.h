/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WEIGH_DOMINATORS_H
#define HW_WEIGH_DOMINATORS_H

/*
 * Who owns whom. Node d dominates n when every way from the root to n leads through d: without d, n
 * is gone. The nearest dominator is n's owner; the owners make a tree, and what a node retains is
 * the size of its subtree: what would be freed if nothing referred to the node. All references
 * count, also those to types and those found by scanning; weak ones are none. Nodes that no root
 * reaches (garbage, and what only C code holds) are outside the tree.
 */

#include "heap/graph.h"

struct hw_dominators;
bool hw_dominators_create(struct hw_dominators **ret_dominators, const struct hw_graph *graph,
                          struct hw_err *err);
void hw_dominators_destroy(struct hw_dominators *dominators);

/* HW_NONE: the root, or not reached. */
hw_id hw_dominators_owner(const struct hw_dominators *dominators, hw_id id);

bool hw_dominators_reached(const struct hw_dominators *dominators, hw_id id);

/* Bytes of id and all that it dominates, native memory included. Not reached: 0. */
uint64_t hw_dominators_retained(const struct hw_dominators *dominators, hw_id id);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_COLLECT_COMPONENTS_H
#define HW_COLLECT_COMPONENTS_H

/*
 * The strongly connected components of a part of a graph (Tarjan, without recursion; linear). A
 * component here is one that holds a cycle: several nodes, or one that refers to itself. All other
 * nodes are in none.
 */

#include "collect/part.h"

struct hw_components {
    uint32_t count;
    uint32_t *of;    /* by local node: its component, or HW_NONE */
    uint32_t *order; /* all local nodes; what a node refers to comes before it, but for cycles */
    uint32_t *first; /* component c is order[first[c]] .. order[first[c] + size[c]) */
    uint32_t *size;
    uint32_t in_cycles; /* nodes in components */
};

/* cut: a byte for each local edge, non-zero: not there. NULL: all are there. */
bool hw_components_init(struct hw_components *components, const struct hw_part *part,
                        const uint8_t *cut, struct hw_err *err);
void hw_components_deinit(struct hw_components *components);

#endif

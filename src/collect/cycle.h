/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_COLLECT_CYCLE_H
#define HW_COLLECT_CYCLE_H

/* A shortest way from an object back to itself. */

#include "ask/spell.h"
#include "collect/part.h"

enum { HW_CYCLE_MAX = 64 };
struct hw_cycle {
    struct hw_hop hops[HW_CYCLE_MAX];
    uint32_t edges[HW_CYCLE_MAX]; /* the hops as local edges of the part */
    size_t count;                 /* 0: none was found */
};

/* A shortest cycle of the part; among equally short ones one through objects that say much to a
 * programmer. Cycles through classes and modules only where there is no other. Looks from a
 * bounded number of objects, so that in a large part there may be a shorter one. cut as in
 * components.h. */
bool hw_cycle_shortest(const struct hw_part *part, const uint8_t *cut, struct hw_cycle *ret_cycle,
                       struct hw_err *err);

/* Among cycles of the same length that begin at the same object and end with the same attribute
 * the one through the first elements: .lines[0].order and not .lines[1].order. */
bool hw_cycle_first(const struct hw_part *part, struct hw_cycle *cycle, struct hw_err *err);

/* The same hops, beginning behind hop number `last`. */
void hw_cycle_rotate(struct hw_cycle *cycle, size_t last);

/* Begins at an object that says something, where it begins at a plain container. */
void hw_cycle_begin(const struct hw_graph *graph, struct hw_cycle *cycle);

#endif

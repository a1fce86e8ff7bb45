/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_COLLECT_WEAK_H
#define HW_COLLECT_WEAK_H

/*
 * Which reference to make weak, so that a component has no cycle any more. What a programmer
 * changes is not one edge but a place in the program: the attribute `order` of all lines, the
 * elements of the list that `handlers` names. So edges of one place count as one, and a place is
 * only proposed after the components were computed anew without all of its edges.
 */

#include "collect/cycle.h"

enum { HW_WEAK_MAX = 4, HW_WEAK_HOPS = 6 };

struct hw_weak_place {
    struct hw_hop hops[HW_WEAK_HOPS]; /* one edge of the place is the last; those before lead to it
                                         from the object whose namespace or container it is in */
    size_t hop_count;
    uint32_t edges;     /* edges of the place in the part */
    const char *advice; /* how such a reference is made weak or dropped, with {place} */
};

struct hw_weak {
    struct hw_weak_place places[HW_WEAK_MAX];
    size_t count;  /* 0: no place is known that could be weak */
    bool complete; /* no cycle is left without them */
};

/* Turns `cycle`, a shortest one of the part, so that it ends with the first place. */
bool hw_weak_find(const struct hw_part *part, struct hw_cycle *cycle, struct hw_weak *ret_weak,
                  struct hw_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_COLLECT_CYCLE_H
#define HW_COLLECT_CYCLE_H

/* A shortest way from an object back to itself. */

#include "ask/spell.h"

enum { HW_CYCLE_MAX = 64 };
struct hw_cycle {
    struct hw_hop hops[HW_CYCLE_MAX];
    size_t count; /* 0: none was found */
};

/* Looks through marked nodes only, at instances of type, a bounded number of them. */
bool hw_cycle_find(const struct hw_graph *graph, const uint8_t *marks, uint32_t type,
                   struct hw_cycle *ret_cycle, struct hw_err *err);

#endif

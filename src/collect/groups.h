/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_COLLECT_GROUPS_H
#define HW_COLLECT_GROUPS_H

/*
 * Components that look the same, as one group: ten thousand rings of one shape are one row. Two
 * components look the same when they consist of the same references: the set of (type, attribute,
 * type) that occur in them, by name, however often. Indices and keys count as one, so that an order
 * with two lines looks like one with three. The signature is the same in every run.
 */

#include "collect/components.h"

struct hw_cycle_row {
    uint64_t signature;
    uint32_t components;
    uint64_t objects, bytes;           /* in cycles */
    uint64_t held_objects, held_bytes; /* in no cycle, and held by this group alone */
    uint32_t example;                  /* its smallest component */
    uint32_t largest;                  /* objects in its largest component */
    uint32_t finalizers, finalized, legacy, callbacks;
    uint32_t first_type, type_count; /* its rows in types */
};

/* How many objects of one type the components of one group have. */
struct hw_cycle_count {
    uint32_t group, type;
    uint64_t count, bytes;
};

struct hw_groups {
    struct hw_cycle_row *rows;
    uint32_t count;
    uint32_t *of;                 /* by component */
    struct hw_cycle_count *types; /* by group */
    uint32_t type_count;
    uint64_t shared_objects, shared_bytes; /* held by several groups */
};

/* apart: by local node, or NULL: components of which it says different things share no group. */
bool hw_groups_init(struct hw_groups *groups, const struct hw_part *part,
                    const struct hw_components *components, const uint8_t *apart,
                    struct hw_err *err);
void hw_groups_deinit(struct hw_groups *groups);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_GROW_SLOTS_H
#define HW_GROW_SLOTS_H

/*
 * Places that hold one large object or one container. What is built by `data += more`,
 * numpy.concatenate() or `jobs = [j for j in jobs if ...]` is a new object every time: its address
 * says nothing about its past, but the place that holds it does, an attribute or an entry of an
 * object that stays.
 */

#include "heap/graph.h"

enum { HW_SLOT_BYTES = 16 * 1024, HW_SLOT_MEMBERS = 8, HW_SLOTS_MAX = 1 << 16 };

struct hw_slot_row {
    uint64_t place;   /* a hash of the owner's address and the edge */
    uint64_t bytes;   /* weight of what it holds */
    uint32_t members; /* of a container; 0: a large object that has none */
    uint32_t type;    /* a hash of its type's name */
};
struct hw_slots {
    struct hw_slot_row *rows; /* by place */
    size_t count;
};

/* Of all objects that are large, but have no members, and then of containers as attributes, values
 * and variables, those with HW_SLOT_MEMBERS first: HW_SLOTS_MAX places at most. */
bool hw_slots_init(struct hw_slots *slots, const struct hw_graph *graph, const uint32_t *members,
                   struct hw_err *err);
void hw_slots_deinit(struct hw_slots *slots);

/* What the place that `edge` of `from` is in held there: its weight, if it had the type of the
 * edge's target, else 0. */
uint64_t hw_slots_find(const struct hw_slots *slots, const struct hw_graph *graph, hw_id from,
                       uint32_t edge);

/* Likewise the number of members of the container there; 0: not known, or several
 * functions of one name run. */
uint32_t hw_slots_members(const struct hw_slots *slots, const struct hw_graph *graph, hw_id from,
                          uint32_t edge);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WEIGH_PLACES_H
#define HW_WEIGH_PLACES_H

/*
 * To what memory is charged: modules with their namespaces, running frames, threads and whatever
 * else begins a chain. A module and its namespace are two nodes of one place: functions of the
 * module hold the namespace, and so do those who imported them.
 */

#include "heap/graph.h"

struct hw_place {
    enum hw_place_kind kind;
    const char *name;
    hw_id node;
};
struct hw_place_node {
    hw_id node;
    uint32_t place;
};
struct hw_places {
    struct hw_place *rows;
    uint32_t count;
    struct hw_place_node *nodes; /* by node */
    size_t node_count;
    uint64_t *is_place; /* bitmap over nodes */
    size_t row_capacity, node_capacity;
};
enum { HW_PLACE_WORD_BITS = 64 };

/* Names live in arena. */
bool hw_places_init(struct hw_places *places, const struct hw_graph *graph, struct hw_arena *arena);
void hw_places_deinit(struct hw_places *places);

static inline bool places_has(const struct hw_places *places, hw_id id)
{
    return places->is_place[id / HW_PLACE_WORD_BITS] >> id % HW_PLACE_WORD_BITS & 1;
}
/* The row of a node that has one. */
uint32_t hw_places_find(const struct hw_places *places, hw_id id);

#endif

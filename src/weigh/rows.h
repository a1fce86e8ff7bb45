/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WEIGH_ROWS_H
#define HW_WEIGH_ROWS_H

/* Rows that several answers about retained sizes share, and what they are made from. */

#include "ask/spell.h"
#include "weigh/dominators.h"
#include "weigh/places.h"

struct hw_rows {
    const struct hw_graph *graph;
    struct hw_dominators *dominators;
    struct hw_places places;
    struct hw_arena *arena; /* of the result */
};

bool hw_rows_init(struct hw_rows *rows, const struct hw_graph *graph, struct hw_arena *arena,
                  struct hw_err *err);
void hw_rows_deinit(struct hw_rows *rows);

/* How its owner holds node: the hop's edge is HW_NO_EDGE when not by one reference. */
struct hw_hop hw_rows_hop(const struct hw_rows *rows, hw_id node);

/* The row of hop->to, with everything but the path, which becomes "". False: no memory. */
bool hw_rows_weigh(const struct hw_rows *rows, const struct hw_hop *hop,
                   struct hw_retained_object *row);

/* Adds up by type the subtree of one node; most retained first. With outermost false every object
 * counts for itself, what it retains is left out, and those with most bytes come first. */
bool hw_rows_by_type(const struct hw_rows *rows, hw_id id, bool outermost,
                     struct hw_retained_type **ret_rows, size_t *ret_count);

/* Paths for rows that are made already. The tree of best paths is as large as the dominators: this
 * comes after hw_rows_deinit, so that one of them is in memory at a time. */
struct hw_namer {
    const struct hw_graph *graph;
    struct hw_tree tree;
    struct hw_arena *arena;
};
bool hw_namer_init(struct hw_namer *namer, const struct hw_graph *graph, struct hw_arena *arena,
                   struct hw_err *err);
void hw_namer_deinit(struct hw_namer *namer);
bool hw_namer_find(const struct hw_namer *namer, struct hw_retained_object *row);

#endif

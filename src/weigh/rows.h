/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WEIGH_ROWS_H
#define HW_WEIGH_ROWS_H

/* Rows that several answers about retained sizes share. */

#include "ask/spell.h"
#include "weigh/dominators.h"

/* The reference by which owner holds node directly, or HW_NO_EDGE. */
uint32_t hw_owner_edge(const struct hw_graph *graph, hw_id owner, hw_id node);

/* The row of hop->to, with everything but the path, which becomes "". False: no memory. */
bool hw_row_weigh(const struct hw_dominators *dominators, const struct hw_graph *graph,
                  const struct hw_hop *hop, struct hw_arena *arena, struct hw_retained_object *row);

bool hw_row_find_path(const struct hw_graph *graph, const struct hw_tree *tree,
                      struct hw_arena *arena, struct hw_retained_object *row);

/* Adds up by type what stands in part of the dominators' order; rows by retained bytes, or by bytes
 * when outermost is false: then every object of the part counts, and what it retains stays 0. */
bool hw_rows_by_type(const struct hw_dominators *dominators, const struct hw_graph *graph,
                     uint32_t first, uint32_t count, bool outermost, struct hw_arena *arena,
                     struct hw_retained_type **ret_rows, size_t *ret_count);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_COLLECT_PART_H
#define HW_COLLECT_PART_H

/*
 * Some nodes of a graph, numbered anew from 0, and the references among them that the collector
 * follows: neither guesses nor hidden ones. Work on a part costs time and memory by its own size.
 *
 *     local node  n       ids[n] in the graph
 *     local edge  start[n] .. start[n + 1]   ->   to[] (local), edge[] (in the graph)
 */

#include "heap/graph.h"

struct hw_part {
    const struct hw_graph *graph;
    uint32_t count;
    uint32_t edge_count;
    hw_id *ids; /* rising */
    uint32_t *start;
    uint32_t *to;
    uint32_t *edge;
};

/* The marked objects; marks has a byte for each node. */
bool hw_part_init(struct hw_part *part, const struct hw_graph *graph, const uint8_t *marks,
                  struct hw_err *err);

/* Some nodes of another part. slots has room for all of `whole`, every entry HW_NONE, and is handed
 * back so. */
bool hw_part_init_within(struct hw_part *part, const struct hw_part *whole, const uint32_t *members,
                         uint32_t count, uint32_t *slots, struct hw_err *err);
void hw_part_deinit(struct hw_part *part);

#endif

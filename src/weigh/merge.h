/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WEIGH_MERGE_H
#define HW_WEIGH_MERGE_H

/*
 * Many objects brought together by a shape and the type of what holds them there. Objects without a
 * place are summed apart.
 *
 *     struct hw_merge merge;
 *     hw_merge_init(&merge, graph, err)
 *     for each object
 *         hw_merge_add(&merge, id, shape, holder, false) or hw_merge_add_unheld(&merge, id)
 *     hw_merge_finish(&merge, shapes, max_rows, &merged, err)
 *     hw_merge_deinit(&merge);
 */

#include "ask/shape.h"

struct hw_merge_group;
struct hw_merge {
    const struct hw_graph *graph;
    struct hw_merge_group *groups;
    size_t count, capacity;
    uint32_t *first; /* by shape: its first group; HW_NONE: none */
    size_t first_capacity, first_count;
    struct hw_merged sums;
    hw_id *unheld;
    size_t unheld_capacity;
};
void hw_merge_init(struct hw_merge *merge, const struct hw_graph *graph);
void hw_merge_deinit(struct hw_merge *merge);

/* Both: false when memory runs out. */
bool hw_merge_add(struct hw_merge *merge, hw_id id, uint32_t shape, hw_id holder, bool shared);
bool hw_merge_add_unheld(struct hw_merge *merge, hw_id id);

/* At most max_rows rows; 0: all. */
bool hw_merge_finish(struct hw_merge *merge, const struct hw_shapes *shapes, size_t max_rows,
                     struct hw_merged **ret_merged, struct hw_err *err);

/* Fails with HW_ERR_USAGE when an id is no node. */
bool hw_merge_check(const struct hw_graph *graph, const hw_id *ids, size_t count,
                    struct hw_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WEIGH_TOP_H
#define HW_WEIGH_TOP_H

/*
 * The largest few of many, met one by one. Equal ones: the smaller id wins.
 *
 *     struct hw_top top = {.max = 20};
 *     for (...)
 *         if (!hw_top_add(&top, bytes, id))
 *             ... no memory ...
 *     hw_top_sort(&top);
 */

#include "heapwhy.h"

struct hw_top_row {
    uint64_t bytes;
    hw_id id;
};
struct hw_top {
    size_t max;
    struct hw_top_row *rows; /* a heap, the least first; after sorting the largest first */
    size_t count, capacity;
};

bool hw_top_add(struct hw_top *top, uint64_t bytes, hw_id id); /* false: no memory */
void hw_top_sort(struct hw_top *top);
void hw_top_deinit(struct hw_top *top);

/* Whether it would get in: spares callers the work of finding out whether it should. */
static inline bool hw_top_wants(const struct hw_top *top, uint64_t bytes)
{
    return top->count < top->max || (top->max && bytes >= top->rows[0].bytes);
}

#endif

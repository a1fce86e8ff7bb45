/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TELL_FLAME_TREE_H
#define HW_TELL_FLAME_TREE_H

/*
 * The stacks of a profile merged into a tree, small enough to look at. Each node has what was
 * allocated at it and below. A node is kept when it has at least least_share of all in some measure
 * and is not too deep; what is not kept of a node's children is one child of it, HW_FLAME_OTHERS.
 * So the sum of the children is what their parent has, less what was allocated at the parent
 * itself.
 */

#include "tell/stacks.h"

enum hw_flame_direction {
    HW_FLAME_CALLERS, /* from the outermost caller to where memory was allocated */
    HW_FLAME_CALLEES, /* from where memory was allocated to its callers */
    HW_FLAME_THREADS, /* as callers, a tree for each thread below the root */
    HW_FLAME_DIRECTIONS
};

/* What a node is: a place of the stacks, or one of these. */
#define HW_FLAME_ROOT UINT32_MAX
#define HW_FLAME_OTHERS (UINT32_MAX - 1)
#define HW_FLAME_CUT (UINT32_MAX - 2)        /* callers that were not kept */
#define HW_FLAME_THREAD UINT32_C(0xf0000000) /* and the thread's number */

enum { HW_FLAME_NODES_MAX = 50000, HW_FLAME_LEVELS_MAX = 512 };
#define HW_FLAME_LEAST_SHARE 0.0005

struct hw_flame {
    uint32_t *parent; /* by node; a parent has a lower number. The root is 0, its parent HW_NONE */
    uint32_t *what;
    struct hw_amount *amounts; /* measures known of each node, one after the other */
    size_t count, capacity, amount_capacity;
    enum hw_measure measures[HW_MEASURE_COUNT]; /* that are known */
    size_t measure_count;
    double least_share; /* raised until there are few enough nodes */
    size_t left_out;    /* nodes that are part of HW_FLAME_OTHERS; of callees at least so many */
};

/* False: no memory. */
bool hw_flame_init(struct hw_flame *flame, const struct hw_stacks *stacks,
                   enum hw_flame_direction direction);
void hw_flame_deinit(struct hw_flame *flame); /* also after a failure */

static inline struct hw_amount *hw_flame_amounts(const struct hw_flame *flame, size_t node)
{
    return &flame->amounts[node * flame->measure_count];
}

#endif

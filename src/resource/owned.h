/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_RESOURCE_OWNED_H
#define HW_RESOURCE_OWNED_H

/*
 * Which object owns each descriptor: the one that closes it when it is freed. Selectors and epoll
 * sets hold descriptors but own none. Needs no paths, so it is cheap: one look at the types, one at
 * the objects of those that own.
 */

#include "ask/lineage.h"

struct hw_owned {
    hw_id *owner;        /* for each of the graph's system.fds; HW_NONE: nobody that we know */
    bool numbers_hidden; /* objects were met whose number is not recorded */
};
bool hw_owned_init(struct hw_owned *owned, const struct hw_graph *graph,
                   const struct hw_lineage *lineage, struct hw_err *err);
void hw_owned_deinit(struct hw_owned *owned);

/* Steady descriptors without an owner. Those of standard input, output and error are the process's
 * own. */
uint64_t hw_owned_count_none(const struct hw_owned *owned, const struct hw_graph *graph);
bool hw_owned_is_none(const struct hw_owned *owned, const struct hw_graph *graph, size_t row);

/* The row of a descriptor; SIZE_MAX: it is not open. */
size_t hw_fd_find(const struct hw_system *system, int32_t fd);

/* The numbers in the value "fd=5 7" of an object; returns how many, at most max. */
size_t hw_value_fds(const struct hw_graph *graph, hw_id node, int32_t *fds, size_t max);

/* The int that an attribute is; false: it is none, or not recorded. */
bool hw_attr_int(const struct hw_graph *graph, hw_id node, const char *name, int64_t *ret_value);
bool hw_int_value(const struct hw_graph *graph, hw_id node, int64_t *ret_value);

#endif

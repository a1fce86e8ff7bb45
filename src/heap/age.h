/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_HEAP_AGE_H
#define HW_HEAP_AGE_H

/*
 * Age from the order of the collector's lists. CPython links a new object behind the last one of
 * the youngest list, and hangs what survives a collection behind the next older list
 * (Modules/gcmodule.c up to 3.12, Python/gc.c in 3.13: gc_list_append, gc_list_merge). So the
 * lists, permanent, 2, 1, 0, each from its head, are about the order in which the objects were
 * made:
 *
 *     permanent          generation 2                       1        0
 *     |------------------|----------------------------------|--------|
 *     oldest = 1                                             youngest = 255
 *
 * Whoever walks them backwards meets the youngest first. The way is kept as differences of
 * addresses, one or two bytes a step where objects were made one behind the other, until ids exist.
 */

#include "base/buf.h"
#include "cpython/runtime.h"
#include "heap/marks.h"

enum { HW_NEWEST_EACH = 128 }; /* objects of an interpreter that are HW_NODE_NEWEST */

struct hw_order {
    struct hw_buf steps;                  /* zigzag varints, in units of 8 bytes */
    hw_addr last;                         /* where the last step led */
    uint64_t counts[HW_MAX_INTERPRETERS]; /* steps of each interpreter: lists are its own */
    size_t interpreter;                   /* whose lists are being walked */
    hw_id newest[HW_MAX_INTERPRETERS * HW_NEWEST_EACH];
    size_t newest_count;
};

/* The next object on the way from the youngest to the oldest. Failures stick in steps. */
void hw_order_add(struct hw_order *order, hw_addr addr);
void hw_order_deinit(struct hw_order *order);

/* Writes the ages of all objects on the way, and newest; age has a zeroed byte for each node. An
 * object that comes twice, on a damaged list, keeps the first. Only after hw_marks_rank(). */
bool hw_order_ages(struct hw_order *order, struct hw_marks *marks, uint8_t *age,
                   struct hw_err *err);

#endif

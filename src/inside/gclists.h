/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_GCLISTS_H
#define HW_INSIDE_GCLISTS_H

/*
 * The collector's lists, walked where they are: no list of objects is made and no object is written to.
 *
 * The heads lie in PyInterpreterState, 24 bytes apart (struct gc_generation: two links, threshold and
 * count), then the list of gc.freeze() (Include/internal/pycore_gc.h of 3.9 to 3.14):
 *
 *     3.9 - 3.13   young, middle, old, pointer to the first of these, [threshold, count of]  frozen
 *     3.14         young, old, old, frozen
 *
 * They are found without that header: a new object is the last of the young list, so its successor is
 * the head. What was found is believed only when all links around it agree; else the collector itself
 * is asked, and all objects count as young.
 */

#include "inside/inside.h"

/* Returns 0 to go on, -1 to end the walk with the exception that is set, 1 to end it without. */
typedef int (*hw_object_fn)(PyObject *object, void *ctx);

/* In the order of gc.get_objects(), which has no frozen ones. */
enum hw_gc_list { HW_GC_YOUNG, HW_GC_MIDDLE, HW_GC_OLD, HW_GC_FROZEN, HW_GC_LIST_COUNT };

/* Finds the heads, and the module gc. 0, or -1. */
int hw_gc_lists_init(PyObject *module);

/* No collection begins between the two, whoever allocates. Both keep an exception that is set. Pause
 * returns what to hand to resume: 1, 0, or -1 with an exception set. */
int hw_collector_pause(void);
void hw_collector_resume(int paused);

/* Whether the objects of gc.freeze() can be visited, and how many there are; -1 with an exception. */
bool hw_gc_frozen_known(void);
Py_ssize_t hw_gc_frozen_count(void);

/* Oldest first. What the visitor ended with, else 0. The collector is off meanwhile. The visitor is as
 * walk.h says. */
int hw_gc_list_visit(enum hw_gc_list list, hw_object_fn fn, void *ctx);

/* The dict of the interned strings, where the lists lead to it (3.14 on), or NULL: it does not own what is in
 * it (Objects/unicodeobject.c, intern_common()). A string that only a cache of C code holds besides, such as
 * that of the methods of types, may go at any call. */
extern PyObject *hw_interned_strings;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_HEAPSET_H
#define HW_INSIDE_HEAPSET_H

/*
 * _heapwhy.HeapSet: a set of addresses as a Python object. It holds no reference to its members. Who
 * works on them looks first which are alive: hw_heap_set_members(). An address at which another object
 * has begun meanwhile counts as a member: the set can't tell.
 */

#include "inside/live.h"
#include "inside/own.h"

struct hw_heap_set {
    struct hw_result head;
    struct hw_bits *bits;
};
extern PyTypeObject *hw_heap_set_type;

/* A set of that type (a subclass of hw_heap_set_type). Takes the bits over, NULL among them: then, and
 * when it fails, NULL with the exception. */
PyObject *hw_heap_set_wrap(PyTypeObject *type, struct hw_bits *bits);

/* Walks the heap, and finds the members that are alive, own objects among them; the flags are for live,
 * which is to be deinitialized when ret_members is done with, in both cases; ret_members belongs to the
 * caller. 0, or -1 with an exception. */
int hw_heap_set_members(const struct hw_heap_set *set, struct hw_live *live, unsigned flags,
                        struct hw_bits **ret_members);

int hw_heap_set_init(PyObject *module);

#endif

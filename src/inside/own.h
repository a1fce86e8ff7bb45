/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_OWN_H
#define HW_INSIDE_OWN_H

/*
 * heapwhy's own objects, which do not belong into answers about the program: the modules heapwhy and
 * heapwhy.*, their functions, code and types, results that are still held, and what nothing but these
 * refer to. What the program holds as well, a module that both import, is not among them.
 *
 * Every class whose instances are handed out as results is made from hw_result_type, whose instances
 * are on a list here. Found from there in about a millisecond; the rest of the heap is not looked at.
 */

#include "inside/bits.h"

/* Adds the addresses of heapwhy's own objects. 0, or -1 with MemoryError. Calls no Python code. */
int hw_own_mark(struct hw_bits *bits);

/* The base of results: in C, an object that begins with struct hw_result, whose tp_new calls
 * hw_result_link() and tp_dealloc hw_result_unlink(); in Python, a subclass of _heapwhy.Result. */
struct hw_result {
    PyObject_HEAD
    struct hw_result *previous, *next;
};
extern PyTypeObject *hw_result_type;
void hw_result_link(PyObject *result);
void hw_result_unlink(PyObject *result);

/* Makes the type and puts it into the module. 0, or -1. */
int hw_own_init(PyObject *module);

#endif

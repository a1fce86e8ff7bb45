/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_WALK_H
#define HW_INSIDE_WALK_H

/*
 * The objects of this process, visited while the interpreter is held.
 *
 *     tracked    what the collector has on its lists, in the order of gc.get_objects()
 *     referents  what one object refers to: as gc.get_referents() says, and what code objects and
 *                arrays of numpy's hold, which the collector does not visit
 *     heap       everything alive: tracked, the variables of running functions, and what these lead to,
 *                each object once
 *
 * A visitor calls no Python code and makes no object that the collector tracks: then no collection can
 * begin, nothing is freed, and no list changes under the walk. It may collect into C memory, and what it
 * means to give to Python it holds by a reference before the walk ends.
 */

#include "inside/bits.h"
#include "inside/gclists.h"

/* The three return what the visitor ended with, else 0. */
int hw_tracked_visit(hw_object_fn fn, void *ctx);
int hw_referents_visit(PyObject *object, hw_object_fn fn, void *ctx);
int hw_heap_visit(hw_object_fn fn, void *ctx);

/* Whether an object can refer to others at all. */
bool hw_object_leads_on(PyObject *object);

/* No reference more often than the object holds it: as hw_referents_visit(), but without keys that
 * instances' dicts share, as no single one of them holds these, and keys of classes made from dict. */
int hw_references_visit(PyObject *object, hw_object_fn fn, void *ctx);

/* Whether the collector may track objects of this kind, and whether it tracks this one. */
bool hw_object_is_gc(PyObject *object);
static inline bool hw_object_is_tracked(PyObject *object)
{
    return PyType_IS_GC(Py_TYPE(object)) && PyObject_GC_IsTracked(object);
}

/* A stack of borrowed pointers in C memory. */
struct hw_stack {
    PyObject **items;
    size_t count, capacity;
};
int hw_stack_push(struct hw_stack *stack, PyObject *object); /* 0, or -1 with MemoryError */
void hw_stack_deinit(struct hw_stack *stack);

/* The same with strong references: what a walk meets and Python is to have. The list is made after the
 * walk, so it is none of the objects that were met. It takes the references over and empties the stack;
 * NULL when result is not 0, or with MemoryError. */
int hw_stack_keep(struct hw_stack *stack, PyObject *object); /* 0, or -1 with MemoryError */
PyObject *hw_stack_list(struct hw_stack *stack, int result);

/* The address that an int names as id() does; NULL, without an exception: no object can be there. */
void *hw_address_of(PyObject *number);

#endif

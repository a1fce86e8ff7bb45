/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_PLACES_H
#define HW_INSIDE_PLACES_H

/*
 * Where CPython keeps what no function of its API shows without making a dict or a frame object first:
 * attributes of an instance that has no dict yet, and local variables. With version.h the only file that
 * asks for the version. Sources, each of 3.9 to 3.14: Include/cpython/dictobject.h,
 * Include/internal/pycore_dict.h, pycore_object.h, pycore_frame.h, Include/cpython/genobject.h.
 */

#include "inside/inside.h"

/* The dict of an instance; borrowed, NULL: none, or none yet. */
PyObject *hw_instance_dict(PyObject *object);

/* Attributes of an instance that stand in it, or behind it, instead of in a dict. */
struct hw_values {
    PyObject **values; /* some are NULL */
    Py_ssize_t count;
    const char *entries; /* of the keys that all instances of the type share */
};
struct hw_values hw_instance_values(PyObject *object); /* count 0: there are none */
PyObject *hw_values_name(const struct hw_values *values, Py_ssize_t i); /* borrowed */

/* Local variables, cells and captured variables of a frame, or of a generator or coroutine that has not
 * ended. */
struct hw_locals {
    const uintptr_t *words;
    Py_ssize_t count;
    PyCodeObject *code; /* borrowed */
};
bool hw_locals_of(PyObject *object, struct hw_locals *ret_locals); /* false: it has none */
PyObject *hw_locals_value(const struct hw_locals *locals, Py_ssize_t i); /* borrowed, or NULL */
PyObject *hw_locals_name(const struct hw_locals *locals, Py_ssize_t i); /* new; NULL with an exception */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_NDARRAY_H
#define HW_INSIDE_NDARRAY_H

/*
 * What numpy's arrays refer to. The collector does not know them, so nobody else tells.
 * Source: numpy/core/include/numpy/ndarraytypes.h, PyArrayObject_fields and PyArray_Descr: the part
 * that numpy 1.x and 2.x have in common and promise not to change.
 */

#include "inside/walk.h"

/* Whether an object is an array, of a subclass too. Cheap for what is none. */
bool hw_array_is(PyObject *object);

/* The array that a view looks into (or what else owns the data), and the objects of an array of
 * objects that owns its data. Returns what the visitor ended with, else 0. */
int hw_array_visit(PyObject *array, hw_object_fn fn, void *ctx);

#endif

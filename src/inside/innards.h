/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_INNARDS_H
#define HW_INSIDE_INNARDS_H

/*
 * What no public function tells without making a frame object or a dict first: the local variables of
 * frames, and attributes that lie in an instance itself. Read from CPython's own internal headers of the
 * version that is built for; with version.h the only place that asks for the version.
 */

#include "inside/inside.h"

/* The dict of an object's attributes, borrowed; NULL: it has none, or none was made yet. */
PyObject *hw_object_dict(PyObject *object);

/* A name (a str; NULL: none, it is on the evaluation stack) and what it stands for; borrowed both.
 * Returns 0 to go on. */
typedef int (*hw_named_fn)(PyObject *name, PyObject *value, void *ctx);

/* Attributes that lie in the instance, without a dict (3.11 on). Returns what fn ended with, else 0. */
int hw_inline_attributes_visit(PyObject *object, hw_named_fn fn, void *ctx);

struct hw_frame {
    void *raw;            /* CPython's frame */
    PyCodeObject *code;   /* borrowed */
    unsigned long thread; /* threading.get_ident(); 0: of no thread */
};
typedef int (*hw_frame_fn)(const struct hw_frame *frame, void *ctx);

/* The frames that run or wait in each thread of this interpreter, innermost first. */
int hw_frames_visit(hw_frame_fn fn, void *ctx);
/* The frame that a generator, a coroutine or a frame object owns; false: none. */
bool hw_frame_of(PyObject *owner, struct hw_frame *ret_frame);
/* Its variables, cells and, where known, the evaluation stack. */
int hw_frame_locals_visit(const struct hw_frame *frame, hw_named_fn fn, void *ctx);

/* Where tracemalloc saw an object being allocated, innermost first: ((file, line), ...), or None. A new
 * reference; NULL with an exception. ask is _tracemalloc._get_object_traceback. */
PyObject *hw_object_traceback(PyObject *ask, PyObject *object);

#endif

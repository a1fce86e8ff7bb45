/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_EDGE_H
#define HW_INSIDE_EDGE_H

/*
 * The references of a live object, each with its name: what one would write after the object to come to
 * the other.
 *
 *     HW_REFERENCE_ATTRIBUTE   .name          an attribute in a dict of it, in itself, in a slot, or a member
 *     HW_REFERENCE_INDEX       [3]            of a list, tuple, deque
 *     HW_REFERENCE_VALUE       ['key']        of a dict
 *     HW_REFERENCE_KEY                        a key of a dict
 *     HW_REFERENCE_MEMBER                     of a set
 *     HW_REFERENCE_LOCAL                      a variable of a frame, or of a generator's frame
 *     HW_REFERENCE_HIDDEN                     held by C code, which has no name for it
 *
 * No frame object and no dict is made, no Python code runs. Attributes that lie in a dict of their own
 * belong to that dict (HW_REFERENCE_VALUE); who wants them as attributes asks hw_object_dict() (innards.h) of
 * the holder. A dict that is a split table names its keys too, though it shares them.
 */

#include "inside/inside.h"

enum hw_reference_kind {
    HW_REFERENCE_ATTRIBUTE,
    HW_REFERENCE_INDEX,
    HW_REFERENCE_VALUE,
    HW_REFERENCE_KEY,
    HW_REFERENCE_MEMBER,
    HW_REFERENCE_LOCAL,
    HW_REFERENCE_HIDDEN,
};

/* All borrowed, for as long as the visit lasts. */
struct hw_reference {
    enum hw_reference_kind kind;
    PyObject *holder, *referent;
    PyObject *name;     /* str of an attribute or a variable (NULL: see member; of a stack: none), the
                           key of a value, or the key itself */
    const char *member; /* an attribute that C code named */
    Py_ssize_t index;   /* of INDEX; of HIDDEN: the how-manieth that the type visits */
};

/* Returns 0 to go on, -1 to end with an exception set, 1 to end without. */
typedef int (*hw_reference_fn)(const struct hw_reference *edge, void *ctx);

/* Each reference once. Returns what fn ended with, else 0. */
int hw_named_references_visit(PyObject *holder, hw_reference_fn fn, void *ctx);

/* The label as text, a new str: what stands in the table above; "<key>", "<member>", "<local x>",
 * "<hidden 2>" for what Python can't spell. NULL with an exception. No Python code runs: a key that is
 * no str, number or constant is told by its type. */
PyObject *hw_reference_label(const struct hw_reference *edge);

#endif

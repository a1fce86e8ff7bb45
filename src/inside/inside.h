/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_INSIDE_H
#define HW_INSIDE_INSIDE_H

/*
 * What every file of the Python extension begins with. The extension runs inside the interpreter that
 * asks, so here, and only here, an object is a pointer. Two doors lead out of it:
 *
 *     walk.h      the objects of this process, visited while the interpreter is held
 *     heapwhy.h   the library, asked about a graph of this process
 *
 * Conventions: a function that can fail returns NULL, or -1, with a Python exception set. Nothing here
 * calls Python code, unless the header says so; nothing keeps a reference to a user's object after it
 * returns, unless the result is made of such references.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "heapwhy.h"

/* Raises what the library complained about, as heapwhy.Error or a subclass of it that the code decides
 * (and of the builtin exception of that meaning: LookupError, PermissionError, ...). Returns NULL. */
PyObject *hw_raise(const struct hw_err *err);
/* Makes the exceptions and puts them into the module. 0, or -1. */
int hw_raise_init(PyObject *module);

/* Readies a type, which lives as long as the process, and puts it into the module under the last part of
 * its name. NULL, for a type that could not be made, counts as failed. 0, or -1. */
int hw_type_add(PyObject *module, PyTypeObject *type);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_CHAIN_H
#define HW_INSIDE_CHAIN_H

/*
 * The shortest chain of references from or to an object, breadth first. Referrers of a whole level are
 * found in one pass over the heap; the chain is the one that looking at object after object, as
 * gc.get_referrers() and gc.get_referents() order them, would find.
 */

#include "inside/inside.h"

PyObject *hw_find_chain(PyObject *module, PyObject *const *args, Py_ssize_t count);
extern const char hw_find_chain_doc[];

/* is_module(object, /): the predicate for "this is a root" */
PyObject *hw_is_module(PyObject *module, PyObject *object);
extern const char hw_is_module_doc[];

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_GARBAGE_H
#define HW_INSIDE_GARBAGE_H

/*
 * What the collector would find now, computed without it: nothing is freed, no flag and no object is changed.
 *
 * As in Modules/gcmodule.c, deduce_unreachable(): of each tracked object's reference count the references from
 * other tracked objects are taken off; what keeps some left is held from outside, and so is all that it leads to. The
 * rest only refers to itself. Frozen objects are outside, as they are for the collector.
 */

#include "inside/inside.h"

/* garbage() -> [(objects of a cycle, ...), ...], and what hangs on cycles. See hw_garbage_doc. */
PyObject *hw_garbage(PyObject *module, PyObject *args, PyObject *kwargs);
extern const char hw_garbage_doc[];

#endif

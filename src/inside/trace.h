/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_TRACE_H
#define HW_INSIDE_TRACE_H

/*
 * All shortest ways to the members of a set: breadth first until every member was met, then back along
 * references that lead from one level to the next. The ways begin at modules; at variables of running
 * functions and what else belongs to threads only for members to which no module leads. A way begun there
 * leads to nothing but what is alive, so the heap is not walked.
 *
 * Memory: a bitmap of what was reached, and 8 bytes for each of these objects that refers to others.
 */

#include "inside/heapset.h"

/* For module.c: shortest_paths(targets, start, avoid, limit, own). */
PyObject *hw_shortest_paths(PyObject *module, PyObject *args, PyObject *kwargs);
extern const char hw_shortest_paths_doc[];

#endif

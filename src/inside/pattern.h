/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_PATTERN_H
#define HW_INSIDE_PATTERN_H

/*
 * The reference pattern of a set: its members by kind, what refers to each kind by kind, and so on: a
 * tree of sets. One walk of the heap, and one pass over what refers to others for each level.
 *
 * Memory: the bitmaps of live.h, one to four bytes for each dict of the heap, and a bitmap for each node
 * of the tree, of which there are at most `nodes`.
 */

#include "inside/heapset.h"

/* For module.c: reference_pattern(set, depth, width, nodes, own). */
PyObject *hw_reference_pattern(PyObject *module, PyObject *args, PyObject *kwargs);
extern const char hw_reference_pattern_doc[];

#endif

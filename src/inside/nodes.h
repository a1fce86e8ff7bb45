/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_NODES_H
#define HW_INSIDE_NODES_H

/*
 * Many objects of a graph, as heapwhy._heapwhy.Nodes: four bytes each, whatever their number. A row is
 * made when it is asked for.
 */

#include "inside/inside.h"

/* nodes(graph, word) -> Nodes */
PyObject *hw_nodes(PyObject *module, PyObject *args);
extern const char hw_nodes_doc[];

/* Makes the type. 0, or -1. */
int hw_nodes_init(PyObject *module);

#endif

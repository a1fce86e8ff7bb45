/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_GRAPH_H
#define HW_INSIDE_GRAPH_H

/*
 * A heap graph as a Python object: heapwhy._heapwhy.Graph, the base of heapwhy.Snapshot. It owns the
 * graph, which no Python object is made of; questions about it are asked through question.h.
 *
 * The library wants one thread at a time for a graph's texts, so questions are asked one after the other
 * (hw_ask_begin), while the interpreter runs on.
 */

#include "inside/inside.h"

struct hw_py_graph {
    PyObject_HEAD
    struct hw_graph *graph;    /* NULL: closed */
    unsigned long asked_in;    /* number of the process, plus 1, while a question is asked; else 0 */
    PyObject *weak_references;
};

extern PyTypeObject *hw_graph_type_object;

/* One more owner of the graph, who calls hw_graph_destroy(). NULL with an exception: it was closed. */
struct hw_graph *hw_py_graph_share(PyObject *object);

/* Between these count graphs may be asked, by this thread alone and without the interpreter. NULL with an
 * exception: one of them was being asked by another thread when this process was forked off. */
PyThreadState *hw_ask_begin(PyObject *const *graphs, size_t count);
void hw_ask_end(PyThreadState *state, PyObject *const *graphs, size_t count);

/* Makes the type and puts it into the module. 0, or -1. */
int hw_graph_init(PyObject *module);

#endif

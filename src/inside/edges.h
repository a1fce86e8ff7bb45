/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_EDGES_H
#define HW_INSIDE_EDGES_H

/*
 * By what name one object refers to another. Names are read where CPython keeps them: no attribute is
 * asked for, so no code of the user's runs and no dict or frame comes into being.
 */

#include "inside/inside.h"

/* What stands in the first place of an edge; edges.py has the same words. */
#define HW_EDGE_ATTRIBUTE "attribute" /* name: str */
#define HW_EDGE_KEY "key"             /* name: the key, in the mapping source */
#define HW_EDGE_AS_KEY "as key"       /* target is a key of source; name: that key */
#define HW_EDGE_INDEX "index"         /* name: int */
#define HW_EDGE_ELEMENT "element"     /* of a set; no name */
#define HW_EDGE_LOCAL "local"         /* variable of a frame or generator; name: str */

PyObject *hw_edges(PyObject *module, PyObject *const *args, Py_ssize_t count);
extern const char hw_edges_doc[];

PyObject *hw_edges_from(PyObject *module, PyObject *source);
extern const char hw_edges_from_doc[];

#endif

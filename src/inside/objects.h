/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_OBJECTS_H
#define HW_INSIDE_OBJECTS_H

/* Lists of objects, and sets of them by identity. */

#include "inside/inside.h"

PyObject *hw_objects(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *hw_unique(PyObject *module, PyObject *list);
PyObject *hw_missing(PyObject *module, PyObject *args);
extern const char hw_objects_doc[], hw_unique_doc[], hw_missing_doc[];

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_SIZER_H
#define HW_INSIDE_SIZER_H

/* Sizes of objects, as Python sees them: the functions sizeof() and deepsizeof(), and the class Sizer that
 * remembers what was counted. */

#include "inside/inside.h"

PyObject *hw_sizeof(PyObject *module, PyObject *object);
PyObject *hw_deepsizeof(PyObject *module, PyObject *args, PyObject *kwargs);
extern const char hw_sizeof_doc[], hw_deepsizeof_doc[];

/* Puts the class into the module. 0, or -1. */
int hw_sizer_init(PyObject *module);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_LEAKING_H
#define HW_INSIDE_LEAKING_H

/* Tracked objects that nobody refers to: what C code leaked, or holds where nobody sees it. */

#include "inside/inside.h"

PyObject *hw_unreferred(PyObject *module, PyObject *objects);
extern const char hw_unreferred_doc[];

#endif

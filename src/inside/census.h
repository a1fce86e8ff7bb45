/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_CENSUS_H
#define HW_INSIDE_CENSUS_H

/* Counting objects by type. */

#include "inside/inside.h"

/* census(objects=None, tracked=False) -> [(type, count, bytes), ...], largest first. */
PyObject *hw_census(PyObject *module, PyObject *args, PyObject *kwargs);
extern const char hw_census_doc[];

#endif

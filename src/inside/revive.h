/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_REVIVE_H
#define HW_INSIDE_REVIVE_H

/* Live objects back from addresses. */

#include "inside/inside.h"

/* objects_at(addresses) -> [object or None, ...] */
PyObject *hw_objects_at(PyObject *module, PyObject *addresses);
extern const char hw_objects_at_doc[];

#endif

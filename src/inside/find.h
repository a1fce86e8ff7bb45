/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_FIND_H
#define HW_INSIDE_FIND_H

/* Tracked objects by their type, and by their address. What each function does, its doc says. */

#include "inside/inside.h"

PyObject *hw_type_counts(PyObject *module, PyObject *objects);
extern const char hw_type_counts_doc[];

PyObject *hw_instances(PyObject *module, PyObject *types);
extern const char hw_instances_doc[];

PyObject *hw_tracked_at(PyObject *module, PyObject *addresses);
extern const char hw_tracked_at_doc[];

PyObject *hw_addresses(PyObject *module, PyObject *none);
extern const char hw_addresses_doc[];

PyObject *hw_addresses_minus(PyObject *module, PyObject *args);
extern const char hw_addresses_minus_doc[];

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_SUMMARY_H
#define HW_INSIDE_SUMMARY_H

/* The census that summaries are made of: some types are told apart object by object, and what the
 * summaries themselves take does not count. */

#include "inside/inside.h"

PyObject *hw_summary(PyObject *module, PyObject *args);
extern const char hw_summary_doc[];

#endif

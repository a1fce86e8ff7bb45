/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_CENSUS_H
#define HW_INSIDE_CENSUS_H

/* Counting objects by type. */

#include "inside/size.h"
#include "inside/walk.h"

/* A count under way: begin with zeros, with or without sizes. */
struct hw_counting {
    struct hw_class_table table;
    struct hw_stack late; /* sizes that only Python code can tell; strong references */
    bool sizes;
    struct hw_bits *own;  /* not to be counted; NULL: nothing. Given to the counting */
};
int hw_counting_add(struct hw_counting *counting, PyObject *object); /* 0, or -1 */
/* The rows, when the walk is over: runs the user's __sizeof__. Ends the counting; result is what the walk
 * ended with, and if that is not 0, the answer is NULL. */
PyObject *hw_counting_end(struct hw_counting *counting, int result);

/* census(objects=None, tracked=False) -> [(type, count, bytes), ...], largest first. */
PyObject *hw_census(PyObject *module, PyObject *args, PyObject *kwargs);
extern const char hw_census_doc[];

#endif

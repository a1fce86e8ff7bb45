/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_LINES_H
#define HW_INSIDE_LINES_H

/*
 * Memory, line by line: a trace function that sees profiled code run and gives the change of memory
 * between two events of a frame to the line that ran between them.
 *
 *     table    of one function and all code within it: lines with what they changed
 *     session  of one thread, from enable() to disable(): the profiled frames that run, innermost
 * last
 *
 * What a line calls belongs to the line. Only what a frame of the same table was given already is
 * not given again to the line that called it: recursion, comprehensions, nested functions. So the
 * increments of a table add up to what its outermost calls have changed. What happens while a
 * generator or coroutine is suspended belongs to no line of it.
 */

#include "inside/inside.h"

/* Puts the type LineTracer into the module. 0, or -1. */
int hw_lines_init(PyObject *module);

#endif

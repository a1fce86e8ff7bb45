/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CPYTHON_VALUE_H
#define HW_CPYTHON_VALUE_H

/*
 * The parts of hw_object_value(). Each writes a terminated text of less than max bytes and returns
 * its length, 0: nothing is known.
 *
 *     serve app.py:12                   a function, by the first line of its code
 *     put app.py:9; len(d) > LIMIT      code, with the lengths it compares (hw_code_checks())
 *     serve app.py:12; at line 30       a suspended one, or a frame; "; not started", "; finished"
 *     pending, cancelled, finished      futures and tasks
 *     dead, to <app.Key at 0x7f00>      weak references
 */

#include "cpython/decode.h"

size_t hw_value_code(struct hw_py *py, hw_addr code, char *to, size_t max);

/* The same with the qualified name that a function or generator has for it, 0: none; up to 3.10 code does
 * not know its own. */
size_t hw_value_code_named(struct hw_py *py, hw_addr code, hw_addr qualname, char *to, size_t max);
size_t hw_value_generator(struct hw_py *py, hw_addr addr, char *to, size_t max);
size_t hw_value_frame(struct hw_py *py, hw_addr addr, char *to, size_t max);
size_t hw_value_future(struct hw_py *py, hw_addr addr, char *to, size_t max);
size_t hw_value_weakref(struct hw_py *py, hw_addr addr, char *to, size_t max);

#endif

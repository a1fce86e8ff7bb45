/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_SIZES_H
#define HW_INSIDE_SIZES_H

/*
 * The sizes of all members of a set, as sys.getsizeof() gives them, in address order. A __sizeof__ in
 * Python runs at the end, when all others are told, and its object is held until then; from there on
 * other members may be gone: the visitor takes the address, and does not look at the object.
 */

#include "inside/bits.h"

typedef int (*hw_sized_fn)(PyObject *member, Py_ssize_t bytes, void *ctx);

/* Members that are alive, and no others. 0, or -1 with an exception; also what fn ended with. */
int hw_sizes_visit(const struct hw_bits *members, hw_sized_fn fn, void *ctx);

#endif

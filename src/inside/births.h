/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_BIRTHS_H
#define HW_INSIDE_BIRTHS_H

/*
 * What came to be since a moment. A Births object remembers who was alive when it was made, as one word for each
 * object, and what every type had at its last look:
 *
 *     word = address / 8 << 20 | number of the type's name     sorted; 8 bytes for each object
 *     name -> objects, bytes, items      of the last look, and the least growth that all looks have seen
 *
 * An object is born when its word is not there. The name in the word is the guard against an address that was
 * given again; two objects of one type in turn at one address are taken for one, so that what is born is never
 * more than what look() counted. Types go by name, module.qualname: a class that a function makes anew each time
 * it runs is one type here.
 */

#include "inside/inside.h"

/* Readies the type and puts it into the module as Births. 0, or -1. */
int hw_births_init(PyObject *module);

#endif

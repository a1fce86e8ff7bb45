/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_DUMP_H
#define HW_INSIDE_DUMP_H

/*
 * Snapshots of this process in its hour of need, taken by the program heapwhy from outside (spawn.h): when an
 * exception hook meets MemoryError, and when a thread that never takes the interpreter's lock sees memory come near a
 * limit. All that is needed then is made when the Dump is.
 */

#include "inside/inside.h"

/* Readies the type and puts it into the module as Dump. 0, or -1. */
int hw_dump_init(PyObject *module);

#endif

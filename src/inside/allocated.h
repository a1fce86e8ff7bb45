/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_ALLOCATED_H
#define HW_INSIDE_ALLOCATED_H

/*
 * How many bytes a thread has taken from Python's allocators, and what libraries and extension modules have
 * taken from malloc in it (foreign.h), less what was given back: exact, and a few nanoseconds for each block.
 *
 * Nothing is remembered of a block. Its size is where the allocator keeps it, so a block from before
 * the counting began counts when it is freed:
 *
 *     pymalloc        the size class in the header of the block's pool
 *     glibc's malloc  malloc_usable_size()
 *     debug hooks     what was asked for, in front of the block
 *
 * Sizes are what blocks occupy, rounded up as the allocator does; with debug hooks what was asked for.
 * Each thread has a counter of its own: what other threads do in the meantime is not in it. A block
 * that one thread takes and another frees is added to the first and taken from the second.
 */

#include "inside/inside.h"

/* Begins to count in all threads; calls nest. -1 with heapwhy.UnsupportedError where this Python has allocators
 * that cannot be counted. */
int hw_allocated_start(void);
void hw_allocated_stop(void);

/* Net bytes of this thread, since any time: only differences mean something, and only while counting. */
int64_t hw_allocated_bytes(void);

/* What this thread does between the two is not counted; pairs nest. */
void hw_allocated_pause(void);
void hw_allocated_resume(void);

/* The same for Python: allocated_start(), allocated_bytes(), ... */
PyObject *hw_allocated_start_object(PyObject *module, PyObject *none);
PyObject *hw_allocated_stop_object(PyObject *module, PyObject *none);
PyObject *hw_allocated_bytes_object(PyObject *module, PyObject *none);
PyObject *hw_allocated_pause_object(PyObject *module, PyObject *none);
PyObject *hw_allocated_resume_object(PyObject *module, PyObject *none);
extern const char hw_allocated_start_doc[], hw_allocated_stop_doc[], hw_allocated_bytes_doc[],
    hw_allocated_pause_doc[], hw_allocated_resume_doc[];

#endif

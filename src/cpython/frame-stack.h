/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CPYTHON_FRAME_STACK_H
#define HW_CPYTHON_FRAME_STACK_H

/*
 * The mappings in which the frames of running Python code lie: a chain of chunks for each thread
 * (CPython Include/cpython/pystate.h, _PyStackChunk; Python/pystate.c, push_chunk).
 */

#include "cpython/runtime.h"

/* Calls visit for each chunk of each thread, in no order. */
void hw_frame_stacks_visit(struct hw_py *py, const struct hw_runtime *runtime,
                           bool (*visit)(void *ctx, hw_addr start, hw_addr end), void *ctx);

#endif

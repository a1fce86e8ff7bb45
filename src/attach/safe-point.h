/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ATTACH_SAFE_POINT_H
#define HW_ATTACH_SAFE_POINT_H

/*
 * May this thread, where it stands, be made to load a library? It may when it holds nothing that
 * the loader or malloc would wait for. All its native callers are looked at, and each must be known
 * to be harmless:
 *
 * - none lies in the loader, in an allocator that replaces malloc, or in heapwhy's agent;
 * - what it has called of the C library is one of the calls that wait for something outside (read,
 * poll, a lock's release, ...), and it does wait: it is in the system call. Any other function of
 * the C library may hold locks of its own;
 * - it does not change allocators or end the interpreter;
 * - it is no signal handler, whose interrupted code nobody knows.
 *
 * Other threads do not matter: they go on. What cannot be told is not safe.
 */

#include "cpython/runtime.h"
#include "image/call.h"

enum hw_unsafe {
    HW_SAFE,
    HW_UNSAFE_STOPPED,   /* it has not stopped: it is in an uninterruptible call */
    HW_UNSAFE_CALLERS,   /* its callers cannot be told */
    HW_UNSAFE_LOADER,    /* it loads a library, or binds a symbol */
    HW_UNSAFE_ALLOCATOR, /* it allocates or frees memory */
    HW_UNSAFE_C_LIBRARY, /* it is in a function of the C library that may hold locks */
    HW_UNSAFE_PYTHON,    /* it changes allocators, or starts or ends the interpreter */
    HW_UNSAFE_AGENT,     /* it takes a sample */
    HW_UNSAFE_ATOMIC,    /* it is in a sequence that the kernel would have to start anew (rseq) */
    HW_UNSAFE_WAIT,  /* it waits for a span of time, in code that may not expect an interruption */
    HW_UNSAFE_STACK, /* its stack has no room */
};

struct hw_safe_points;

/* Of a running process that image reads. Errors: HW_ERR_UNSUPPORTED where the C library is not
 * glibc, or has no dlopen(). image and runtime outlive it. */
bool hw_safe_points_create(struct hw_image *image, const struct hw_runtime *runtime,
                           struct hw_safe_points **ret_points, struct hw_err *err);
void hw_safe_points_destroy(struct hw_safe_points *points);

/* The thread stands still. What cannot be told before deadline_ns (CLOCK_MONOTONIC) cannot be told.
 */
enum hw_unsafe hw_safe_point_look(struct hw_safe_points *points, const struct hw_tracee *tracee,
                                  int64_t deadline_ns);

/* "it is loading a library": completes "thread N: ". */
const char *hw_unsafe_text(enum hw_unsafe unsafe);

/* Functions of the process: dlopen() or what takes its arguments, and what a signal's frame returns
 * to. */
hw_addr hw_safe_points_dlopen(const struct hw_safe_points *points);
hw_addr hw_safe_points_sigreturn(const struct hw_safe_points *points);

#endif

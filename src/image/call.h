/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_IMAGE_CALL_H
#define HW_IMAGE_CALL_H

/*
 * Making a process call one of its own functions: the owner's side. A guardian (guard.h) stops all
 * threads; choose() looks at them and names one that may make the call, or none; then all go on.
 * Nobody waits for the function, which returns by itself (signal-frame.h).
 */

#include "image/guard.h"

/* What a try came to. */
struct hw_call_try {
    bool called;
    int64_t pause_ns; /* how long the threads stood still */
    pid_t tid;        /* of the thread that calls */
};

/* Fills *ret_call, whose thread stands still now, for some milliseconds at most. False: no thread
 * may. */
typedef bool hw_call_choose(void *ctx, const struct hw_tracee *threads, size_t count,
                            struct hw_guard_call *ret_call);

/* True also when none was chosen. Whatever happens, and whenever we are killed: a thread either
 * goes on as if nothing had been, or makes the call and then goes on so. Errors: as
 * hw_image_freeze(). */
bool hw_call_try(pid_t pid, hw_call_choose *choose, void *ctx, const volatile int *cancel,
                 struct hw_call_try *ret_try, struct hw_err *err);

#endif

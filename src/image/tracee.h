/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_IMAGE_TRACEE_H
#define HW_IMAGE_TRACEE_H

/*
 * Stopping and letting go all threads of a process. Runs in the guardian, so nothing here
 * allocates.
 */

#include "image/guard.h"

int64_t hw_clock_ns(void); /* CLOCK_MONOTONIC */
void hw_sleep_us(unsigned us);

/* waitpid() for one tracee, not disturbed by signals. */
pid_t hw_tracee_wait(pid_t tid, int *ret_status, int flags);

/* Seizes every thread and stops it; fills shared->threads with their registers. New threads are
 * looked for until there are none. On failure all of them run again. */
bool hw_tracees_stop(struct hw_guard_shared *shared, struct hw_err *err);

/* Lets every thread go and adds to shared->pause_ns. */
void hw_tracees_release(struct hw_guard_shared *shared);

/* Lets go what was late and has stopped since. True: none is left. */
bool hw_tracees_release_late(struct hw_guard_shared *shared);

/* Seizes and stops just one thread. False: it cannot be had. */
bool hw_tracee_stop_one(pid_t pid, struct hw_tracee *tracee);

/* The ids of a process's threads, without the C library's directory streams (they allocate).
 * Calls visit for each; false: the process is gone. */
bool hw_tracees_list(pid_t pid, bool (*visit)(void *ctx, pid_t tid), void *ctx);

#endif

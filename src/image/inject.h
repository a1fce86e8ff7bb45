/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_IMAGE_INJECT_H
#define HW_IMAGE_INJECT_H

/*
 * Making a stopped thread execute one system call, and putting it back. Nothing is written to its
 * memory: its registers point at an instruction that is already there.
 *
 * hw_inject_call() saves registers and signal mask, blocks all signals (they stay queued in the
 * kernel), runs the call, and restores both. The thread stands as before: also when it had been
 * interrupted in a system call, which the kernel then restarts as if nothing had happened.
 */

#include "image/arch.h"

struct hw_injection {
    pid_t tid;
    hw_addr insn;
    bool keep;           /* the thread is ours (a helper, a twin): nothing to restore */
    pid_t child;         /* made by the last call, stopped and traced; 0: none */
    bool swallowed_stop; /* a SIGSTOP came meanwhile and has to be sent again */
};

/* Reports clones and calls; with exit_kill the thread dies with its tracer. For one that is ours.
 */
bool hw_inject_trace(pid_t tid, bool exit_kill);

/* *ret_result: what the call returned, negative errno on failure. False: the thread died, or could
 * not be handled. */
bool hw_inject_call(struct hw_injection *injection, enum hw_arch_call call, const uint64_t args[6],
                    int64_t *ret_result);

/* Makes a thread of ours exit and waits for it. */
void hw_inject_exit(struct hw_injection *injection);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_IMAGE_SIGNAL_FRAME_H
#define HW_IMAGE_SIGNAL_FRAME_H

/*
 * Making a stopped thread call a function of its own process, such that nobody is needed to put it
 * back. The thread's stack gets what the kernel puts there for a signal handler: all its registers,
 * and as the address to return to the instructions that ask the kernel to load them again. When the
 * function returns, the thread goes on where it was, whoever else is dead by then. Runs in the
 * guardian: nothing here allocates.
 *
 *     higher   the thread's stack as it is
 *              128 bytes that its function may use without saying so
 *              text
 *              state of the processor's extensions (64-byte aligned), FP_XSTATE_MAGIC2
 *              struct rt_sigframe: return address, ucontext, siginfo     <- stack pointer of the
 * function lower    the function's own frames
 *
 * One that was interrupted in a system call restarts it afterwards or sees EINTR, as the kernel
 * would have it after a handler with SA_RESTART; but calls that only a handler would end are
 * restarted, too.
 */

#include "image/arch.h"
#include "image/guard.h"

/* What happens to the system call that the thread was stopped in. */
enum hw_resumption {
    HW_RESUMES_AS_BEFORE, /* in none; or it is restarted with the same arguments */
    HW_RESUMES_WITH_EINTR /* it waits for a span of time, which the kernel alone knows the rest of
                           */
};
enum hw_resumption hw_arch_resumption(const struct hw_regs *regs);

/* The number of the call that it stands in or was interrupted in; -1: none. */
long hw_arch_syscall_number(const struct hw_regs *regs);

/* The instructions that ask for rt_sigreturn, and the offset of the first such in code; SIZE_MAX:
 * none. */
size_t hw_arch_sigreturn_find(const unsigned char *code, size_t bytes);

/* Stops no one: the thread must stand still in our hands, and be let go afterwards. Its signals are
 * blocked until the function returns, but those of its own faults. False: nothing was changed. */
bool hw_signal_frame_push(pid_t pid, struct hw_tracee *tracee, const struct hw_guard_call *call,
                          struct hw_err *err);

#endif

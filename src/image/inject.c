/* SPDX-License-Identifier: Apache-2.0 */
#include "image/inject.h"

#include "image/tracee.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

enum { SYSCALL_STOP = SIGTRAP | 0x80 };

bool hw_inject_trace(pid_t tid, bool exit_kill)
{
    uintptr_t options =
        PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
    if (exit_kill)
        options |= PTRACE_O_EXITKILL;
    return !ptrace(PTRACE_SETOPTIONS, tid, 0, options);
}

/* The new process is traced from its birth and stops before its first instruction. Tie it to us
 * before anything else happens. */
static void child_adopt(struct hw_injection *injection)
{
    unsigned long child = 0;
    int status;
    if (ptrace(PTRACE_GETEVENTMSG, injection->tid, 0, &child) || !child)
        return;
    if (hw_tracee_wait((pid_t)child, &status, 0) != (pid_t)child || !WIFSTOPPED(status))
        return;
    hw_inject_trace((pid_t)child, true);
    injection->child = (pid_t)child;
}

/* Runs the thread to the end of one system call. False: it died. */
static bool run_call(struct hw_injection *injection)
{
    for (unsigned syscall_stops = 0;;) {
        int status;
        if (ptrace(PTRACE_SYSCALL, injection->tid, 0, 0) ||
            hw_tracee_wait(injection->tid, &status, 0) != injection->tid || !WIFSTOPPED(status))
            return false;
        int event = status >> 16;
        if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK ||
            event == PTRACE_EVENT_VFORK)
            child_adopt(injection);
        else if (!event && WSTOPSIG(status) == SYSCALL_STOP)
            syscall_stops++;
        else if (!event && WSTOPSIG(status) == SIGSTOP)
            injection->swallowed_stop = true; /* cannot be blocked */
        if (syscall_stops == 2)
            return true;
    }
}

static bool signals_get(pid_t tid, uint64_t *ret_mask)
{
    return !ptrace(PTRACE_GETSIGMASK, tid, sizeof(*ret_mask), ret_mask);
}

static bool signals_set(pid_t tid, uint64_t mask)
{
    return !ptrace(PTRACE_SETSIGMASK, tid, sizeof(mask), &mask);
}

bool hw_inject_call(struct hw_injection *injection, enum hw_arch_call call, const uint64_t args[6],
                    int64_t *ret_result)
{
    struct hw_regs before, regs;
    uint64_t mask;
    pid_t tid = injection->tid;
    injection->child = 0;
    if (!hw_arch_regs_get(tid, &before) || !signals_get(tid, &mask))
        return false;
    regs = before;
    hw_arch_call_prepare(&regs, injection->insn, call, args);
    bool ok = signals_set(tid, ~UINT64_C(0)) && hw_arch_regs_set(tid, &regs);
    ok = ok && run_call(injection) && hw_arch_regs_get(tid, &regs);
    if (!injection->keep) {
        bool restored = hw_arch_regs_set(tid, &before);
        restored = signals_set(tid, mask) && restored;
        ok = ok && restored;
    }
    if (ok)
        *ret_result = hw_arch_call_result(&regs);
    return ok;
}

void hw_inject_exit(struct hw_injection *injection)
{
    static const uint64_t none[6];
    struct hw_regs regs;
    int status;
    if (hw_arch_regs_get(injection->tid, &regs)) {
        hw_arch_call_prepare(&regs, injection->insn, HW_CALL_EXIT, none);
        if (hw_arch_regs_set(injection->tid, &regs) && !run_call(injection))
            return;
    }
    kill(injection->tid, SIGKILL);
    hw_tracee_wait(injection->tid, &status, 0);
}

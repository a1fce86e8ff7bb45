/* SPDX-License-Identifier: Apache-2.0 */
#include "image/twin.h"

#include "base/err.h"
#include "image/inject.h"
#include "image/process.h"
#include "image/tracee.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REAP_TRIES = 200 };

/* A thread in the middle of a restartable sequence (rseq(2)) must not be sent elsewhere: the kernel
 * would forget that it has to abort the sequence. */
static bool in_restartable_sequence(pid_t tid)
{
    struct __ptrace_rseq_configuration rseq;
    if (ptrace(PTRACE_GET_RSEQ_CONFIGURATION, tid, sizeof(rseq), &rseq) != sizeof(rseq) ||
        !rseq.rseq_abi_pointer)
        return false;
    errno = 0;
    long section = ptrace(PTRACE_PEEKDATA, tid, rseq.rseq_abi_pointer + 8, 0);
    return !errno && section;
}

static bool usable(const struct hw_tracee *tracee)
{
    return tracee->state == HW_TRACEE_STOPPED && tracee->has_regs &&
           !in_restartable_sequence(tracee->tid);
}

/* A thread to execute the call: best one that waits in the kernel anyway. 0: none. */
static pid_t choose_thread(const struct hw_guard_shared *shared)
{
    pid_t second_best = 0;
    for (size_t i = 0; i < shared->thread_count; i++) {
        const struct hw_tracee *tracee = &shared->threads[i];
        if (!usable(tracee))
            continue;
        if (hw_arch_in_syscall(&tracee->regs))
            return tracee->tid;
        if (!second_best)
            second_best = tracee->tid;
    }
    return second_best;
}

/* The mapping may have changed since it was searched. */
static bool insn_is_there(pid_t tid, hw_addr insn)
{
    errno = 0;
    long word = ptrace(PTRACE_PEEKTEXT, tid, insn, 0);
    return !errno && hw_arch_syscall_find((unsigned char *)&word, HW_ARCH_SYSCALL_BYTES) == 0;
}

/* PR_GET_CHILD_SUBREAPER answers into memory, so it gets a page of its own for that moment. */
static bool is_subreaper(struct hw_injection *thread)
{
    const uint64_t map[6] = {
        0, HW_ARCH_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, UINT64_MAX, 0};
    int64_t page, result;
    bool yes = false;
    if (!hw_inject_call(thread, HW_CALL_MMAP, map, &page) || (page < 0 && page > -4096))
        return false;
    const uint64_t get[6] = {PR_GET_CHILD_SUBREAPER, (uint64_t)page};
    if (hw_inject_call(thread, HW_CALL_PRCTL, get, &result) && !result)
        yes = (int)ptrace(PTRACE_PEEKDATA, thread->tid, page, 0) != 0;
    const uint64_t unmap[6] = {(uint64_t)page, HW_ARCH_PAGE_BYTES};
    hw_inject_call(thread, HW_CALL_MUNMAP, unmap, &result);
    return yes;
}

static bool clone_refused(const struct hw_guard_shared *shared, int error, struct hw_err *err)
{
    if (error == EAGAIN)
        return hw_err_set(
            err, HW_ERR_IO,
            "process %d may not have one more process (RLIMIT_NPROC or the limit of its "
            "control group), so it gets no twin; --freeze=stop works without",
            shared->pid);
    if (error == ENOMEM)
        return hw_err_set(
            err, HW_ERR_IO,
            "the kernel does not allow a copy of the memory of process %d (too little "
            "memory, or strict overcommit), so it gets no twin; --freeze=stop works "
            "without",
            shared->pid);
    return hw_err_sys(err, HW_ERR_IO, error,
                      "no twin of process %d could be made (--freeze=stop works without)",
                      shared->pid);
}

static bool thread_lost(const struct hw_guard_shared *shared, struct hw_err *err)
{
    return hw_err_set(err, HW_ERR_GONE, "process %d exited while it was being frozen", shared->pid);
}

/* Makes thread clone. *ret_number: the child in the target's pid namespace. */
static bool clone_in(const struct hw_guard_shared *shared, struct hw_injection *thread,
                     uint64_t flags, int64_t *ret_number, struct hw_err *err)
{
    const uint64_t args[6] = {flags};
    if (!hw_inject_call(thread, HW_CALL_CLONE, args, ret_number))
        return thread_lost(shared, err);
    if (*ret_number < 0)
        return clone_refused(shared, (int)-*ret_number, err);
    if (!thread->child)
        return hw_err_set(err, HW_ERR_GONE, "the twin of process %d was killed at once",
                          shared->pid);
    return true;
}

static void reap_in(struct hw_injection *thread, pid_t number)
{
    const uint64_t args[6] = {(uint64_t)(int64_t)number, 0, __WALL | WNOHANG};
    int64_t result = 0;
    for (int i = 0; i < REAP_TRIES && !result; i++) {
        if (i)
            hw_sleep_us(50);
        if (!hw_inject_call(thread, HW_CALL_WAIT4, args, &result))
            return;
    }
}

static bool make_through_helper(const struct hw_guard_shared *shared, struct hw_injection *thread,
                                struct hw_twin *twin, struct hw_err *err)
{
    int64_t helper_number, twin_number;
    if (!clone_in(shared, thread, CLONE_VM, &helper_number, err))
        return false;
    struct hw_injection helper = {.tid = thread->child, .insn = shared->syscall_insn, .keep = true};
    bool ok = clone_in(shared, &helper, 0, &twin_number, err);
    if (ok) {
        twin->pid = helper.child;
        twin->pid_in_target = (pid_t)twin_number;
    }
    hw_inject_exit(&helper);
    reap_in(thread, (pid_t)helper_number);
    return ok;
}

static bool make_directly(const struct hw_guard_shared *shared, struct hw_injection *thread,
                          struct hw_twin *twin, struct hw_err *err)
{
    int64_t twin_number;
    if (!clone_in(shared, thread, 0, &twin_number, err))
        return false;
    twin->pid = thread->child;
    twin->pid_in_target = (pid_t)twin_number;
    twin->is_child = true;
    return true;
}

bool hw_twin_make(const struct hw_guard_shared *shared, struct hw_twin *ret_twin,
                  struct hw_err *err)
{
    struct hw_injection thread = {.tid = choose_thread(shared), .insn = shared->syscall_insn};
    if (!thread.tid)
        return hw_err_set(err, HW_ERR_IO,
                          "no thread of process %d can be used to make a twin now; try again, or "
                          "use --freeze=stop",
                          shared->pid);
    if (!insn_is_there(thread.tid, thread.insn))
        return hw_err_set(
            err, HW_ERR_UNSUPPORTED,
            "process %d has no system call instruction that a twin could be made with; "
            "use --freeze=stop",
            shared->pid);
    struct hw_twin twin = {.insn = thread.insn};
    hw_inject_trace(thread.tid, false);
    bool direct = shared->is_reaper || is_subreaper(&thread);
    bool ok = direct ? make_directly(shared, &thread, &twin, err)
                     : make_through_helper(shared, &thread, &twin, err);
    twin.resend_stop = thread.swallowed_stop;
    if (!ok && twin.resend_stop)
        kill(shared->pid, SIGSTOP);
    if (ok)
        *ret_twin = twin;
    return ok;
}

void hw_twin_settle(struct hw_twin *twin)
{
    static const uint64_t all[6] = {0, UINT32_MAX, 0};
    struct hw_injection injection = {.tid = twin->pid, .insn = twin->insn, .keep = true};
    int64_t result;
    hw_inject_call(&injection, HW_CALL_CLOSE_RANGE, all, &result);
    hw_process_make_expendable(twin->pid);
}

static bool reap_with(void *ctx, pid_t tid)
{
    struct hw_twin *twin = ctx;
    struct hw_tracee tracee = {.tid = tid};
    if (!twin->pid_in_target || !hw_tracee_stop_one(tid, &tracee))
        return true;
    if (in_restartable_sequence(tid) || !insn_is_there(tid, twin->insn)) {
        ptrace(PTRACE_DETACH, tid, 0, 0);
        return true;
    }
    struct hw_injection thread = {.tid = tid, .insn = twin->insn};
    hw_inject_trace(tid, false);
    reap_in(&thread, twin->pid_in_target);
    twin->pid_in_target = 0;
    twin->resend_stop = thread.swallowed_stop;
    ptrace(PTRACE_DETACH, tid, 0, 0);
    return false;
}

void hw_twin_end(struct hw_twin *twin, pid_t target)
{
    int status;
    if (!twin->pid)
        return;
    kill(twin->pid, SIGKILL);
    do
        if (hw_tracee_wait(twin->pid, &status, 0) < 0)
            break;
    while (WIFSTOPPED(status));
    twin->pid = 0;
    if (!twin->is_child)
        return;
    twin->resend_stop = false;
    hw_tracees_list(target, reap_with, twin);
    if (twin->resend_stop)
        kill(target, SIGSTOP);
}

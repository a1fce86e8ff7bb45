/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tracee.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    STOP_PATIENCE_US = 2000000,
    LATE_AFTER_US = 2000, /* from here on ask whether it is in an uninterruptible call */
    WAIT_STEP_US = 20,
    PASSES_MAX = 100,
};

int64_t hw_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void hw_sleep_us(unsigned us)
{
    struct timespec time = {us / 1000000, (long)(us % 1000000) * 1000};
    nanosleep(&time, NULL);
}

pid_t hw_tracee_wait(pid_t tid, int *ret_status, int flags)
{
    pid_t pid;
    do
        pid = waitpid(tid, ret_status, __WALL | flags);
    while (pid < 0 && errno == EINTR);
    return pid;
}

/* ---- listing ---- */

struct linux_dirent64 {
    uint64_t inode;
    int64_t next;
    unsigned short length;
    unsigned char type;
    char name[];
};

bool hw_tracees_list(pid_t pid, bool (*visit)(void *ctx, pid_t tid), void *ctx)
{
    _Alignas(8) char buf[8192];
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool more = true;
    for (long n; more && (n = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0;) {
        for (long at = 0; more && at < n;) {
            const struct linux_dirent64 *entry = (const void *)(buf + at);
            pid_t tid = (pid_t)strtol(entry->name, NULL, 10);
            more = tid <= 0 || visit(ctx, tid);
            at += entry->length;
        }
    }
    close(fd);
    return true;
}

/* The beginning of /proc/PID/task/TID/NAME, terminated; false: the thread is gone. */
static bool thread_file_read(pid_t pid, pid_t tid, const char *name, char *to, size_t bytes)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, to, bytes - 1);
    close(fd);
    to[n > 0 ? n : 0] = 0;
    return n > 0;
}

/* One letter of stat, behind the name in brackets; 0: gone. */
static char thread_state(pid_t pid, pid_t tid)
{
    char text[256];
    if (!thread_file_read(pid, tid, "stat", text, sizeof(text)))
        return 0;
    const char *bracket = strrchr(text, ')');
    return bracket && bracket[1] == ' ' ? bracket[2] : 0;
}

static pid_t thread_tracer(pid_t pid, pid_t tid)
{
    char text[1024];
    if (!thread_file_read(pid, tid, "status", text, sizeof(text)))
        return 0;
    const char *field = strstr(text, "\nTracerPid:");
    return field ? (pid_t)strtol(field + strlen("\nTracerPid:"), NULL, 10) : 0;
}

/* ---- stopping ---- */

struct seizing {
    struct hw_guard_shared *shared;
    struct hw_err *err;
    size_t hint; /* where the next one is, if the list has not changed */
    size_t added;
    bool failed;
};

static bool is_known(struct seizing *s, pid_t tid)
{
    struct hw_guard_shared *shared = s->shared;
    if (s->hint < shared->thread_count && shared->threads[s->hint].tid == tid) {
        s->hint++;
        return true;
    }
    for (size_t i = 0; i < shared->thread_count; i++) {
        if (shared->threads[i].tid == tid) {
            s->hint = i + 1;
            return true;
        }
    }
    return false;
}

static bool seize_refused(struct seizing *s, pid_t tid, int error)
{
    pid_t tracer = thread_tracer(s->shared->pid, tid);
    s->failed = true;
    if (tracer)
        return hw_err_set(s->err, HW_ERR_BUSY, "process %d is already being traced by process %d",
                          s->shared->pid, tracer);
    return hw_err_sys(s->err, HW_ERR_PERMISSION, error,
                      "the kernel does not let us trace process %d; try: sudo heapwhy %d",
                      s->shared->pid, s->shared->pid);
}

static bool seize(void *ctx, pid_t tid)
{
    struct seizing *s = ctx;
    if (is_known(s, tid))
        return true;
    if (s->shared->thread_count == HW_GUARD_THREADS_MAX) {
        s->failed = true;
        return hw_err_set(s->err, HW_ERR_LIMIT, "process %d has more than %d threads",
                          s->shared->pid, HW_GUARD_THREADS_MAX);
    }
    struct hw_tracee tracee = {.tid = tid, .state = HW_TRACEE_SEIZED};
    if (ptrace(PTRACE_SEIZE, tid, 0, 0)) {
        int error = errno;
        char state = thread_state(s->shared->pid, tid);
        if (error == ESRCH || !state)
            return true;
        if (state != 'Z' && state != 'X')
            return seize_refused(s, tid, error);
        tracee.state = HW_TRACEE_FREE;
    }
    s->shared->threads[s->shared->thread_count++] = tracee;
    s->added++;
    return true;
}

/* Looks at one report of a thread that was told to stop. True: it has stopped, or is dead. */
static bool stop_report(struct hw_tracee *tracee, int status)
{
    if (!WIFSTOPPED(status)) {
        tracee->state = HW_TRACEE_FREE;
        return true;
    }
    if (status >> 16 == PTRACE_EVENT_STOP) {
        tracee->state = HW_TRACEE_STOPPED;
        return true;
    }
    /* It was about to receive a signal: let it; the stop comes right behind. */
    ptrace(PTRACE_CONT, tracee->tid, 0, status >> 16 ? 0 : WSTOPSIG(status));
    return false;
}

static bool wait_stopped(pid_t pid, struct hw_tracee *tracee, struct hw_err *err)
{
    for (unsigned waited_us = 0; waited_us < STOP_PATIENCE_US;) {
        int status;
        pid_t got = hw_tracee_wait(tracee->tid, &status, WNOHANG);
        if (got < 0) {
            tracee->state = HW_TRACEE_FREE;
            return true;
        }
        if (got > 0) {
            if (stop_report(tracee, status))
                return true;
            continue;
        }
        /* A thread inside an uninterruptible call (a vfork whose child has not executed its program
         * yet, a dead file server) runs no code of its own, and stops before it would. */
        if (waited_us >= LATE_AFTER_US && thread_state(pid, tracee->tid) == 'D') {
            tracee->state = HW_TRACEE_LATE;
            return true;
        }
        hw_sleep_us(WAIT_STEP_US);
        waited_us += WAIT_STEP_US;
    }
    return hw_err_set(err, HW_ERR_IO, "thread %d of process %d does not stop (state %c)",
                      tracee->tid, pid, thread_state(pid, tracee->tid));
}

/* What was late in an earlier try is still traced. */
static void keep_late(struct hw_guard_shared *shared)
{
    size_t kept = 0;
    for (size_t i = 0; i < shared->thread_count; i++)
        if (shared->threads[i].state == HW_TRACEE_LATE)
            shared->threads[kept++] = shared->threads[i];
    shared->thread_count = kept;
}

static void regs_save(struct hw_guard_shared *shared)
{
    for (size_t i = 0; i < shared->thread_count; i++) {
        struct hw_tracee *tracee = &shared->threads[i];
        tracee->has_regs =
            tracee->state == HW_TRACEE_STOPPED && hw_arch_regs_get(tracee->tid, &tracee->regs);
    }
}

static bool any_stopped(const struct hw_guard_shared *shared, struct hw_err *err)
{
    bool stopped = false;
    for (size_t i = 0; i < shared->thread_count; i++) {
        stopped |= shared->threads[i].state == HW_TRACEE_STOPPED;
        if (shared->threads[i].has_regs)
            return true;
    }
    if (stopped)
        return hw_err_set(err, HW_ERR_UNSUPPORTED,
                          "process %d is not a 64-bit program; heapwhy reads those only",
                          shared->pid);
    return hw_err_set(err, HW_ERR_GONE, "process %d exited while it was being read", shared->pid);
}

/* One round: seize what is new, interrupt it, wait for it. */
static bool stop_pass(struct hw_guard_shared *shared, size_t *ret_added, struct hw_err *err)
{
    struct seizing s = {.shared = shared, .err = err};
    size_t first = shared->thread_count;
    if (!hw_tracees_list(shared->pid, seize, &s))
        return hw_err_set(err, HW_ERR_GONE, "there is no process %d any more", shared->pid);
    if (s.failed)
        return false;
    if (!shared->stopped_at_ns)
        shared->stopped_at_ns = hw_clock_ns();
    /* The first thread last: as long as it runs, signals to the process are its own, as usual, and
     * interrupt no call of another thread. */
    for (size_t i = shared->thread_count; i-- > first;)
        if (shared->threads[i].state == HW_TRACEE_SEIZED)
            ptrace(PTRACE_INTERRUPT, shared->threads[i].tid, 0, 0);
    for (size_t i = shared->thread_count; i-- > first;)
        if (shared->threads[i].state == HW_TRACEE_SEIZED &&
            !wait_stopped(shared->pid, &shared->threads[i], err))
            return false;
    *ret_added = s.added;
    return true;
}

bool hw_tracees_stop(struct hw_guard_shared *shared, struct hw_err *err)
{
    bool ok = true;
    size_t added = 1;
    keep_late(shared);
    shared->stopped_at_ns = 0;
    for (unsigned pass = 0; ok && added; pass++) {
        ok = stop_pass(shared, &added, err);
        if (ok && pass == PASSES_MAX)
            ok = hw_err_set(err, HW_ERR_IO,
                            "process %d makes new threads faster than we can stop "
                            "them",
                            shared->pid);
    }
    if (ok) {
        regs_save(shared);
        ok = any_stopped(shared, err);
    }
    if (!ok)
        hw_tracees_release(shared);
    return ok;
}

/* ---- letting go ---- */

static bool release_one(struct hw_tracee *tracee)
{
    if (tracee->state == HW_TRACEE_FREE)
        return true;
    if (tracee->state != HW_TRACEE_STOPPED) {
        int status;
        pid_t got = hw_tracee_wait(tracee->tid, &status, WNOHANG);
        if (got == 0 || (got > 0 && !stop_report(tracee, status))) {
            tracee->state = HW_TRACEE_LATE;
            return false;
        }
    }
    if (tracee->state == HW_TRACEE_STOPPED)
        ptrace(PTRACE_DETACH, tracee->tid, 0, 0);
    tracee->state = HW_TRACEE_FREE;
    return true;
}

void hw_tracees_release(struct hw_guard_shared *shared)
{
    for (size_t i = 0; i < shared->thread_count; i++)
        release_one(&shared->threads[i]);
    if (shared->stopped_at_ns) {
        int64_t pause = hw_clock_ns() - shared->stopped_at_ns;
        if (pause > shared->pause_ns)
            shared->pause_ns = pause;
    }
}

bool hw_tracees_release_late(struct hw_guard_shared *shared)
{
    bool none = true;
    for (size_t i = 0; i < shared->thread_count; i++)
        if (shared->threads[i].state != HW_TRACEE_FREE && !release_one(&shared->threads[i]))
            none = false;
    return none;
}

bool hw_tracee_stop_one(pid_t pid, struct hw_tracee *tracee)
{
    if (ptrace(PTRACE_SEIZE, tracee->tid, 0, 0))
        return false;
    tracee->state = HW_TRACEE_SEIZED;
    ptrace(PTRACE_INTERRUPT, tracee->tid, 0, 0);
    if (wait_stopped(pid, tracee, NULL) && tracee->state == HW_TRACEE_STOPPED &&
        hw_arch_regs_get(tracee->tid, &tracee->regs))
        return true;
    release_one(tracee);
    return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "image/self.h"

#include "base/err.h"
#include "image/arch.h"
#include "image/proc.h"
#include "image/process.h"
#include "image/source.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RETRY_FIRST_US = 500, RETRY_LAST_US = 5000, THREADS_ASKED_MAX = 1024 };

struct self_source {
    pid_t copy;  /* 0: there is none */
    int memory;  /* of the copy, or our own */
    int pagemap; /* our own, while memory is copied; -1 */
};

/* ---- the source ---- */

static size_t self_read(struct hw_image *image, hw_addr addr, void *to, size_t bytes)
{
    const struct self_source *source = image->source;
    return hw_process_memory_read(image, source->memory, addr, to, bytes);
}

/* Nobody else may wait for it: it ends without a signal, and only __WALL sees it. */
static void copy_end(pid_t copy)
{
    kill(copy, SIGKILL);
    while (waitpid(copy, NULL, __WALL) < 0 && errno == EINTR)
        continue;
}

static void self_close(struct hw_image *image)
{
    struct self_source *source = image->source;
    hw_process_memory_close(source->memory);
    if (source->pagemap >= 0)
        close(source->pagemap);
    if (source->copy)
        copy_end(source->copy);
    free(source);
}

static const struct hw_image_ops self_ops = {.read = self_read, .close = self_close};

static bool self_present(struct hw_image *image, hw_addr start)
{
    const struct self_source *source = image->source;
    return hw_process_chunk_present(image, source->pagemap, start);
}

/* ---- the copy ---- */

/* The whole life of the copy. It shares locks in unknown states with us, so it makes system calls and
 * nothing else. */
static _Noreturn void copy_run(pid_t parent)
{
    syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (syscall(SYS_getppid) != parent) /* it died before it could say that we shall */
        syscall(SYS_exit_group, 0);
    syscall(SYS_prctl, PR_SET_NAME, "heapwhy-copy", 0, 0, 0);
    syscall(SYS_close_range, 0, ~0u, 0);
    for (;;)
        syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
}

/* A signal that reached the copy would run the program's handlers in it. -1 with errno. */
static pid_t copy_make(void)
{
    uint64_t all = ~UINT64_C(0), before = 0;
    pid_t parent = getpid();
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(before));
    pid_t copy = (pid_t)syscall(SYS_clone, 0UL, NULL, NULL, NULL, 0UL);
    if (!copy)
        copy_run(parent);
    int error = errno;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof(before));
    errno = error;
    return copy;
}

static bool copy_refused(int error, struct hw_err *err)
{
    const char *why = error == EAGAIN   ? "this process may not have one more process"
                      : error == ENOMEM ? "the kernel allows no copy of this process's memory"
                                        : "the system refuses a copy of this process";
    return hw_err_sys(err, error == EPERM ? HW_ERR_PERMISSION : HW_ERR_IO, error, "%s", why);
}

/* ---- threads ---- */

/* glibc keeps a thread's descriptor above its stack; the first word of it is its own address (System V
 * ABI, thread-local storage, x86-64), and so is the third (tcbhead_t.self, sysdeps/x86_64/nptl/tls.h). */
static hw_addr descriptor_above(struct hw_image *image, hw_addr sp)
{
    enum { STEP = 64, SEARCH_BYTES = 8 << 20, SELF = 16 };
    struct hw_segment *segment = hw_image_segment(image, sp);
    hw_addr end = segment ? segment->end : sp;
    if (end - sp > SEARCH_BYTES)
        end = sp + SEARCH_BYTES;
    for (hw_addr at = (sp + STEP - 1) & ~(hw_addr)(STEP - 1); at + SELF + 8 <= end; at += STEP)
        if (hw_image_word(image, at) == at && hw_image_word(image, at + SELF) == at)
            return at;
    return 0;
}

/* "202 0x7f.. 0x0 0x0 0x0 0x0 0x0 0x7ffd.. 0x7f.."; "-1 SP PC" of one that waits otherwise; "running". */
static bool thread_ask(pid_t tid, struct hw_regs *regs)
{
    char path[64];
    struct hw_buf buf;
    uint64_t args[6] = {0}, sp = 0, ip = 0;
    long call = -1;
    snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
    if (hw_proc_file_read(path, 1024, &buf))
        return false;
    const char *text = hw_buf_str(&buf);
    int n = sscanf(text, "%ld %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
                         " %" SCNx64 " %" SCNx64,
                   &call, &args[0], &args[1], &args[2], &args[3], &args[4], &args[5], &sp, &ip);
    if (n == 3) {
        sp = args[0];
        ip = args[1];
        memset(args, 0, sizeof(args));
    }
    hw_buf_deinit(&buf);
    if (n != 9 && n != 3)
        return false;
    hw_arch_regs_waiting(regs, call, args, sp, ip);
    return true;
}

static void thread_fill(struct hw_thread *thread, const struct hw_regs *regs)
{
    thread->has_regs = true;
    thread->sp = hw_arch_sp(regs);
    thread->ip = hw_arch_ip(regs);
    thread->tls = hw_arch_tls(regs);
    memcpy(thread->regs, regs->r, sizeof(thread->regs));
}

/* Of the image's threads, where each stands. own: our own registers. */
static void threads_ask(struct hw_image *image, const struct hw_regs *own)
{
    pid_t self = (pid_t)syscall(SYS_gettid);
    size_t asked = 0;
    for (size_t i = 0; i < image->thread_count; i++) {
        struct hw_thread *thread = &image->threads[i];
        struct hw_regs regs;
        if (thread->tid == self)
            thread_fill(thread, own);
        else if (asked++ < THREADS_ASKED_MAX && thread_ask(thread->tid, &regs))
            thread_fill(thread, &regs);
    }
}

/* ---- the moment ---- */

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static bool is_calm(struct hw_image *image, const struct hw_busy_words *busy, int memory)
{
    for (size_t i = 0; i < busy->count; i++) {
        int32_t word = 0;
        size_t n = hw_process_memory_read(image, memory, busy->addr[i], &word, sizeof(word));
        if (n == sizeof(word) && word)
            return false;
    }
    return true;
}

static void held(const struct hw_self_hold *hold, void (*what)(void *ctx))
{
    if (what)
        what(hold->ctx);
}

/* Holds at a good moment, or at the last of the tries. A collection that called us does not end before
 * we do; then every try is in vain. */
static bool hold_calmly(struct hw_image *image, const struct hw_freeze_options *opts,
                        const struct hw_self_hold *hold, int memory, struct hw_freeze_result *result, struct hw_err *err)
{
    unsigned wait_us = RETRY_FIRST_US;
    for (;; result->retries++) {
        held(hold, hold->hold);
        result->calm = is_calm(image, &opts->busy, memory);
        if (result->calm || result->retries >= opts->retries)
            return true;
        held(hold, hold->release);
        if (opts->cancel && *opts->cancel)
            return hw_err_set(err, HW_ERR_INTERRUPTED, "interrupted");
        usleep(wait_us);
        wait_us = wait_us * 5 / 4 < RETRY_LAST_US ? wait_us * 5 / 4 : RETRY_LAST_US;
    }
}

/* What happens while it is held. */
static bool freeze_held(struct hw_image *image, const struct hw_freeze_options *opts,
                        const struct hw_regs *own, struct hw_err *err)
{
    struct self_source *source = image->source;
    image->taken_at_ns = clock_ns(CLOCK_REALTIME);
    threads_ask(image, own);
    if (opts->freeze == HW_FREEZE_TWIN) {
        pid_t copy = copy_make();
        if (copy < 0)
            return copy_refused(errno, err);
        source->copy = copy;
        return true;
    }
    struct hw_segment *segments;
    size_t count;
    if (!hw_proc_maps_read(image, getpid(), &segments, &count, err))
        return false;
    hw_image_adopt_segments(image, segments, count);
    return hw_image_pin_private(image, self_present, opts->cancel, err);
}

static bool image_settle(struct hw_image *image, struct hw_err *err)
{
    const struct self_source *source = image->source;
    struct hw_segment *segments;
    size_t count;
    if (source->copy) {
        hw_process_make_expendable(source->copy);
        if (!hw_proc_maps_read(image, source->copy, &segments, &count, err))
            return false;
        hw_image_adopt_segments(image, segments, count);
    }
    for (size_t i = 0; i < image->thread_count; i++) {
        struct hw_thread *thread = &image->threads[i];
        if (thread->has_regs && !thread->tls)
            thread->tls = descriptor_above(image, thread->sp);
    }
    return true;
}

static bool source_open(struct self_source *source, enum hw_freeze freeze, struct hw_err *err)
{
    if (freeze == HW_FREEZE_TWIN)
        source->memory = hw_process_memory_open(source->copy, err);
    return source->memory != -1;
}

static bool threads_copy(struct hw_image *image, const struct hw_image *live, struct hw_err *err)
{
    image->threads = calloc(live->thread_count + 1, sizeof(*image->threads));
    if (!image->threads)
        return hw_err_no_memory(err);
    memcpy(image->threads, live->threads, live->thread_count * sizeof(*image->threads));
    image->thread_count = live->thread_count;
    return true;
}

static bool freeze_into(struct hw_image *image, const struct hw_freeze_options *opts,
                        const struct hw_self_hold *hold, struct hw_freeze_result *result,
                        struct hw_err *err)
{
    struct self_source *source = image->source;
    struct hw_regs own;
    int own_memory = hw_process_memory_open_own();
    bool ok = hold_calmly(image, opts, hold, own_memory, result, err);
    if (ok) {
        if (opts->freeze == HW_FREEZE_STOP) {
            source->memory = own_memory;
            source->pagemap = hw_process_pagemap_open(getpid());
        }
        int64_t start = clock_ns(CLOCK_MONOTONIC);
        hw_arch_regs_own(&own);
        ok = freeze_held(image, opts, &own, err);
        image->pause_ns = clock_ns(CLOCK_MONOTONIC) - start;
        held(hold, hold->release);
    }
    if (source->memory != own_memory)
        hw_process_memory_close(own_memory);
    image->memory_pid = source->copy ? source->copy : getpid();
    return ok && source_open(source, opts->freeze, err) && image_settle(image, err);
}

bool hw_image_freeze_self(struct hw_image *live, const struct hw_freeze_options *opts,
                          const struct hw_self_hold *hold, struct hw_image **ret_image,
                          struct hw_freeze_result *ret_result, struct hw_err *err)
{
    struct hw_freeze_result result = {0};
    struct self_source *source = calloc(1, sizeof(*source));
    struct hw_image *image = source ? hw_image_create(&self_ops, source) : NULL;
    if (!image) {
        free(source);
        return hw_err_no_memory(err);
    }
    source->memory = source->pagemap = -1;
    image->pid = live->pid;
    if (!threads_copy(image, live, err) || !freeze_into(image, opts, hold, &result, err)) {
        hw_image_close(image);
        return false;
    }
    if (ret_result)
        *ret_result = result;
    *ret_image = image;
    return true;
}

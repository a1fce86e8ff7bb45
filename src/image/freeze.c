/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The owner's side of a freeze: checks beforehand, the talk with the guardian, and the two images
 * that can come of it.
 */

#include "base/err.h"
#include "image/guard-link.h"
#include "image/proc.h"
#include "image/process.h"
#include "image/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { REPORT_EVERY_BYTES = 64 << 20 };

/* Of a twin and of a stopped process. */
struct frozen_source {
    struct hw_guard guard;
    int memory;          /* of the twin, or of the process itself */
    int pagemap;         /* of the stopped process; -1: not open */
    pid_t stopped;       /* the process while it stands still; 0: it does not */
    uint64_t unreported; /* bytes copied since the guardian was last told so */
};

/* ---- the source ---- */

/* From a stopped original process_vm_readv() is the faster one; from a twin it would make the
 * kernel unshare every page. */
static size_t stopped_read(struct frozen_source *source, hw_addr addr, void *to, size_t bytes)
{
    struct iovec here = {to, bytes}, there = {(void *)(uintptr_t)addr, bytes};
    ssize_t n = process_vm_readv(source->stopped, &here, 1, &there, 1, 0);
    source->unreported += bytes;
    if (source->unreported >= REPORT_EVERY_BYTES) {
        hw_guard_send(&source->guard, HW_GUARD_COPYING);
        source->unreported = 0;
    }
    return n > 0 ? (size_t)n : 0;
}

static size_t frozen_read(struct hw_image *image, hw_addr addr, void *to, size_t bytes)
{
    struct frozen_source *source = image->source;
    size_t done = source->stopped ? stopped_read(source, addr, to, bytes) : 0;
    if (done < bytes)
        done += hw_process_memory_read(image, source->memory, addr + done, (char *)to + done,
                                       bytes - done);
    return done;
}

static void frozen_close(struct hw_image *image)
{
    struct frozen_source *source = image->source;
    if (source->memory >= 0)
        close(source->memory);
    if (source->pagemap >= 0)
        close(source->pagemap);
    hw_guard_deinit(&source->guard);
    free(source);
}

static const struct hw_image_ops frozen_ops = {.read = frozen_read, .close = frozen_close};

/* ---- beforehand ---- */

static void command_of(pid_t pid, char *to, size_t bytes)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/comm", pid);
    FILE *file = fopen(path, "re");
    snprintf(to, bytes, "?");
    if (!file)
        return;
    if (fgets(to, (int)bytes, file))
        to[strcspn(to, "\n")] = 0;
    fclose(file);
}

static bool check_target(pid_t pid, enum hw_freeze freeze, struct hw_guard_shared *task,
                         struct hw_err *err)
{
    struct hw_proc_status status;
    if (pid == getpid())
        return hw_err_set(err, HW_ERR_USAGE, "a process cannot freeze itself");
    if (!hw_proc_status_read(pid, &status) || status.state == 'Z' || status.state == 'X')
        return hw_err_set(err, HW_ERR_GONE, "process %d has exited", pid);
    if (status.tracer) {
        char tracer[32];
        command_of(status.tracer, tracer, sizeof(tracer));
        return hw_err_set(err, HW_ERR_BUSY, "process %d is already being traced by process %d (%s)",
                          pid, status.tracer, tracer);
    }
    if (status.seccomp && freeze == HW_FREEZE_TWIN)
        return hw_err_set(err, HW_ERR_UNSUPPORTED,
                          "process %d filters its system calls (seccomp), so making a twin could "
                          "kill it; --freeze=stop works",
                          pid);
    task->is_reaper = status.ns_pid == 1;
    return true;
}

static bool describe_task(struct hw_image *live, const struct hw_freeze_options *opts,
                          struct hw_guard_shared *task, struct hw_err *err)
{
    if (!check_target(live->pid, opts->freeze, task, err))
        return false;
    task->pid = live->pid;
    task->freeze = opts->freeze;
    task->retries = opts->retries;
    task->busy = opts->busy;
    task->working = opts->working;
    task->deadline_ns = opts->deadline_ns;
    if (opts->freeze != HW_FREEZE_TWIN)
        return true;
    task->syscall_insn = hw_proc_syscall_find(live);
    if (!task->syscall_insn)
        return hw_err_set(
            err, HW_ERR_UNSUPPORTED,
            "process %d has no system call instruction that a twin could be made with; "
            "--freeze=stop works",
            live->pid);
    return true;
}

/* ---- the images ---- */

static void threads_adopt(struct hw_image *image, struct hw_image *live,
                          const struct hw_guard_shared *task, struct hw_thread *threads)
{
    size_t count = task->thread_count < HW_GUARD_THREADS_MAX ? task->thread_count : 0;
    for (size_t i = 0; i < count; i++) {
        const struct hw_tracee *from = &task->threads[i];
        struct hw_thread *to = &threads[i];
        to->tid = from->tid;
        to->has_regs = from->has_regs;
        if (from->has_regs) {
            memcpy(to->regs, from->regs.r, sizeof(to->regs));
            to->sp = hw_arch_sp(&from->regs);
            to->ip = hw_arch_ip(&from->regs);
            to->tls = hw_arch_tls(&from->regs);
        }
        for (size_t n = 0; n < live->thread_count; n++)
            if (live->threads[n].tid == from->tid)
                memcpy(to->name, live->threads[n].name, sizeof(to->name));
    }
    image->threads = threads;
    image->thread_count = count;
}

static bool image_describe(struct hw_image *image, struct hw_image *live, pid_t maps_of,
                           struct hw_err *err)
{
    const struct frozen_source *source = image->source;
    const struct hw_guard_shared *task = source->guard.shared;
    struct hw_segment *segments;
    size_t count;
    if (!hw_proc_maps_read(image, maps_of, &segments, &count, err))
        return false;
    hw_image_adopt_segments(image, segments, count);
    struct hw_thread *threads = calloc(task->thread_count + 1, sizeof(*threads));
    if (!threads)
        return hw_err_no_memory(err);
    threads_adopt(image, live, task, threads);
    image->pid = live->pid;
    image->memory_pid = maps_of;
    image->taken_at_ns = task->taken_at_ns;
    image->pause_ns = task->pause_ns;
    return true;
}

static bool chunk_present(struct hw_image *image, hw_addr start)
{
    const struct frozen_source *source = image->source;
    return hw_process_chunk_present(image, source->pagemap, start);
}

static bool copy_stopped(struct hw_image *image, const volatile int *cancel, struct hw_err *err)
{
    struct frozen_source *source = image->source;
    enum hw_guard_message message;
    int fd;
    if (!hw_image_pin_private(image, chunk_present, cancel, err))
        return false;
    hw_guard_send(&source->guard, HW_GUARD_COPIED);
    source->stopped = 0;
    if (!hw_guard_receive(&source->guard, NULL, &message, &fd, err))
        return false;
    image->pause_ns = source->guard.shared->pause_ns;
    return true;
}

static bool image_stopped(struct hw_image *image, struct hw_image *live, const volatile int *cancel,
                          struct hw_err *err)
{
    struct frozen_source *source = image->source;
    source->stopped = live->pid;
    source->pagemap = hw_process_pagemap_open(live->pid);
    source->memory = hw_process_memory_open(live->pid, err);
    return source->memory >= 0 && image_describe(image, live, live->pid, err) &&
           copy_stopped(image, cancel, err);
}

/* ---- the talk ---- */

/* Answers the guardian until the image is complete. */
static bool converse(struct hw_image *image, struct hw_image *live,
                     const struct hw_freeze_options *opts, struct hw_err *err)
{
    struct frozen_source *source = image->source;
    enum hw_guard_message message;
    int fd;
    for (;;) {
        if (!hw_guard_receive(&source->guard, opts->cancel, &message, &fd, err))
            return false;
        switch (message) {
        case HW_GUARD_STOPPED:
            return image_stopped(image, live, opts->cancel, err);
        case HW_GUARD_TWIN:
            source->memory = fd;
            return image_describe(image, live, source->guard.shared->twin, err);
        default:
            return hw_err_set(err, HW_ERR_IO, "the guardian process sent message %d", message);
        }
    }
}

static bool freeze_once(struct hw_image *live, const struct hw_freeze_options *opts,
                        struct hw_image **ret_image, struct hw_freeze_result *ret_result,
                        struct hw_err *err)
{
    struct frozen_source *source = calloc(1, sizeof(*source));
    struct hw_image *image = source ? hw_image_create(&frozen_ops, source) : NULL;
    if (!image) {
        free(source);
        return hw_err_no_memory(err);
    }
    source->memory = source->pagemap = -1;
    bool ok = hw_guard_init(&source->guard, err) &&
              describe_task(live, opts, source->guard.shared, err) &&
              hw_guard_start(&source->guard, err) && converse(image, live, opts, err);
    if (!ok) {
        hw_image_close(image);
        return false;
    }
    if (ret_result)
        *ret_result = (struct hw_freeze_result){.retries = source->guard.shared->tries,
                                                .calm = source->guard.shared->calm};
    *ret_image = image;
    return true;
}

/* A guardian whose owner was killed may still be putting the target back; a debugger stays. */
bool hw_image_freeze(struct hw_image *live, const struct hw_freeze_options *opts,
                     struct hw_image **ret_image, struct hw_freeze_result *ret_result,
                     struct hw_err *err)
{
    enum { BUSY_TRIES = 20, BUSY_WAIT_US = 50000 };
    struct hw_err last = HW_ERR_INIT;
    for (unsigned i = 0; i < BUSY_TRIES; i++) {
        if (freeze_once(live, opts, ret_image, ret_result, &last))
            return true;
        if (last.code != HW_ERR_BUSY || (opts->cancel && *opts->cancel))
            break;
        usleep(BUSY_WAIT_US);
    }
    if (err)
        *err = last;
    return false;
}

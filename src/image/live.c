/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "image/proc.h"
#include "image/process.h"
#include "image/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

struct live_source {
    int memory;
};

int hw_process_memory_open(pid_t pid, struct hw_err *err)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/mem", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    if (errno == EACCES || errno == EPERM)
        hw_proc_explain_denied(pid, errno, err);
    else if (errno == ENOENT || errno == ESRCH)
        hw_err_set(err, HW_ERR_GONE, "process %d has exited", pid);
    else
        hw_err_sys(err, HW_ERR_IO, errno, "cannot open %s", path);
    return -1;
}

int hw_process_memory_open_own(void)
{
    int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    return fd < 0 ? HW_MEMORY_OWN : fd;
}

void hw_process_memory_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* Nothing is asked of who reads himself (kernel/ptrace.c, __ptrace_may_access). */
static size_t own_read(hw_addr addr, void *to, size_t bytes)
{
    struct iovec here = {to, bytes}, there = {(void *)(uintptr_t)addr, bytes};
    ssize_t n = process_vm_readv(getpid(), &here, 1, &there, 1, 0);
    return n > 0 ? (size_t)n : 0;
}

size_t hw_process_memory_read(struct hw_image *image, int fd, hw_addr addr, void *to, size_t bytes)
{
    size_t done = fd == HW_MEMORY_OWN ? own_read(addr, to, bytes) : 0;
    while (fd >= 0 && done < bytes) {
        ssize_t n = pread(fd, (char *)to + done, bytes - done, (off_t)(addr + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0) /* only a process that has no memory any more answers so */
            image->lost = true;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return done;
}

int hw_process_pagemap_open(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* From /proc/PID/pagemap: one word a page, bits 62 and 63 swapped and present. Pages of a file may
 * have content without being there. */
bool hw_process_chunk_present(struct hw_image *image, int pagemap, hw_addr start)
{
    uint64_t pages[HW_CHUNK_BYTES / HW_PAGE_BYTES];
    const struct hw_segment *segment = hw_image_segment(image, start);
    if (!segment || segment->inode || pagemap < 0)
        return true;
    ssize_t n = pread(pagemap, pages, sizeof(pages),
                      (off_t)(start / HW_PAGE_BYTES * sizeof(*pages)));
    if (n <= 0)
        return true;
    for (size_t i = 0; i < (size_t)n / sizeof(*pages); i++)
        if (pages[i] >> 62)
            return true;
    return false;
}

void hw_process_make_expendable(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, "1000", 4) < 0) {
        /* it can be read all the same */
    }
    close(fd);
}

static size_t live_read(struct hw_image *image, hw_addr addr, void *to, size_t bytes)
{
    const struct live_source *source = image->source;
    return hw_process_memory_read(image, source->memory, addr, to, bytes);
}

static void live_close(struct hw_image *image)
{
    struct live_source *source = image->source;
    hw_process_memory_close(source->memory);
    free(source);
}

static const struct hw_image_ops live_ops = {.read = live_read, .close = live_close};

static bool pid_is_readable(pid_t pid, struct hw_err *err)
{
    struct hw_proc_status status;
    if (pid <= 0 || !hw_proc_status_read(pid, &status))
        return hw_err_set(err, HW_ERR_NOT_FOUND, "there is no process %d", pid);
    if (status.tgid != pid)
        return hw_err_set(err, HW_ERR_NOT_FOUND, "%d is a thread of process %d; try: heapwhy %d",
                          pid, status.tgid, status.tgid);
    if (status.state == 'Z' || status.state == 'X')
        return hw_err_set(err, HW_ERR_GONE,
                          "process %d has exited (its parent has not noticed yet)", pid);
    if (!status.has_memory)
        return hw_err_set(err, HW_ERR_NOT_PYTHON, "process %d is part of the kernel", pid);
    return true;
}

static bool live_fill(struct hw_image *image, pid_t pid, struct hw_err *err)
{
    struct hw_segment *segments;
    size_t count;
    if (!hw_proc_maps_read(image, pid, &segments, &count, err))
        return false;
    hw_image_adopt_segments(image, segments, count);
    return hw_proc_threads_list(pid, &image->threads, &image->thread_count, err);
}

bool hw_image_open_live(pid_t pid, struct hw_image **ret_image, struct hw_err *err)
{
    if (!pid_is_readable(pid, err))
        return false;
    int memory = pid == getpid() ? hw_process_memory_open_own() : hw_process_memory_open(pid, err);
    if (memory == -1)
        return false;
    struct live_source *source = calloc(1, sizeof(*source));
    struct hw_image *image = source ? hw_image_create(&live_ops, source) : NULL;
    if (!image) {
        free(source);
        hw_process_memory_close(memory);
        return hw_err_no_memory(err);
    }
    source->memory = memory;
    image->pid = pid;
    if (!live_fill(image, pid, err)) {
        hw_image_close(image);
        return false;
    }
    *ret_image = image;
    return true;
}

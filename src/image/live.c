/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "image/proc.h"
#include "image/process.h"
#include "image/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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

size_t hw_process_memory_read(struct hw_image *image, int fd, hw_addr addr, void *to, size_t bytes)
{
    size_t done = 0;
    while (done < bytes) {
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

static size_t live_read(struct hw_image *image, hw_addr addr, void *to, size_t bytes)
{
    const struct live_source *source = image->source;
    return hw_process_memory_read(image, source->memory, addr, to, bytes);
}

static void live_renew(struct hw_image *image)
{
    struct hw_segment *segments;
    size_t count;
    if (hw_proc_maps_read(image, image->pid, &segments, &count, NULL))
        hw_image_adopt_segments(image, segments, count);
}

static void live_close(struct hw_image *image)
{
    struct live_source *source = image->source;
    close(source->memory);
    free(source);
}

static const struct hw_image_ops live_ops = {.read = live_read, .renew = live_renew, .close = live_close};

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
    int memory = hw_process_memory_open(pid, err);
    if (memory < 0)
        return false;
    struct live_source *source = calloc(1, sizeof(*source));
    struct hw_image *image = source ? hw_image_create(&live_ops, source) : NULL;
    if (!image) {
        free(source);
        close(memory);
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

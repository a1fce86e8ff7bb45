/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "heap/codec.h"
#include "heap/snapshot-columns.h"
#include "heap/snapshot-strings.h"

/* What the kernel keeps for the process. Rows are few beside objects, so each is plain varints and
 * strings. */

enum { TCP_STATE_MAX = 12, FD_FLAGS_ALL = (HW_FD_LISTENS << 1) - 1 };

static bool prepare_rows(void *ret_rows, size_t *ret_count, uint64_t count, uint64_t most,
                         size_t bytes, struct hw_err *err)
{
    if (count > most)
        return hw_err_set(err, HW_ERR_CORRUPT, "it has too many rows");
    *ret_count = count;
    return hw_snap_array(ret_rows, count, bytes, err);
}

/* ---- descriptors ---- */

static uint64_t fds_count(const struct hw_graph *graph)
{
    return graph->system.fd_count;
}

static size_t fds_bound(const struct hw_graph *graph, uint64_t i)
{
    const struct hw_system_fd *fd = &graph->system.fds[i];
    return 6 * HW_VARINT32_BYTES + 4 * HW_VARINT64_BYTES + hw_snap_string_bound(fd->name) +
           hw_snap_string_bound(fd->protocol) + hw_snap_string_bound(fd->local) +
           hw_snap_string_bound(fd->peer);
}

static unsigned char *fds_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                 unsigned char *out)
{
    for (uint64_t i = first; i < first + count; i++) {
        const struct hw_system_fd *fd = &graph->system.fds[i];
        out = hw_put_varint(out, (uint32_t)(fd->fd - (i > first ? fd[-1].fd : 0)));
        out = hw_put_varint(out, fd->kind);
        out = hw_put_varint(out, fd->flags);
        out = hw_put_varint(out, fd->state);
        out = hw_put_varint(out, fd->inode);
        out = hw_put_varint(out, fd->device);
        out = hw_put_varint(out, fd->disk_bytes);
        out = hw_put_varint(out, fd->number);
        out = hw_put_varint(out, fd->queue_in);
        out = hw_put_varint(out, fd->queue_out);
        out = hw_snap_string_put(out, fd->name);
        out = hw_snap_string_put(out, fd->protocol);
        out = hw_snap_string_put(out, fd->local);
        out = hw_snap_string_put(out, fd->peer);
    }
    return out;
}

static bool fds_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    return prepare_rows(&graph->system.fds, &graph->system.fd_count, count, HW_SYSTEM_FDS_MAX,
                        sizeof(*graph->system.fds), err);
}

static bool fds_decode(struct hw_graph *graph, uint64_t first, size_t count, struct hw_bytes *in)
{
    struct hw_arena *arena = &graph->system.arena;
    uint32_t number = 0;
    for (uint64_t i = first; i < first + count; i++) {
        struct hw_system_fd *fd = &graph->system.fds[i];
        number += hw_bytes_varint32(in);
        uint32_t kind = hw_bytes_varint32(in), flags = hw_bytes_varint32(in);
        uint32_t state = hw_bytes_varint32(in);
        fd->inode = hw_bytes_varint64(in);
        fd->device = hw_bytes_varint64(in);
        fd->disk_bytes = hw_bytes_varint64(in);
        fd->number = hw_bytes_varint64(in);
        fd->queue_in = hw_bytes_varint32(in);
        fd->queue_out = hw_bytes_varint32(in);
        if (number > INT32_MAX || kind > HW_DESCRIPTOR_OTHER || state > TCP_STATE_MAX)
            return hw_bytes_refuse(in);
        fd->fd = (int32_t)number;
        fd->kind = (uint8_t)kind;
        fd->flags = (uint8_t)(flags & FD_FLAGS_ALL);
        fd->state = (uint8_t)state;
        if (!(fd->name = hw_snap_string_get(in, arena)) ||
            !(fd->protocol = hw_snap_string_get(in, arena)) ||
            !(fd->local = hw_snap_string_get(in, arena)) ||
            !(fd->peer = hw_snap_string_get(in, arena)))
            return false;
    }
    return hw_bytes_done(in);
}

static bool fds_finish(struct hw_graph *graph, struct hw_err *err)
{
    for (size_t i = 1; i < graph->system.fd_count; i++)
        if (graph->system.fds[i].fd <= graph->system.fds[i - 1].fd)
            return hw_err_set(err, HW_ERR_CORRUPT, "its descriptors are out of order");
    return true;
}

const struct hw_snap_column hw_snap_fds = {
    .tag = "fds",
    .optional = true,
    .count = fds_count,
    .bound = fds_bound,
    .encode = fds_encode,
    .prepare = fds_prepare,
    .decode = fds_decode,
    .finish = fds_finish,
};

/* ---- epoll sets ---- */

static uint64_t watches_count(const struct hw_graph *graph)
{
    return graph->system.watch_count;
}

static size_t watches_bound(const struct hw_graph *graph, uint64_t i)
{
    return 3 * HW_VARINT32_BYTES;
}

static unsigned char *watches_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                     unsigned char *out)
{
    for (uint64_t i = first; i < first + count; i++) {
        const struct hw_system_watch *watch = &graph->system.watches[i];
        out = hw_put_varint(out, (uint32_t)watch->epoll);
        out = hw_put_varint(out, (uint32_t)watch->fd);
        out = hw_put_varint(out, watch->events);
    }
    return out;
}

static bool watches_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    return prepare_rows(&graph->system.watches, &graph->system.watch_count, count,
                        HW_SYSTEM_WATCHES_MAX, sizeof(*graph->system.watches), err);
}

static bool watches_decode(struct hw_graph *graph, uint64_t first, size_t count,
                           struct hw_bytes *in)
{
    for (uint64_t i = first; i < first + count; i++) {
        struct hw_system_watch *watch = &graph->system.watches[i];
        watch->epoll = (int32_t)hw_bytes_varint32(in);
        watch->fd = (int32_t)hw_bytes_varint32(in);
        watch->events = hw_bytes_varint32(in);
    }
    return hw_bytes_done(in);
}

const struct hw_snap_column hw_snap_watches = {
    .tag = "watches",
    .optional = true,
    .count = watches_count,
    .bound = watches_bound,
    .encode = watches_encode,
    .prepare = watches_prepare,
    .decode = watches_decode,
};

/* ---- threads and children ---- */

static uint64_t tasks_count(const struct hw_graph *graph)
{
    return graph->system.task_count;
}

static size_t tasks_bound(const struct hw_graph *graph, uint64_t i)
{
    return 5 * HW_VARINT32_BYTES + HW_VARINT64_BYTES +
           hw_snap_string_bound(graph->system.tasks[i].name);
}

static unsigned char *tasks_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                   unsigned char *out)
{
    for (uint64_t i = first; i < first + count; i++) {
        const struct hw_system_task *task = &graph->system.tasks[i];
        out = hw_put_varint(out, task->kind);
        out = hw_put_varint(out, hw_zigzag(task->id));
        out = hw_put_varint(out, (unsigned char)task->state);
        out = hw_put_varint(out, task->call + 1);
        out = hw_put_varint(out, task->argument);
        out = hw_put_varint(out, task->timed);
        out = hw_snap_string_put(out, task->name);
    }
    return out;
}

static bool tasks_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    return prepare_rows(&graph->system.tasks, &graph->system.task_count, count,
                        HW_SYSTEM_TASKS_MAX, sizeof(*graph->system.tasks), err);
}

static bool tasks_decode(struct hw_graph *graph, uint64_t first, size_t count, struct hw_bytes *in)
{
    for (uint64_t i = first; i < first + count; i++) {
        struct hw_system_task *task = &graph->system.tasks[i];
        uint32_t kind = hw_bytes_varint32(in);
        task->id = hw_unzigzag(hw_bytes_varint32(in));
        uint32_t state = hw_bytes_varint32(in);
        task->call = hw_bytes_varint32(in) - 1;
        task->argument = hw_bytes_varint64(in);
        task->timed = hw_bytes_varint32(in) & 1;
        if (kind > HW_TASK_CHILD || (state && (state <= ' ' || state > '~')))
            return hw_bytes_refuse(in);
        task->kind = (uint8_t)kind;
        task->state = (char)state;
        if (!(task->name = hw_snap_string_get(in, &graph->system.arena)))
            return false;
    }
    return hw_bytes_done(in);
}

const struct hw_snap_column hw_snap_tasks = {
    .tag = "tasks",
    .optional = true,
    .count = tasks_count,
    .bound = tasks_bound,
    .encode = tasks_encode,
    .prepare = tasks_prepare,
    .decode = tasks_decode,
};

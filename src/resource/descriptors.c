/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "resource/work.h"

#include <stdlib.h>
#include <string.h>

/* include/net/tcp_states.h */
static const char *tcp_state(uint8_t state)
{
    static const char *const names[] = {"",           "ESTABLISHED", "SYN_SENT", "SYN_RECV",
                                        "FIN_WAIT1",  "FIN_WAIT2",   "TIME_WAIT", "CLOSE",
                                        "CLOSE_WAIT", "LAST_ACK",    "LISTEN",   "CLOSING",
                                        "NEW_SYN_RECV"};
    return state < sizeof(names) / sizeof(*names) ? names[state] : "";
}

static const char *keep_text(struct hw_resource_work *work, const char *text)
{
    return *text ? hw_arena_strdup(&work->result->arena, text) : "";
}

static bool fill_descriptor(struct hw_resource_work *work, size_t row, struct hw_descriptor *to)
{
    const struct hw_system_fd *fd = &work->graph->system.fds[row];
    hw_id owner = work->owned.owner[row];
    *to = (struct hw_descriptor){.fd = fd->fd,
                                 .kind = (enum hw_descriptor_kind)fd->kind,
                                 .name = keep_text(work, fd->name),
                                 .protocol = keep_text(work, fd->protocol),
                                 .state = tcp_state(fd->state),
                                 .local = keep_text(work, fd->local),
                                 .peer = keep_text(work, fd->peer),
                                 .deleted = fd->flags & HW_FD_DELETED,
                                 .reads = fd->flags & HW_FD_READS,
                                 .writes = fd->flags & HW_FD_WRITES,
                                 .listens = fd->flags & HW_FD_LISTENS,
                                 .steady = fd->flags & HW_FD_STEADY,
                                 .disk_bytes = fd->disk_bytes,
                                 .queue_in = fd->queue_in,
                                 .queue_out = fd->queue_out,
                                 .candidate = ""};
    if (!to->name || !to->protocol || !to->local || !to->peer)
        return hw_err_no_memory(work->err);
    return hw_stand_in_fill(work, owner == HW_NONE ? HW_NONE : hw_wrap_outermost(work, owner),
                            &to->owner);
}

static void count_watchers(struct hw_resource_work *work)
{
    const struct hw_system *system = &work->graph->system;
    for (size_t i = 0; i < system->watch_count; i++) {
        size_t row = hw_fd_find(system, system->watches[i].fd);
        if (row != SIZE_MAX)
            work->result->resources.descriptors[row].watchers++;
    }
}

bool hw_work_add_descriptors(struct hw_resource_work *work)
{
    struct hw_resources *resources = &work->result->resources;
    size_t count = work->graph->system.fd_count;
    resources->descriptors =
        hw_arena_array(&work->result->arena, count + 1, sizeof(*resources->descriptors));
    if (!resources->descriptors)
        return hw_err_no_memory(work->err);
    for (size_t i = 0; i < count; i++) {
        struct hw_descriptor *descriptor = &resources->descriptors[i];
        if (!fill_descriptor(work, i, descriptor))
            return false;
        resources->unowned += hw_owned_is_none(&work->owned, work->graph, i);
        resources->deleted += descriptor->deleted;
        resources->deleted_bytes += descriptor->deleted ? descriptor->disk_bytes : 0;
    }
    resources->descriptor_count = count;
    resources->numbers_hidden = work->owned.numbers_hidden;
    count_watchers(work);
    return true;
}

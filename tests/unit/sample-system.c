/* SPDX-License-Identifier: Apache-2.0 */
#include "sample-system.h"

#include "sample-graph.h"

#include <stdlib.h>
#include <string.h>

struct hw_system_fd *sample_system_add_fd(struct hw_graph *graph, int32_t fd,
                                          enum hw_descriptor_kind kind)
{
    struct hw_system *s = &graph->system;
    struct hw_system_fd *fds = s->fds;
    if (!(s->fd_count & (s->fd_count + 1))) /* room is always one less than a power of two */
        fds = realloc(s->fds, 2 * (s->fd_count + 1) * sizeof(*fds));
    if (!fds)
        abort();
    s->fds = fds;
    fds[s->fd_count] = (struct hw_system_fd){.fd = fd,
                                             .kind = (uint8_t)kind,
                                             .flags = HW_FD_STEADY | HW_FD_READS,
                                             .name = "",
                                             .protocol = "",
                                             .local = "",
                                             .peer = ""};
    s->recorded = true;
    graph->facts.system_recorded = 1;
    graph->facts.descriptor_total = s->fd_count + 1;
    return &fds[s->fd_count++];
}

struct hw_system_task *sample_system_add_task(struct hw_graph *graph, int32_t id,
                                              enum hw_system_task_kind kind, char state)
{
    struct hw_system *s = &graph->system;
    struct hw_system_task *tasks = realloc(s->tasks, (s->task_count + 1) * sizeof(*tasks));
    if (!tasks)
        abort();
    s->tasks = tasks;
    tasks[s->task_count] = (struct hw_system_task){
        .id = id, .kind = (uint8_t)kind, .state = state, .call = HW_CALL_NONE, .name = ""};
    return &tasks[s->task_count++];
}

bool sample_system_fill(struct hw_graph *graph)
{
    for (int kind = 0; kind <= HW_DESCRIPTOR_OTHER; kind++) {
        struct hw_system_fd *fd =
            sample_system_add_fd(graph, kind * 100, (enum hw_descriptor_kind)kind);
        fd->inode = UINT64_MAX - (uint64_t)kind;
        fd->device = (uint64_t)kind << 40;
        fd->disk_bytes = (uint64_t)kind << 30;
        fd->number = (uint64_t)kind;
        fd->name = kind % 2 ? "/tmp/caf\xc3\xa9" : "";
    }
    struct hw_system_fd *fd =
        sample_system_add_fd(graph, INT32_MAX, HW_DESCRIPTOR_SOCKET);
    fd->flags = HW_FD_READS | HW_FD_WRITES | HW_FD_DELETED | HW_FD_STEADY | HW_FD_LISTENS;
    fd->state = 12;
    fd->queue_in = UINT32_MAX;
    fd->queue_out = 7;
    fd->protocol = "tcp6";
    fd->local = "[::1]:80";
    fd->peer = "[fe80::1]:65535";
    graph->system.watches = calloc(2, sizeof(*graph->system.watches));
    if (!graph->system.watches)
        return false;
    graph->system.watches[0] = (struct hw_system_watch){500, 400, 0x80000001};
    graph->system.watches[1] = (struct hw_system_watch){500, -1, 0};
    graph->system.watch_count = 2;
    struct hw_system_task *thread = sample_system_add_task(graph, 41233, HW_TASK_THREAD, 'S');
    thread->call = 202;
    thread->argument = UINT64_MAX;
    thread->timed = true;
    thread->name = "python3";
    sample_system_add_task(graph, -7, HW_TASK_CHILD, 'Z');
    sample_system_add_task(graph, 41240, HW_TASK_THREAD, 0);
    graph->facts.descriptor_total = 1u << 20;
    graph->facts.descriptor_limit = UINT64_MAX;
    return true;
}

struct hw_graph *sample_graph_open(void)
{
    struct hw_graph *graph = sample_graph_small();
    if (graph && sample_system_fill(graph))
        return graph;
    hw_graph_destroy(graph);
    return NULL;
}

static bool fds_equal(const struct hw_system_fd *a, const struct hw_system_fd *b)
{
    return a->fd == b->fd && a->kind == b->kind && a->flags == b->flags && a->state == b->state &&
           a->inode == b->inode && a->device == b->device && a->disk_bytes == b->disk_bytes &&
           a->number == b->number && a->queue_in == b->queue_in && a->queue_out == b->queue_out &&
           strcmp(a->name, b->name) == 0 && strcmp(a->protocol, b->protocol) == 0 &&
           strcmp(a->local, b->local) == 0 && strcmp(a->peer, b->peer) == 0;
}

static bool tasks_equal(const struct hw_system_task *a, const struct hw_system_task *b)
{
    return a->id == b->id && a->kind == b->kind && a->state == b->state && a->call == b->call &&
           a->argument == b->argument && a->timed == b->timed && strcmp(a->name, b->name) == 0;
}

const char *sample_system_difference(const struct hw_graph *a, const struct hw_graph *b)
{
    const struct hw_system *x = &a->system, *y = &b->system;
    if (a->facts.system_recorded != b->facts.system_recorded ||
        a->facts.descriptor_total != b->facts.descriptor_total ||
        a->facts.descriptor_limit != b->facts.descriptor_limit)
        return "facts";
    if (x->fd_count != y->fd_count || x->watch_count != y->watch_count ||
        x->task_count != y->task_count)
        return "counts";
    for (size_t i = 0; i < x->fd_count; i++)
        if (!fds_equal(&x->fds[i], &y->fds[i]))
            return "descriptors";
    for (size_t i = 0; i < x->watch_count; i++)
        if (x->watches[i].epoll != y->watches[i].epoll || x->watches[i].fd != y->watches[i].fd ||
            x->watches[i].events != y->watches[i].events)
            return "watches";
    for (size_t i = 0; i < x->task_count; i++)
        if (!tasks_equal(&x->tasks[i], &y->tasks[i]))
            return "tasks";
    return NULL;
}

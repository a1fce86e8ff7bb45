/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/ended.h"
#include "ask/look.h"
#include "ask/lookup.h"
#include "ask/spell.h"
#include "base/err.h"
#include "resource/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Something of a thread among the graph's nodes: its first frame, its Thread, its C stack. */
struct of_thread {
    int32_t tid;
    hw_id node;
};
struct list {
    struct of_thread *items; /* by tid, then node */
    size_t count;
};

static int by_tid(const void *a, const void *b)
{
    const struct of_thread *x = a, *y = b;
    if (x->tid != y->tid)
        return x->tid < y->tid ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

/* The first item of a thread; HW_NONE. */
static hw_id first_of(const struct list *list, int32_t tid)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->items[middle].tid < tid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < list->count && list->items[low].tid == tid ? list->items[low].node : HW_NONE;
}

static bool list_synthetic(const struct hw_graph *graph, enum hw_synthetic_kind kind,
                           struct list *list)
{
    uint32_t most = graph->node_count - graph->object_count;
    list->items = malloc((most + 1) * sizeof(*list->items));
    for (uint32_t i = 0; list->items && i < most; i++)
        if (graph->synthetic[i].kind == kind)
            list->items[list->count++] =
                (struct of_thread){graph->synthetic[i].tid, graph->object_count + i};
    if (list->count)
        qsort(list->items, list->count, sizeof(*list->items), by_tid);
    return list->items != NULL;
}

static bool list_objects(const struct hw_resource_work *work, struct list *list)
{
    const struct hw_graph *graph = work->graph;
    bool *is_thread = calloc(graph->type_count + 1, sizeof(*is_thread));
    size_t most = 0;
    if (!is_thread)
        return false;
    for (uint32_t t = 0; t < graph->type_count; t++)
        is_thread[t] = graph->types[t].flags & HW_TYPE_PYTHON &&
                       hw_lineage_has(&work->lineage, t, "threading.Thread");
    for (hw_id id = 0; id < graph->object_count; id++)
        most += is_thread[graph->type[id]];
    list->items = malloc((most + 1) * sizeof(*list->items));
    for (hw_id id = 0; list->items && id < graph->object_count; id++) {
        int32_t tid = is_thread[graph->type[id]] ? hw_thread_tid(graph, id) : 0;
        if (tid)
            list->items[list->count++] = (struct of_thread){tid, id};
    }
    if (list->count)
        qsort(list->items, list->count, sizeof(*list->items), by_tid);
    free(is_thread);
    return list->items != NULL;
}

/* ---- where it stands ---- */

/* Frames of one thread lie in a row, the innermost first. Those that every thread begins with say
 * nothing. */
static bool is_beginning(const struct hw_synthetic *s)
{
    return strcmp(s->name, "Thread.run") == 0 || strcmp(s->name, "Thread._bootstrap_inner") == 0 ||
           strcmp(s->name, "Thread._bootstrap") == 0;
}

/* The innermost frame of the program, or where there is none, the outermost that says something;
 * *ret_inner: the frame that it called, HW_NONE. */
static hw_id own_frame(const struct hw_resource_work *work, hw_id first, hw_id *ret_inner)
{
    const struct hw_graph *graph = work->graph;
    hw_id inner = HW_NONE, own = HW_NONE, own_inner = HW_NONE;
    for (hw_id id = first; id < graph->node_count; id++) {
        const struct hw_synthetic *s = &graph->synthetic[id - graph->object_count];
        if (s->kind != HW_SYN_FRAME || s->tid != graph->synthetic[first - graph->object_count].tid)
            break;
        if (is_beginning(s))
            break;
        own = id;
        own_inner = inner;
        if (!hw_file_is_library(work, s->file))
            break;
        inner = id;
    }
    *ret_inner = own_inner;
    return own;
}

static const char *spell_frame(struct hw_resource_work *work, hw_id frame)
{
    const struct hw_synthetic *s = &work->graph->synthetic[frame - work->graph->object_count];
    char text[HW_LOOK_TEXT_MAX];
    unsigned line = s->line;
    if (hw_look_value(work->graph, frame, text) && sscanf(text, "at line %u", &line) != 1)
        line = s->line;
    return hw_arena_printf(&work->result->arena, "%s() at %s:%u", s->name, hw_file_base(s->file),
                           line);
}

/* The only lock that the thread's C stack has a word of; HW_NONE: none, or several. */
static hw_id lock_on_stack(const struct hw_graph *graph, hw_id stack)
{
    hw_id found = HW_NONE;
    for (uint32_t e = graph->edge_start[stack]; e < graph->edge_start[stack + 1]; e++) {
        hw_id to = graph->edge_to[e];
        if (!hw_look_is(graph, to, "_thread.lock") && !hw_look_is(graph, to, "_thread.RLock"))
            continue;
        if (found != HW_NONE && found != to)
            return HW_NONE;
        found = to;
    }
    return found;
}

static bool fill_place(struct hw_resource_work *work, hw_id first, struct hw_thread_info *info)
{
    const struct hw_graph *graph = work->graph;
    hw_id inner, own = first == HW_NONE ? HW_NONE : own_frame(work, first, &inner);
    if (own == HW_NONE)
        return true;
    info->place = spell_frame(work, own);
    if (inner == HW_NONE)
        return info->place || hw_err_no_memory(work->err);
    const struct hw_synthetic *s = &graph->synthetic[inner - graph->object_count];
    uint32_t self = hw_edge_find(graph, inner, HW_LABEL_LOCAL, "self");
    info->waits = hw_arena_printf(&work->result->arena, "%s()", s->name);
    if (!info->place || !info->waits)
        return hw_err_no_memory(work->err);
    return self == HW_NO_EDGE ||
           hw_work_want_path(work, graph->edge_to[self], &info->waits_for);
}

/* A thread that waits for the GIL does so with a time limit (Python/ceval_gil.h), one that acquires
 * a lock mostly without. */
static bool fill_lock(struct hw_resource_work *work, hw_id stack, const struct hw_system_task *task,
                      struct hw_thread_info *info)
{
    if (!hw_system_call_is_futex(task->call) || task->timed || *info->waits || !*info->place)
        return true;
    hw_id lock = stack == HW_NONE ? HW_NONE : lock_on_stack(work->graph, stack);
    info->waits = "a lock";
    return lock == HW_NONE || hw_work_want_path(work, lock, &info->waits_for);
}

/* ---- */

static bool is_true(const struct hw_graph *graph, hw_id node)
{
    return hw_look_says(graph, node, "True");
}

/* A name is a str literal; without its quotes. */
static const char *thread_name(struct hw_resource_work *work, hw_id object, const char *kernel)
{
    char text[HW_LOOK_TEXT_MAX];
    struct hw_buf name = {0};
    if (object == HW_NONE ||
        !hw_look_value(work->graph, hw_look_attr(work->graph, object, "_name"), text) ||
        !hw_literal_text(text, &name))
        hw_buf_puts(&name, kernel);
    return hw_work_keep(work, &name);
}

static bool fill_thread(struct hw_resource_work *work, const struct hw_system_task *task,
                        hw_id frame, hw_id stack, hw_id object, struct hw_thread_info *info)
{
    const struct hw_graph *graph = work->graph;
    *info = (struct hw_thread_info){.id = task->id,
                                    .state = task->state,
                                    .call = hw_system_call_name(task->call),
                                    .fd = hw_system_call_takes_fd(task->call) &&
                                                  hw_fd_find(&graph->system,
                                                             (int32_t)task->argument) != SIZE_MAX
                                              ? (int32_t)task->argument
                                              : -1,
                                    .place = "",
                                    .waits = "",
                                    .waits_for = ""};
    info->name = thread_name(work, object, task->name);
    info->daemon = object != HW_NONE && is_true(graph, hw_look_attr(graph, object, "_daemonic"));
    return info->name && hw_stand_in_fill(work, object, &info->object) &&
           fill_place(work, frame, info) && fill_lock(work, stack, task, info);
}

bool hw_work_add_threads(struct hw_resource_work *work)
{
    struct hw_resources *resources = &work->result->resources;
    const struct hw_system *system = &work->graph->system;
    struct list frames = {0}, stacks = {0}, objects = {0};
    resources->threads = hw_arena_array(&work->result->arena, system->task_count + 1,
                                        sizeof(*resources->threads));
    bool ok = resources->threads && list_synthetic(work->graph, HW_SYN_FRAME, &frames) &&
              list_synthetic(work->graph, HW_SYN_NATIVE_STACK, &stacks) &&
              list_objects(work, &objects);
    if (!ok)
        hw_err_no_memory(work->err);
    for (size_t i = 0; ok && i < system->task_count; i++) {
        const struct hw_system_task *task = &system->tasks[i];
        if (task->kind == HW_TASK_THREAD)
            ok = fill_thread(work, task, first_of(&frames, task->id), first_of(&stacks, task->id),
                             first_of(&objects, task->id),
                             &resources->threads[resources->thread_count++]);
    }
    free(frames.items);
    free(stacks.items);
    free(objects.items);
    return ok;
}

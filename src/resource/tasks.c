/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/await.h"
#include "ask/ended.h"
#include "ask/lookup.h"
#include "base/err.h"
#include "base/vec.h"
#include "resource/work.h"

#include <stdlib.h>

/* asyncio's tasks that are not done. */
static const char *const types[] = {"_asyncio.Task", "asyncio.tasks.Task"};
enum { TYPE_COUNT = sizeof(types) / sizeof(*types) };

struct chain {
    hw_id nodes[HW_AWAIT_DEPTH_MAX];
    unsigned count;
};

static void find_chain(const struct hw_graph *graph, hw_id coroutine, struct chain *chain)
{
    chain->count = 0;
    for (; coroutine != HW_NONE && chain->count < HW_AWAIT_DEPTH_MAX;
         coroutine = hw_await_next(graph, coroutine))
        chain->nodes[chain->count++] = coroutine;
}

static const char *keep_place(struct hw_resource_work *work, hw_id coroutine)
{
    struct hw_buf text = {0};
    hw_await_place(work->graph, coroutine, &text);
    return hw_work_keep(work, &text);
}

/* What an await of no coroutine waits for: a future, which an iterator stands before. */
static hw_id awaited_future(const struct hw_graph *graph, hw_id coroutine)
{
    hw_id found = hw_awaited(graph, coroutine);
    if (found == HW_NONE)
        return HW_NONE;
    hw_id future = hw_look_attr(graph, found, "future");
    return future == HW_NONE ? found : future;
}

static const char *keep_name(struct hw_resource_work *work, hw_id coroutine)
{
    struct hw_buf text = {0};
    hw_await_name(work->graph, coroutine, &text);
    return hw_work_keep(work, &text);
}

/* The innermost coroutine of the program, and what it calls; a task of a library's own stands where
 * it began. */
static bool fill_wait(struct hw_resource_work *work, const struct chain *chain,
                      struct hw_task_info *info)
{
    const struct hw_graph *graph = work->graph;
    char file[HW_LOOK_TEXT_MAX];
    unsigned own = 0;
    hw_id wanted;
    for (unsigned i = 0; i < chain->count; i++)
        if (hw_await_file(graph, chain->nodes[i], file) && !hw_file_is_library(work, file))
            own = i;
    info->place = keep_place(work, chain->nodes[own]);
    info->depth = chain->count;
    if (own + 1 < chain->count) {
        uint32_t self = hw_edge_find(graph, chain->nodes[own + 1], HW_LABEL_LOCAL, "self");
        info->waits = keep_name(work, chain->nodes[own + 1]);
        wanted = self == HW_NO_EDGE ? HW_NONE : graph->edge_to[self];
    } else {
        wanted = awaited_future(graph, chain->nodes[own]);
        if (hw_look_is_none(graph, wanted))
            wanted = HW_NONE;
        if (wanted != HW_NONE)
            info->waits = hw_is_task(graph, wanted)
                              ? "a task"
                              : hw_arena_strdup(&work->result->arena, type_of(graph, wanted)->name);
    }
    if (!info->place || !info->waits)
        return hw_err_no_memory(work->err);
    return wanted == HW_NONE || hw_work_want_path(work, wanted, &info->waits_for);
}

static const char *task_name(struct hw_resource_work *work, hw_id task)
{
    const struct hw_graph *graph = work->graph;
    char text[HW_LOOK_TEXT_MAX];
    struct hw_buf name = {0};
    hw_id value = hw_look_attr(graph, task, "_name");
    if (value == HW_NONE)
        value = hw_look_attr(graph, task, "name");
    int64_t number;
    if (hw_look_value(graph, value, text) && !hw_literal_text(text, &name))
        hw_buf_clear(&name);
    if (hw_int_value(graph, value, &number)) /* until somebody asks for it, since 3.13 */
        hw_buf_printf(&name, "Task-%lld", (long long)number);
    return hw_work_keep(work, &name);
}

static bool fill_task(struct hw_resource_work *work, hw_id task, struct hw_task_info *info)
{
    struct chain chain;
    *info = (struct hw_task_info){.place = "", .waits = "", .waits_for = "", .coroutine = ""};
    info->name = task_name(work, task);
    find_chain(work->graph, hw_task_coroutine(work->graph, task), &chain);
    if (!info->name || !hw_stand_in_fill(work, task, &info->object))
        return false;
    if (!chain.count)
        return true;
    struct hw_buf text = {0};
    hw_function_spell(work->graph, chain.nodes[0], &text);
    info->coroutine = hw_work_keep(work, &text);
    return info->coroutine && fill_wait(work, &chain, info);
}

bool hw_work_add_tasks(struct hw_resource_work *work)
{
    const struct hw_graph *graph = work->graph;
    struct hw_resources *resources = &work->result->resources;
    uint8_t *of_type =
        hw_lineage_match(&work->lineage, types, TYPE_COUNT, sizeof(*types), work->err);
    size_t most = of_type ? hw_lineage_count(graph, of_type) : 0;
    resources->tasks = hw_arena_array(&work->result->arena, most + 1, sizeof(*resources->tasks));
    bool ok = (of_type && resources->tasks) || hw_err_no_memory(work->err);
    for (hw_id id = 0; ok && id < graph->object_count; id++)
        if (of_type[graph->type[id]] != UINT8_MAX && !hw_has_ended(graph, id))
            ok = fill_task(work, id, &resources->tasks[resources->task_count++]);
    free(of_type);
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/look.h"
#include "base/err.h"
#include "resource/work.h"

#include <stdlib.h>

/* Objects that stand for a child process, and the attribute with its id. Where one has another
 * inside, the outer one is told. */
static const struct {
    const char *type, *attribute;
} rules[] = {
    {"subprocess.Popen", "pid"},
    {"multiprocessing.popen_fork.Popen", "pid"},
    {"multiprocessing.resource_tracker.ResourceTracker", "_pid"},
    {"multiprocessing.forkserver.ForkServer", "_forkserver_pid"},
    {"asyncio.base_subprocess.BaseSubprocessTransport", "_pid"},
};
enum { RULE_COUNT = sizeof(rules) / sizeof(*rules), NONE = UINT8_MAX };

static struct hw_child_info *child_with(struct hw_resources *resources, int64_t id)
{
    for (size_t i = 0; i < resources->child_count; i++)
        if (resources->children[i].id == id)
            return &resources->children[i];
    return NULL;
}

static bool find_objects(struct hw_resource_work *work)
{
    const struct hw_graph *graph = work->graph;
    struct hw_resources *resources = &work->result->resources;
    uint8_t *of_type =
        hw_lineage_match(&work->lineage, rules, RULE_COUNT, sizeof(*rules), work->err);
    bool ok = of_type != NULL;
    for (hw_id id = 0; ok && id < graph->object_count; id++) {
        size_t r = of_type[graph->type[id]];
        int64_t pid;
        if (r == NONE || !hw_attr_int(graph, id, rules[r].attribute, &pid))
            continue;
        struct hw_child_info *child = child_with(resources, pid);
        if (child && child->object.node == HW_NONE)
            ok = hw_stand_in_fill(work, hw_wrap_outermost(work, id), &child->object);
    }
    free(of_type);
    return ok;
}

bool hw_work_add_children(struct hw_resource_work *work)
{
    struct hw_resources *resources = &work->result->resources;
    const struct hw_system *system = &work->graph->system;
    resources->children = hw_arena_array(&work->result->arena, system->task_count + 1,
                                         sizeof(*resources->children));
    if (!resources->children)
        return hw_err_no_memory(work->err);
    for (size_t i = 0; i < system->task_count; i++) {
        const struct hw_system_task *task = &system->tasks[i];
        if (task->kind != HW_TASK_CHILD)
            continue;
        struct hw_child_info *child = &resources->children[resources->child_count++];
        *child = (struct hw_child_info){.id = task->id, .state = task->state};
        child->name = hw_arena_strdup(&work->result->arena, task->name);
        if (!child->name || !hw_stand_in_fill(work, HW_NONE, &child->object))
            return hw_err_no_memory(work->err);
        if (task->state == 'Z')
            child->problem = "it has ended, and nobody asked for its exit status";
    }
    return !resources->child_count || find_objects(work);
}

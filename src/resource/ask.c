/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "resource/work.h"

#include <stdlib.h>

static bool work_prepare(struct hw_resource_work *work)
{
    hw_stdlib_find(work);
    return hw_lineage_init(&work->lineage, work->graph, work->err) &&
           hw_owned_init(&work->owned, work->graph, &work->lineage, work->err) &&
           hw_tree_init(&work->tree, work->graph, work->err) &&
           hw_shapes_create(&work->shapes, work->graph, &work->tree, work->err) &&
           hw_wraps_init(work);
}

static void work_deinit(struct hw_resource_work *work)
{
    if (work->has_garbage)
        hw_garbage_deinit(&work->garbage);
    free(work->wraps);
    free(work->wanted);
    hw_shapes_destroy(work->shapes);
    hw_tree_deinit(&work->tree);
    hw_owned_deinit(&work->owned);
    hw_lineage_deinit(&work->lineage);
}

bool hw_resources_ask(const struct hw_graph *graph, struct hw_resources **ret_resources,
                      struct hw_err *err)
{
    if (!graph->facts.system_recorded)
        return hw_err_set(err, HW_ERR_UNSUPPORTED,
                          "this snapshot does not record what the process had open: it was made by "
                          "an older heapwhy, or /proc was not readable; make a new one with "
                          "heapwhy snapshot");
    struct hw_resources_result *result = calloc(1, sizeof(*result));
    if (!result)
        return hw_err_no_memory(err);
    struct hw_resource_work work = {.graph = graph, .result = result, .err = err};
    result->resources.facts = graph->facts;
    bool ok = work_prepare(&work) && hw_work_add_descriptors(&work) &&
              hw_work_add_candidates(&work) && hw_work_add_threads(&work) &&
              hw_work_add_children(&work) && hw_work_add_tasks(&work) &&
              hw_work_spell_wanted(&work) && hw_work_add_databases(&work) && hw_work_add_problems(&work) &&
              hw_work_add_groups(&work) && (hw_shapes_ok(work.shapes) || hw_err_no_memory(err));
    work_deinit(&work);
    if (!ok) {
        hw_resources_destroy(&result->resources);
        return false;
    }
    *ret_resources = &result->resources;
    return true;
}

void hw_resources_destroy(struct hw_resources *resources)
{
    if (!resources)
        return;
    struct hw_resources_result *result = (struct hw_resources_result *)resources;
    hw_arena_deinit(&result->arena);
    free(result);
}

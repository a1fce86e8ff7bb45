/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/lookup.h"
#include "base/err.h"
#include "weigh/merge.h"

#include <string.h>

/* What holds id on its path: the object, not its __dict__. */
static hw_id holder_of(const struct hw_graph *graph, const struct hw_tree *tree, hw_id id)
{
    hw_id holder = tree->parent[id];
    if (holder == HW_NONE || holder >= graph->object_count)
        return holder;
    bool is_space = edge_kind(graph, tree->edge[holder]) == HW_LABEL_ATTR &&
                    strcmp(edge_string(graph, tree->edge[holder]), "__dict__") == 0;
    return is_space ? tree->parent[holder] : holder;
}

static bool add_objects(struct hw_merge *merge, const struct hw_tree *tree,
                        struct hw_shapes *shapes, const hw_id *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool ok = tree_has(tree, ids[i])
                      ? hw_merge_add(merge, ids[i], hw_shape_of(shapes, ids[i]),
                                     holder_of(merge->graph, tree, ids[i]), false)
                      : hw_merge_add_unheld(merge, ids[i]);
        if (!ok || !hw_shapes_ok(shapes))
            return false;
    }
    return true;
}

bool hw_paths_ask(const struct hw_graph *graph, const hw_id *ids, size_t count, size_t max_rows,
                  struct hw_merged **ret_merged, struct hw_err *err)
{
    struct hw_tree tree = {0};
    struct hw_shapes *shapes = NULL;
    struct hw_merge merge;
    if (!hw_merge_check(graph, ids, count, err))
        return false;
    hw_merge_init(&merge, graph);
    bool ok = hw_tree_init(&tree, graph, err) && hw_shapes_create(&shapes, graph, &tree, err);
    if (ok)
        ok = add_objects(&merge, &tree, shapes, ids, count) || hw_err_no_memory(err);
    ok = ok && hw_merge_finish(&merge, shapes, max_rows, ret_merged, err);
    hw_merge_deinit(&merge);
    hw_shapes_destroy(shapes);
    hw_tree_deinit(&tree);
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/lookup.h"
#include "ask/spell.h"
#include "base/err.h"

#include <stdlib.h>

struct object_result {
    struct hw_object object;
    struct hw_arena arena;
};

static const char *keep(struct hw_arena *arena, struct hw_buf *text)
{
    const char *copy = hw_buf_ok(text) ? hw_arena_strdup(arena, hw_buf_str(text)) : NULL;
    hw_buf_clear(text);
    return copy;
}

/* A link by `edge`, which leaves `from`, with `node` at the other end. */
static bool fill_link(struct object_result *result, const struct hw_graph *graph, hw_id from,
                      uint32_t edge, hw_id node, struct hw_link *link)
{
    struct hw_arena *arena = &result->arena;
    struct hw_buf text = {0};
    hw_edge_spell(graph, from, edge, &text);
    link->edge = keep(arena, &text);
    hw_node_describe(graph, node, &text);
    link->value = keep(arena, &text);
    if (node >= graph->object_count) {
        hw_base_spell(graph, node, &text);
        link->type = keep(arena, &text);
    } else {
        link->type = hw_arena_strdup(arena, type_of(graph, node)->name);
    }
    link->node = node;
    link->addr = hw_graph_addr(graph, node);
    link->inferred = edge_kind(graph, edge) == HW_LABEL_WORD;
    hw_buf_deinit(&text);
    return link->edge && link->value && link->type;
}

static bool fill_referents(struct object_result *result, const struct hw_graph *graph, size_t max)
{
    struct hw_object *object = &result->object;
    uint32_t first = graph->edge_start[object->id], n = graph_degree(graph, object->id);
    object->referent_total = n;
    object->referent_count = n < max ? n : max;
    object->referents =
        hw_arena_array(&result->arena, object->referent_count + 1, sizeof(*object->referents));
    bool ok = object->referents != NULL;
    for (uint32_t i = 0; ok && i < object->referent_count; i++)
        ok = fill_link(result, graph, object->id, first + i, graph->edge_to[first + i],
                       &object->referents[i]);
    return ok;
}

/* A package left out of its own snapshot counts where nobody else refers to the object: *ret_alone. */
static uint64_t count_referrers(const struct hw_graph *graph, hw_id id, bool *ret_alone)
{
    uint64_t others = 0, own = 0;
    for (hw_id from = 0; from < graph->node_count; from++)
        for (uint32_t e = graph->edge_start[from]; e < graph->edge_start[from + 1]; e++)
            if (graph->edge_to[e] == id)
                ++*(graph_is_own(graph, from) ? &own : &others);
    *ret_alone = !others;
    return others ? others : own;
}

static bool fill_referrers(struct object_result *result, const struct hw_graph *graph, size_t max)
{
    struct hw_object *object = &result->object;
    bool alone;
    uint64_t total = count_referrers(graph, object->id, &alone);
    object->referrer_total = total;
    size_t room = total < max ? total : max;
    object->referrers = hw_arena_array(&result->arena, room + 1, sizeof(*object->referrers));
    bool ok = object->referrers != NULL;
    for (hw_id from = 0; ok && from < graph->node_count && object->referrer_count < room; from++)
        for (uint32_t e = graph->edge_start[from];
             ok && e < graph->edge_start[from + 1] && object->referrer_count < room; e++)
            if (graph->edge_to[e] == object->id && (alone || !graph_is_own(graph, from)))
                ok = fill_link(result, graph, from, e, from,
                               &object->referrers[object->referrer_count++]);
    return ok;
}

static bool fill(struct object_result *result, const struct hw_graph *graph,
                 const struct hw_tree *tree, hw_id id, size_t max)
{
    struct hw_object *object = &result->object;
    struct hw_buf text = {0};
    object->id = id;
    object->addr = hw_graph_addr(graph, id);
    object->size = hw_graph_size(graph, id);
    object->native_bytes = hw_graph_native(graph, id);
    object->refcount = graph->refcount[id];
    object->flags = graph->flags[id];
    object->type = hw_arena_strdup(&result->arena, type_of(graph, id)->name);
    char value[HW_VALUE_MAX_BYTES + 16] = "";
    hw_graph_value(graph, id, value, sizeof(value));
    object->value = hw_arena_strdup(&result->arena, value);
    hw_path_spell(graph, tree, id, &text);
    object->path = keep(&result->arena, &text);
    hw_buf_deinit(&text);
    return object->type && object->value && object->path && fill_referents(result, graph, max) &&
           fill_referrers(result, graph, max);
}

bool hw_object_ask(const struct hw_graph *graph, hw_id id, size_t max_links,
                   struct hw_object **ret_object, struct hw_err *err)
{
    if (id >= graph->node_count)
        return hw_err_set(err, HW_ERR_USAGE, "node %u is not in the graph", id);
    struct hw_tree tree;
    if (!hw_tree_init(&tree, graph, err))
        return false;
    struct object_result *result = calloc(1, sizeof(*result));
    bool ok = result && fill(result, graph, &tree, id, max_links);
    hw_tree_deinit(&tree);
    if (!ok) {
        hw_object_destroy(result ? &result->object : NULL);
        return hw_err_no_memory(err);
    }
    *ret_object = &result->object;
    return true;
}

void hw_object_destroy(struct hw_object *object)
{
    if (!object)
        return;
    struct object_result *result = (struct object_result *)object;
    hw_arena_deinit(&result->arena);
    free(result);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/sample.h"

#include "ask/lookup.h"

#include <string.h>

enum { ITEMS_MAX = 3, ITEM_BYTES = 48 };

static bool is_leaf(const struct hw_graph *graph, hw_id id)
{
    return id < graph->object_count && graph->flags[id] & HW_NODE_LEAF;
}

/* The value of a leaf, cut; false: it has none. */
static bool put_value(struct hw_buf *text, const struct hw_graph *graph, hw_id id)
{
    char value[HW_VALUE_MAX_BYTES + 16];
    if (!hw_graph_value(graph, id, value, sizeof(value)))
        return false;
    size_t n = strlen(value);
    if (n > ITEM_BYTES) {
        n = ITEM_BYTES;
        while (n && ((unsigned char)value[n] & 0xc0) == 0x80)
            n--;
        hw_buf_printf(text, "%.*s...", (int)n, value);
    } else {
        hw_buf_puts(text, value);
    }
    return true;
}

static const char *brackets(const struct hw_graph *graph, hw_id id)
{
    return type_has(graph, id, HW_TYPE_LIST)    ? "[]"
           : type_has(graph, id, HW_TYPE_TUPLE) ? "()"
           : type_has(graph, id, HW_TYPE_DICT)  ? "{}"
                                                : NULL;
}

static bool put_item(struct hw_buf *text, const struct hw_graph *graph, uint32_t edge)
{
    hw_id to = graph->edge_to[edge];
    switch (edge_kind(graph, edge)) {
    case HW_LABEL_INDEX:
        if (!put_value(text, graph, to))
            hw_buf_printf(text, "<%s>", graph->types[graph->type[to]].name);
        return true;
    case HW_LABEL_VALUE:
        if (!put_value(text, graph, key_of(graph, edge)))
            return false;
        hw_buf_puts(text, ": ");
        if (!put_value(text, graph, to))
            hw_buf_printf(text, "<%s>", graph->types[graph->type[to]].name);
        return true;
    case HW_LABEL_ATTR:
    case HW_LABEL_NAMED:
        if (!is_leaf(graph, to))
            return false;
        hw_buf_printf(text, "%s=", edge_string(graph, edge));
        return put_value(text, graph, to);
    default:
        return false;
    }
}

static void put_items(struct hw_buf *text, const struct hw_graph *graph, hw_id id)
{
    size_t count = 0;
    for (uint32_t e = graph->edge_start[id]; e < graph->edge_start[id + 1]; e++) {
        struct hw_buf item = {0};
        if (put_item(&item, graph, e)) {
            if (count == ITEMS_MAX) {
                hw_buf_puts(text, ", ...");
                hw_buf_deinit(&item);
                return;
            }
            hw_buf_printf(text, "%s%s", count++ ? ", " : "", hw_buf_str(&item));
        }
        hw_buf_deinit(&item);
    }
}

static void put_object(struct hw_buf *text, const struct hw_graph *graph, hw_id id)
{
    const char *around = brackets(graph, id);
    if (!around && put_value(text, graph, id))
        return;
    if (around)
        hw_buf_putc(text, around[0]);
    hw_id space = around ? HW_NONE : hw_namespace_of(graph, id);
    put_items(text, graph, space == HW_NONE ? id : space);
    if (around)
        hw_buf_putc(text, around[1]);
}

bool hw_sample_spell(const struct hw_graph *graph, hw_id id, struct hw_arena *arena,
                     const char **ret_text)
{
    struct hw_buf text = {0};
    put_object(&text, graph, id);
    bool ok = hw_buf_ok(&text);
    const char *copy = ok ? hw_arena_strdup(arena, hw_buf_str(&text)) : NULL;
    hw_buf_deinit(&text);
    *ret_text = copy;
    return copy != NULL;
}

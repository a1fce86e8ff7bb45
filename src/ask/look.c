/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/look.h"

#include "ask/lookup.h"
#include "ask/rules.h"
#include "ask/spell.h"

#include <string.h>

hw_id hw_look_attr(const struct hw_graph *graph, hw_id node, const char *name)
{
    if (node == HW_NONE)
        return HW_NONE;
    uint32_t edge = hw_attr_find(graph, node, name);
    if (edge == HW_NO_EDGE)
        edge = hw_edge_find(graph, node, HW_LABEL_INTERNAL, name);
    return edge == HW_NO_EDGE ? HW_NONE : graph->edge_to[edge];
}

bool hw_look_value(const struct hw_graph *graph, hw_id node, char text[HW_LOOK_TEXT_MAX])
{
    text[0] = 0;
    return node != HW_NONE && hw_graph_value(graph, node, text, HW_LOOK_TEXT_MAX) > 0;
}

bool hw_look_says(const struct hw_graph *graph, hw_id node, const char *value)
{
    char text[HW_LOOK_TEXT_MAX];
    return hw_look_value(graph, node, text) && strcmp(text, value) == 0;
}

bool hw_look_is_none(const struct hw_graph *graph, hw_id node)
{
    return node == HW_NONE || strcmp(type_of(graph, node)->name, "NoneType") == 0;
}

bool hw_look_is(const struct hw_graph *graph, hw_id node, const char *type)
{
    return node != HW_NONE && hw_name_matches(type, type_of(graph, node)->name);
}

static hw_id function_of(const struct hw_graph *graph, hw_id callable)
{
    static const char *const ways[] = {"__func__", "func", "__wrapped__", "callable"};
    for (unsigned depth = 0; depth < 8; depth++) {
        hw_id next = HW_NONE;
        if (type_has(graph, callable, HW_TYPE_FUNCTION | HW_TYPE_GENERATOR | HW_TYPE_FRAME))
            return callable;
        for (size_t i = 0; next == HW_NONE && i < sizeof(ways) / sizeof(ways[0]); i++)
            next = hw_look_attr(graph, callable, ways[i]);
        if (next == HW_NONE)
            return callable;
        callable = next;
    }
    return callable;
}

/* Of "serve() at app.py:3, at line 7" what says where it was defined. */
static void cut_progress(char *text)
{
    char *comma = strrchr(text, ',');
    if (comma)
        *comma = 0;
}

void hw_function_spell(const struct hw_graph *graph, hw_id callable, struct hw_buf *out)
{
    const uint32_t known =
        HW_TYPE_FUNCTION | HW_TYPE_GENERATOR | HW_TYPE_FRAME | HW_TYPE_CODE | HW_TYPE_SYNTHETIC;
    hw_id function = callable == HW_NONE ? HW_NONE : function_of(graph, callable);
    struct hw_buf text = {0};
    if (function >= graph->object_count || !type_has(graph, function, known))
        return;
    hw_node_describe(graph, function, &text);
    hw_buf_str(&text);
    if (hw_buf_ok(&text) && type_has(graph, function, HW_TYPE_GENERATOR | HW_TYPE_FRAME))
        cut_progress((char *)text.data);
    hw_buf_puts(out, hw_buf_str(&text));
    hw_buf_deinit(&text);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/await.h"

#include "ask/lookup.h"

#include <string.h>

bool hw_is_task(const struct hw_graph *graph, hw_id node)
{
    return node != HW_NONE && hw_look_attr(graph, node, "_coro") != HW_NONE &&
           hw_look_attr(graph, node, "_loop") != HW_NONE;
}

/* Under its C and its Python name. */
hw_id hw_task_coroutine(const struct hw_graph *graph, hw_id task)
{
    hw_id coroutine = hw_look_attr(graph, task, "_coro");
    return coroutine != HW_NONE && type_has(graph, coroutine, HW_TYPE_GENERATOR) ? coroutine
                                                                                 : HW_NONE;
}

hw_id hw_awaited(const struct hw_graph *graph, hw_id node)
{
    hw_id found = HW_NONE;
    for (uint32_t e = graph->edge_start[node]; e < graph->edge_start[node + 1]; e++)
        if (edge_kind(graph, e) == HW_LABEL_STACK)
            found = graph->edge_to[e];
    return found;
}

/* coroutine_wrapper and the like stand between a coroutine and what it awaits. */
hw_id hw_await_next(const struct hw_graph *graph, hw_id node)
{
    hw_id next = hw_awaited(graph, node);
    for (unsigned i = 0; i < 3 && next != HW_NONE; i++) {
        if (type_has(graph, next, HW_TYPE_GENERATOR))
            return next;
        hw_id inner = hw_look_attr(graph, next, "cw_coroutine");
        if (inner == HW_NONE)
            inner = hw_look_attr(graph, next, "ags_gen");
        if (inner == HW_NONE)
            inner = hw_look_attr(graph, next, "agt_gen");
        next = inner;
    }
    return HW_NONE;
}

bool hw_await_file(const struct hw_graph *graph, hw_id node, char file[HW_LOOK_TEXT_MAX])
{
    hw_id code = hw_look_attr(graph, node, "f_code");
    return hw_look_value(graph, hw_look_attr(graph, code, "co_filename"), file);
}

void hw_await_place(const struct hw_graph *graph, hw_id node, struct hw_buf *out)
{
    char text[HW_LOOK_TEXT_MAX];
    struct hw_buf buf = {0};
    const char *line = NULL;
    hw_function_spell(graph, node, &buf);
    if (hw_look_value(graph, node, text))
        for (const char *at = text; (at = strstr(at, "; at line ")); at++)
            line = at + strlen("; at line ");
    const char *function = hw_buf_str(&buf), *colon = strrchr(function, ':');
    if (colon && line) {
        hw_buf_put(out, function, (size_t)(colon + 1 - function));
        hw_buf_puts(out, line);
    } else {
        hw_buf_puts(out, function);
    }
    hw_buf_deinit(&buf);
}

void hw_await_name(const struct hw_graph *graph, hw_id node, struct hw_buf *out)
{
    struct hw_buf buf = {0};
    hw_function_spell(graph, node, &buf);
    const char *function = hw_buf_str(&buf), *end = strstr(function, "()");
    if (end)
        hw_buf_put(out, function, (size_t)(end + 2 - function));
    hw_buf_deinit(&buf);
}

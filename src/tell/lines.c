/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One line for each object: its type and what is in it, and nothing that differs between two runs
 * of one program (no addresses), so that two sorted texts can be compared with diff.
 */
#include "base/err.h"
#include "tell/line-sort.h"
#include "tell/parts.h"
#include "tell/tell.h"
#include "tell/text.h"

/* How many edges of one kind leave the object. */
static uint32_t count_edges(const struct hw_graph *graph, hw_id id, uint32_t kinds)
{
    uint32_t count = 0, degree = hw_graph_degree(graph, id);
    for (uint32_t i = 0; i < degree; i++)
        count += kinds >> hw_label_kind(hw_graph_edge(graph, id, i).label) & 1;
    return count;
}

/* The shape of a container, or of an instance with attributes. */
static void put_shape(struct hw_buf *line, const struct hw_graph *graph, hw_id id, uint32_t type)
{
    static const struct {
        uint32_t types, edges;
        const char *word;
    } shapes[] = {
        {HW_TYPE_DICT, 1u << HW_LABEL_VALUE | 1u << HW_LABEL_NAMED, "len"},
        {HW_TYPE_LIST | HW_TYPE_TUPLE | HW_TYPE_DEQUE, 1u << HW_LABEL_INDEX, "len"},
        {HW_TYPE_SET, 1u << HW_LABEL_MEMBER, "len"},
        {HW_TYPE_PYTHON, 1u << HW_LABEL_ATTR, "attributes"},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
        if (!(type & shapes[i].types))
            continue;
        hw_buf_printf(line, " %s=%u", shapes[i].word, count_edges(graph, id, shapes[i].edges));
        return;
    }
}

static void put_line(struct hw_buf *line, const struct hw_graph *graph, hw_id id)
{
    char value[HW_VALUE_BYTES];
    const struct hw_type *type = hw_graph_type(graph, hw_graph_type_index(graph, id));
    hw_buf_clear(line);
    hw_text_escape(line, type->name);
    if (!(hw_graph_flags(graph, id) & HW_NODE_LEAF))
        put_shape(line, graph, id, type->flags);
    if (hw_graph_value(graph, id, value, sizeof(value))) {
        hw_buf_putc(line, ' ');
        hw_text_escape(line, value);
    }
}

bool hw_tell_text(struct hw_out *out, const struct hw_graph *graph, struct hw_err *err)
{
    struct hw_line_sort sort;
    struct hw_buf line = {0};
    bool ok = true;
    hw_line_sort_init(&sort);
    for (hw_id id = 0; ok && id < hw_graph_object_count(graph) && hw_out_ok(out); id++) {
        put_line(&line, graph, id);
        ok = hw_buf_ok(&line) ? hw_line_sort_add(&sort, (const char *)line.data, line.len, err)
                              : hw_err_no_memory(err);
    }
    ok = ok && (!hw_out_ok(out) || hw_line_sort_finish(&sort, out, err));
    hw_buf_deinit(&line);
    hw_line_sort_deinit(&sort);
    return ok;
}

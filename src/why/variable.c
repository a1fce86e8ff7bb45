/* SPDX-License-Identifier: Apache-2.0 */
#include "why/variable.h"

#include "ask/lookup.h"

#include <string.h>

/* The tuples that a code object has of these, one after the other, are the list. */
static const struct {
    enum hw_label_kind kind;
    const char *name;
} lists[] = {
    {HW_LABEL_INTERNAL, "co_localsplusnames"},
    {HW_LABEL_ATTR, "co_varnames"},
    {HW_LABEL_ATTR, "co_cellvars"},
    {HW_LABEL_ATTR, "co_freevars"},
};
enum { LISTS = sizeof(lists) / sizeof(lists[0]) };

static hw_id list_of(const struct hw_graph *graph, hw_id code, size_t which)
{
    uint32_t edge = code < graph->object_count
                        ? hw_edge_find(graph, code, lists[which].kind, lists[which].name)
                        : HW_NO_EDGE;
    return edge == HW_NO_EDGE ? HW_NONE : graph->edge_to[edge];
}

uint32_t hw_variable_count(const struct hw_graph *graph, hw_id code)
{
    uint32_t count = 0;
    for (size_t i = 0; i < LISTS; i++) {
        hw_id tuple = list_of(graph, code, i);
        count += tuple == HW_NONE ? 0 : hw_item_count(graph, tuple);
    }
    return count;
}

hw_id hw_variable_at(const struct hw_graph *graph, hw_id code, uint32_t number)
{
    for (size_t i = 0; i < LISTS; i++) {
        hw_id tuple = list_of(graph, code, i);
        uint32_t count = tuple == HW_NONE ? 0 : hw_item_count(graph, tuple);
        if (number < count)
            return hw_item_at(graph, tuple, number);
        number -= count;
    }
    return HW_NONE;
}

static bool reads(const struct hw_graph *graph, hw_id str, const char *text)
{
    char value[HW_VALUE_MAX_BYTES + 16];
    struct hw_buf literal = {0};
    bool is_it = str != HW_NONE && hw_graph_value(graph, str, value, sizeof(value)) &&
                 hw_literal_text(value, &literal) && strcmp(hw_buf_str(&literal), text) == 0;
    hw_buf_deinit(&literal);
    return is_it;
}

uint32_t hw_variable_find(const struct hw_graph *graph, hw_id code, const char *name)
{
    uint32_t count = hw_variable_count(graph, code);
    for (uint32_t i = 0; i < count; i++)
        if (reads(graph, hw_variable_at(graph, code, i), name))
            return i;
    return UINT32_MAX;
}

hw_id hw_variable_free(const struct hw_graph *graph, hw_id code, uint64_t at, uint64_t of)
{
    uint32_t count = hw_variable_count(graph, code);
    return at < of && of <= count ? hw_variable_at(graph, code, count - (uint32_t)(of - at))
                                  : HW_NONE;
}

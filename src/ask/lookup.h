/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ASK_LOOKUP_H
#define HW_ASK_LOOKUP_H

/*
 * Finding one's way in a graph as Python would: entries of dicts by key, attributes of objects, the
 * modules. All of them answer with an edge, an index into edge_to and edge_label, or HW_NO_EDGE.
 */

#include "base/buf.h"
#include "heap/graph.h"

#define HW_NO_EDGE UINT32_MAX

static inline const struct hw_type *type_of(const struct hw_graph *graph, hw_id id)
{
    return &graph->types[graph->type[id]];
}
static inline bool type_has(const struct hw_graph *graph, hw_id id, uint32_t flags)
{
    return (graph->types[graph->type[id]].flags & flags) != 0;
}
static inline enum hw_label_kind edge_kind(const struct hw_graph *graph, uint32_t edge)
{
    return hw_label_kind(graph->edge_label[edge]);
}
static inline const char *edge_string(const struct hw_graph *graph, uint32_t edge)
{
    return hw_graph_string(graph, hw_label_payload(graph->edge_label[edge]));
}

/* The key object of an edge of kind HW_LABEL_VALUE. */
static inline hw_id key_of(const struct hw_graph *graph, uint32_t edge)
{
    return graph->edge_to[edge - 1];
}

/* The first edge of node with this kind and, when name is not NULL, this string. */
uint32_t hw_edge_find(const struct hw_graph *graph, hw_id node, enum hw_label_kind kind,
                      const char *name);

/* The items of a tuple or list that the graph has, and the one with that number, or HW_NONE. */
uint32_t hw_item_count(const struct hw_graph *graph, hw_id sequence);
hw_id hw_item_at(const struct hw_graph *graph, hw_id sequence, uint64_t number);

/* The value of a dict under a str key that reads text (not quoted). */
uint32_t hw_entry_find(const struct hw_graph *graph, hw_id dict, const char *text);

/* The value of a dict under the key that is written so: 'abc', "abc", 42, b'x', None. */
uint32_t hw_entry_find_literal(const struct hw_graph *graph, hw_id dict, const char *literal);

/* Attribute name of node: its own, of its __dict__, a local of a frame, of its class. */
uint32_t hw_attr_find(const struct hw_graph *graph, hw_id node, const char *name);

/* The namespace of a module, instance or class: target of __dict__, or HW_NONE. */
hw_id hw_namespace_of(const struct hw_graph *graph, hw_id node);

/* The dict sys.modules of the first interpreter, or HW_NONE. */
hw_id hw_modules_dict(const struct hw_graph *graph);

/* The list gc.garbage of the first interpreter, or HW_NONE. */
hw_id hw_gc_garbage_list(const struct hw_graph *graph);

/* The text between the quotes of a str's value, its escapes undone; false when text is no literal
 * of a str, or was cut. */
bool hw_literal_text(const char *literal, struct hw_buf *text);

/* Whether the text is a name that may follow a dot. */
bool hw_is_identifier(const char *text);

/* Whether the value of node is a Python literal: of str, int, float, bytes, bool or None itself. */
bool hw_is_literal(const struct hw_graph *graph, hw_id node);

/* The value was longer than a graph keeps. */
bool hw_value_is_cut(const char *value);

#endif

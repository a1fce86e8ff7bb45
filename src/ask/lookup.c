/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/lookup.h"

#include "base/err.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MRO_MAX = 64 };

uint32_t hw_edge_find(const struct hw_graph *graph, hw_id node, enum hw_label_kind kind,
                      const char *name)
{
    for (uint32_t e = graph->edge_start[node]; e < graph->edge_start[node + 1]; e++)
        if (edge_kind(graph, e) == kind && (!name || strcmp(edge_string(graph, e), name) == 0))
            return e;
    return HW_NO_EDGE;
}

uint32_t hw_item_count(const struct hw_graph *graph, hw_id sequence)
{
    uint32_t count = 0;
    for (uint32_t e = graph->edge_start[sequence]; e < graph->edge_start[sequence + 1]; e++)
        count += edge_kind(graph, e) == HW_LABEL_INDEX;
    return count;
}

hw_id hw_item_at(const struct hw_graph *graph, hw_id sequence, uint64_t number)
{
    for (uint32_t e = graph->edge_start[sequence]; e < graph->edge_start[sequence + 1]; e++)
        if (edge_kind(graph, e) == HW_LABEL_INDEX &&
            hw_label_payload(graph->edge_label[e]) == number)
            return graph->edge_to[e];
    return HW_NONE;
}

/* ---- literals ---- */

bool hw_value_is_cut(const char *value)
{
    size_t n = strlen(value);
    return n >= 3 &&
           (memcmp(value + n - 3, "...", 3) == 0 || memcmp(value + n - 3, "\xe2\x80\xa6", 3) == 0);
}

bool hw_is_literal(const struct hw_graph *graph, hw_id node)
{
    static const char *const names[] = {"str", "int", "float", "bytes", "bool", "NoneType"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(type_of(graph, node)->name, names[i]) == 0)
            return true;
    return false;
}

bool hw_is_identifier(const char *text)
{
    if (!*text || isdigit((unsigned char)*text))
        return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && *text != '_' && !((unsigned char)*text & 0x80))
            return false;
    return true;
}

static void put_utf8(struct hw_buf *text, uint32_t c)
{
    if (c < 0x80) {
        hw_buf_putc(text, (char)c);
    } else if (c < 0x800) {
        hw_buf_putc(text, (char)(0xc0 | c >> 6));
        hw_buf_putc(text, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        hw_buf_putc(text, (char)(0xe0 | c >> 12));
        hw_buf_putc(text, (char)(0x80 | (c >> 6 & 0x3f)));
        hw_buf_putc(text, (char)(0x80 | (c & 0x3f)));
    } else {
        hw_buf_putc(text, (char)(0xf0 | (c >> 18 & 7)));
        hw_buf_putc(text, (char)(0x80 | (c >> 12 & 0x3f)));
        hw_buf_putc(text, (char)(0x80 | (c >> 6 & 0x3f)));
        hw_buf_putc(text, (char)(0x80 | (c & 0x3f)));
    }
}

/* s is behind a backslash; returns where to go on. */
static const char *put_escape(struct hw_buf *text, const char *s)
{
    static const char plain[] = "n\nr\rt\t'\'\"\"\\\\a\ab\bf\fv\v0";
    size_t digits = *s == 'x' ? 2 : *s == 'u' ? 4 : *s == 'U' ? 8 : 0;
    if (digits) {
        char hex[9] = "";
        for (size_t i = 0; i < digits && isxdigit((unsigned char)s[1 + i]); i++)
            hex[i] = s[1 + i];
        put_utf8(text, (uint32_t)strtoul(hex, NULL, 16));
        return s + 1 + strlen(hex);
    }
    for (size_t i = 0; plain[i] && plain[i + 1]; i += 2) {
        if (plain[i] == *s) {
            hw_buf_putc(text, plain[i + 1]);
            return s + 1;
        }
    }
    hw_buf_putc(text, '\\');
    return s;
}

bool hw_literal_text(const char *literal, struct hw_buf *text)
{
    char quote = literal[0];
    hw_buf_clear(text);
    if (quote != '\'' && quote != '"')
        return false;
    const char *s = literal + 1;
    while (*s && *s != quote) {
        if (*s == '\\' && s[1])
            s = put_escape(text, s + 1);
        else
            hw_buf_putc(text, *s++);
    }
    return *s == quote && !s[1] && hw_buf_ok(text);
}

/* ---- entries ---- */

struct entry {
    hw_id key;
    uint32_t edge;
};

static int by_key(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key;
}

/* The entries of dict whose keys could be meant. Values are packed in blocks by id, so a large dict
 * is searched in that order. */
static struct entry *collect_entries(const struct hw_graph *graph, hw_id dict, size_t *ret_count)
{
    struct entry *entries = malloc((graph_degree(graph, dict) + 1) * sizeof(*entries));
    size_t n = 0;
    for (uint32_t e = graph->edge_start[dict]; entries && e < graph->edge_start[dict + 1]; e++)
        if (edge_kind(graph, e) == HW_LABEL_VALUE && hw_is_literal(graph, key_of(graph, e)))
            entries[n++] = (struct entry){key_of(graph, e), e};
    if (entries && n > 64)
        qsort(entries, n, sizeof(*entries), by_key);
    *ret_count = n;
    return entries;
}

/* The hash of the keys that alone can be meant; 0: any key can. Names are looked up all the time,
 * and most keys differ from them. */
static uint32_t wanted_hash(const char *literal, const char *text)
{
    char quoted[HW_VALUE_MAX_BYTES];
    if (literal)
        return literal[0] == '\'' ? hw_value_hash(literal, strlen(literal)) : 0;
    if (!hw_is_identifier(text) || strlen(text) + 3 > sizeof(quoted))
        return 0;
    int n = snprintf(quoted, sizeof(quoted), "'%s'", text);
    return hw_value_hash(quoted, (size_t)n);
}

static bool may_be(const struct hw_graph *graph, hw_id key, uint32_t wanted)
{
    /* The memos are no part of what a graph says. */
    return !wanted || hw_values_hash(&((struct hw_graph *)graph)->values, key) == wanted;
}

/* literal: how the key reads; text: what a str key says, NULL when it is none. */
static uint32_t find_entry(const struct hw_graph *graph, hw_id dict, const char *literal,
                           const char *text)
{
    size_t count;
    uint32_t found = HW_NO_EDGE;
    struct entry *entries = collect_entries(graph, dict, &count);
    struct hw_buf said = {0};
    uint32_t wanted = wanted_hash(literal, text);
    for (size_t i = 0; entries && i < count && found == HW_NO_EDGE; i++) {
        char value[HW_VALUE_MAX_BYTES + 16];
        if (!may_be(graph, entries[i].key, wanted) ||
            !hw_graph_value(graph, entries[i].key, value, sizeof(value)))
            continue;
        if (literal ? strcmp(value, literal) == 0
                    : hw_literal_text(value, &said) && strcmp(hw_buf_str(&said), text) == 0)
            found = entries[i].edge;
    }
    hw_buf_deinit(&said);
    free(entries);
    return found;
}

uint32_t hw_entry_find(const struct hw_graph *graph, hw_id dict, const char *text)
{
    uint32_t named = hw_edge_find(graph, dict, HW_LABEL_NAMED, text);
    return named != HW_NO_EDGE ? named : find_entry(graph, dict, NULL, text);
}

uint32_t hw_entry_find_literal(const struct hw_graph *graph, hw_id dict, const char *literal)
{
    struct hw_buf text = {0};
    uint32_t edge = hw_literal_text(literal, &text) ? hw_entry_find(graph, dict, hw_buf_str(&text))
                                                    : find_entry(graph, dict, literal, NULL);
    hw_buf_deinit(&text);
    return edge;
}

/* ---- attributes ---- */

hw_id hw_namespace_of(const struct hw_graph *graph, hw_id node)
{
    uint32_t edge = hw_edge_find(graph, node, HW_LABEL_ATTR, "__dict__");
    return edge == HW_NO_EDGE ? HW_NONE : graph->edge_to[edge];
}

static uint32_t find_own(const struct hw_graph *graph, hw_id node, const char *name)
{
    uint32_t edge = hw_edge_find(graph, node, HW_LABEL_ATTR, name);
    if (edge == HW_NO_EDGE)
        edge = hw_edge_find(graph, node, HW_LABEL_LOCAL, name);
    if (edge != HW_NO_EDGE)
        return edge;
    hw_id space = hw_namespace_of(graph, node);
    return space == HW_NONE ? HW_NO_EDGE : hw_entry_find(graph, space, name);
}

static uint32_t find_in_mro(const struct hw_graph *graph, hw_id type, const char *name)
{
    uint32_t mro = hw_edge_find(graph, type, HW_LABEL_ATTR, "__mro__");
    if (mro == HW_NO_EDGE)
        return find_own(graph, type, name);
    hw_id tuple = graph->edge_to[mro];
    uint32_t n = graph_degree(graph, tuple);
    for (uint32_t i = 0; i < n && i < MRO_MAX; i++) {
        uint32_t edge = graph->edge_start[tuple] + i;
        if (edge_kind(graph, edge) != HW_LABEL_INDEX)
            continue;
        uint32_t found = find_own(graph, graph->edge_to[edge], name);
        if (found != HW_NO_EDGE)
            return found;
    }
    return HW_NO_EDGE;
}

uint32_t hw_attr_find(const struct hw_graph *graph, hw_id node, const char *name)
{
    uint32_t edge = find_own(graph, node, name);
    if (edge != HW_NO_EDGE)
        return edge;
    if (strcmp(name, "__class__") == 0)
        return hw_edge_find(graph, node, HW_LABEL_TYPE, NULL);
    if (type_has(graph, node, HW_TYPE_TYPE))
        return find_in_mro(graph, node, name);
    hw_id type = type_of(graph, node)->node;
    return type == HW_NONE ? HW_NO_EDGE : find_in_mro(graph, type, name);
}

/* ---- modules ---- */

hw_id hw_modules_dict(const struct hw_graph *graph)
{
    for (hw_id id = graph->object_count; id < graph->node_count; id++) {
        if (graph->synthetic[id - graph->object_count].kind != HW_SYN_INTERPRETER)
            continue;
        uint32_t edge = hw_edge_find(graph, id, HW_LABEL_ROOT, "sys.modules");
        if (edge != HW_NO_EDGE)
            return graph->edge_to[edge];
    }
    return HW_NONE;
}

hw_id hw_gc_garbage_list(const struct hw_graph *graph)
{
    for (hw_id id = graph->object_count; id < graph->node_count; id++) {
        uint32_t edge = hw_edge_find(graph, id, HW_LABEL_ROOT, "gc.garbage");
        if (edge != HW_NO_EDGE && graph->edge_to[edge] < graph->object_count)
            return graph->edge_to[edge];
    }
    hw_id modules = hw_modules_dict(graph);
    uint32_t gc = modules == HW_NONE ? HW_NO_EDGE : hw_entry_find(graph, modules, "gc");
    uint32_t list =
        gc == HW_NO_EDGE ? HW_NO_EDGE : hw_attr_find(graph, graph->edge_to[gc], "garbage");
    return list == HW_NO_EDGE ? HW_NONE : graph->edge_to[list];
}

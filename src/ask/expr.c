/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/lookup.h"
#include "ask/spell.h"
#include "base/err.h"
#include "base/vec.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/*
 * The reader of what users write to mean an object:
 *
 *     text   = address | type name | base suffix*
 *     base   = address | "sys.modules" | module name | "<" ... ">"
 *     suffix = "." name | ".<" ... ">" | "[" literal or index "]" | "[<" ... ">]"
 *
 * A base may mean several objects (two coroutines of one function); suffixes apply to each of them.
 * What stands in angle brackets is compared with what spell.c writes for the edges at hand, so that
 * every path that is printed can be read back.
 */

struct reader {
    const struct hw_graph *graph;
    const char *text; /* all */
    const char *at;
    hw_id *ids;
    size_t count, capacity;
    bool no_memory;
};

static void add_id(struct reader *reader, hw_id id)
{
    hw_id *ids = hw_vec_grow(reader->ids, &reader->capacity, reader->count + 1, sizeof(*ids));
    if (!ids) {
        reader->no_memory = true;
        return;
    }
    reader->ids = ids;
    reader->ids[reader->count++] = id;
}

static bool not_found(const struct reader *reader, const char *part, size_t n, struct hw_err *err)
{
    int before = (int)(part - reader->text);
    if (before <= 0)
        return hw_err_set(err, HW_ERR_NOT_FOUND, "there is no object %.*s",
                          (int)(n < 200 ? n : 200), part);
    return hw_err_set(err, HW_ERR_NOT_FOUND, "%.*s has no %.*s", before < 250 ? before : 250,
                      reader->text, (int)(n < 200 ? n : 200), part);
}

/* ---- delimiters ---- */

/* s begins with an opening bracket: the length up to and with the closing one, 0 when there is
 * none. A quote that does not end is an ordinary character: <... in Bob's thread>. */
static size_t bracket_length(const char *s, char open, char close, bool quotes)
{
    size_t depth = 0;
    for (size_t i = 0; s[i]; i++) {
        if (quotes && (s[i] == '\'' || s[i] == '"')) {
            size_t j = i + 1;
            while (s[j] && s[j] != s[i])
                j += s[j] == '\\' && s[j + 1] ? 2 : 1;
            i = s[j] ? j : i;
        } else if (s[i] == open) {
            depth++;
        } else if (s[i] == close && --depth == 0) {
            return i + 1;
        }
    }
    return quotes ? bracket_length(s, open, close, false) : 0;
}

static size_t name_length(const char *s)
{
    size_t n = 0;
    while (isalnum((unsigned char)s[n]) || s[n] == '_' || (unsigned char)s[n] & 0x80)
        n++;
    return n;
}

/* ---- suffixes ---- */

static uint32_t find_spelled(const struct hw_graph *graph, hw_id node, const char *text, size_t n)
{
    struct hw_buf said = {0};
    uint32_t found = HW_NO_EDGE;
    for (uint32_t e = graph->edge_start[node];
         e < graph->edge_start[node + 1] && found == HW_NO_EDGE; e++) {
        hw_buf_clear(&said);
        hw_edge_spell(graph, node, e, &said);
        if (said.len == n && memcmp(said.data, text, n) == 0)
            found = e;
    }
    hw_buf_deinit(&said);
    return found;
}

static uint32_t find_index(const struct hw_graph *graph, hw_id node, long long index)
{
    uint32_t first = graph->edge_start[node], end = graph->edge_start[node + 1];
    if (index < 0) {
        for (uint32_t e = end; e-- > first;)
            if (edge_kind(graph, e) == HW_LABEL_INDEX) {
                index += (long long)hw_label_payload(graph->edge_label[e]) + 1;
                break;
            }
    }
    for (uint32_t e = first; index >= 0 && e < end; e++)
        if (edge_kind(graph, e) == HW_LABEL_INDEX &&
            hw_label_payload(graph->edge_label[e]) == (unsigned long long)index)
            return e;
    return HW_NO_EDGE;
}

/* inside: what stands between the brackets. */
static uint32_t find_item(const struct hw_graph *graph, hw_id node, const char *inside)
{
    char *end;
    uint32_t edge = hw_entry_find_literal(graph, node, inside);
    if (edge != HW_NO_EDGE)
        return edge;
    long long index = strtoll(inside, &end, 10);
    return *inside && !*end ? find_index(graph, node, index) : HW_NO_EDGE;
}

static uint32_t find_suffix(const struct hw_graph *graph, hw_id node, const char *suffix)
{
    size_t n = strlen(suffix);
    uint32_t edge = HW_NO_EDGE;
    if (suffix[0] == '.' && suffix[1] != '<')
        edge = hw_attr_find(graph, node, suffix + 1);
    if (suffix[0] == '[' && suffix[1] != '<' && suffix[1] != '(') {
        char *inside = strndup(suffix + 1, n - 2);
        if (inside)
            edge = find_item(graph, node, inside);
        free(inside);
    }
    return edge != HW_NO_EDGE ? edge : find_spelled(graph, node, suffix, n);
}

/* Length of the suffix at reader->at, 0: there is none that makes sense. */
static size_t suffix_length(const struct reader *reader)
{
    const char *s = reader->at;
    if (s[0] == '[')
        return bracket_length(s, '[', ']', true);
    if (s[0] != '.')
        return 0;
    size_t n = s[1] == '<' ? bracket_length(s + 1, '<', '>', true) : name_length(s + 1);
    return n ? n + 1 : 0;
}

static bool apply_suffix(struct reader *reader, struct hw_err *err)
{
    size_t n = suffix_length(reader), kept = 0;
    if (!n)
        return hw_err_set(err, HW_ERR_USAGE, "cannot read the expression from \"%.100s\" on",
                          reader->at);
    char *suffix = strndup(reader->at, n);
    if (!suffix)
        return hw_err_no_memory(err);
    for (size_t i = 0; i < reader->count; i++) {
        uint32_t edge = find_suffix(reader->graph, reader->ids[i], suffix);
        if (edge != HW_NO_EDGE)
            reader->ids[kept++] = reader->graph->edge_to[edge];
    }
    free(suffix);
    reader->count = kept;
    if (!kept)
        return not_found(reader, reader->at, n, err);
    reader->at += n;
    return true;
}

/* ---- bases ---- */

static bool read_address(struct reader *reader, struct hw_err *err)
{
    char *end;
    hw_addr addr = strtoull(reader->at, &end, 16);
    hw_id id = hw_graph_find(reader->graph, addr);
    if (id == HW_NONE)
        return hw_err_set(err, HW_ERR_NOT_FOUND, "no object begins at %.*s",
                          (int)(end - reader->at), reader->at);
    add_id(reader, id);
    reader->at = end;
    return true;
}

static void add_spelled_base(struct reader *reader, hw_id id, const char *text, size_t n,
                             struct hw_buf *said)
{
    hw_buf_clear(said);
    hw_base_spell(reader->graph, id, said);
    if (said->len == n && memcmp(said->data, text, n) == 0)
        add_id(reader, id);
}

/* <app.Node at 0x7f00> */
static bool read_spelled_address(struct reader *reader, const char *text, size_t n)
{
    char *copy = strndup(text, n);
    char *at = copy ? strstr(copy, " at 0x") : NULL;
    for (char *next; at && (next = strstr(at + 1, " at 0x"));)
        at = next;
    hw_id id = at ? hw_graph_find(reader->graph, strtoull(at + 4, NULL, 16)) : HW_NONE;
    if (id != HW_NONE)
        add_id(reader, id);
    free(copy);
    return id != HW_NONE;
}

static bool read_bracketed(struct reader *reader, struct hw_err *err)
{
    const struct hw_graph *graph = reader->graph;
    const char *text = reader->at;
    size_t n = bracket_length(text, '<', '>', true);
    if (!n)
        return hw_err_set(err, HW_ERR_USAGE, "the bracket < does not end in \"%.100s\"", text);
    struct hw_buf said = {0};
    for (hw_id id = graph->object_count; id < graph->node_count; id++)
        add_spelled_base(reader, id, text, n, &said);
    bool may_be_suspended = false;
    for (uint32_t t = 0; t < graph->type_count; t++)
        may_be_suspended |=
            graph->types[t].flags & HW_TYPE_GENERATOR &&
            strncmp(text + 1, graph->types[t].name, strlen(graph->types[t].name)) == 0;
    for (hw_id id = 0; may_be_suspended && id < graph->object_count; id++)
        if (type_has(graph, id, HW_TYPE_GENERATOR))
            add_spelled_base(reader, id, text, n, &said);
    hw_buf_deinit(&said);
    reader->at += n;
    return reader->count || read_spelled_address(reader, text, n) ||
           not_found(reader, text, n, err);
}

static bool type_is_meant(const char *name, const char *text)
{
    const char *dot = strrchr(name, '.');
    return strcmp(name, text) == 0 || (dot && strcmp(dot + 1, text) == 0);
}

/* Instances of the types that are called text, by their full names if there are such. */
static void read_type_name(struct reader *reader, const char *text)
{
    const struct hw_graph *graph = reader->graph;
    uint8_t *meant = calloc(graph->type_count + 1, 1);
    bool full = false, any = false;
    for (uint32_t t = 0; meant && t < graph->type_count; t++)
        full |= strcmp(graph->types[t].name, text) == 0;
    for (uint32_t t = 0; meant && t < graph->type_count; t++) {
        meant[t] = full ? strcmp(graph->types[t].name, text) == 0
                        : type_is_meant(graph->types[t].name, text);
        any |= meant[t];
    }
    for (hw_id id = 0; any && id < graph->object_count; id++)
        if (meant[graph->type[id]])
            add_id(reader, id);
    reader->no_memory |= !meant;
    free(meant);
}

/* The longest prefix of dotted names that is a module: os.path.join -> os.path. */
static bool read_module(struct reader *reader, struct hw_err *err)
{
    const struct hw_graph *graph = reader->graph;
    hw_id modules = hw_modules_dict(graph);
    size_t longest = 0, first = name_length(reader->at);
    for (size_t n = first; modules != HW_NONE && n;) {
        char *name = strndup(reader->at, n);
        uint32_t edge = name ? hw_entry_find(graph, modules, name) : HW_NO_EDGE;
        free(name);
        if (edge != HW_NO_EDGE) {
            longest = n;
            reader->count = 0;
            add_id(reader, graph->edge_to[edge]);
        }
        size_t more = reader->at[n] == '.' ? name_length(reader->at + n + 1) : 0;
        n = more ? n + 1 + more : 0;
    }
    if (!longest)
        return hw_err_set(err, HW_ERR_NOT_FOUND, "neither a module nor a type is called %.200s",
                          reader->text);
    reader->at += longest;
    return true;
}

static bool read_base(struct reader *reader, struct hw_err *err)
{
    const char *modules = "sys.modules";
    size_t n = strlen(modules);
    if (strncmp(reader->at, "0x", 2) == 0 || strncmp(reader->at, "0X", 2) == 0)
        return read_address(reader, err);
    if (reader->at[0] == '<')
        return read_bracketed(reader, err);
    if (strncmp(reader->at, modules, n) == 0 && !name_length(reader->at + n)) {
        hw_id dict = hw_modules_dict(reader->graph);
        if (dict == HW_NONE)
            return not_found(reader, reader->at, n, err);
        add_id(reader, dict);
        reader->at += n;
        return true;
    }
    read_type_name(reader, reader->at);
    if (reader->count) {
        reader->at += strlen(reader->at);
        return true;
    }
    return read_module(reader, err);
}

static bool read_all(struct reader *reader, struct hw_err *err)
{
    if (!read_base(reader, err))
        return false;
    while (*reader->at)
        if (!apply_suffix(reader, err))
            return false;
    return !reader->no_memory || hw_err_no_memory(err);
}

bool hw_object_resolve(const struct hw_graph *graph, const char *text, hw_id *ids, size_t max,
                       size_t *ret_count, struct hw_err *err)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t n = strlen(text);
    while (n && isspace((unsigned char)text[n - 1]))
        n--;
    char *trimmed = strndup(text, n);
    if (!trimmed)
        return hw_err_no_memory(err);
    struct reader reader = {.graph = graph, .text = trimmed, .at = trimmed};
    bool ok = n ? read_all(&reader, err) : hw_err_set(err, HW_ERR_USAGE, "the expression is empty");
    if (ok) {
        for (size_t i = 0; i < reader.count && i < max; i++)
            ids[i] = reader.ids[i];
        *ret_count = reader.count;
    }
    free(reader.ids);
    free(trimmed);
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/spell.h"

#include "ask/lookup.h"
#include "base/err.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_SHOWN_MAX = 80, /* longer keys are spelled by address */
    KEY_CUT = 40,
    VALUE_SHOWN_MAX = 100,
    PATH_HOPS_MAX = 128, /* longer chains are spelled from an address on */
    PATH_HOPS_KEPT = 8,
    STEPS_MAX = 256, /* longer chains lose their middle */
};

static bool is_suspended(const struct hw_graph *graph, hw_id node)
{
    return type_has(graph, node, HW_TYPE_GENERATOR);
}

/* ---- one edge ---- */

void hw_address_spell(const struct hw_graph *graph, hw_id node, struct hw_buf *out)
{
    hw_buf_printf(out, "<%s at 0x%" PRIx64 ">", type_of(graph, node)->name,
                  hw_graph_addr(graph, node));
}

/* Copies at most max bytes, never half of a character. */
static void put_cut(struct hw_buf *out, const char *text, size_t max)
{
    size_t n = strlen(text);
    if (n > max) {
        n = max;
        while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
        hw_buf_put(out, text, n);
        hw_buf_puts(out, "...");
        return;
    }
    hw_buf_put(out, text, n);
}

/* Whether Python would read the value of a literal's type back: not nan, not a long int. */
static bool value_is_readable(const char *value)
{
    static const char *const words[] = {"True", "False", "None"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(value, words[i]) == 0)
            return true;
    const char *digits = value + (value[0] == '-');
    return !hw_value_is_cut(value) &&
           (strchr("'\"", value[0]) || (value[0] == 'b' && value[1] && strchr("'\"", value[1])) ||
            (*digits >= '0' && *digits <= '9'));
}

/* Tuples of literals make common keys. */
static bool spell_tuple(const struct hw_graph *graph, hw_id tuple, struct hw_buf *out)
{
    uint32_t n = graph_degree(graph, tuple);
    if (strcmp(type_of(graph, tuple)->name, "tuple") != 0 || !n || n > 4)
        return false;
    struct hw_buf text = {0};
    for (uint32_t i = 0; i < n; i++) {
        hw_id item = graph->edge_to[graph->edge_start[tuple] + i];
        char value[HW_VALUE_MAX_BYTES + 16];
        if (edge_kind(graph, graph->edge_start[tuple] + i) != HW_LABEL_INDEX ||
            !hw_is_literal(graph, item) || !hw_graph_value(graph, item, value, sizeof(value)) ||
            !value_is_readable(value)) {
            hw_buf_deinit(&text);
            return false;
        }
        hw_buf_printf(&text, "%s%s", i ? ", " : "", value);
    }
    bool short_enough = text.len <= KEY_SHOWN_MAX;
    if (short_enough)
        hw_buf_printf(out, "(%s%s)", hw_buf_str(&text), n == 1 ? "," : "");
    hw_buf_deinit(&text);
    return short_enough;
}

/* An object in the place of a literal: 'k', 42, ('a', 1), <app.Key at 0x7f00>. */
static void spell_key(const struct hw_graph *graph, hw_id key, struct hw_buf *out)
{
    char value[HW_VALUE_MAX_BYTES + 16];
    bool literal = hw_is_literal(graph, key) && hw_graph_value(graph, key, value, sizeof(value));
    if (literal && strlen(value) <= KEY_SHOWN_MAX && value_is_readable(value)) {
        hw_buf_puts(out, value);
        return;
    }
    if (spell_tuple(graph, key, out))
        return;
    if (!literal || !type_has(graph, key, HW_TYPE_STR | HW_TYPE_BYTES)) {
        hw_address_spell(graph, key, out);
        return;
    }
    hw_buf_printf(out, "<%s ", type_of(graph, key)->name);
    put_cut(out, value, KEY_CUT);
    hw_buf_printf(out, " at 0x%" PRIx64 ">", hw_graph_addr(graph, key));
}

static void spell_name(const char *name, const char *what, struct hw_buf *out)
{
    if (hw_is_identifier(name))
        hw_buf_printf(out, ".%s", name);
    else
        hw_buf_printf(out, ".<%s %s>", what, name);
}

static void spell_quoted(const char *name, struct hw_buf *out)
{
    char quote = strchr(name, '\'') && !strchr(name, '"') ? '"' : '\'';
    hw_buf_printf(out, "[%c", quote);
    for (; *name; name++) {
        if (*name == quote || *name == '\\')
            hw_buf_putc(out, '\\');
        hw_buf_putc(out, *name);
    }
    hw_buf_printf(out, "%c]", quote);
}

static const char *name_of_type(const struct hw_graph *graph, hw_id node)
{
    for (uint32_t t = 0; t < graph->type_count; t++)
        if (graph->types[t].node == node)
            return graph->types[t].name;
    return NULL;
}

/* Looks at the neighbours only: references that are called the same stand in a row, or in turns. */
static bool label_repeats(const struct hw_graph *graph, hw_id from, uint32_t edge)
{
    enum { NEAR = 8 };
    uint32_t first = graph->edge_start[from], end = graph->edge_start[from + 1];
    if (edge - first > NEAR)
        first = edge - NEAR;
    if (end - edge > NEAR)
        end = edge + NEAR;
    for (uint32_t e = first; e < end; e++)
        if (e != edge && graph->edge_label[e] == graph->edge_label[edge])
            return true;
    return false;
}

/* <static types>.dict; .<cache>; .<ht_cached_keys 4> where several references are called so. */
static void spell_internal(const struct hw_graph *graph, hw_id from, uint32_t edge,
                           struct hw_buf *out)
{
    const struct hw_synthetic *s = hw_graph_synthetic(graph, from);
    const char *type =
        s && s->kind == HW_SYN_STATIC_TYPES ? name_of_type(graph, graph->edge_to[edge]) : NULL;
    if (type)
        spell_name(type, "type", out);
    else if (label_repeats(graph, from, edge))
        hw_buf_printf(out, ".<%s %u>", edge_string(graph, edge), edge - graph->edge_start[from]);
    else
        hw_buf_printf(out, ".<%s>", edge_string(graph, edge));
}

void hw_edge_spell(const struct hw_graph *graph, hw_id from, uint32_t edge, struct hw_buf *out)
{
    uint32_t payload = hw_label_payload(graph->edge_label[edge]);
    hw_id to = graph->edge_to[edge];
    switch (edge_kind(graph, edge)) {
    case HW_LABEL_ATTR:
        spell_name(edge_string(graph, edge), "attribute", out);
        break;
    case HW_LABEL_LOCAL:
        spell_name(edge_string(graph, edge), "local", out);
        break;
    case HW_LABEL_INDEX:
        hw_buf_printf(out, "[%u]", payload);
        break;
    case HW_LABEL_VALUE:
        hw_buf_putc(out, '[');
        spell_key(graph, key_of(graph, edge), out);
        hw_buf_putc(out, ']');
        break;
    case HW_LABEL_NAMED:
        spell_quoted(edge_string(graph, edge), out);
        break;
    case HW_LABEL_KEY:
    case HW_LABEL_MEMBER:
        hw_buf_printf(out, ".<%s ", edge_kind(graph, edge) == HW_LABEL_KEY ? "key" : "member");
        spell_key(graph, to, out);
        hw_buf_putc(out, '>');
        break;
    case HW_LABEL_STACK:
        hw_buf_printf(out, ".<stack %u>", payload);
        break;
    case HW_LABEL_TYPE:
        hw_buf_puts(out, ".__class__");
        break;
    case HW_LABEL_WORD:
        hw_buf_printf(out, ".<word %u>", payload);
        break;
    case HW_LABEL_INTERNAL:
    case HW_LABEL_HIDDEN:
    case HW_LABEL_ROOT:
        spell_internal(graph, from, edge, out);
        break;
    }
}

/* ---- nodes ---- */

const char *hw_file_base(const char *file)
{
    const char *slash = strrchr(file, '/');
    return slash ? slash + 1 : file;
}

static const char *thread_name(const struct hw_graph *graph, int32_t tid)
{
    for (hw_id id = graph->object_count; id < graph->node_count; id++) {
        const struct hw_synthetic *s = &graph->synthetic[id - graph->object_count];
        if (s->kind == HW_SYN_THREAD && s->tid == tid && s->name[0])
            return s->name;
    }
    return NULL;
}

static void put_thread(const struct hw_graph *graph, int32_t tid, struct hw_buf *out)
{
    const char *name = thread_name(graph, tid);
    if (name)
        hw_buf_puts(out, name);
    else
        hw_buf_printf(out, "thread %d", tid);
}

struct hw_function_text hw_function_text_cut(char *value)
{
    char *notes = strstr(value, "; ");
    if (notes)
        *notes = 0;
    char *space = strrchr(value, ' ');
    if (space)
        *space = 0;
    return (struct hw_function_text){value, space ? space + 1 : "", notes ? notes + 2 : ""};
}

/* serve() at file.py:30 */
static void put_function(const struct hw_function_text *text, struct hw_buf *out)
{
    hw_buf_puts(out, text->name);
    if (*text->place)
        hw_buf_printf(out, "() at %s", text->place);
}

static void spell_synthetic(const struct hw_graph *graph, const struct hw_synthetic *s,
                            struct hw_buf *out)
{
    switch (s->kind) {
    case HW_SYN_ROOT:
        hw_buf_puts(out, "<root>");
        break;
    case HW_SYN_INTERPRETER:
        hw_buf_printf(out, strncmp(s->name, "interpreter", 11) == 0 ? "<%s>" : "<interpreter %s>",
                      s->name);
        break;
    case HW_SYN_THREAD:
    case HW_SYN_NATIVE_STACK:
        hw_buf_puts(out, s->kind == HW_SYN_THREAD ? "<thread " : "<native stack of ");
        put_thread(graph, s->tid, out);
        hw_buf_putc(out, '>');
        break;
    case HW_SYN_FRAME:
        hw_buf_printf(out, "<%s() at %s:%u in ", s->name, hw_file_base(s->file), s->line);
        put_thread(graph, s->tid, out);
        hw_buf_putc(out, '>');
        break;
    case HW_SYN_STATIC_TYPES:
        hw_buf_puts(out, "<static types>");
        break;
    case HW_SYN_C_GLOBALS:
        hw_buf_printf(out, synthetic_is_own(s) ? "<%s itself>" : "<globals of %s>", s->name);
        break;
    }
}

void hw_base_spell(const struct hw_graph *graph, hw_id node, struct hw_buf *out)
{
    const struct hw_synthetic *s = hw_graph_synthetic(graph, node);
    if (s) {
        spell_synthetic(graph, s, out);
        return;
    }
    char value[HW_VALUE_MAX_BYTES + 16];
    if (!is_suspended(graph, node) || !hw_graph_value(graph, node, value, sizeof(value))) {
        hw_address_spell(graph, node, out);
        return;
    }
    struct hw_function_text function = hw_function_text_cut(value);
    hw_buf_printf(out, "<%s ", type_of(graph, node)->name);
    put_function(&function, out);
    hw_buf_putc(out, '>');
}

void hw_node_describe(const struct hw_graph *graph, hw_id node, struct hw_buf *out)
{
    const struct hw_synthetic *s = hw_graph_synthetic(graph, node);
    if (s && s->kind == HW_SYN_FRAME) {
        hw_buf_printf(out, "%s() at %s:%u in ", s->name, s->file, s->line);
        put_thread(graph, s->tid, out);
        return;
    }
    if (s) {
        hw_buf_puts(out, s->kind == HW_SYN_C_GLOBALS ? s->file : s->name);
        return;
    }
    char value[HW_VALUE_MAX_BYTES + 16];
    if (!hw_graph_value(graph, node, value, sizeof(value)))
        return;
    for (char *c = value; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    struct hw_buf text = {0};
    const uint32_t standing = HW_TYPE_GENERATOR | HW_TYPE_FRAME;
    if (type_has(graph, node, standing | HW_TYPE_FUNCTION | HW_TYPE_CODE)) {
        struct hw_function_text function = hw_function_text_cut(value);
        put_function(&function, &text);
        if (type_has(graph, node, standing) && *function.notes)
            hw_buf_printf(&text, ", %s", function.notes);
    } else {
        hw_buf_puts(&text, value);
    }
    put_cut(out, hw_buf_str(&text), VALUE_SHOWN_MAX);
    hw_buf_deinit(&text);
}

/* ---- chains ---- */

/* The hops from the root to node; the caller frees. */
static struct hw_hop *collect_hops(const struct hw_graph *graph, const struct hw_tree *tree,
                                   hw_id from, uint32_t edge, hw_id node, size_t *ret_count)
{
    bool given = from != HW_NONE;
    size_t n = given;
    for (hw_id id = given ? from : node; tree->parent[id] != HW_NONE; id = tree->parent[id])
        n++;
    struct hw_hop *hops = malloc((n + 1) * sizeof(*hops));
    if (!hops)
        return NULL;
    *ret_count = n;
    if (given)
        hops[--n] = (struct hw_hop){from, node, edge};
    for (hw_id id = given ? from : node; tree->parent[id] != HW_NONE; id = tree->parent[id])
        hops[--n] = (struct hw_hop){tree->parent[id], id, tree->edge[id]};
    (void)graph;
    return hops;
}

/* Where the expression begins: behind the last running or suspended function whose local variable
 * the chain takes, else behind the last synthetic node. */
static size_t find_start(const struct hw_graph *graph, const struct hw_hop *hops, size_t count)
{
    for (size_t i = count; i-- > 0;) {
        bool local = edge_kind(graph, hops[i].edge) == HW_LABEL_LOCAL;
        if (hops[i].from >= graph->object_count || (local && is_suspended(graph, hops[i].from)))
            return i;
    }
    return 0;
}

/* Whether .name means an entry of the namespace, not something that comes before it. */
static bool is_entry_name(const struct hw_graph *graph, hw_id node, const char *name)
{
    return hw_is_identifier(name) && hw_edge_find(graph, node, HW_LABEL_ATTR, name) == HW_NO_EDGE &&
           hw_edge_find(graph, node, HW_LABEL_LOCAL, name) == HW_NO_EDGE;
}

/* hops[i] is .__dict__ and hops[i + 1] an entry that reads better as an attribute. */
static bool spell_attribute(const struct hw_graph *graph, const struct hw_hop *hops,
                            struct hw_buf *out)
{
    if (edge_kind(graph, hops[0].edge) != HW_LABEL_ATTR ||
        strcmp(edge_string(graph, hops[0].edge), "__dict__") != 0)
        return false;
    if (edge_kind(graph, hops[1].edge) == HW_LABEL_NAMED) {
        const char *name = edge_string(graph, hops[1].edge);
        if (!is_entry_name(graph, hops[0].from, name))
            return false;
        hw_buf_printf(out, ".%s", name);
        return true;
    }
    char value[HW_VALUE_MAX_BYTES + 16];
    struct hw_buf name = {0};
    bool fits = edge_kind(graph, hops[1].edge) == HW_LABEL_VALUE &&
                hw_graph_value(graph, key_of(graph, hops[1].edge), value, sizeof(value)) &&
                hw_literal_text(value, &name) &&
                is_entry_name(graph, hops[0].from, hw_buf_str(&name));
    if (fits)
        hw_buf_printf(out, ".%s", hw_buf_str(&name));
    hw_buf_deinit(&name);
    return fits;
}

void hw_hops_spell(const struct hw_graph *graph, const struct hw_hop *hops, size_t count,
                   struct hw_buf *out)
{
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && spell_attribute(graph, &hops[i], out))
            i++;
        else
            hw_edge_spell(graph, hops[i].from, hops[i].edge, out);
    }
}

static void spell_path(const struct hw_graph *graph, const struct hw_hop *hops, size_t count,
                       struct hw_buf *out)
{
    if (!count) {
        hw_buf_puts(out, "<root>");
        return;
    }
    size_t start = find_start(graph, hops, count);
    if (hops[count - 1].to >= graph->object_count) {
        hw_base_spell(graph, hops[count - 1].to, out);
        return;
    }
    if (count - start > PATH_HOPS_MAX) {
        start = count - PATH_HOPS_KEPT;
        hw_address_spell(graph, hops[start].from, out);
    } else if (edge_kind(graph, hops[start].edge) == HW_LABEL_ROOT &&
               strcmp(edge_string(graph, hops[start].edge), "sys.modules") == 0) {
        hw_buf_puts(out, "sys.modules");
        start++;
    } else {
        hw_base_spell(graph, hops[start].from, out);
    }
    hw_hops_spell(graph, hops + start, count - start, out);
}

void hw_path_spell(const struct hw_graph *graph, const struct hw_tree *tree, hw_id node,
                   struct hw_buf *out)
{
    size_t count;
    struct hw_hop *hops =
        tree_has(tree, node) ? collect_hops(graph, tree, HW_NONE, 0, node, &count) : NULL;
    if (hops)
        spell_path(graph, hops, count, out);
    free(hops);
}

/* ---- steps ---- */

static const char *spell_step_edge(const struct hw_graph *graph, const struct hw_hop *hop,
                                   struct hw_arena *arena)
{
    if (hop->edge == HW_NO_EDGE)
        return hw_arena_strdup(arena, "");
    const char *string = edge_string(graph, hop->edge);
    struct hw_buf text = {0};
    if (hop->to >= graph->object_count)
        hw_buf_puts(&text, "");
    else if (edge_kind(graph, hop->edge) == HW_LABEL_LOCAL)
        hw_buf_printf(&text, "local %s", string);
    else if (edge_kind(graph, hop->edge) == HW_LABEL_ROOT)
        hw_buf_puts(&text, string);
    else
        hw_edge_spell(graph, hop->from, hop->edge, &text);
    const char *copy = hw_arena_strdup(arena, hw_buf_str(&text));
    hw_buf_deinit(&text);
    return copy;
}

const char *hw_node_type_name(const struct hw_graph *graph, hw_id node)
{
    static const char *const names[] = {[HW_SYN_ROOT] = "root",
                                        [HW_SYN_INTERPRETER] = "interpreter",
                                        [HW_SYN_THREAD] = "thread",
                                        [HW_SYN_FRAME] = "running frame",
                                        [HW_SYN_STATIC_TYPES] = "static types",
                                        [HW_SYN_C_GLOBALS] = "C globals",
                                        [HW_SYN_NATIVE_STACK] = "native stack"};
    const struct hw_synthetic *s = hw_graph_synthetic(graph, node);
    return s ? names[s->kind] : type_of(graph, node)->name;
}

bool hw_step_spell(const struct hw_graph *graph, const struct hw_hop *hop, struct hw_arena *arena,
                   struct hw_step *step)
{
    struct hw_buf text = {0};
    hw_node_describe(graph, hop->to, &text);
    *step = (struct hw_step){
        .node = hop->to,
        .addr = hw_graph_addr(graph, hop->to),
        .edge = spell_step_edge(graph, hop, arena),
        .type = hw_arena_strdup(arena, hw_node_type_name(graph, hop->to)),
        .what = hw_arena_strdup(arena, hw_buf_str(&text)),
        .inferred = hop->edge != HW_NO_EDGE && edge_kind(graph, hop->edge) == HW_LABEL_WORD,
    };
    hw_buf_deinit(&text);
    return step->edge && step->type && step->what;
}

bool hw_hops_steps(const struct hw_graph *graph, const struct hw_hop *hops, size_t count,
                   struct hw_arena *arena, struct hw_chain *chain)
{
    size_t kept = count < STEPS_MAX ? count : STEPS_MAX;
    size_t left_out = count - kept;
    chain->steps = hw_arena_array(arena, kept + 1, sizeof(*chain->steps));
    for (size_t i = 0; chain->steps && i < kept; i++) {
        size_t at = i < kept / 2 ? i : i + left_out;
        if (!hw_step_spell(graph, &hops[at], arena, &chain->steps[i]))
            return false;
        if (left_out && i == kept / 2) {
            chain->steps[i].edge =
                hw_arena_printf(arena, "... %zu more ... %s", left_out, chain->steps[i].edge);
            if (!chain->steps[i].edge)
                return false;
        }
    }
    chain->step_count = kept;
    return chain->steps != NULL;
}

bool hw_chain_spell(const struct hw_graph *graph, const struct hw_tree *tree, hw_id from,
                    uint32_t edge, hw_id node, struct hw_arena *arena, struct hw_chain *ret_chain,
                    struct hw_err *err)
{
    size_t count;
    struct hw_hop *hops = collect_hops(graph, tree, from, edge, node, &count);
    if (!hops)
        return hw_err_no_memory(err);
    struct hw_chain chain = {.cost = tree->cost[from != HW_NONE ? from : node]};
    struct hw_buf path = {0};
    spell_path(graph, hops, count, &path);
    chain.path = hw_arena_strdup(arena, hw_buf_str(&path));
    bool ok = hw_buf_ok(&path) && chain.path && hw_hops_steps(graph, hops, count, arena, &chain);
    hw_buf_deinit(&path);
    free(hops);
    if (!ok)
        return hw_err_no_memory(err);
    *ret_chain = chain;
    return true;
}

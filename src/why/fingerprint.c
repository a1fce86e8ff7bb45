/* SPDX-License-Identifier: Apache-2.0 */
#include "why/fingerprint.h"

#include "ask/lookup.h"
#include "base/err.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { TYPES_MAX = 64 }; /* on one way; more add nothing */

struct hw_signer {
    const struct hw_graph *graph;
    const struct hw_tree *tree;
    struct hw_shapes *shapes;
    struct hw_costs *costs; /* knows the standard library */
};

bool hw_signer_create(struct hw_signer **ret_signer, const struct hw_growth *growth,
                      struct hw_err *err)
{
    struct hw_signer *signer = calloc(1, sizeof(*signer));
    if (!signer)
        return hw_err_no_memory(err);
    signer->graph = growth->graph;
    signer->tree = &growth->tree;
    if (!hw_shapes_create(&signer->shapes, growth->graph, &growth->tree, err) ||
        !hw_costs_create(&signer->costs, growth->graph, err)) {
        hw_signer_destroy(signer);
        return false;
    }
    *ret_signer = signer;
    return true;
}

void hw_signer_destroy(struct hw_signer *signer)
{
    if (!signer)
        return;
    hw_shapes_destroy(signer->shapes);
    hw_costs_destroy(signer->costs);
    free(signer);
}

/* ---- types ---- */

/* pathlib._local.Path -> pathlib.Path in the standard library; others as they are. */
static void put_type(const struct hw_signer *signer, const char *name, struct hw_buf *out)
{
    if (!hw_costs_is_stdlib(signer->costs, name)) {
        hw_buf_puts(out, name);
        return;
    }
    for (const char *part = name; *part;) {
        size_t n = strcspn(part, ".");
        bool is_last = !part[n];
        if (part == name || is_last || *part != '_') {
            hw_buf_puts(out, part == name ? "" : ".");
            hw_buf_put(out, part, n);
        }
        part += n + !is_last;
    }
}

struct type_set {
    const char *names[TYPES_MAX];
    size_t count;
};

static void add_type(struct type_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->names[i], name) == 0)
            return;
    if (set->count < TYPES_MAX)
        set->names[set->count++] = name;
}

static void put_types(const struct hw_signer *signer, const struct type_set *set,
                      struct hw_buf *out)
{
    for (size_t i = 0; i < set->count; i++) {
        hw_buf_puts(out, i ? " " : "");
        put_type(signer, set->names[i], out);
    }
    hw_buf_putc(out, '\n');
}

static bool edge_is_namespace(const struct hw_graph *graph, uint32_t edge)
{
    return edge_kind(graph, edge) == HW_LABEL_ATTR &&
           strcmp(edge_string(graph, edge), "__dict__") == 0;
}

/* To a part of a C object, which Python code cannot name. */
static bool edge_is_inner(const struct hw_graph *graph, uint32_t edge)
{
    enum hw_label_kind kind = edge_kind(graph, edge);
    return kind == HW_LABEL_INTERNAL || kind == HW_LABEL_HIDDEN;
}

/* ---- what something holds ---- */

/* Whether a path begins here: at a local variable of a running or suspended function. */
static bool is_local(const struct hw_signer *signer, hw_id node)
{
    const struct hw_tree *tree = signer->tree;
    return edge_kind(signer->graph, tree->edge[node]) == HW_LABEL_LOCAL &&
           !type_has(signer->graph, tree->parent[node], HW_TYPE_FRAME);
}

/* The nearest module, class or function above node; node itself may be one. HW_NONE: the path
 * begins at a local variable or at what is no object, and says so by itself. */
static hw_id find_anchor(const struct hw_signer *signer, hw_id node)
{
    const struct hw_graph *graph = signer->graph;
    const struct hw_tree *tree = signer->tree;
    const uint32_t anchors = HW_TYPE_MODULE | HW_TYPE_TYPE | HW_TYPE_FUNCTION;
    for (; node < graph->object_count; node = tree->parent[node]) {
        if (type_has(graph, node, anchors) || graph->flags[node] & HW_NODE_TYPE)
            return node;
        if (is_local(signer, node))
            return HW_NONE;
    }
    return HW_NONE;
}

static const char *class_name(const struct hw_graph *graph, hw_id node)
{
    for (uint32_t t = 0; t < graph->type_count; t++)
        if (graph->types[t].node == node)
            return graph->types[t].name;
    return NULL;
}

/* A class by its own name, a function by name and file, all else by its shape. */
static void put_anchor(struct hw_signer *signer, hw_id anchor, const char *shape,
                       struct hw_buf *out)
{
    const struct hw_graph *graph = signer->graph;
    const char *class = class_name(graph, anchor);
    char value[HW_VALUE_MAX_BYTES + 16];
    if (class)
        put_type(signer, class, out);
    else if (type_has(graph, anchor, HW_TYPE_FUNCTION) &&
             hw_graph_value(graph, anchor, value, sizeof(value)))
        hw_buf_put(out, value, strcspn(value, ":"));
    else
        hw_buf_puts(out, shape);
}

/* What lies in a C object belongs to it: its parts change from one version of Python to the next. */
static void put_steps(const char *way, struct hw_buf *out)
{
    for (const char *part = strstr(way, ".<"); part; part = strstr(way, ".<")) {
        hw_buf_put(out, way, (size_t)(part - way));
        way = part + strcspn(part, ">");
        way += *way == '>';
    }
    hw_buf_puts(out, way);
}

static void put_way(struct hw_signer *signer, hw_id anchor, hw_id holder, struct hw_buf *out)
{
    struct hw_buf all = {0}, head = {0};
    hw_shape_spell(signer->shapes, hw_shape_of(signer->shapes, holder), &all);
    if (anchor != HW_NONE)
        hw_shape_spell(signer->shapes, hw_shape_of(signer->shapes, anchor), &head);
    const char *way = hw_buf_str(&all);
    size_t n = head.len;
    /* Where steps were folded across it, the way has no beginning of its own. */
    if (n && strncmp(way, hw_buf_str(&head), n) == 0) {
        put_anchor(signer, anchor, hw_buf_str(&head), out);
        way += n;
    }
    hw_buf_putc(out, '\n');
    put_steps(way, out);
    hw_buf_putc(out, '\n');
    hw_buf_deinit(&all);
    hw_buf_deinit(&head);
}

/* Types from below the anchor to the holder, in this order. */
static void collect_types(const struct hw_signer *signer, hw_id anchor, hw_id holder,
                          struct type_set *set)
{
    const struct hw_graph *graph = signer->graph;
    const struct hw_tree *tree = signer->tree;
    struct type_set upward = {0};
    for (hw_id at = holder; at != anchor && at < graph->object_count; at = tree->parent[at]) {
        uint32_t edge = tree->edge[at];
        if (!edge_is_inner(graph, edge) && (!edge_is_namespace(graph, edge) || at == holder))
            add_type(&upward, type_of(graph, at)->name);
        if (is_local(signer, at))
            break;
    }
    while (upward.count)
        add_type(set, upward.names[--upward.count]);
}

static void put_held(struct hw_signer *signer, const struct hw_candidate *candidate,
                     struct hw_buf *out)
{
    struct type_set types = {0};
    hw_id holder = site_holder(candidate->site), anchor = find_anchor(signer, holder);
    put_way(signer, anchor, holder, out);
    collect_types(signer, anchor, holder, &types);
    put_types(signer, &types, out);
}

/* ---- what nothing holds ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_cycle(struct hw_signer *signer, const struct hw_cycle *cycle, struct hw_buf *out)
{
    const struct hw_graph *graph = signer->graph;
    struct type_set types = {0};
    for (size_t i = 0; i < cycle->count; i++)
        if (!edge_is_namespace(graph, cycle->hops[i].edge))
            add_type(&types, type_of(graph, cycle->hops[i].to)->name);
    qsort(types.names, types.count, sizeof(*types.names), by_text);
    put_types(signer, &types, out);
}

/* ---- */

bool hw_signer_text(struct hw_signer *signer, const struct hw_candidate *candidate,
                    struct hw_buf *out)
{
    bool is_cycle = candidate->cycle != NULL;
    hw_buf_puts(out, candidate->site ? "held\n" : is_cycle ? "cycle\n" : "unheld\n");
    put_type(signer, signer->graph->types[candidate->kind.type].name, out);
    hw_buf_putc(out, '\n');
    if (candidate->site)
        put_held(signer, candidate, out);
    else if (is_cycle)
        put_cycle(signer, &candidate->cycle->cycle, out);
    return hw_buf_ok(out) && hw_shapes_ok(signer->shapes);
}

static const char *spell_shape(struct hw_signer *signer, const struct hw_candidate *candidate,
                               struct hw_arena *arena)
{
    struct hw_buf text = {0};
    if (candidate->site)
        hw_shape_spell(signer->shapes, hw_shape_of(signer->shapes, site_holder(candidate->site)),
                       &text);
    const char *copy = hw_buf_ok(&text) ? hw_arena_strdup(arena, hw_buf_str(&text)) : NULL;
    hw_buf_deinit(&text);
    return copy;
}

bool hw_signer_sign(struct hw_signer *signer, struct hw_candidate *candidate,
                    struct hw_arena *arena, struct hw_err *err)
{
    struct hw_buf text = {0};
    bool ok = hw_signer_text(signer, candidate, &text);
uint64_t hash = ok ? XXH3_64bits(text.data, text.len) : 0;
    hw_buf_deinit(&text);
    candidate->fingerprint = ok ? hw_arena_printf(arena, "%016" PRIx64, hash) : NULL;
    candidate->shape = spell_shape(signer, candidate, arena);
    return (ok && candidate->fingerprint && candidate->shape) || hw_err_no_memory(err);
}

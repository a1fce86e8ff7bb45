/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/shape.h"

#include "ask/lookup.h"
#include "ask/rules.h"
#include "ask/spell.h"
#include "base/err.h"
#include "base/names.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

enum {
    NAMES_MAX = 1 << 16, /* more different names are no names: [*] */
    PERIOD_MAX = 3,      /* steps that repeat together */
    ITEM_ROUNDS = 4,     /* [*][*][*] is clear; only a longer row is folded */
    FIRST_SLOTS = 1 << 10,
};

/* What a step is; what of it is written is in shape_put_step(). */
enum step_kind {
    STEP_BASE,  /* where a path begins: its whole text */
    STEP_ATTR,  /* .name */
    STEP_ITEM,  /* [*] */
    STEP_ENTRY, /* ['name'] */
    STEP_TAG,   /* .<name>: no Python expression */
    STEP_SPACE, /* .__dict__; what follows continues the shape before it */
    STEP_LOOP,  /* +: the steps before, as many as `name` says, any number of times */
    STEP_ANY,   /* .*+: attributes of one type that lead to the same type */
    STEP_REST,  /* ...: too deep */
};

struct step {
    uint32_t name;
    uint8_t kind;
    bool is_recursive; /* an attribute that leads from a type to itself */
};

struct shape {
    uint32_t parent;
    struct step step;
    uint8_t depth;
};

struct hw_shapes {
    const struct hw_graph *graph;
    const struct hw_tree *tree;
    hw_id modules; /* sys.modules, or HW_NONE */
    struct shape *rows;
    size_t count, capacity;
    uint32_t *slots; /* open addressing: numbers of rows, 0: free */
    size_t slot_count;
    uint32_t *of_node;        /* by node: its shape, 0: not yet known */
    uint32_t *name_of_node;   /* by node: the name that a key or a code object stands for, + 1 */
    uint32_t *name_of_string; /* by label's string, + 1 */
    struct hw_names names;
    struct hw_arena arena; /* the names' texts */
    hw_id *way;            /* from a node up to one that has a shape */
    size_t way_capacity;
    bool failed;
};

/* ---- names ---- */

static uint32_t name_add(struct hw_shapes *shapes, const char *text)
{
    uint32_t name = hw_names_intern(&shapes->names, text, strlen(text));
    shapes->failed |= shapes->names.failed;
    return name;
}

static const char *name_text(const struct hw_shapes *shapes, uint32_t name)
{
    return shapes->names.text[name];
}

static uint32_t name_of_label(struct hw_shapes *shapes, uint32_t edge)
{
    uint32_t string = hw_label_payload(shapes->graph->edge_label[edge]);
    if (string >= shapes->graph->string_count)
        return 0;
    uint32_t *known = &shapes->name_of_string[string];
    if (!*known)
        *known = 1 + name_add(shapes, shapes->graph->strings[string]);
    return *known - 1;
}

/* What a key reads, when it is a name; 0, the empty name, when it is none or there are too many. */
static uint32_t name_of_key(struct hw_shapes *shapes, hw_id key)
{
    uint32_t *known = &shapes->name_of_node[key];
    if (*known || shapes->names.count > NAMES_MAX)
        return *known ? *known - 1 : 0;
    char value[HW_VALUE_MAX_BYTES + 16];
    struct hw_buf text = {0};
    *known = 1;
    if (hw_graph_value(shapes->graph, key, value, sizeof(value)) && hw_literal_text(value, &text))
        *known = 1 + name_add(shapes, hw_buf_str(&text));
    hw_buf_deinit(&text);
    return *known - 1;
}

/* ---- shapes are kept once ---- */

static bool step_equal(struct step a, struct step b)
{
    return a.name == b.name && a.kind == b.kind;
}

static size_t slot_of(const struct hw_shapes *shapes, uint32_t parent, struct step step)
{
    uint64_t hash = ((uint64_t)parent << 32 | (uint64_t)step.kind << 26) ^ step.name;
    hash = (hash ^ hash >> 29) * UINT64_C(0x9e3779b97f4a7c15);
    size_t at = (size_t)(hash >> 20) & (shapes->slot_count - 1);
    while (shapes->slots[at] && (shapes->rows[shapes->slots[at]].parent != parent ||
                                 !step_equal(shapes->rows[shapes->slots[at]].step, step)))
        at = (at + 1) & (shapes->slot_count - 1);
    return at;
}

static bool slots_grow(struct hw_shapes *shapes)
{
    size_t count = shapes->slot_count ? shapes->slot_count * 2 : FIRST_SLOTS;
    uint32_t *slots = calloc(count, sizeof(*slots));
    if (!slots)
        return false;
    free(shapes->slots);
    shapes->slots = slots;
    shapes->slot_count = count;
    for (uint32_t i = 1; i < shapes->count; i++)
        slots[slot_of(shapes, shapes->rows[i].parent, shapes->rows[i].step)] = i;
    return true;
}

static uint32_t shape_add(struct hw_shapes *shapes, uint32_t parent, struct step step)
{
    if (shapes->count * 2 >= shapes->slot_count && !slots_grow(shapes)) {
        shapes->failed = true;
        return HW_SHAPE_NONE;
    }
    size_t at = slot_of(shapes, parent, step);
    if (shapes->slots[at])
        return shapes->slots[at];
    struct shape *rows =
        hw_vec_grow(shapes->rows, &shapes->capacity, shapes->count + 1, sizeof(*rows));
    if (!rows) {
        shapes->failed = true;
        return HW_SHAPE_NONE;
    }
    shapes->rows = rows;
    uint8_t depth = parent ? (uint8_t)(rows[parent].depth + 1) : 0;
    rows[shapes->count] = (struct shape){parent, step, depth};
    shapes->slots[at] = (uint32_t)shapes->count;
    return (uint32_t)shapes->count++;
}

/* ---- steps that repeat ---- */

/* The shape `steps` before this one; HW_SHAPE_NONE when it is not that long. */
static uint32_t shape_up(const struct hw_shapes *shapes, uint32_t shape, uint32_t steps)
{
    for (; shape && steps; steps--)
        shape = shapes->rows[shape].parent;
    return shape;
}

/* Whether the last `period` steps of both are the same, and plain. */
static bool ends_equal(const struct hw_shapes *shapes, uint32_t a, uint32_t b, uint32_t period)
{
    for (; period; period--) {
        if (!a || !b)
            return false;
        struct step x = shapes->rows[a].step, y = shapes->rows[b].step;
        if (!step_equal(x, y) || x.kind == STEP_LOOP || x.kind == STEP_BASE)
            return false;
        a = shapes->rows[a].parent;
        b = shapes->rows[b].parent;
    }
    return true;
}

/* How often steps must stand in a row to be folded. */
static uint32_t rounds_needed(const struct hw_shapes *shapes, uint32_t shape, uint32_t period)
{
    return period == 1 && shapes->rows[shape].step.kind == STEP_ITEM ? ITEM_ROUNDS : 2;
}

static bool has_rounds(const struct hw_shapes *shapes, uint32_t shape, uint32_t period)
{
    uint32_t before = shape, rounds = rounds_needed(shapes, shape, period);
    for (uint32_t i = 1; i < rounds; i++) {
        before = shape_up(shapes, before, period);
        if (!ends_equal(shapes, shape, before, period))
            return false;
    }
    return true;
}

/* X.a.a -> X.a+ and X.a+.a -> X.a+, likewise for some steps together. */
static uint32_t fold(struct hw_shapes *shapes, uint32_t shape)
{
    for (uint32_t period = 1; shape && period <= PERIOD_MAX; period++) {
        uint32_t up = shape_up(shapes, shape, period);
        if (!up)
            break;
        struct step last = shapes->rows[up].step;
        if (last.kind == STEP_LOOP && last.name == period &&
            ends_equal(shapes, shape, shapes->rows[up].parent, period))
            return up;
        if (!has_rounds(shapes, shape, period))
            continue;
        uint32_t once =
            shape_up(shapes, shape, period * (rounds_needed(shapes, shape, period) - 1));
        return shape_add(shapes, once, (struct step){.name = period, .kind = STEP_LOOP});
    }
    return shape;
}

/* Attributes of one type in any order: in a tree of left and right every node has a path of its
 * own. */
static uint32_t join_recursive(struct hw_shapes *shapes, uint32_t shape, struct step step)
{
    const struct shape *row = &shapes->rows[shape];
    struct step any = {.kind = STEP_ANY, .is_recursive = true};
    if (row->step.kind == STEP_ANY)
        return shape;
    if (row->step.kind == STEP_LOOP && row->step.name == 1)
        row = &shapes->rows[row->parent];
    if (row->step.kind != STEP_ATTR || !row->step.is_recursive || row->step.name == step.name)
        return HW_SHAPE_NONE;
    return shape_add(shapes, row->parent, any);
}

static uint32_t extend(struct hw_shapes *shapes, uint32_t shape, struct step step)
{
    if (!shape || shapes->rows[shape].step.kind == STEP_REST)
        return shape;
    if (shapes->rows[shape].step.kind == STEP_SPACE)
        shape = shapes->rows[shape].parent;
    if (shapes->rows[shape].depth >= HW_SHAPE_DEPTH)
        return shape_add(shapes, shape, (struct step){.kind = STEP_REST});
    uint32_t joined = step.is_recursive ? join_recursive(shapes, shape, step) : HW_SHAPE_NONE;
    return joined ? joined : fold(shapes, shape_add(shapes, shape, step));
}

/* ---- where paths begin ---- */

static uint32_t base_add(struct hw_shapes *shapes, struct hw_buf *text)
{
    struct step step = {.name = name_add(shapes, hw_buf_str(text)), .kind = STEP_BASE};
    shapes->failed |= !hw_buf_ok(text);
    hw_buf_deinit(text);
    return shape_add(shapes, HW_SHAPE_NONE, step);
}

/* Thread-12 (serve) -> Thread-* (serve) */
static void put_without_numbers(const char *name, struct hw_buf *out)
{
    while (*name) {
        size_t digits = strspn(name, "0123456789"), others = strcspn(name, "0123456789");
        if (digits)
            hw_buf_putc(out, '*');
        hw_buf_put(out, name + digits, digits ? 0 : others);
        name += digits ? digits : others;
    }
}

/* libpython3.11.so.1.0, python3.13 -> python; _ssl.cpython-311-x86_64-linux-gnu.so -> _ssl */
static void put_library(const char *name, struct hw_buf *out)
{
    if (strncmp(name, "libpython", 9) == 0 || strncmp(name, "python", 6) == 0)
        hw_buf_puts(out, "python");
    else
        hw_buf_put(out, name, strcspn(name, "."));
}

static uint32_t synthetic_base(struct hw_shapes *shapes, const struct hw_synthetic *s)
{
    static const char *const words[] = {[HW_SYN_ROOT] = "<root",
                                        [HW_SYN_INTERPRETER] = "<interpreter",
                                        [HW_SYN_THREAD] = "<thread ",
                                        [HW_SYN_FRAME] = "<",
                                        [HW_SYN_STATIC_TYPES] = "<static types",
                                        [HW_SYN_C_GLOBALS] = "<globals of ",
                                        [HW_SYN_NATIVE_STACK] = "<native stack"};
    struct hw_buf text = {0};
    hw_buf_puts(&text, synthetic_is_own(s) ? "<" : words[s->kind]);
    if (synthetic_is_own(s))
        hw_buf_printf(&text, "%s itself", s->name);
    else if (s->kind == HW_SYN_THREAD)
        put_without_numbers(s->name[0] ? s->name : "*", &text);
    else if (s->kind == HW_SYN_C_GLOBALS)
        put_library(s->name, &text);
    else if (s->kind == HW_SYN_FRAME)
        hw_buf_printf(&text, "%s() at %s", s->name, hw_file_base(s->file));
    hw_buf_putc(&text, '>');
    return base_add(shapes, &text);
}

/* The code of a generator, whose text a million of them share; the generator when it has none. */
static hw_id code_of(const struct hw_graph *graph, hw_id generator)
{
    for (uint32_t e = graph->edge_start[generator]; e < graph->edge_start[generator + 1]; e++)
        if (edge_kind(graph, e) == HW_LABEL_ATTR &&
            hw_name_matches("*_code", edge_string(graph, e)))
            return graph->edge_to[e];
    return generator;
}

/* serve() at app.py */
static void put_function(char *value, struct hw_buf *out)
{
    struct hw_function_text function = hw_function_text_cut(value);
    hw_buf_puts(out, function.name);
    if (!*function.place)
        return;
    const char *file = hw_file_base(function.place), *colon = strrchr(file, ':');
    hw_buf_puts(out, "() at ");
    hw_buf_put(out, file, colon ? (size_t)(colon - file) : strlen(file));
}

static void put_suspended(const struct hw_graph *graph, hw_id generator, hw_id code,
                          struct hw_buf *out)
{
    char value[HW_VALUE_MAX_BYTES + 16];
    hw_buf_printf(out, "<%s", type_of(graph, generator)->name);
    if (hw_graph_value(graph, code, value, sizeof(value))) {
        hw_buf_putc(out, ' ');
        put_function(value, out);
    }
    hw_buf_putc(out, '>');
}

/* <coroutine serve() at app.py>, kept at the function's code. */
static uint32_t suspended_base(struct hw_shapes *shapes, hw_id generator)
{
    hw_id code = code_of(shapes->graph, generator);
    uint32_t *known = &shapes->name_of_node[code];
    if (!*known) {
        struct hw_buf text = {0};
        put_suspended(shapes->graph, generator, code, &text);
        *known = 1 + name_add(shapes, hw_buf_str(&text));
        hw_buf_deinit(&text);
    }
    return shape_add(shapes, HW_SHAPE_NONE, (struct step){.name = *known - 1, .kind = STEP_BASE});
}

/* ---- from a node to the next ---- */

static struct step tag(struct hw_shapes *shapes, const char *name)
{
    return (struct step){.name = name_add(shapes, name), .kind = STEP_TAG};
}

/* The object whose attributes the shape continues: a __dict__ is a part of it. */
static bool is_recursive(const struct hw_shapes *shapes, uint32_t shape, hw_id from, hw_id to)
{
    const struct hw_graph *graph = shapes->graph;
    if (shapes->rows[shape].step.kind == STEP_SPACE)
        from = shapes->tree->parent[from];
    return from != HW_NONE && from < graph->object_count && graph->type[from] == graph->type[to];
}

/* An object of threading.local has a dict for each thread, in a dict that only C sees, whose name
 * and keys change with the version (Modules/_threadmodule.c: dummies, localdicts). Attributes all
 * the same: all threads' dicts are one. */
static bool is_thread_spaces(const struct hw_graph *graph, hw_id from, uint32_t edge)
{
    return edge_kind(graph, edge) == HW_LABEL_INTERNAL && from < graph->object_count &&
           strcmp(type_of(graph, from)->name, "_thread._local") == 0 &&
           type_has(graph, graph->edge_to[edge], HW_TYPE_DICT);
}

static struct step space_step(struct hw_shapes *shapes, const char *name)
{
    return (struct step){.name = name_add(shapes, name), .kind = STEP_SPACE};
}

static struct step value_step(struct hw_shapes *shapes, uint32_t shape, hw_id from, uint32_t edge)
{
    bool is_space = shapes->rows[shape].step.kind == STEP_SPACE;
    hw_id holder = shapes->tree->parent[from];
    if (is_space && holder != HW_NONE &&
        is_thread_spaces(shapes->graph, holder, shapes->tree->edge[from]))
        return space_step(shapes, "__dict__");
    if (!is_space && from != shapes->modules)
        return (struct step){.kind = STEP_ITEM};
    uint32_t name = name_of_key(shapes, key_of(shapes->graph, edge));
    if (!name || (is_space && !hw_is_identifier(name_text(shapes, name))))
        return (struct step){.kind = STEP_ITEM};
    return (struct step){.name = name, .kind = is_space ? STEP_ATTR : STEP_ENTRY};
}

static struct step named_step(struct hw_shapes *shapes, uint32_t shape, uint32_t edge)
{
    bool is_space = shapes->rows[shape].step.kind == STEP_SPACE;
    return (struct step){.name = name_of_label(shapes, edge),
                         .kind = is_space ? STEP_ATTR : STEP_ENTRY};
}

static struct step attribute_step(struct hw_shapes *shapes, uint32_t edge)
{
    uint32_t name = name_of_label(shapes, edge);
    bool is_space = strcmp(edge_string(shapes->graph, edge), "__dict__") == 0;
    return (struct step){.name = name, .kind = is_space ? STEP_SPACE : STEP_ATTR};
}

static const char *name_of_type(const struct hw_graph *graph, hw_id node)
{
    for (uint32_t t = 0; t < graph->type_count; t++)
        if (graph->types[t].node == node)
            return graph->types[t].name;
    return NULL;
}

/* What only C holds; a type in C data goes by its own name. */
static struct step internal_step(struct hw_shapes *shapes, hw_id from, uint32_t edge)
{
    if (is_thread_spaces(shapes->graph, from, edge))
        return space_step(shapes, "__dict__");
    const struct hw_synthetic *s = hw_graph_synthetic(shapes->graph, from);
    const char *type = s && s->kind == HW_SYN_STATIC_TYPES
                           ? name_of_type(shapes->graph, shapes->graph->edge_to[edge])
                           : NULL;
    if (type)
        return tag(shapes, type);
    return (struct step){.name = name_of_label(shapes, edge), .kind = STEP_TAG};
}

static struct step step_of(struct hw_shapes *shapes, uint32_t shape, hw_id from, uint32_t edge)
{
    switch (edge_kind(shapes->graph, edge)) {
    case HW_LABEL_ATTR:
        return attribute_step(shapes, edge);
    case HW_LABEL_LOCAL:
        return (struct step){.name = name_of_label(shapes, edge), .kind = STEP_ATTR};
    case HW_LABEL_VALUE:
        return value_step(shapes, shape, from, edge);
    case HW_LABEL_NAMED:
        return named_step(shapes, shape, edge);
    case HW_LABEL_KEY:
        return tag(shapes, "key");
    case HW_LABEL_MEMBER:
        return tag(shapes, "member");
    case HW_LABEL_STACK:
        return tag(shapes, "stack");
    case HW_LABEL_WORD:
        return tag(shapes, "word");
    case HW_LABEL_TYPE:
        return (struct step){.name = name_add(shapes, "__class__"), .kind = STEP_ATTR};
    case HW_LABEL_INTERNAL:
    case HW_LABEL_HIDDEN:
    case HW_LABEL_ROOT:
        return internal_step(shapes, from, edge);
    case HW_LABEL_INDEX:
        break;
    }
    return (struct step){.kind = STEP_ITEM};
}

static uint32_t shape_below(struct hw_shapes *shapes, uint32_t shape, hw_id from, uint32_t edge)
{
    const struct hw_graph *graph = shapes->graph;
    hw_id to = graph->edge_to[edge];
    if (to >= graph->object_count)
        return synthetic_base(shapes, &graph->synthetic[to - graph->object_count]);
    if (to == shapes->modules && edge_kind(graph, edge) == HW_LABEL_ROOT) {
        struct hw_buf text = {0};
        hw_buf_puts(&text, "sys.modules");
        return base_add(shapes, &text);
    }
    if (edge_kind(graph, edge) == HW_LABEL_LOCAL && type_has(graph, from, HW_TYPE_GENERATOR))
        shape = suspended_base(shapes, from);
    if (!shape)
        return HW_SHAPE_NONE;
    struct step step = step_of(shapes, shape, from, edge);
    if (step.kind == STEP_SPACE && shapes->rows[shape].step.kind == STEP_SPACE)
        return shape;
    if (step.kind == STEP_SPACE)
        return shape_add(shapes, shape, step);
    step.is_recursive = step.kind == STEP_ATTR && is_recursive(shapes, shape, from, to);
    return extend(shapes, shape, step);
}

/* ---- */

/* Collects the nodes from node up to one whose shape is known, or the root. */
static bool climb(struct hw_shapes *shapes, hw_id node, size_t *ret_count)
{
    size_t n = 0;
    for (; node != HW_NONE && !shapes->of_node[node]; node = shapes->tree->parent[node]) {
        hw_id *way = hw_vec_grow(shapes->way, &shapes->way_capacity, n + 1, sizeof(*way));
        if (!way)
            return false;
        shapes->way = way;
        way[n++] = node;
    }
    *ret_count = n;
    return true;
}

uint32_t hw_shape_of(struct hw_shapes *shapes, hw_id node)
{
    size_t n;
    if (shapes->failed || !tree_has(shapes->tree, node))
        return HW_SHAPE_NONE;
    if (!climb(shapes, node, &n)) {
        shapes->failed = true;
        return HW_SHAPE_NONE;
    }
    while (n-- && !shapes->failed) {
        hw_id id = shapes->way[n], parent = shapes->tree->parent[id];
        shapes->of_node[id] =
            parent == HW_NONE
                ? synthetic_base(shapes,
                                 &shapes->graph->synthetic[id - shapes->graph->object_count])
                : shape_below(shapes, shapes->of_node[parent], parent, shapes->tree->edge[id]);
    }
    return shapes->failed ? HW_SHAPE_NONE : shapes->of_node[node];
}

uint32_t hw_shape_begin(struct hw_shapes *shapes, const char *text)
{
    return shape_add(shapes, HW_SHAPE_NONE,
                     (struct step){.name = name_add(shapes, text), .kind = STEP_BASE});
}

uint32_t hw_shape_begin_at(struct hw_shapes *shapes, hw_id node)
{
    const struct hw_synthetic *s = hw_graph_synthetic(shapes->graph, node);
    return s ? synthetic_base(shapes, s) : suspended_base(shapes, node);
}

uint32_t hw_shape_extend(struct hw_shapes *shapes, uint32_t shape, hw_id from, uint32_t edge)
{
    return shapes->failed ? HW_SHAPE_NONE : shape_below(shapes, shape, from, edge);
}

bool hw_shapes_ok(const struct hw_shapes *shapes)
{
    return !shapes->failed;
}

uint32_t hw_shapes_count(const struct hw_shapes *shapes)
{
    return (uint32_t)shapes->count;
}

bool hw_shapes_create(struct hw_shapes **ret_shapes, const struct hw_graph *graph,
                      const struct hw_tree *tree, struct hw_err *err)
{
    struct hw_shapes *shapes = calloc(1, sizeof(*shapes));
    if (!shapes)
        return hw_err_no_memory(err);
    shapes->graph = graph;
    shapes->tree = tree;
    shapes->modules = hw_modules_dict(graph);
    /* Large and mostly not touched: memory comes with the first write to a page. */
    shapes->of_node = calloc(graph->node_count, sizeof(*shapes->of_node));
    shapes->name_of_node = calloc(graph->node_count, sizeof(*shapes->name_of_node));
    shapes->name_of_string = calloc(graph->string_count + 1, sizeof(*shapes->name_of_string));
    shapes->rows = hw_vec_grow(NULL, &shapes->capacity, 1, sizeof(*shapes->rows));
    bool ok = shapes->of_node && shapes->name_of_node && shapes->name_of_string && shapes->rows &&
              hw_names_init(&shapes->names, &shapes->arena);
    if (!ok) {
        hw_shapes_destroy(shapes);
        return hw_err_no_memory(err);
    }
    shapes->rows[shapes->count++] = (struct shape){0};
    *ret_shapes = shapes;
    return true;
}

void hw_shapes_destroy(struct hw_shapes *shapes)
{
    if (!shapes)
        return;
    hw_names_deinit(&shapes->names);
    hw_arena_deinit(&shapes->arena);
    free(shapes->rows);
    free(shapes->slots);
    free(shapes->of_node);
    free(shapes->name_of_node);
    free(shapes->name_of_string);
    free(shapes->way);
    free(shapes);
}

/* ---- spelling ---- */

static void put_step(const struct hw_shapes *shapes, struct step step, struct hw_buf *out)
{
    const char *name = name_text(shapes, step.kind == STEP_LOOP ? 0 : step.name);
    switch ((enum step_kind)step.kind) {
    case STEP_BASE:
        hw_buf_puts(out, name);
        break;
    case STEP_ATTR:
    case STEP_SPACE:
        hw_buf_printf(out, hw_is_identifier(name) ? ".%s" : ".<%s>", name);
        break;
    case STEP_ITEM:
        hw_buf_puts(out, "[*]");
        break;
    case STEP_ENTRY:
        hw_buf_printf(out, "['%s']", name);
        break;
    case STEP_TAG:
        hw_buf_printf(out, ".<%s>", name);
        break;
    case STEP_LOOP:
        hw_buf_puts(out, step.name == 1 ? "+" : ")+");
        break;
    case STEP_ANY:
        hw_buf_puts(out, ".*+");
        break;
    case STEP_REST:
        hw_buf_puts(out, "...");
        break;
    }
}

void hw_shape_spell(const struct hw_shapes *shapes, uint32_t shape, struct hw_buf *out)
{
    struct step steps[HW_SHAPE_DEPTH + 3];
    bool opens[HW_SHAPE_DEPTH + 3] = {false};
    size_t n = 0;
    for (; shape && n < sizeof(steps) / sizeof(*steps); shape = shapes->rows[shape].parent)
        steps[n++] = shapes->rows[shape].step;
    for (size_t i = 0; i < n; i++)
        if (steps[i].kind == STEP_LOOP && steps[i].name > 1 && i + steps[i].name < n)
            opens[i + steps[i].name] = true;
    while (n--) {
        if (opens[n])
            hw_buf_putc(out, '(');
        put_step(shapes, steps[n], out);
    }
}

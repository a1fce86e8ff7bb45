/* SPDX-License-Identifier: Apache-2.0 */
#include "why/bound.h"

#include "ask/lookup.h"
#include "base/err.h"
#include "why/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FAR_AWAY = 50 }; /* a number so many times larger bounds something else */

enum word {
    WORD_LEN = 1,
    WORD_REMOVAL = 2,
    WORD_BOUND = 4,
};

/* A string that code uses as a name, with what it may mean. */
struct name {
    hw_id str;
    uint8_t words;
    const char *text;
};
struct hw_bounds {
    const struct hw_growth *growth;
    struct name *names; /* by str */
    size_t name_count;
    hw_id *codes;
    size_t code_count;
    struct hw_arena arena;
};

/* ---- the code's names ---- */

static bool edge_lists_names(const struct hw_graph *graph, uint32_t edge)
{
    static const char *const lists[] = {"co_names", "co_varnames", "co_localsplusnames",
                                        "co_freevars", "co_cellvars"};
    if (edge_kind(graph, edge) != HW_LABEL_ATTR && edge_kind(graph, edge) != HW_LABEL_INTERNAL)
        return false;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        if (strcmp(edge_string(graph, edge), lists[i]) == 0)
            return true;
    return false;
}

typedef void visit_name(void *ctx, hw_id str);
static void visit_names(const struct hw_graph *graph, hw_id code, visit_name *visit, void *ctx)
{
    for (uint32_t e = graph->edge_start[code]; e < graph->edge_start[code + 1]; e++) {
        hw_id tuple = graph->edge_to[e];
        if (!edge_lists_names(graph, e))
            continue;
        for (uint32_t i = graph->edge_start[tuple]; i < graph->edge_start[tuple + 1]; i++)
            if (edge_kind(graph, i) == HW_LABEL_INDEX &&
                type_has(graph, graph->edge_to[i], HW_TYPE_STR))
                visit(ctx, graph->edge_to[i]);
    }
}

static void mark_name(void *ctx, hw_id str)
{
    ((uint8_t *)ctx)[str] = 1;
}

static bool says_bound(const char *text)
{
    for (size_t i = 0; hw_bound_words[i]; i++)
        if (strcasestr(text, hw_bound_words[i]))
            return true;
    return false;
}

static uint8_t words_of(const char *text)
{
    if (strcmp(text, "len") == 0)
        return WORD_LEN;
    for (size_t i = 0; hw_removal_words[i]; i++)
        if (strcmp(text, hw_removal_words[i]) == 0)
            return WORD_REMOVAL;
    return says_bound(text) ? WORD_BOUND : 0;
}

static bool read_names(struct hw_bounds *bounds, const uint8_t *marks)
{
    const struct hw_graph *graph = bounds->growth->graph;
    struct hw_buf text = {0};
    size_t n = 0;
    for (hw_id id = 0; id < graph->object_count; id++)
        n += marks[id];
    bounds->names = hw_arena_array(&bounds->arena, n + 1, sizeof(*bounds->names));
    bool ok = bounds->names != NULL;
    for (hw_id id = 0; ok && id < graph->object_count; id++) {
        char value[HW_VALUE_MAX_BYTES + 16];
        if (!marks[id] || !hw_graph_value(graph, id, value, sizeof(value)) ||
            !hw_literal_text(value, &text))
            continue;
        struct name *name = &bounds->names[bounds->name_count++];
        *name = (struct name){id, words_of(hw_buf_str(&text)),
                              hw_arena_strdup(&bounds->arena, hw_buf_str(&text))};
        ok = name->text != NULL;
    }
    hw_buf_deinit(&text);
    return ok;
}

static bool collect(struct hw_bounds *bounds)
{
    const struct hw_graph *graph = bounds->growth->graph;
    uint8_t *marks = calloc(graph->node_count, 1);
    size_t n = 0;
    for (hw_id id = 0; id < graph->object_count; id++)
        n += type_has(graph, id, HW_TYPE_CODE);
    bounds->codes = hw_arena_array(&bounds->arena, n + 1, sizeof(*bounds->codes));
    bool ok = marks && bounds->codes;
    for (hw_id id = 0; ok && id < graph->object_count; id++) {
        if (!type_has(graph, id, HW_TYPE_CODE))
            continue;
        bounds->codes[bounds->code_count++] = id;
        visit_names(graph, id, mark_name, marks);
    }
    ok = ok && read_names(bounds, marks);
    free(marks);
    return ok;
}

bool hw_bounds_create(struct hw_bounds **ret_bounds, const struct hw_growth *growth,
                      struct hw_err *err)
{
    struct hw_bounds *bounds = calloc(1, sizeof(*bounds));
    if (bounds)
        bounds->growth = growth;
    if (!bounds || !collect(bounds)) {
        hw_bounds_destroy(bounds);
        return hw_err_no_memory(err);
    }
    *ret_bounds = bounds;
    return true;
}

void hw_bounds_destroy(struct hw_bounds *bounds)
{
    if (!bounds)
        return;
    hw_arena_deinit(&bounds->arena);
    free(bounds);
}

static const struct name *find_name(const struct hw_bounds *bounds, hw_id str)
{
    for (size_t low = 0, high = bounds->name_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (bounds->names[middle].str == str)
            return &bounds->names[middle];
        if (bounds->names[middle].str < str)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ---- bounds that C code enforces ---- */

static uint64_t read_stated(const struct hw_graph *graph, hw_id node, const char *word)
{
    char value[HW_VALUE_MAX_BYTES + 16];
    size_t n = strlen(word);
    if (node >= graph->object_count || !hw_graph_value(graph, node, value, sizeof(value)) ||
        strncmp(value, word, n) != 0)
        return 0;
    return strtoull(value + n, NULL, 10);
}

static bool find_stated(const struct hw_graph *graph, const struct hw_site *site,
                        struct hw_bound *bound)
{
    static const char *const words[] = {"maxlen=", "maxsize="};
    for (size_t i = 0; i < 2; i++) {
        uint64_t at_box = read_stated(graph, site->box, words[i]);
        uint64_t value = at_box ? at_box : read_stated(graph, site->name, words[i]);
        if (!value)
            continue;
        bound->value = value;
        snprintf(bound->where, sizeof(bound->where), "its %.*s", (int)strlen(words[i]) - 1,
                 words[i]);
        return true;
    }
    return false;
}

/* ---- bounds that the program's code states ---- */

struct place {
    const struct hw_bounds *bounds;
    const char *name;   /* what code calls the container; NULL: self */
    hw_id owner;        /* the object that has it as an attribute, or HW_NONE */
    hw_id module_space; /* of the module it belongs to, or HW_NONE */
    uint64_t length;
    struct hw_bound *bound;
};

struct use {
    const struct place *place;
    bool names_container;
    uint8_t words;
    const char *bounds[16]; /* names that say "at most" */
    size_t bound_count;
};

static void note_name(void *ctx, hw_id str)
{
    struct use *use = ctx;
    const struct name *name = find_name(use->place->bounds, str);
    if (!name)
        return;
    use->words |= name->words;
    use->names_container |= use->place->name && strcmp(use->place->name, name->text) == 0;
    if (name->words & WORD_BOUND && use->bound_count < sizeof(use->bounds) / sizeof(use->bounds[0]))
        use->bounds[use->bound_count++] = name->text;
}

static bool fits(const struct place *place, hw_id node, uint64_t *ret_value)
{
    const struct hw_graph *graph = place->bounds->growth->graph;
    char value[HW_VALUE_MAX_BYTES + 16], *end;
    if (strcmp(type_of(graph, node)->name, "int") != 0 ||
        !hw_graph_value(graph, node, value, sizeof(value)))
        return false;
    *ret_value = strtoull(value, &end, 10);
    return !*end && value[0] != '-' && *ret_value >= place->length &&
           *ret_value <= place->length * FAR_AWAY;
}

/* A number that belongs to the container's owner is close; a global one must be compared with a
 * length. */
static bool try_name(const struct place *place, const char *name, uint8_t words)
{
    const struct hw_graph *graph = place->bounds->growth->graph;
    uint32_t edge = place->owner != HW_NONE ? hw_attr_find(graph, place->owner, name) : HW_NO_EDGE;
    if (edge == HW_NO_EDGE && place->module_space != HW_NONE && words & WORD_LEN)
        edge = hw_entry_find(graph, place->module_space, name);
    uint64_t value;
    if (edge == HW_NO_EDGE || !fits(place, graph->edge_to[edge], &value))
        return false;
    place->bound->value = value;
    snprintf(place->bound->where, sizeof(place->bound->where), "%.100s", name);
    return true;
}

static bool try_constants(const struct place *place, hw_id code)
{
    const struct hw_graph *graph = place->bounds->growth->graph;
    uint32_t consts = hw_edge_find(graph, code, HW_LABEL_ATTR, "co_consts");
    if (consts == HW_NO_EDGE)
        return false;
    hw_id tuple = graph->edge_to[consts];
    for (uint32_t e = graph->edge_start[tuple]; e < graph->edge_start[tuple + 1]; e++) {
        uint64_t value;
        char where[HW_VALUE_MAX_BYTES + 16] = "";
        if (edge_kind(graph, e) != HW_LABEL_INDEX || !fits(place, graph->edge_to[e], &value))
            continue;
        hw_graph_value(graph, code, where, sizeof(where));
        place->bound->value = value;
        snprintf(place->bound->where, sizeof(place->bound->where), "a number in %.120s", where);
        return true;
    }
    return false;
}

static bool try_code(const struct place *place, hw_id code, bool is_own)
{
    struct use use = {.place = place};
    visit_names(place->bounds->growth->graph, code, note_name, &use);
    if ((!use.names_container && !is_own) || !(use.words & (WORD_LEN | WORD_REMOVAL)))
        return false;
    for (size_t i = 0; i < use.bound_count; i++)
        if (try_name(place, use.bounds[i], use.words))
            return true;
    return (use.words & (WORD_LEN | WORD_REMOVAL)) == (WORD_LEN | WORD_REMOVAL) &&
           try_constants(place, code);
}

/* The code of the methods in a class namespace. */
static bool try_methods(const struct place *place, hw_id space)
{
    const struct hw_graph *graph = place->bounds->growth->graph;
    for (uint32_t e = graph->edge_start[space]; e < graph->edge_start[space + 1]; e++) {
        hw_id function = graph->edge_to[e];
        if (!hw_edge_is_member(graph, e) || !type_has(graph, function, HW_TYPE_FUNCTION))
            continue;
        uint32_t code = hw_edge_find(graph, function, HW_LABEL_ATTR, "__code__");
        if (code != HW_NO_EDGE && try_code(place, graph->edge_to[code], true))
            return true;
    }
    return false;
}

static hw_id module_space_of(const struct hw_growth *growth, hw_id id)
{
    for (; id != HW_NONE; id = growth->tree.parent[id])
        if (id < growth->graph->object_count && type_has(growth->graph, id, HW_TYPE_MODULE))
            return hw_namespace_of(growth->graph, id);
    return HW_NONE;
}

/* The name by which code refers to the container at the end of the path. */
static bool name_container(const struct hw_growth *growth, hw_id box, struct hw_buf *name,
                           hw_id *ret_owner)
{
    const struct hw_graph *graph = growth->graph;
    uint32_t edge = growth->tree.edge[box];
    hw_id parent = growth->tree.parent[box];
    char value[HW_VALUE_MAX_BYTES + 16];
    hw_buf_clear(name);
    if (edge == HW_NONE)
        return false;
    if (parent < graph->object_count && growth->tree.edge[parent] != HW_NONE &&
        edge_kind(graph, growth->tree.edge[parent]) == HW_LABEL_ATTR &&
        strcmp(edge_string(graph, growth->tree.edge[parent]), "__dict__") == 0)
        parent = growth->tree.parent[parent];
    *ret_owner = parent < graph->object_count ? parent : HW_NONE;
    switch (edge_kind(graph, edge)) {
    case HW_LABEL_ATTR:
    case HW_LABEL_LOCAL:
    case HW_LABEL_NAMED:
        hw_buf_puts(name, edge_string(graph, edge));
        return true;
    case HW_LABEL_VALUE:
        return hw_graph_value(graph, key_of(graph, edge), value, sizeof(value)) &&
               hw_literal_text(value, name) && hw_is_identifier(hw_buf_str(name));
    default:
        return false;
    }
}

static bool find_in_code(const struct hw_bounds *bounds, const struct hw_site *site,
                         struct hw_bound *bound)
{
    const struct hw_growth *growth = bounds->growth;
    const struct hw_graph *graph = growth->graph;
    struct hw_buf name = {0};
    struct place place = {.bounds = bounds,
                          .owner = HW_NONE,
                          .module_space = module_space_of(growth, site->box),
                          .length = site->lengths[growth->series->count - 1],
                          .bound = bound};
    bool found = false;
    const struct hw_type *type = type_of(graph, site->box);
    if (type->flags & HW_TYPE_PYTHON && type->node != HW_NONE) {
        hw_id space = hw_namespace_of(graph, type->node);
        place.owner = site->box;
        found = space != HW_NONE && try_methods(&place, space);
    }
    if (!found && name_container(growth, site->box, &name, &place.owner)) {
        place.name = hw_buf_str(&name);
        if (place.owner != HW_NONE && type_has(graph, place.owner, HW_TYPE_MODULE))
            place.owner = HW_NONE; /* its attributes are globals */
        for (size_t i = 0; !found && i < bounds->code_count; i++)
            found = try_code(&place, bounds->codes[i], false);
    }
    hw_buf_deinit(&name);
    return found;
}

struct hw_bound hw_bound_find(const struct hw_bounds *bounds, const struct hw_site *site)
{
    const struct hw_graph *graph = bounds->growth->graph;
    struct hw_bound bound = {0};
    if (!find_stated(graph, site, &bound) && site->box < graph->object_count)
        find_in_code(bounds, site, &bound);
    return bound;
}

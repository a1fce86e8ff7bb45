/* SPDX-License-Identifier: Apache-2.0 */
#include "why/bound.h"

#include "ask/lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FAR_AWAY = 50 }; /* a number so many times larger bounds something else */

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

static const char *const stated_words[] = {"maxlen=", "maxsize="};
enum { STATED_WORDS = 2 };

static uint64_t find_stated_at(const struct hw_graph *graph, hw_id node, const char **ret_word)
{
    for (size_t i = 0; i < STATED_WORDS; i++) {
        uint64_t value = read_stated(graph, node, stated_words[i]);
        *ret_word = stated_words[i];
        if (value)
            return value;
    }
    return 0;
}

/* Of parts that grow side by side, together: none may be without. */
static uint64_t find_stated_sum(const struct hw_graph *graph, const struct hw_site *site,
                                const char **ret_word)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < site->front_count; i++) {
        uint64_t value = find_stated_at(graph, site->fronts[i], ret_word);
        if (!value)
            return 0;
        sum += value;
    }
    return sum;
}

struct hw_bound hw_bound_stated(const struct hw_graph *graph, const struct hw_site *site)
{
    const char *word = "";
    struct hw_bound bound = {.value = find_stated_at(graph, site->box, &word)};
    if (!bound.value)
        bound.value = find_stated_at(graph, site->name, &word);
    if (!bound.value && site->is_merged)
        bound.value = find_stated_sum(graph, site, &word);
    bound.is_enforced = bound.value != 0;
    if (bound.value)
        snprintf(bound.where, sizeof(bound.where), "its %.*s", (int)strlen(word) - 1, word);
    return bound;
}

/* ---- bounds that the program's code states ---- */

struct place {
    const struct hw_code *code;
    const char *name;   /* what code calls the container; NULL: self */
    hw_id owner;        /* the object that has it as an attribute, or HW_NONE */
    hw_id module_space; /* of the module it belongs to, or HW_NONE */
    uint64_t length;
    struct hw_code_place at;
    struct hw_code_scope scope;
    hw_id function; /* the code whose local variable it is, or HW_NONE */
    struct hw_bound *bound;
};

static bool fits(const struct place *place, hw_id node, uint64_t *ret_value)
{
    const struct hw_graph *graph = place->code->growth->graph;
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
    const struct hw_graph *graph = place->code->growth->graph;
    uint32_t edge = place->owner != HW_NONE ? hw_attr_find(graph, place->owner, name) : HW_NO_EDGE;
    if (edge == HW_NO_EDGE && place->module_space != HW_NONE && words & HW_CODE_LENGTH)
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
    const struct hw_graph *graph = place->code->growth->graph;
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

/* A number in code that happens to use the same name for something else bounds that. */
static bool means_it(const struct place *place, size_t number, bool is_own)
{
    const struct hw_code *code = place->code;
    return (is_own || code->codes[number] == place->function ||
            hw_code_in_scope(code, &place->scope, number)) &&
           hw_code_may_remove(code, &place->at, number);
}

static bool try_code(const struct place *place, size_t number, bool is_own)
{
    const struct hw_code *code = place->code;
    uint8_t words = 0;
    bool names_container = is_own;
    for (uint32_t u = code->start[number]; u < code->start[number + 1]; u++) {
        const struct hw_code_name *name = &code->names[code->uses[u]];
        words |= name->words;
        names_container |= place->name && strcmp(place->name, name->text) == 0;
    }
    if (!names_container || !(words & (HW_CODE_LENGTH | HW_CODE_REMOVAL)))
        return false;
    for (uint32_t u = code->start[number]; u < code->start[number + 1]; u++) {
        const struct hw_code_name *name = &code->names[code->uses[u]];
        if (name->words & HW_CODE_BOUND && try_name(place, name->text, words))
            return true;
    }
    return words & HW_CODE_LENGTH && words & HW_CODE_REMOVAL && means_it(place, number, is_own) &&
           try_constants(place, code->codes[number]);
}

/* The code of the methods in a class namespace. */
static bool try_methods(const struct place *place, hw_id space)
{
    const struct hw_graph *graph = place->code->growth->graph;
    for (uint32_t e = graph->edge_start[space]; e < graph->edge_start[space + 1]; e++) {
        hw_id function = graph->edge_to[e];
        if (!hw_edge_is_member(graph, e) || !type_has(graph, function, HW_TYPE_FUNCTION))
            continue;
        uint32_t code = hw_edge_find(graph, function, HW_LABEL_ATTR, "__code__");
        size_t number =
            code == HW_NO_EDGE ? SIZE_MAX : hw_code_number(place->code, graph->edge_to[code]);
        if (number != SIZE_MAX && try_code(place, number, true))
            return true;
    }
    return false;
}

/* The code of the function that runs, or stands still, with the container as a local variable. */
static hw_id function_of(const struct hw_growth *growth, hw_id box)
{
    const struct hw_graph *graph = growth->graph;
    uint32_t edge = growth->tree.edge[box];
    if (edge == HW_NONE || edge_kind(graph, edge) != HW_LABEL_LOCAL)
        return HW_NONE;
    hw_id holder = growth->tree.parent[box];
    for (uint32_t e = graph->edge_start[holder]; e < graph->edge_start[holder + 1]; e++)
        if (type_has(graph, graph->edge_to[e], HW_TYPE_CODE))
            return graph->edge_to[e];
    return HW_NONE;
}

static bool find_in_code(const struct hw_code *code, const struct hw_site *site,
                         struct hw_bound *bound)
{
    const struct hw_growth *growth = code->growth;
    const struct hw_graph *graph = growth->graph;
    struct hw_code_place at = hw_code_place(growth, site->box);
    struct place place = {.code = code,
                          .owner = HW_NONE,
                          .module_space = at.module_space,
                          .length = site->lengths[growth->series->count - 1],
                          .at = at,
                          .scope = hw_code_scope(growth, &at),
                          .function = function_of(growth, site->box),
                          .bound = bound};
    if (at.method_class != HW_NONE) {
        hw_id space = hw_namespace_of(graph, at.method_class);
        place.owner = site->box;
        if (space != HW_NONE && try_methods(&place, space))
            return true;
    }
    if (!at.name[0])
        return false;
    place.name = at.name;
    place.owner = at.owner;
    if (place.owner != HW_NONE && type_has(graph, place.owner, HW_TYPE_MODULE))
        place.owner = HW_NONE; /* its attributes are globals */
    for (size_t i = 0; i < code->code_count; i++)
        if (try_code(&place, i, false))
            return true;
    return false;
}

struct hw_bound hw_bound_find(const struct hw_code *code, const struct hw_site *site)
{
    const struct hw_graph *graph = code->growth->graph;
    struct hw_bound bound = hw_bound_stated(graph, site);
    if (!bound.value && site->box < graph->object_count)
        find_in_code(code, site, &bound);
    return bound;
}

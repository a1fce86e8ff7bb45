/* SPDX-License-Identifier: Apache-2.0 */
#include "why/bound.h"

#include "ask/lookup.h"
#include "why/variable.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- how code calls the container ---- */

enum { PATH_MAX_BYTES = 100 };

struct place {
    const struct hw_code *code;
    struct hw_code_place at;
    struct hw_code_scope scope;
    const char *name; /* "" when it has none */
    hw_id owner;      /* the object that has it as an attribute, or HW_NONE */
    hw_id function;   /* the code whose local variable it is, or HW_NONE */
    uint64_t length;
    struct hw_bound *bound;
};

/* One comparison, taken apart: `len(self.d) > self.limit`. */
struct check {
    hw_id code;
    size_t number;
    char container[PATH_MAX_BYTES], limit[PATH_MAX_BYTES];
    int bytes; /* of text */
    const char *text;
};

static hw_id follow(const struct hw_graph *graph, hw_id node, enum hw_label_kind kind,
                    const char *name)
{
    uint32_t edge = hw_edge_find(graph, node, kind, name);
    return edge == HW_NO_EDGE ? HW_NONE : graph->edge_to[edge];
}

static hw_id code_of(const struct hw_graph *graph, hw_id function)
{
    return follow(graph, function, HW_LABEL_ATTR, "__code__");
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

/* A variable that a function captured: the name that the function knows it by, and its file. */
static void name_captured(struct place *place)
{
    const struct hw_growth *growth = place->code->growth;
    const struct hw_graph *graph = growth->graph;
    hw_id cell = growth->tree.parent[place->at.box];
    hw_id closure = cell == HW_NONE ? HW_NONE : growth->tree.parent[cell];
    hw_id function = closure == HW_NONE ? HW_NONE : growth->tree.parent[closure];
    if (function >= graph->object_count || !type_has(graph, function, HW_TYPE_FUNCTION))
        return;
    hw_id code = code_of(graph, function);
    uint32_t edge = growth->tree.edge[cell];
    if (code == HW_NONE || edge_kind(graph, edge) != HW_LABEL_INDEX)
        return;
    char value[HW_VALUE_MAX_BYTES + 16];
    struct hw_buf text = {0};
    hw_id str = hw_variable_free(graph, code, hw_label_payload(graph->edge_label[edge]),
                                 hw_item_count(graph, closure));
    if (str != HW_NONE && hw_graph_value(graph, str, value, sizeof(value)) &&
        hw_literal_text(value, &text))
        snprintf(place->at.name, sizeof(place->at.name), "%s", hw_buf_str(&text));
    hw_buf_deinit(&text);
    place->scope.files[0] = hw_code_file_of(graph, code);
    place->scope.file_count = 1;
    place->owner = HW_NONE;
}

/* Code of other files must say whose attribute it means: cache.entries, app.cache.entries. */
static bool names_owner(const struct place *place, const char *container, const char *dot)
{
    size_t n = strlen(place->scope.owner), before = (size_t)(dot - container);
    return n && before >= n && strncmp(dot - n, place->scope.owner, n) == 0 &&
           (before == n || dot[-(ptrdiff_t)n - 1] == '.');
}

static bool is_own_name(const struct place *place, const struct check *check)
{
    const struct hw_graph *graph = place->code->growth->graph;
    const char *dot = strrchr(check->container, '.');
    if (!place->name[0] || strcmp(dot ? dot + 1 : check->container, place->name) != 0)
        return false;
    if (place->function != HW_NONE)
        return !dot && check->code == place->function;
    if (!hw_code_in_scope(place->code, &place->scope, check->number))
        return dot && names_owner(place, check->container, dot);
    if (place->owner == HW_NONE)
        return true;
    if (type_has(graph, place->owner, HW_TYPE_MODULE))
        return dot || hw_variable_find(graph, check->code, place->name) == UINT32_MAX;
    return dot || hw_code_has_name(place->code, check->code, place->name) > 1; /* d = self.d */
}

/* In a method of the container's own class. */
static bool is_self(const struct place *place, const struct check *check)
{
    const struct hw_graph *graph = place->code->growth->graph;
    return place->at.method_class != HW_NONE &&
           hw_code_is_method(graph, place->at.method_class, check->code) &&
           hw_variable_find(graph, check->code, check->container) == 0;
}

/* ---- what its length is compared with ---- */

/* From a node along ".name" and "['key']". */
static hw_id walk(const struct hw_graph *graph, hw_id node, const char *path)
{
    char name[PATH_MAX_BYTES];
    while (*path && node != HW_NONE && node < graph->object_count) {
        bool is_item = strncmp(path, "['", 2) == 0;
        path += is_item ? 2 : 1;
        size_t n = is_item ? strcspn(path, "'") : strcspn(path, ".[");
        snprintf(name, sizeof(name), "%.*s", (int)n, path);
        path += is_item && path[n] && path[n + 1] ? n + 2 : n;
        uint32_t edge =
            is_item ? hw_entry_find(graph, node, name) : hw_attr_find(graph, node, name);
        node = edge == HW_NO_EDGE ? HW_NONE : graph->edge_to[edge];
    }
    return node;
}

/* The cell of a free variable, in a function with that code. Their cells are behind all others. */
static hw_id captured(const struct hw_graph *graph, hw_id code, uint32_t number)
{
    uint32_t behind = hw_variable_count(graph, code) - number;
    for (hw_id id = 0; id < graph->object_count; id++) {
        if (!type_has(graph, id, HW_TYPE_FUNCTION) || code_of(graph, id) != code)
            continue;
        hw_id closure = follow(graph, id, HW_LABEL_ATTR, "__closure__");
        uint32_t cells = closure == HW_NONE ? 0 : hw_item_count(graph, closure);
        hw_id cell = behind <= cells ? hw_item_at(graph, closure, cells - behind) : HW_NONE;
        return cell == HW_NONE ? HW_NONE : follow(graph, cell, HW_LABEL_ATTR, "cell_contents");
    }
    return HW_NONE;
}

/* What stands on the other side, or HW_NONE: an attribute of the same owner, a captured or a global
 * variable, or something below these. */
static hw_id limit_of(const struct place *place, const struct check *check)
{
    const struct hw_graph *graph = place->code->growth->graph;
    const char *dot = strrchr(check->container, '.');
    bool own = is_self(place, check);
    size_t n = own ? strlen(check->container) : dot ? (size_t)(dot - check->container) : 0;
    hw_id owner = own ? place->at.box : place->owner;
    if (n && owner != HW_NONE && strncmp(check->limit, check->container, n) == 0 &&
        check->limit[n] == '.')
        return walk(graph, owner, check->limit + n);
    char root[PATH_MAX_BYTES];
    size_t end = strcspn(check->limit, ".[");
    snprintf(root, sizeof(root), "%.*s", (int)end, check->limit);
    uint32_t number = hw_variable_find(graph, check->code, root);
    if (number != UINT32_MAX)
        return walk(graph, captured(graph, check->code, number), check->limit + end);
    uint32_t edge = place->at.module_space == HW_NONE
                        ? HW_NO_EDGE
                        : hw_entry_find(graph, place->at.module_space, root);
    return edge == HW_NO_EDGE ? HW_NONE : walk(graph, graph->edge_to[edge], check->limit + end);
}

static bool read_number(const char *text, uint64_t *ret_value)
{
    char *end;
    *ret_value = strtoull(text, &end, 10);
    return end != text && !*end && text[0] != '-';
}

/* What has been passed is no bound. */
static void settle(const struct place *place, const struct check *check)
{
    const struct hw_graph *graph = place->code->growth->graph;
    char value[HW_VALUE_MAX_BYTES + 16], where[HW_VALUE_MAX_BYTES + 16] = "";
    uint64_t number = 0;
    bool is_known = read_number(check->limit, &number);
    hw_id limit = is_known ? HW_NONE : limit_of(place, check);
    if (limit != HW_NONE && limit < graph->object_count) {
        if (strcmp(type_of(graph, limit)->name, "int") != 0 ||
            !hw_graph_value(graph, limit, value, sizeof(value)) || !read_number(value, &number))
            return;
        is_known = true;
    }
    if (is_known ? number < place->length : place->bound->is_checked)
        return;
    hw_code_text(graph, check->code, where, sizeof(where));
    *place->bound = (struct hw_bound){.value = number, .is_checked = !is_known};
    snprintf(place->bound->where, sizeof(place->bound->where), "%.*s in %s", check->bytes,
             check->text, where);
}

/* Takes "len(self.d) > self.limit; ..." apart; false: it is damaged. */
static bool read_check(struct check *check, const char *text)
{
    const char *close = strchr(text, ')');
    const char *space = close && close[1] == ' ' ? strchr(close + 2, ' ') : NULL;
    size_t open = strlen("len(");
    if (!space)
        return false;
    const char *end = strstr(space, "; ");
    check->text = text;
    check->bytes = (int)(end ? end - text : (ptrdiff_t)strlen(text));
    int names = snprintf(check->container, PATH_MAX_BYTES, "%.*s",
                         (int)((size_t)(close - text) - open), text + open);
    int limits = snprintf(check->limit, PATH_MAX_BYTES, "%.*s",
                          (int)(text + check->bytes - space - 1), space + 1);
    return names < PATH_MAX_BYTES && limits < PATH_MAX_BYTES;
}

static void try_code(const struct place *place, size_t number)
{
    const struct hw_graph *graph = place->code->growth->graph;
    char value[HW_VALUE_MAX_BYTES + 16];
    struct check check = {.code = place->code->codes[number], .number = number};
    if (!hw_graph_value(graph, check.code, value, sizeof(value)))
        return;
    for (const char *at = strstr(value, HW_CODE_CHECK); at && !place->bound->value;
         at = strstr(at + 2, HW_CODE_CHECK))
        if (read_check(&check, at + 2) && (is_self(place, &check) || is_own_name(place, &check)))
            settle(place, &check);
}

static void find_in_code(const struct hw_code *code, const struct hw_site *site,
                         struct hw_bound *bound)
{
    const struct hw_growth *growth = code->growth;
    struct hw_code_place at = hw_code_place(growth, site->box);
    struct place place = {.code = code,
                          .at = at,
                          .scope = hw_code_scope(growth, &at),
                          .owner = at.owner,
                          .function = function_of(growth, site->box),
                          .length = site->lengths[growth->series->count - 1],
                          .bound = bound};
    if (strcmp(at.name, "cell_contents") == 0)
        name_captured(&place);
    place.name = place.at.name;
    for (size_t i = 0; i < code->code_count && !bound->value; i++)
        try_code(&place, i);
}

struct hw_bound hw_bound_find(const struct hw_code *code, const struct hw_site *site)
{
    const struct hw_graph *graph = code->growth->graph;
    struct hw_bound bound = hw_bound_stated(graph, site);
    if (!bound.value && site->box < graph->object_count)
        find_in_code(code, site, &bound);
    return bound;
}

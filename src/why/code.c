/* SPDX-License-Identifier: Apache-2.0 */
#include "why/code.h"

#include "ask/lookup.h"
#include "base/err.h"
#include "base/vec.h"
#include "why/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

typedef bool visit_name(void *ctx, hw_id str);
static bool visit_names(const struct hw_graph *graph, hw_id code, visit_name *visit, void *ctx)
{
    for (uint32_t e = graph->edge_start[code]; e < graph->edge_start[code + 1]; e++) {
        hw_id tuple = graph->edge_to[e];
        if (!edge_lists_names(graph, e))
            continue;
        for (uint32_t i = graph->edge_start[tuple]; i < graph->edge_start[tuple + 1]; i++)
            if (edge_kind(graph, i) == HW_LABEL_INDEX &&
                type_has(graph, graph->edge_to[i], HW_TYPE_STR) && !visit(ctx, graph->edge_to[i]))
                return false;
    }
    return true;
}

static bool is_one_of(const char *text, const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

static uint8_t words_of(const char *text)
{
    if (strcmp(text, "len") == 0)
        return HW_CODE_LENGTH;
    if (is_one_of(text, hw_removal_words))
        return HW_CODE_REMOVAL;
    if (is_one_of(text, hw_lookup_words))
        return HW_CODE_LOOKUP;
    if (is_one_of(text, hw_addition_words))
        return HW_CODE_ADDITION;
    return 0;
}

static bool mark_name(void *ctx, hw_id str)
{
    ((uint8_t *)ctx)[str] = 1;
    return true;
}

static bool read_names(struct hw_code *code, const uint8_t *marks)
{
    const struct hw_graph *graph = code->growth->graph;
    struct hw_buf text = {0};
    size_t n = 0;
    for (hw_id id = 0; id < graph->object_count; id++)
        n += marks[id];
    code->names = hw_arena_array(&code->arena, n + 1, sizeof(*code->names));
    bool ok = code->names != NULL;
    for (hw_id id = 0; ok && id < graph->object_count; id++) {
        char value[HW_VALUE_MAX_BYTES + 16];
        if (!marks[id] || !hw_graph_value(graph, id, value, sizeof(value)) ||
            !hw_literal_text(value, &text))
            continue;
        struct hw_code_name *name = &code->names[code->name_count++];
        *name = (struct hw_code_name){id, words_of(hw_buf_str(&text)),
                                      hw_arena_strdup(&code->arena, hw_buf_str(&text))};
        ok = name->text != NULL;
    }
    hw_buf_deinit(&text);
    return ok;
}

static uint32_t find_name(const struct hw_code *code, hw_id str)
{
    for (size_t low = 0, high = code->name_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (code->names[middle].str == str)
            return (uint32_t)middle;
        if (code->names[middle].str < str)
            low = middle + 1;
        else
            high = middle;
    }
    return UINT32_MAX;
}

/* ---- all code ---- */

struct gather {
    struct hw_code *code;
    struct hw_buf uses; /* of uint32_t */
};

static bool add_use(void *ctx, hw_id str)
{
    struct gather *gather = ctx;
    uint32_t name = find_name(gather->code, str);
    if (name != UINT32_MAX)
        hw_buf_put(&gather->uses, &name, sizeof(name));
    return hw_buf_ok(&gather->uses);
}

static bool gather_uses(struct hw_code *code)
{
    struct gather gather = {.code = code};
    bool ok = true;
    for (size_t i = 0; ok && i < code->code_count; i++) {
        code->start[i] = (uint32_t)(gather.uses.len / sizeof(uint32_t));
        ok = visit_names(code->growth->graph, code->codes[i], add_use, &gather);
    }
    code->start[code->code_count] = (uint32_t)(gather.uses.len / sizeof(uint32_t));
    code->uses =
        hw_arena_array(&code->arena, gather.uses.len / sizeof(uint32_t) + 1, sizeof(uint32_t));
    ok = ok && code->uses;
    if (ok && gather.uses.len)
        memcpy(code->uses, gather.uses.data, gather.uses.len);
    hw_buf_deinit(&gather.uses);
    return ok;
}

static bool collect(struct hw_code *code)
{
    const struct hw_graph *graph = code->growth->graph;
    uint8_t *marks = calloc(graph->node_count, 1);
    size_t n = 0;
    for (hw_id id = 0; id < graph->object_count; id++)
        n += type_has(graph, id, HW_TYPE_CODE);
    code->codes = hw_arena_array(&code->arena, n + 1, sizeof(*code->codes));
    code->start = hw_arena_array(&code->arena, n + 1, sizeof(*code->start));
    bool ok = marks && code->codes && code->start;
    for (hw_id id = 0; ok && id < graph->object_count; id++) {
        if (!type_has(graph, id, HW_TYPE_CODE))
            continue;
        code->codes[code->code_count++] = id;
        visit_names(graph, id, mark_name, marks);
    }
    ok = ok && read_names(code, marks) && gather_uses(code);
    free(marks);
    return ok;
}

bool hw_code_create(struct hw_code **ret_code, const struct hw_growth *growth, struct hw_err *err)
{
    struct hw_code *code = calloc(1, sizeof(*code));
    if (code)
        code->growth = growth;
    if (!code || !collect(code)) {
        hw_code_destroy(code);
        return hw_err_no_memory(err);
    }
    *ret_code = code;
    return true;
}

void hw_code_destroy(struct hw_code *code)
{
    if (!code)
        return;
    hw_arena_deinit(&code->arena);
    free(code);
}

/* ---- how code refers to a container ---- */

static hw_id module_space_of(const struct hw_growth *growth, hw_id id)
{
    for (; id != HW_NONE; id = growth->tree.parent[id])
        if (id < growth->graph->object_count && type_has(growth->graph, id, HW_TYPE_MODULE))
            return hw_namespace_of(growth->graph, id);
    return HW_NONE;
}

static void name_box(const struct hw_growth *growth, struct hw_code_place *place)
{
    const struct hw_graph *graph = growth->graph;
    uint32_t edge = growth->tree.edge[place->box];
    hw_id parent = growth->tree.parent[place->box];
    char value[HW_VALUE_MAX_BYTES + 16];
    struct hw_buf text = {0};
    if (edge == HW_NONE)
        return;
    if (parent < graph->object_count && growth->tree.edge[parent] != HW_NONE &&
        edge_kind(graph, growth->tree.edge[parent]) == HW_LABEL_ATTR &&
        strcmp(edge_string(graph, growth->tree.edge[parent]), "__dict__") == 0)
        parent = growth->tree.parent[parent];
    switch (edge_kind(graph, edge)) {
    case HW_LABEL_ATTR:
    case HW_LABEL_LOCAL:
    case HW_LABEL_NAMED:
        snprintf(place->name, sizeof(place->name), "%s", edge_string(graph, edge));
        break;
    case HW_LABEL_VALUE:
        if (hw_graph_value(graph, key_of(graph, edge), value, sizeof(value)) &&
            hw_literal_text(value, &text) && hw_is_identifier(hw_buf_str(&text)))
            snprintf(place->name, sizeof(place->name), "%s", hw_buf_str(&text));
        break;
    default:
        break;
    }
    hw_buf_deinit(&text);
    if (place->name[0] && parent < graph->object_count)
        place->owner = parent;
}

struct hw_code_place hw_code_place(const struct hw_growth *growth, hw_id box)
{
    const struct hw_graph *graph = growth->graph;
    struct hw_code_place place = {.box = box,
                                  .owner = HW_NONE,
                                  .module_space = module_space_of(growth, box),
                                  .method_class = HW_NONE};
    if (box >= graph->object_count)
        return place;
    const struct hw_type *type = type_of(graph, box);
    if (type->flags & HW_TYPE_PYTHON)
        place.method_class = type->node;
    name_box(growth, &place);
    return place;
}

/* ---- whose code it is ---- */

hw_id hw_code_file_of(const struct hw_graph *graph, hw_id code)
{
    uint32_t edge = hw_edge_find(graph, code, HW_LABEL_ATTR, "co_filename");
    return edge == HW_NO_EDGE ? HW_NONE : graph->edge_to[edge];
}

static void add_function(const struct hw_graph *graph, struct hw_code_scope *scope, hw_id function)
{
    uint32_t edge = type_has(graph, function, HW_TYPE_FUNCTION)
                        ? hw_edge_find(graph, function, HW_LABEL_ATTR, "__code__")
                        : HW_NO_EDGE;
    hw_id file = edge == HW_NO_EDGE ? HW_NONE : hw_code_file_of(graph, graph->edge_to[edge]);
    for (size_t i = 0; i < scope->file_count; i++)
        if (scope->files[i] == file)
            return;
    if (file != HW_NONE && scope->file_count < HW_CODE_FILES_MAX)
        scope->files[scope->file_count++] = file;
}

/* The files of the functions in a class's namespace. */
static void add_class(const struct hw_graph *graph, struct hw_code_scope *scope, hw_id type)
{
    hw_id space = type == HW_NONE ? HW_NONE : hw_namespace_of(graph, type);
    if (space == HW_NONE)
        return;
    for (uint32_t e = graph->edge_start[space]; e < graph->edge_start[space + 1]; e++)
        if (hw_edge_is_member(graph, e))
            add_function(graph, scope, graph->edge_to[e]);
}

/* Below its decorators, which may come from anywhere, the function that looks into that module. */
static hw_id undecorate(const struct hw_graph *graph, hw_id function, hw_id space)
{
    enum { DECORATORS_MAX = 8 };
    for (unsigned i = 0; i < DECORATORS_MAX && type_has(graph, function, HW_TYPE_FUNCTION); i++) {
        uint32_t globals = hw_edge_find(graph, function, HW_LABEL_ATTR, "__globals__");
        if (globals != HW_NO_EDGE && graph->edge_to[globals] == space)
            return function;
        uint32_t inner = hw_attr_find(graph, function, "__wrapped__");
        if (inner == HW_NO_EDGE)
            break;
        function = graph->edge_to[inner];
    }
    return HW_NONE;
}

/* Of functions in a module only those count that look into it: others were imported. */
static void add_module(const struct hw_graph *graph, struct hw_code_scope *scope, hw_id space)
{
    if (space == HW_NONE)
        return;
    for (uint32_t e = graph->edge_start[space]; e < graph->edge_start[space + 1]; e++) {
        hw_id function =
            hw_edge_is_member(graph, e) ? undecorate(graph, graph->edge_to[e], space) : HW_NONE;
        if (function != HW_NONE)
            add_function(graph, scope, function);
    }
}

struct hw_code_scope hw_code_scope(const struct hw_growth *growth,
                                   const struct hw_code_place *place)
{
    const struct hw_graph *graph = growth->graph;
    struct hw_code_scope scope = {0};
    struct hw_code_place owner = {.box = place->owner};
    if (place->method_class != HW_NONE)
        add_class(graph, &scope, place->method_class);
    if (place->owner != HW_NONE && !type_has(graph, place->owner, HW_TYPE_MODULE)) {
        bool is_type = type_has(graph, place->owner, HW_TYPE_TYPE);
        add_class(graph, &scope, is_type ? place->owner : type_of(graph, place->owner)->node);
    }
    if (!scope.file_count || place->owner == HW_NONE ||
        type_has(graph, place->owner, HW_TYPE_MODULE))
        add_module(graph, &scope, place->module_space);
    if (place->owner != HW_NONE)
        name_box(growth, &owner);
    memcpy(scope.owner, owner.name, sizeof(scope.owner));
    return scope;
}

/* A class's method, or code of a method: it calls the container self. */
bool hw_code_is_method(const struct hw_graph *graph, hw_id type, hw_id code)
{
    hw_id space = type == HW_NONE ? HW_NONE : hw_namespace_of(graph, type);
    if (space == HW_NONE)
        return false;
    for (uint32_t e = graph->edge_start[space]; e < graph->edge_start[space + 1]; e++) {
        hw_id function = graph->edge_to[e];
        if (!hw_edge_is_member(graph, e) || !type_has(graph, function, HW_TYPE_FUNCTION))
            continue;
        uint32_t edge = hw_edge_find(graph, function, HW_LABEL_ATTR, "__code__");
        if (edge != HW_NO_EDGE && graph->edge_to[edge] == code)
            return true;
    }
    return false;
}

/* ---- uses ---- */

static const struct hw_code_name *use_name(const struct hw_code *code, uint32_t use)
{
    return &code->names[code->uses[use]];
}

/* The first use of a marked name in the code with that number. */
static uint32_t find_marked(const struct hw_code *code, size_t number, const uint8_t *marks)
{
    for (uint32_t u = code->start[number]; u < code->start[number + 1]; u++)
        if (marks[code->uses[u]])
            return u;
    return UINT32_MAX;
}

/* What a use says as a method's name. Names do not tell attributes from variables; one that the
 * container's module has itself, a function remove(), is taken for that. */
static uint8_t words_at(const struct hw_code *code, const struct hw_code_place *place, uint32_t use)
{
    const struct hw_code_name *name = use_name(code, use);
    bool is_variable = name->words && place->module_space != HW_NONE &&
                       !is_one_of(name->text, hw_function_words) &&
                       hw_entry_find(code->growth->graph, place->module_space, name->text) !=
                           HW_NO_EDGE;
    return is_variable ? 0 : name->words;
}

static uint8_t all_words(const struct hw_code *code, const struct hw_code_place *place,
                         size_t number)
{
    uint8_t words = 0;
    for (uint32_t u = code->start[number]; u < code->start[number + 1]; u++)
        words |= words_at(code, place, u);
    return words;
}

/* What is called on the container: the methods right behind its name. */
static uint8_t words_behind(const struct hw_code *code, const struct hw_code_place *place,
                            size_t number, uint32_t use)
{
    const uint8_t methods = HW_CODE_REMOVAL | HW_CODE_LOOKUP | HW_CODE_ADDITION;
    uint8_t words = 0;
    for (uint32_t u = use + 1; u < code->start[number + 1]; u++) {
        uint8_t said = words_at(code, place, u);
        if (!(said & methods))
            break;
        words |= said;
    }
    return words;
}

static bool names_one_of(const struct hw_code *code, size_t number, const char *const *words)
{
    for (uint32_t u = code->start[number]; u < code->start[number + 1]; u++)
        if (is_one_of(use_name(code, u)->text, words))
            return true;
    return false;
}

static struct hw_code_use read_use(const struct hw_code *code, const struct hw_code_place *place,
                                   size_t number, uint32_t at)
{
    hw_id id = code->codes[number];
    uint16_t flags = code->growth->graph->flags[id];
    bool deletes = flags & HW_NODE_DELETES, stores = flags & HW_NODE_STORES;
    uint8_t behind = words_behind(code, place, number, at);
    bool adds = behind & HW_CODE_ADDITION;
    return (struct hw_code_use){
        .code = id,
        .takes_out = behind & HW_CODE_REMOVAL || (deletes && !stores && !adds),
        .puts_in = adds || (stores && !(behind & HW_CODE_REMOVAL)),
        .stores_and_deletes = deletes && stores && !behind,
        .may_put_in = stores || all_words(code, place, number) & HW_CODE_ADDITION,
        .looks_up = behind & HW_CODE_LOOKUP,
    };
}

bool hw_code_text(const struct hw_graph *graph, hw_id id, char *text, size_t max)
{
    if (!hw_graph_value(graph, id, text, max))
        return false;
    char *checks = strstr(text, HW_CODE_CHECK);
    if (checks)
        *checks = 0;
    return true;
}

static bool is_module_code(const struct hw_graph *graph, hw_id code)
{
    char value[HW_VALUE_MAX_BYTES + 16];
    return hw_code_text(graph, code, value, sizeof(value)) && strncmp(value, "<module>", 8) == 0;
}

bool hw_code_is_init(const struct hw_graph *graph, hw_id id)
{
    char value[HW_VALUE_MAX_BYTES + 16];
    return is_module_code(graph, id) ||
           (hw_code_text(graph, id, value, sizeof(value)) && strstr(value, "__init__ ") != NULL);
}

static bool is_from(const struct hw_graph *graph, const struct hw_code_scope *scope, hw_id code)
{
    hw_id file = hw_code_file_of(graph, code);
    for (size_t i = 0; i < scope->file_count; i++)
        if (scope->files[i] == file)
            return true;
    return false;
}

bool hw_code_in_scope(const struct hw_code *code, const struct hw_code_scope *scope, size_t number)
{
    return is_from(code->growth->graph, scope, code->codes[number]);
}

/* Whether a name means another container, of the same owner or module. */
static bool is_other_container(const struct hw_code *code, const struct hw_code_place *place,
                               const char *name)
{
    const struct hw_graph *graph = code->growth->graph;
    const uint32_t containers = HW_TYPE_DICT | HW_TYPE_LIST | HW_TYPE_SET | HW_TYPE_DEQUE;
    uint32_t edge = place->owner == HW_NONE ? HW_NO_EDGE : hw_attr_find(graph, place->owner, name);
    if (edge == HW_NO_EDGE && place->module_space != HW_NONE)
        edge = hw_entry_find(graph, place->module_space, name);
    return edge != HW_NO_EDGE && graph->edge_to[edge] != place->box &&
           type_has(graph, graph->edge_to[edge], containers);
}

static bool may_remove_by(const struct hw_code *code, const struct hw_code_place *place,
                          size_t number, const char *const *words)
{
    const uint8_t others = HW_CODE_REMOVAL | HW_CODE_LOOKUP | HW_CODE_ADDITION | HW_CODE_LENGTH;
    const char *receiver = NULL;
    for (uint32_t u = code->start[number]; u < code->start[number + 1]; u++) {
        const struct hw_code_name *name = use_name(code, u);
        if (is_one_of(name->text, words) && words_at(code, place, u) &&
            !(receiver && is_other_container(code, place, receiver)))
            return true;
        if (!(name->words & others))
            receiver = name->text;
    }
    return false;
}

static bool may_remove(const struct hw_code *code, const struct hw_code_place *place, size_t number)
{
    return may_remove_by(code, place, number, hw_removal_words);
}

/* It stores or adds, and undoes that in the end. Names stand in the order of their first use, so
 * the removal may be far behind the container's name. Who looks for an entry to take out makes
 * room for others instead. */
static bool takes_back(const struct hw_code *code, const struct hw_code_place *place, size_t number,
                       const struct hw_code_use *use)
{
    uint16_t flags = code->growth->graph->flags[use->code];
    bool stores = flags & HW_NODE_STORES;
    if ((!use->puts_in && !stores) || names_one_of(code, number, hw_choosing_words))
        return false;
    return (stores && flags & HW_NODE_DELETES) ||
           may_remove_by(code, place, number, hw_undoing_words);
}

static size_t find_uses(const struct hw_code *code, const struct hw_code_place *place,
                        const uint8_t *marks, struct hw_code_use *ret_uses)
{
    const struct hw_graph *graph = code->growth->graph;
    struct hw_code_scope scope = hw_code_scope(code->growth, place);
    size_t count = 0;
    for (size_t i = 0; i < code->code_count && count < HW_CODE_USES_MAX; i++) {
        hw_id id = code->codes[i];
        uint32_t at = find_marked(code, i, marks);
        bool is_own = at == UINT32_MAX && place->method_class != HW_NONE &&
                      hw_code_is_method(graph, place->method_class, id);
        if (!is_own && (at == UINT32_MAX || !is_from(graph, &scope, id)))
            continue;
        struct hw_code_use use = read_use(code, place, i, is_own ? code->start[i + 1] : at);
        use.may_take_out =
            use.takes_out || graph->flags[id] & HW_NODE_DELETES || may_remove(code, place, i);
        use.takes_back = takes_back(code, place, i, &use);
        if (is_own || is_module_code(graph, id))
            use.takes_back = use.takes_out = use.stores_and_deletes = use.puts_in = use.looks_up =
                false;
        ret_uses[count++] = use;
    }
    return count;
}

size_t hw_code_uses(const struct hw_code *code, const struct hw_code_place *place,
                    struct hw_code_use *ret_uses)
{
    uint8_t *marks = calloc(code->name_count + 1, 1);
    if (!marks)
        return 0;
    for (size_t i = 0; place->name[0] && i < code->name_count; i++)
        marks[i] = strcmp(code->names[i].text, place->name) == 0;
    size_t count = find_uses(code, place, marks, ret_uses);
    free(marks);
    return count;
}

size_t hw_code_number(const struct hw_code *code, hw_id id)
{
    for (size_t low = 0, high = code->code_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (code->codes[middle] == id)
            return middle;
        if (code->codes[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return SIZE_MAX;
}

unsigned hw_code_has_name(const struct hw_code *code, hw_id id, const char *text)
{
    size_t number = hw_code_number(code, id);
    unsigned times = 0;
    for (uint32_t u = number == SIZE_MAX ? 0 : code->start[number];
         number != SIZE_MAX && u < code->start[number + 1]; u++)
        times += strcmp(use_name(code, u)->text, text) == 0;
    return times;
}

static void note_first(hw_id *first, bool is_so, hw_id id)
{
    if (is_so && *first == HW_NONE)
        *first = id;
}

/* A function that callers may use says more than a helper. */
static void note_best(const struct hw_graph *graph, hw_id *best, bool is_so, hw_id id)
{
    if (is_so &&
        (*best == HW_NONE || (hw_code_is_private(graph, *best) && !hw_code_is_private(graph, id))))
        *best = id;
}

/* A function that both stores and deletes items takes them out of the container when another one
 * puts them in. */
static void settle_deletions(const struct hw_code *code, struct hw_code_use *uses, size_t count)
{
    const uint16_t *flags = code->growth->graph->flags;
    bool filled = false;
    for (size_t i = 0; i < count; i++)
        filled |= uses[i].puts_in && !(flags[uses[i].code] & HW_NODE_DELETES);
    for (size_t i = 0; i < count; i++)
        uses[i].takes_out |= filled && uses[i].stores_and_deletes;
}

/* Who stores into another container may take out what somebody else has put in. */
static bool is_filled_elsewhere(const struct hw_code_use *uses, size_t count, size_t skipped)
{
    for (size_t i = 0; i < count; i++)
        if (i != skipped && uses[i].puts_in)
            return true;
    return false;
}

struct hw_code_report hw_code_report(const struct hw_code *code, hw_id box)
{
    struct hw_code_use uses[HW_CODE_USES_MAX];
    struct hw_code_report report = {.place = hw_code_place(code->growth, box),
                                    .takes_out = HW_NONE,
                                    .puts_in = HW_NONE,
                                    .takes_back = HW_NONE,
                                    .may_put_in = HW_NONE,
                                    .looks_up = HW_NONE};
    report.count = hw_code_uses(code, &report.place, uses);
    settle_deletions(code, uses, report.count);
    for (size_t i = 0; i < report.count; i++) {
        note_best(code->growth->graph, &report.takes_out, uses[i].takes_out, uses[i].code);
        note_first(&report.puts_in, uses[i].puts_in, uses[i].code);
        note_first(&report.takes_back,
                   uses[i].takes_back && !is_filled_elsewhere(uses, report.count, i), uses[i].code);
        note_first(&report.may_put_in, uses[i].may_put_in, uses[i].code);
        note_first(&report.looks_up, uses[i].looks_up && uses[i].puts_in, uses[i].code);
        report.may_take_out |= uses[i].may_take_out;
    }
    return report;
}

hw_id hw_code_expires(const struct hw_code *code, hw_id box)
{
    struct hw_code_use uses[HW_CODE_USES_MAX];
    struct hw_code_place place = hw_code_place(code->growth, box);
    size_t count = hw_code_uses(code, &place, uses);
    for (size_t i = 0; i < count; i++)
        for (size_t w = 0; (uses[i].takes_out || uses[i].stores_and_deletes) && hw_clock_words[w];
             w++)
            if (hw_code_has_name(code, uses[i].code, hw_clock_words[w]))
                return uses[i].code;
    return HW_NONE;
}

bool hw_code_is_private(const struct hw_graph *graph, hw_id id)
{
    char value[HW_VALUE_MAX_BYTES + 16];
    if (!hw_code_text(graph, id, value, sizeof(value)))
        return true;
    const char *space = strrchr(value, ' ');
    const char *name = value;
    for (const char *at = value; at != space && *at; at++)
        if (*at == '.')
            name = at + 1;
    return *name == '_';
}

enum hw_code_origin hw_code_origin(const struct hw_graph *graph, hw_id id)
{
    char value[HW_VALUE_MAX_BYTES + 16];
    hw_id file = hw_code_file_of(graph, id);
    if (file == HW_NONE || !hw_graph_value(graph, file, value, sizeof(value)))
        return HW_CODE_OF_PROGRAM;
    if (strstr(value, "/site-packages/") || strstr(value, "/dist-packages/"))
        return HW_CODE_OF_LIBRARY;
    return strstr(value, "/lib/python3") || strstr(value, "<frozen ") ? HW_CODE_OF_STDLIB
                                                                      : HW_CODE_OF_PROGRAM;
}

const char *hw_code_spell(const struct hw_graph *graph, hw_id id, struct hw_arena *arena)
{
    char value[HW_VALUE_MAX_BYTES + 16];
    if (!hw_code_text(graph, id, value, sizeof(value)))
        return hw_arena_strdup(arena, "a function");
    char *space = strrchr(value, ' ');
    if (!space)
        return hw_arena_printf(arena, "%s()", value);
    *space = 0;
    const char *local = strstr(value, "<locals>.");
    return hw_arena_printf(arena, "%s() at %s", local ? local + strlen("<locals>.") : value,
                           space + 1);
}

const char *hw_code_file(const struct hw_code *code, const struct hw_code_place *place,
                         struct hw_arena *arena)
{
    const struct hw_graph *graph = code->growth->graph;
    struct hw_code_scope scope = hw_code_scope(code->growth, place);
    char value[HW_VALUE_MAX_BYTES + 16];
    struct hw_buf text = {0};
    const char *copy = "";
    if (scope.file_count && hw_graph_value(graph, scope.files[0], value, sizeof(value)) &&
        hw_literal_text(value, &text)) {
        const char *slash = strrchr(hw_buf_str(&text), '/');
        copy = hw_arena_strdup(arena, slash ? slash + 1 : hw_buf_str(&text));
    }
    hw_buf_deinit(&text);
    return copy;
}

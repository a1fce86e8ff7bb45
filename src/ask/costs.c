/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/lookup.h"
#include "ask/rules.h"
#include "ask/tree.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

/*
 * A rule is a bit. One mask for each kind of label, each type and each string of the graph says
 * which rules fit it; the rule of a hop is the lowest bit that all three share, so that a hop costs
 * three loads, however many rules there are.
 */
struct hw_costs {
    const struct hw_graph *graph;
    uint64_t kinds[16];
    uint64_t *types;       /* by type: as holder */
    uint64_t *strings;     /* by string */
    uint64_t without_name; /* rules that ask for no string */
    uint8_t *synthetic;    /* by node - object_count: cost of entering it */
    hw_id modules;         /* sys.modules, or HW_NONE */
    struct module {
        hw_id dict;
        const char *name;
    } * spaces;        /* the modules' namespaces, by dict */
    uint8_t *is_space; /* bitmap over objects: sys.modules and spaces */
    size_t space_count;
    uint8_t *entries;    /* cost of each edge of sys.modules, by edge - its first */
    const char **stdlib; /* sorted */
    size_t stdlib_count;
    hw_id *crowd; /* running threads whose class has many, sorted */
    size_t crowd_count;
    struct hw_arena arena;
};

/* ---- masks ---- */

static void fill_masks(struct hw_costs *costs)
{
    const struct hw_graph *graph = costs->graph;
    for (uint32_t r = 0; r < hw_hop_rule_count; r++) {
        const struct hw_hop_rule *rule = &hw_hop_rules[r];
        uint64_t bit = (uint64_t)1 << r;
        for (uint32_t kind = 0; kind < 16; kind++)
            if (!rule->kinds || rule->kinds >> kind & 1)
                costs->kinds[kind] |= bit;
        for (uint32_t t = 0; t < graph->type_count; t++)
            if ((!rule->holder_flags || graph->types[t].flags & rule->holder_flags) &&
                (!rule->holder || hw_name_matches(rule->holder, graph->types[t].name)))
                costs->types[t] |= bit;
        if (!rule->edge)
            costs->without_name |= bit;
        for (uint32_t s = 0; s < graph->string_count; s++)
            if (!rule->edge || hw_name_matches(rule->edge, graph->strings[s]))
                costs->strings[s] |= bit;
    }
}

static bool label_is_named(uint32_t label)
{
    const uint32_t named = 1u << HW_LABEL_ATTR | 1u << HW_LABEL_NAMED | 1u << HW_LABEL_LOCAL |
                           1u << HW_LABEL_INTERNAL | 1u << HW_LABEL_ROOT | 1u << HW_LABEL_HIDDEN;
    return named >> hw_label_kind(label) & 1;
}

/* ---- the standard library ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool read_stdlib_set(struct hw_costs *costs, hw_id set, struct hw_err *err)
{
    const struct hw_graph *graph = costs->graph;
    struct hw_buf text = {0};
    costs->stdlib =
        hw_arena_array(&costs->arena, graph_degree(graph, set) + 1, sizeof(*costs->stdlib));
    bool ok = costs->stdlib != NULL;
    for (uint32_t e = graph->edge_start[set]; ok && e < graph->edge_start[set + 1]; e++) {
        char value[HW_VALUE_MAX_BYTES + 16];
        if (edge_kind(graph, e) != HW_LABEL_MEMBER ||
            !hw_graph_value(graph, graph->edge_to[e], value, sizeof(value)) ||
            !hw_literal_text(value, &text))
            continue;
        char *name = hw_arena_strdup(&costs->arena, hw_buf_str(&text));
        ok = name != NULL;
        costs->stdlib[costs->stdlib_count++] = name;
    }
    hw_buf_deinit(&text);
    return ok || hw_err_no_memory(err);
}

/* sys.stdlib_module_names says it since 3.10. */
static hw_id find_stdlib_set(const struct hw_costs *costs)
{
    const struct hw_graph *graph = costs->graph;
    if (costs->modules == HW_NONE)
        return HW_NONE;
    uint32_t sys = hw_entry_find(graph, costs->modules, "sys");
    if (sys == HW_NO_EDGE)
        return HW_NONE;
    hw_id space = hw_namespace_of(graph, graph->edge_to[sys]);
    if (space == HW_NONE)
        return HW_NONE;
    uint32_t names = hw_entry_find(graph, space, "stdlib_module_names");
    return names == HW_NO_EDGE ? HW_NONE : graph->edge_to[names];
}

static bool read_stdlib(struct hw_costs *costs, struct hw_err *err)
{
    hw_id set = find_stdlib_set(costs);
    if (set != HW_NONE && !read_stdlib_set(costs, set, err))
        return false;
    if (!costs->stdlib_count) {
        size_t n = 0;
        while (hw_stdlib_names[n])
            n++;
        costs->stdlib = hw_arena_array(&costs->arena, n, sizeof(*costs->stdlib));
        if (!costs->stdlib)
            return hw_err_no_memory(err);
        memcpy(costs->stdlib, hw_stdlib_names, n * sizeof(*costs->stdlib));
        costs->stdlib_count = n;
    }
    qsort(costs->stdlib, costs->stdlib_count, sizeof(*costs->stdlib), by_text);
    return true;
}

bool hw_costs_is_stdlib(const struct hw_costs *costs, const char *module)
{
    char top[128];
    size_t n = strcspn(module, ".");
    if (n >= sizeof(top))
        return false;
    memcpy(top, module, n);
    top[n] = 0;
    const char *key = top;
    return bsearch(&key, costs->stdlib, costs->stdlib_count, sizeof(*costs->stdlib), by_text);
}

/* ---- modules ---- */

static uint32_t module_cost(const struct hw_costs *costs, const char *name)
{
    if (strcmp(name, "__main__") == 0 || strcmp(name, "__mp_main__") == 0)
        return HW_COST_MODULE_MAIN;
    return hw_costs_is_stdlib(costs, name) ? HW_COST_MODULE_STDLIB : HW_COST_MODULE;
}

static int by_dict(const void *a, const void *b)
{
    const struct module *x = a, *y = b;
    return x->dict < y->dict ? -1 : x->dict > y->dict;
}

static void add_space(struct hw_costs *costs, hw_id module, const char *name)
{
    hw_id space = hw_namespace_of(costs->graph, module);
    if (space == HW_NONE)
        return;
    costs->spaces[costs->space_count++] = (struct module){space, name};
    costs->is_space[space / 8] |= (uint8_t)(1 << space % 8);
}

static bool read_modules(struct hw_costs *costs, struct hw_err *err)
{
    const struct hw_graph *graph = costs->graph;
    hw_id dict = costs->modules;
    if (dict == HW_NONE)
        return true;
    uint32_t first = graph->edge_start[dict], degree = graph_degree(graph, dict);
    costs->spaces = hw_arena_array(&costs->arena, degree, sizeof(*costs->spaces));
    costs->entries = hw_arena_array(&costs->arena, degree, 1);
    struct hw_buf text = {0};
    bool ok = costs->spaces && costs->entries;
    for (uint32_t e = first; ok && e < first + degree; e++) {
        char value[HW_VALUE_MAX_BYTES + 16];
        costs->entries[e - first] = HW_COST_MODULE;
        if (edge_kind(graph, e) != HW_LABEL_VALUE ||
            !hw_graph_value(graph, key_of(graph, e), value, sizeof(value)) ||
            !hw_literal_text(value, &text))
            continue;
        char *name = hw_arena_strdup(&costs->arena, hw_buf_str(&text));
        ok = name != NULL;
        if (!ok)
            break;
        costs->entries[e - first] = (uint8_t)module_cost(costs, name);
        add_space(costs, graph->edge_to[e], name);
    }
    hw_buf_deinit(&text);
    if (!ok)
        return hw_err_no_memory(err);
    qsort(costs->spaces, costs->space_count, sizeof(*costs->spaces), by_dict);
    costs->is_space[dict / 8] |= (uint8_t)(1 << dict % 8);
    return true;
}

/* Whether type `name` is of the module: app.Hub of app. */
static bool type_is_of(const char *name, const char *module)
{
    size_t n = strlen(module);
    return strncmp(name, module, n) == 0 && name[n] == '.';
}

/* What a name in a module costs more when its class says that it was made elsewhere. */
static uint32_t import_cost(const struct hw_costs *costs, hw_id space, hw_id to)
{
    const struct hw_type *type = type_of(costs->graph, to);
    struct module key = {.dict = space};
    if (type->flags & HW_TYPE_MODULE)
        return HW_COST_MODULE_ALIAS;
    if (!(type->flags & HW_TYPE_PYTHON))
        return 0;
    const struct module *module =
        bsearch(&key, costs->spaces, costs->space_count, sizeof(key), by_dict);
    return module && !type_is_of(type->name, module->name) ? HW_COST_IMPORTED : 0;
}

/* ---- running threads ---- */

static int by_id(const void *a, const void *b)
{
    hw_id x = *(const hw_id *)a, y = *(const hw_id *)b;
    return x < y ? -1 : x > y;
}

/* threading._active, where each running thread is listed. */
static hw_id find_active(const struct hw_costs *costs)
{
    const struct hw_graph *graph = costs->graph;
    if (costs->modules == HW_NONE)
        return HW_NONE;
    uint32_t threading = hw_entry_find(graph, costs->modules, "threading");
    uint32_t active = threading == HW_NO_EDGE
                          ? HW_NO_EDGE
                          : hw_attr_find(graph, graph->edge_to[threading], "_active");
    return active == HW_NO_EDGE ? HW_NONE : graph->edge_to[active];
}

static bool read_crowd(struct hw_costs *costs, struct hw_err *err)
{
    const struct hw_graph *graph = costs->graph;
    hw_id active = find_active(costs);
    if (active == HW_NONE || graph_degree(graph, active) < HW_CROWD_MIN)
        return true;
    uint32_t *of_type = calloc(graph->type_count + 1, sizeof(*of_type));
    costs->crowd =
        hw_arena_array(&costs->arena, graph_degree(graph, active), sizeof(*costs->crowd));
    if (!of_type || !costs->crowd) {
        free(of_type);
        return hw_err_no_memory(err);
    }
    for (uint32_t e = graph->edge_start[active]; e < graph->edge_start[active + 1]; e++)
        if (edge_kind(graph, e) == HW_LABEL_VALUE)
            of_type[graph->type[graph->edge_to[e]]]++;
    for (uint32_t e = graph->edge_start[active]; e < graph->edge_start[active + 1]; e++)
        if (edge_kind(graph, e) == HW_LABEL_VALUE &&
            of_type[graph->type[graph->edge_to[e]]] >= HW_CROWD_MIN)
            costs->crowd[costs->crowd_count++] = graph->edge_to[e];
    free(of_type);
    if (costs->crowd_count)
        qsort(costs->crowd, costs->crowd_count, sizeof(*costs->crowd), by_id);
    return true;
}

static uint32_t crowd_cost(const struct hw_costs *costs, hw_id from, hw_id to)
{
    if (!costs->crowd_count || from < costs->graph->object_count)
        return 0;
    return bsearch(&to, costs->crowd, costs->crowd_count, sizeof(to), by_id) ? HW_COST_CROWD : 0;
}

/* ---- synthetic nodes ---- */

static bool file_is_stdlib(const char *file)
{
    return file[0] == '<' || (strstr(file, "/lib/python") && !strstr(file, "/site-packages/") &&
                              !strstr(file, "/dist-packages/"));
}

/* Where Python itself says that its library is, when it is no usual place; "" before 3.11. */
static void read_stdlib_folder(const struct hw_graph *graph, struct hw_buf *folder)
{
    char value[HW_VALUE_MAX_BYTES + 16];
    hw_id modules = hw_modules_dict(graph);
    uint32_t sys = modules == HW_NONE ? HW_NO_EDGE : hw_entry_find(graph, modules, "sys");
    uint32_t edge =
        sys == HW_NO_EDGE ? HW_NO_EDGE : hw_attr_find(graph, graph->edge_to[sys], "_stdlib_dir");
    if (edge == HW_NO_EDGE || !hw_graph_value(graph, graph->edge_to[edge], value, sizeof(value)) ||
        !hw_literal_text(value, folder))
        hw_buf_clear(folder);
}

static bool is_below(const char *file, const char *folder)
{
    size_t n = strlen(folder);
    return n && strncmp(file, folder, n) == 0 && file[n] == '/' &&
           !strstr(file + n, "/site-packages/");
}

/* How many frames lie below this one on its thread's stack, up to a limit. */
static uint32_t frame_calls(const struct hw_graph *graph, uint32_t i, uint32_t outermost)
{
    uint32_t calls = outermost - graph->synthetic[i].depth;
    return calls < HW_COST_FRAME_CALLS ? calls : HW_COST_FRAME_CALLS;
}

/* Of a library's frames on one stack the outermost says most: it is there in every snapshot, while
 * those that it calls come and go. A thread's frames follow each other, innermost first. */
static void fill_synthetic(struct hw_costs *costs)
{
    struct hw_buf folder = {0};
    read_stdlib_folder(costs->graph, &folder);
    const struct hw_graph *graph = costs->graph;
    uint32_t outermost = 0;
    for (uint32_t i = graph->node_count - graph->object_count; i-- > 0;) {
        const struct hw_synthetic *s = &graph->synthetic[i], *outer = s + 1;
        bool is_frame = s->kind == HW_SYN_FRAME;
        if (is_frame && (i + 1 == graph->node_count - graph->object_count ||
                         outer->kind != HW_SYN_FRAME || outer->depth != s->depth + 1))
            outermost = s->depth;
        uint32_t cost = hw_synthetic_costs[s->kind];
        if (is_frame && (file_is_stdlib(s->file) || is_below(s->file, hw_buf_str(&folder))))
            cost += HW_COST_FRAME_STDLIB + frame_calls(graph, i, outermost);
        costs->synthetic[i] = (uint8_t)cost;
    }
    hw_buf_deinit(&folder);
}

/* ---- */

bool hw_costs_create(struct hw_costs **ret_costs, const struct hw_graph *graph, struct hw_err *err)
{
    struct hw_costs *costs = calloc(1, sizeof(*costs));
    if (!costs)
        return hw_err_no_memory(err);
    costs->graph = graph;
    costs->modules = hw_modules_dict(graph);
    costs->types = hw_arena_array(&costs->arena, graph->type_count, sizeof(*costs->types));
    costs->strings = hw_arena_array(&costs->arena, graph->string_count, sizeof(*costs->strings));
    costs->synthetic = hw_arena_array(&costs->arena, graph->node_count - graph->object_count, 1);
    costs->is_space = hw_arena_array(&costs->arena, graph->node_count / 8 + 1, 1);
    if (!costs->types || !costs->strings || !costs->synthetic || !costs->is_space) {
        hw_costs_destroy(costs);
        return hw_err_no_memory(err);
    }
    fill_masks(costs);
    fill_synthetic(costs);
    if (!read_stdlib(costs, err) || !read_modules(costs, err) || !read_crowd(costs, err)) {
        hw_costs_destroy(costs);
        return false;
    }
    *ret_costs = costs;
    return true;
}

void hw_costs_destroy(struct hw_costs *costs)
{
    if (!costs)
        return;
    hw_arena_deinit(&costs->arena);
    free(costs);
}

uint32_t hw_costs_hop(const struct hw_costs *costs, hw_id from, uint32_t edge)
{
    const struct hw_graph *graph = costs->graph;
    uint32_t label = graph->edge_label[edge];
    hw_id to = graph->edge_to[edge];
    if (to >= graph->object_count)
        return costs->synthetic[to - graph->object_count];
    uint64_t mask =
        costs->kinds[hw_label_kind(label)] & costs->types[graph->type[from]] &
        (label_is_named(label) ? costs->strings[hw_label_payload(label)] : costs->without_name);
    uint32_t cost = mask ? hw_hop_rules[__builtin_ctzll(mask)].cost : HW_COST_HOP;
    if (!(costs->is_space[from / 8] >> from % 8 & 1))
        return cost + crowd_cost(costs, from, to);
    if (from == costs->modules)
        return hw_label_kind(label) == HW_LABEL_VALUE
                   ? costs->entries[edge - graph->edge_start[from]]
                   : cost;
    return cost + import_cost(costs, from, to);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "weigh/rows.h"

#include "ask/lookup.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

bool hw_rows_init(struct hw_rows *rows, const struct hw_graph *graph, struct hw_arena *arena,
                  struct hw_err *err)
{
    *rows = (struct hw_rows){.graph = graph, .arena = arena};
    if (!hw_dominators_create(&rows->dominators, graph, err))
        return false;
    if (hw_places_init(&rows->places, graph, arena))
        return true;
    hw_rows_deinit(rows);
    return hw_err_no_memory(err);
}

void hw_rows_deinit(struct hw_rows *rows)
{
    hw_dominators_destroy(rows->dominators);
    hw_places_deinit(&rows->places);
    rows->dominators = NULL;
}

/* ---- objects ---- */

struct hw_hop hw_rows_hop(const struct hw_rows *rows, hw_id node)
{
    const struct hw_graph *graph = rows->graph;
    struct hw_hop hop = {hw_dominators_owner(rows->dominators, node), node, HW_NO_EDGE};
    if (hop.from == HW_NONE)
        return hop;
    for (uint32_t e = graph->edge_start[hop.from]; e < graph->edge_start[hop.from + 1]; e++) {
        if (graph->edge_to[e] != node)
            continue;
        hop.edge = e;
        break;
    }
    return hop;
}

/* Synthetic nodes are no objects; only they have others below them. */
static uint64_t count_objects(const struct hw_rows *rows, hw_id id)
{
    uint32_t count = hw_dominators_count(rows->dominators, id), all, objects = 0;
    if (id < rows->graph->object_count || !count)
        return count;
    const hw_id *order = hw_dominators_order(rows->dominators, &all);
    uint32_t at = hw_dominators_position(rows->dominators, id);
    for (uint32_t i = at; i < at + count; i++)
        objects += order[i] < rows->graph->object_count;
    return objects;
}

/* A module's namespace is a dict like others: here it says whose. */
static bool name_namespace(const struct hw_rows *rows, struct hw_step *step)
{
    if (step->node >= rows->graph->object_count || !places_has(&rows->places, step->node))
        return true;
    const struct hw_place *place = &rows->places.rows[hw_places_find(&rows->places, step->node)];
    if (place->kind == HW_PLACE_MODULES)
        step->what = place->name;
    else if (place->node != step->node)
        step->what = hw_arena_printf(rows->arena, "of module %s", place->name);
    return step->what != NULL;
}

bool hw_rows_weigh(const struct hw_rows *rows, const struct hw_hop *hop,
                   struct hw_retained_object *row)
{
    *row = (struct hw_retained_object){
        .path = "",
        .bytes = hw_graph_weight(rows->graph, hop->to),
        .retained_bytes = hw_dominators_retained(rows->dominators, hop->to),
        .retained_objects = count_objects(rows, hop->to),
    };
    return hw_step_spell(rows->graph, hop, rows->arena, &row->step) &&
           name_namespace(rows, &row->step);
}

/* ---- paths ---- */

bool hw_namer_init(struct hw_namer *namer, const struct hw_graph *graph, struct hw_arena *arena,
                   struct hw_err *err)
{
    *namer = (struct hw_namer){.graph = graph, .arena = arena};
    return hw_tree_init(&namer->tree, graph, err);
}

void hw_namer_deinit(struct hw_namer *namer)
{
    hw_tree_deinit(&namer->tree);
}

bool hw_namer_find(const struct hw_namer *namer, struct hw_retained_object *row)
{
    struct hw_buf text = {0};
    hw_path_spell(namer->graph, &namer->tree, row->step.node, &text);
    row->path = hw_buf_ok(&text) ? hw_arena_strdup(namer->arena, hw_buf_str(&text)) : NULL;
    hw_buf_deinit(&text);
    return row->path != NULL;
}

/* ---- types ---- */

/* Types by name: those of one name share the number of the first. */
struct names {
    const struct hw_graph *graph;
    uint32_t *sorted; /* types */
    uint32_t *first;  /* by type */
};

static int by_name(const void *a, const void *b, void *arg)
{
    const struct hw_graph *graph = arg;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int order = strcmp(graph->types[x].name, graph->types[y].name);
    return order ? order : x < y ? -1 : x > y;
}

static void find_names(struct names *names)
{
    const struct hw_graph *graph = names->graph;
    for (uint32_t t = 0; t < graph->type_count; t++)
        names->sorted[t] = t;
    qsort_r(names->sorted, graph->type_count, sizeof(uint32_t), by_name, (void *)graph);
    for (uint32_t i = 0; i < graph->type_count; i++) {
        uint32_t t = names->sorted[i], before = i ? names->sorted[i - 1] : t;
        bool same = strcmp(graph->types[t].name, graph->types[before].name) == 0;
        names->first[t] = same && i ? names->first[before] : t;
    }
}

/* end[t]: where the outermost subtree ends that an object of type t heads. */
static void add_subtree(const struct hw_rows *rows, const struct names *names, hw_id top,
                        struct hw_retained_type *types, uint64_t *end)
{
    const struct hw_dominators *dominators = rows->dominators;
    uint32_t all, first = hw_dominators_position(dominators, top);
    const hw_id *order = hw_dominators_order(dominators, &all);
    uint64_t after = (uint64_t)first + hw_dominators_count(dominators, top);
    for (uint64_t i = first; i < after; i++) {
        hw_id id = order[i];
        if (id >= rows->graph->object_count)
            continue;
        uint32_t type = names->first[rows->graph->type[id]];
        types[type].objects++;
        types[type].bytes += hw_graph_weight(rows->graph, id);
        if (!end || i < end[type])
            continue;
        uint32_t below = hw_dominators_count(dominators, id);
        types[type].retained_bytes += hw_dominators_retained(dominators, id);
        types[type].retained_objects += below;
        end[type] = i + below;
    }
}

static int by_retained(const void *a, const void *b)
{
    const struct hw_retained_type *x = a, *y = b;
    if (x->retained_bytes != y->retained_bytes)
        return x->retained_bytes > y->retained_bytes ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Moves the rows that count anything to the front and gives them their names. */
static bool pack(const struct hw_graph *graph, struct hw_arena *arena,
                 struct hw_retained_type *rows, size_t *ret_count)
{
    size_t n = 0;
    for (uint32_t t = 0; t < graph->type_count; t++) {
        if (!rows[t].objects)
            continue;
        rows[n] = rows[t];
        rows[n].name = hw_arena_strdup(arena, graph->types[t].name);
        if (!rows[n++].name)
            return false;
    }
    qsort(rows, n, sizeof(*rows), by_retained);
    *ret_count = n;
    return true;
}

bool hw_rows_by_type(const struct hw_rows *rows, hw_id id, bool outermost,
                     struct hw_retained_type **ret_rows, size_t *ret_count)
{
    const struct hw_graph *graph = rows->graph;
    size_t count = graph->type_count ? graph->type_count : 1;
    struct names names = {graph, calloc(count, sizeof(uint32_t)), calloc(count, sizeof(uint32_t))};
    uint64_t *end = outermost ? calloc(count, sizeof(*end)) : NULL;
    struct hw_retained_type *types = hw_arena_array(rows->arena, count, sizeof(*types));
    bool ok = names.sorted && names.first && (end || !outermost) && types;
    if (ok) {
        find_names(&names);
        add_subtree(rows, &names, id, types, end);
        ok = pack(graph, rows->arena, types, ret_count);
    }
    free(names.sorted);
    free(names.first);
    free(end);
    if (ok)
        *ret_rows = types;
    return ok;
}

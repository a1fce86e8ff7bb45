/* SPDX-License-Identifier: Apache-2.0 */
#include "weigh/rows.h"

#include "ask/lookup.h"

#include <stdlib.h>
#include <string.h>

uint32_t hw_owner_edge(const struct hw_graph *graph, hw_id owner, hw_id node)
{
    if (owner != HW_NONE)
        for (uint32_t e = graph->edge_start[owner]; e < graph->edge_start[owner + 1]; e++)
            if (graph->edge_to[e] == node)
                return e;
    return HW_NO_EDGE;
}

/* ---- objects ---- */

/* Synthetic nodes are no objects; only they have others below them. */
static uint64_t count_objects(const struct hw_dominators *dominators, const struct hw_graph *graph,
                              hw_id id)
{
    uint32_t count = hw_dominators_count(dominators, id), all, objects = 0;
    if (id < graph->object_count || !count)
        return count;
    const hw_id *order = hw_dominators_order(dominators, &all);
    uint32_t at = hw_dominators_position(dominators, id);
    for (uint32_t i = at; i < at + count; i++)
        objects += order[i] < graph->object_count;
    return objects;
}

bool hw_row_weigh(const struct hw_dominators *dominators, const struct hw_graph *graph,
                  const struct hw_hop *hop, struct hw_arena *arena, struct hw_retained_object *row)
{
    hw_id id = hop->to;
    *row = (struct hw_retained_object){
        .path = "",
        .bytes = hw_weight(graph, id),
        .retained_bytes = hw_dominators_retained(dominators, id),
        .retained_objects = count_objects(dominators, graph, id),
    };
    return hw_step_spell(graph, hop, arena, &row->step);
}

bool hw_row_find_path(const struct hw_graph *graph, const struct hw_tree *tree,
                      struct hw_arena *arena, struct hw_retained_object *row)
{
    struct hw_buf text = {0};
    hw_path_spell(graph, tree, row->step.node, &text);
    row->path = hw_buf_ok(&text) ? hw_arena_strdup(arena, hw_buf_str(&text)) : NULL;
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
        names->first[t] = same ? names->first[before] : t;
        if (!i)
            names->first[t] = t;
    }
}

/* end[t]: where the outermost subtree ends that an object of type t heads. */
static void add_part(const struct hw_dominators *dominators, const struct names *names,
                     uint32_t first, uint32_t count, struct hw_retained_type *rows, uint64_t *end)
{
    const struct hw_graph *graph = names->graph;
    uint32_t all;
    const hw_id *order = hw_dominators_order(dominators, &all);
    for (uint64_t i = first; i < (uint64_t)first + count; i++) {
        hw_id id = order[i];
        if (id >= graph->object_count)
            continue;
        uint32_t type = names->first[graph->type[id]];
        rows[type].objects++;
        rows[type].bytes += hw_weight(graph, id);
        if (!end || i < end[type])
            continue;
        uint32_t below = hw_dominators_count(dominators, id);
        rows[type].retained_bytes += hw_dominators_retained(dominators, id);
        rows[type].retained_objects += below;
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

bool hw_rows_by_type(const struct hw_dominators *dominators, const struct hw_graph *graph,
                     uint32_t first, uint32_t count, bool outermost, struct hw_arena *arena,
                     struct hw_retained_type **ret_rows, size_t *ret_count)
{
    size_t types = graph->type_count ? graph->type_count : 1;
    struct names names = {graph, calloc(types, sizeof(uint32_t)), calloc(types, sizeof(uint32_t))};
    uint64_t *end = outermost ? calloc(types, sizeof(*end)) : NULL;
    struct hw_retained_type *rows = hw_arena_array(arena, types, sizeof(*rows));
    bool ok = names.sorted && names.first && (end || !outermost) && rows;
    if (ok) {
        find_names(&names);
        add_part(dominators, &names, first, count, rows, end);
        ok = pack(graph, arena, rows, ret_count);
    }
    free(names.sorted);
    free(names.first);
    free(end);
    if (ok)
        *ret_rows = rows;
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/lookup.h"
#include "base/err.h"
#include "base/vec.h"
#include "weigh/rows.h"
#include "weigh/top.h"

#include <stdlib.h>
#include <string.h>

struct retained_result {
    struct hw_retained retained;
    struct hw_arena arena;
};

struct work {
    const struct hw_graph *graph;
    struct hw_rows rows;
    struct hw_top top;
    struct retained_result *result;
};

/* ---- places ---- */

/* The places around a node, outermost first. */
struct open_place {
    uint64_t end; /* in the order */
    uint32_t place;
};
struct open_places {
    struct open_place *rows;
    size_t count, capacity;
};

static bool open_place(struct open_places *open, struct open_place row)
{
    struct open_place *rows =
        hw_vec_grow(open->rows, &open->capacity, open->count + 1, sizeof(*rows));
    if (!rows)
        return false;
    open->rows = rows;
    open->rows[open->count++] = row;
    return true;
}

static bool charge(struct work *work, struct hw_retained_place *rows)
{
    const struct hw_graph *graph = work->graph;
    struct open_places open = {0};
    uint32_t count;
    const hw_id *order = hw_dominators_order(work->rows.dominators, &count);
    bool ok = true;
    for (uint64_t i = 0; ok && i < count; i++) {
        hw_id id = order[i];
        while (open.count && i >= open.rows[open.count - 1].end)
            open.count--;
        if (places_has(&work->rows.places, id)) {
            uint64_t end = i + hw_dominators_count(work->rows.dominators, id);
            ok =
                open_place(&open, (struct open_place){end, hw_places_find(&work->rows.places, id)});
        }
        if (!ok || id >= graph->object_count)
            continue;
        struct hw_retained_place *row = &rows[open.rows[open.count - 1].place];
        row->objects++;
        row->bytes += hw_graph_weight(graph, id);
    }
    free(open.rows);
    return ok;
}

static int by_bytes(const void *a, const void *b)
{
    const struct hw_retained_place *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x->node < y->node ? -1 : x->node > y->node;
}

static bool fill_places(struct work *work)
{
    struct retained_result *result = work->result;
    struct hw_retained_place *rows =
        hw_arena_array(&result->arena, work->rows.places.count + 1, sizeof(*rows));
    if (!rows)
        return false;
    for (uint32_t i = 0; i < work->rows.places.count; i++) {
        const struct hw_place *place = &work->rows.places.rows[i];
        rows[i].kind = place->kind;
        rows[i].name = place->name;
        rows[i].node = place->node;
    }
    if (!charge(work, rows))
        return false;
    size_t n = 0;
    for (uint32_t i = 0; i < work->rows.places.count; i++)
        if (rows[i].objects)
            rows[n++] = rows[i];
    qsort(rows, n, sizeof(*rows), by_bytes);
    result->retained.places = rows;
    result->retained.place_count = n;
    return true;
}

/* ---- objects ---- */

enum { DICT_EDGES_MAX = 64 };

/* The instance's dict, which everybody sees as a part of the instance. It is among the first
 * references; long lists that hold many dicts are not searched for each of them. */
static bool is_dict_of(const struct hw_graph *graph, hw_id owner, hw_id id)
{
    uint32_t degree = graph_degree(graph, owner), first = graph->edge_start[owner];
    if (!type_has(graph, id, HW_TYPE_DICT))
        return false;
    for (uint32_t e = first; e < first + degree && e < first + DICT_EDGES_MAX; e++)
        if (graph->edge_to[e] == id)
            return edge_kind(graph, e) == HW_LABEL_ATTR &&
                   strcmp(edge_string(graph, e), "__dict__") == 0;
    return false;
}

/* Whether a row for the object says something that the row of its owner does not. */
static bool is_telling(const struct work *work, hw_id id, uint64_t bytes)
{
    const struct hw_graph *graph = work->graph;
    hw_id owner = hw_dominators_owner(work->rows.dominators, id);
    if (id >= graph->object_count || places_has(&work->rows.places, id) || owner == HW_NONE ||
        is_dict_of(graph, owner, id))
        return false;
    hw_id above = hw_dominators_owner(work->rows.dominators, owner);
    if (above != HW_NONE && is_dict_of(graph, above, owner))
        owner = above;
    uint64_t around = hw_dominators_retained(work->rows.dominators, owner);
    return owner >= graph->object_count || graph->type[owner] != graph->type[id] ||
           bytes < around - around / 64;
}

static bool choose(struct work *work)
{
    uint32_t count;
    const hw_id *order = hw_dominators_order(work->rows.dominators, &count);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t bytes = hw_dominators_retained(work->rows.dominators, order[i]);
        if (hw_top_wants(&work->top, bytes) && is_telling(work, order[i], bytes) &&
            !hw_top_add(&work->top, bytes, order[i]))
            return false;
    }
    hw_top_sort(&work->top);
    return true;
}

static bool fill_rows(struct work *work)
{
    struct hw_retained *retained = &work->result->retained;
    if (!choose(work))
        return false;
    retained->row_count = work->top.count;
    retained->rows =
        hw_arena_array(&work->result->arena, retained->row_count + 1, sizeof(*retained->rows));
    bool ok = retained->rows != NULL;
    for (size_t i = 0; ok && i < retained->row_count; i++) {
        struct hw_hop hop = {HW_NONE, work->top.rows[i].id, HW_NO_EDGE};
        ok = hw_rows_weigh(&work->rows, &hop, &retained->rows[i]);
    }
    return ok;
}

/* ---- */

static void fill_totals(struct work *work)
{
    struct hw_retained *retained = &work->result->retained;
    const struct hw_graph *graph = work->graph;
    for (hw_id id = 0; id < graph->object_count; id++) {
        uint64_t bytes = hw_graph_weight(graph, id);
        retained->bytes += bytes;
        if (hw_dominators_reached(work->rows.dominators, id))
            continue;
        retained->unreached_objects++;
        retained->unreached_bytes += bytes;
    }
    retained->objects = graph->object_count;
}

static bool fill_weights(struct work *work, struct hw_err *err)
{
    struct hw_retained *retained = &work->result->retained;
    if (!hw_rows_init(&work->rows, work->graph, &work->result->arena, err))
        return false;
    fill_totals(work);
    bool ok = fill_places(work) && fill_rows(work) &&
              hw_rows_by_type(&work->rows, work->graph->node_count - 1, true, &retained->types,
                              &retained->type_count);
    hw_rows_deinit(&work->rows);
    return ok || hw_err_no_memory(err);
}

static bool fill_paths(struct work *work, struct hw_err *err)
{
    struct hw_retained *retained = &work->result->retained;
    struct hw_namer namer;
    if (!retained->row_count)
        return true;
    if (!hw_namer_init(&namer, work->graph, &work->result->arena, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < retained->row_count; i++)
        ok = hw_namer_find(&namer, &retained->rows[i]);
    hw_namer_deinit(&namer);
    return ok || hw_err_no_memory(err);
}

bool hw_retained_ask(const struct hw_graph *graph, size_t max_rows,
                     struct hw_retained **ret_retained, struct hw_err *err)
{
    struct work work = {.graph = graph, .top = {.max = max_rows}};
    work.result = calloc(1, sizeof(*work.result));
    if (!work.result)
        return hw_err_no_memory(err);
    bool ok = fill_weights(&work, err) && fill_paths(&work, err);
    hw_top_deinit(&work.top);
    if (!ok) {
        hw_retained_destroy(&work.result->retained);
        return false;
    }
    *ret_retained = &work.result->retained;
    return true;
}

void hw_retained_destroy(struct hw_retained *retained)
{
    if (!retained)
        return;
    struct retained_result *result = (struct retained_result *)retained;
    hw_arena_deinit(&result->arena);
    free(result);
}

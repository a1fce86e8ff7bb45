/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/lookup.h"
#include "ask/origin.h"
#include "base/err.h"
#include "base/vec.h"
#include "weigh/dominators.h"
#include "weigh/merge.h"
#include "weigh/places.h"

#include <stdlib.h>
#include <string.h>

/*
 * Up the dominators of each object, to the first that says whose it is. What is found at a node on
 * the way holds for all below it, so every node is looked at once:
 *
 *     'x-1' < dict < dict of app.Session < app.Session < list < dict of module app < sys.modules
 *             headers                      says it: app.Session.headers
 *
 * Two answers are kept for each node, one of the program's code, and one of any code where the
 * program has none. Where a dominator refers to a node not by itself but only through several
 * others, the node is shared; what hangs below is told by the best path to the shared node.
 */
enum { UNKNOWN, NOBODY, SHARED, FIRST_ANSWER };

struct answer {
    uint32_t shape;
    hw_id holder;
    bool shared;
};

struct search {
    const struct hw_graph *graph;
    struct hw_dominators *dominators;
    struct hw_origins *origins;
    struct hw_places places;
    struct hw_tree tree;
    struct hw_shapes *shapes;
    uint32_t *via; /* by node: the edge by which its owner refers to it, + 1; 0: not directly */
    uint8_t *is_scanned; /* bitmap: via is known of all that the node owns */
    uint32_t *class_of;  /* by node: the type that it is, + 1 */
    uint32_t *program;   /* by node: answer of the program's code */
    uint32_t *any;       /* by node: answer of any code */
    struct answer *answers;
    size_t answer_count, answer_capacity;
    hw_id *way;
    size_t way_capacity;
    struct hw_arena arena;
};

/* ---- who says something ---- */

static const struct hw_place *place_of(const struct search *search, hw_id node)
{
    return places_has(&search->places, node)
               ? &search->places.rows[hw_places_find(&search->places, node)]
               : NULL;
}

/* What all modules hang from says nothing about any. */
static bool is_top(const struct search *search, hw_id node)
{
    const struct hw_place *place = node == HW_NONE ? NULL : place_of(search, node);
    return node == HW_NONE ||
           (place && (place->kind == HW_PLACE_ROOT || place->kind == HW_PLACE_INTERPRETER ||
                      place->kind == HW_PLACE_MODULES));
}

static enum hw_origin origin_of_place(const struct search *search, const struct hw_place *place)
{
    const struct hw_synthetic *s = hw_graph_synthetic(search->graph, place->node);
    if (place->kind == HW_PLACE_MODULE)
        return hw_origin_of_module(search->origins, place->name);
    return place->kind == HW_PLACE_FRAME ? hw_origin_of_file(s->file) : HW_ORIGIN_LIBRARY;
}

/* A suspended function belongs to the module that it looks into. */
static enum hw_origin origin_of_suspended(const struct search *search, hw_id node)
{
    const struct hw_graph *graph = search->graph;
    uint32_t function = hw_edge_find(graph, node, HW_LABEL_INTERNAL, "f_func");
    if (function == HW_NO_EDGE)
        return HW_ORIGIN_LIBRARY;
    hw_id at = graph->edge_to[function];
    for (uint32_t e = graph->edge_start[at]; e < graph->edge_start[at + 1]; e++) {
        const struct hw_place *place = place_of(search, graph->edge_to[e]);
        if (place && strcmp(edge_string(graph, e), "__globals__") == 0)
            return origin_of_place(search, place);
    }
    return HW_ORIGIN_LIBRARY;
}

static enum hw_origin origin_of(const struct search *search, hw_id node)
{
    const struct hw_place *place = place_of(search, node);
    if (place)
        return origin_of_place(search, place);
    if (search->class_of[node])
        return hw_origin_of_type(search->origins, search->class_of[node] - 1);
    if (type_has(search->graph, node, HW_TYPE_GENERATOR))
        return origin_of_suspended(search, node);
    return hw_origin_of_type(search->origins, search->graph->type[node]);
}

/* ---- what the answer is called ---- */

/* sys.modules['app'], <main() at app.py>, app.Session */
static uint32_t begin_at(struct search *search, hw_id node)
{
    const struct hw_graph *graph = search->graph;
    const struct hw_place *place = place_of(search, node);
    if (place && place->kind == HW_PLACE_MODULE) {
        struct hw_buf text = {0};
        hw_buf_printf(&text, "sys.modules['%s']", place->name);
        uint32_t shape = hw_shape_begin(search->shapes, hw_buf_str(&text));
        hw_buf_deinit(&text);
        uint32_t space = node == place->node
                             ? HW_NO_EDGE
                             : hw_edge_find(graph, place->node, HW_LABEL_ATTR, "__dict__");
        return space == HW_NO_EDGE ? shape
                                   : hw_shape_extend(search->shapes, shape, place->node, space);
    }
    if (node >= graph->object_count || type_has(graph, node, HW_TYPE_GENERATOR))
        return hw_shape_begin_at(search->shapes, node);
    uint32_t type = search->class_of[node] ? search->class_of[node] - 1 : graph->type[node];
    return hw_shape_begin(search->shapes, graph->types[type].name);
}

static uint32_t add_answer(struct search *search, struct answer answer)
{
    struct answer *answers = hw_vec_grow(search->answers, &search->answer_capacity,
                                         search->answer_count + 1, sizeof(*answers));
    if (!answers)
        return UNKNOWN;
    search->answers = answers;
    answers[search->answer_count] = answer;
    return (uint32_t)search->answer_count++;
}

static void scan(struct search *search, hw_id owner)
{
    const struct hw_graph *graph = search->graph;
    if (search->is_scanned[owner / 8] >> owner % 8 & 1)
        return;
    search->is_scanned[owner / 8] |= (uint8_t)(1 << owner % 8);
    for (uint32_t e = graph->edge_start[owner]; e < graph->edge_start[owner + 1]; e++) {
        hw_id to = graph->edge_to[e];
        if (!search->via[to] && hw_dominators_owner(search->dominators, to) == owner)
            search->via[to] = e + 1;
    }
}

/* Owner says that child is its own: by speaker's attribute, local variable, entry. */
static uint32_t answer_direct(struct search *search, hw_id speaker, hw_id owner, hw_id child)
{
    uint32_t shape = begin_at(search, speaker);
    if (owner != speaker)
        shape = hw_shape_extend(search->shapes, shape, speaker, search->via[owner] - 1);
    if (search->via[child])
        shape = hw_shape_extend(search->shapes, shape, owner, search->via[child] - 1);
    const struct hw_place *place = place_of(search, speaker);
    return add_answer(search,
                      (struct answer){.shape = shape, .holder = place ? place->node : speaker});
}

/* The dict of an instance is a part of it. */
static bool is_space(const struct search *search, hw_id node)
{
    uint32_t edge = search->via[node];
    return edge && edge_kind(search->graph, edge - 1) == HW_LABEL_ATTR &&
           strcmp(edge_string(search->graph, edge - 1), "__dict__") == 0;
}

/* What hangs below something shared is told by the way to that. */
static uint32_t inherit(struct search *search, uint32_t answer, hw_id owner)
{
    if (answer != SHARED)
        return answer;
    return add_answer(search, (struct answer){.shape = hw_shape_of(search->shapes, owner),
                                              .holder = HW_NONE,
                                              .shared = true});
}

/* ---- one node, whose owner is settled ---- */

static bool settle(struct search *search, hw_id node)
{
    hw_id owner = hw_dominators_owner(search->dominators, node), speaker = owner;
    if (is_top(search, owner)) {
        search->program[node] = NOBODY;
        search->any[node] = SHARED;
        return true;
    }
    scan(search, owner);
    if (!place_of(search, owner) && is_space(search, owner))
        speaker = hw_dominators_owner(search->dominators, owner);
    enum hw_origin origin = is_top(search, speaker) ? HW_ORIGIN_NOBODY : origin_of(search, speaker);
    bool is_shared = place_of(search, speaker) && !search->via[node];
    uint32_t direct = origin == HW_ORIGIN_NOBODY ? UNKNOWN
                      : is_shared                ? SHARED
                                                 : answer_direct(search, speaker, owner, node);
    search->program[node] =
        origin == HW_ORIGIN_PROGRAM ? direct : inherit(search, search->program[owner], owner);
    search->any[node] =
        origin != HW_ORIGIN_NOBODY ? direct : inherit(search, search->any[owner], owner);
    return search->program[node] && search->any[node];
}

static bool resolve(struct search *search, hw_id node)
{
    size_t n = 0;
    for (hw_id at = node; at != HW_NONE && !search->any[at];
         at = is_top(search, at) ? HW_NONE : hw_dominators_owner(search->dominators, at)) {
        hw_id *way = hw_vec_grow(search->way, &search->way_capacity, n + 1, sizeof(*way));
        if (!way)
            return false;
        search->way = way;
        way[n++] = at;
    }
    while (n--)
        if (!settle(search, search->way[n]))
            return false;
    return hw_shapes_ok(search->shapes);
}

/* ---- */

static bool add_object(struct search *search, struct hw_merge *merge, hw_id id)
{
    if (!hw_dominators_reached(search->dominators, id))
        return hw_merge_add_unheld(merge, id);
    if (!resolve(search, id))
        return false;
    uint32_t answer = search->program[id] != NOBODY ? search->program[id] : search->any[id];
    if (answer < FIRST_ANSWER)
        return hw_merge_add(merge, id, hw_shape_begin(search->shapes, ""), HW_NONE, true);
    const struct answer *found = &search->answers[answer];
    return hw_merge_add(merge, id, found->shape, found->holder, found->shared);
}

static bool init_columns(struct search *search)
{
    const struct hw_graph *graph = search->graph;
    size_t n = graph->node_count;
    /* Mostly not touched: memory comes with the first write to a page. */
    search->via = calloc(n, sizeof(*search->via));
    search->is_scanned = calloc(n / 8 + 1, 1);
    search->class_of = calloc(n, sizeof(*search->class_of));
    search->program = calloc(n, sizeof(*search->program));
    search->any = calloc(n, sizeof(*search->any));
    if (!search->via || !search->is_scanned || !search->class_of || !search->program ||
        !search->any || !hw_places_init(&search->places, graph, &search->arena))
        return false;
    for (uint32_t t = 0; t < graph->type_count; t++)
        if (graph->types[t].node != HW_NONE)
            search->class_of[graph->types[t].node] = t + 1;
    while (search->answer_count < FIRST_ANSWER) /* the words of the enum */
        if (add_answer(search, (struct answer){0}) != search->answer_count - 1)
            return false;
    return true;
}

static bool init(struct search *search, const struct hw_graph *graph, struct hw_err *err)
{
    *search = (struct search){.graph = graph};
    return (init_columns(search) || hw_err_no_memory(err)) &&
           hw_dominators_create(&search->dominators, graph, err) &&
           hw_origins_create(&search->origins, graph, err) &&
           hw_tree_init(&search->tree, graph, err) &&
           hw_shapes_create(&search->shapes, graph, &search->tree, err);
}

static void deinit(struct search *search)
{
    hw_shapes_destroy(search->shapes);
    hw_tree_deinit(&search->tree);
    hw_origins_destroy(search->origins);
    hw_dominators_destroy(search->dominators);
    hw_places_deinit(&search->places);
    hw_arena_deinit(&search->arena);
    free(search->via);
    free(search->is_scanned);
    free(search->class_of);
    free(search->program);
    free(search->any);
    free(search->answers);
    free(search->way);
}

bool hw_owners_ask(const struct hw_graph *graph, const hw_id *ids, size_t count, size_t max_rows,
                   struct hw_merged **ret_merged, struct hw_err *err)
{
    struct search search;
    struct hw_merge merge;
    if (!hw_merge_check(graph, ids, count, err))
        return false;
    hw_merge_init(&merge, graph);
    bool ok = init(&search, graph, err);
    for (size_t i = 0; ok && i < count; i++)
        ok = add_object(&search, &merge, ids[i]) || hw_err_no_memory(err);
    ok = ok && hw_merge_finish(&merge, search.shapes, max_rows, ret_merged, err);
    hw_merge_deinit(&merge);
    deinit(&search);
    return ok;
}

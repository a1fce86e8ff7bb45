/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/lookup.h"
#include "base/err.h"
#include "grow/series.h"

#include <stdlib.h>
#include <string.h>

/*
 * How old each object is. By address and kind first; then, since allocators hand out addresses
 * again at once, by what an object is made of.
 */
enum {
    PASSES = 2, /* what is nested is made younger from the inside out */
    SHARED = 4, /* references to a text that is nobody's own */
    DEPTH = 4,  /* how far an object's own parts are followed */
};

struct ages {
    const struct hw_series *series;
    const struct hw_graph *graph; /* the last */
    uint8_t *births;
    uint8_t *firm;   /* by object: since then somebody who holds it now always did */
    uint32_t *first; /* by object: its holders in the first snapshot that had it */
    uint8_t *other;  /* by object: whether it had another size there, or other members */
};

/* Objects that were there since snapshot n + 1 and in snapshot n too are that much older. */
static void step_back(const struct hw_series *series, size_t n, struct ages *ages)
{
    struct hw_series_cursor a = {.shot = &series->shots[n]};
    struct hw_series_cursor b = {.shot = &series->shots[series->count - 1]};
    while (a.row < a.shot->count && b.row < b.shot->count) {
        hw_addr before = cursor_addr(&a), now = cursor_addr(&b);
        if (before == now && ages->births[b.row] == n + 1 &&
            a.shot->kind[a.row] == b.shot->kind[b.row]) {
            ages->births[b.row] = (uint8_t)n;
            ages->first[b.row] = a.shot->holders[a.row];
            ages->other[b.row] = a.shot->size[a.row] != b.shot->size[b.row] ||
                                 a.shot->members[a.row] != b.shot->members[b.row];
            if (ages->firm[b.row] == n + 1 &&
                hw_holders_meet(a.shot->holders[a.row], b.shot->holders[b.row]))
                ages->firm[b.row] = (uint8_t)n;
        }
        a.row += before <= now;
        b.row += now <= before;
    }
}

/* ---- addresses that were taken again ---- */

static uint8_t later(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

/* Makes an object younger, and the parts that only it refers to. */
static void make_younger(const struct hw_graph *graph, hw_id id, uint8_t birth, uint8_t *births,
                         int depth)
{
    if (births[id] >= birth)
        return;
    births[id] = birth;
    for (uint32_t e = graph->edge_start[id]; depth && e < graph->edge_start[id + 1]; e++)
        if (graph->refcount[graph->edge_to[e]] == 1 && graph->edge_to[e] < graph->object_count)
            make_younger(graph, graph->edge_to[e], birth, births, depth - 1);
}

/* What only an entry refers to came with its key. */
static void rejuvenate_values(const struct hw_graph *graph, hw_id dict, uint8_t *births)
{
    for (uint32_t e = graph->edge_start[dict]; e < graph->edge_start[dict + 1]; e++) {
        hw_id value = graph->edge_to[e];
        if (edge_kind(graph, e) == HW_LABEL_VALUE && graph->refcount[value] == 1 &&
            value < graph->object_count)
            make_younger(graph, value, births[key_of(graph, e)], births, DEPTH);
    }
}

/* A tuple is no older than what it was made of. */
static uint8_t tuple_birth(const struct hw_graph *graph, hw_id tuple, const uint8_t *births)
{
    uint8_t birth = births[tuple];
    for (uint32_t e = graph->edge_start[tuple]; e < graph->edge_start[tuple + 1]; e++)
        if (edge_kind(graph, e) == HW_LABEL_INDEX)
            birth = later(birth, births[graph->edge_to[e]]);
    return birth;
}

/* What an instance was given at its birth and hardly changes: texts of its own. */
struct belongings {
    uint32_t count;
    uint8_t oldest;
};

static void add_belongings(const struct hw_graph *graph, hw_id holder, const uint8_t *births,
                           struct belongings *own)
{
    const uint32_t kinds = HW_TYPE_STR | HW_TYPE_BYTES;
    for (uint32_t e = graph->edge_start[holder]; e < graph->edge_start[holder + 1]; e++) {
        hw_id to = graph->edge_to[e];
        enum hw_label_kind kind = edge_kind(graph, e);
        if ((kind != HW_LABEL_ATTR && kind != HW_LABEL_VALUE && kind != HW_LABEL_NAMED) ||
            !type_has(graph, to, kinds) || graph->refcount[to] > SHARED)
            continue;
        own->oldest = own->count && own->oldest < births[to] ? own->oldest : births[to];
        own->count++;
    }
}

static hw_id namespace_of(const struct hw_graph *graph, hw_id id)
{
    for (uint32_t e = graph->edge_start[id]; e < graph->edge_start[id + 1]; e++)
        if (edge_kind(graph, e) == HW_LABEL_ATTR &&
            type_has(graph, graph->edge_to[e], HW_TYPE_DICT) &&
            strcmp(edge_string(graph, e), "__dict__") == 0)
            return graph->edge_to[e];
    return HW_NONE;
}

/* An instance is taken for another at the same address when all of its own texts are younger. */
static void rejuvenate_instance(const struct hw_graph *graph, hw_id id, uint8_t *births)
{
    struct belongings own = {0, 0};
    hw_id space = namespace_of(graph, id);
    add_belongings(graph, id, births, &own);
    if (space != HW_NONE)
        add_belongings(graph, space, births, &own);
    if (!own.count)
        return;
    make_younger(graph, id, own.oldest, births, DEPTH);
}

/* What an object refers to and hardly anybody else does; what all share says nothing of its age,
 * nor does an old function, which many may name. */
static bool is_own(const struct ages *ages, hw_id id, uint32_t edge)
{
    const uint32_t shared = HW_TYPE_TYPE | HW_TYPE_MODULE | HW_TYPE_CODE;
    const struct hw_graph *graph = ages->graph;
    hw_id to = graph->edge_to[edge];
    return to != id && to < graph->object_count && graph->refcount[to] <= SHARED &&
           !(graph->flags[to] & (HW_NODE_IMMORTAL | HW_NODE_STATIC)) &&
           !type_has(graph, to, shared) &&
           (ages->births[to] || !type_has(graph, to, HW_TYPE_FUNCTION));
}

/* What an object consists of, beside a snapshot before which nobody who holds it now did so. */
struct parts {
    uint8_t young;         /* the oldest of those that came since; UINT8_MAX: none did */
    uint8_t old;           /* the oldest of the others */
    uint32_t sure, here;   /* others that had one holder at first; for how many it was this one */
    uint32_t vague, maybe; /* the same of those that had several */
    bool holds_itself;
};

static void add_part(const struct ages *ages, hw_id part, uint8_t since, uint32_t self,
                     struct parts *parts)
{
    uint8_t birth = ages->births[part];
    if (birth >= since) {
        parts->young = birth < parts->young ? birth : parts->young;
        return;
    }
    bool met = hw_holders_meet(ages->first[part], self);
    parts->old = birth < parts->old ? birth : parts->old;
    if (ages->first[part] & HW_HOLDERS_MANY) {
        parts->vague++;
        parts->maybe += met;
    } else {
        parts->sure++;
        parts->here += met;
    }
}

static struct parts find_parts(const struct ages *ages, hw_id id, uint8_t since)
{
    const struct hw_graph *graph = ages->graph;
    struct parts parts = {.young = UINT8_MAX, .old = UINT8_MAX};
    uint32_t self = hw_holders_one(hw_graph_addr(graph, id));
    for (uint32_t e = graph->edge_start[id]; e < graph->edge_start[id + 1]; e++) {
        parts.holds_itself |= graph->edge_to[e] == id;
        if (is_own(ages, id, e))
            add_part(ages, graph->edge_to[e], since, self, &parts);
    }
    return parts;
}

/* Whether it held any of its own parts in snapshot n. */
static bool held_parts(const struct ages *ages, hw_id id, size_t n)
{
    const struct hw_graph *graph = ages->graph;
    uint32_t self = hw_holders_one(hw_graph_addr(graph, id));
    for (uint32_t e = graph->edge_start[id]; e < graph->edge_start[id + 1]; e++)
        if (is_own(ages, id, e) && ages->births[graph->edge_to[e]] <= n &&
            hw_holders_meet(hw_series_holders(ages->series, n, graph->edge_to[e]), self))
            return true;
    return false;
}

/* An object at an address where one of its type was before is another one when nobody who holds it
 * held that one, and nothing that it consists of was held by that one; of what consists of nothing
 * of its own, when its size says so. Moving it makes none of this true alone. What holds itself did
 * so before, if it is the same. What is copied again and again comes to an address for the second
 * time, with parts that were there the first time, and not in between. */
static void rejuvenate_moved(struct ages *ages, hw_id id)
{
    uint8_t since = ages->firm[id];
    if (since <= ages->births[id])
        return;
    struct parts parts = find_parts(ages, id, since);
    bool same = parts.sure ? parts.here > 0 : parts.maybe * 2 > parts.vague;
    if (same && ages->births[id] + 1 < since)
        same = held_parts(ages, id, since - 1u);
    if (same)
        make_younger(ages->graph, id, parts.old, ages->births, DEPTH);
    else if (parts.sure + parts.vague) /* they came from elsewhere, and are as old as they are */
        make_younger(ages->graph, id, since, ages->births, 0);
    else if (parts.young != UINT8_MAX || parts.holds_itself || ages->other[id])
        make_younger(ages->graph, id, since, ages->births, DEPTH);
}

static void rejuvenate(struct ages *ages, hw_id id)
{
    const uint32_t lasting = HW_TYPE_TYPE | HW_TYPE_MODULE | HW_TYPE_DICT | HW_TYPE_LIST |
                             HW_TYPE_SET | HW_TYPE_DEQUE | HW_TYPE_FUNCTION;
    const struct hw_graph *graph = ages->graph;
    uint8_t *births = ages->births;
    if (type_has(graph, id, HW_TYPE_TUPLE))
        births[id] = tuple_birth(graph, id, births);
    else if (type_has(graph, id, HW_TYPE_DICT))
        rejuvenate_values(graph, id, births);
    else if (type_has(graph, id, HW_TYPE_PYTHON) && !type_has(graph, id, lasting))
        rejuvenate_instance(graph, id, births);
    if (!type_has(graph, id, HW_TYPE_TYPE | HW_TYPE_MODULE | HW_TYPE_CODE) &&
        !(graph->flags[id] & (HW_NODE_LEAF | HW_NODE_IMMORTAL | HW_NODE_STATIC)))
        rejuvenate_moved(ages, id);
}

bool hw_series_births(const struct hw_series *series, uint8_t **ret_births, struct hw_err *err)
{
    uint32_t nodes = series->last->node_count;
    struct ages ages = {series, series->last, malloc(nodes), malloc(nodes),
                        calloc(nodes, sizeof(*ages.first)), calloc(nodes, 1)};
    if (!ages.births || !ages.firm || !ages.first || !ages.other) {
        free(ages.births);
        free(ages.firm);
        free(ages.first);
        free(ages.other);
        return hw_err_no_memory(err);
    }
    /* Synthetic nodes have no address; what is below them is told apart, they are as old as time.
     */
    memset(ages.births, 0, nodes);
    memset(ages.births, (int)(series->count - 1), series->last->object_count);
    memcpy(ages.firm, ages.births, nodes);
    for (size_t n = series->count - 1; n-- > 0;)
        step_back(series, n, &ages);
    for (int pass = 0; pass < PASSES; pass++)
        for (hw_id id = 0; id < series->last->object_count; id++)
            rejuvenate(&ages, id);
    free(ages.firm);
    free(ages.first);
    free(ages.other);
    *ret_births = ages.births;
    return true;
}

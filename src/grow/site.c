/* SPDX-License-Identifier: Apache-2.0 */
#include "grow/site.h"

#include "ask/lookup.h"
#include "ask/spell.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

enum {
    DESCEND_MAX = 64,
    REPEATS_MAX = 4, /* one type so often below itself is a linked list */
};
#define CARRIES 0.9 /* a child with so large a share of the births stands for its parent */

/* ---- what a node is to the one above it ---- */

bool hw_edge_is_namespace(const struct hw_graph *graph, uint32_t edge)
{
    return edge != HW_NONE && edge_kind(graph, edge) == HW_LABEL_ATTR &&
           strcmp(edge_string(graph, edge), "__dict__") == 0;
}

bool hw_edge_is_rooted(const struct hw_graph *graph, hw_id from, uint32_t edge)
{
    const struct hw_synthetic *holder = from != HW_NONE ? hw_graph_synthetic(graph, from) : NULL;
    return holder && holder->kind == HW_SYN_INTERPRETER && edge_kind(graph, edge) == HW_LABEL_ROOT;
}

bool hw_node_has_members(const struct hw_growth *growth, hw_id id)
{
    const struct hw_series *series = growth->series;
    return id < growth->graph->object_count && series->shots[series->count - 1].members[id] > 0;
}

hw_id hw_node_owner(const struct hw_growth *growth, hw_id id)
{
    return hw_edge_is_namespace(growth->graph, growth->tree.edge[id]) ? growth->tree.parent[id]
                                                                      : id;
}

bool hw_edge_is_internal(const struct hw_graph *graph, uint32_t edge)
{
    return edge != HW_NONE &&
           (edge_kind(graph, edge) == HW_LABEL_INTERNAL || edge_kind(graph, edge) == HW_LABEL_WORD);
}

hw_id hw_node_leave_internals(const struct hw_growth *growth, hw_id id)
{
    while (hw_edge_is_internal(growth->graph, growth->tree.edge[id]) &&
           growth->tree.parent[id] < growth->graph->object_count)
        id = growth->tree.parent[id];
    return id;
}

/* ---- from a site to its box ---- */

/* The new child that has nearly all births of the site below it. */
static hw_id find_carrier(const struct hw_growth *growth, hw_id id, uint64_t born)
{
    const struct hw_graph *graph = growth->graph;
    for (uint32_t e = graph->edge_start[id]; e < graph->edge_start[id + 1]; e++) {
        hw_id to = graph->edge_to[e];
        if (growth->tree.edge[to] == e && is_new(growth, to) &&
            (double)growth->below[to] >= CARRIES * (double)born && graph_degree(graph, to))
            return to;
    }
    return HW_NONE;
}

/* A type that is met again and again on the way down: a linked list, named by its first node. */
struct descent {
    uint32_t types[DESCEND_MAX];
    hw_id nodes[DESCEND_MAX];
    int count;
};

static hw_id repeated(const struct descent *descent, uint32_t type)
{
    int repeats = 0;
    hw_id first = HW_NONE;
    for (int i = 0; i < descent->count; i++) {
        if (descent->types[i] != type)
            continue;
        first = first == HW_NONE ? descent->nodes[i] : first;
        repeats++;
    }
    return repeats >= REPEATS_MAX ? first : HW_NONE;
}

static hw_id descend(const struct hw_growth *growth, const struct hw_site *site)
{
    const struct hw_graph *graph = growth->graph;
    struct descent descent = {.count = 0};
    hw_id at = site->box;
    if (is_new(growth, at)) {
        descent.types[0] = graph->type[at];
        descent.nodes[descent.count++] = at;
    }
    for (;;) {
        hw_id next = find_carrier(growth, at, site->born_total);
        if (next == HW_NONE)
            return at;
        at = next;
        if (hw_edge_is_namespace(graph, growth->tree.edge[at]))
            continue;
        hw_id first = repeated(&descent, graph->type[at]);
        if (first != HW_NONE || descent.count == DESCEND_MAX)
            return first != HW_NONE ? first : site->box;
        descent.types[descent.count] = graph->type[at];
        descent.nodes[descent.count++] = at;
    }
}

static bool count_joined(void *ctx, const struct hw_growth *growth, uint32_t edge)
{
    struct hw_site *site = ctx;
    site->joined[hw_member_birth(growth, edge)]++;
    site->joined_total++;
    return true;
}

/* A container that took the place of another: the place has the history, not the object. False
 * where it is not known. */
static bool follow_place(const struct hw_growth *growth, struct hw_site *site)
{
    const struct hw_series *series = growth->series;
    size_t last = series->count - 1;
    hw_id owner = growth->tree.parent[site->box];
    if (!site->is_container || site->is_merged || !is_new(growth, site->box) || owner == HW_NONE ||
        is_new(growth, owner))
        return false;
    for (size_t k = 0; k < last; k++) {
        uint32_t there = hw_slots_members(&series->shots[k].slots, growth->graph, owner,
                                          growth->tree.edge[site->box]);
        if (!there && k < growth->birth[site->box])
            return false;
        site->lengths[k] = there ? there : hw_series_members(series, k, site->box);
    }
    site->lengths[last] = hw_series_members(series, last, site->box);
    site->has_history = site->is_replaced = true;
    return true;
}

static void fill_lengths(struct hw_growth *growth, struct hw_site *site)
{
    size_t n = growth->series->count;
    if (follow_place(growth, site))
        return;
    memset(site->lengths, 0, n * sizeof(*site->lengths));
    bool replaced = is_new(growth, site->box) && growth->birth[site->box] == n - 1;
    site->has_history = site->is_container && !replaced;
    for (size_t k = 0; site->has_history && k < n; k++)
        for (uint32_t i = 0; i < site->front_count; i++)
            site->lengths[k] += hw_series_members(growth->series, k, site->fronts[i]);
    if (site->has_history)
        return;
    /* What lives now, by age: who left is not seen. */
    const uint64_t *counts = site->is_container ? site->joined : site->born;
    uint64_t members = 0;
    for (uint32_t i = 0; i < site->front_count; i++)
        members += hw_series_members(growth->series, n - 1, site->fronts[i]);
    site->lengths[0] = members > site->joined_total ? members - site->joined_total : 0;
    for (size_t k = 1; k < n; k++)
        site->lengths[k] = site->lengths[k - 1] + counts[k];
}

/* One box, that grows by itself, is the site. False: no memory. */
static bool sole_front_set(struct hw_growth *growth, struct hw_site *site, hw_id box)
{
    hw_id *front = hw_arena_alloc(&growth->arena, sizeof(*front));
    if (!front)
        return false;
    *front = site->box = box;
    site->fronts = front;
    site->front_count = 1;
    site->is_merged = false;
    return true;
}

/* What belongs to an object that keeps its members where only C sees them: the largest of its inner
 * containers is the one with a history. */
static bool use_inner(struct hw_growth *growth, struct hw_site *site)
{
    const struct hw_graph *graph = growth->graph;
    const uint32_t *members = growth->series->shots[growth->series->count - 1].members;
    hw_id best = HW_NONE;
    if (site->box >= graph->object_count || hw_node_has_members(growth, site->box))
        return true;
    for (uint32_t e = graph->edge_start[site->box]; e < graph->edge_start[site->box + 1]; e++) {
        hw_id to = graph->edge_to[e];
        if (hw_edge_is_internal(graph, e) && growth->tree.edge[to] == e &&
            hw_node_has_members(growth, to) && (best == HW_NONE || members[to] > members[best]))
            best = to;
    }
    return best == HW_NONE || sole_front_set(growth, site, best);
}

void hw_site_spell(const struct hw_growth *growth, const struct hw_site *site, struct hw_buf *out)
{
    hw_path_spell(growth->graph, &growth->tree, site->name, out);
    if (site->is_merged && site->way)
        hw_buf_puts(out, site->way);
}

uint64_t hw_box_births(const struct hw_growth *growth, hw_id box)
{
    const struct hw_graph *graph = growth->graph;
    uint64_t sum = 0;
    for (uint32_t e = graph->edge_start[box]; e < graph->edge_start[box + 1]; e++)
        if (growth->tree.edge[graph->edge_to[e]] == e && is_new(growth, graph->edge_to[e]))
            sum += growth->below[graph->edge_to[e]];
    return sum;
}

/* Where the box itself takes most of what is new, its own members tell the story. */
static bool settle_fronts(struct hw_growth *growth, struct hw_site *site)
{
    if (!site->is_merged || site->fronts[0] != site->box ||
        hw_box_births(growth, site->box) * 2 < site->born_total)
        return true;
    return sole_front_set(growth, site, site->box);
}

/* All new objects that the interpreter holds under the label of the box. */
static bool gather_rooted(struct hw_growth *growth, struct hw_site *site)
{
    const struct hw_graph *graph = growth->graph;
    hw_id holder = growth->tree.parent[site->box];
    uint32_t label = graph->edge_label[growth->tree.edge[site->box]];
    hw_id *fronts = hw_arena_array(&growth->arena, graph_degree(graph, holder), sizeof(*fronts));
    if (!fronts)
        return false;
    site->front_count = 0;
    for (uint32_t e = graph->edge_start[holder]; e < graph->edge_start[holder + 1]; e++)
        if (graph->edge_label[e] == label && is_new(growth, graph->edge_to[e]) &&
            growth->tree.edge[graph->edge_to[e]] == e)
            fronts[site->front_count++] = graph->edge_to[e];
    site->fronts = fronts;
    site->is_rooted = site->front_count > 1;
    return true;
}

static bool settle_rooted(struct hw_growth *growth, struct hw_site *site)
{
    site->is_container = true;
    hw_site_members(growth, site, count_joined, site);
    for (size_t k = 1; k < growth->series->count; k++)
        site->lengths[k] = site->lengths[k - 1] + site->joined[k];
    return true;
}

/* A container that is full, where more and more hangs from it otherwise: the next block of what C
 * code chains together. */
static bool grows_aside(const struct hw_growth *growth, const struct hw_site *site)
{
    const struct hw_graph *graph = growth->graph;
    uint64_t aside = 0;
    if (site->is_merged || site->box >= graph->object_count)
        return false;
    for (uint32_t e = graph->edge_start[site->box]; e < graph->edge_start[site->box + 1]; e++)
        if (growth->tree.edge[graph->edge_to[e]] == e && is_new(growth, graph->edge_to[e]) &&
            edge_kind(graph, e) != HW_LABEL_KEY && !hw_edge_is_member(graph, e))
            aside += growth->below[graph->edge_to[e]];
    return aside * 2 > site->born_total;
}

bool hw_site_settle(struct hw_growth *growth, struct hw_site *site)
{
    if (is_new(growth, site->box) &&
        hw_edge_is_rooted(growth->graph, growth->tree.parent[site->box],
                          growth->tree.edge[site->box]) &&
        !gather_rooted(growth, site))
        return false;
    if (site->is_rooted)
        return settle_rooted(growth, site);
    if (!settle_fronts(growth, site))
        return false;
    if (!site->is_merged && site->fronts[0] == site->box) {
        hw_id *front = hw_arena_alloc(&growth->arena, sizeof(*front));
        if (!front)
            return false;
        *front = site->box = descend(growth, site);
        site->fronts = front;
    }
    site->name = hw_node_leave_internals(growth, site->box);
    if (!use_inner(growth, site))
        return false;
    for (uint32_t i = 0; i < site->front_count; i++)
        site->is_container |= hw_node_has_members(growth, site->fronts[i]);
    site->is_container &= !grows_aside(growth, site);
    hw_site_members(growth, site, count_joined, site);
    if (site->joined_total < HW_SITE_BORN_MIN)
        site->name = hw_node_owner(growth, site->name);
    fill_lengths(growth, site);
    return true;
}

/* ---- members ---- */

/* An entry of a dict is no older than its key. */
uint8_t hw_member_birth(const struct hw_growth *growth, uint32_t edge)
{
    const struct hw_graph *graph = growth->graph;
    uint8_t birth = growth->birth[graph->edge_to[edge]];
    uint8_t key = edge_kind(graph, edge) == HW_LABEL_VALUE ? growth->birth[key_of(graph, edge)] : 0;
    return key > birth ? key : birth;
}

/* What counts as a member of a node that is no container: what hangs from it. */
static bool is_member(const struct hw_growth *growth, hw_id from, uint32_t edge)
{
    const struct hw_graph *graph = growth->graph;
    if (hw_node_has_members(growth, from))
        return hw_edge_is_member(graph, edge);
    return edge_kind(graph, edge) != HW_LABEL_KEY && edge_kind(graph, edge) != HW_LABEL_TYPE &&
           growth->tree.edge[graph->edge_to[edge]] == edge;
}

static bool visit_members(const struct hw_growth *growth, const struct hw_site *site, bool keys,
                          hw_member_visit *visit, void *ctx)
{
    const struct hw_graph *graph = growth->graph;
    bool any = false;
    for (uint32_t i = 0; site->is_rooted && i < site->front_count; i++)
        if (keys || !visit(ctx, growth, growth->tree.edge[site->fronts[i]]))
            return true;
    if (site->is_rooted)
        return true;
    for (uint32_t i = 0; i < site->front_count; i++) {
        hw_id from = site->fronts[i];
        for (uint32_t e = graph->edge_start[from]; e < graph->edge_start[from + 1]; e++) {
            if (keys ? edge_kind(graph, e) != HW_LABEL_KEY || !is_new(growth, graph->edge_to[e])
                     : !is_member(growth, from, e) || !hw_member_birth(growth, e))
                continue;
            any = true;
            if (!visit(ctx, growth, e))
                return true;
        }
    }
    return any;
}

void hw_site_members(const struct hw_growth *growth, const struct hw_site *site,
                     hw_member_visit *visit, void *ctx)
{
    if (!visit_members(growth, site, false, visit, ctx))
        visit_members(growth, site, true, visit, ctx);
}

static bool count_type(void *ctx, const struct hw_growth *growth, uint32_t edge)
{
    uint32_t *counts = ctx;
    counts[growth->graph->type[growth->graph->edge_to[edge]]]++;
    return true;
}

uint32_t hw_site_member_type(const struct hw_growth *growth, const struct hw_site *site)
{
    uint32_t *counts = calloc(growth->graph->type_count + 1, sizeof(*counts));
    uint32_t best = UINT32_MAX;
    if (!counts)
        return best;
    hw_site_members(growth, site, count_type, counts);
    for (uint32_t t = 0; t < growth->graph->type_count; t++)
        if (counts[t] && (best == UINT32_MAX || counts[t] > counts[best]))
            best = t;
    free(counts);
    return best;
}

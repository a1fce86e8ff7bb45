/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/growth.h"

#include "ask/lookup.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

enum {
    CLIMB_MAX = 256,     /* hops from a front to look for siblings */
    CHAIN_MAX = 1000000, /* hops along linked lists, all together */
    DESCEND_MAX = 64,
    SIBLINGS_MIN = 3, /* fewer parts that grow are named one by one */
    REPEATS_MAX = 4,  /* one type so often below itself is a linked list */
    SITES_MAX = 2000,
    SITE_BORN_MIN = 3, /* smaller sites are noise */
    SITE_BYTES_MIN = 4096,
};
#define CARRIES 0.9 /* a child with so large a share of the births stands for its parent */

/* What is known of an old node, as bits. */
enum { SPREADS = 1, GATHERS = 2, WHOLE = 4, SPLIT = 8 };

struct pair {
    hw_id site, front;
};
struct work {
    struct hw_growth *growth;
    uint8_t *state;     /* by old node */
    uint32_t *front_of; /* by new node; becomes growth->under */
    uint32_t *site_of;  /* by front */
    struct pair *pairs;
    size_t pair_count, pair_capacity;
    size_t chain_hops;
};

/* ---- fronts ---- */

static bool edge_is_namespace(const struct hw_graph *graph, uint32_t edge)
{
    return edge != HW_NONE && edge_kind(graph, edge) == HW_LABEL_ATTR &&
           strcmp(edge_string(graph, edge), "__dict__") == 0;
}

static bool has_members(const struct hw_growth *growth, hw_id id)
{
    const struct hw_series *series = growth->series;
    return id < growth->graph->object_count && series->shots[series->count - 1].members[id] > 0;
}

/* Attributes and local variables have nothing in common but their owner: what is new below each of
 * them is a matter of its own, unless names are added all the time. */
static bool is_split(const struct hw_growth *growth, hw_id old)
{
    const struct hw_series *series = growth->series;
    if (!has_members(growth, old))
        return true;
    return edge_is_namespace(growth->graph, growth->tree.edge[old]) &&
           hw_series_members(series, series->count - 1, old) <
               hw_series_members(series, 0, old) + SITE_BORN_MIN;
}

static hw_id find_front(struct work *work, hw_id old, hw_id child)
{
    uint8_t *state = &work->state[old];
    if (!(*state & (WHOLE | SPLIT)))
        *state |= is_split(work->growth, old) ? SPLIT : WHOLE;
    return *state & SPLIT ? child : old;
}

static void find_fronts(struct work *work)
{
    struct hw_growth *growth = work->growth;
    const struct hw_tree *tree = &growth->tree;
    for (uint32_t i = 0; i < tree->count; i++) {
        hw_id id = tree->order[i], parent = tree->parent[id];
        if (is_new(growth, id))
            work->front_of[id] =
                is_new(growth, parent) ? work->front_of[parent] : find_front(work, parent, id);
    }
    for (uint32_t i = tree->count; i-- > 1;) {
        hw_id id = tree->order[i];
        growth->below[id] += is_new(growth, id);
        growth->below[tree->parent[id]] += growth->below[id];
    }
}

/* ---- from fronts to sites ---- */

/* The object that Python code would name: not its __dict__. */
static hw_id owner_of(const struct hw_growth *growth, hw_id id)
{
    return edge_is_namespace(growth->graph, growth->tree.edge[id]) ? growth->tree.parent[id] : id;
}

static bool edge_is_internal(const struct hw_graph *graph, uint32_t edge)
{
    return edge != HW_NONE &&
           (edge_kind(graph, edge) == HW_LABEL_INTERNAL || edge_kind(graph, edge) == HW_LABEL_WORD);
}

static hw_id leave_internals(const struct hw_growth *growth, hw_id id)
{
    while (edge_is_internal(growth->graph, growth->tree.edge[id]) &&
           growth->tree.parent[id] < growth->graph->object_count)
        id = growth->tree.parent[id];
    return id;
}

/* A linked list that grows at its end: up to its first node. */
static hw_id leave_chain(struct work *work, hw_id front)
{
    const struct hw_growth *growth = work->growth;
    const struct hw_graph *graph = growth->graph;
    hw_id node = owner_of(growth, front), top = node;
    if (!type_has(graph, node, HW_TYPE_PYTHON))
        return front;
    while (work->chain_hops++ < CHAIN_MAX) {
        hw_id above = growth->tree.parent[top];
        if (above == HW_NONE || above >= graph->object_count)
            break;
        above = owner_of(growth, above);
        if (graph->type[above] != graph->type[node])
            break;
        top = above;
    }
    return top == node ? front : top;
}

/* Containers of things alike; a namespace is not one. */
static bool may_spread(const struct hw_growth *growth, hw_id id)
{
    const uint32_t kinds =
        HW_TYPE_DICT | HW_TYPE_LIST | HW_TYPE_TUPLE | HW_TYPE_SET | HW_TYPE_DEQUE;
    return type_has(growth->graph, id, kinds) &&
           !edge_is_namespace(growth->graph, growth->tree.edge[id]);
}

/* Whether births happen below several old members of one type, none of which has most of them. */
static bool spreads(const struct hw_growth *growth, hw_id id)
{
    const struct hw_graph *graph = growth->graph;
    uint32_t growing = 0, alike = 0, type = UINT32_MAX, votes = 0;
    uint64_t sum = 0, most = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t e = graph->edge_start[id]; e < graph->edge_start[id + 1]; e++) {
            hw_id to = graph->edge_to[e];
            if (growth->tree.edge[to] != e || is_new(growth, to) || !growth->below[to])
                continue;
            if (pass) {
                alike += graph->type[to] == type;
                continue;
            }
            growing++;
            sum += growth->below[to];
            most = growth->below[to] > most ? growth->below[to] : most;
            if (!votes)
                type = graph->type[to];
            votes += graph->type[to] == type ? 1u : -1u;
        }
    }
    return growing >= SIBLINGS_MIN && most * 2 <= sum && alike * 5 >= growing * 4;
}

static bool is_boundary(const struct hw_growth *growth, hw_id id)
{
    return id == HW_NONE || id >= growth->graph->object_count ||
           type_has(growth->graph, id, HW_TYPE_MODULE | HW_TYPE_TYPE);
}

static hw_id find_site(struct work *work, hw_id front)
{
    struct hw_growth *growth = work->growth;
    hw_id site = leave_chain(work, leave_internals(growth, front));
    hw_id at = site;
    for (int i = 0; i < CLIMB_MAX && !is_boundary(growth, at); i++) {
        at = growth->tree.parent[at];
        if (is_boundary(growth, at))
            break;
        if (!(work->state[at] & (SPREADS | GATHERS)))
            work->state[at] |= may_spread(growth, at) && spreads(growth, at) ? SPREADS : GATHERS;
        if (work->state[at] & SPREADS)
            site = at;
    }
    return site;
}

static bool add_pair(struct work *work, hw_id front)
{
    if (work->pair_count == work->pair_capacity) {
        size_t capacity = work->pair_capacity ? work->pair_capacity * 2 : 1024;
        struct pair *pairs = realloc(work->pairs, capacity * sizeof(*pairs));
        if (!pairs)
            return false;
        work->pairs = pairs;
        work->pair_capacity = capacity;
    }
    work->pairs[work->pair_count++] = (struct pair){HW_NONE, front};
    return true;
}

static bool collect_fronts(struct work *work)
{
    struct hw_growth *growth = work->growth;
    for (uint32_t i = 0; i < growth->tree.count; i++) {
        hw_id id = growth->tree.order[i];
        if (!is_new(growth, id) || is_new(growth, growth->tree.parent[id]))
            continue;
        hw_id front = work->front_of[id];
        if (work->site_of[front] != HW_NONE)
            continue;
        work->site_of[front] = 0; /* seen */
        if (!add_pair(work, front))
            return false;
    }
    for (size_t i = 0; i < work->pair_count; i++)
        work->pairs[i].site = find_site(work, work->pairs[i].front);
    return true;
}

static int by_site(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->site != y->site)
        return x->site < y->site ? -1 : 1;
    return x->front < y->front ? -1 : x->front > y->front;
}

static bool make_site(struct hw_growth *growth, const struct pair *pairs, size_t count)
{
    size_t n = growth->series->count;
    struct hw_arena *arena = &growth->arena;
    hw_id *fronts = hw_arena_array(arena, count, sizeof(*fronts));
    struct hw_site *site = &growth->sites[growth->site_count++];
    *site = (struct hw_site){.box = pairs[0].site,
                             .name = pairs[0].site,
                             .is_merged = count > 1,
                             .fronts = fronts,
                             .front_count = (uint32_t)count,
                             .born = hw_arena_array(arena, n, sizeof(*site->born)),
                             .joined = hw_arena_array(arena, n, sizeof(*site->joined)),
                             .lengths = hw_arena_array(arena, n, sizeof(*site->lengths))};
    for (size_t i = 0; fronts && i < count; i++)
        fronts[i] = pairs[i].front;
    return fronts && site->born && site->joined && site->lengths;
}

static bool make_sites(struct work *work)
{
    struct hw_growth *growth = work->growth;
    if (work->pair_count)
        qsort(work->pairs, work->pair_count, sizeof(*work->pairs), by_site);
    growth->sites = malloc((work->pair_count + 1) * sizeof(*growth->sites));
    if (!growth->sites)
        return false;
    for (size_t i = 0, next; i < work->pair_count; i = next) {
        for (next = i + 1; next < work->pair_count; next++)
            if (work->pairs[next].site != work->pairs[i].site)
                break;
        for (size_t j = i; j < next; j++)
            work->site_of[work->pairs[j].front] = (uint32_t)growth->site_count;
        if (!make_site(growth, &work->pairs[i], next - i))
            return false;
    }
    return true;
}

/* ---- numbers ---- */

static void count_births(struct work *work)
{
    struct hw_growth *growth = work->growth;
    uint32_t *under = work->front_of;
    for (uint32_t i = 0; i < growth->tree.count; i++) {
        hw_id id = growth->tree.order[i];
        if (!is_new(growth, id))
            continue;
        under[id] = work->site_of[under[id]];
        struct hw_site *site = &growth->sites[under[id]];
        site->born[growth->birth[id]]++;
        site->born_total++;
        site->born_bytes += hw_graph_size(growth->graph, id);
    }
    growth->under = under;
    work->front_of = NULL;
}

static int by_bytes(const void *a, const void *b)
{
    const struct hw_site *x = a, *y = b;
    if (x->born_bytes != y->born_bytes)
        return x->born_bytes > y->born_bytes ? -1 : 1;
    return x->box < y->box ? -1 : x->box > y->box;
}

/* Keeps the sites that matter. Their numbers in growth->under follow. */
static bool prune_sites(struct hw_growth *growth)
{
    size_t before = growth->site_count, kept = 0;
    uint32_t *moved = malloc((before + 1) * sizeof(*moved));
    if (!moved)
        return false;
    for (size_t i = 0; i < before; i++)
        growth->sites[i].name = (hw_id)i;
    if (before)
        qsort(growth->sites, before, sizeof(*growth->sites), by_bytes);
    for (size_t i = 0; i < before; i++) {
        const struct hw_site *site = &growth->sites[i];
        bool matters = kept < SITES_MAX &&
                       (site->born_total >= SITE_BORN_MIN || site->born_bytes >= SITE_BYTES_MIN);
        moved[site->name] = matters ? (uint32_t)kept : HW_NONE;
        if (matters)
            growth->sites[kept++] = *site;
    }
    growth->site_count = kept;
    for (hw_id id = 0; id < growth->graph->node_count; id++)
        growth->under[id] =
            is_new(growth, id) && growth->under[id] != HW_NONE ? moved[growth->under[id]] : HW_NONE;
    for (size_t i = 0; i < kept; i++)
        growth->sites[i].name = growth->sites[i].box;
    free(moved);
    return true;
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
        if (edge_is_namespace(graph, growth->tree.edge[at]))
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

static void fill_lengths(struct hw_growth *growth, struct hw_site *site)
{
    size_t n = growth->series->count;
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

/* What belongs to an object that keeps its members where only C sees them: the largest of its inner
 * containers is the one with a history. */
static bool use_inner(struct hw_growth *growth, struct hw_site *site)
{
    const struct hw_graph *graph = growth->graph;
    const uint32_t *members = growth->series->shots[growth->series->count - 1].members;
    hw_id best = HW_NONE;
    if (site->box >= graph->object_count || has_members(growth, site->box))
        return true;
    for (uint32_t e = graph->edge_start[site->box]; e < graph->edge_start[site->box + 1]; e++) {
        hw_id to = graph->edge_to[e];
        if (edge_is_internal(graph, e) && growth->tree.edge[to] == e && has_members(growth, to) &&
            (best == HW_NONE || members[to] > members[best]))
            best = to;
    }
    if (best == HW_NONE)
        return true;
    hw_id *front = hw_arena_alloc(&growth->arena, sizeof(*front));
    if (!front)
        return false;
    *front = site->box = best;
    site->fronts = front;
    site->front_count = 1;
    site->is_merged = false;
    return true;
}

/* New objects below new members of the box itself, not below its old members. */
static uint64_t count_direct(const struct hw_growth *growth, hw_id box)
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
    if (!site->is_merged || count_direct(growth, site->box) * 2 < site->born_total)
        return true;
    hw_id *front = hw_arena_alloc(&growth->arena, sizeof(*front));
    if (!front)
        return false;
    *front = site->box;
    site->fronts = front;
    site->front_count = 1;
    site->is_merged = false;
    return true;
}

static bool settle_site(struct hw_growth *growth, struct hw_site *site)
{
    if (!settle_fronts(growth, site))
        return false;
    if (!site->is_merged && site->fronts[0] == site->box) {
        hw_id *front = hw_arena_alloc(&growth->arena, sizeof(*front));
        if (!front)
            return false;
        *front = site->box = descend(growth, site);
        site->fronts = front;
    }
    site->name = leave_internals(growth, site->box);
    if (!use_inner(growth, site))
        return false;
    for (uint32_t i = 0; i < site->front_count; i++)
        site->is_container |= has_members(growth, site->fronts[i]);
    hw_site_members(growth, site, count_joined, site);
    if (site->joined_total < SITE_BORN_MIN)
        site->name = owner_of(growth, site->name);
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
    if (has_members(growth, from))
        return hw_edge_is_member(graph, edge);
    return edge_kind(graph, edge) != HW_LABEL_KEY && edge_kind(graph, edge) != HW_LABEL_TYPE &&
           growth->tree.edge[graph->edge_to[edge]] == edge;
}

static bool visit_members(const struct hw_growth *growth, const struct hw_site *site, bool keys,
                          hw_member_visit *visit, void *ctx)
{
    const struct hw_graph *graph = growth->graph;
    bool any = false;
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

/* ---- */

static bool find_sites(struct work *work)
{
    struct hw_growth *growth = work->growth;
    find_fronts(work);
    if (!collect_fronts(work) || !make_sites(work))
        return false;
    count_births(work);
    if (!prune_sites(growth))
        return false;
    for (size_t i = 0; i < growth->site_count; i++)
        if (!settle_site(growth, &growth->sites[i]))
            return false;
    return true;
}

bool hw_growth_init(struct hw_growth *growth, const struct hw_series *series, struct hw_err *err)
{
    struct hw_growth made = {.series = series, .graph = series->last};
    size_t n = series->last->node_count;
    if (!hw_tree_init(&made.tree, series->last, err))
        return false;
    if (!hw_series_births(series, &made.birth, err)) {
        hw_growth_deinit(&made);
        return false;
    }
    struct work work = {.growth = &made, .state = calloc(n, 1)};
    work.front_of = malloc(n * sizeof(*work.front_of));
    work.site_of = malloc(n * sizeof(*work.site_of));
    made.below = calloc(n, sizeof(*made.below));
    bool ok = work.state && work.front_of && work.site_of && made.below;
    if (ok) {
        memset(work.site_of, 0xff, n * sizeof(*work.site_of));
        memset(work.front_of, 0xff, n * sizeof(*work.front_of));
        ok = find_sites(&work);
    }
    free(work.state);
    free(work.front_of);
    free(work.site_of);
    free(work.pairs);
    if (!ok) {
        hw_growth_deinit(&made);
        return hw_err_no_memory(err);
    }
    *growth = made;
    return true;
}

void hw_growth_deinit(struct hw_growth *growth)
{
    hw_tree_deinit(&growth->tree);
    free(growth->birth);
    free(growth->below);
    free(growth->under);
    free(growth->sites);
    hw_arena_deinit(&growth->arena);
    *growth = (struct hw_growth){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "grow/growth.h"

#include "ask/lookup.h"
#include "ask/shape.h"
#include "base/err.h"
#include "base/vec.h"
#include "grow/site.h"

#include <stdlib.h>
#include <string.h>

enum {
    CLIMB_MAX = 256,     /* hops from a front to look for siblings */
    CHAIN_MAX = 1000000, /* hops along linked lists, all together */
    SIBLINGS_MIN = 3,    /* fewer parts that grow are named one by one */
    SITES_MAX = 2000,
    ROOTED_MAX = 64,
    SITE_BYTES_MIN = 4096,
};

/* What is known of an old node, as bits. */
enum { SPREADS = 1, GATHERS = 2, WHOLE = 4, SPLIT = 8 };

#define SHAPE_SHARE 0.2 /* of the births below a box: what is alike is a site of its own */

struct pair {
    hw_id site;
    uint32_t shape; /* of the path to front */
    hw_id front;
};
struct work {
    struct hw_growth *growth;
    uint8_t *state;     /* by old node */
    uint32_t *front_of; /* by new node; becomes growth->under */
    uint32_t *site_of;  /* by front */
    struct pair *pairs;
    size_t pair_count, pair_capacity;
    struct hw_shapes *shapes;
    size_t chain_hops;
    hw_id rooted[ROOTED_MAX]; /* one for each label */
    size_t rooted_count;
};

/* ---- fronts ---- */

/* Attributes and local variables have nothing in common but their owner: what is new below each of
 * them is a matter of its own, unless names are added all the time. */
static bool is_split(const struct hw_growth *growth, hw_id old)
{
    const struct hw_series *series = growth->series;
    if (!hw_node_has_members(growth, old))
        return true;
    return hw_edge_is_namespace(growth->graph, growth->tree.edge[old]) &&
           hw_series_members(series, series->count - 1, old) <
               hw_series_members(series, 0, old) + HW_SITE_BORN_MIN;
}

/* Of what an interpreter holds under one label, the first stands for all. */
static hw_id find_rooted(struct work *work, hw_id child)
{
    const struct hw_growth *growth = work->growth;
    uint32_t label = growth->graph->edge_label[growth->tree.edge[child]];
    for (size_t i = 0; i < work->rooted_count; i++) {
        hw_id first = work->rooted[i];
        if (growth->tree.parent[first] == growth->tree.parent[child] &&
            growth->graph->edge_label[growth->tree.edge[first]] == label)
            return first;
    }
    if (work->rooted_count < ROOTED_MAX)
        work->rooted[work->rooted_count++] = child;
    return child;
}

static hw_id find_front(struct work *work, hw_id old, hw_id child)
{
    if (hw_edge_is_rooted(work->growth->graph, old, work->growth->tree.edge[child]))
        return find_rooted(work, child);
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

/* A linked list that grows at its end: up to its first node. */
static hw_id leave_chain(struct work *work, hw_id front)
{
    const struct hw_growth *growth = work->growth;
    const struct hw_graph *graph = growth->graph;
    hw_id node = hw_node_owner(growth, front), top = node;
    if (!type_has(graph, node, HW_TYPE_PYTHON))
        return front;
    while (work->chain_hops++ < CHAIN_MAX) {
        hw_id above = growth->tree.parent[top];
        if (above == HW_NONE || above >= graph->object_count)
            break;
        above = hw_node_owner(growth, above);
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
           !hw_edge_is_namespace(growth->graph, growth->tree.edge[id]);
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
    hw_id site = leave_chain(work, hw_node_leave_internals(growth, front));
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
    struct pair *pairs =
        hw_vec_grow(work->pairs, &work->pair_capacity, work->pair_count + 1, sizeof(*pairs));
    if (!pairs)
        return false;
    work->pairs = pairs;
    work->pairs[work->pair_count++] = (struct pair){HW_NONE, HW_SHAPE_NONE, front};
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
    for (size_t i = 0; i < work->pair_count; i++)
        if (work->pairs[i].site != work->pairs[i].front)
            work->pairs[i].shape = hw_shape_of(work->shapes, work->pairs[i].front);
    return hw_shapes_ok(work->shapes);
}

static int by_site(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->site != y->site)
        return x->site < y->site ? -1 : 1;
    if (x->shape != y->shape)
        return x->shape < y->shape ? -1 : 1;
    return x->front < y->front ? -1 : x->front > y->front;
}

/* What the path to each front has behind the path to the box. */
static const char *spell_way(struct work *work, hw_id box, uint32_t shape)
{
    struct hw_buf to_box = {0}, to_front = {0};
    hw_shape_spell(work->shapes, hw_shape_of(work->shapes, box), &to_box);
    hw_shape_spell(work->shapes, shape, &to_front);
    const char *text = hw_buf_str(&to_front), *above = hw_buf_str(&to_box);
    size_t n = strlen(above);
    bool fits = hw_buf_ok(&to_box) && hw_buf_ok(&to_front) && strncmp(text, above, n) == 0;
    const char *way = fits ? hw_arena_strdup(&work->growth->arena, text + n) : NULL;
    hw_buf_deinit(&to_box);
    hw_buf_deinit(&to_front);
    return way;
}

/* Makes a site of some fronts below one box. shape: of all of them; HW_SHAPE_NONE: they differ. */
static bool make_site(struct work *work, const struct pair *pairs, size_t count, uint32_t shape)
{
    struct hw_growth *growth = work->growth;
    size_t n = growth->series->count;
    struct hw_arena *arena = &growth->arena;
    hw_id *fronts = hw_arena_array(arena, count, sizeof(*fronts));
    hw_id box = shape && count == 1 ? pairs[0].front : pairs[0].site;
    struct hw_site *site = &growth->sites[growth->site_count];
    *site = (struct hw_site){.box = box,
                             .name = box,
                             .is_merged = count > 1,
                             .way = shape && count > 1 ? spell_way(work, box, shape) : NULL,
                             .fronts = fronts,
                             .front_count = (uint32_t)count,
                             .born = hw_arena_array(arena, n, sizeof(*site->born)),
                             .joined = hw_arena_array(arena, n, sizeof(*site->joined)),
                             .lengths = hw_arena_array(arena, n, sizeof(*site->lengths))};
    if (!fronts || !site->born || !site->joined || !site->lengths)
        return false;
    for (size_t i = 0; i < count; i++) {
        fronts[i] = pairs[i].front;
        work->site_of[fronts[i]] = (uint32_t)growth->site_count;
    }
    growth->site_count++;
    return true;
}

static uint64_t births_below(const struct hw_growth *growth, const struct pair *pair)
{
    return pair->front == pair->site ? hw_box_births(growth, pair->site)
                                     : growth->below[pair->front];
}

/* All fronts below one box: those that are alike, and what is left. Where the box itself takes most
 * of what is new, there is nothing to tell apart. */
static bool make_alike(struct work *work, struct pair *pairs, size_t count)
{
    uint64_t all = 0, own = 0;
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t births = births_below(work->growth, &pairs[i]);
        all += births;
        own += pairs[i].front == pairs[i].site ? births : 0;
    }
    if (count == 1 || own * 2 >= all)
        return make_site(work, pairs, count, HW_SHAPE_NONE);
    for (size_t i = 0, next; i < count; i = next) {
        uint64_t births = 0;
        for (next = i; next < count && pairs[next].shape == pairs[i].shape; next++)
            births += births_below(work->growth, &pairs[next]);
        if ((double)births < SHAPE_SHARE * (double)all && pairs[i].shape) {
            memmove(&pairs[left], &pairs[i], (next - i) * sizeof(*pairs));
            left += next - i;
        } else if (!make_site(work, &pairs[i], next - i, pairs[i].shape)) {
            return false;
        }
    }
    return !left || make_site(work, pairs, left, HW_SHAPE_NONE);
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
        if (!make_alike(work, &work->pairs[i], next - i))
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
        site->born_bytes += hw_graph_weight(growth->graph, id);
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
                       (site->born_total >= HW_SITE_BORN_MIN || site->born_bytes >= SITE_BYTES_MIN);
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
        if (!hw_site_settle(growth, &growth->sites[i]))
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
    bool ok = work.state && work.front_of && work.site_of && made.below &&
              hw_shapes_create(&work.shapes, made.graph, &made.tree, NULL);
    if (ok) {
        memset(work.site_of, 0xff, n * sizeof(*work.site_of));
        memset(work.front_of, 0xff, n * sizeof(*work.front_of));
        ok = find_sites(&work);
    }
    free(work.state);
    free(work.front_of);
    free(work.site_of);
    free(work.pairs);
    hw_shapes_destroy(work.shapes);
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

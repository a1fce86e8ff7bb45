/* SPDX-License-Identifier: Apache-2.0 */
#include "weigh/semi-nca.h"

#include <stdlib.h>

/* Nodes have a number while this works: the order in which a depth-first search meets them. Columns
 * by number. */
struct work {
    const struct hw_graph *graph;
    struct hw_semi_nca *tree;
    uint32_t *by_node;
    uint32_t *semi;     /* semidominator, as far as it is known */
    uint32_t *label;    /* least semidominator on the way up to ancestor, this node's included */
    uint32_t *ancestor; /* in the search tree, nearer to the root as paths are compressed */
    uint32_t *start; /* referrers with larger numbers: from[start[v]] .. from[start[v + 1] - 1] */
    uint32_t *from;
};
enum { AHEAD = 8 }; /* references whose targets are on their way from memory */

/* ---- search ---- */

/* What only guesses lead to takes no part in who owns the rest. */
static bool counts(const struct work *w, uint32_t from, uint32_t to)
{
    return from < w->tree->sure || to >= w->tree->sure;
}

/*
 * tree->owner is the parent in the search tree for now, and label the next edge to look at. A
 * reference from v to a larger number is from an ancestor: it can be weighed at once. Those to
 * smaller ones are counted, two places up, so that filling leaves each start where it belongs.
 */
static void meet(struct work *w, uint32_t v, uint32_t to)
{
    if (!counts(w, v, to))
        return;
    if (to > v) {
        if (v < w->semi[to])
            w->semi[to] = v;
    } else if (to < v && to) {
        w->start[to + 2]++;
    }
}

static uint32_t enter(struct work *w, hw_id node, uint32_t parent)
{
    uint32_t v = w->tree->count++;
    w->by_node[node] = v;
    w->tree->node[v] = node;
    w->tree->owner[v] = w->semi[v] = w->ancestor[v] = parent;
    w->label[v] = w->graph->edge_start[node];
    return v;
}

/* The next edge of v that leads to a node not met before: enters it. False: there is none. */
static bool descend(struct work *w, uint32_t *v)
{
    const struct hw_graph *graph = w->graph;
    uint32_t end = graph->edge_start[w->tree->node[*v] + 1];
    for (uint32_t e = w->label[*v]; e < end; e++) {
        hw_id to = graph->edge_to[e];
        if (e + AHEAD < end) {
            __builtin_prefetch(&w->by_node[graph->edge_to[e + AHEAD]]);
            __builtin_prefetch(&graph->edge_start[graph->edge_to[e + AHEAD]]);
        }
        uint32_t number = w->by_node[to];
        if (number == HW_SEMI_LEAF)
            continue;
        if (number == HW_NONE) {
            if (graph_is_guess(graph, to))
                continue;
            w->label[*v] = e + 1;
            *v = enter(w, to, *v);
            return true;
        }
        meet(w, *v, number);
    }
    return false;
}

static void walk(struct work *w, uint32_t v)
{
    for (;;) {
        while (descend(w, &v))
            continue;
        if (!v)
            return;
        v = w->tree->owner[v];
    }
}

/* First all that is known to be referred to, then what guesses add to it, as if the root had the
 * guesses: so these have the largest numbers, and the largest places. */
static void search(struct work *w)
{
    const struct hw_graph *graph = w->graph;
    hw_id root = graph->node_count - 1;
    for (hw_id id = 0; id < root; id++)
        w->by_node[id] = graph_degree(graph, id) ? HW_NONE : HW_SEMI_LEAF;
    w->tree->sure = HW_NONE;
    walk(w, enter(w, root, 0));
    w->tree->sure = w->tree->count;
    for (hw_id id = graph->object_count; id < root; id++)
        if (w->by_node[id] == HW_NONE && graph_is_guess(graph, id))
            walk(w, enter(w, id, 0));
}

static bool collect_referrers(struct work *w)
{
    const struct hw_graph *graph = w->graph;
    uint32_t n = w->tree->count;
    for (uint32_t i = 2; i < n + 2; i++)
        w->start[i] += w->start[i - 1];
    w->from = malloc(((size_t)w->start[n + 1] + 1) * sizeof(*w->from));
    if (!w->from)
        return false;
    for (uint32_t v = 0; v < n; v++) {
        hw_id node = w->tree->node[v];
        for (uint32_t e = graph->edge_start[node]; e < graph->edge_start[node + 1]; e++) {
            uint32_t to = w->by_node[graph->edge_to[e]];
            if (to < v && to && counts(w, v, to))
                w->from[w->start[to + 1]++] = v;
        }
    }
    return true;
}

/* ---- semidominators ---- */

/* The least semidominator on the way from u up to the last node above v. The way is shortened; it
 * may be as long as the heap is large, so it is walked back by turning its links round. */
static uint32_t evaluate(struct work *w, uint32_t u, uint32_t v)
{
    uint32_t *ancestor = w->ancestor, *label = w->label;
    uint32_t at = u, below = HW_NONE;
    while (ancestor[at] > v) {
        uint32_t up = ancestor[at];
        ancestor[at] = below;
        below = at;
        at = up;
    }
    uint32_t top = ancestor[at], least = label[at];
    while (below != HW_NONE) {
        uint32_t down = ancestor[below];
        ancestor[below] = top;
        if (label[below] < least)
            least = label[below];
        label[below] = least;
        below = down;
    }
    return least;
}

static void find_semidominators(struct work *w)
{
    for (uint32_t v = w->tree->count; --v > 0;) {
        uint32_t semi = w->semi[v];
        for (uint32_t i = w->start[v]; semi && i < w->start[v + 1]; i++) {
            uint32_t least = evaluate(w, w->from[i], v);
            if (least < semi)
                semi = least;
        }
        w->semi[v] = w->label[v] = semi;
    }
}

/* ---- owners ---- */

/* Myers' rule: two jumps of one length make one of twice the length. */
static void set_jump(uint32_t v, uint32_t up, uint32_t *jump, uint32_t *depth)
{
    uint32_t far = jump[up];
    bool even = depth[up] - depth[far] == depth[far] - depth[jump[far]];
    depth[v] = depth[up] + 1;
    jump[v] = even ? jump[far] : up;
}

/* From parents in the search tree to owners, in the same column. */
static void find_owners(struct work *w, uint32_t *owner, uint32_t *jump, uint32_t *depth)
{
    depth[0] = jump[0] = 0;
    for (uint32_t v = 1; v < w->tree->count; v++) {
        uint32_t up = owner[v], semi = w->semi[v];
        while (up > semi)
            up = jump[up] > semi ? jump[up] : owner[up];
        owner[v] = up;
        set_jump(v, up, jump, depth);
    }
}

/* ---- places ---- */

/* next: where the next child of a node goes. */
static void find_places(uint32_t count, const uint32_t *owner, uint32_t *size, uint32_t *place,
                        uint32_t *next)
{
    for (uint32_t v = 0; v < count; v++)
        size[v] = 1;
    for (uint32_t v = count; --v > 0;)
        size[owner[v]] += size[v];
    place[0] = 0;
    next[0] = 1;
    for (uint32_t v = 1; v < count; v++) {
        uint32_t at = next[owner[v]];
        next[owner[v]] += size[v];
        place[v] = at;
        next[v] = at + 1;
    }
}

/* From numbers to places. Each column goes where the one before it has left room. */
static void move_to_places(struct work *w, const uint32_t *place, uint32_t *size, uint32_t *room)
{
    struct hw_semi_nca *tree = w->tree;
    uint32_t count = tree->count, *node = room, *owner = tree->node, *sizes = tree->owner;
    for (uint32_t v = 0; v < count; v++)
        node[place[v]] = tree->node[v];
    for (uint32_t v = 0; v < count; v++)
        owner[place[v]] = place[tree->owner[v]];
    for (uint32_t v = 0; v < count; v++)
        sizes[place[v]] = size[v];
    tree->node = node;
    tree->owner = owner;
    tree->size = sizes;
    tree->jump = size;
    for (uint32_t p = 0; p < count; p++)
        w->by_node[node[p]] = p;
}

/* ---- */

static bool allocate(struct work *w, uint32_t core)
{
    struct hw_semi_nca *tree = w->tree;
    size_t n = core;
    tree->node = malloc(n * sizeof(uint32_t));
    tree->owner = malloc(n * sizeof(uint32_t));
    w->semi = malloc(n * sizeof(uint32_t));
    w->label = malloc(n * sizeof(uint32_t));
    w->ancestor = malloc(n * sizeof(uint32_t));
    w->start = calloc(n + 2, sizeof(uint32_t));
    return tree->node && tree->owner && w->semi && w->label && w->ancestor && w->start;
}

/* What the search needed serves as room for the result. */
static void finish(struct work *w)
{
    struct hw_semi_nca *tree = w->tree;
    uint32_t *jump = w->ancestor, *depth = w->label, *place = w->start, *size = w->semi;
    free(w->from);
    w->from = NULL;
    find_owners(w, tree->owner, jump, depth);
    find_places(tree->count, tree->owner, size, place, depth);
    move_to_places(w, place, size, jump);
    w->ancestor = w->semi = NULL;
    tree->jump[0] = depth[0] = 0;
    for (uint32_t p = 1; p < tree->count; p++)
        set_jump(p, tree->owner[p], tree->jump, depth);
}

static bool fill(struct work *w, uint32_t core)
{
    if (!allocate(w, core))
        return false;
    search(w);
    if (!collect_referrers(w))
        return false;
    find_semidominators(w);
    finish(w);
    return true;
}

bool hw_semi_nca_init(struct hw_semi_nca *tree, const struct hw_graph *graph, uint32_t core,
                      uint32_t *by_node)
{
    struct work w = {.graph = graph, .tree = tree, .by_node = by_node};
    *tree = (struct hw_semi_nca){0};
    bool ok = fill(&w, core);
    free(w.semi);
    free(w.label);
    free(w.ancestor);
    free(w.start);
    free(w.from);
    return ok;
}

void hw_semi_nca_deinit(struct hw_semi_nca *tree)
{
    free(tree->node);
    free(tree->owner);
    free(tree->size);
    free(tree->jump);
    *tree = (struct hw_semi_nca){0};
}

uint32_t hw_semi_nca_common(const struct hw_semi_nca *tree, uint32_t low, uint32_t high)
{
    /* Places rise on the way down, so an ancestor of low begins before it: only its end matters. */
    uint32_t v = low;
    while (high - v >= tree->size[v]) {
        uint32_t far = tree->jump[v];
        v = high - far >= tree->size[far] ? far : tree->owner[v];
    }
    return v;
}

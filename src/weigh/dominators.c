/* SPDX-License-Identifier: Apache-2.0 */
#include "weigh/dominators.h"

#include "base/err.h"
#include "weigh/semi-nca.h"

#include <stdlib.h>

/*
 * Most nodes of a heap refer to nothing: strings, numbers. Only the others, the core, need the full
 * work (semi-nca.h). The owner of a leaf is the lowest common ancestor of its referrers in the tree
 * of the core, and that is the one of the leftmost and the rightmost referrer there.
 *
 * Sums are kept for the core alone; a node's row among them is its rank: how many nodes of the core
 * come before it.
 */
struct hw_dominators {
    const struct hw_graph *graph;
    uint32_t *owner; /* by node; NOT_REACHED */
    hw_id *order;
    uint32_t reached;
    uint64_t *core;     /* bitmap over nodes */
    uint32_t *rank;     /* of the first node of each word of the bitmap */
    uint64_t *retained; /* by rank */
    uint32_t *count;    /* by rank */
};

/* The root is its own owner here, so that one number tells reached nodes from others. */
enum { WORD_BITS = 64 };
#define NOT_REACHED HW_NONE

uint64_t hw_weight(const struct hw_graph *graph, hw_id id)
{
    return hw_graph_size(graph, id);
}

static bool in_core(const struct hw_dominators *d, hw_id id)
{
    return d->core[id / WORD_BITS] >> id % WORD_BITS & 1;
}

static uint32_t rank_of(const struct hw_dominators *d, hw_id id)
{
    uint64_t before = d->core[id / WORD_BITS] & (((uint64_t)1 << id % WORD_BITS) - 1);
    return d->rank[id / WORD_BITS] + (uint32_t)__builtin_popcountll(before);
}

/* Returns the size of the core. */
static uint32_t fill_ranks(struct hw_dominators *d)
{
    const struct hw_graph *graph = d->graph;
    hw_id root = graph->node_count - 1;
    for (hw_id id = 0; id < graph->node_count; id++)
        if (graph_degree(graph, id) || id == root)
            d->core[id / WORD_BITS] |= (uint64_t)1 << id % WORD_BITS;
    uint32_t rank = 0;
    for (uint32_t word = 0; word <= root / WORD_BITS; word++) {
        d->rank[word] = rank;
        rank += (uint32_t)__builtin_popcountll(d->core[word]);
    }
    return rank;
}

/* ---- leaves ---- */

/* For leaves owner[] becomes the leftmost referrer's place in the tree and high[] the rightmost's.
 * Leaves have HW_SEMI_LEAF there before, which is more than any place. */
static void find_spans(struct hw_dominators *d, const struct hw_semi_nca *tree, uint32_t *high)
{
    const struct hw_graph *graph = d->graph;
    for (hw_id from = 0; from < graph->node_count; from++) {
        if (!in_core(d, from) || d->owner[from] == NOT_REACHED)
            continue;
        uint32_t place = tree->place[d->owner[from]];
        for (uint32_t e = graph->edge_start[from]; e < graph->edge_start[from + 1]; e++) {
            hw_id to = graph->edge_to[e];
            if (in_core(d, to))
                continue;
            if (place < d->owner[to])
                d->owner[to] = place;
            if (place > high[to])
                high[to] = place;
        }
    }
}

/* From places to the owner's number. */
static void settle_leaves(struct hw_dominators *d, const struct hw_semi_nca *tree,
                          const uint32_t *high)
{
    for (hw_id id = 0; id < d->graph->node_count; id++) {
        if (in_core(d, id))
            continue;
        if (d->owner[id] == HW_SEMI_LEAF)
            d->owner[id] = NOT_REACHED;
        else
            d->owner[id] = hw_semi_nca_common(tree, d->owner[id], high[id]);
    }
}

static bool own_leaves(struct hw_dominators *d, const struct hw_semi_nca *tree)
{
    uint32_t *high = calloc(d->graph->node_count, sizeof(*high));
    if (!high)
        return false;
    find_spans(d, tree, high);
    settle_leaves(d, tree, high);
    free(high);
    return true;
}

/* ---- sums ---- */

static void sum_up(struct hw_dominators *d, const struct hw_semi_nca *tree)
{
    const struct hw_graph *graph = d->graph;
    d->reached = tree->count;
    for (hw_id id = 0; id < graph->node_count; id++) {
        if (d->owner[id] == NOT_REACHED)
            continue;
        bool is_core = in_core(d, id);
        uint32_t rank = rank_of(d, is_core ? id : tree->node[d->owner[id]]);
        d->retained[rank] += hw_weight(graph, id);
        d->count[rank]++;
        d->reached += !is_core;
    }
    for (uint32_t v = tree->count; --v > 0;) {
        uint32_t rank = rank_of(d, tree->node[v]), up = rank_of(d, tree->node[tree->owner[v]]);
        d->retained[up] += d->retained[rank];
        d->count[up] += d->count[rank];
    }
}

/* ---- order ---- */

/* A node's children of the core first, then its leaves. next[v]: where v's next child goes. */
static void lay_out(struct hw_dominators *d, const struct hw_semi_nca *tree, uint32_t *next)
{
    d->order[0] = tree->node[0];
    next[0] = 1;
    for (uint32_t v = 1; v < tree->count; v++) {
        uint32_t at = next[tree->owner[v]];
        next[tree->owner[v]] += d->count[rank_of(d, tree->node[v])];
        d->order[at] = tree->node[v];
        next[v] = at + 1;
    }
    for (hw_id id = 0; id < d->graph->node_count; id++)
        if (!in_core(d, id) && d->owner[id] != NOT_REACHED)
            d->order[next[d->owner[id]]++] = id;
}

/* From numbers of the core to nodes. */
static void name_owners(struct hw_dominators *d, const struct hw_semi_nca *tree)
{
    for (hw_id id = 0; id < d->graph->node_count; id++) {
        uint32_t number = d->owner[id];
        if (number != NOT_REACHED)
            d->owner[id] = tree->node[in_core(d, id) ? tree->owner[number] : number];
    }
}

/* ---- */

static bool allocate(struct hw_dominators *d, uint32_t *ret_core)
{
    size_t n = d->graph->node_count, words = n / WORD_BITS + 1;
    d->core = calloc(words, sizeof(*d->core));
    d->rank = calloc(words, sizeof(*d->rank));
    d->owner = malloc(n * sizeof(*d->owner));
    if (!d->core || !d->rank || !d->owner)
        return false;
    *ret_core = fill_ranks(d);
    return true;
}

static bool fill(struct hw_dominators *d, struct hw_semi_nca *tree)
{
    uint32_t core;
    if (!allocate(d, &core) || !hw_semi_nca_init(tree, d->graph, core, d->owner) ||
        !own_leaves(d, tree))
        return false;
    hw_semi_nca_trim(tree);
    d->retained = calloc(core, sizeof(*d->retained));
    d->count = calloc(core, sizeof(*d->count));
    if (!d->retained || !d->count)
        return false;
    sum_up(d, tree);
    d->order = malloc((size_t)d->reached * sizeof(*d->order));
    uint32_t *next = malloc((size_t)tree->count * sizeof(*next));
    bool ok = d->order && next;
    if (ok) {
        lay_out(d, tree, next);
        name_owners(d, tree);
    }
    free(next);
    return ok;
}

bool hw_dominators_create(struct hw_dominators **ret_dominators, const struct hw_graph *graph,
                          struct hw_err *err)
{
    struct hw_dominators *d = calloc(1, sizeof(*d));
    struct hw_semi_nca tree = {0};
    if (d)
        d->graph = graph;
    bool ok = d && fill(d, &tree);
    hw_semi_nca_deinit(&tree);
    if (!ok) {
        hw_dominators_destroy(d);
        return hw_err_no_memory(err);
    }
    *ret_dominators = d;
    return true;
}

void hw_dominators_destroy(struct hw_dominators *d)
{
    if (!d)
        return;
    free(d->owner);
    free(d->order);
    free(d->core);
    free(d->rank);
    free(d->retained);
    free(d->count);
    free(d);
}

bool hw_dominators_reached(const struct hw_dominators *d, hw_id id)
{
    return id < d->graph->node_count && d->owner[id] != NOT_REACHED;
}

hw_id hw_dominators_owner(const struct hw_dominators *d, hw_id id)
{
    return hw_dominators_reached(d, id) && d->owner[id] != id ? d->owner[id] : HW_NONE;
}

uint64_t hw_dominators_retained(const struct hw_dominators *d, hw_id id)
{
    if (!hw_dominators_reached(d, id))
        return 0;
    return in_core(d, id) ? d->retained[rank_of(d, id)] : hw_weight(d->graph, id);
}

uint32_t hw_dominators_count(const struct hw_dominators *d, hw_id id)
{
    if (!hw_dominators_reached(d, id))
        return 0;
    return in_core(d, id) ? d->count[rank_of(d, id)] : 1;
}

const hw_id *hw_dominators_order(const struct hw_dominators *d, uint32_t *ret_count)
{
    *ret_count = d->reached;
    return d->order;
}

uint32_t hw_dominators_position(const struct hw_dominators *d, hw_id id)
{
    for (uint32_t i = 0; i < d->reached; i++)
        if (d->order[i] == id)
            return i;
    return HW_NONE;
}

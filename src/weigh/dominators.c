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
enum { WORD_BITS = 64, AHEAD = 16 };
#define NOT_REACHED HW_NONE

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

/* Whether referrer and leaf are as they should be in this pass: first come all that are known to be
 * referred to, and what only guesses lead to has a say about the rest. */
static bool takes_part(uint32_t place, uint32_t leaf, uint32_t sure, bool guessing)
{
    return guessing ? place >= sure && leaf >= sure : place < sure;
}

/* For leaves owner[] becomes the leftmost referrer's place in the tree and high[] the rightmost's.
 * Leaves have HW_SEMI_LEAF there before, which is more than any place. */
static void find_spans(struct hw_dominators *d, uint32_t sure, bool guessing, uint32_t *high)
{
    const struct hw_graph *graph = d->graph;
    for (hw_id from = 0; from < graph->node_count; from++) {
        uint32_t place = d->owner[from];
        if (!in_core(d, from) || place == NOT_REACHED || !takes_part(place, sure, sure, guessing))
            continue;
        for (uint32_t e = graph->edge_start[from]; e < graph->edge_start[from + 1]; e++) {
            hw_id to = graph->edge_to[e];
            if (e + AHEAD < graph->edge_count) {
                __builtin_prefetch(&d->owner[graph->edge_to[e + AHEAD]]);
                __builtin_prefetch(&high[graph->edge_to[e + AHEAD]]);
            }
            if (in_core(d, to) || !takes_part(place, d->owner[to], sure, guessing))
                continue;
            if (place < d->owner[to])
                d->owner[to] = place;
            if (place > high[to])
                high[to] = place;
        }
    }
}

/* From spans to the owner's place. */
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
    find_spans(d, tree->sure, false, high);
    find_spans(d, tree->sure, true, high);
    settle_leaves(d, tree, high);
    free(high);
    return true;
}

/* ---- order ---- */

/* at[p]: where the node at place p stands in the order. All nodes of the core with lower places
 * stand before it, and all their leaves. at[tree->count]: how many stand in the order. */
static void find_positions(const struct hw_dominators *d, const struct hw_semi_nca *tree,
                           uint32_t *at)
{
    for (hw_id id = 0; id < d->graph->node_count; id++)
        if (!in_core(d, id) && d->owner[id] != NOT_REACHED)
            at[d->owner[id] + 1]++;
    for (uint32_t p = 0; p < tree->count; p++)
        at[p + 1] += at[p] + 1;
}

/* Leaves stand right behind their owner. at[p] becomes the last of them; that is where the next
 * node's own position was, less one. */
static void lay_out(struct hw_dominators *d, const struct hw_semi_nca *tree, uint32_t *at)
{
    for (uint32_t p = 0; p < tree->count; p++)
        d->order[at[p]] = tree->node[p];
    for (hw_id id = 0; id < d->graph->node_count; id++)
        if (!in_core(d, id) && d->owner[id] != NOT_REACHED)
            d->order[++at[d->owner[id]]] = id;
}

static bool put_in_order(struct hw_dominators *d, const struct hw_semi_nca *tree)
{
    uint32_t *at = calloc((size_t)tree->count + 1, sizeof(*at));
    if (!at)
        return false;
    find_positions(d, tree, at);
    d->reached = at[tree->count];
    d->order = malloc((size_t)d->reached * sizeof(*d->order));
    for (uint32_t p = 0; d->order && p < tree->count; p++)
        d->count[rank_of(d, tree->node[p])] = at[p + tree->size[p]] - at[p];
    if (d->order)
        lay_out(d, tree, at);
    free(at);
    return d->order != NULL;
}

/* ---- sums ---- */

static void sum_up(struct hw_dominators *d, const struct hw_semi_nca *tree)
{
    for (hw_id id = 0; id < d->graph->node_count; id++) {
        uint32_t place = d->owner[id];
        if (place == NOT_REACHED)
            continue;
        uint32_t rank = rank_of(d, in_core(d, id) ? id : tree->node[place]);
        d->retained[rank] += hw_graph_weight(d->graph, id);
    }
    for (uint32_t p = tree->count; --p > 0;) {
        uint32_t up = rank_of(d, tree->node[tree->owner[p]]);
        d->retained[up] += d->retained[rank_of(d, tree->node[p])];
    }
}

/* From places to nodes. */
static void name_owners(struct hw_dominators *d, const struct hw_semi_nca *tree)
{
    for (hw_id id = 0; id < d->graph->node_count; id++) {
        uint32_t place = d->owner[id];
        if (place != NOT_REACHED)
            d->owner[id] = tree->node[in_core(d, id) ? tree->owner[place] : place];
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

/* Columns come as late and go as early as they can: this is where memory is at its highest. */
static bool fill(struct hw_dominators *d, struct hw_semi_nca *tree)
{
    uint32_t core;
    if (!allocate(d, &core) || !hw_semi_nca_init(tree, d->graph, core, d->owner) ||
        !own_leaves(d, tree))
        return false;
    free(tree->jump);
    tree->jump = NULL;
    d->count = calloc(core, sizeof(*d->count));
    if (!d->count || !put_in_order(d, tree))
        return false;
    free(tree->size);
    tree->size = NULL;
    d->retained = calloc(core, sizeof(*d->retained));
    if (!d->retained)
        return false;
    sum_up(d, tree);
    name_owners(d, tree);
    return true;
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
    return in_core(d, id) ? d->retained[rank_of(d, id)] : hw_graph_weight(d->graph, id);
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

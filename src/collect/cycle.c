/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/cycle.h"

#include "ask/lookup.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

enum {
    STARTS_MAX = 64,    /* objects from which the way back is looked for */
    VISIT_MAX = 200000, /* objects visited from one of them */
    RANK_PLAIN = 3,
    RANK_COUNT = 5,
    RANK_CLASS = RANK_COUNT - 1,
};

/* How much an object says to the programmer: 0 is most. */
static int rank_of(const struct hw_graph *graph, hw_id id)
{
    static const struct {
        uint32_t flags;
        int rank;
    } ranks[] = {
        {HW_TYPE_TYPE | HW_TYPE_MODULE, RANK_CLASS},
        {HW_TYPE_PYTHON, 0},
        {HW_TYPE_EXCEPTION | HW_TYPE_GENERATOR, 1},
        {HW_TYPE_FUNCTION | HW_TYPE_METHOD | HW_TYPE_TRACEBACK, 2},
    };
    for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++)
        if (type_has(graph, id, ranks[i].flags))
            return ranks[i].rank;
    return RANK_PLAIN;
}

struct search {
    const struct hw_part *part;
    const uint8_t *cut;
    bool through_classes;
    uint32_t *came_by; /* by local node: the local edge that found it; HW_NO_EDGE: not seen */
    uint32_t *queue;
    uint32_t count;
    size_t limit; /* longer cycles are not wanted */
};

static bool is_class_like(const struct search *search, uint32_t node)
{
    return rank_of(search->part->graph, search->part->ids[node]) == RANK_CLASS;
}

static bool may_pass(const struct search *search, uint32_t edge)
{
    if (search->cut && search->cut[edge])
        return false;
    return search->through_classes ||
           (edge_kind(search->part->graph, search->part->edge[edge]) != HW_LABEL_TYPE &&
            !is_class_like(search, search->part->to[edge]));
}

static void put_back(struct search *search)
{
    for (uint32_t i = 0; i < search->count; i++)
        search->came_by[search->queue[i]] = HW_NO_EDGE;
    search->count = 0;
}

static struct hw_hop hop_of(const struct search *search, uint32_t from, uint32_t edge)
{
    const struct hw_part *part = search->part;
    return (struct hw_hop){part->ids[from], part->ids[part->to[edge]], part->edge[edge]};
}

/* The node whose edge this is: nodes and edges rise together. */
static uint32_t source_of(const struct hw_part *part, uint32_t edge)
{
    uint32_t low = 0, high = part->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        *(part->start[middle] <= edge ? &low : &high) = middle;
    }
    return low;
}

/* Walks back from the edge that closed the cycle. */
static void unwind(const struct search *search, uint32_t start, uint32_t edge,
                   struct hw_cycle *cycle)
{
    struct hw_cycle found = {.count = 0};
    uint32_t edges[HW_CYCLE_MAX], node = source_of(search->part, edge);
    edges[found.count++] = edge;
    while (node != start && found.count < HW_CYCLE_MAX) {
        edges[found.count++] = search->came_by[node];
        node = source_of(search->part, search->came_by[node]);
    }
    if (node != start)
        return;
    for (size_t i = 0; i < found.count; i++) {
        found.edges[i] = edges[found.count - 1 - i];
        found.hops[i] = hop_of(search, source_of(search->part, found.edges[i]), found.edges[i]);
    }
    *cycle = found;
}

/* Breadth first; `limit` hops at most. */
static bool search_from(struct search *search, uint32_t start, struct hw_cycle *cycle)
{
    const struct hw_part *part = search->part;
    uint32_t level_end = 1;
    size_t hops = 1;
    search->queue[search->count++] = start;
    for (uint32_t i = 0; i < search->count; i++) {
        if (i == level_end) {
            level_end = search->count;
            hops++;
        }
        if (hops > search->limit)
            return false;
        uint32_t node = search->queue[i];
        for (uint32_t e = part->start[node]; e < part->start[node + 1]; e++) {
            uint32_t to = part->to[e];
            if (!may_pass(search, e))
                continue;
            if (to == start) {
                unwind(search, start, e, cycle);
                return cycle->count > 0;
            }
            if (search->came_by[to] != HW_NO_EDGE || search->count >= VISIT_MAX)
                continue;
            search->came_by[to] = e;
            search->queue[search->count++] = to;
        }
    }
    return false;
}

/* Starts are tried in the order of their rank, so that a longer cycle must be strictly shorter to
 * be preferred. */
static void search_all(struct search *search, struct hw_cycle *cycle)
{
    const struct hw_part *part = search->part;
    int starts = 0;
    for (int rank = 0; rank < (search->through_classes ? RANK_COUNT : RANK_CLASS); rank++) {
        for (uint32_t node = 0; node < part->count && starts < STARTS_MAX; node++) {
            if (rank_of(part->graph, part->ids[node]) != rank)
                continue;
            starts++;
            struct hw_cycle found = {.count = 0};
            if (search_from(search, node, &found)) {
                *cycle = found;
                search->limit = found.count - 1;
            }
            put_back(search);
        }
    }
}

static uint32_t local_of(const struct hw_part *part, hw_id id)
{
    uint32_t low = 0, high = part->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (part->ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* from: starts there only; HW_NONE: anywhere. */
static bool find(const struct hw_part *part, const uint8_t *cut, hw_id from,
                 struct hw_cycle *ret_cycle, struct hw_err *err)
{
    size_t n = part->count + 1u;
    struct hw_cycle cycle = {.count = 0};
    struct search search = {.part = part,
                            .cut = cut,
                            .limit = HW_CYCLE_MAX,
                            .came_by = malloc(n * sizeof(uint32_t)),
                            .queue = malloc(n * sizeof(uint32_t))};
    bool ok = search.came_by && search.queue;
    if (ok) {
        memset(search.came_by, 0xff, n * sizeof(uint32_t));
        for (int pass = 0; pass < 2 && !cycle.count; pass++) {
            search.through_classes = pass;
            if (from == HW_NONE)
                search_all(&search, &cycle);
            else
                search_from(&search, local_of(part, from), &cycle);
        }
    }
    free(search.came_by);
    free(search.queue);
    if (!ok)
        return hw_err_no_memory(err);
    *ret_cycle = cycle;
    return true;
}

bool hw_cycle_shortest(const struct hw_part *part, const uint8_t *cut, struct hw_cycle *ret_cycle,
                       struct hw_err *err)
{
    return find(part, cut, HW_NONE, ret_cycle, err);
}

bool hw_cycle_first(const struct hw_part *part, struct hw_cycle *cycle, struct hw_err *err)
{
    const struct hw_graph *graph = part->graph;
    const struct hw_hop *last = &cycle->hops[cycle->count - 1];
    struct hw_cycle found;
    if (!find(part, NULL, last->to, &found, err))
        return false;
    const struct hw_hop *other = &found.hops[found.count - 1];
    if (found.count == cycle->count && graph->type[other->from] == graph->type[last->from] &&
        graph->edge_label[other->edge] == graph->edge_label[last->edge])
        *cycle = found;
    return true;
}

void hw_cycle_rotate(struct hw_cycle *cycle, size_t last)
{
    struct hw_cycle turned = {.count = cycle->count};
    for (size_t i = 0; i < cycle->count; i++) {
        size_t from = (last + 1 + i) % cycle->count;
        turned.hops[i] = cycle->hops[from];
        turned.edges[i] = cycle->edges[from];
    }
    *cycle = turned;
}

void hw_cycle_begin(const struct hw_graph *graph, struct hw_cycle *cycle)
{
    size_t best = cycle->count - 1;
    if (rank_of(graph, cycle->hops[best].to) != RANK_PLAIN)
        return;
    for (size_t i = 0; i < cycle->count; i++)
        if (rank_of(graph, cycle->hops[i].to) < rank_of(graph, cycle->hops[best].to))
            best = i;
    hw_cycle_rotate(cycle, best);
}

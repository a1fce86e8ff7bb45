/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/cycle.h"

#include "ask/lookup.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

enum { STARTS_MAX = 50, VISIT_MAX = 20000 };

struct search {
    const struct hw_graph *graph;
    const uint8_t *marks;
    uint32_t *came_by; /* by node: the edge that found it, HW_NO_EDGE: not seen */
    hw_id *queue;      /* VISIT_MAX, in order of distance */
    hw_id *from;       /* of the edge that found queue[i] */
    uint32_t count;
};

/* Classes and modules close no cycle that a programmer means. */
static bool may_pass(const struct search *search, uint32_t edge)
{
    const struct hw_graph *graph = search->graph;
    hw_id to = graph->edge_to[edge];
    return to < graph->object_count && search->marks[to] &&
           edge_kind(graph, edge) != HW_LABEL_TYPE && edge_kind(graph, edge) != HW_LABEL_WORD;
}

static void put_back(struct search *search)
{
    for (uint32_t i = 0; i < search->count; i++)
        search->came_by[search->queue[i]] = HW_NO_EDGE;
    search->count = 0;
}

static hw_id source_of(const struct search *search, hw_id node)
{
    for (uint32_t i = 0; i < search->count; i++)
        if (search->queue[i] == node)
            return search->from[i];
    return HW_NONE;
}

/* Walks back from the edge that closed the cycle. */
static void unwind(const struct search *search, hw_id start, hw_id last, uint32_t edge,
                   struct hw_cycle *cycle)
{
    struct hw_hop hops[HW_CYCLE_MAX];
    size_t n = 0;
    hops[n++] = (struct hw_hop){last, start, edge};
    while (last != start && n < HW_CYCLE_MAX) {
        hw_id from = source_of(search, last);
        hops[n++] = (struct hw_hop){from, last, search->came_by[last]};
        last = from;
    }
    if (last != start)
        return;
    cycle->count = n;
    for (size_t i = 0; i < n; i++)
        cycle->hops[i] = hops[n - 1 - i];
}

static bool search_from(struct search *search, hw_id start, struct hw_cycle *cycle)
{
    const struct hw_graph *graph = search->graph;
    search->queue[search->count++] = start;
    for (uint32_t i = 0; i < search->count; i++) {
        hw_id node = search->queue[i];
        for (uint32_t e = graph->edge_start[node]; e < graph->edge_start[node + 1]; e++) {
            hw_id to = graph->edge_to[e];
            if (!may_pass(search, e))
                continue;
            if (to == start) {
                unwind(search, start, node, e, cycle);
                return cycle->count > 0;
            }
            if (search->came_by[to] != HW_NO_EDGE || search->count == VISIT_MAX)
                continue;
            search->came_by[to] = e;
            search->from[search->count] = node;
            search->queue[search->count++] = to;
        }
    }
    return false;
}

bool hw_cycle_find(const struct hw_graph *graph, const uint8_t *marks, uint32_t type,
                   struct hw_cycle *ret_cycle, struct hw_err *err)
{
    struct hw_cycle cycle = {.count = 0};
    struct search search = {.graph = graph,
                            .marks = marks,
                            .came_by = malloc(graph->node_count * sizeof(uint32_t)),
                            .queue = malloc(VISIT_MAX * sizeof(hw_id)),
                            .from = malloc(VISIT_MAX * sizeof(hw_id))};
    bool ok = search.came_by && search.queue && search.from;
    if (ok)
        memset(search.came_by, 0xff, graph->node_count * sizeof(uint32_t));
    int starts = 0;
    for (hw_id id = 0; ok && id < graph->object_count && starts < STARTS_MAX; id++) {
        if (!marks[id] || graph->type[id] != type)
            continue;
        starts++;
        if (search_from(&search, id, &cycle))
            break;
        put_back(&search);
    }
    free(search.came_by);
    free(search.queue);
    free(search.from);
    if (!ok)
        return hw_err_no_memory(err);
    *ret_cycle = cycle;
    return true;
}

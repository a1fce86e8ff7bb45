/* SPDX-License-Identifier: Apache-2.0 */
#include "why/also.h"

#include "ask/lookup.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

enum { SHARE_PERCENT = 80, SAMPLE_MIN = 3 };

struct search {
    const struct hw_growth *growth;
    struct hw_candidate *candidates;
    size_t count;
    uint8_t *owner; /* by node: 1 + the candidate whose sample it is in */
    uint32_t sampled[HW_ALSO_CANDIDATES_MAX];
    size_t current;
};

static bool add_sample(void *ctx, const struct hw_growth *growth, uint32_t edge)
{
    struct search *search = ctx;
    hw_id to = growth->graph->edge_to[edge];
    if (search->owner[to] || growth->graph->flags[to] & HW_NODE_IMMORTAL)
        return true;
    search->owner[to] = (uint8_t)(search->current + 1);
    return ++search->sampled[search->current] < HW_ALSO_SAMPLE_MAX;
}

static bool is_own(const struct hw_growth *growth, const struct hw_site *site, hw_id from)
{
    for (uint32_t i = 0; i < site->front_count; i++)
        if (site->fronts[i] == from)
            return true;
    return from == site->box || from == site->name ||
           growth->tree.parent[from] == site->box; /* its own inner part */
}

static void note_holder(struct search *search, hw_id from, const uint32_t *hits)
{
    const struct hw_growth *growth = search->growth;
    for (size_t i = 0; i < search->count; i++) {
        struct hw_candidate *candidate = &search->candidates[i];
        if (search->sampled[i] < SAMPLE_MIN ||
            (uint64_t)hits[i] * 100 < (uint64_t)search->sampled[i] * SHARE_PERCENT ||
            candidate->also_count == HW_ALSO_MAX || is_own(growth, candidate->site, from))
            continue;
        candidate->also[candidate->also_count++] = from;
    }
}

/* Sets and weak references' own lists inside C are no holders that a user can empty. */
static bool may_hold(const struct search *search, hw_id from)
{
    const struct hw_growth *growth = search->growth;
    return tree_has(&growth->tree, from) && graph_degree(growth->graph, from) >= SAMPLE_MIN;
}

static void search_all(struct search *search)
{
    const struct hw_graph *graph = search->growth->graph;
    for (hw_id from = 0; from < graph->object_count; from++) {
        uint32_t hits[HW_ALSO_CANDIDATES_MAX];
        bool any = false;
        if (!may_hold(search, from))
            continue;
        for (uint32_t e = graph->edge_start[from]; e < graph->edge_start[from + 1]; e++) {
            uint8_t owner = search->owner[graph->edge_to[e]];
            if (!owner || edge_kind(graph, e) == HW_LABEL_WORD)
                continue;
            if (!any)
                memset(hits, 0, sizeof(hits));
            any = true;
            hits[owner - 1]++;
        }
        if (any)
            note_holder(search, from, hits);
    }
}

bool hw_also_find(const struct hw_growth *growth, struct hw_candidate *candidates, size_t count,
                  struct hw_err *err)
{
    struct search search = {.growth = growth,
                            .candidates = candidates,
                            .count =
                                count < HW_ALSO_CANDIDATES_MAX ? count : HW_ALSO_CANDIDATES_MAX,
                            .owner = calloc(growth->graph->node_count, 1)};
    if (!search.owner)
        return hw_err_no_memory(err);
    for (search.current = 0; search.current < search.count; search.current++)
        if (candidates[search.current].site)
            hw_site_members(growth, candidates[search.current].site, add_sample, &search);
    search_all(&search);
    free(search.owner);
    return true;
}

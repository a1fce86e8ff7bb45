/* SPDX-License-Identifier: Apache-2.0 */
#include "why/look.h"

#include "ask/lookup.h"

#include <string.h>

/* ---- members ---- */

static bool note_member(void *ctx, const struct hw_growth *growth, uint32_t edge)
{
    struct hw_sample *members = ctx;
    members->ids[members->count] = growth->graph->edge_to[edge];
    members->edges[members->count++] = edge;
    return members->count < HW_LOOK_MAX;
}

const struct hw_sample *hw_look_members(struct hw_case *c)
{
    static const struct hw_sample none;
    if (c->sample)
        return c->sample;
    const struct hw_site *site = c->candidate->site;
    struct hw_sample *members = hw_arena_alloc(c->arena, sizeof(*members));
    if (!members) {
        c->no_memory = true;
        return &none;
    }
    if (site && !c->candidate->sizes)
        hw_site_members(c->growth, site, note_member, members);
    c->sample = members;
    return members;
}

/* ---- one object ---- */

const char *hw_look_function(const struct hw_case *c, hw_id callable)
{
    struct hw_buf text = {0};
    hw_function_spell(c->graph, callable, &text);
    const char *copy = hw_arena_strdup(c->arena, hw_buf_ok(&text) ? hw_buf_str(&text) : "");
    hw_buf_deinit(&text);
    return copy;
}

hw_id hw_look_inside(const struct hw_case *c, hw_id member, uint32_t flags)
{
    const struct hw_graph *graph = c->graph;
    const struct hw_type *type = type_of(graph, member);
    if (flags ? (type->flags & flags) != 0 : hw_type_is_callback(type))
        return member;
    if (!(type->flags & (HW_TYPE_TUPLE | HW_TYPE_LIST)))
        return HW_NONE;
    for (uint32_t e = graph->edge_start[member]; e < graph->edge_start[member + 1]; e++) {
        const struct hw_type *inner = type_of(graph, graph->edge_to[e]);
        if (edge_kind(graph, e) == HW_LABEL_INDEX &&
            (flags ? (inner->flags & flags) != 0 : hw_type_is_callback(inner)))
            return graph->edge_to[e];
    }
    return HW_NONE;
}

uint64_t hw_look_bytes(const struct hw_case *c, hw_id node)
{
    enum { VISIT_MAX = 256 };
    const struct hw_graph *graph = c->graph;
    hw_id todo[VISIT_MAX] = {node};
    uint32_t count = 1;
    uint64_t bytes = 0;
    for (uint32_t at = 0; at < count; at++) {
        bytes += hw_graph_size(graph, todo[at]);
        for (uint32_t e = graph->edge_start[todo[at]]; e < graph->edge_start[todo[at] + 1]; e++)
            if (count < VISIT_MAX && c->growth->tree.edge[graph->edge_to[e]] == e)
                todo[count++] = graph->edge_to[e];
    }
    return bytes;
}

/* ---- tallies ---- */

void hw_tally_add(struct hw_tally *tally, const char *text)
{
    if (!text)
        return; /* out of memory: whoever made it knows */
    tally->total++;
    for (uint32_t i = 0; i < tally->row_count; i++)
        if (strcmp(tally->rows[i].text, text) == 0) {
            tally->rows[i].count++;
            return;
        }
    if (tally->row_count == HW_TALLY_MAX) {
        tally->others++;
        return;
    }
    tally->rows[tally->row_count].text = text;
    tally->rows[tally->row_count++].count = 1;
}

static uint32_t next_largest(const struct hw_tally *tally, const bool *taken)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < tally->row_count; i++)
        if (!taken[i] && (best == UINT32_MAX || tally->rows[i].count > tally->rows[best].count))
            best = i;
    return best;
}

const char *hw_tally_top(const struct hw_tally *tally, uint32_t *ret_count)
{
    const bool none[HW_TALLY_MAX] = {0};
    uint32_t best = next_largest(tally, none);
    if (ret_count)
        *ret_count = best == UINT32_MAX ? 0 : tally->rows[best].count;
    return best == UINT32_MAX ? NULL : tally->rows[best].text;
}

static const char *spell(const struct hw_tally *tally, const struct hw_case *c, unsigned most,
                         bool counts)
{
    bool taken[HW_TALLY_MAX] = {0};
    uint32_t said = 0, best;
    struct hw_buf text = {0};
    for (unsigned i = 0; i < most && (best = next_largest(tally, taken)) != UINT32_MAX; i++) {
        taken[best] = true;
        said += tally->rows[best].count;
        if (i)
            hw_buf_puts(&text, ", ");
        if (counts && tally->rows[best].count < tally->total)
            hw_buf_printf(&text, "%u ", tally->rows[best].count);
        hw_buf_puts(&text, tally->rows[best].text);
    }
    if (counts && said < tally->total)
        hw_buf_printf(&text, " and %u others", tally->total - said);
    const char *copy = hw_buf_ok(&text) ? hw_arena_strdup(c->arena, hw_buf_str(&text)) : NULL;
    hw_buf_deinit(&text);
    return copy;
}

const char *hw_tally_spell(const struct hw_tally *tally, const struct hw_case *c, unsigned most)
{
    return spell(tally, c, most, true);
}

const char *hw_tally_names(const struct hw_tally *tally, const struct hw_case *c, unsigned most)
{
    return spell(tally, c, most, false);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/part.h"

#include "ask/lookup.h"
#include "base/err.h"

#include <stdlib.h>

static bool is_followed(const struct hw_graph *graph, uint32_t edge)
{
    return edge_kind(graph, edge) != HW_LABEL_WORD && edge_kind(graph, edge) != HW_LABEL_HIDDEN;
}

static bool allocate_nodes(struct hw_part *part)
{
    part->ids = malloc((part->count + 1u) * sizeof(*part->ids));
    part->start = malloc((part->count + 1u) * sizeof(*part->start));
    return part->ids && part->start;
}

static bool allocate_edges(struct hw_part *part)
{
    part->to = malloc((part->edge_count + 1u) * sizeof(*part->to));
    part->edge = malloc((part->edge_count + 1u) * sizeof(*part->edge));
    return part->to && part->edge;
}

/* Without storage it only counts. */
static uint32_t walk_marked(struct hw_part *part, const uint32_t *slots, bool store)
{
    const struct hw_graph *graph = part->graph;
    uint32_t n = 0;
    for (uint32_t i = 0; i < part->count; i++) {
        if (store)
            part->start[i] = n;
        hw_id id = part->ids[i];
        for (uint32_t e = graph->edge_start[id]; e < graph->edge_start[id + 1]; e++) {
            uint32_t to = slots[graph->edge_to[e]];
            if (to == HW_NONE || !is_followed(graph, e))
                continue;
            if (store) {
                part->to[n] = to;
                part->edge[n] = e;
            }
            n++;
        }
    }
    return n;
}

static bool fill_marked(struct hw_part *part, const uint8_t *marks, uint32_t *slots)
{
    if (!allocate_nodes(part))
        return false;
    uint32_t n = 0;
    for (hw_id id = 0; id < part->graph->node_count; id++) {
        slots[id] = id < part->graph->object_count && marks[id] ? n : HW_NONE;
        if (slots[id] != HW_NONE)
            part->ids[n++] = id;
    }
    part->edge_count = walk_marked(part, slots, false);
    if (!allocate_edges(part))
        return false;
    walk_marked(part, slots, true);
    part->start[part->count] = part->edge_count;
    return true;
}

bool hw_part_init(struct hw_part *part, const struct hw_graph *graph, const uint8_t *marks,
                  struct hw_err *err)
{
    struct hw_part made = {.graph = graph};
    for (hw_id id = 0; id < graph->object_count; id++)
        made.count += marks[id] != 0;
    uint32_t *slots = malloc((graph->node_count + 1u) * sizeof(*slots));
    bool ok = slots && fill_marked(&made, marks, slots);
    free(slots);
    if (!ok) {
        hw_part_deinit(&made);
        return hw_err_no_memory(err);
    }
    *part = made;
    return true;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void fill_within(struct hw_part *part, const struct hw_part *whole, const uint32_t *sorted,
                        const uint32_t *slots)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < part->count; i++) {
        uint32_t from = sorted[i];
        part->ids[i] = whole->ids[from];
        part->start[i] = n;
        for (uint32_t e = whole->start[from]; e < whole->start[from + 1]; e++) {
            if (slots[whole->to[e]] == HW_NONE)
                continue;
            part->to[n] = slots[whole->to[e]];
            part->edge[n++] = whole->edge[e];
        }
    }
    part->start[part->count] = part->edge_count = n;
}

bool hw_part_init_within(struct hw_part *part, const struct hw_part *whole, const uint32_t *members,
                         uint32_t count, uint32_t *slots, struct hw_err *err)
{
    struct hw_part made = {.graph = whole->graph, .count = count};
    uint32_t *sorted = malloc((count + 1u) * sizeof(*sorted));
    bool ok = sorted && allocate_nodes(&made);
    for (uint32_t i = 0; ok && i < count; i++) {
        sorted[i] = members[i];
        made.edge_count += whole->start[members[i] + 1] - whole->start[members[i]];
    }
    ok = ok && allocate_edges(&made);
    if (ok) {
        qsort(sorted, count, sizeof(*sorted), by_number);
        for (uint32_t i = 0; i < count; i++)
            slots[sorted[i]] = i;
        fill_within(&made, whole, sorted, slots);
        for (uint32_t i = 0; i < count; i++)
            slots[sorted[i]] = HW_NONE;
    }
    free(sorted);
    if (!ok) {
        hw_part_deinit(&made);
        return hw_err_no_memory(err);
    }
    *part = made;
    return true;
}

void hw_part_deinit(struct hw_part *part)
{
    free(part->ids);
    free(part->start);
    free(part->to);
    free(part->edge);
    *part = (struct hw_part){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "grow/slots.h"

#include "ask/lookup.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static bool is_large(const struct hw_graph *graph, const uint32_t *members, hw_id id)
{
    return graph->size[id] >= HW_SLOT_BYTES && !members[id];
}

static uint8_t *mark_large(const struct hw_graph *graph, const uint32_t *members, size_t *ret_count)
{
    uint8_t *large = calloc(graph->node_count / 8 + 1, 1);
    size_t count = 0;
    for (hw_id id = 0; large && id < graph->object_count; id++) {
        if (!is_large(graph, members, id))
            continue;
        large[id / 8] |= (uint8_t)(1 << id % 8);
        count++;
    }
    for (size_t i = 0; large && i < graph->native_count; i++) {
        hw_id id = graph->native[i].id;
        if (graph->native[i].bytes < HW_SLOT_BYTES || members[id])
            continue;
        large[id / 8] |= (uint8_t)(1 << id % 8);
        count++;
    }
    *ret_count = count;
    return large;
}

/* Numbers of strings differ between graphs, addresses of keys do not. */
static uint64_t place_of(const struct hw_graph *graph, hw_id from, uint32_t edge)
{
    enum hw_label_kind kind = edge_kind(graph, edge);
    const char *name = "";
    uint64_t words[3] = {hw_graph_addr(graph, from), kind, 0};
    switch (kind) {
    case HW_LABEL_VALUE:
        words[2] = hw_graph_addr(graph, key_of(graph, edge));
        break;
    case HW_LABEL_ATTR:
    case HW_LABEL_NAMED:
    case HW_LABEL_LOCAL:
    case HW_LABEL_INTERNAL:
    case HW_LABEL_HIDDEN:
        name = edge_string(graph, edge);
        break;
    default:
        words[2] = hw_label_payload(graph->edge_label[edge]);
    }
    return XXH3_64bits_withSeed(name, strlen(name), XXH3_64bits(words, sizeof(words)));
}

static uint32_t type_hash(const struct hw_graph *graph, hw_id id)
{
    const char *name = type_of(graph, id)->name;
    return (uint32_t)XXH3_64bits(name, strlen(name));
}

static int by_place(const void *a, const void *b)
{
    const struct hw_slot_row *x = a, *y = b;
    return (x->place > y->place) - (x->place < y->place);
}

static void fill(struct hw_slots *slots, const struct hw_graph *graph, const uint8_t *large)
{
    for (hw_id from = 0; from < graph->object_count; from++)
        for (uint32_t e = graph->edge_start[from]; e < graph->edge_start[from + 1]; e++) {
            hw_id to = graph->edge_to[e];
            if (!(large[to / 8] >> to % 8 & 1) || slots->count == HW_SLOTS_MAX)
                continue;
            slots->rows[slots->count++] = (struct hw_slot_row){
                place_of(graph, from, e), hw_graph_weight(graph, to), type_hash(graph, to)};
        }
    qsort(slots->rows, slots->count, sizeof(*slots->rows), by_place);
}

bool hw_slots_init(struct hw_slots *slots, const struct hw_graph *graph, const uint32_t *members,
                   struct hw_err *err)
{
    size_t count;
    uint8_t *large = mark_large(graph, members, &count);
    *slots = (struct hw_slots){.rows = malloc(HW_SLOTS_MAX * sizeof(*slots->rows))};
    bool ok = large && slots->rows;
    if (ok && count)
        fill(slots, graph, large);
    free(large);
    if (!ok) {
        hw_slots_deinit(slots);
        return hw_err_no_memory(err);
    }
    struct hw_slot_row *rows = realloc(slots->rows, (slots->count + 1) * sizeof(*rows));
    slots->rows = rows ? rows : slots->rows;
    return true;
}

void hw_slots_deinit(struct hw_slots *slots)
{
    free(slots->rows);
    *slots = (struct hw_slots){0};
}

uint64_t hw_slots_find(const struct hw_slots *slots, const struct hw_graph *graph, hw_id from,
                       uint32_t edge)
{
    struct hw_slot_row key = {.place = place_of(graph, from, edge)};
    const struct hw_slot_row *row =
        slots->count ? bsearch(&key, slots->rows, slots->count, sizeof(key), by_place) : NULL;
    return row && row->type == type_hash(graph, graph->edge_to[edge]) ? row->bytes : 0;
}

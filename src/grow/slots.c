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

/* A frame has no address: it is the function that runs, in its thread. */
static uint64_t owner_of(const struct hw_graph *graph, hw_id from)
{
    const struct hw_synthetic *frame = hw_graph_synthetic(graph, from);
    if (!frame)
        return hw_graph_addr(graph, from);
    uint64_t words[] = {frame->kind, frame->line, (uint64_t)frame->tid};
    return XXH3_64bits_withSeed(frame->name, strlen(frame->name),
                                XXH3_64bits(words, sizeof(words)));
}

/* Numbers of strings differ between graphs, addresses of keys do not. */
static uint64_t place_of(const struct hw_graph *graph, hw_id from, uint32_t edge)
{
    enum hw_label_kind kind = edge_kind(graph, edge);
    const char *name = "";
    uint64_t words[3] = {owner_of(graph, from), kind, 0};
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

/* A namespace is not replaced; what classes and code have is constant. */
static bool is_container_place(const struct hw_graph *graph, const uint32_t *members, hw_id from,
                               uint32_t edge)
{
    const uint32_t kinds =
        HW_TYPE_DICT | HW_TYPE_LIST | HW_TYPE_TUPLE | HW_TYPE_SET | HW_TYPE_DEQUE;
    const uint32_t places =
        1u << HW_LABEL_ATTR | 1u << HW_LABEL_VALUE | 1u << HW_LABEL_NAMED | 1u << HW_LABEL_LOCAL;
    hw_id to = graph->edge_to[edge];
    return to < graph->object_count && members[to] && type_has(graph, to, kinds) &&
           (places >> edge_kind(graph, edge) & 1) &&
           !type_has(graph, from, HW_TYPE_CODE | HW_TYPE_TYPE) &&
           !(edge_kind(graph, edge) == HW_LABEL_ATTR &&
             strcmp(edge_string(graph, edge), "__dict__") == 0);
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

static void add_slot(struct hw_slots *slots, const struct hw_graph *graph, hw_id from,
                     uint32_t edge, uint32_t members)
{
    hw_id to = graph->edge_to[edge];
    if (slots->count < HW_SLOTS_MAX)
        slots->rows[slots->count++] = (struct hw_slot_row){
            place_of(graph, from, edge), hw_graph_weight(graph, to), members, type_hash(graph, to)};
}

static void fill_large(struct hw_slots *slots, const struct hw_graph *graph, const uint8_t *large)
{
    for (hw_id from = 0; from < graph->object_count; from++)
        for (uint32_t e = graph->edge_start[from]; e < graph->edge_start[from + 1]; e++) {
            hw_id to = graph->edge_to[e];
            if (large[to / 8] >> to % 8 & 1)
                add_slot(slots, graph, from, e, 0);
        }
}

/* Those of one class of size. */
static void fill_containers(struct hw_slots *slots, const struct hw_graph *graph,
                            const uint32_t *members, bool small)
{
    for (hw_id from = 0; from < graph->node_count; from++)
        for (uint32_t e = graph->edge_start[from]; e < graph->edge_start[from + 1]; e++)
            if (is_container_place(graph, members, from, e) &&
                (members[graph->edge_to[e]] < HW_SLOT_MEMBERS) == small)
                add_slot(slots, graph, from, e, members[graph->edge_to[e]]);
}

bool hw_slots_init(struct hw_slots *slots, const struct hw_graph *graph, const uint32_t *members,
                   struct hw_err *err)
{
    size_t count;
    uint8_t *large = mark_large(graph, members, &count);
    *slots = (struct hw_slots){.rows = malloc(HW_SLOTS_MAX * sizeof(*slots->rows))};
    bool ok = large && slots->rows;
    if (ok && count)
        fill_large(slots, graph, large);
    for (int small = 0; ok && small < 2; small++)
        fill_containers(slots, graph, members, small);
    if (ok && slots->count)
        qsort(slots->rows, slots->count, sizeof(*slots->rows), by_place);
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

static const struct hw_slot_row *find_row(const struct hw_slots *slots,
                                          const struct hw_graph *graph, hw_id from, uint32_t edge)
{
    struct hw_slot_row key = {.place = place_of(graph, from, edge)};
    const struct hw_slot_row *row =
        slots->count ? bsearch(&key, slots->rows, slots->count, sizeof(key), by_place) : NULL;
    return row && row->type == type_hash(graph, graph->edge_to[edge]) ? row : NULL;
}

uint64_t hw_slots_find(const struct hw_slots *slots, const struct hw_graph *graph, hw_id from,
                       uint32_t edge)
{
    const struct hw_slot_row *row = find_row(slots, graph, from, edge);
    return row && !row->members ? row->bytes : 0;
}

uint32_t hw_slots_members(const struct hw_slots *slots, const struct hw_graph *graph, hw_id from,
                          uint32_t edge)
{
    const struct hw_slot_row *row = find_row(slots, graph, from, edge);
    const struct hw_slot_row *end = slots->rows + slots->count;
    bool is_one_of_several = row && ((row > slots->rows && row[-1].place == row->place) ||
                                     (row + 1 < end && row[1].place == row->place));
    return row && !is_one_of_several ? row->members : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/graph.h"

#include "base/err.h"
#include "base/value.h"

#include <stdlib.h>
#include <string.h>

struct hw_graph *hw_graph_create(void)
{
    struct hw_graph *graph = calloc(1, sizeof(*graph));
    if (graph)
        hw_values_init(&graph->values);
    return graph;
}

void hw_graph_destroy(struct hw_graph *graph)
{
    if (!graph || __atomic_fetch_sub(&graph->sharers, 1, __ATOMIC_ACQ_REL))
        return;
    hw_graph_delist(graph);
    free(graph->where);
    free(graph->type);
    free(graph->size);
    free(graph->refcount);
    free(graph->flags);
    free(graph->age);
    free(graph->edge_start);
    free(graph->edge_to);
    free(graph->edge_label);
    free(graph->spans);
    free(graph->big);
    free(graph->native);
    free(graph->held);
    free(graph->types);
    free(graph->strings);
    free(graph->synthetic);
    hw_values_deinit(&graph->values);
    hw_system_deinit(&graph->system);
    hw_ledger_deinit(&graph->ledger);
    hw_alloc_sites_deinit(&graph->allocs);
    hw_arena_deinit(&graph->arena);
    free(graph);
}

struct hw_graph *hw_graph_share(struct hw_graph *graph)
{
    __atomic_fetch_add(&graph->sharers, 1, __ATOMIC_RELAXED);
    return graph;
}

uint32_t hw_graph_node_count(const struct hw_graph *graph)
{
    return graph->node_count;
}

uint32_t hw_graph_object_count(const struct hw_graph *graph)
{
    return graph->object_count;
}

uint64_t hw_graph_edge_count(const struct hw_graph *graph)
{
    return graph->edge_count;
}

uint64_t hw_graph_bytes(const struct hw_graph *graph)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < graph->object_count; i++)
        sum += graph->size[i] == HW_BIG_SIZE ? 0 : graph->size[i];
    for (size_t i = 0; i < graph->big_count; i++)
        sum += graph->big[i].bytes;
    return sum;
}

const struct hw_facts *hw_graph_facts(const struct hw_graph *graph)
{
    return &graph->facts;
}

/* The last span that begins at or before position. */
static const struct hw_span *span_of_position(const struct hw_graph *graph, uint32_t position)
{
    size_t low = 0, high = graph->span_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (graph->spans[middle].first <= position)
            low = middle;
        else
            high = middle;
    }
    return &graph->spans[low];
}

hw_addr hw_graph_addr(const struct hw_graph *graph, hw_id id)
{
    if (id >= graph->object_count || !graph->span_count)
        return 0;
    const struct hw_span *span = span_of_position(graph, graph->where[id]);
    return span->start + ((hw_addr)(graph->where[id] - span->first) << span->shift);
}

static bool position_of_addr(const struct hw_graph *graph, hw_addr addr, uint32_t *ret_position)
{
    for (size_t low = 0, high = graph->span_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        const struct hw_span *span = &graph->spans[middle];
        if (addr < span->start) {
            high = middle;
        } else if (addr >= span->end) {
            low = middle + 1;
        } else {
            hw_addr offset = addr - span->start;
            if (offset & (((hw_addr)1 << span->shift) - 1))
                return false;
            *ret_position = span->first + (uint32_t)(offset >> span->shift);
            return true;
        }
    }
    return false;
}

hw_id hw_graph_find(const struct hw_graph *graph, hw_addr addr)
{
    uint32_t position;
    if (!position_of_addr(graph, addr, &position))
        return HW_NONE;
    for (uint32_t low = 0, high = graph->object_count; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        if (graph->where[middle] == position)
            return middle;
        if (graph->where[middle] < position)
            low = middle + 1;
        else
            high = middle;
    }
    return HW_NONE;
}

uint64_t hw_sizes_find(const struct hw_big_size *table, size_t count, hw_id id)
{
    for (size_t low = 0, high = count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (table[middle].id == id)
            return table[middle].bytes;
        if (table[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

uint64_t hw_graph_size(const struct hw_graph *graph, hw_id id)
{
    if (id >= graph->node_count)
        return 0;
    if (graph->size[id] != HW_BIG_SIZE)
        return graph->size[id];
    return hw_sizes_find(graph->big, graph->big_count, id);
}

uint64_t hw_graph_native(const struct hw_graph *graph, hw_id id)
{
    return hw_sizes_find(graph->native, graph->native_count, id);
}

uint64_t hw_graph_weight(const struct hw_graph *graph, hw_id id)
{
    return hw_graph_size(graph, id) + hw_graph_native(graph, id);
}

uint64_t hw_graph_native_bytes(const struct hw_graph *graph)
{
    return graph->native_bytes;
}

uint32_t hw_graph_refcount(const struct hw_graph *graph, hw_id id)
{
    return id < graph->node_count ? graph->refcount[id] : 0;
}

uint32_t hw_graph_flags(const struct hw_graph *graph, hw_id id)
{
    return id < graph->node_count ? graph->flags[id] : 0;
}

unsigned hw_graph_age(const struct hw_graph *graph, hw_id id)
{
    return graph->age && id < graph->object_count ? graph->age[id] : 0;
}

uint32_t hw_graph_type_count(const struct hw_graph *graph)
{
    return graph->type_count;
}

uint32_t hw_graph_type_index(const struct hw_graph *graph, hw_id id)
{
    return id < graph->node_count ? graph->type[id] : 0;
}

const struct hw_type *hw_graph_type(const struct hw_graph *graph, uint32_t type_index)
{
    return type_index < graph->type_count ? &graph->types[type_index] : NULL;
}

const struct hw_synthetic *hw_graph_synthetic(const struct hw_graph *graph, hw_id id)
{
    if (id < graph->object_count || id >= graph->node_count)
        return NULL;
    return &graph->synthetic[id - graph->object_count];
}

uint32_t hw_graph_degree(const struct hw_graph *graph, hw_id id)
{
    return id < graph->node_count ? graph_degree(graph, id) : 0;
}

struct hw_edge hw_graph_edge(const struct hw_graph *graph, hw_id id, uint32_t n)
{
    uint32_t edge = graph->edge_start[id] + n;
    return (struct hw_edge){graph->edge_to[edge], graph->edge_label[edge]};
}

const char *hw_graph_string(const struct hw_graph *graph, uint32_t payload)
{
    return payload < graph->string_count ? graph->strings[payload] : "";
}

size_t hw_graph_value(const struct hw_graph *graph, hw_id id, char *buf, size_t buf_bytes)
{
    /* The cache is the one part of a graph that changes; heapwhy.h says so. */
    char packed[HW_VALUE_MAX_BYTES + 1];
    size_t n = hw_values_get(&((struct hw_graph *)graph)->values, id, packed, sizeof(packed));
    return hw_value_text(packed, n, buf, buf_bytes);
}

bool hw_referrers_init(struct hw_referrers *referrers, const struct hw_graph *graph,
                       struct hw_err *err)
{
    uint32_t n = graph->node_count;
    size_t edges = graph->edge_count ? graph->edge_count : 1;
    uint32_t *start = calloc((size_t)n + 2, sizeof(*start));
    uint32_t *from = malloc(edges * sizeof(*from));
    uint32_t *edge = malloc(edges * sizeof(*edge));
    if (!start || !from || !edge) {
        free(start);
        free(from);
        free(edge);
        return hw_err_no_memory(err);
    }
    /* Counts sit two places up, so that filling leaves each start where it belongs. */
    for (uint64_t e = 0; e < graph->edge_count; e++)
        start[graph->edge_to[e] + 2]++;
    for (uint32_t i = 2; i < n + 2; i++)
        start[i] += start[i - 1];
    for (uint32_t node = 0; node < n; node++) {
        for (uint32_t e = graph->edge_start[node]; e < graph->edge_start[node + 1]; e++) {
            uint32_t at = start[graph->edge_to[e] + 1]++;
            from[at] = node;
            edge[at] = e;
        }
    }
    *referrers = (struct hw_referrers){start, from, edge};
    return true;
}

void hw_referrers_deinit(struct hw_referrers *referrers)
{
    free(referrers->start);
    free(referrers->from);
    free(referrers->edge);
    *referrers = (struct hw_referrers){0};
}

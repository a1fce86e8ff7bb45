/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "heap/graph.h"

#include <stdlib.h>

static bool bad(struct hw_err *err, const char *what, uint64_t at)
{
    return hw_err_set(err, HW_ERR_CORRUPT, "the graph is damaged: %s at %llu", what,
                      (unsigned long long)at);
}

static bool validate_spans(const struct hw_graph *graph, struct hw_err *err)
{
    hw_addr end = 0;
    uint64_t position = 0;
    for (size_t i = 0; i < graph->span_count; i++) {
        const struct hw_span *span = &graph->spans[i];
        if (span->shift > 12 || span->start < end || span->end <= span->start ||
            span->first != position)
            return bad(err, "span out of order", i);
        end = span->end;
        position += (span->end - span->start) >> span->shift;
        if (position > UINT32_MAX)
            return bad(err, "spans too large", i);
    }
    for (uint32_t i = 0; i < graph->object_count; i++)
        if (graph->where[i] >= position || (i && graph->where[i] <= graph->where[i - 1]))
            return bad(err, "position out of order", i);
    return true;
}

static bool validate_types(const struct hw_graph *graph, struct hw_err *err)
{
    for (uint32_t i = 0; i < graph->type_count; i++)
        if (!graph->types[i].name ||
            (graph->types[i].node != HW_NONE && graph->types[i].node >= graph->object_count))
            return bad(err, "type without its object", i);
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (graph->type[i] >= graph->type_count)
            return bad(err, "type number out of range", i);
    return true;
}

static bool label_has_string(uint32_t label)
{
    switch (hw_label_kind(label)) {
    case HW_LABEL_ATTR:
    case HW_LABEL_NAMED:
    case HW_LABEL_LOCAL:
    case HW_LABEL_INTERNAL:
    case HW_LABEL_ROOT:
    case HW_LABEL_HIDDEN:
        return true;
    default:
        return false;
    }
}

/* Edge `at` of a node whose first edge is `first`. */
static bool label_is_sound(const struct hw_graph *graph, uint32_t first, uint32_t at)
{
    uint32_t label = graph->edge_label[at];
    if (hw_label_kind(label) > HW_LABEL_HIDDEN)
        return false;
    if (hw_label_kind(label) == HW_LABEL_VALUE)
        return at > first && hw_label_kind(graph->edge_label[at - 1]) == HW_LABEL_KEY;
    return !label_has_string(label) || hw_label_payload(label) < graph->string_count;
}

static bool validate_edges(const struct hw_graph *graph, struct hw_err *err)
{
    if (graph->edge_start[0] != 0 || graph->edge_start[graph->node_count] != graph->edge_count)
        return bad(err, "edge table does not fit", 0);
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (graph->edge_start[i + 1] < graph->edge_start[i])
            return bad(err, "edges out of order", i);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        for (uint32_t e = graph->edge_start[i]; e < graph->edge_start[i + 1]; e++) {
            if (graph->edge_to[e] >= graph->node_count)
                return bad(err, "edge to nowhere", e);
            if (!label_is_sound(graph, graph->edge_start[i], e))
                return bad(err, "label out of range", e);
        }
    }
    return true;
}

static bool validate_synthetic(const struct hw_graph *graph, struct hw_err *err)
{
    uint32_t count = graph->node_count - graph->object_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct hw_synthetic *s = &graph->synthetic[i];
        if (s->kind > HW_SYN_NATIVE_STACK || !s->name || !s->file)
            return bad(err, "synthetic node out of range", i);
        if ((s->kind == HW_SYN_ROOT) != (i == count - 1))
            return bad(err, "root is not the last node", i);
    }
    return true;
}

static bool validate_table(const struct hw_graph *graph, const struct hw_big_size *table,
                           size_t count, struct hw_err *err)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].id >= graph->object_count || (i && table[i].id <= table[i - 1].id))
            return bad(err, "sizes out of order", i);
    return true;
}

/* Callers come first, so that depths are known in one pass. */
static bool validate_stacks(const struct hw_graph *graph, struct hw_err *err)
{
    const struct hw_alloc_sites *allocs = &graph->allocs;
    uint32_t *depth = malloc((allocs->frame_count + 1) * sizeof(*depth));
    bool ok = depth || hw_err_no_memory(err);
    for (size_t i = 0; ok && i < allocs->frame_count; i++) {
        const struct hw_alloc_frame *frame = &allocs->frames[i];
        bool has_caller = frame->caller != HW_NONE;
        ok = (!has_caller || frame->caller < i) && frame->file < graph->string_count &&
             frame->function < graph->string_count;
        if (ok)
            depth[i] = has_caller ? depth[frame->caller] + 1 : 1;
        if (!ok || depth[i] > HW_ALLOC_STACK_MAX)
            ok = bad(err, "allocation's frame out of range", i);
    }
    free(depth);
    return ok;
}

static bool validate_allocs(const struct hw_graph *graph, struct hw_err *err)
{
    const struct hw_alloc_sites *allocs = &graph->allocs;
    for (size_t i = 0; i < allocs->site_count; i++)
        if (allocs->sites[i].frame != HW_NONE && allocs->sites[i].frame >= allocs->frame_count)
            return bad(err, "allocation site out of range", i);
    for (hw_id id = 0; allocs->of && id < graph->object_count; id++)
        if (allocs->of[id] != HW_NONE && allocs->of[id] >= allocs->site_count)
            return bad(err, "object's allocation site out of range", id);
    return validate_stacks(graph, err);
}

bool hw_graph_validate(const struct hw_graph *graph, struct hw_err *err)
{
    if (!graph->node_count || graph->object_count >= graph->node_count)
        return bad(err, "no root", 0);
    if (!graph->string_count || graph->strings[0][0])
        return bad(err, "no strings", 0);
    return validate_table(graph, graph->big, graph->big_count, err) &&
           validate_table(graph, graph->native, graph->native_count, err) &&
           validate_table(graph, graph->held, graph->held_count, err) &&
           validate_spans(graph, err) && validate_types(graph, err) && validate_edges(graph, err) &&
           validate_synthetic(graph, err) && validate_allocs(graph, err);
}

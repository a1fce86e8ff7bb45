/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/extension.h"
#include "ask/lookup.h"
#include "ask/residual.h"
#include "ask/sample.h"
#include "base/err.h"
#include "collect/gc-state.h"
#include "why/work.h"

#include <stdlib.h>
#include <string.h>

/* Births of marked nodes; marks that are old are taken away. */
static bool count_marked(struct hw_work *work, uint8_t *marks, struct hw_candidate *candidate)
{
    const struct hw_growth *growth = &work->growth;
    uint64_t *born =
        hw_arena_array(&work->result->arena, work->series->count, sizeof(*candidate->born));
    if (!born)
        return hw_err_no_memory(work->err);
    for (hw_id id = 0; id < growth->graph->object_count; id++) {
        if (!marks[id])
            continue;
        candidate->objects++;
        candidate->bytes += hw_graph_weight(growth->graph, id);
        candidate->native_bytes += hw_graph_native(growth->graph, id);
        if (!is_new(growth, id)) {
            marks[id] = 0;
            continue;
        }
        born[growth->birth[id]]++;
        candidate->born_total++;
        candidate->born_bytes += hw_graph_weight(growth->graph, id);
    }
    candidate->born = born;
    candidate->judgement = hw_births_judge(work->series, born, candidate->born_bytes);
    return true;
}

static unsigned generation_of(const struct hw_graph *graph, hw_id id)
{
    uint32_t flags = graph->flags[id];
    return flags & HW_NODE_GEN2 ? 2 : flags & HW_NODE_GEN1 ? 1 : 0;
}

/* Keeps the marks of garbage that no collection comes to: in a generation from `first` on, and what
 * such garbage holds. */
static bool mark_left(const struct hw_graph *graph, const uint8_t *garbage, unsigned first,
                      uint8_t *marks, struct hw_err *err)
{
    hw_id *stack = malloc(graph->node_count * sizeof(*stack));
    size_t depth = 0;
    if (!stack)
        return hw_err_no_memory(err);
    for (hw_id id = 0; id < graph->node_count; id++) {
        marks[id] =
            garbage[id] && graph->flags[id] & HW_NODE_TRACKED && generation_of(graph, id) >= first;
        if (marks[id])
            stack[depth++] = id;
    }
    while (depth) {
        hw_id id = stack[--depth];
        for (uint32_t e = graph->edge_start[id]; e < graph->edge_start[id + 1]; e++) {
            hw_id to = graph->edge_to[e];
            if (!garbage[to] || marks[to] || edge_kind(graph, e) == HW_LABEL_WORD)
                continue;
            marks[to] = 1;
            stack[depth++] = to;
        }
    }
    free(stack);
    return true;
}

bool hw_work_add_garbage(struct hw_work *work)
{
    const struct hw_graph *graph = work->growth.graph;
    struct hw_candidate candidate = {.kind = {.pattern = HW_PATTERN_REFERENCE_CYCLE}};
    if (!hw_garbage_init(&work->garbage, graph, work->err))
        return false;
    uint8_t *marks = malloc(graph->node_count);
    if (!marks)
        return hw_err_no_memory(work->err);
    unsigned first = hw_gc_first_left(&graph->facts);
    memcpy(marks, work->garbage.is_garbage, graph->node_count);
    bool ok = (first != 1 && first != 2) ||
              mark_left(graph, work->garbage.is_garbage, first, marks, work->err);
    ok = ok && count_marked(work, marks, &candidate) &&
         hw_kind_dominant(graph, marks, &candidate.kind.type, work->err);
    work->new_garbage = candidate.born_total;
    bool wanted = ok && hw_gc_never_full(hw_gc_condition_of(&graph->facts)) &&
                  candidate.judgement.verdict != HW_VERDICT_STEADY &&
                  candidate.kind.type != UINT32_MAX;
    if (wanted) {
        ok = hw_explain_marked(graph, marks, candidate.kind.type, &work->cycle, work->err);
        candidate.cycle = &work->cycle;
        candidate.kind.member_type = candidate.kind.type;
        work->candidates[work->count++] = candidate;
    }
    free(marks);
    return ok;
}

static int by_objects(const void *a, const void *b)
{
    const struct hw_head *x = a, *y = b;
    if (x->objects != y->objects)
        return x->objects < y->objects ? 1 : -1;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x->type > y->type ? 1 : -1;
}

/* The types of most marked nodes, by count, then by bytes; returns how many, at most HW_HEADS_MAX. */
static bool most_frequent(const struct hw_graph *graph, const uint8_t *marks,
                          struct hw_head ret_heads[HW_HEADS_MAX], size_t *ret_count,
                          struct hw_err *err)
{
    struct hw_head *counts = calloc(graph->type_count + 1, sizeof(*counts));
    if (!counts)
        return hw_err_no_memory(err);
    for (uint32_t t = 0; t < graph->type_count; t++)
        counts[t].type = t;
    for (hw_id id = 0; id < graph->object_count; id++) {
        counts[graph->type[id]].objects += marks[id];
        counts[graph->type[id]].bytes += marks[id] ? hw_graph_weight(graph, id) : 0;
    }
    qsort(counts, graph->type_count, sizeof(*counts), by_objects);
    for (*ret_count = 0; *ret_count < HW_HEADS_MAX && counts[*ret_count].objects; ++*ret_count)
        ret_heads[*ret_count] = counts[*ret_count];
    free(counts);
    return true;
}

/* What the leaked ones contain, and who may have leaked them. Their births become the candidate's: those
 * of what they hold say nothing more. */
static bool describe(struct hw_work *work, const struct hw_residuals *residuals,
                     const uint8_t *marks, uint32_t type, struct hw_candidate *candidate,
                     struct hw_audit_row *row)
{
    const struct hw_graph *graph = work->growth.graph;
    struct hw_arena *arena = &work->result->arena;
    uint64_t *born = hw_arena_array(arena, work->series->count, sizeof(*born));
    if (!born)
        return hw_err_no_memory(work->err);
    candidate->born = born;
    for (hw_id id = 0; id < graph->object_count; id++) {
        if (!residuals->left[id] || graph->type[id] != type || tree_has(&work->growth.tree, id))
            continue;
        row->objects++;
        if (!marks[id])
            continue;
        row->first_objects++;
        born[work->growth.birth[id]]++;
        row->references += residuals->left[id];
        row->lost += (graph->flags[id] & HW_NODE_LOST) != 0;
        if (row->sample_count < HW_AUDIT_SAMPLES_MAX) {
            if (!hw_sample_spell(graph, id, arena, &row->samples[row->sample_count]))
                return hw_err_no_memory(work->err);
            row->sample_count += *row->samples[row->sample_count] != 0;
        }
    }
    return hw_extensions_near(graph, type, residuals->left, arena, row, work->err);
}

/* Those that have a reference too many are what leaks; the others hang from them. Where all references
 * to these are seen, C code holds them in its own memory. */
static bool name_unexplained(struct hw_work *work, uint8_t *marks, struct hw_candidate *candidate)
{
    const struct hw_graph *graph = work->growth.graph;
    struct hw_residuals residuals;
    uint32_t all;
    if (!hw_kind_dominant(graph, marks, &all, work->err) ||
        !hw_residuals_init(&residuals, graph, work->err))
        return false;
    for (hw_id id = 0; id < graph->object_count; id++)
        marks[id] = marks[id] && residuals.left[id];
    bool ok = most_frequent(graph, marks, candidate->heads, &candidate->head_count, work->err);
    bool has_heads = ok && candidate->head_count;
    candidate->kind.type = candidate->kind.member_type = has_heads ? candidate->heads[0].type : all;
    struct hw_audit_row *row = hw_arena_alloc(&work->result->arena, sizeof(*row));
    if (ok && !row)
        ok = hw_err_no_memory(work->err);
    if (ok && has_heads && graph->held_count) {
        candidate->kind.pattern = HW_PATTERN_NATIVE_REFERENCE;
        candidate->native = row;
        ok = describe(work, &residuals, marks, candidate->heads[0].type, candidate, row);
    }
    hw_residuals_deinit(&residuals);
    return ok;
}

bool hw_work_add_unexplained(struct hw_work *work)
{
    const struct hw_graph *graph = work->growth.graph;
    struct hw_candidate candidate = {.kind = {.pattern = HW_PATTERN_UNEXPLAINED}};
    uint8_t *marks = calloc(graph->node_count, 1);
    if (!marks)
        return hw_err_no_memory(work->err);
    for (hw_id id = 0; id < graph->object_count; id++)
        marks[id] = !tree_has(&work->growth.tree, id) && !work->garbage.is_garbage[id] &&
                    !(graph->flags[id] & (HW_NODE_STATIC | HW_NODE_IMMORTAL));
    bool ok = count_marked(work, marks, &candidate);
    if (ok && candidate.judgement.verdict != HW_VERDICT_STEADY) {
        ok = name_unexplained(work, marks, &candidate);
        work->candidates[work->count++] = candidate;
    }
    free(marks);
    return ok;
}

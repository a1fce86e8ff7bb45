/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/lookup.h"
#include "base/err.h"
#include "why/also.h"
#include "why/fingerprint.h"
#include "why/ignore.h"
#include "why/sharing.h"
#include "why/work.h"

#include <stdlib.h>
#include <string.h>

enum {
    SUSPECTS_MAX = 10,
    SUSPECT_SHARE = 50, /* smaller than a fiftieth of the first: not worth a line */
};

static int by_weight(const void *a, const void *b)
{
    const struct hw_candidate *x = a, *y = b;
    bool x_leaks = x->judgement.verdict == HW_VERDICT_LEAK;
    bool y_leaks = y->judgement.verdict == HW_VERDICT_LEAK;
    if (x_leaks != y_leaks)
        return x_leaks ? -1 : 1;
    if (x->born_bytes != y->born_bytes)
        return x->born_bytes > y->born_bytes ? -1 : 1;
    return x->born_total > y->born_total ? -1 : x->born_total < y->born_total;
}

static bool names(const struct hw_candidate *candidate, hw_id node)
{
    for (size_t i = 0; i < candidate->also_count; i++)
        if (candidate->also[i] == node)
            return true;
    return false;
}

/* A running thread's C code holds the bound method that it was started with. */
static bool comes_with_threads(const struct hw_type *types, const struct hw_candidate *candidate,
                               const struct hw_candidate *of)
{
    return candidate->kind.pattern == HW_PATTERN_UNEXPLAINED &&
           types[candidate->kind.member_type].flags & HW_TYPE_METHOD && of->kind.resource &&
           strcmp(of->kind.resource->noun, "threads") == 0 &&
           candidate->born_total <= of->born_total;
}

/* Dead weak references and their like come with what they refer to. */
static bool is_consequence(const struct hw_work *work, const struct hw_candidate *candidate,
                           const struct hw_candidate *of)
{
    const struct hw_type *types = work->growth.graph->types;
    if (comes_with_threads(types, candidate, of))
        return true;
    return types[candidate->kind.member_type].flags & HW_TYPE_WEAKREF &&
           !(types[of->kind.member_type].flags & HW_TYPE_WEAKREF) &&
           (of->judgement.verdict == HW_VERDICT_LEAK ||
            candidate->judgement.verdict != HW_VERDICT_LEAK) &&
           candidate->born_total <= of->born_total * 2;
}

/* Weak references refer to what somebody else holds: they are dropped before they are weighed. */
static void drop_consequences(struct hw_work *work)
{
    size_t kept = 0;
    for (size_t i = 0; i < work->count; i++) {
        struct hw_candidate *a = &work->candidates[i];
        for (size_t j = 0; j < work->count && !a->is_dropped; j++)
            a->is_dropped = i != j && is_consequence(work, a, &work->candidates[j]);
    }
    for (size_t i = 0; i < work->count; i++)
        if (!work->candidates[i].is_dropped)
            work->candidates[kept++] = work->candidates[i];
    work->count = kept;
}

static bool sign_all(struct hw_work *work)
{
    struct hw_signer *signer;
    if (!hw_signer_create(&signer, &work->growth, work->err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < work->count; i++)
        ok = hw_signer_sign(signer, &work->candidates[i], &work->result->arena, work->err);
    hw_signer_destroy(signer);
    return ok;
}

/* What is ignored makes nothing else look small. */
static bool is_small(const struct hw_work *work, const struct hw_candidate *candidate)
{
    for (const struct hw_candidate *first = work->candidates; first < candidate; first++)
        if (!first->ignore == !candidate->ignore)
            return candidate->born_bytes * SUSPECT_SHARE < first->born_bytes;
    return false;
}

/* Drops what a larger candidate already names, and what is too small beside the first. */
static void drop_lesser(struct hw_work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        struct hw_candidate *a = &work->candidates[i];
        for (size_t j = 0; j < i && !a->is_dropped; j++) {
            const struct hw_candidate *b = &work->candidates[j];
            a->is_dropped =
                !b->is_dropped && a->site && (names(b, a->site->box) || names(b, a->site->name));
        }
        a->is_dropped |= is_small(work, a);
    }
}

/* Keeps the suspects that are told, and lists what is ignored. */
static bool settle_suspects(struct hw_work *work)
{
    struct hw_diagnosis *diagnosis = &work->result->diagnosis;
    struct hw_arena *arena = &work->result->arena;
    size_t kept = 0;
    diagnosis->ignored = hw_arena_array(arena, work->count + 1, sizeof(*diagnosis->ignored));
    if (!diagnosis->ignored)
        return hw_err_no_memory(work->err);
    for (size_t i = 0; i < work->count; i++) {
        const struct hw_candidate *candidate = &work->candidates[i];
        if (candidate->is_dropped)
            continue;
        if (!candidate->ignore) {
            if (kept < SUSPECTS_MAX)
                work->candidates[kept++] = *candidate;
            continue;
        }
        if (!hw_ignored_fill(&work->growth, candidate, arena,
                             &diagnosis->ignored[diagnosis->ignored_count++], work->err))
            return false;
    }
    work->count = kept;
    return true;
}

/* One of those that the interpreter holds under the site's label. */
static bool is_rooted_below(const struct hw_growth *growth, const struct hw_site *site, hw_id id)
{
    const struct hw_tree *tree = &growth->tree;
    return site->is_rooted && tree->parent[id] == tree->parent[site->box] &&
           growth->graph->edge_label[tree->edge[id]] ==
               growth->graph->edge_label[tree->edge[site->box]];
}

/* Where what a candidate holds begins: its box, or its parts when they are told apart. */
static void mark_held(const struct hw_work *work, uint8_t *starts)
{
    for (size_t c = 0; c < work->count; c++) {
        const struct hw_site *site = work->candidates[c].site;
        if (!site || site->is_rooted)
            continue;
        if (!site->way)
            starts[site->box] = (uint8_t)(c + 1);
        for (uint32_t i = 0; site->way && i < site->front_count; i++)
            starts[site->fronts[i]] = (uint8_t)(c + 1);
    }
}

/* Everything in the tree below each box. A box below another belongs to both, the inner one first.
 */
static bool count_held(struct hw_work *work)
{
    const struct hw_growth *growth = &work->growth;
    const struct hw_graph *graph = growth->graph;
    uint8_t *owner = calloc(graph->node_count, 2), *starts = owner + graph->node_count;
    if (!owner)
        return hw_err_no_memory(work->err);
    mark_held(work, starts);
    for (uint32_t i = 0; i < growth->tree.count; i++) {
        hw_id id = growth->tree.order[i], parent = growth->tree.parent[id];
        uint8_t own = parent == HW_NONE ? 0 : owner[parent];
        for (size_t c = 0; c < work->count; c++)
            if (work->candidates[c].site && is_rooted_below(growth, work->candidates[c].site, id))
                own = (uint8_t)(c + 1);
        if (own) {
            work->candidates[own - 1].objects++;
            work->candidates[own - 1].bytes += hw_graph_weight(graph, id);
            work->candidates[own - 1].native_bytes += hw_graph_native(graph, id);
        }
        owner[id] = starts[id] ? starts[id] : own;
    }
    free(owner);
    return true;
}

bool hw_work_rank(struct hw_work *work)
{
    drop_consequences(work);
    qsort(work->candidates, work->count, sizeof(work->candidates[0]), by_weight);
    if (!hw_also_find(&work->growth, work->candidates, work->count, work->err) || !sign_all(work) ||
        !hw_ignores_apply(&work->growth, work->options, work->candidates, work->count,
                          &work->result->arena, &work->result->diagnosis, work->err))
        return false;
    drop_lesser(work);
    return settle_suspects(work) &&
           hw_sharing_find(&work->growth, work->candidates, work->count, work->err) &&
           count_held(work);
}

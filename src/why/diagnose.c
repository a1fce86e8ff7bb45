/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/garbage.h"
#include "ask/lookup.h"
#include "base/err.h"
#include "grow/swell.h"
#include "why/also.h"
#include "why/fingerprint.h"
#include "why/glance.h"
#include "why/ignore.h"
#include "why/sharing.h"
#include "why/suspect.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * The verdict. Sites of growth (growth.c) are judged by their history (judge.c), a bound that the
 * program states turns a leak into a question (bound.c), and what grows without a holder is a cycle
 * or a reference that nobody accounts for. Here they are brought together, ranked and put into
 * words.
 */
enum {
    CANDIDATES_MAX = 60, /* sites that are looked at closely, the largest first */
    SUSPECTS_MAX = 10,
    DOUBTS_MAX = 16,
    SUSPECT_SHARE = 50, /* smaller than a fiftieth of the first: not worth a line */
    MODULES_MIN = 3,    /* so many new modules are imports under way */
    NOTABLE_OBJECTS = 500,
    GROWN_TYPES = 3,        /* that are named where no place explains the growth */
    GARBAGE_WORTH = 1000,   /* objects that wait for the collector and deserve a word */
    RSS_RATE = 1000 * 1000, /* bytes a second that objects do not explain */
};
#define NOTABLE 0.05     /* growth of the whole that must be explained */
#define GROWTH_SHARE 0.5 /* of the births of a type, so many must be growth of the type */

struct diagnosis_result {
    struct hw_diagnosis diagnosis;
    struct hw_arena arena;
};

struct work {
    const struct hw_series *series;
    const struct hw_diagnose_options *options; /* may be NULL */
    struct hw_growth growth;
    struct hw_garbage garbage;
    struct hw_code *code; /* made when first needed */
    struct hw_explained cycle;
    struct hw_swell swells[HW_SWELL_MAX];
    struct hw_candidate candidates[CANDIDATES_MAX + HW_SWELL_MAX + 2];
    size_t count;
    uint64_t new_garbage;
    struct diagnosis_result *result;
    struct hw_err *err;
};

/* ---- candidates that something holds ---- */

static bool is_known_cache(const char *path)
{
    for (size_t i = 0; i < hw_known_cache_count; i++)
        if (hw_name_matches(hw_known_caches[i].path, path))
            return true;
    return false;
}

static bool site_is_known(struct work *work, const struct hw_site *site)
{
    struct hw_buf path = {0};
    hw_path_spell(work->growth.graph, &work->growth.tree, site->name, &path);
    bool known = is_known_cache(hw_buf_str(&path));
    hw_buf_deinit(&path);
    return known;
}

/* What may still come until a container is full is too little to matter. */
static bool is_nearly_full(const struct hw_candidate *candidate, size_t last)
{
    const struct hw_site *site = candidate->site;
    uint64_t now = site->lengths[last], all = candidate->bound.value;
    uint64_t left = all > now ? all - now : 0;
    return candidate->bound.is_enforced && site->joined_total &&
           (double)left * (double)site->born_bytes / (double)site->joined_total < HW_JUDGE_BYTES;
}

static bool apply_bound(struct work *work, struct hw_candidate *candidate)
{
    bool leaks = candidate->judgement.verdict == HW_VERDICT_LEAK;
    if (leaks && !work->code && !hw_code_create(&work->code, &work->growth, work->err))
        return false;
    candidate->bound = leaks ? hw_bound_find(work->code, candidate->site)
                             : hw_bound_stated(work->growth.graph, candidate->site);
    if (candidate->bound.value)
        candidate->judgement.verdict = is_nearly_full(candidate, work->series->count - 1)
                                           ? HW_VERDICT_STEADY
                                           : HW_VERDICT_INCONCLUSIVE;
    return true;
}

/* Modules that came bring types, functions and entries in registries of the interpreter, which
 * stay. What the program keeps in its own places is another matter. */
static bool is_importing(const struct hw_growth *growth)
{
    hw_id modules = hw_modules_dict(growth->graph);
    return modules != HW_NONE &&
           hw_series_members(growth->series, growth->series->count - 1, modules) >=
               hw_series_members(growth->series, 0, modules) + MODULES_MIN;
}

static bool comes_with_imports(const struct hw_growth *growth, const struct hw_candidate *candidate)
{
    const uint32_t brought =
        HW_TYPE_WEAKREF | HW_TYPE_MODULE | HW_TYPE_TYPE | HW_TYPE_FUNCTION | HW_TYPE_CODE;
    const struct hw_graph *graph = growth->graph;
    hw_id at = candidate->site->name;
    if (at == hw_modules_dict(graph))
        return true;
    if (graph->types[candidate->kind.member_type].flags & brought)
        return true;
    for (; at != HW_NONE; at = growth->tree.parent[at]) {
        const struct hw_synthetic *synthetic = hw_graph_synthetic(graph, at);
        if (synthetic ? synthetic->kind == HW_SYN_FRAME : type_has(graph, at, HW_TYPE_MODULE))
            return false;
    }
    return true;
}

static void apply_imports(const struct work *work, struct hw_candidate *candidate)
{
    if (candidate->judgement.verdict == HW_VERDICT_LEAK && is_importing(&work->growth) &&
        comes_with_imports(&work->growth, candidate))
        candidate->judgement = (struct hw_judgement){HW_VERDICT_INCONCLUSIVE, HW_JUDGE_IMPORTING};
}

static bool add_sites(struct work *work)
{
    const struct hw_growth *growth = &work->growth;
    for (size_t i = 0; i < growth->site_count && work->count < CANDIDATES_MAX; i++) {
        const struct hw_site *site = &growth->sites[i];
        struct hw_candidate candidate = {.site = site,
                                         .judgement = hw_site_judge(growth, site),
                                         .born = site->born,
                                         .born_total = site->born_total,
                                         .born_bytes = site->born_bytes};
        if (candidate.judgement.verdict == HW_VERDICT_STEADY || site_is_known(work, site))
            continue;
        if (!hw_kind_find(growth, site, &candidate.kind, work->err) ||
            !apply_bound(work, &candidate))
            return false;
        if (candidate.judgement.verdict == HW_VERDICT_STEADY)
            continue;
        apply_imports(work, &candidate);
        work->candidates[work->count++] = candidate;
    }
    return true;
}

static bool add_swells(struct work *work)
{
    size_t count, last = work->series->count - 1;
    if (!hw_swells_find(&work->growth, work->swells, &count, work->err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct hw_swell *swell = &work->swells[i];
        uint32_t type = work->growth.graph->type[swell->site.box];
        enum hw_verdict verdict = last > 1 ? HW_VERDICT_LEAK : HW_VERDICT_INCONCLUSIVE;
        work->candidates[work->count++] = (struct hw_candidate){
            .site = &swell->site,
            .judgement = {verdict, last > 1 ? HW_JUDGE_GROWS : HW_JUDGE_TWO_ONLY},
            .kind = {.pattern = HW_PATTERN_GROWING_CONTAINER, .type = type, .member_type = type},
            .sizes = swell->sizes,
            .born = swell->site.born,
            .born_bytes = swell->sizes[last] - swell->sizes[0],
            .objects = 1,
            .bytes = swell->sizes[last]};
    }
    return true;
}

/* ---- the population as a whole ---- */

static int64_t type_delta(const struct hw_series *series, const char *name)
{
    int64_t delta = 0;
    for (size_t side = 0; side < 2; side++) {
        const struct hw_series_shot *shot = &series->shots[side ? series->count - 1 : 0];
        for (size_t i = 0; i < shot->type_count; i++)
            if (strcmp(shot->types[i].name, name) == 0)
                delta += side ? (int64_t)shot->types[i].count : -(int64_t)shot->types[i].count;
    }
    return delta;
}

/* New objects below each candidate's site, by type: rows of type_count. The caller frees. */
static uint32_t *count_own_births(struct work *work)
{
    const struct hw_growth *growth = &work->growth;
    size_t types = growth->graph->type_count;
    uint32_t *counts = calloc(work->count * types + 1, sizeof(*counts));
    uint8_t *number = calloc(growth->site_count + 1, 1);
    if (!number || !counts) {
        free(number);
        free(counts);
        return NULL;
    }
    for (size_t i = 0; i < work->count; i++)
        number[work->candidates[i].site - growth->sites] = (uint8_t)(i + 1);
    for (hw_id id = 0; id < growth->graph->object_count; id++) {
        uint32_t under = growth->under[id];
        if (under == HW_NONE || !number[under])
            continue;
        counts[(number[under] - 1u) * types + growth->graph->type[id]]++;
    }
    free(number);
    return counts;
}

/* Whether most of what was born here, whatever its type, is growth of the whole. */
static bool adds_up(struct work *work, const uint32_t *counts)
{
    const struct hw_graph *graph = work->growth.graph;
    double born = 0, grown = 0;
    for (uint32_t t = 0; t < graph->type_count; t++) {
        if (!counts[t])
            continue;
        double delta = (double)type_delta(work->series, graph->types[t].name);
        born += counts[t];
        grown += delta < counts[t] ? delta > 0 ? delta : 0 : counts[t];
    }
    return grown >= GROWTH_SHARE * born;
}

/* An old container that kept its old members and gained: what dies elsewhere is another matter. */
static bool grew_itself(const struct hw_growth *growth, const struct hw_site *site)
{
    size_t last = growth->series->count - 1;
    if (!site->has_history || !site->lengths[0] || site->lengths[last] <= site->lengths[0])
        return false;
    for (uint32_t i = 0; i < site->front_count; i++)
        if (is_new(growth, site->fronts[i]))
            return false;
    return (double)hw_site_deaths(growth, site) <=
           HW_JUDGE_LEFT * (double)(site->lengths[last] - site->lengths[0]);
}

/* What is called a leak must grow by its own type; what is only suspected, by all it consists of.
 */
static bool is_growth(struct work *work, const struct hw_candidate *candidate,
                      const uint32_t *counts)
{
    uint32_t type = candidate->kind.type, own = counts[type];
    const char *name = work->growth.graph->types[type].name;
    if (grew_itself(&work->growth, candidate->site))
        return true;
    if ((double)type_delta(work->series, name) < GROWTH_SHARE * own)
        return false;
    return (own && candidate->judgement.verdict == HW_VERDICT_LEAK) || adds_up(work, counts);
}

/* Where as many die elsewhere as are born here, nothing grows: an object that took the place of
 * another may have been taken for one that stayed. */
static bool drop_replaced(struct work *work)
{
    size_t kept = 0, types = work->growth.graph->type_count;
    uint32_t *counts = count_own_births(work);
    if (!counts)
        return hw_err_no_memory(work->err);
    for (size_t i = 0; i < work->count; i++)
        if (is_growth(work, &work->candidates[i], counts + i * types))
            work->candidates[kept++] = work->candidates[i];
    work->count = kept;
    free(counts);
    return true;
}

/* ---- candidates that nothing holds ---- */

static bool collector_is_off(const struct hw_facts *facts)
{
    return !facts->gc_enabled || !facts->gc_threshold[0];
}

/* Births of marked nodes; marks that are old are taken away. */
static bool count_marked(struct work *work, uint8_t *marks, struct hw_candidate *candidate)
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

static bool add_garbage(struct work *work)
{
    const struct hw_graph *graph = work->growth.graph;
    struct hw_candidate candidate = {.kind = {.pattern = HW_PATTERN_REFERENCE_CYCLE}};
    if (!hw_garbage_init(&work->garbage, graph, work->err))
        return false;
    uint8_t *marks = malloc(graph->node_count);
    if (!marks)
        return hw_err_no_memory(work->err);
    memcpy(marks, work->garbage.is_garbage, graph->node_count);
    bool ok = count_marked(work, marks, &candidate) &&
              hw_kind_dominant(graph, marks, &candidate.kind.type, work->err);
    work->new_garbage = candidate.born_total;
    bool wanted = ok && collector_is_off(&graph->facts) &&
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

/* Takes away the marks of nodes that the others explain: as many references as their counts say. */
static void unmark_explained(const struct hw_graph *graph, uint8_t *marks, uint32_t *seen)
{
    for (hw_id id = 0; id < graph->node_count; id++)
        for (uint32_t e = graph->edge_start[id]; e < graph->edge_start[id + 1]; e++)
            if (marks[graph->edge_to[e]] && edge_kind(graph, e) != HW_LABEL_WORD)
                seen[graph->edge_to[e]]++;
    for (hw_id id = 0; id < graph->object_count; id++)
        if (marks[id] && graph->refcount[id] <= seen[id])
            marks[id] = 0;
}

static bool name_unexplained(struct work *work, uint8_t *marks, struct hw_candidate *candidate)
{
    const struct hw_graph *graph = work->growth.graph;
    uint32_t all, heads = UINT32_MAX;
    uint32_t *seen = calloc(graph->node_count, sizeof(*seen));
    if (!seen)
        return hw_err_no_memory(work->err);
    bool ok = hw_kind_dominant(graph, marks, &all, work->err);
    unmark_explained(graph, marks, seen);
    free(seen);
    ok = ok && hw_kind_dominant(graph, marks, &heads, work->err);
    candidate->kind.type = candidate->kind.member_type = heads != UINT32_MAX ? heads : all;
    return ok;
}

static bool add_unexplained(struct work *work)
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

/* ---- ranking ---- */

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

/* Dead weak references and their like come with what they refer to. */
static bool is_consequence(const struct work *work, const struct hw_candidate *candidate,
                           const struct hw_candidate *of)
{
    const struct hw_type *types = work->growth.graph->types;
    return candidate->site && types[candidate->kind.member_type].flags & HW_TYPE_WEAKREF &&
           !(types[of->kind.member_type].flags & HW_TYPE_WEAKREF) &&
           (of->judgement.verdict == HW_VERDICT_LEAK ||
            candidate->judgement.verdict != HW_VERDICT_LEAK) &&
           candidate->born_total <= of->born_total * 2;
}

/* Weak references refer to what somebody else holds: they are dropped before they are weighed. */
static void drop_consequences(struct work *work)
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

static bool sign_all(struct work *work)
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
static bool is_small(const struct work *work, const struct hw_candidate *candidate)
{
    for (const struct hw_candidate *first = work->candidates; first < candidate; first++)
        if (!first->ignore == !candidate->ignore)
            return candidate->born_bytes * SUSPECT_SHARE < first->born_bytes;
    return false;
}

/* Drops what a larger candidate already names, and what is too small beside the first. */
static void drop_lesser(struct work *work)
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
static bool settle_suspects(struct work *work)
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
static void mark_held(const struct work *work, uint8_t *starts)
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
static bool count_held(struct work *work)
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

/* ---- words ---- */

static bool add_doubt(struct work *work, const char *doubt)
{
    struct hw_diagnosis *diagnosis = &work->result->diagnosis;
    if (!doubt)
        return hw_err_no_memory(work->err);
    if (diagnosis->doubt_count < DOUBTS_MAX)
        diagnosis->doubts[diagnosis->doubt_count++] = doubt;
    return true;
}

static bool fill_suspects(struct work *work)
{
    struct hw_diagnosis *diagnosis = &work->result->diagnosis;
    struct hw_arena *arena = &work->result->arena;
    diagnosis->suspects = hw_arena_array(arena, work->count + 1, sizeof(*diagnosis->suspects));
    diagnosis->doubts = hw_arena_array(arena, DOUBTS_MAX, sizeof(*diagnosis->doubts));
    if (!diagnosis->suspects || !diagnosis->doubts)
        return hw_err_no_memory(work->err);
    if (work->count && !work->code && !hw_code_create(&work->code, &work->growth, work->err))
        return false;
    for (size_t i = 0; i < work->count; i++) {
        struct hw_suspect *suspect = &diagnosis->suspects[i];
        if (!hw_suspect_fill(work->code, &work->candidates[i], arena, suspect, work->err))
            return false;
        const char *doubt = hw_suspect_doubt(&work->growth, &work->candidates[i], suspect, arena);
        if (doubt && !add_doubt(work, doubt))
            return false;
        if (suspect->verdict == HW_VERDICT_LEAK)
            diagnosis->verdict = HW_VERDICT_LEAK;
        else if (diagnosis->verdict == HW_VERDICT_STEADY)
            diagnosis->verdict = HW_VERDICT_INCONCLUSIVE;
    }
    diagnosis->suspect_count = work->count;
    return true;
}

static bool fill_shots(struct work *work)
{
    struct hw_diagnosis *diagnosis = &work->result->diagnosis;
    size_t n = work->series->count;
    diagnosis->shots = hw_arena_array(&work->result->arena, n, sizeof(*diagnosis->shots));
    if (!diagnosis->shots)
        return hw_err_no_memory(work->err);
    for (size_t k = 0; k < n; k++) {
        const struct hw_series_shot *shot = &work->series->shots[k];
        diagnosis->shots[k] = (struct hw_shot){.taken_at_ns = shot->facts.taken_at_ns,
                                               .pause_ns = shot->facts.pause_ns,
                                               .objects = shot->count,
                                               .bytes = shot->bytes,
                                               .native_bytes = shot->native_bytes,
                                               .rss_bytes = shot->facts.rss_bytes};
    }
    diagnosis->shot_count = n;
    return true;
}

static bool doubt_garbage(struct work *work)
{
    if (work->new_garbage < GARBAGE_WORTH || collector_is_off(&work->growth.graph->facts))
        return true;
    return add_doubt(work, hw_arena_printf(&work->result->arena,
                                           "%" PRIu64 " new objects wait in cycles for the garbage "
                                           "collector, which is on; they are no leak",
                                           work->new_garbage));
}

/* A young process that starts up and one that leaks look alike. */
static bool doubt_young(struct work *work)
{
    const struct hw_series *series = work->series;
    double age = (double)series->shots[0].facts.uptime_ns / 1e9;
    double seconds = hw_series_seconds(series, 0, series->count - 1);
    if (work->result->diagnosis.verdict != HW_VERDICT_LEAK || age <= 0 || age >= seconds)
        return true;
    return add_doubt(work, hw_arena_printf(&work->result->arena,
                                           "the process started %.0f s before the first snapshot: "
                                           "what still starts up looks like this, too; look again "
                                           "later",
                                           age));
}

static bool doubt_torn(struct work *work)
{
    for (size_t k = 0; k < work->series->count; k++)
        if (work->series->shots[k].facts.collector_running)
            return add_doubt(work, hw_arena_printf(&work->result->arena,
                                                   "the collector was at work during snapshot %zu: "
                                                   "its reference counts may be short",
                                                   k + 1));
    return true;
}

/* Objects and what belongs to them. */
static double shot_bytes(const struct hw_series_shot *shot)
{
    return (double)shot->bytes + (double)shot->native_bytes;
}

/* Memory that grows while objects do not: C code, or the allocators. */
static bool doubt_native(struct work *work)
{
    const struct hw_series *series = work->series;
    struct hw_diagnosis *diagnosis = &work->result->diagnosis;
    size_t last = series->count - 1;
    for (size_t k = 1; k <= last; k++)
        if (series->shots[k].facts.rss_bytes <= series->shots[k - 1].facts.rss_bytes)
            return true;
    double seconds = hw_series_seconds(series, 0, last);
    double rss = (double)(series->shots[last].facts.rss_bytes - series->shots[0].facts.rss_bytes);
    double objects = shot_bytes(&series->shots[last]) - shot_bytes(&series->shots[0]);
    if (rss / seconds < RSS_RATE || objects * 2 > rss)
        return true;
    if (diagnosis->verdict == HW_VERDICT_STEADY && last >= 2)
        diagnosis->verdict = HW_VERDICT_INCONCLUSIVE;
    const char *text = hw_bytes_text(&work->result->arena, rss / seconds);
    return add_doubt(work, text ? hw_arena_printf(&work->result->arena,
                                                  "the process grows by %s/s of memory that is not "
                                                  "in Python objects: C extensions or allocators",
                                                  text)
                                : NULL);
}

/* ---- growth that no place explains ---- */

/* By a notable share, and in every interval by about as much as in the others. */
static bool grows_throughout(const struct work *work, bool bytes)
{
    const struct hw_series *series = work->series;
    size_t last = series->count - 1;
    const struct hw_series_shot *shots = series->shots;
    double first = bytes ? shot_bytes(&shots[0]) : shots[0].count;
    double total = (bytes ? shot_bytes(&shots[last]) : shots[last].count) - first;
    if (last < 2 || total < first * NOTABLE || total < (bytes ? HW_JUDGE_BYTES : NOTABLE_OBJECTS))
        return false;
    for (size_t k = 1; k <= last; k++) {
        double step = bytes ? shot_bytes(&shots[k]) - shot_bytes(&shots[k - 1])
                            : (double)shots[k].count - (double)shots[k - 1].count;
        double share = hw_series_seconds(series, k - 1, k) / hw_series_seconds(series, 0, last);
        if (step < total * share * HW_JUDGE_SLOWING)
            return false;
    }
    return true;
}

/* What came in the first interval and is still there, without what waits for the collector. */
static bool first_ones_stay(const struct work *work)
{
    const struct hw_growth *growth = &work->growth;
    const struct hw_series_shot *shots = work->series->shots;
    double stayed = 0;
    for (hw_id id = 0; id < growth->graph->object_count; id++)
        stayed += growth->birth[id] == 1 && !work->garbage.is_garbage[id];
    return stayed >= HW_JUDGE_KEPT * ((double)shots[1].count - (double)shots[0].count);
}

static const char *tell_grown_types(struct work *work)
{
    const struct hw_series_shot *last = &work->series->shots[work->series->count - 1];
    struct hw_buf text = {0};
    size_t told[GROWN_TYPES] = {0};
    for (size_t n = 0; n < GROWN_TYPES; n++) {
        int64_t most = 0;
        for (size_t i = 0; i < last->type_count; i++) {
            bool is_told = false;
            for (size_t j = 0; j < n; j++)
                is_told |= told[j] == i;
            int64_t delta = is_told ? 0 : type_delta(work->series, last->types[i].name);
            if (delta > most) {
                most = delta;
                told[n] = i;
            }
        }
        if (!most)
            break;
        hw_buf_printf(&text, "%s+%" PRId64 " %s", n ? ", " : "", most, last->types[told[n]].name);
    }
    const char *copy = hw_arena_strdup(&work->result->arena, hw_buf_str(&text));
    hw_buf_deinit(&text);
    return copy;
}

/* Whether what the user ignores is most of the growth. */
static bool ignored_explain(const struct work *work)
{
    const struct hw_series *series = work->series;
    const struct hw_diagnosis *diagnosis = &work->result->diagnosis;
    size_t last = series->count - 1;
    double seconds = hw_series_seconds(series, 0, last), objects = 0, bytes = 0;
    for (size_t i = 0; i < diagnosis->ignored_count; i++) {
        objects += diagnosis->ignored[i].objects_per_second * seconds;
        bytes += diagnosis->ignored[i].bytes_per_second * seconds;
    }
    return diagnosis->ignored_count &&
           2 * objects >= (double)series->shots[last].count - (double)series->shots[0].count &&
           2 * bytes >= (double)series->shots[last].bytes - (double)series->shots[0].bytes;
}

static bool doubt_total(struct work *work)
{
    struct hw_diagnosis *diagnosis = &work->result->diagnosis;
    struct hw_arena *arena = &work->result->arena;
    if (diagnosis->verdict != HW_VERDICT_STEADY || ignored_explain(work))
        return true;
    if (grows_throughout(work, false) && first_ones_stay(work)) {
        const char *types = tell_grown_types(work);
        diagnosis->verdict = HW_VERDICT_INCONCLUSIVE;
        return add_doubt(work, types ? hw_arena_printf(arena,
                                                       "the number of objects grew in every "
                                                       "interval, but no one place explains it: "
                                                       "%s; look again later",
                                                       types)
                                     : NULL);
    }
    if (!grows_throughout(work, true))
        return true;
    diagnosis->verdict = HW_VERDICT_INCONCLUSIVE;
    return add_doubt(work,
                     hw_arena_strdup(arena, "the bytes of all objects grew in every interval, "
                                            "but no one place explains it: objects that are "
                                            "replaced by larger ones; look again later"));
}

static const char *tell_totals(struct work *work, const char *what)
{
    const struct hw_series *series = work->series;
    size_t last = series->count - 1;
    return hw_arena_printf(&work->result->arena, "%s: objects went from %u to %u in %.1f s", what,
                           series->shots[0].count, series->shots[last].count,
                           hw_series_seconds(series, 0, last));
}

static bool fill_answer(struct work *work)
{
    struct hw_diagnosis *diagnosis = &work->result->diagnosis;
    struct hw_arena *arena = &work->result->arena;
    const struct hw_suspect *first = diagnosis->suspects;
    if (diagnosis->verdict == HW_VERDICT_LEAK) {
        const char *bytes = hw_bytes_text(arena, first->bytes_per_second);
        const char *where = first->chain.path[0] ? first->chain.path
                            : first->pattern == HW_PATTERN_REFERENCE_CYCLE
                                ? "reference cycles, with the garbage collector off"
                                : "no place that can be seen";
        if (bytes && first->held_objects_per_second == 0)
            diagnosis->answer = hw_arena_printf(arena, "one %s becomes larger by %s/s: %s",
                                                first->type, bytes, where);
        else if (bytes && first->objects != first->held_objects)
            diagnosis->answer = hw_arena_printf(
                arena, "%s leaks: %.1f/s, with all they hold %.1f objects/s, %s/s, pile up in %s",
                first->type, first->objects_per_second, first->held_objects_per_second, bytes,
                where);
        else
            diagnosis->answer =
                bytes ? hw_arena_printf(arena, "%s leaks: %.1f objects/s, %s/s pile up in %s",
                                        first->type, first->held_objects_per_second, bytes, where)
                      : NULL;
    } else if (diagnosis->verdict == HW_VERDICT_INCONCLUSIVE) {
        diagnosis->answer = tell_totals(work, "not settled");
    } else {
        diagnosis->answer =
            tell_totals(work, diagnosis->ignored_count ? "no leak but what is ignored" : "no leak");
    }
    return diagnosis->answer || hw_err_no_memory(work->err);
}

/* ---- */

static bool diagnose_one(struct work *work)
{
    return hw_glances_tell(work->series, work->options, &work->result->arena,
                           &work->result->diagnosis, work->err) &&
           fill_shots(work);
}

static bool diagnose(struct work *work)
{
    if (!hw_growth_init(&work->growth, work->series, work->err))
        return false;
    if (!add_sites(work) || !drop_replaced(work) || !add_swells(work) || !add_garbage(work) ||
        !add_unexplained(work))
        return false;
    drop_consequences(work);
    qsort(work->candidates, work->count, sizeof(work->candidates[0]), by_weight);
    if (!hw_also_find(&work->growth, work->candidates, work->count, work->err))
        return false;
    if (!sign_all(work) ||
        !hw_ignores_apply(&work->growth, work->options, work->candidates, work->count,
                          &work->result->arena, &work->result->diagnosis, work->err))
        return false;
    drop_lesser(work);
    return settle_suspects(work) &&
           hw_sharing_find(&work->growth, work->candidates, work->count, work->err) &&
           count_held(work) && fill_suspects(work) && fill_shots(work) && doubt_young(work) &&
           doubt_garbage(work) && doubt_torn(work) && doubt_total(work) && doubt_native(work) &&
           fill_answer(work);
}

bool hw_diagnose_ask(const struct hw_series *series, const struct hw_diagnose_options *options,
                     struct hw_diagnosis **ret_diagnosis, struct hw_err *err)
{
    if (!series->count)
        return hw_err_set(err, HW_ERR_USAGE, "a diagnosis needs a snapshot");
    struct work *work = calloc(1, sizeof(*work));
    struct diagnosis_result *result = calloc(1, sizeof(*result));
    bool ok = (work && result) || hw_err_no_memory(err);
    if (ok) {
        work->series = series;
        work->options = options;
        work->result = result;
        work->err = err;
        ok = series->count == 1 ? diagnose_one(work) : diagnose(work);
        hw_growth_deinit(&work->growth);
        hw_garbage_deinit(&work->garbage);
        hw_code_destroy(work->code);
    }
    free(work);
    if (!ok) {
        hw_diagnosis_destroy(result ? &result->diagnosis : NULL);
        return false;
    }
    *ret_diagnosis = &result->diagnosis;
    return true;
}

void hw_diagnosis_destroy(struct hw_diagnosis *diagnosis)
{
    if (!diagnosis)
        return;
    struct diagnosis_result *result = (struct diagnosis_result *)diagnosis;
    hw_arena_deinit(&result->arena);
    free(result);
}

const char *hw_verdict_name(enum hw_verdict verdict)
{
    static const char *const names_of[] = {"steady", "leak", "inconclusive"};
    return verdict <= HW_VERDICT_INCONCLUSIVE ? names_of[verdict] : "?";
}

const char *hw_pattern_name(enum hw_pattern pattern)
{
    static const char *const names_of[] = {"growing-container", "reference-cycle",
                                           "closure",           "frame",
                                           "unclosed-resource", "unexplained"};
    return pattern <= HW_PATTERN_UNEXPLAINED ? names_of[pattern] : "?";
}

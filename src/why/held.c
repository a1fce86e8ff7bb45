/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/lookup.h"
#include "base/err.h"
#include "why/work.h"

#include <stdlib.h>
#include <string.h>

enum { MODULES_MIN = 3 }; /* so many new modules are imports under way */
#define GROWTH_SHARE 0.5  /* of the births of a type, so many must be growth of the type */

static bool is_known_cache(const char *path)
{
    for (size_t i = 0; i < hw_known_cache_count; i++)
        if (hw_name_matches(hw_known_caches[i].path, path))
            return true;
    return false;
}

static bool site_is_known(struct hw_work *work, const struct hw_site *site)
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

static bool apply_bound(struct hw_work *work, struct hw_candidate *candidate)
{
    bool leaks = candidate->judgement.verdict == HW_VERDICT_LEAK;
    if (leaks && !work->code && !hw_code_create(&work->code, &work->growth, work->err))
        return false;
    candidate->bound = leaks ? hw_bound_find(work->code, candidate->site)
                             : hw_bound_stated(work->growth.graph, candidate->site);
    if (hw_bound_exists(&candidate->bound))
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

static void apply_imports(const struct hw_work *work, struct hw_candidate *candidate)
{
    if (candidate->judgement.verdict == HW_VERDICT_LEAK && is_importing(&work->growth) &&
        comes_with_imports(&work->growth, candidate))
        candidate->judgement = (struct hw_judgement){HW_VERDICT_INCONCLUSIVE, HW_JUDGE_IMPORTING};
}

/* The nearest instance above a container whose class was written in Python says whose it is. What a
 * test leaks hangs from an object of the test's or of what it tests. */
static const struct hw_session_rule *session_of(const struct hw_growth *growth,
                                                const struct hw_site *site)
{
    const struct hw_graph *graph = growth->graph;
    for (hw_id at = site->name; at != HW_NONE; at = growth->tree.parent[at]) {
        if (at >= graph->object_count || type_has(graph, at, HW_TYPE_MODULE))
            return NULL;
        if (type_has(graph, at, HW_TYPE_PYTHON))
            return hw_session_rule_of(type_of(graph, at)->name);
    }
    return NULL;
}

static void apply_session(const struct hw_work *work, struct hw_candidate *candidate)
{
    candidate->session = session_of(&work->growth, candidate->site);
    if (candidate->session)
        candidate->judgement = (struct hw_judgement){HW_VERDICT_INCONCLUSIVE, HW_JUDGE_SESSION};
}

bool hw_work_add_sites(struct hw_work *work)
{
    const struct hw_growth *growth = &work->growth;
    for (size_t i = 0; i < growth->site_count && work->count < HW_CANDIDATES_MAX; i++) {
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
        apply_session(work, &candidate);
        work->candidates[work->count++] = candidate;
    }
    return true;
}

bool hw_work_add_swells(struct hw_work *work)
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

int64_t hw_series_type_delta(const struct hw_series *series, const char *name)
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
static uint32_t *count_own_births(struct hw_work *work)
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
static bool adds_up(struct hw_work *work, const uint32_t *counts)
{
    const struct hw_graph *graph = work->growth.graph;
    double born = 0, grown = 0;
    for (uint32_t t = 0; t < graph->type_count; t++) {
        if (!counts[t])
            continue;
        double delta = (double)hw_series_type_delta(work->series, graph->types[t].name);
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
static bool is_growth(struct hw_work *work, const struct hw_candidate *candidate,
                      const uint32_t *counts)
{
    uint32_t type = candidate->kind.type, own = counts[type];
    const char *name = work->growth.graph->types[type].name;
    if (grew_itself(&work->growth, candidate->site))
        return true;
    if ((double)hw_series_type_delta(work->series, name) < GROWTH_SHARE * own)
        return false;
    return (own && candidate->judgement.verdict == HW_VERDICT_LEAK) || adds_up(work, counts);
}

/* Where as many die elsewhere as are born here, nothing grows: an object that took the place of
 * another may have been taken for one that stayed. */
bool hw_work_drop_replaced(struct hw_work *work)
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

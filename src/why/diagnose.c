/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "collect/gc-state.h"
#include "why/created.h"
#include "why/glance.h"
#include "why/memory.h"
#include "why/work.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * The verdict. Sites of growth (growth.c) are judged by their history (judge.c), a bound that the
 * program states turns a leak into a question (bound.c), and what grows without a holder is a cycle
 * or a reference that nobody accounts for. work.h says in which steps.
 */

/* What nothing holds is known by its type. */
static bool is_of(const struct hw_growth *growth, const struct hw_candidate *candidate, hw_id id)
{
    uint32_t type = growth->graph->type[id];
    bool is_kind = type == candidate->kind.type;
    for (size_t i = 0; i < candidate->head_count; i++)
        is_kind |= type == candidate->heads[i].type;
    return is_kind && !candidate->site && (candidate->native || !tree_has(&growth->tree, id));
}

/* By node: the candidate that its growth is told with. */
static void mark_new(const struct hw_work *work, const uint8_t *of_site, uint8_t *owner)
{
    const struct hw_growth *growth = &work->growth;
    for (hw_id id = 0; id < growth->graph->object_count; id++) {
        uint32_t under = growth->under[id];
        if (!is_new(growth, id))
            continue;
        owner[id] = under == HW_NONE ? 0 : of_site[under];
        for (size_t c = 0; !owner[id] && c < work->count; c++)
            if (is_of(growth, &work->candidates[c], id))
                owner[id] = (uint8_t)(c + 1);
    }
}

static bool fill_created(struct hw_work *work)
{
    const struct hw_growth *growth = &work->growth;
    struct hw_created_kind kinds[sizeof(work->candidates) / sizeof(work->candidates[0])];
    if (!hw_created_is_known(growth->graph))
        return true;
    uint8_t *owner = calloc(growth->graph->node_count + growth->site_count, 1);
    if (!owner)
        return hw_err_no_memory(work->err);
    uint8_t *of_site = owner + growth->graph->node_count;
    for (size_t c = 0; c < work->count; c++) {
        const struct hw_candidate *candidate = &work->candidates[c];
        kinds[c] = (struct hw_created_kind){candidate->kind.type, candidate->kind.member_type};
        if (candidate->site >= growth->sites && candidate->site < growth->sites + growth->site_count)
            of_site[candidate->site - growth->sites] = (uint8_t)(c + 1);
    }
    mark_new(work, of_site, owner);
    bool ok = hw_created_fill(growth->graph, owner, kinds, work->result->diagnosis.suspects,
                              work->count, &work->result->arena, work->err);
    free(owner);
    return ok;
}

static bool fill_suspects(struct hw_work *work)
{
    struct hw_diagnosis *diagnosis = &work->result->diagnosis;
    struct hw_arena *arena = &work->result->arena;
    diagnosis->suspects = hw_arena_array(arena, work->count + 2, sizeof(*diagnosis->suspects));
    diagnosis->doubts = hw_arena_array(arena, HW_DOUBTS_MAX, sizeof(*diagnosis->doubts));
    if (!diagnosis->suspects || !diagnosis->doubts)
        return hw_err_no_memory(work->err);
    if (work->count && !work->code && !hw_code_create(&work->code, &work->growth, work->err))
        return false;
    for (size_t i = 0; i < work->count; i++) {
        struct hw_suspect *suspect = &diagnosis->suspects[i];
        if (!hw_suspect_fill(work->code, &work->candidates[i], arena, suspect, work->err))
            return false;
        suspect->doubt = hw_suspect_doubt(work->code, &work->candidates[i], suspect, arena);
        if (suspect->doubt && !hw_work_doubt(work, suspect->doubt))
            return false;
        if (suspect->verdict == HW_VERDICT_LEAK)
            diagnosis->verdict = HW_VERDICT_LEAK;
        else if (diagnosis->verdict == HW_VERDICT_STEADY)
            diagnosis->verdict = HW_VERDICT_INCONCLUSIVE;
    }
    diagnosis->suspect_count = work->count;
    return fill_created(work);
}

static bool fill_shots(struct hw_work *work)
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

static const char *tell_totals(struct hw_work *work, const char *what)
{
    const struct hw_series *series = work->series;
    size_t last = series->count - 1;
    return hw_arena_printf(&work->result->arena, "%s: objects went from %u to %u in %.1f s", what,
                           series->shots[0].count, series->shots[last].count,
                           hw_series_seconds(series, 0, last));
}

static const char *cycles_place(const struct hw_work *work)
{
    const struct hw_facts *facts = &work->growth.graph->facts;
    if (hw_gc_condition_of(facts) == HW_GC_RARE)
        return "reference cycles that the garbage collector never comes to";
    return facts->gc_enabled ? "reference cycles, with the garbage collector's threshold at 0"
                             : "reference cycles, with the garbage collector off";
}

/* "method of app.Room": the type alone would name nothing of the program. */
static const char *named(const struct hw_suspect *suspect, struct hw_arena *arena)
{
    bool is_method = strcmp(suspect->type, "method") == 0;
    return suspect->carries ? hw_arena_printf(arena, "%s %s %s", suspect->type,
                                              is_method ? "of" : "with", suspect->carries)
                            : suspect->type;
}

static bool fill_answer(struct hw_work *work)
{
    struct hw_diagnosis *diagnosis = &work->result->diagnosis;
    struct hw_arena *arena = &work->result->arena;
    const struct hw_suspect *first = diagnosis->suspects;
    if (work->memory_answer && diagnosis->verdict != HW_VERDICT_STEADY) {
        diagnosis->answer = work->memory_answer;
    } else if (diagnosis->verdict == HW_VERDICT_LEAK) {
        const char *bytes = hw_bytes_text(arena, first->bytes_per_second);
        const char *what = named(first, arena);
        const char *where = first->chain.path[0] ? first->chain.path
                            : first->pattern == HW_PATTERN_REFERENCE_CYCLE
                                ? cycles_place(work)
                                : "no place that can be seen";
        if (!what)
            return hw_err_no_memory(work->err);
        if (bytes && first->held_objects_per_second == 0)
            diagnosis->answer =
                hw_arena_printf(arena, "one %s becomes larger by %s/s: %s", what, bytes, where);
        else if (bytes && first->objects != first->held_objects)
            diagnosis->answer = hw_arena_printf(
                arena, "%s leaks: %.1f/s, with all they hold %.1f objects/s, %s/s, pile up in %s",
                what, first->objects_per_second, first->held_objects_per_second, bytes, where);
        else
            diagnosis->answer =
                bytes ? hw_arena_printf(arena, "%s leaks: %.1f objects/s, %s/s pile up in %s", what,
                                        first->held_objects_per_second, bytes, where)
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

static bool diagnose_one(struct hw_work *work)
{
    return hw_glances_tell(work->series, work->options, &work->result->arena,
                           &work->result->diagnosis, work->err) &&
           fill_shots(work);
}

static bool diagnose(struct hw_work *work)
{
    if (!hw_growth_init(&work->growth, work->series, work->err))
        return false;
    return hw_work_add_sites(work) && hw_work_drop_replaced(work) && hw_work_add_swells(work) &&
           hw_work_add_garbage(work) && hw_work_add_unexplained(work) && hw_work_rank(work) &&
           fill_suspects(work) && fill_shots(work) &&
           hw_work_add_memory(work, &work->memory, &work->memory_answer) && hw_work_doubts(work) &&
           fill_answer(work);
}

bool hw_diagnose_ask(const struct hw_series *series, const struct hw_diagnose_options *options,
                     struct hw_diagnosis **ret_diagnosis, struct hw_err *err)
{
    if (!series->count)
        return hw_err_set(err, HW_ERR_USAGE, "a diagnosis needs a snapshot");
    struct hw_work *work = calloc(1, sizeof(*work));
    struct hw_diagnosis_result *result = calloc(1, sizeof(*result));
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
    struct hw_diagnosis_result *result = (struct hw_diagnosis_result *)diagnosis;
    hw_arena_deinit(&result->arena);
    free(result);
}

const char *hw_verdict_name(enum hw_verdict verdict)
{
    static const char *const names_of[] = {"steady", "leak", "inconclusive",
                                           "fragmentation"};
    return verdict <= HW_VERDICT_FRAGMENTATION ? names_of[verdict] : "?";
}

const char *hw_pattern_name(enum hw_pattern pattern)
{
    static const char *const names_of[] = {
        "growing-container", "reference-cycle",  "closure",       "frame",       "unclosed-resource",
        "unexplained",       "native-reference", "native-memory", "fragmentation"};
    return pattern <= HW_PATTERN_FRAGMENTATION ? names_of[pattern] : "?";
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/spell.h"
#include "base/err.h"
#include "why/created.h"
#include "why/fingerprint.h"
#include "why/glance.h"
#include "why/ignore.h"

#include <inttypes.h>
#include <stdlib.h>

/* What one snapshot can tell, in words. */

static double share_of(const struct hw_glance *row, const struct hw_glances *all)
{
    return all->total ? 100.0 * (double)row->bytes / (double)all->total : 0;
}

static const char *tell_weight(const struct hw_glance *row, const struct hw_glances *all,
                               const struct hw_suspect *suspect, struct hw_arena *arena)
{
    const char *bytes = hw_bytes_text(arena, (double)row->bytes);
    if (!bytes)
        return NULL;
    if (row->is_group)
        return hw_arena_printf(arena,
                               "%" PRIu64 " objects of type %s, none of them large, together "
                               "retain %.1f %% of all objects' memory, %s",
                               row->members, suspect->type, share_of(row, all), bytes);
    return hw_arena_printf(arena,
                           "it retains %.1f %% of all objects' memory, %s: so much would be "
                           "free without it",
                           share_of(row, all), bytes);
}

static const char *tell_ages(const struct hw_glance *row, struct hw_arena *arena)
{
    const struct hw_glance_ages *ages = &row->ages;
    if (ages->keeps_arriving)
        return hw_arena_printf(arena,
                               "its members are of all ages: the oldest is older than %u %% of all "
                               "tracked objects, and %.0f %% are among the youngest tenth: they "
                               "keep arriving, and old ones stay",
                               100u - ages->oldest * 100u / 255, 100.0 * ages->young / ages->known);
    if (ages->newest < 128)
        return hw_arena_strdup(arena, "all of its members are old: nothing has arrived for long");
    return hw_arena_strdup(arena, "the ages of its members show no steady arrival");
}

static bool fill_evidence(const struct hw_graph *graph, const struct hw_glance *row,
                          const struct hw_glances *all, struct hw_arena *arena,
                          struct hw_suspect *suspect)
{
    const char **evidence = suspect->evidence = hw_arena_array(arena, 4, sizeof(*evidence));
    size_t n = 0;
    if (!evidence)
        return false;
    evidence[n++] = tell_weight(row, all, suspect, arena);
    if (!row->is_group && row->members)
        evidence[n++] = hw_arena_printf(arena, "it has %" PRIu64 " members, most of them %s",
                                        row->members, suspect->type);
    if (row->ages.known)
        evidence[n++] = tell_ages(row, arena);
    for (size_t i = 0; i < n; i++)
        if (!evidence[i])
            return false;
    suspect->evidence_count = n;
    return true;
}

/* The row as what fingerprints and rules are made for. */
static bool sign(const struct hw_growth *growth, const struct hw_glance *row,
                 struct hw_signer *signer, struct hw_arena *arena, struct hw_candidate *candidate,
                 struct hw_err *err)
{
    struct hw_site *site = hw_arena_array(arena, 1, sizeof(*site));
    if (!site)
        return hw_err_no_memory(err);
    site->box = site->name = row->node;
    *candidate = (struct hw_candidate){
        .site = site,
        .judgement = {HW_VERDICT_INCONCLUSIVE, HW_JUDGE_TWO_ONLY},
        .kind = {.type = row->type, .member_type = row->type},
    };
    return hw_signer_sign(signer, candidate, arena, err);
}

static bool sign_all(const struct hw_growth *growth, const struct hw_glances *all,
                     struct hw_arena *arena, struct hw_candidate *candidates, struct hw_err *err)
{
    struct hw_signer *signer = NULL;
    bool ok = hw_signer_create(&signer, growth, err);
    for (size_t i = 0; ok && i < all->count; i++)
        ok = sign(growth, &all->rows[i], signer, arena, &candidates[i], err);
    hw_signer_destroy(signer);
    return ok;
}

static bool fill_suspect(const struct hw_growth *growth, const struct hw_candidate *candidate,
                         const struct hw_glance *row, const struct hw_glances *all,
                         struct hw_arena *arena, struct hw_suspect *suspect, struct hw_err *err)
{
    const struct hw_graph *graph = growth->graph;
    *suspect = (struct hw_suspect){
        .pattern = HW_PATTERN_GROWING_CONTAINER,
        .cause = row->ages.keeps_arriving ? "steady-arrival" : "accumulation-point",
        .about = row->ages.keeps_arriving ? "New members keep arriving and old ones stay."
                                          : "A large part of the heap gathers in one place.",
        .verdict = HW_VERDICT_INCONCLUSIVE,
        .fingerprint = candidate->fingerprint,
        .shape = candidate->shape,
        .type = hw_arena_strdup(arena, graph->types[row->type].name),
        .objects = row->members,
        .held_objects = row->objects,
        .bytes = row->bytes,
    };
    if (!suspect->type ||
        !hw_chain_spell(graph, &growth->tree, HW_NONE, 0, row->node, arena, &suspect->chain, err))
        return hw_err_no_memory(err);
    suspect->fix = hw_arena_printf(arena, "Look whether %s grows before you change anything.",
                                   suspect->chain.path);
    return (suspect->fix && fill_evidence(graph, row, all, arena, suspect)) ||
           hw_err_no_memory(err);
}

static const char *tell_answer(const struct hw_glances *all, const struct hw_diagnosis *diagnosis,
                               struct hw_arena *arena)
{
    const struct hw_suspect *first = diagnosis->suspects;
    if (!all->count)
        return hw_arena_strdup(arena, "one snapshot shows no growth, and in this one no place "
                                      "stands out");
    const char *bytes = hw_bytes_text(arena, (double)first->bytes);
    return bytes ? hw_arena_printf(
                       arena,
                       "one snapshot shows no growth; what stands out: %s with "
                       "%.1f %% of all objects' memory, %s%s",
                       first->chain.path, share_of(&all->rows[0], all), bytes,
                       all->rows[0].ages.keeps_arriving ? ", and new objects keep arriving" : "")
                 : NULL;
}

static const char *one_doubt[] = {
    "one snapshot shows what is there, not what grows: heapwhy PID takes three, and heapwhy "
    "diagnose FILE FILE FILE compares those that were taken"};

/* Everything in the tree below the node of each row; what is below two, with the inner one. */
static bool fill_created(const struct hw_growth *growth, const struct hw_glances *all,
                         struct hw_arena *arena, struct hw_diagnosis *diagnosis, struct hw_err *err)
{
    const struct hw_tree *tree = &growth->tree;
    struct hw_created_kind kinds[HW_GLANCE_MAX];
    if (!hw_created_is_known(growth->graph))
        return true;
    uint8_t *owner = calloc(growth->graph->node_count, 1);
    if (!owner)
        return hw_err_no_memory(err);
    for (size_t i = 0; i < all->count; i++) {
        kinds[i] = (struct hw_created_kind){all->rows[i].type, all->rows[i].type};
        owner[all->rows[i].node] = (uint8_t)(i + 1);
    }
    for (uint32_t i = 0; i < tree->count; i++) {
        hw_id id = tree->order[i];
        if (!owner[id] && tree->parent[id] != HW_NONE)
            owner[id] = owner[tree->parent[id]];
    }
    bool ok = hw_created_fill(growth->graph, owner, kinds, diagnosis->suspects, all->count, arena, err);
    free(owner);
    return ok;
}

static bool tell_rows(const struct hw_growth *growth, const struct hw_diagnose_options *options,
                      struct hw_glances *all, struct hw_arena *arena,
                      struct hw_diagnosis *diagnosis, struct hw_err *err)
{
    struct hw_candidate candidates[HW_GLANCE_MAX];
    size_t kept = 0;
    diagnosis->suspects = hw_arena_array(arena, all->count + 1, sizeof(*diagnosis->suspects));
    diagnosis->ignored = hw_arena_array(arena, all->count + 1, sizeof(*diagnosis->ignored));
    if (!diagnosis->suspects || !diagnosis->ignored)
        return hw_err_no_memory(err);
    if (!sign_all(growth, all, arena, candidates, err) ||
        !hw_ignores_apply(growth, options, candidates, all->count, arena, diagnosis, err))
        return false;
    for (size_t i = 0; i < all->count; i++) {
        if (candidates[i].ignore
                ? !hw_ignored_fill(growth, &candidates[i], arena,
                                   &diagnosis->ignored[diagnosis->ignored_count++], err)
                : !fill_suspect(growth, &candidates[i], &all->rows[i], all, arena,
                                &diagnosis->suspects[kept], err))
            return false;
        if (!candidates[i].ignore)
            all->rows[kept++] = all->rows[i];
    }
    all->count = diagnosis->suspect_count = kept;
    return fill_created(growth, all, arena, diagnosis, err);
}

bool hw_glances_tell(const struct hw_series *series, const struct hw_diagnose_options *options,
                     struct hw_arena *arena, struct hw_diagnosis *diagnosis, struct hw_err *err)
{
    struct hw_glances all;
    struct hw_growth growth = {.series = series, .graph = series->last};
    if (!hw_glances_find(series->last, &growth.tree, &all, err))
        return false;
    diagnosis->verdict = HW_VERDICT_INCONCLUSIVE;
    diagnosis->doubts = one_doubt;
    diagnosis->doubt_count = 1;
    bool ok = tell_rows(&growth, options, &all, arena, diagnosis, err);
    hw_tree_deinit(&growth.tree);
    if (!ok)
        return false;
    diagnosis->answer = tell_answer(&all, diagnosis, arena);
    return diagnosis->answer || hw_err_no_memory(err);
}

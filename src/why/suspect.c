/* SPDX-License-Identifier: Apache-2.0 */
#include "why/suspect.h"

#include "ask/lookup.h"
#include "base/err.h"
#include "collect/gc-state.h"
#include "why/cause.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NATIVE_SHARE = 10 }; /* a tenth of the bytes is worth a word */

/* ---- words ---- */

const char *hw_bytes_text(struct hw_arena *arena, double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;
    while (bytes >= 1000 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        bytes /= 1000;
        unit++;
    }
    return hw_arena_printf(arena, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

/* 1,234,567 */
static void put_count(struct hw_buf *out, uint64_t count)
{
    char digits[24];
    int n = snprintf(digits, sizeof(digits), "%" PRIu64, count);
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            hw_buf_putc(out, ',');
        hw_buf_putc(out, digits[i]);
    }
}

/* 120 -> 240 -> 362, the middle left out when there are many */
static void put_history(struct hw_buf *out, const uint64_t *counts, size_t first, size_t n,
                        const char *between)
{
    for (size_t k = first; k < n; k++) {
        if (n - first > 10 && k == first + 5) {
            hw_buf_printf(out, "%s...", between);
            k = n - 5;
        }
        hw_buf_puts(out, k > first ? between : "");
        put_count(out, counts[k]);
    }
}

static const char *take(struct hw_arena *arena, struct hw_buf *text)
{
    const char *copy = hw_buf_ok(text) ? hw_arena_strdup(arena, hw_buf_str(text)) : NULL;
    hw_buf_deinit(text);
    return copy;
}

/* ---- evidence ---- */

struct evidence {
    struct hw_arena *arena;
    struct hw_suspect *suspect;
    bool no_memory;
};

static void add_evidence(struct evidence *evidence, const char *sentence)
{
    struct hw_suspect *suspect = evidence->suspect;
    if (!sentence)
        evidence->no_memory = true;
    else if (suspect->evidence_count < HW_EVIDENCE_MAX)
        suspect->evidence[suspect->evidence_count++] = sentence;
}

static void put_removed(struct hw_buf *out, uint64_t deaths)
{
    hw_buf_puts(out, "; ");
    put_count(out, deaths);
    hw_buf_puts(out, deaths == 1 ? " was removed" : " were removed");
}

/* Members that came in the first interval, as far as lengths and survivors tell. */
static uint64_t first_comers(const struct hw_site *site)
{
    uint64_t gain = site->lengths[1] > site->lengths[0] ? site->lengths[1] - site->lengths[0] : 0;
    return gain > site->joined[1] ? gain : site->joined[1];
}

static uint64_t count_removed(const struct hw_growth *growth, const struct hw_site *site)
{
    uint64_t deaths = hw_site_deaths(growth, site);
    uint64_t lost = first_comers(site) - site->joined[1];
    return deaths > lost ? deaths : lost;
}

static const char *tell_lengths(const struct hw_growth *growth,
                                const struct hw_candidate *candidate,
                                const struct hw_suspect *suspect, struct hw_arena *arena)
{
    const struct hw_site *site = candidate->site;
    const char *path = suspect->chain.path;
    size_t n = growth->series->count;
    uint64_t removed = count_removed(growth, site);
    struct hw_buf text = {0};
    if (site->is_merged)
        hw_buf_printf(&text,
                      site->way ? "the %u of %s that grow had together "
                                : "the %u parts of %s that grow had together ",
                      site->front_count, path);
    else if (site->name == site->box)
        hw_buf_printf(&text, "len(%s) went ", path);
    else
        hw_buf_printf(&text, "the entries of %s went ", path);
    put_history(&text, site->lengths, 0, n, " -> ");
    hw_buf_printf(&text, "%s in %.1f s", site->is_merged ? " members" : "",
                  hw_series_seconds(growth->series, 0, n - 1));
    if (removed)
        put_removed(&text, removed);
    else
        hw_buf_puts(&text, site->is_replaced ? "; it was made anew, and kept all that was seen"
                                             : "; nothing was removed");
    return take(arena, &text);
}

static const char *tell_births(const struct hw_growth *growth, const struct hw_candidate *candidate,
                               const char *what, struct hw_arena *arena)
{
    size_t n = growth->series->count;
    struct hw_buf text = {0};
    hw_buf_printf(&text, "of what %s now, ", what);
    put_count(&text, candidate->born[1]);
    hw_buf_puts(&text, n == 2 ? " objects were born in between"
                              : " objects were born in the first interval");
    if (n == 3) {
        hw_buf_puts(&text, " and ");
        put_count(&text, candidate->born[2]);
        hw_buf_puts(&text, " in the second");
    } else if (n > 3) {
        hw_buf_puts(&text, ", then ");
        put_history(&text, candidate->born, 2, n, ", ");
    }
    return take(arena, &text);
}

static const char *tell_survivors(const struct hw_site *site, struct hw_arena *arena)
{
    struct hw_buf text = {0};
    hw_buf_puts(&text, "of ");
    put_count(&text, first_comers(site));
    hw_buf_puts(&text, " that came in the first interval, ");
    put_count(&text, site->joined[1]);
    hw_buf_puts(&text, site->joined[1] == 1 ? " is still there" : " are still there");
    return take(arena, &text);
}

/* Buffers outside of objects are told where they make a difference. */
static const char *tell_amount(const char *what, const struct hw_candidate *candidate,
                               struct hw_arena *arena)
{
    const char *bytes = hw_bytes_text(arena, (double)candidate->bytes);
    const char *native = hw_bytes_text(arena, (double)candidate->native_bytes);
    struct hw_buf text = {0};
    if (!bytes || !native)
        return NULL;
    hw_buf_printf(&text, "%s ", what);
    put_count(&text, candidate->objects);
    hw_buf_printf(&text, candidate->objects == 1 ? " object, %s in all" : " objects, %s in all",
                  bytes);
    if (candidate->native_bytes * NATIVE_SHARE >= candidate->bytes && candidate->native_bytes)
        hw_buf_printf(&text, ", of which %s are buffers outside of them", native);
    return take(arena, &text);
}

/* "Each of them" is said of nine in ten. */
static bool is_mixed(const struct hw_kind *kind)
{
    uint32_t least = kind->type == kind->member_type || kind->carriers > kind->direct
                         ? kind->direct
                         : kind->carriers;
    return kind->direct && (uint64_t)least * 10 < (uint64_t)kind->sampled * 9;
}

static const char *tell_kind(const struct hw_growth *growth, const struct hw_candidate *candidate,
                             struct hw_arena *arena)
{
    const struct hw_type *types = growth->graph->types;
    const struct hw_kind *kind = &candidate->kind;
    if (is_mixed(kind) && kind->type == kind->member_type)
        return hw_arena_printf(arena, "%" PRIu32 " of %" PRIu32 " new ones looked at are a %s",
                               kind->direct, kind->sampled, types[kind->type].name);
    if (is_mixed(kind))
        return hw_arena_printf(arena,
                               "of %" PRIu32 " new ones looked at, %" PRIu32
                               " are a %s, and %" PRIu32 " %s hang below them",
                               kind->sampled, kind->direct, types[kind->member_type].name,
                               kind->carriers, types[kind->type].name);
    if (kind->in_key)
        return hw_arena_printf(arena, "each of them is a %s under a key that carries a %s",
                               types[kind->member_type].name, types[kind->type].name);
    if (kind->type != kind->member_type)
        return hw_arena_printf(arena, "each of them is a %s that carries a %s",
                               types[kind->member_type].name, types[kind->type].name);
    if (kind->pattern == HW_PATTERN_FRAME)
        return hw_arena_strdup(arena, "each of them keeps a frame with all of its local variables");
    return hw_arena_printf(arena, "each of them keeps %s: %s", kind->resource->noun,
                           kind->resource->type);
}

static void tell_sizes(struct evidence *evidence, const struct hw_growth *growth,
                       const struct hw_candidate *candidate)
{
    size_t n = growth->series->count;
    struct hw_buf text = {0};
    hw_buf_printf(&text, "the size of %s went ", evidence->suspect->chain.path);
    put_history(&text, candidate->sizes, 0, n, " -> ");
    hw_buf_printf(&text, " bytes in %.1f s", hw_series_seconds(growth->series, 0, n - 1));
    add_evidence(evidence, take(evidence->arena, &text));
}

/* Emptying one of two indexes frees nothing. */
static const char *tell_sharing(const struct hw_candidate *candidate,
                                const struct hw_suspect *suspect, struct hw_arena *arena)
{
    struct hw_buf text = {0};
    hw_buf_printf(&text, "emptying only %s would free ", suspect->chain.path);
    if (candidate->freed)
        put_count(&text, candidate->freed);
    else
        hw_buf_puts(&text, "none");
    hw_buf_puts(&text, " of ");
    put_count(&text, candidate->sampled);
    hw_buf_printf(&text, " of its new members: %s", suspect->also[0].path);
    if (suspect->also_count > 1)
        hw_buf_puts(&text, " and others hold them, too");
    else
        hw_buf_puts(&text, " holds them, too");
    return take(arena, &text);
}

static void tell_site(struct evidence *evidence, const struct hw_growth *growth,
                      const struct hw_candidate *candidate)
{
    const struct hw_site *site = candidate->site;
    struct hw_arena *arena = evidence->arena;
    if (site->has_history && site->joined_total) {
        add_evidence(evidence, tell_lengths(growth, candidate, evidence->suspect, arena));
        add_evidence(evidence, tell_survivors(site, arena));
    } else {
        add_evidence(evidence, tell_births(growth, candidate, "it holds", arena));
    }
    if (candidate->sampled && candidate->freed * 2 < candidate->sampled)
        add_evidence(evidence, tell_sharing(candidate, evidence->suspect, arena));
    if (candidate->kind.type != candidate->kind.member_type || is_mixed(&candidate->kind) ||
        candidate->kind.pattern == HW_PATTERN_FRAME || candidate->kind.resource)
        add_evidence(evidence, tell_kind(growth, candidate, arena));
    add_evidence(evidence, tell_amount("it holds", candidate, arena));
}

/* The reference that breaks the cycle, or one of it; "" where nothing is in a cycle. */
static const char *spell_cycle(const struct hw_growth *growth, const struct hw_candidate *candidate,
                               struct hw_arena *arena)
{
    const struct hw_explained *found = candidate->cycle;
    struct hw_cycle_break first;
    if (!found || !found->cycle.count)
        return "";
    if (!found->weak.count)
        return hw_cycle_words(growth->graph, &found->cycle, arena);
    return hw_break_words(growth->graph, &found->weak.places[0], arena, &first) ? first.place
                                                                                : NULL;
}

static const char *tell_collector(const struct hw_facts *facts, struct hw_arena *arena)
{
    const uint32_t *threshold = facts->gc_threshold;
    if (hw_gc_condition_of(facts) != HW_GC_RARE)
        return hw_arena_strdup(
            arena, facts->gc_enabled ? "the garbage collector is enabled, but its threshold is "
                                       "0, so it never runs"
                                     : "the garbage collector is off");
    return hw_arena_printf(arena,
                           "the garbage collector is on, but gc.get_threshold() is (%" PRIu32
                           ", %" PRIu32 ", %" PRIu32
                           "), which puts a collection of the whole heap off for ever",
                           threshold[0], threshold[1], threshold[2]);
}

static void tell_cycle(struct evidence *evidence, const struct hw_growth *growth,
                       const struct hw_candidate *candidate, const char *place)
{
    struct hw_arena *arena = evidence->arena;
    const char *bytes = hw_bytes_text(arena, (double)candidate->bytes);
    if (candidate->cycle && candidate->cycle->cycle.count)
        add_evidence(evidence, hw_cycle_words(growth->graph, &candidate->cycle->cycle, arena));
    if (candidate->cycle && candidate->cycle->weak.complete)
        add_evidence(evidence, candidate->cycle->weak.count == 1
                                   ? hw_arena_printf(arena, "without %s no cycle is left", place)
                                   : "no single reference breaks all of its cycles");
    add_evidence(evidence, tell_collector(&growth->graph->facts, arena));
    add_evidence(evidence,
                 bytes ? hw_arena_printf(arena, "gc.collect() would free %" PRIu64 " objects, %s",
                                         candidate->objects, bytes)
                       : NULL);
    add_evidence(evidence, tell_births(growth, candidate, "only cycles hold", arena));
}

static void tell_unexplained(struct evidence *evidence, const struct hw_growth *growth,
                             const struct hw_candidate *candidate)
{
    struct hw_arena *arena = evidence->arena;
    add_evidence(evidence,
                 hw_arena_strdup(arena, "their reference counts say that somebody holds them, but "
                                        "no object, frame or C variable that we can read does"));
    add_evidence(evidence, tell_births(growth, candidate, "is held so", arena));
    add_evidence(evidence, tell_amount("they are", candidate, arena));
}

/* The others that have a reference too many; a few may be a matter of the moment. */
static void tell_other_heads(struct evidence *evidence, const struct hw_growth *growth,
                             const struct hw_candidate *candidate)
{
    struct hw_buf text = {0};
    size_t told = 0;
    for (size_t i = 1; i < candidate->head_count; i++) {
        const struct hw_head *head = &candidate->heads[i];
        if (head->objects < HW_JUDGE_UNSEEN_EACH)
            break;
        hw_buf_printf(&text, "%s%" PRIu64 " new %s", told++ ? " and " : "", head->objects,
                      growth->graph->types[head->type].name);
    }
    if (told)
        add_evidence(evidence, hw_arena_printf(evidence->arena, "so have %s", hw_buf_str(&text)));
    hw_buf_deinit(&text);
}

static void tell_native(struct evidence *evidence, const struct hw_growth *growth,
                        const struct hw_candidate *candidate)
{
    const struct hw_audit_row *row = candidate->native;
    const char *type = growth->graph->types[candidate->kind.type].name;
    struct hw_arena *arena = evidence->arena;
    add_evidence(evidence,
                 hw_arena_printf(arena,
                                 "%" PRIu64 " new %s have %" PRIu64 " references more than all "
                                 "that objects, frames, C variables and C memory show",
                                 row->first_objects, type, row->references));
    tell_other_heads(evidence, growth, candidate);
    if (row->lost)
        add_evidence(evidence, hw_arena_printf(arena,
                                               "to %" PRIu64
                                               " of them nothing leads at all: they are alive in "
                                               "the allocator's memory only",
                                               row->lost));
    if (row->sample_count)
        add_evidence(evidence, hw_arena_printf(arena, "they contain %s%s%s", row->samples[0],
                                               row->sample_count > 1 ? ", " : "",
                                               row->sample_count > 1 ? row->samples[1] : ""));
    if (row->library_count)
        add_evidence(evidence, hw_arena_printf(arena, "C variables of %s lie nearest",
                                               row->libraries[0]));
    add_evidence(evidence, tell_births(growth, candidate, "is held so", arena));
    add_evidence(evidence, tell_amount("they are", candidate, arena));
}

/* ---- the suspect ---- */

static bool fill_chains(const struct hw_growth *growth, const struct hw_candidate *candidate,
                        struct hw_arena *arena, struct hw_suspect *suspect, struct hw_err *err)
{
    const struct hw_graph *graph = growth->graph;
    suspect->chain.path = "";
    suspect->also = hw_arena_array(arena, candidate->also_count + 1, sizeof(*suspect->also));
    if (!suspect->also)
        return hw_err_no_memory(err);
    for (size_t i = 0; i < candidate->also_count; i++)
        if (!hw_chain_spell(graph, &growth->tree, HW_NONE, 0, candidate->also[i], arena,
                            &suspect->also[i], err))
            return false;
    suspect->also_count = candidate->also_count;
    if (candidate->site && !hw_chain_spell(graph, &growth->tree, HW_NONE, 0, candidate->site->name,
                                           arena, &suspect->chain, err))
        return false;
    if (candidate->site && candidate->site->is_rooted) {
        uint32_t edge = growth->tree.edge[candidate->site->name];
        suspect->chain.path = hw_arena_printf(arena, "<%ss>", edge_string(graph, edge));
        return suspect->chain.path || hw_err_no_memory(err);
    }
    if (candidate->site && candidate->site->is_merged && candidate->site->way) {
        suspect->chain.path =
            hw_arena_printf(arena, "%s%s", suspect->chain.path, candidate->site->way);
        return suspect->chain.path || hw_err_no_memory(err);
    }
    if (candidate->cycle)
        return hw_hops_steps(graph, candidate->cycle->cycle.hops, candidate->cycle->cycle.count,
                             arena, &suspect->chain) ||
               hw_err_no_memory(err);
    return true;
}

/* The one object that becomes larger is no number of objects; what rose in every interval might
 * have done so by chance once in two to the power of their number. */
static struct hw_pace find_pace(const struct hw_growth *growth,
                                const struct hw_candidate *candidate)
{
    if (candidate->sizes)
        return (struct hw_pace){.confidence = 1 - ldexp(1, 1 - (int)growth->series->count)};
    if (candidate->site)
        return hw_site_pace(growth, candidate->site);
    return hw_births_pace(growth->series, candidate->born);
}

bool hw_suspect_fill(const struct hw_code *code, const struct hw_candidate *candidate,
                     struct hw_arena *arena, struct hw_suspect *suspect, struct hw_err *err)
{
    const struct hw_growth *growth = code->growth;
    const struct hw_series *series = growth->series;
    double seconds = hw_series_seconds(series, 0, series->count - 1);
    struct hw_pace pace = find_pace(growth, candidate);
    *suspect = (struct hw_suspect){
        .pattern = candidate->kind.pattern,
        .verdict = candidate->judgement.verdict,
        .fingerprint = candidate->fingerprint,
        .shape = candidate->shape,
        .type = hw_arena_strdup(arena, growth->graph->types[candidate->kind.type].name),
        .objects_per_second = pace.rate,
        .objects_per_second_low = pace.low,
        .objects_per_second_high = pace.high,
        .confidence = pace.confidence,
        .objects = candidate->objects,
        .held_objects_per_second = (double)candidate->born_total / seconds,
        .bytes_per_second = (double)candidate->born_bytes / seconds,
        .held_objects = candidate->objects,
        .bytes = candidate->bytes,
        .native_bytes = candidate->native_bytes,
        .evidence = hw_arena_array(arena, HW_EVIDENCE_MAX, sizeof(*suspect->evidence)),
    };
    const struct hw_site *site = candidate->site;
    if (site && site->is_container && site->joined_total)
        suspect->objects = site->lengths[series->count - 1];
    if (candidate->native)
        suspect->objects = candidate->native->objects;
    const char *cycle = spell_cycle(growth, candidate, arena);
    if (candidate->kind.carries)
        suspect->carries = hw_arena_strdup(arena, candidate->kind.carries);
    if (!suspect->type || !suspect->evidence || !cycle ||
        (candidate->kind.carries && !suspect->carries))
        return hw_err_no_memory(err);
    if (!fill_chains(growth, candidate, arena, suspect, err))
        return false;
    struct evidence evidence = {.arena = arena, .suspect = suspect};
    if (candidate->sizes)
        tell_sizes(&evidence, growth, candidate);
    else if (candidate->site)
        tell_site(&evidence, growth, candidate);
    else if (candidate->kind.pattern == HW_PATTERN_REFERENCE_CYCLE)
        tell_cycle(&evidence, growth, candidate, cycle);
    else if (candidate->native)
        tell_native(&evidence, growth, candidate);
    else
        tell_unexplained(&evidence, growth, candidate);
    if (evidence.no_memory)
        return hw_err_no_memory(err);
    return hw_cause_fill(code, candidate, cycle, arena, suspect, err);
}

/* Entries that go by their age all stay at first. */
static const char *doubt_expiry(const struct hw_code *code, const struct hw_site *site,
                                const char *path, struct hw_arena *arena)
{
    const struct hw_graph *graph = code->growth->graph;
    hw_id id = site && site->box < graph->object_count ? hw_code_expires(code, site->box) : HW_NONE;
    const char *function = id == HW_NONE ? NULL : hw_code_spell(graph, id, arena);
    return function ? hw_arena_printf(arena,
                                      "%s takes out of %s and looks at a clock: what goes when it "
                                      "is old enough looks like this at first; look again later",
                                      function, path)
                    : NULL;
}

const char *hw_suspect_doubt(const struct hw_code *code, const struct hw_candidate *candidate,
                             const struct hw_suspect *suspect, struct hw_arena *arena)
{
    const struct hw_growth *growth = code->growth;
    const struct hw_series *series = growth->series;
    const struct hw_site *site = candidate->site;
    size_t last = series->count - 1;
    const char *path = suspect->chain.path[0] ? suspect->chain.path : "what nothing holds";
    if (candidate->bound.is_checked)
        return hw_arena_printf(arena,
                               "the length of %s is compared with a limit that is not known "
                               "(%s) and may not have reached it; look again later",
                               path, candidate->bound.where);
    if (candidate->bound.value) {
        double left = (double)candidate->bound.value - (double)site->lengths[last];
        double each = ((double)site->lengths[last] - (double)site->lengths[0]) /
                      hw_series_seconds(series, 0, last);
        return hw_arena_printf(arena,
                               "%s has %" PRIu64 " of at most %" PRIu64
                               " members (%s); look again in %.0f s, when it should be full",
                               path, site->lengths[last], candidate->bound.value,
                               candidate->bound.where, each > 0 ? left / each + 1 : 60.0);
    }
    if (suspect->verdict == HW_VERDICT_LEAK)
        return doubt_expiry(code, site, path, arena);
    switch (candidate->judgement.reason) {
    case HW_JUDGE_TWO_ONLY:
        return hw_arena_printf(arena,
                               "two snapshots show that %s grew, but not whether it goes on: "
                               "take three or more",
                               path);
    case HW_JUDGE_SLOWING_DOWN:
        return hw_arena_printf(arena,
                               "%s grows more slowly than at first and may come to an end: "
                               "look again later",
                               path);
    case HW_JUDGE_UNEVEN:
        return hw_arena_printf(arena, "%s did not grow in every interval: take longer intervals",
                               path);
    case HW_JUDGE_IMPORTING:
        return hw_arena_printf(arena,
                               "modules were imported while the process was watched, and %s grows "
                               "by that: look again when all of them are there",
                               path);
    case HW_JUDGE_STARTING:
        return hw_arena_printf(arena,
                               "the process has worked without a pause since it started, %.0f s "
                               "before the first snapshot: %s may be loading; look again when it "
                               "serves",
                               (double)series->shots[0].facts.uptime_ns / 1e9, path);
    case HW_JUDGE_FILLED:
        return hw_arena_printf(arena,
                               "%s got %" PRIu64 " members in the %.0f s before the first snapshot "
                               "and grows far more slowly now: the last of them may be coming in; "
                               "look again later",
                               path, site->lengths[0],
                               (double)series->shots[0].facts.uptime_ns / 1e9);
    case HW_JUDGE_SESSION:
        return hw_arena_printf(arena,
                               "%s keeps %s until its session ends; a leak of what it tests would "
                               "be a suspect of its own",
                               candidate->session->runner, path);
    case HW_JUDGE_NEW_THREAD:
        return hw_arena_printf(arena,
                               "the thread that holds %s began while the process was watched: look "
                               "again whether it goes on",
                               path);
    case HW_JUDGE_REBUILT:
        return hw_arena_printf(arena,
                               "%s was replaced by a new one while it was watched, with many of "
                               "its old members: cleaning does that; look again after the next one",
                               path);
    case HW_JUDGE_PILING_UP:
        return hw_arena_printf(arena,
                               "much of %s%s goes again, but more comes: a leak beside healthy "
                               "use, as longer intervals tell, or a queue that is not emptied "
                               "fast enough, if it is longer still in an hour",
                               site ? "what comes into " : "", path);
    default:
        return NULL;
    }
}

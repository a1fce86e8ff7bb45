/* SPDX-License-Identifier: Apache-2.0 */
#include "why/memory.h"

#include "account/pins.h"
#include "ask/rules.h"
#include "base/err.h"
#include "why/cause.h"
#include "why/created-native.h"
#include "why/rules.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

enum { PINS_LOOKED_AT = 8, KEPT_BYTES = 16 << 20, KEEPERS_FEW = 8 };
#define KEPT_PART 0.3 /* of the RSS: worth a word */
#define OUTWEIGHS 4.0 /* a Python leak beside it must be so much smaller */
#define OFTEN 0.5     /* of the sparse arenas */
#define BURST 0.1     /* of the growth: so much more than live data may objects have grown */

struct telling {
    struct hw_work *work;
    struct hw_arena *arena;
    const struct hw_memory_trend *trend;
    struct hw_suspect *suspect;
    const char *answer;
    const char *keeper; /* the type of C code of which most came, while Python objects leak */
    int64_t keeper_new;
    bool no_memory;
};

/* Remembers that memory ran out, so that sentences can be nested. */
static const char *told(struct telling *t, const char *text)
{
    t->no_memory |= !text;
    return text ? text : "";
}
#define TELL(t, ...) told((t), hw_arena_printf((t)->arena, __VA_ARGS__))

static const char *bytes(struct telling *t, double n)
{
    return told(t, hw_bytes_text(t->arena, n));
}

static void say(struct telling *t, const char *sentence)
{
    if (t->suspect->evidence_count < HW_EVIDENCE_MAX)
        t->suspect->evidence[t->suspect->evidence_count++] = sentence;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void cause_set(struct telling *t, const char *name)
{
    for (size_t i = 0; i < hw_causes_memory.count; i++) {
        const struct hw_cause *row = &hw_causes_memory.rows[i];
        if (strcmp(row->name, name) != 0)
            continue;
        t->suspect->cause = row->name;
        t->suspect->about = row->about;
        t->suspect->fix = row->fix;
    }
}

/* The same text is signed in every run: no numbers that vary. */
static void sign(struct telling *t)
{
    const char *text = TELL(t, "%s\n%s\n", t->suspect->cause, t->suspect->type);
    t->suspect->fingerprint = TELL(t, "%016" PRIx64, (uint64_t)XXH3_64bits(text, strlen(text)));
}

/* ---- blocks that nobody frees ---- */

static const char *counts_text(struct telling *t)
{
    struct hw_buf text = {0};
    for (size_t k = 0; k < t->work->series->count; k++)
        hw_buf_printf(&text, "%s%" PRIu64, k ? " -> " : "", t->trend->counts[k]);
    const char *copy = told(t, hw_arena_strdup(t->arena, hw_buf_str(&text)));
    hw_buf_deinit(&text);
    return copy;
}

/* How the stacks are known, or why they are not. */
static void sites_evidence(struct telling *t)
{
    const struct hw_facts *facts = &t->work->series->last->facts;
    if (facts->alloc_source != HW_ALLOC_AGENT || !facts->alloc_rate)
        return;
    if (t->suspect->created_count)
        say(t, TELL(t, "%s grew that much since the first snapshot: estimated from samples, one for each %s",
                    t->suspect->created_count > 1 ? "these stacks" : "this stack",
                    bytes(t, (double)facts->alloc_rate)));
    else
        say(t, "of the stacks that heapwhy run has sampled, none grew with it: it may be many that make little "
               "each, or memory that is not taken by calls of malloc or mmap");
}

/* "leak.c:12 in leak_block (leaky.so)" */
static const char *place_text(struct telling *t, const struct hw_site_frame *frame)
{
    const char *line = frame->line ? TELL(t, ":%" PRIu32, frame->line) : "";
    return TELL(t, "%s%s%s%s", file_name(frame->file), line, *frame->function ? " in " : "",
                frame->function);
}

static const char *native_answer(struct telling *t, double rate)
{
    const struct hw_memory_trend *trend = t->trend;
    const char *what = trend->is_estimate ? "" : ", in blocks of many sizes", *where = "";
    if (trend->size)
        what = TELL(t, ", in blocks of %" PRIu64 " bytes that nobody frees", trend->size->block_bytes);
    if (t->suspect->created_count)
        where = TELL(t, ", from %s", place_text(t, t->suspect->created[0].frame));
    else if (trend->size && trend->size->library[0])
        where = TELL(t, ", near %s", file_name(trend->size->library));
    if (trend->domain == HW_DOMAIN_MMAP)
        return TELL(t, "not Python objects: what C code maps grows by %s/s, and nobody unmaps it%s",
                    bytes(t, rate), where);
    return TELL(t, "not Python objects: the native heap grows by %s/s%s%s", bytes(t, rate), what,
                where);
}

static void native_evidence(struct telling *t)
{
    const struct hw_memory_trend *trend = t->trend;
    const struct hw_ledger_native *size = trend->size;
    if (size) {
        say(t, TELL(t, "blocks of %" PRIu64 " bytes went %s in %.1f s", size->block_bytes,
                    counts_text(t), trend->seconds));
        if (size->library[0])
            say(t, TELL(t, "near some of them is %s: they point into it, or it at them",
                        size->library));
        if (size->sample[0])
            say(t, TELL(t, "one of them begins with %s", size->sample));
    }
    if (!trend->is_estimate)
        say(t, TELL(t,
                    "they are in use: malloc has %s free, of which malloc_trim(0) could give back %s",
                    bytes(t, (double)trend->kept_bytes), bytes(t, (double)trend->trim_bytes)));
    sites_evidence(t);
    say(t, TELL(t, "Python objects grew by %s in the same time",
                bytes(t, trend->live_growth > 0 ? trend->live_growth : 0)));
}

static void native_rate(const struct hw_memory_trend *trend, double blocks, struct hw_suspect *suspect)
{
    suspect->objects_per_second = suspect->objects_per_second_low =
        suspect->objects_per_second_high = suspect->held_objects_per_second =
            blocks / trend->seconds;
}

static void native_tell(struct telling *t)
{
    const struct hw_memory_trend *trend = t->trend;
    struct hw_suspect *suspect = t->suspect;
    size_t last = t->work->series->count - 1;
    double rate = trend->growth / trend->seconds;
    suspect->pattern = HW_PATTERN_NATIVE_MEMORY;
    /* The largest request that gets such a block. */
    suspect->type = trend->domain == HW_DOMAIN_MMAP ? "mmap"
                    : trend->size ? TELL(t, "malloc(%" PRIu64 ")", trend->size->block_bytes - 8)
                                  : "malloc";
    suspect->bytes_per_second = rate;
    suspect->verdict = trend->is_settled ? HW_VERDICT_LEAK : HW_VERDICT_INCONCLUSIVE;
    if (trend->size) {
        native_rate(trend, (double)trend->counts[last] - (double)trend->counts[0], suspect);
        suspect->objects = suspect->held_objects = trend->counts[last];
        suspect->bytes = trend->size->bytes;
    }
    t->no_memory |= !hw_created_native_fill(t->work->series, trend, t->arena, suspect);
    if (!trend->size)
        native_rate(trend, (double)suspect->created_known, suspect);
    cause_set(t, trend->domain == HW_DOMAIN_MMAP ? "missing-munmap" : "missing-free");
    native_evidence(t);
    t->answer = native_answer(t, rate);
    if (suspect->created_count)
        suspect->fix =
            TELL(t, "See who has to %s what is allocated at %s: the error paths there and in its callers, and "
                    "functions that return memory which the caller has to give back.",
                 trend->domain == HW_DOMAIN_MMAP ? "unmap" : "free",
                 place_text(t, suspect->created[0].frame));
    if (!trend->is_settled)
        suspect->doubt = "two snapshots show no trend: take three or more";
    else
        suspect->doubt = "a cache of C code that is still filling looks like this, too";
}

/* ---- memory that cannot be given back ---- */

/* A class of the program that is in many of the arenas says more than the strings that it holds. */
static const struct hw_memory_pin *pin_choose(struct telling *t, const struct hw_memory_pin *pins,
                                              size_t count)
{
    const struct hw_graph *graph = t->work->series->last;
    for (size_t i = 0; i < count; i++) {
        bool is_class = false;
        for (uint32_t k = 0; k < graph->type_count; k++)
            is_class |= graph->types[k].flags & HW_TYPE_PYTHON &&
                        !strcmp(graph->types[k].name, pins[i].type);
        if (is_class && (double)pins[i].arenas >= OFTEN * (double)t->trend->sparse_arenas)
            return &pins[i];
    }
    return count ? &pins[0] : NULL;
}

static bool pinned_tell(struct telling *t)
{
    const struct hw_memory_trend *trend = t->trend;
    struct hw_memory_pin *pins = NULL;
    size_t count = 0;
    if (!hw_pins_find(t->work->series->last, PINS_LOOKED_AT, true, t->arena, &pins, &count,
                      t->work->err))
        return false;
    const struct hw_memory_pin *pin = pin_choose(t, pins, count);
    double free_part = trend->arena_bytes
                           ? 100.0 * (double)trend->arena_free_bytes / (double)trend->arena_bytes
                           : 0;
    cause_set(t, "pinned-arenas");
    t->suspect->type = pin ? pin->type : "small blocks";
    t->suspect->chain.path = pin ? pin->path : "";
    t->suspect->shape = t->suspect->chain.path;
    t->suspect->objects = t->suspect->held_objects = pin ? pin->objects : 0;
    t->suspect->bytes = pin ? pin->bytes : 0;
    say(t, TELL(t, "of %s in %" PRIu64 " arenas of Python's allocator %s are free (%.0f %%)",
                bytes(t, (double)trend->arena_bytes), trend->arenas,
                bytes(t, (double)trend->arena_free_bytes), free_part));
    if (pin && trend->sparse_arenas)
        say(t, TELL(t, "%" PRIu64 " of %" PRIu64 " arenas that are at most a quarter full have "
                       "some of %" PRIu64 " %s in them",
                    pin->arenas, trend->sparse_arenas, pin->objects, pin->type));
    t->answer = TELL(t,
                     "not a leak: live data is flat, but the process grows by %s/s: %.0f %% of the "
                     "arenas' memory is free but pinned by %s",
                     bytes(t, trend->rss_growth / trend->seconds), free_part, t->suspect->type);
    return true;
}

static void kept_tell(struct telling *t)
{
    const struct hw_memory_trend *trend = t->trend;
    cause_set(t, "kept-by-malloc");
    t->suspect->type = "malloc";
    t->suspect->bytes = trend->kept_bytes;
    say(t, TELL(t, "malloc keeps %s free; malloc_trim(0) could give back %s",
                bytes(t, (double)trend->kept_bytes), bytes(t, (double)trend->trim_bytes)));
    t->answer = TELL(t,
                     "not a leak: live data is flat, but the process grows by %s/s: malloc keeps "
                     "%s that are free",
                     bytes(t, trend->rss_growth / trend->seconds),
                     bytes(t, (double)trend->kept_bytes));
}

static bool free_tell(struct telling *t)
{
    const struct hw_memory_trend *trend = t->trend;
    t->suspect->pattern = HW_PATTERN_FRAGMENTATION;
    t->suspect->verdict = trend->is_settled ? HW_VERDICT_FRAGMENTATION : HW_VERDICT_INCONCLUSIVE;
    t->suspect->bytes_per_second = trend->growth / trend->seconds;
    if (trend->trend == HW_TREND_KEPT)
        kept_tell(t);
    else if (!pinned_tell(t))
        return false;
    say(t, TELL(t, "the RSS grew by %s in %.1f s, live Python objects by %s",
                bytes(t, trend->rss_growth), trend->seconds,
                bytes(t, trend->live_growth > 0 ? trend->live_growth : 0)));
    if (!trend->is_settled)
        t->suspect->doubt = "two snapshots show no trend: take three or more";
    return true;
}

/* ---- */

/* Bytes in the time of the trend. */
static double leaks_sum(const struct hw_diagnosis *diagnosis, const struct hw_memory_trend *trend)
{
    double rate = 0;
    for (size_t i = 0; i < diagnosis->suspect_count; i++)
        if (diagnosis->suspects[i].verdict == HW_VERDICT_LEAK)
            rate += diagnosis->suspects[i].bytes_per_second;
    return rate * trend->seconds;
}

/* By type: whether its instances are C code's, which may keep memory that we do not see as theirs:
 * their layout is not known, or they stand for something outside. */
static bool *keepers_mark(const struct hw_graph *graph, struct hw_arena *arena)
{
    bool *marks = hw_arena_array(arena, graph->type_count + 1, sizeof(*marks));
    for (hw_id id = 0; marks && id < graph->object_count; id++)
        marks[graph->type[id]] |= (graph->flags[id] & HW_NODE_INFERRED) != 0;
    for (uint32_t t = 0; marks && t < graph->type_count; t++)
        marks[t] = (marks[t] || hw_resource_of(graph, t)) &&
                   !(graph->types[t].flags & HW_TYPE_PYTHON);
    return marks;
}

/* The type of C code of which most came; NULL: of none more than a few. */
static const char *keeper_find(struct telling *t, int64_t *ret_new)
{
    const struct hw_series *series = t->work->series;
    const struct hw_graph *graph = series->last;
    const bool *marks = keepers_mark(graph, t->arena);
    const char *best = NULL;
    t->no_memory |= !marks;
    *ret_new = KEEPERS_FEW;
    for (uint32_t i = 0; marks && i < graph->type_count; i++) {
        int64_t delta = marks[i] ? hw_series_type_delta(series, graph->types[i].name) : 0;
        if (delta <= *ret_new)
            continue;
        best = graph->types[i].name;
        *ret_new = delta;
    }
    return best;
}

/* Python objects that leak explain growth, their own and that of what C code keeps for them. Where
 * live data is flat between bursts, what grew by more than that was seen in a burst. */
static bool objects_explain(const struct telling *t)
{
    const struct hw_diagnosis *diagnosis = &t->work->result->diagnosis;
    const struct hw_memory_trend *trend = t->trend;
    double leaks = leaks_sum(diagnosis, trend);
    if (diagnosis->verdict != HW_VERDICT_LEAK)
        return false;
    if (trend->trend == HW_TREND_NATIVE)
        return t->keeper || trend->growth < OUTWEIGHS * leaks;
    return !trend->is_settled || leaks <= trend->live_growth + BURST * trend->growth;
}

static void bursts_demote(struct hw_diagnosis *diagnosis, const struct hw_memory_trend *trend)
{
    if (trend->trend == HW_TREND_NATIVE)
        return;
    for (size_t i = 0; i < diagnosis->suspect_count; i++)
        if (diagnosis->suspects[i].verdict == HW_VERDICT_LEAK) {
            diagnosis->suspects[i].verdict = HW_VERDICT_INCONCLUSIVE;
            diagnosis->suspects[i].doubt =
                "it was seen in a burst: between bursts live data is flat";
        }
    if (diagnosis->verdict == HW_VERDICT_LEAK)
        diagnosis->verdict = HW_VERDICT_INCONCLUSIVE;
}

/* Room for one more was left. */
static struct hw_suspect *suspect_insert(struct telling *t)
{
    struct hw_diagnosis *diagnosis = &t->work->result->diagnosis;
    memmove(diagnosis->suspects + 1, diagnosis->suspects,
            diagnosis->suspect_count * sizeof(*diagnosis->suspects));
    diagnosis->suspect_count++;
    diagnosis->suspects[0] = (struct hw_suspect){.chain = {.path = ""},
                                                 .shape = "",
                                                 .confidence = 1,
                                                 .cause = "",
                                                 .about = "",
                                                 .fix = ""};
    diagnosis->suspects[0].evidence =
        hw_arena_array(t->arena, HW_EVIDENCE_MAX, sizeof(*diagnosis->suspects[0].evidence));
    t->no_memory |= !diagnosis->suspects[0].evidence;
    return &diagnosis->suspects[0];
}

/* ---- what the user accepts ---- */

static const struct hw_ignore *rule_of(const struct telling *t)
{
    const struct hw_diagnose_options *options = t->work->options;
    for (size_t i = 0; options && i < options->ignore_count; i++) {
        const struct hw_ignore *rule = &options->ignores[i];
        if (!strcasecmp(rule->what, t->suspect->fingerprint) ||
            hw_name_matches(rule->what, t->suspect->type))
            return rule;
    }
    return NULL;
}

static void rule_use(struct hw_diagnosis *diagnosis, const struct hw_ignore *rule)
{
    size_t kept = 0;
    for (size_t i = 0; i < diagnosis->unused_rule_count; i++) {
        if (!strcmp(diagnosis->unused_rules[i], rule->what))
            continue;
        diagnosis->unused_sources[kept] = diagnosis->unused_sources[i];
        diagnosis->unused_rules[kept++] = diagnosis->unused_rules[i];
    }
    diagnosis->unused_rule_count = kept;
}

/* From the suspects to what is ignored, where room for one more was left. */
static void suspect_ignore(struct telling *t, const struct hw_ignore *rule)
{
    struct hw_diagnosis *diagnosis = &t->work->result->diagnosis;
    const struct hw_suspect *suspect = t->suspect;
    diagnosis->ignored[diagnosis->ignored_count++] = (struct hw_ignored){
        .rule = told(t, hw_arena_strdup(t->arena, rule->what)),
        .reason = told(t, hw_arena_strdup(t->arena, rule->reason ? rule->reason : "")),
        .source = told(t, hw_arena_strdup(t->arena, rule->source ? rule->source : "")),
        .type = suspect->type,
        .path = suspect->chain.path,
        .shape = suspect->shape,
        .fingerprint = suspect->fingerprint,
        .verdict = suspect->verdict,
        .objects_per_second = suspect->objects_per_second,
        .bytes_per_second = suspect->bytes_per_second};
    diagnosis->suspect_count--;
    memmove(diagnosis->suspects, diagnosis->suspects + 1,
            diagnosis->suspect_count * sizeof(*diagnosis->suspects));
    rule_use(diagnosis, rule);
    t->work->memory_ignored = true;
}

static bool is_told(const struct telling *t)
{
    return t->trend->trend != HW_TREND_NONE && !objects_explain(t);
}

/* Beside a leak of Python objects: what C code may keep for them. */
static bool doubt_keeper(struct telling *t)
{
    if (t->trend->trend != HW_TREND_NATIVE || !t->keeper)
        return true;
    return hw_work_doubt(
        t->work, TELL(t,
                      "the native heap grows by %s/s, too: probably what the %" PRId64
                      " new %s keep there; if it goes on without them, C code does not free it",
                      bytes(t, t->trend->growth / t->trend->seconds), t->keeper_new, t->keeper));
}

/* Who looks at the RSS after a peak sees what allocators keep. */
static bool doubt_kept(struct telling *t)
{
    const struct hw_memory_trend *trend = t->trend;
    uint64_t kept = trend->kept_bytes + trend->arena_free_bytes;
    if (kept < KEPT_BYTES || (double)kept < KEPT_PART * (double)trend->rss_bytes)
        return true;
    return hw_work_doubt(
        t->work, TELL(t,
                      "%s of %s resident memory are free, but kept by malloc (%s, of which "
                      "malloc_trim(0) could give back %s) and in Python's arenas (%s): no leak, "
                      "see heapwhy memory",
                      bytes(t, (double)kept), bytes(t, (double)trend->rss_bytes),
                      bytes(t, (double)trend->kept_bytes), bytes(t, (double)trend->trim_bytes),
                      bytes(t, (double)trend->arena_free_bytes)));
}

bool hw_work_add_memory(struct hw_work *work, struct hw_memory_trend *ret_trend,
                        const char **ret_answer)
{
    struct hw_diagnosis *diagnosis = &work->result->diagnosis;
    struct telling t = {.work = work, .arena = &work->result->arena, .trend = ret_trend};
    *ret_answer = NULL;
    if (!hw_memory_trend_find(work->series, t.arena, ret_trend))
        return hw_err_no_memory(work->err);
    if (ret_trend->trend == HW_TREND_NATIVE && diagnosis->verdict == HW_VERDICT_LEAK)
        t.keeper = keeper_find(&t, &t.keeper_new);
    if (!is_told(&t))
        return doubt_keeper(&t) && doubt_kept(&t);
    bursts_demote(diagnosis, ret_trend);
    t.suspect = suspect_insert(&t);
    if (t.no_memory)
        return hw_err_no_memory(work->err);
    if (ret_trend->trend == HW_TREND_NATIVE)
        native_tell(&t);
    else if (!free_tell(&t))
        return false;
    sign(&t);
    const struct hw_ignore *rule = t.no_memory ? NULL : rule_of(&t);
    if (rule)
        suspect_ignore(&t, rule);
    if (t.no_memory)
        return hw_err_no_memory(work->err);
    if (rule)
        return true;
    if (diagnosis->verdict != HW_VERDICT_LEAK)
        diagnosis->verdict = t.suspect->verdict;
    *ret_answer = t.answer;
    return !t.suspect->doubt || hw_work_doubt(work, t.suspect->doubt);
}

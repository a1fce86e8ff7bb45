/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/ended.h"
#include "ask/lookup.h"
#include "base/err.h"
#include "collect/gc-state.h"
#include "why/work.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    NOTABLE_OBJECTS = 500,
    GROWN_TYPES = 3,        /* that are named where no place explains the growth */
    GARBAGE_WORTH = 1000,   /* objects that wait for the collector and deserve a word */
    THREADS_MAX = 1024,     /* that are ignored and looked at */
    RSS_RATE = 1000 * 1000, /* bytes a second that objects do not explain */
};
#define NOTABLE 0.05 /* growth of the whole that must be explained */

bool hw_work_doubt(struct hw_work *work, const char *doubt)
{
    struct hw_diagnosis *diagnosis = &work->result->diagnosis;
    if (!doubt)
        return hw_err_no_memory(work->err);
    if (diagnosis->doubt_count < HW_DOUBTS_MAX)
        diagnosis->doubts[diagnosis->doubt_count++] = doubt;
    return true;
}

static bool doubt_garbage(struct hw_work *work)
{
    enum hw_gc_condition condition = hw_gc_condition_of(&work->growth.graph->facts);
    if (work->new_garbage < GARBAGE_WORTH || hw_gc_never_full(condition))
        return true;
    if (condition == HW_GC_HELD_BACK)
        return hw_work_doubt(
            work, hw_arena_printf(&work->result->arena,
                                  "%" PRIu64 " new objects wait in cycles for a collection "
                                  "of the whole heap, which comes when a quarter as much "
                                  "is new as survived the last one; they are no leak",
                                  work->new_garbage));
    return hw_work_doubt(work,
                         hw_arena_printf(&work->result->arena,
                                         "%" PRIu64 " new objects wait in cycles for the garbage "
                                         "collector, which is on; they are no leak",
                                         work->new_garbage));
}

/* A young process that starts up and one that leaks look alike. */
static bool doubt_young(struct hw_work *work)
{
    const struct hw_series *series = work->series;
    double age = (double)series->shots[0].facts.uptime_ns / 1e9;
    double seconds = hw_series_seconds(series, 0, series->count - 1);
    if (work->result->diagnosis.verdict != HW_VERDICT_LEAK || age <= 0 || age >= seconds)
        return true;
    return hw_work_doubt(work,
                         hw_arena_printf(&work->result->arena,
                                         "the process started %.0f s before the first snapshot: "
                                         "what still starts up looks like this, too; look again "
                                         "later",
                                         age));
}

static bool doubt_torn(struct hw_work *work)
{
    for (size_t k = 0; k < work->series->count; k++)
        if (work->series->shots[k].facts.collector_running)
            return hw_work_doubt(work,
                                 hw_arena_printf(&work->result->arena,
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

/* The same as the ledger has it, resident, with data whose objects a program that looks at itself leaves
 * out: its own snapshots. 0: there is no ledger. */
static double shot_resident(const struct hw_series_shot *shot)
{
    return (double)hw_ledger_rss(&shot->ledger, HW_MEMORY_OBJECTS) +
           (double)hw_ledger_rss(&shot->ledger, HW_MEMORY_OBJECT_DATA);
}

/* Memory that grows while objects do not: C code, or the allocators. */
static bool doubt_native(struct hw_work *work)
{
    const struct hw_series *series = work->series;
    struct hw_diagnosis *diagnosis = &work->result->diagnosis;
    size_t last = series->count - 1;
    if (work->memory_answer || work->memory_ignored)
        return true;
    for (size_t k = 1; k <= last; k++)
        if (series->shots[k].facts.rss_bytes <= series->shots[k - 1].facts.rss_bytes)
            return true;
    double seconds = hw_series_seconds(series, 0, last);
    double rss = (double)(series->shots[last].facts.rss_bytes - series->shots[0].facts.rss_bytes);
    double objects = fmax(shot_bytes(&series->shots[last]) - shot_bytes(&series->shots[0]),
                          shot_resident(&series->shots[last]) - shot_resident(&series->shots[0]));
    if (rss / seconds < RSS_RATE || objects * 2 > rss)
        return true;
    if (diagnosis->verdict == HW_VERDICT_STEADY && last >= 2)
        diagnosis->verdict = HW_VERDICT_INCONCLUSIVE;
    const char *text = hw_bytes_text(&work->result->arena, rss / seconds);
    return hw_work_doubt(work,
                         text ? hw_arena_printf(&work->result->arena,
                                                "the process grows by %s/s of memory that is not "
                                                "in Python objects: C extensions or allocators",
                                                text)
                              : NULL);
}

/* ---- growth that no place explains ---- */

/* By a notable share, and in every interval by about as much as in the others. */
static bool grows_throughout(const struct hw_work *work, bool bytes)
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
static bool first_ones_stay(const struct hw_work *work)
{
    const struct hw_growth *growth = &work->growth;
    const struct hw_series_shot *shots = work->series->shots;
    double stayed = 0;
    for (hw_id id = 0; id < growth->graph->object_count; id++)
        stayed += growth->birth[id] == 1 && !work->garbage.is_garbage[id];
    return stayed >= HW_JUDGE_KEPT * ((double)shots[1].count - (double)shots[0].count);
}

static const char *tell_grown_types(struct hw_work *work)
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
            int64_t delta = is_told ? 0 : hw_series_type_delta(work->series, last->types[i].name);
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

/* Kernel ids of new threads whose objects are of a type that is ignored. */
static size_t list_ignored_threads(const struct hw_work *work, int32_t *tids)
{
    const struct hw_growth *growth = &work->growth;
    const struct hw_graph *graph = growth->graph;
    const struct hw_diagnosis *diagnosis = &work->result->diagnosis;
    size_t count = 0;
    for (hw_id id = 0; id < graph->object_count && count < THREADS_MAX; id++) {
        bool ignored = false;
        if (!is_new(growth, id) || !type_has(graph, id, HW_TYPE_PYTHON))
            continue;
        for (size_t i = 0; !ignored && i < diagnosis->ignored_count; i++)
            ignored = strcmp(type_of(graph, id)->name, diagnosis->ignored[i].type) == 0;
        int32_t tid = ignored ? hw_thread_tid(graph, id) : 0;
        if (tid)
            tids[count++] = tid;
    }
    return count;
}

static bool runs_in(const struct hw_synthetic *synthetic, const int32_t *tids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (synthetic->tid == tids[i])
            return true;
    return false;
}

/* Who ignores threads ignores what their functions have in their variables. */
static bool add_threads(const struct hw_work *work, double *objects, double *bytes)
{
    const struct hw_growth *growth = &work->growth;
    const struct hw_tree *tree = &growth->tree;
    int32_t tids[THREADS_MAX];
    size_t count = list_ignored_threads(work, tids);
    if (!count)
        return true;
    uint8_t *inside = calloc(growth->graph->node_count, 1);
    for (uint32_t i = 0; inside && i < tree->count; i++) {
        hw_id id = tree->order[i];
        const struct hw_synthetic *synthetic = hw_graph_synthetic(growth->graph, id);
        inside[id] = synthetic ? runs_in(synthetic, tids, count)
                               : tree->parent[id] != HW_NONE && inside[tree->parent[id]];
        if (synthetic || !inside[id] || !is_new(growth, id))
            continue;
        *objects += 1;
        *bytes += (double)hw_graph_weight(growth->graph, id);
    }
    bool ok = inside != NULL;
    free(inside);
    return ok;
}

/* Whether what the user ignores is most of the growth. */
static bool ignored_explain(const struct hw_work *work)
{
    const struct hw_series *series = work->series;
    const struct hw_diagnosis *diagnosis = &work->result->diagnosis;
    size_t last = series->count - 1;
    double seconds = hw_series_seconds(series, 0, last), objects = 0, bytes = 0;
    for (size_t i = 0; i < diagnosis->ignored_count; i++) {
        objects += diagnosis->ignored[i].objects_per_second * seconds;
        bytes += diagnosis->ignored[i].bytes_per_second * seconds;
    }
    return diagnosis->ignored_count && add_threads(work, &objects, &bytes) &&
           2 * objects >= (double)series->shots[last].count - (double)series->shots[0].count &&
           2 * bytes >= (double)series->shots[last].bytes - (double)series->shots[0].bytes;
}

static bool doubt_total(struct hw_work *work)
{
    struct hw_diagnosis *diagnosis = &work->result->diagnosis;
    struct hw_arena *arena = &work->result->arena;
    if (diagnosis->verdict != HW_VERDICT_STEADY || ignored_explain(work))
        return true;
    if (grows_throughout(work, false) && first_ones_stay(work)) {
        const char *types = tell_grown_types(work);
        diagnosis->verdict = HW_VERDICT_INCONCLUSIVE;
        return hw_work_doubt(work, types
                                       ? hw_arena_printf(arena,
                                                         "the number of objects grew in every "
                                                         "interval, but no one place explains it: "
                                                         "%s; look again later",
                                                         types)
                                       : NULL);
    }
    if (!grows_throughout(work, true))
        return true;
    diagnosis->verdict = HW_VERDICT_INCONCLUSIVE;
    return hw_work_doubt(work,
                         hw_arena_strdup(arena, "the bytes of all objects grew in every interval, "
                                                "but no one place explains it: objects that are "
                                                "replaced by larger ones; look again later"));
}

bool hw_work_doubts(struct hw_work *work)
{
    return doubt_young(work) && doubt_garbage(work) && doubt_torn(work) && doubt_total(work) &&
           hw_work_doubt_unowned(work) && doubt_native(work);
}

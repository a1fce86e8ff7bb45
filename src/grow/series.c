/* SPDX-License-Identifier: Apache-2.0 */
#include "grow/series.h"

#include "ask/lookup.h"
#include "base/err.h"
#include "resource/owned.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

bool hw_edge_is_member(const struct hw_graph *graph, uint32_t edge)
{
    const uint32_t members =
        1u << HW_LABEL_VALUE | 1u << HW_LABEL_NAMED | 1u << HW_LABEL_INDEX | 1u << HW_LABEL_MEMBER;
    return members >> edge_kind(graph, edge) & 1;
}

double hw_series_seconds(const struct hw_series *series, size_t a, size_t b)
{
    double seconds =
        (double)(series->shots[b].facts.taken_at_ns - series->shots[a].facts.taken_at_ns) / 1e9;
    return seconds > 0.001 ? seconds : 0.001;
}

/* ---- keeping ---- */

static uint32_t hash_text(const char *text)
{
    uint32_t hash = 2166136261u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}

/* A leaf is what it says; other objects that never change their size are told by that too. */
static uint32_t constant_part(const struct hw_graph *graph, hw_id id)
{
    char value[HW_VALUE_MAX_BYTES + 1];
    size_t bytes = 0;
    if (!(graph->flags[id] & HW_NODE_LEAF) && !type_has(graph, id, HW_TYPE_TUPLE))
        return 0;
    /* As it is packed: making text of millions of numbers takes longer than all the rest. */
    if (graph->flags[id] & HW_NODE_LEAF)
        bytes = hw_values_get(&((struct hw_graph *)graph)->values, id, value, sizeof(value));
    return (uint32_t)XXH3_64bits_withSeed(value, bytes, graph->size[id]);
}

static void fill_kinds(struct hw_series_shot *shot, const struct hw_graph *graph,
                       const uint32_t *hashes)
{
    for (hw_id id = 0; id < graph->object_count; id++)
        shot->kind[id] = hashes[graph->type[id]] ^ constant_part(graph, id);
}

static void fill_members(struct hw_series_shot *shot, const struct hw_graph *graph)
{
    for (hw_id id = 0; id < graph->object_count; id++) {
        uint32_t n = 0;
        for (uint32_t e = graph->edge_start[id]; e < graph->edge_start[id + 1]; e++)
            n += hw_edge_is_member(graph, e);
        shot->members[id] = n;
    }
}

uint32_t hw_holders_one(hw_addr addr)
{
    uint32_t hash = (uint32_t)((addr >> 4) * 0x9e3779b97f4a7c15u >> 33);
    return hash ? hash : 1;
}

static uint32_t holder_bit(uint32_t hash)
{
    return 1u << hash % HW_HOLDERS_BITS;
}

static uint32_t add_holder(uint32_t holders, uint32_t hash)
{
    if (!holders || holders == hash)
        return hash;
    if (!(holders & HW_HOLDERS_MANY))
        holders = HW_HOLDERS_MANY | holder_bit(holders);
    return holders | holder_bit(hash);
}

bool hw_holders_meet(uint32_t a, uint32_t b)
{
    if (!a || !b || !((a | b) & HW_HOLDERS_MANY))
        return a && a == b;
    a = a & HW_HOLDERS_MANY ? a & ~HW_HOLDERS_MANY : holder_bit(a);
    b = b & HW_HOLDERS_MANY ? b & ~HW_HOLDERS_MANY : holder_bit(b);
    return a & b;
}

static void fill_holders(struct hw_series_shot *shot, const struct hw_graph *graph)
{
    struct hw_series_cursor cursor = {.shot = shot};
    memset(shot->holders, 0, graph->object_count * sizeof(*shot->holders));
    for (hw_id id = 0; id < graph->object_count; id++) {
        cursor.row = id;
        uint32_t hash = hw_holders_one(cursor_addr(&cursor));
        for (uint32_t e = graph->edge_start[id]; e < graph->edge_start[id + 1]; e++) {
            hw_id to = graph->edge_to[e];
            if (to < graph->object_count)
                shot->holders[to] = add_holder(shot->holders[to], hash);
        }
    }
}

static void drop_columns(struct hw_series_shot *shot)
{
    free(shot->where);
    free(shot->kind);
    free(shot->size);
    free(shot->outside);
    hw_slots_deinit(&shot->slots);
    free(shot->members);
    free(shot->holders);
    free(shot->spans);
    shot->where = shot->kind = shot->size = shot->members = shot->holders = NULL;
    shot->outside = NULL;
    shot->spans = NULL;
}

static bool keep_types(struct hw_series *series, struct hw_series_shot *shot,
                       const struct hw_graph *graph, struct hw_err *err)
{
    struct hw_types *types;
    if (!hw_types_ask(graph, &types, err))
        return false;
    shot->types = hw_arena_array(&series->arena, types->row_count + 1, sizeof(*shot->types));
    shot->type_count = types->row_count;
    bool ok = shot->types != NULL;
    for (size_t i = 0; ok && i < types->row_count; i++) {
        shot->types[i] = types->rows[i];
        shot->types[i].name = hw_arena_strdup(&series->arena, types->rows[i].name);
        ok = shot->types[i].name != NULL;
    }
    shot->bytes = types->bytes;
    shot->native_bytes = types->native_bytes;
    hw_types_destroy(types);
    return ok || hw_err_no_memory(err);
}

static bool count_unowned(struct hw_series_shot *shot, const struct hw_graph *graph,
                          struct hw_err *err)
{
    struct hw_lineage lineage;
    struct hw_owned owned;
    if (!graph->facts.system_recorded)
        return true;
    if (!hw_lineage_init(&lineage, graph, err))
        return false;
    bool ok = hw_owned_init(&owned, graph, &lineage, err);
    if (ok) {
        shot->unowned = hw_owned_count_none(&owned, graph);
        hw_owned_deinit(&owned);
    }
    hw_lineage_deinit(&lineage);
    return ok;
}

static int by_tid(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return x < y ? -1 : x > y;
}

static bool keep_threads(struct hw_series *series, struct hw_series_shot *shot,
                         const struct hw_graph *graph, struct hw_err *err)
{
    size_t most = graph->node_count - graph->object_count;
    shot->tids = hw_arena_array(&series->arena, most + 1, sizeof(*shot->tids));
    if (!shot->tids)
        return hw_err_no_memory(err);
    for (size_t i = 0; i < most; i++)
        if (graph->synthetic[i].tid)
            shot->tids[shot->tid_count++] = graph->synthetic[i].tid;
    qsort(shot->tids, shot->tid_count, sizeof(*shot->tids), by_tid);
    return true;
}

bool hw_series_has_thread(const struct hw_series *series, size_t n, int32_t tid)
{
    const struct hw_series_shot *shot = &series->shots[n];
    return shot->tid_count &&
           bsearch(&tid, shot->tids, shot->tid_count, sizeof(*shot->tids), by_tid);
}

/* Python makes it first and keeps it to the end. With randomised addresses each run of a program
 * has it elsewhere. */
static hw_addr modules_addr(const struct hw_graph *graph)
{
    hw_id modules = hw_modules_dict(graph);
    return modules == HW_NONE ? 0 : hw_graph_addr(graph, modules);
}

static size_t merge_outside(struct hw_big_size *out, const struct hw_graph *graph)
{
    size_t n = 0, b = 0;
    for (size_t i = 0; i < graph->native_count || b < graph->big_count;) {
        bool native = i < graph->native_count;
        bool big = b < graph->big_count && (!native || graph->big[b].id <= graph->native[i].id);
        native = native && (!big || graph->native[i].id == graph->big[b].id);
        struct hw_big_size row = {big ? graph->big[b].id : graph->native[i].id, 0};
        if (big)
            row.bytes = graph->big[b++].bytes - HW_BIG_SIZE;
        if (native)
            row.bytes += graph->native[i++].bytes;
        out[n++] = row;
    }
    return n;
}

static bool keep_columns(struct hw_series_shot *shot, const struct hw_graph *graph,
                         struct hw_err *err)
{
    size_t n = graph->object_count ? graph->object_count : 1;
    size_t spans = graph->span_count ? graph->span_count : 1;
    uint32_t *hashes = malloc((graph->type_count + 1) * sizeof(*hashes));
    shot->span_count = graph->span_count;
    shot->where = malloc(n * sizeof(*shot->where));
    shot->kind = malloc(n * sizeof(*shot->kind));
    shot->size = malloc(n * sizeof(*shot->size));
    shot->members = malloc(n * sizeof(*shot->members));
    shot->holders = malloc(n * sizeof(*shot->holders));
    shot->spans = malloc(spans * sizeof(*shot->spans));
    shot->outside = malloc((graph->native_count + graph->big_count + 1) * sizeof(*shot->outside));
    bool ok = hashes && shot->where && shot->kind && shot->size && shot->members && shot->holders &&
              shot->spans && shot->outside;
    if (ok) {
        for (uint32_t t = 0; t < graph->type_count; t++)
            hashes[t] = hash_text(graph->types[t].name);
        if (graph->object_count)
            memcpy(shot->size, graph->size, graph->object_count * sizeof(*shot->size));
        if (graph->object_count)
            memcpy(shot->where, graph->where, graph->object_count * sizeof(*shot->where));
        if (graph->span_count)
            memcpy(shot->spans, graph->spans, graph->span_count * sizeof(*shot->spans));
        shot->outside_count = merge_outside(shot->outside, graph);
        fill_kinds(shot, graph, hashes);
        fill_members(shot, graph);
        fill_holders(shot, graph);
    }
    free(hashes);
    if (!ok)
        hw_err_no_memory(err);
    ok = ok && hw_slots_init(&shot->slots, graph, shot->members, err);
    if (!ok)
        drop_columns(shot);
    return ok;
}

/* The file's name, without what the kernel appends when another file has replaced it. */
static size_t executable_length(const struct hw_facts *facts)
{
    static const char deleted[] = " (deleted)";
    size_t n = strlen(facts->executable), end = sizeof(deleted) - 1;
    return n > end && strcmp(facts->executable + n - end, deleted) == 0 ? n - end : n;
}

/* Scripts by the names that they were given; while Python starts they are "-m" or "-c". */
static bool is_other_script(const char *before, const char *now)
{
    return *before && *before != '-' && *now && strcmp(before, now) != 0;
}

/* exec() keeps pid and start time. */
static bool same_program(const struct hw_series *series, const struct hw_graph *graph,
                         struct hw_err *err)
{
    const struct hw_series_shot *shot = &series->shots[series->count - 1];
    const struct hw_facts *before = &shot->facts, *now = &graph->facts;
    size_t n = executable_length(before);
    hw_addr modules = modules_addr(graph);
    if (before->python_version == now->python_version && n == executable_length(now) &&
        memcmp(before->executable, now->executable, n) == 0 &&
        !is_other_script(before->main_script, now->main_script) &&
        (!shot->modules_addr || !modules || shot->modules_addr == modules))
        return true;
    if (strcmp(before->main_script, now->main_script) == 0 &&
        strcmp(before->executable, now->executable) == 0)
        return hw_err_set(err, HW_ERR_USAGE,
                          "process %d runs another program now: it has started %s %s anew",
                          now->pid, now->executable, now->main_script);
    return hw_err_set(err, HW_ERR_USAGE,
                      "process %d runs another program now: %s %s, not %s %s as before", now->pid,
                      now->executable, now->main_script, before->executable, before->main_script);
}

static bool fits(const struct hw_series *series, const struct hw_graph *graph, struct hw_err *err)
{
    if (!series->count)
        return true;
    const struct hw_facts *before = &series->shots[series->count - 1].facts;
    if (before->pid == graph->facts.pid && before->start_time != graph->facts.start_time)
        return hw_err_set(err, HW_ERR_USAGE,
                          "process %d exited, and another process has its number now", before->pid);
    if (before->pid != graph->facts.pid)
        return hw_err_set(err, HW_ERR_USAGE, "the snapshots are of different processes (%d and %d)",
                          before->pid, graph->facts.pid);
    if (!same_program(series, graph, err))
        return false;
    if (graph->facts.taken_at_ns < before->taken_at_ns)
        return hw_err_set(err, HW_ERR_USAGE,
                          "the snapshots are not in order of time: give the oldest first");
    if (series->count == HW_SERIES_MAX)
        return hw_err_set(err, HW_ERR_LIMIT, "more than %d snapshots", HW_SERIES_MAX);
    return true;
}

bool hw_series_create(struct hw_series **ret_series, struct hw_err *err)
{
    struct hw_series *series = calloc(1, sizeof(*series));
    if (!series)
        return hw_err_no_memory(err);
    *ret_series = series;
    return true;
}

void hw_series_destroy(struct hw_series *series)
{
    if (!series)
        return;
    for (size_t i = 0; i < series->count; i++) {
        drop_columns(&series->shots[i]);
        hw_ledger_deinit(&series->shots[i].ledger);
    }
    free(series->shots);
    hw_graph_destroy(series->last);
    hw_arena_deinit(&series->arena);
    free(series);
}

static bool add_shot(struct hw_series *series, const struct hw_graph *graph, struct hw_err *err)
{
    struct hw_series_shot *shots =
        realloc(series->shots, (series->count + 1) * sizeof(*series->shots));
    if (!shots)
        return hw_err_no_memory(err);
    series->shots = shots;
    struct hw_series_shot shot = {
        .facts = graph->facts, .modules_addr = modules_addr(graph), .count = graph->object_count};
    if (!keep_types(series, &shot, graph, err) || !keep_threads(series, &shot, graph, err) ||
        !count_unowned(&shot, graph, err))
        return false;
    if (series->count && !shots[0].where && !keep_columns(&shots[0], series->last, err))
        return false;
    if (series->count && !keep_columns(&shot, graph, err))
        return false;
    if (!hw_native_sites_read(graph, &series->arena, &shot.native_sites) ||
        !hw_ledger_copy(&graph->ledger, &series->arena, &shot.ledger)) {
        drop_columns(&shot);
        return hw_err_no_memory(err);
    }
    shots[series->count++] = shot;
    return true;
}

bool hw_series_add(struct hw_series *series, struct hw_graph *graph, struct hw_err *err)
{
    if (!fits(series, graph, err) || !add_shot(series, graph, err)) {
        hw_graph_destroy(graph);
        return false;
    }
    hw_graph_destroy(series->last);
    series->last = graph;
    return true;
}

size_t hw_series_count(const struct hw_series *series)
{
    return series->count;
}

const struct hw_graph *hw_series_last(const struct hw_series *series)
{
    return series->last;
}

/* ---- comparing ---- */

static bool position_of(const struct hw_series_shot *shot, hw_addr addr, uint32_t *ret_position)
{
    for (size_t i = 0; i < shot->span_count; i++) {
        const struct hw_span *span = &shot->spans[i];
        if (addr < span->start || addr >= span->end)
            continue;
        *ret_position = span->first + (uint32_t)((addr - span->start) >> span->shift);
        return true;
    }
    return false;
}

/* The row of object id of the last graph in snapshot n; HW_NONE when it was not there. */
static uint32_t row_of(const struct hw_series *series, size_t n, hw_id id)
{
    const struct hw_series_shot *shot = &series->shots[n];
    uint32_t position, kind = series->shots[series->count - 1].kind[id];
    if (!position_of(shot, hw_graph_addr(series->last, id), &position))
        return HW_NONE;
    for (uint32_t low = 0, high = shot->count; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        if (shot->where[middle] == position)
            return shot->kind[middle] == kind ? middle : HW_NONE;
        if (shot->where[middle] < position)
            low = middle + 1;
        else
            high = middle;
    }
    return HW_NONE;
}

uint32_t hw_series_members(const struct hw_series *series, size_t n, hw_id id)
{
    uint32_t row = row_of(series, n, id);
    return row == HW_NONE ? 0 : series->shots[n].members[row];
}

uint32_t hw_series_holders(const struct hw_series *series, size_t n, hw_id id)
{
    uint32_t row = row_of(series, n, id);
    return row == HW_NONE ? 0 : series->shots[n].holders[row];
}

uint64_t hw_series_size(const struct hw_series *series, size_t n, hw_id id)
{
    const struct hw_series_shot *shot = &series->shots[n];
    uint32_t row = row_of(series, n, id);
    if (row == HW_NONE)
        return 0;
    return shot->size[row] + hw_sizes_find(shot->outside, shot->outside_count, row);
}

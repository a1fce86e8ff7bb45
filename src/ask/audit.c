/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/extension.h"
#include "ask/lookup.h"
#include "ask/residual.h"
#include "ask/sample.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

struct audit_result {
    struct hw_audit audit;
    struct hw_arena arena;
    int32_t pid;
    uint64_t start_time;
    int64_t first_taken_at_ns, taken_at_ns;
};

struct work {
    const struct hw_graph *graph;
    struct hw_residuals residuals;
    struct hw_audit_row *rows; /* by type */
    struct hw_audit_row *busy;
    struct hw_audit_row *words;
    uint8_t *reached; /* by node */
    hw_id *stack;     /* room for every node */
    struct audit_result *result;
    struct hw_err *err;
};

/* A word on a stack keeps nothing alive. */
static bool is_stale(const struct hw_graph *graph, hw_id from, uint32_t edge)
{
    return from >= graph->object_count && edge_kind(graph, edge) == HW_LABEL_WORD &&
           graph->synthetic[from - graph->object_count].kind == HW_SYN_NATIVE_STACK;
}

/* Marks what start leads to and nobody reached before. The sums may be NULL. */
static void reach(struct work *work, hw_id start, uint64_t *objects, uint64_t *bytes)
{
    const struct hw_graph *graph = work->graph;
    size_t depth = 0;
    if (work->reached[start])
        return;
    work->reached[start] = 1;
    work->stack[depth++] = start;
    while (depth) {
        hw_id id = work->stack[--depth];
        if (objects && id < graph->object_count) {
            ++*objects;
            *bytes += hw_graph_weight(graph, id);
        }
        for (uint32_t e = graph->edge_start[id]; e < graph->edge_start[id + 1]; e++) {
            hw_id to = graph->edge_to[e];
            if (!work->reached[to] && !is_stale(graph, id, e)) {
                work->reached[to] = 1;
                work->stack[depth++] = to;
            }
        }
    }
}

static void reach_from_roots(struct work *work)
{
    const struct hw_graph *graph = work->graph;
    for (hw_id id = graph->object_count; id < graph->node_count; id++)
        reach(work, id, NULL, NULL);
    for (size_t i = 0; i < graph->held_count; i++)
        if (!work->residuals.left[graph->held[i].id])
            reach(work, graph->held[i].id, NULL, NULL);
}

static void add(struct hw_audit_row *row, const struct hw_graph *graph, hw_id id,
                uint64_t references)
{
    if (!row->objects++) {
        row->type = type_of(graph, id)->name;
        row->example = id;
        row->example_addr = hw_graph_addr(graph, id);
    }
    row->references += references;
    row->lost += (graph->flags[id] & HW_NODE_LOST) != 0;
    row->bytes += hw_graph_weight(graph, id);
}

static bool add_sample(struct work *work, struct hw_audit_row *row, hw_id id)
{
    const char *text;
    if (row->sample_count == HW_AUDIT_SAMPLES_MAX)
        return true;
    if (!hw_sample_spell(work->graph, id, &work->result->arena, &text))
        return hw_err_no_memory(work->err);
    for (size_t i = 0; i < row->sample_count; i++)
        if (strcmp(row->samples[i], text) == 0)
            return true;
    if (*text)
        row->samples[row->sample_count++] = text;
    return true;
}

static bool add_objects(struct work *work)
{
    const struct hw_graph *graph = work->graph;
    struct hw_audit *audit = &work->result->audit;
    for (hw_id id = 0; id < graph->object_count; id++) {
        uint32_t left = work->residuals.left[id];
        struct hw_audit_row *row = &work->rows[graph->type[id]];
        if (left) {
            add(row, graph, id, left);
            reach(work, id, &row->held_objects, &row->held_bytes);
            audit->objects++;
            audit->references += left;
            audit->lost += (graph->flags[id] & HW_NODE_LOST) != 0;
            if (!add_sample(work, row, id))
                return false;
        } else if (work->residuals.busy[id]) {
            add(&work->busy[graph->type[id]], graph, id, work->residuals.busy[id]);
            audit->busy_objects++;
        } else if (work->residuals.words[id]) {
            add(&work->words[graph->type[id]], graph, id, work->residuals.words[id]);
            audit->word_objects++;
        }
    }
    return true;
}

static int by_growth(const void *a, const void *b)
{
    const struct hw_audit_row *x = a, *y = b;
    if (x->grows != y->grows)
        return x->grows ? -1 : 1;
    if (x->held_bytes != y->held_bytes)
        return x->held_bytes > y->held_bytes ? -1 : 1;
    if (x->references != y->references)
        return x->references > y->references ? -1 : 1;
    return strcmp(x->type, y->type);
}

/* Two classes may carry one name: they share a row. */
static void merge(struct hw_audit_row *to, const struct hw_audit_row *from)
{
    to->objects += from->objects;
    to->references += from->references;
    to->lost += from->lost;
    to->bytes += from->bytes;
    to->held_objects += from->held_objects;
    to->held_bytes += from->held_bytes;
    for (size_t i = 0; i < from->sample_count && to->sample_count < HW_AUDIT_SAMPLES_MAX; i++)
        to->samples[to->sample_count++] = from->samples[i];
}

static int by_name(const void *a, const void *b)
{
    const struct hw_audit_row *x = a, *y = b;
    return strcmp(x->type ? x->type : "", y->type ? y->type : "");
}

/* Keeps the rows that have objects, in result's arena. */
static bool keep_rows(struct work *work, struct hw_audit_row *rows, struct hw_audit_row **ret_rows,
                      size_t *ret_count)
{
    struct hw_arena *arena = &work->result->arena;
    size_t count = 0;
    qsort(rows, work->graph->type_count, sizeof(*rows), by_name);
    for (uint32_t t = 0; t < work->graph->type_count; t++) {
        if (!rows[t].objects)
            continue;
        if (count && strcmp(rows[count - 1].type, rows[t].type) == 0)
            merge(&rows[count - 1], &rows[t]);
        else
            rows[count++] = rows[t];
    }
    struct hw_audit_row *kept = hw_arena_array(arena, count + 1, sizeof(*kept));
    for (size_t i = 0; kept && i < count; i++) {
        kept[i] = rows[i];
        kept[i].type = hw_arena_strdup(arena, rows[i].type);
        if (!kept[i].type)
            return hw_err_no_memory(work->err);
    }
    *ret_rows = kept;
    *ret_count = count;
    return kept || hw_err_no_memory(work->err);
}

static const struct hw_audit_row *find_row(const struct hw_audit_row *rows, size_t count,
                                           const char *type)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].type, type) == 0)
            return &rows[i];
    return NULL;
}

/* A type grows that had more in each look than in the one before; the first look shows no growth. */
static void compare(struct hw_audit_row *row, const struct hw_audit_row *was, size_t looks_before)
{
    row->first_objects = was ? looks_before > 1 ? was->first_objects : was->objects : 0;
    row->first_references = was ? looks_before > 1 ? was->first_references : was->references : 0;
    row->grows = row->references > (was ? was->references : 0) &&
                 (looks_before == 1 || (was && was->grows));
}

static void compare_rows(struct hw_audit *audit, const struct hw_audit *before)
{
    for (size_t i = 0; i < audit->row_count; i++) {
        struct hw_audit_row *row = &audit->rows[i];
        compare(row, find_row(before->rows, before->row_count, row->type), before->looks);
        audit->leaks |= row->grows;
    }
    for (size_t i = 0; i < audit->word_count; i++) {
        struct hw_audit_row *row = &audit->words[i];
        compare(row, find_row(before->words, before->word_count, row->type), before->looks);
    }
}

static bool follow(struct work *work, const struct hw_audit *before)
{
    struct audit_result *result = work->result;
    const struct audit_result *was = (const struct audit_result *)before;
    result->audit.looks = 1;
    if (!before)
        return true;
    if (was->pid != result->pid || was->start_time != result->start_time)
        return hw_err_set(work->err, HW_ERR_USAGE,
                          "the snapshots are of different processes, %d and %d", was->pid,
                          result->pid);
    if (was->taken_at_ns >= result->taken_at_ns)
        return hw_err_set(work->err, HW_ERR_USAGE, "the snapshots are not in the order of time");
    result->first_taken_at_ns = was->first_taken_at_ns;
    result->audit.looks = before->looks + 1;
    result->audit.seconds = (double)(result->taken_at_ns - was->first_taken_at_ns) / 1e9;
    compare_rows(&result->audit, before);
    return true;
}

static bool fill(struct work *work, const struct hw_audit *before)
{
    const struct hw_graph *graph = work->graph;
    struct hw_audit *audit = &work->result->audit;
    audit->examined = work->residuals.examined;
    audit->exact = work->residuals.exact;
    audit->by_words = work->residuals.by_words;
    audit->overcounted = work->residuals.overcounted;
    audit->memory_recorded = graph->held_count != 0;
    audit->unscanned_bytes = graph->facts.unscanned_bytes;
    reach_from_roots(work);
    if (!add_objects(work))
        return false;
    for (uint32_t t = 0; t < graph->type_count; t++)
        if (work->rows[t].objects &&
            !hw_extensions_near(graph, t, work->residuals.left, &work->result->arena,
                                &work->rows[t], work->err))
            return false;
    if (!keep_rows(work, work->rows, &audit->rows, &audit->row_count) ||
        !keep_rows(work, work->busy, &audit->busy, &audit->busy_count) ||
        !keep_rows(work, work->words, &audit->words, &audit->word_count) ||
        !hw_extensions_list(graph, &work->result->arena, &audit->extensions,
                            &audit->extension_count, work->err) ||
        !follow(work, before))
        return false;
    qsort(audit->rows, audit->row_count, sizeof(*audit->rows), by_growth);
    qsort(audit->busy, audit->busy_count, sizeof(*audit->busy), by_growth);
    qsort(audit->words, audit->word_count, sizeof(*audit->words), by_growth);
    return true;
}

bool hw_audit_ask(const struct hw_graph *graph, const struct hw_audit *before,
                  struct hw_audit **ret_audit, struct hw_err *err)
{
    struct work work = {.graph = graph, .err = err};
    work.result = calloc(1, sizeof(*work.result));
    work.rows = calloc(graph->type_count + 1, sizeof(*work.rows));
    work.busy = calloc(graph->type_count + 1, sizeof(*work.busy));
    work.words = calloc(graph->type_count + 1, sizeof(*work.words));
    work.reached = calloc(graph->node_count, 1);
    work.stack = malloc(graph->node_count * sizeof(*work.stack));
    bool ok = work.result && work.rows && work.busy && work.words && work.reached && work.stack;
    if (!ok)
        hw_err_no_memory(err);
    if (ok) {
        work.result->pid = graph->facts.pid;
        work.result->start_time = graph->facts.start_time;
        work.result->taken_at_ns = work.result->first_taken_at_ns = graph->facts.taken_at_ns;
        ok = hw_residuals_init(&work.residuals, graph, err) && fill(&work, before);
    }
    hw_residuals_deinit(&work.residuals);
    free(work.rows);
    free(work.busy);
    free(work.words);
    free(work.reached);
    free(work.stack);
    if (!ok) {
        hw_audit_destroy(work.result ? &work.result->audit : NULL);
        return false;
    }
    *ret_audit = &work.result->audit;
    return true;
}

void hw_audit_destroy(struct hw_audit *audit)
{
    if (!audit)
        return;
    struct audit_result *result = (struct audit_result *)audit;
    hw_arena_deinit(&result->arena);
    free(result);
}

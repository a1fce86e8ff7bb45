/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/residual.h"

#include "ask/lookup.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

/* Up to 3.11 deep-frozen objects have a count near 999,999,999 (CPython Tools/scripts/deepfreeze.py); what
 * counts more than half of that counts nothing. */
enum { COUNT_MAX = 500000000 };

/* A cache of functools tells the collector of what its links hold; the links own that, and are not
 * collected themselves (CPython Modules/_functoolsmodule.c, lru_cache_tp_traverse). */
static const char *const lent[] = {"cached key", "cached result", "link type"};
enum { LENT_COUNT = sizeof(lent) / sizeof(*lent) };

struct lent_labels {
    uint32_t labels[LENT_COUNT];
};

static void find_lent(const struct hw_graph *graph, struct lent_labels *found)
{
    for (size_t i = 0; i < LENT_COUNT; i++)
        found->labels[i] = UINT32_MAX;
    for (uint32_t s = 0; s < graph->string_count; s++)
        for (size_t i = 0; i < LENT_COUNT; i++)
            if (strcmp(graph->strings[s], lent[i]) == 0)
                found->labels[i] = (uint32_t)HW_LABEL_INTERNAL << HW_LABEL_SHIFT | s;
}

static bool is_lent(const struct lent_labels *found, uint32_t label)
{
    for (size_t i = 0; i < LENT_COUNT; i++)
        if (label == found->labels[i])
            return true;
    return false;
}

/* The count of a type that no class statement and no spec made means nothing, wherever it lies: its
 * instances do not count. */
static void exclude_types(const struct hw_graph *graph, uint8_t *excluded)
{
    for (uint32_t t = 0; t < graph->type_count; t++)
        if (graph->types[t].node < graph->object_count && !(graph->types[t].flags & HW_TYPE_HEAP))
            excluded[graph->types[t].node] = 1;
}

static bool is_examined(const struct hw_graph *graph, const uint8_t *excluded, hw_id id)
{
    return !(graph->flags[id] & (HW_NODE_STATIC | HW_NODE_IMMORTAL)) && !excluded[id] &&
           graph->refcount[id] <= COUNT_MAX;
}

static bool is_stack(const struct hw_graph *graph, hw_id id)
{
    return id >= graph->object_count &&
           graph->synthetic[id - graph->object_count].kind == HW_SYN_NATIVE_STACK;
}

/* A generator that runs has its frame in the thread's chain, too, and both tell what it holds: the
 * frame's references are the last of the generator's. */
static bool is_frame_of(const struct hw_graph *graph, hw_id frame, hw_id generator)
{
    uint32_t n = graph_degree(graph, frame), m = graph_degree(graph, generator);
    uint32_t f = graph->edge_start[frame], g = graph->edge_start[generator] + m - n;
    if (n > m)
        return false;
    return memcmp(graph->edge_to + f, graph->edge_to + g, n * sizeof(*graph->edge_to)) == 0 &&
           memcmp(graph->edge_label + f, graph->edge_label + g, n * sizeof(*graph->edge_label)) == 0;
}

struct frames {
    const struct hw_graph *graph;
    hw_id *ids; /* running frames that hold something, by the target of their last reference */
    size_t count;
    uint8_t *told; /* by synthetic node: a generator tells the same */
};

static hw_id last_target(const struct hw_graph *graph, hw_id id)
{
    return graph_degree(graph, id) ? graph->edge_to[graph->edge_start[id + 1] - 1] : HW_NONE;
}

static int by_last_target(const void *a, const void *b, void *ctx)
{
    hw_id x = last_target(ctx, *(const hw_id *)a), y = last_target(ctx, *(const hw_id *)b);
    return (x > y) - (x < y);
}

static void find_told(struct frames *frames, hw_id generator)
{
    const struct hw_graph *graph = frames->graph;
    hw_id last = last_target(graph, generator);
    size_t low = 0, high = frames->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (last_target(graph, frames->ids[middle]) < last)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < frames->count && last_target(graph, frames->ids[low]) == last; low++)
        if (is_frame_of(graph, frames->ids[low], generator)) {
            frames->told[frames->ids[low] - graph->object_count] = 1;
            return;
        }
}

static bool frames_init(struct frames *frames, const struct hw_graph *graph)
{
    size_t most = graph->node_count - graph->object_count;
    *frames = (struct frames){
        .graph = graph, .ids = malloc(most * sizeof(*frames->ids)), .told = calloc(most, 1)};
    if (!frames->ids || !frames->told)
        return false;
    for (hw_id id = graph->object_count; id < graph->node_count; id++)
        if (graph->synthetic[id - graph->object_count].kind == HW_SYN_FRAME &&
            graph_degree(graph, id))
            frames->ids[frames->count++] = id;
    qsort_r(frames->ids, frames->count, sizeof(*frames->ids), by_last_target, (void *)graph);
    for (hw_id id = 0; frames->count && id < graph->object_count; id++)
        if (type_has(graph, id, HW_TYPE_GENERATOR))
            find_told(frames, id);
    return true;
}

static void frames_deinit(struct frames *frames)
{
    free(frames->ids);
    free(frames->told);
}

/* Takes away what kind of edges? Owned ones, or else words. */
static void subtract(const struct hw_graph *graph, const struct frames *frames, int32_t *balance,
                     bool words)
{
    struct lent_labels found;
    find_lent(graph, &found);
    for (hw_id id = 0; id < graph->node_count; id++) {
        if ((words && is_stack(graph, id)) ||
            (id >= graph->object_count && frames->told[id - graph->object_count]))
            continue;
        for (uint32_t e = graph->edge_start[id]; e < graph->edge_start[id + 1]; e++) {
            hw_id to = graph->edge_to[e];
            bool is_word = edge_kind(graph, e) == HW_LABEL_WORD;
            if (to < graph->object_count && is_word == words && (!words || balance[to] > 0) &&
                !is_lent(&found, graph->edge_label[e]))
                balance[to]--;
        }
    }
}

/* Words in C code's memory speak for at most what is left. */
static void subtract_held(const struct hw_graph *graph, int32_t *balance, uint8_t *words)
{
    for (size_t i = 0; i < graph->held_count; i++) {
        int32_t *left = &balance[graph->held[i].id];
        if (*left <= 0)
            continue;
        int32_t spoken = graph->held[i].bytes < (uint64_t)*left ? (int32_t)graph->held[i].bytes : *left;
        *left -= spoken;
        words[graph->held[i].id] = spoken < UINT8_MAX ? (uint8_t)spoken : UINT8_MAX;
    }
}

/* Words on stacks speak for at most what is left. */
static void subtract_stacks(const struct hw_graph *graph, int32_t *balance, uint8_t *busy)
{
    for (hw_id id = graph->object_count; id < graph->node_count; id++) {
        if (!is_stack(graph, id))
            continue;
        for (uint32_t e = graph->edge_start[id]; e < graph->edge_start[id + 1]; e++) {
            hw_id to = graph->edge_to[e];
            if (to < graph->object_count && balance[to] > 0) {
                balance[to]--;
                busy[to] += busy[to] < UINT8_MAX;
            }
        }
    }
}

static void begin(struct hw_residuals *residuals, const struct hw_graph *graph,
                  const struct frames *frames, int32_t *balance)
{
    uint8_t *excluded = residuals->busy; /* not needed for its own purpose yet */
    exclude_types(graph, excluded);
    for (hw_id id = 0; id < graph->object_count; id++)
        balance[id] = is_examined(graph, excluded, id) ? (int32_t)graph->refcount[id] : 0;
    subtract(graph, frames, balance, false);
    for (hw_id id = 0; id < graph->object_count; id++) {
        if (!is_examined(graph, excluded, id)) {
            balance[id] = 0;
            continue;
        }
        residuals->examined++;
        residuals->exact += balance[id] == 0;
        residuals->overcounted += balance[id] < 0;
    }
    memset(excluded, 0, graph->object_count);
}

static uint64_t count_left(const struct hw_graph *graph, const int32_t *balance)
{
    uint64_t count = 0;
    for (hw_id id = 0; id < graph->object_count; id++)
        count += balance[id] > 0;
    return count;
}

bool hw_residuals_init(struct hw_residuals *residuals, const struct hw_graph *graph,
                       struct hw_err *err)
{
    struct hw_residuals made = {.busy = calloc(graph->object_count + 1, 1),
                                .words = calloc(graph->object_count + 1, 1)};
    int32_t *balance = calloc(graph->object_count + 1, sizeof(*balance));
    struct frames frames;
    made.left = (uint32_t *)balance;
    if (!frames_init(&frames, graph) || !made.busy || !made.words || !balance) {
        frames_deinit(&frames);
        hw_residuals_deinit(&made);
        return hw_err_no_memory(err);
    }
    begin(&made, graph, &frames, balance);
    uint64_t before = count_left(graph, balance);
    subtract(graph, &frames, balance, true);
    subtract_held(graph, balance, made.words);
    made.by_words = before - count_left(graph, balance);
    subtract_stacks(graph, balance, made.busy);
    frames_deinit(&frames);
    for (hw_id id = 0; id < graph->object_count; id++)
        if (balance[id] < 0)
            balance[id] = 0;
    *residuals = made;
    return true;
}

void hw_residuals_deinit(struct hw_residuals *residuals)
{
    free(residuals->left);
    free(residuals->busy);
    free(residuals->words);
    *residuals = (struct hw_residuals){0};
}

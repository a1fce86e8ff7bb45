/* SPDX-License-Identifier: Apache-2.0 */

/* What the collector's own counters mean. Where they lie is cpython's business; here they are facts
 * of the graph. */

#include "collect/gc-state.h"

#include "ask/garbage.h"
#include "ask/lookup.h"
#include "ask/type-rows.h"
#include "base/err.h"

#include <inttypes.h>
#include <stdlib.h>

/* A container with its collector's head takes 50 bytes and more: so many new ones are 5 GB, and few
 * processes live to see the full collection that comes after them. */
#define RARE_FULL UINT64_C(100000000)
enum {
    HELD_BACK_SHARE = 4
}; /* gc_collect_generations(): long_lived_pending < long_lived_total / 4 */

struct gc_result {
    struct hw_gc gc;
    struct hw_arena arena;
};

/* Modules/gcmodule.c, Include/internal/pycore_gc.h since 3.12: the bits of gc.set_debug(). */
enum { DEBUG_SAVEALL = 32 };
static const struct {
    uint32_t bit;
    const char *name;
} debug_names[] = {
    {1, "DEBUG_STATS"},
    {2, "DEBUG_COLLECTABLE"},
    {4, "DEBUG_UNCOLLECTABLE"},
    {DEBUG_SAVEALL, "DEBUG_SAVEALL"},
};

static const char *debug_text(struct hw_arena *arena, uint32_t flags)
{
    struct hw_buf text = {0};
    for (size_t i = 0; i < sizeof(debug_names) / sizeof(*debug_names); i++) {
        if (flags & debug_names[i].bit)
            hw_buf_printf(&text, "%s%s", text.len ? "|" : "", debug_names[i].name);
        flags &= ~debug_names[i].bit;
    }
    if (flags)
        hw_buf_printf(&text, "%s0x%" PRIx32, text.len ? "|" : "", flags);
    const char *copy = hw_buf_ok(&text) ? hw_arena_strdup(arena, hw_buf_str(&text)) : NULL;
    hw_buf_deinit(&text);
    return copy;
}

/* A generation is collected when its count is over its threshold: of containers made and not freed
 * for 0, of collections of the generation before for the others. */
static uint64_t collected_after(const struct hw_facts *facts, unsigned generation)
{
    uint64_t after = facts->gc_threshold[0];
    if (!facts->gc_enabled)
        return 0;
    for (unsigned i = 1; i <= generation; i++)
        if (__builtin_mul_overflow(after, (uint64_t)facts->gc_threshold[i] + 1, &after))
            return UINT64_MAX;
    return after;
}

static uint64_t full_after(const struct hw_facts *facts)
{
    return collected_after(facts, 2);
}

unsigned hw_gc_first_left(const struct hw_facts *facts)
{
    unsigned generation = 0;
    if (!facts->gc_enabled || !facts->gc_threshold[0])
        return 0;
    while (generation < 3 && collected_after(facts, generation) < RARE_FULL)
        generation++;
    return generation;
}

static bool full_held_back(const struct hw_facts *facts)
{
    return facts->gc_recorded && facts->gc_enabled && facts->gc_threshold[0] &&
           facts->gc_count[2] > facts->gc_threshold[2] &&
           facts->gc_long_lived_pending < facts->gc_long_lived_total / HELD_BACK_SHARE;
}

enum hw_gc_condition hw_gc_condition_of(const struct hw_facts *facts)
{
    if (!facts->gc_enabled)
        return HW_GC_OFF;
    if (!facts->gc_threshold[0])
        return HW_GC_THRESHOLD_ZERO;
    if (full_after(facts) >= RARE_FULL)
        return HW_GC_RARE;
    return full_held_back(facts) ? HW_GC_HELD_BACK : HW_GC_ON;
}

static void put_on(struct hw_buf *text, const struct hw_facts *facts)
{
    uint64_t all = 0, full = facts->gc_stats[2].collections;
    for (unsigned i = 0; i < 3; i++)
        all += facts->gc_stats[i].collections;
    hw_buf_puts(text, "The collector is on");
    if (!facts->gc_recorded)
        return;
    hw_buf_printf(text, " and has run %" PRIu64 " time%s, ", all, all == 1 ? "" : "s");
    if (full)
        hw_buf_printf(text, "%" PRIu64 " of them over the whole heap", full);
    else
        hw_buf_puts(text, "never over the whole heap");
}

static void put_condition(struct hw_buf *text, const struct hw_facts *facts, const struct hw_gc *gc)
{
    switch (gc->condition) {
    case HW_GC_OFF:
        hw_buf_puts(text, "The collector is off: no cycle is freed unless the program calls "
                          "gc.collect()");
        break;
    case HW_GC_THRESHOLD_ZERO:
        hw_buf_puts(text, "The collector is enabled, but its first threshold is 0, so it never "
                          "runs by itself");
        break;
    case HW_GC_RARE:
        hw_buf_printf(text,
                      "The collector is on, but its thresholds are so high that a collection of "
                      "the whole heap comes only after %" PRIu64 " new containers",
                      gc->full_after);
        break;
    case HW_GC_HELD_BACK:
        hw_buf_printf(text,
                      "The collector is on; a collection of the whole heap is due, but waits until "
                      "a quarter as much is new as survived the last one (%" PRIu64 " of %" PRIu64
                      ")",
                      facts->gc_long_lived_pending, facts->gc_long_lived_total / HELD_BACK_SHARE);
        break;
    case HW_GC_ON:
        put_on(text, facts);
        break;
    }
}

static const char *answer_text(struct hw_arena *arena, const struct hw_facts *facts,
                               const struct hw_gc *gc)
{
    struct hw_buf text = {0};
    put_condition(&text, facts, gc);
    if (facts->gc_objects[3])
        hw_buf_printf(&text, "; it never looks at %" PRIu64 " frozen object%s",
                      facts->gc_objects[3], facts->gc_objects[3] == 1 ? "" : "s");
    if (facts->gc_debug & DEBUG_SAVEALL)
        hw_buf_puts(&text, "; what it finds it keeps in gc.garbage (DEBUG_SAVEALL)");
    hw_buf_puts(&text, ".");
    const char *copy = hw_buf_ok(&text) ? hw_arena_strdup(arena, hw_buf_str(&text)) : NULL;
    hw_buf_deinit(&text);
    return copy;
}

/* A list of the main interpreter's collector; HW_NONE: it has none. */
static hw_id collector_list(const struct hw_graph *graph, const char *name)
{
    for (hw_id id = graph->object_count; id < graph->node_count; id++) {
        if (graph->synthetic[id - graph->object_count].kind != HW_SYN_INTERPRETER)
            continue;
        uint32_t edge = hw_edge_find(graph, id, HW_LABEL_ROOT, name);
        return edge == HW_NO_EDGE ? HW_NONE : graph->edge_to[edge];
    }
    return HW_NONE;
}

static uint64_t item_count(const struct hw_graph *graph, hw_id list)
{
    uint64_t count = 0;
    for (uint32_t n = 0; list != HW_NONE && n < graph_degree(graph, list); n++)
        count += edge_kind(graph, graph->edge_start[list] + n) == HW_LABEL_INDEX;
    return count;
}

static bool count_garbage(struct gc_result *result, const struct hw_graph *graph)
{
    struct hw_gc *gc = &result->gc;
    hw_id list = collector_list(graph, "gc.garbage");
    gc->garbage_count = item_count(graph, list);
    struct hw_type_row *rows = hw_arena_array(&result->arena, gc->garbage_count + 1, sizeof(*rows));
    if (!rows)
        return false;
    size_t n = 0;
    for (uint32_t i = 0; list != HW_NONE && i < graph_degree(graph, list); i++) {
        uint32_t edge = graph->edge_start[list] + i;
        if (edge_kind(graph, edge) != HW_LABEL_INDEX)
            continue;
        hw_id id = graph->edge_to[edge];
        rows[n++] = (struct hw_type_row){.name = type_of(graph, id)->name,
                                         .count = 1,
                                         .bytes = hw_graph_weight(graph, id),
                                         .type_index = graph->type[id]};
        gc->garbage_bytes += hw_graph_weight(graph, id);
    }
    gc->garbage = rows;
    gc->garbage_row_count = hw_type_rows_settle(rows, n);
    /* The result outlives the graph. */
    for (size_t i = 0; i < gc->garbage_row_count; i++)
        if (!(rows[i].name = hw_arena_strdup(&result->arena, rows[i].name)))
            return false;
    return true;
}

static bool count_free(struct hw_gc *gc, const struct hw_graph *graph, struct hw_err *err)
{
    struct hw_garbage garbage;
    if (!hw_garbage_init(&garbage, graph, err))
        return false;
    gc->free_objects = garbage.count - garbage.stuck;
    gc->free_bytes = garbage.bytes - garbage.stuck_bytes;
    hw_garbage_deinit(&garbage);
    return true;
}

static bool fill(struct gc_result *result, const struct hw_graph *graph, struct hw_err *err)
{
    struct hw_gc *gc = &result->gc;
    gc->full_after = full_after(&graph->facts);
    gc->full_held_back = full_held_back(&graph->facts);
    gc->condition = hw_gc_condition_of(&graph->facts);
    gc->callback_count = item_count(graph, collector_list(graph, "gc.callbacks"));
    gc->debug = debug_text(&result->arena, graph->facts.gc_debug);
    gc->answer = answer_text(&result->arena, &graph->facts, gc);
    if (!gc->debug || !gc->answer || !count_garbage(result, graph))
        return hw_err_no_memory(err);
    return count_free(gc, graph, err);
}

bool hw_gc_ask(const struct hw_graph *graph, struct hw_gc **ret_gc, struct hw_err *err)
{
    struct gc_result *result = calloc(1, sizeof(*result));
    if (!result)
        return hw_err_no_memory(err);
    if (!fill(result, graph, err)) {
        hw_gc_destroy(&result->gc);
        return false;
    }
    *ret_gc = &result->gc;
    return true;
}

void hw_gc_destroy(struct hw_gc *gc)
{
    if (!gc)
        return;
    struct gc_result *result = (struct gc_result *)gc;
    hw_arena_deinit(&result->arena);
    free(result);
}

const char *hw_gc_condition_name(enum hw_gc_condition condition)
{
    static const char *const names[] = {
        [HW_GC_ON] = "on",
        [HW_GC_OFF] = "off",
        [HW_GC_THRESHOLD_ZERO] = "threshold-zero",
        [HW_GC_RARE] = "rare",
        [HW_GC_HELD_BACK] = "held-back",
    };
    return names[condition];
}

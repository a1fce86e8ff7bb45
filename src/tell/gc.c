/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/parts.h"
#include "tell/table.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <inttypes.h>
#include <math.h>

enum { GENERATIONS = 3, DEBUG_SAVEALL = 32 };
#define SECOND_NS 1e9

static void put_generations(struct hw_out *out, const struct hw_facts *facts)
{
    static const struct hw_column columns[] = {
        {"generation", 0},
        {"objects", HW_COLUMN_RIGHT},
        {"count", HW_COLUMN_RIGHT},
        {"threshold", HW_COLUMN_RIGHT},
        {"collections", HW_COLUMN_RIGHT},
        {"collected", HW_COLUMN_RIGHT},
        {"uncollectable", HW_COLUMN_RIGHT},
    };
    struct hw_table table = {.columns = columns, .column_count = 7};
    hw_out_puts(out, "\n");
    for (unsigned i = 0; i < GENERATIONS; i++) {
        hw_buf_printf(hw_table_cell(&table), "%u", i);
        hw_text_count(hw_table_cell(&table), facts->gc_objects[i]);
        hw_text_count(hw_table_cell(&table), facts->gc_count[i]);
        hw_text_count(hw_table_cell(&table), facts->gc_threshold[i]);
        hw_text_count(hw_table_cell(&table), facts->gc_stats[i].collections);
        hw_text_count(hw_table_cell(&table), facts->gc_stats[i].collected);
        hw_text_count(hw_table_cell(&table), facts->gc_stats[i].uncollectable);
    }
    hw_buf_puts(hw_table_cell(&table), "frozen");
    hw_text_count(hw_table_cell(&table), facts->gc_objects[GENERATIONS]);
    for (unsigned i = 2; i < table.column_count; i++)
        hw_table_cell(&table);
    hw_table_finish(&table, out);
}

/* "Name:  text", the text wrapped behind the names. */
static void put_line(struct hw_out *out, const char *name, const char *text)
{
    enum { NAME_COLUMNS = 18 };
    hw_out_printf(out, "%-*s", NAME_COLUMNS, name);
    hw_out_wrap(out, NAME_COLUMNS, NAME_COLUMNS, text);
}

static void put_thresholds(struct hw_out *out, const struct hw_facts *facts, const struct hw_gc *gc)
{
    struct hw_buf text = {0};
    if (!gc->full_after) {
        hw_buf_puts(&text, "never by itself");
    } else {
        hw_buf_puts(&text, "at the earliest after ");
        hw_text_count(&text, gc->full_after);
        hw_buf_puts(&text, " new containers");
    }
    if (facts->gc_recorded && facts->gc_long_lived_total) {
        hw_buf_puts(&text, ", and not before those new in generation 2 (");
        hw_text_count(&text, facts->gc_long_lived_pending);
        hw_buf_puts(&text, " now) are a quarter of the ");
        hw_text_count(&text, facts->gc_long_lived_total);
        hw_buf_puts(&text, " that survived the last one");
    }
    put_line(out, "Full collection:", hw_buf_str(&text));
    hw_buf_deinit(&text);
}

static void put_free(struct hw_out *out, const struct hw_facts *facts, const struct hw_gc *gc)
{
    struct hw_buf text = {0};
    bool saved = facts->gc_debug & DEBUG_SAVEALL;
    if (!gc->free_objects) {
        hw_buf_puts(&text, "would find nothing");
    } else {
        hw_buf_puts(&text, saved ? "would put into gc.garbage, with all that only they hold, "
                                 : "would free ");
        hw_text_count(&text, gc->free_objects);
        hw_buf_puts(&text, gc->free_objects == 1 ? " object, " : " objects, ");
        hw_text_bytes(&text, (double)gc->free_bytes);
    }
    put_line(out, "gc.collect():", hw_buf_str(&text));
    hw_buf_deinit(&text);
}

static void put_garbage(struct hw_out *out, const struct hw_gc *gc, size_t limit)
{
    static const struct hw_column columns[] = {
        {"objects", HW_COLUMN_RIGHT}, {"bytes", HW_COLUMN_RIGHT}, {"type", HW_COLUMN_CUT}};
    struct hw_table table = {.columns = columns, .column_count = 3, .indent = 2};
    struct hw_buf text = {0};
    size_t shown = hw_parts_limit(gc->garbage_row_count, limit);
    hw_text_count(&text, gc->garbage_count);
    hw_buf_puts(&text, gc->garbage_count == 1 ? " object" : " objects");
    put_line(out, "gc.garbage:", hw_buf_str(&text));
    hw_buf_deinit(&text);
    if (!shown)
        return;
    for (size_t i = 0; i < shown; i++) {
        hw_text_count(hw_table_cell(&table), gc->garbage[i].count);
        hw_text_bytes(hw_table_cell(&table), (double)gc->garbage[i].bytes);
        hw_text_escape(hw_table_cell(&table), gc->garbage[i].name);
    }
    hw_table_finish(&table, out);
    hw_parts_more(out, 2, shown, gc->garbage_row_count);
}

static void put_seen(struct hw_buf *text, const struct hw_gc_watched *watched, unsigned i)
{
    const struct hw_gc_seen *seen = &watched->generations[i];
    hw_buf_printf(text, "generation %u: ", i);
    if (!seen->collections) {
        hw_buf_puts(text, "none in ");
        hw_text_duration(text, watched->watched_ns);
        return;
    }
    hw_text_count(text, seen->collections);
    hw_buf_puts(text, " in ");
    hw_text_duration(text, watched->watched_ns);
    hw_buf_puts(text, " (");
    hw_text_rate(text, (double)seen->collections * SECOND_NS / (double)watched->watched_ns);
    hw_buf_puts(text, "/s), the last at most ");
    hw_text_duration(text, seen->ago_ns);
    hw_buf_puts(text, " ago, ");
    hw_text_count(text, seen->collected);
    hw_buf_puts(text, " objects collected");
}

static void put_last(struct hw_out *out, const struct hw_gc_watched *watched)
{
    if (!watched) {
        put_line(out, "Last collection:",
                 "not recorded by this Python; --watch 10s on the running process sees the next");
        return;
    }
    for (unsigned i = 0; i < GENERATIONS; i++) {
        struct hw_buf text = {0};
        put_seen(&text, watched, i);
        put_line(out, i ? "" : "Watched:", hw_buf_str(&text));
        hw_buf_deinit(&text);
    }
}

static void gc_text(struct hw_out *out, const struct hw_facts *facts, const struct hw_gc *gc,
                    const struct hw_gc_watched *watched, size_t limit)
{
    hw_parts_facts(out, facts);
    hw_out_style(out, HW_STYLE_KEY);
    hw_out_wrap(out, 0, 0, gc->answer);
    hw_out_style(out, HW_STYLE_PLAIN);
    if (!facts->gc_recorded)
        hw_out_puts(out, "The file is from before statistics were recorded; 0 means not known.\n");
    put_generations(out, facts);
    hw_out_puts(out, "\n");
    put_thresholds(out, facts, gc);
    put_last(out, watched);
    put_free(out, facts, gc);
    put_line(out, "Debug flags:", *gc->debug ? gc->debug : "none");
    struct hw_buf callbacks = {0};
    hw_text_count(&callbacks, gc->callback_count);
    put_line(out, "gc.callbacks:", hw_buf_str(&callbacks));
    hw_buf_deinit(&callbacks);
    put_garbage(out, gc, limit);
}

static void generations_json(struct hw_json *json, const struct hw_facts *facts)
{
    hw_json_array(json, "generations");
    for (unsigned i = 0; i < GENERATIONS; i++) {
        hw_json_object(json, NULL);
        hw_json_u64(json, "objects", facts->gc_objects[i]);
        hw_json_u64(json, "count", facts->gc_count[i]);
        hw_json_u64(json, "threshold", facts->gc_threshold[i]);
        hw_json_u64(json, "collections", facts->gc_stats[i].collections);
        hw_json_u64(json, "collected", facts->gc_stats[i].collected);
        hw_json_u64(json, "uncollectable", facts->gc_stats[i].uncollectable);
        hw_json_end(json);
    }
    hw_json_end(json);
}

static void garbage_json(struct hw_json *json, const struct hw_gc *gc, size_t limit)
{
    hw_json_object(json, "garbage");
    hw_json_u64(json, "objects", gc->garbage_count);
    hw_json_u64(json, "bytes", gc->garbage_bytes);
    hw_json_array(json, "types");
    for (size_t i = 0; i < hw_parts_limit(gc->garbage_row_count, limit); i++) {
        hw_json_object(json, NULL);
        hw_json_string(json, "type", gc->garbage[i].name);
        hw_json_u64(json, "objects", gc->garbage[i].count);
        hw_json_u64(json, "bytes", gc->garbage[i].bytes);
        hw_json_end(json);
    }
    hw_json_end(json);
    hw_json_end(json);
}

static void watched_json(struct hw_json *json, const struct hw_gc_watched *watched)
{
    if (!watched)
        return;
    double seconds = (double)watched->watched_ns / SECOND_NS;
    hw_json_object(json, "watched");
    hw_json_double(json, "seconds", seconds);
    hw_json_array(json, "generations");
    for (unsigned i = 0; i < GENERATIONS; i++) {
        const struct hw_gc_seen *seen = &watched->generations[i];
        hw_json_object(json, NULL);
        hw_json_u64(json, "collections", seen->collections);
        hw_json_u64(json, "collected", seen->collected);
        hw_json_double(json, "per_second", (double)seen->collections / seconds);
        hw_json_double(json, "last_at_most_seconds_ago",
                       seen->ago_ns < 0 ? NAN : (double)seen->ago_ns / SECOND_NS);
        hw_json_end(json);
    }
    hw_json_end(json);
    hw_json_end(json);
}

static void gc_json(struct hw_out *out, const struct hw_facts *facts, const struct hw_gc *gc,
                    const struct hw_gc_watched *watched, size_t limit)
{
    struct hw_json json;
    hw_json_init(&json, out, false);
    hw_json_object(&json, NULL);
    hw_parts_facts_json(&json, "snapshot", facts);
    hw_json_string(&json, "condition", hw_gc_condition_name(gc->condition));
    hw_json_string(&json, "answer", gc->answer);
    hw_json_bool(&json, "enabled", facts->gc_enabled);
    hw_json_bool(&json, "recorded", facts->gc_recorded);
    hw_json_u64(&json, "debug", facts->gc_debug);
    hw_json_string(&json, "debug_flags", gc->debug);
    generations_json(&json, facts);
    hw_json_u64(&json, "frozen", facts->gc_objects[GENERATIONS]);
    hw_json_u64(&json, "long_lived_total", facts->gc_long_lived_total);
    hw_json_u64(&json, "long_lived_pending", facts->gc_long_lived_pending);
    hw_json_u64(&json, "full_after", gc->full_after);
    hw_json_bool(&json, "full_held_back", gc->full_held_back);
    hw_json_u64(&json, "free_objects", gc->free_objects);
    hw_json_u64(&json, "free_bytes", gc->free_bytes);
    hw_json_u64(&json, "callbacks", gc->callback_count);
    garbage_json(&json, gc, limit);
    watched_json(&json, watched);
    hw_json_end(&json);
}

void hw_tell_gc(struct hw_out *out, const struct hw_facts *facts, const struct hw_gc *gc,
                const struct hw_gc_watched *watched, size_t limit)
{
    if (out->json)
        gc_json(out, facts, gc, watched, limit);
    else
        gc_text(out, facts, gc, watched, limit);
}

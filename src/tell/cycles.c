/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/parts.h"
#include "tell/table.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { TYPES_SHOWN = 4, TABLE_SHOWN = 8, STEPS_SHOWN = 16, START_SHOWN = 5, CLOCK_WIDTH = 9 };

/* "4 objects, 320 B" */
static void put_amount(struct hw_buf *line, uint64_t objects, uint64_t bytes)
{
    hw_text_count(line, objects);
    hw_buf_puts(line, objects == 1 ? " object, " : " objects, ");
    hw_text_bytes(line, (double)bytes);
}

static void put_wrapped(struct hw_out *out, size_t indent, struct hw_buf *line)
{
    hw_out_printf(out, "%*s", (int)indent, "");
    hw_out_wrap(out, indent, indent, hw_buf_str(line));
    hw_buf_clear(line);
}

/* ---- the whole ---- */

static void put_garbage(struct hw_buf *line, const struct hw_cycles *cycles)
{
    if (!cycles->objects) {
        hw_buf_puts(line, cycles->stuck_objects ? "gc.collect() would free nothing."
                                                : "No garbage: gc.collect() would free nothing.");
        return;
    }
    hw_buf_puts(line, "gc.collect() would free ");
    put_amount(line, cycles->objects, cycles->bytes);
    hw_buf_puts(line, ", and return ");
    hw_text_count(line, cycles->tracked);
    hw_buf_puts(line, "; ");
    hw_text_count(line, cycles->cycle_objects);
    hw_buf_puts(line, " of them are in cycles.");
}

static void put_state(struct hw_buf *line, const struct hw_facts *facts,
                      const struct hw_cycles *cycles)
{
    if (!facts->gc_enabled)
        hw_buf_puts(line, " The collector is off: none of it will be freed.");
    else if (cycles->collector_off)
        hw_buf_puts(line, " The collector's threshold is 0, so it never runs: none of it will be "
                          "freed. gc.set_threshold(700, 10, 10) lets it run.");
    if (cycles->finalizers) {
        hw_buf_putc(line, ' ');
        hw_text_count(line, cycles->finalizers);
        hw_buf_puts(line, " have a __del__ that runs first, and may keep what it reaches.");
    }
    if (cycles->stuck_objects) {
        hw_buf_puts(line, " Uncollectable: ");
        put_amount(line, cycles->stuck_objects, cycles->stuck_bytes);
        hw_buf_puts(line, " have a legacy finalizer (tp_del) or are reached from such; a "
                          "collection puts those with one into gc.garbage.");
    }
    if (cycles->frozen) {
        hw_buf_putc(line, ' ');
        hw_text_count(line, cycles->frozen);
        hw_buf_puts(line,
                    " objects are frozen (gc.freeze()): the collector does not look at them.");
    }
}

static void put_kept(struct hw_out *out, const struct hw_cycles *cycles, struct hw_buf *line)
{
    if (!cycles->kept)
        return;
    hw_buf_puts(line, "gc.garbage holds ");
    hw_text_count(line, cycles->kept);
    hw_buf_puts(line, cycles->kept == 1 ? " object" : " objects");
    for (size_t i = 0; i < cycles->kept_type_count && i < TYPES_SHOWN; i++) {
        hw_buf_puts(line, i ? ", " : ": ");
        hw_text_count(line, cycles->kept_types[i].count);
        hw_buf_printf(line, " %s", cycles->kept_types[i].name);
    }
    hw_buf_puts(line, cycles->kept_type_count > TYPES_SHOWN ? ", ...; " : "; ");
    hw_buf_puts(line, "with it ");
    put_amount(line, cycles->kept_objects, cycles->kept_bytes);
    hw_buf_puts(line, " stay alive. ");
    if (cycles->kept_legacy) {
        hw_text_count(line, cycles->kept_legacy);
        hw_buf_puts(line,
                    " have a legacy finalizer (tp_del): break their cycles by hand, and empty "
                    "the list.");
    } else {
        hw_buf_puts(line, "Look for gc.set_debug(gc.DEBUG_SAVEALL) or DEBUG_LEAK, and empty the "
                          "list.");
    }
    put_wrapped(out, 0, line);
}

static void put_types(struct hw_out *out, const struct hw_cycles *cycles)
{
    static const struct hw_column columns[] = {{"objects", HW_COLUMN_RIGHT},
                                               {"bytes", HW_COLUMN_RIGHT},
                                               {"type of garbage", HW_COLUMN_CUT}};
    struct hw_table table = {.columns = columns, .column_count = 3, .indent = 2};
    if (!cycles->type_count)
        return;
    hw_out_puts(out, "\n");
    for (size_t i = 0; i < cycles->type_count && i < TABLE_SHOWN; i++) {
        hw_text_count(hw_table_cell(&table), cycles->types[i].count);
        hw_text_bytes(hw_table_cell(&table), (double)cycles->types[i].bytes);
        hw_text_escape(hw_table_cell(&table), cycles->types[i].name);
    }
    hw_table_finish(&table, out);
    hw_parts_more(out, 2, cycles->type_count < TABLE_SHOWN ? cycles->type_count : TABLE_SHOWN,
                  cycles->type_count);
}

/* ---- one group ---- */

static void put_headline(struct hw_out *out, const struct hw_cycle_group *group,
                         struct hw_buf *line)
{
    hw_text_count(line, group->components);
    hw_buf_puts(line, group->components == 1 ? " cycle of " : " cycles of ");
    for (size_t i = 0; i < group->type_count && i < TYPES_SHOWN; i++)
        hw_buf_printf(line, "%s%s", i ? ", " : "", group->types[i].name);
    hw_buf_puts(line, group->type_count > TYPES_SHOWN ? ", ...: " : ": ");
    put_amount(line, group->objects, group->bytes);
    if (group->held_objects) {
        hw_buf_puts(line, ", and only they hold ");
        put_amount(line, group->held_objects, group->held_bytes);
    }
    hw_out_style(out, HW_STYLE_TITLE);
    put_wrapped(out, 0, line);
    hw_out_style(out, HW_STYLE_PLAIN);
}

static void put_closing(struct hw_out *out, const struct hw_cycle_group *group, struct hw_buf *line)
{
    hw_buf_puts(line, group->closes);
    hw_out_style(out, HW_STYLE_KEY);
    put_wrapped(out, 2, line);
    hw_out_style(out, HW_STYLE_PLAIN);
    hw_buf_puts(line, hw_cycle_kind_sentence(group->kind));
    if (group->largest * group->components != group->objects) {
        hw_buf_puts(line, "; the largest has ");
        hw_text_count(line, group->largest);
        hw_buf_puts(line, " objects");
    }
    hw_buf_puts(line, group->kept ? "; gc.garbage keeps them alive" : "");
    if (group->uncollectable)
        hw_buf_puts(line, group->legacy ? "; uncollectable: legacy finalizer"
                                        : "; uncollectable: held by a legacy finalizer's object");
    put_wrapped(out, 2, line);
}

static void put_advices(struct hw_out *out, const struct hw_cycle_group *group, size_t indent,
                        struct hw_buf *line)
{
    for (size_t i = 0; i < group->break_count; i++) {
        hw_buf_printf(line, "%s%s", i ? "and: " : "to break it: ", group->breaks[i].advice);
        put_wrapped(out, indent, line);
    }
}

static void put_breaks(struct hw_out *out, const struct hw_cycle_group *group, struct hw_buf *line)
{
    put_advices(out, group, 2, line);
    if (!group->break_count)
        return;
    if (!group->breaks_all)
        hw_buf_puts(line, "more cycles are left after that");
    else if (group->break_count > 1)
        hw_buf_puts(line, "no single reference breaks all of its cycles");
    if (line->len)
        put_wrapped(out, 2, line);
}

static void put_finalizers(struct hw_out *out, const struct hw_cycle_group *group,
                           struct hw_buf *line)
{
    const struct {
        uint64_t count;
        const char *text;
    } rows[] = {{group->finalizers, " have a __del__, which a collection runs first"},
                {group->finalized, " were finalized before and came back to life"},
                {group->legacy, " have a legacy finalizer (tp_del)"},
                {group->callbacks, " are weak references with a callback"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!rows[i].count)
            continue;
        hw_text_count(line, rows[i].count);
        hw_buf_puts(line, rows[i].text);
        put_wrapped(out, 2, line);
    }
}

static void put_steps(struct hw_out *out, const struct hw_cycle_group *group)
{
    static const struct hw_column columns[] = {
        {"edge", HW_COLUMN_CUT}, {"type", HW_COLUMN_CUT}, {"address", 0}, {"what", HW_COLUMN_CUT}};
    struct hw_table table = {.columns = columns, .column_count = 4, .indent = 4, .no_titles = true};
    const struct hw_chain *chain = &group->cycle;
    if (!chain->step_count || chain->step_count > STEPS_SHOWN)
        return;
    hw_out_printf(out, "  one of them, from 0x%" PRIx64 ":\n",
                  chain->steps[chain->step_count - 1].addr);
    for (size_t i = 0; i < chain->step_count; i++) {
        hw_text_escape(hw_table_cell(&table), chain->steps[i].edge);
        hw_text_escape(hw_table_cell(&table), chain->steps[i].type);
        hw_buf_printf(hw_table_cell(&table), "0x%" PRIx64, chain->steps[i].addr);
        hw_text_escape(hw_table_cell(&table), chain->steps[i].what);
    }
    hw_table_finish(&table, out);
}

static void put_group(struct hw_out *out, const struct hw_cycle_group *group, struct hw_buf *line)
{
    hw_out_puts(out, "\n");
    put_headline(out, group, line);
    put_closing(out, group, line);
    put_breaks(out, group, line);
    put_finalizers(out, group, line);
    put_steps(out, group);
}

static void cycles_text(struct hw_out *out, const struct hw_facts *facts,
                        const struct hw_cycles *cycles)
{
    struct hw_buf line = {0};
    put_garbage(&line, cycles);
    put_state(&line, facts, cycles);
    put_wrapped(out, 0, &line);
    put_kept(out, cycles, &line);
    for (size_t i = 0; i < cycles->group_count; i++)
        put_group(out, &cycles->groups[i], &line);
    if (cycles->group_count < cycles->group_total) {
        hw_out_printf(out, "\n%zu of %zu kinds of cycles; --all shows all.\n", cycles->group_count,
                      cycles->group_total);
    }
    put_types(out, cycles);
    hw_buf_deinit(&line);
}

/* ---- JSON ---- */

static void types_json(struct hw_json *json, const char *key, const struct hw_type_row *types,
                       size_t count)
{
    hw_json_array(json, key);
    for (size_t i = 0; i < count; i++) {
        hw_json_object(json, NULL);
        hw_json_string(json, "type", types[i].name);
        hw_json_u64(json, "objects", types[i].count);
        hw_json_u64(json, "bytes", types[i].bytes);
        hw_json_end(json);
    }
    hw_json_end(json);
}

static void breaks_json(struct hw_json *json, const struct hw_cycle_group *group)
{
    hw_json_array(json, "breaks");
    for (size_t i = 0; i < group->break_count; i++) {
        hw_json_object(json, NULL);
        hw_json_string(json, "place", group->breaks[i].place);
        hw_json_string(json, "advice", group->breaks[i].advice);
        hw_json_u64(json, "references", group->breaks[i].references);
        hw_json_end(json);
    }
    hw_json_end(json);
    hw_json_bool(json, "breaks_all", group->breaks_all);
}

static void group_members_json(struct hw_json *json, const struct hw_graph *graph,
                               const struct hw_cycle_group *group)
{
    char signature[24];
    snprintf(signature, sizeof(signature), "%016" PRIx64, group->signature);
    hw_json_string(json, "signature", signature);
    hw_json_string(json, "kind", hw_cycle_kind_name(group->kind));
    hw_json_string(json, "closes", group->closes);
    hw_json_addr(json, "addr", hw_graph_addr(graph, group->start));
    hw_json_u64(json, "count", group->components);
    hw_json_u64(json, "objects", group->objects);
    hw_json_u64(json, "bytes", group->bytes);
    hw_json_u64(json, "largest", group->largest);
    hw_json_u64(json, "held_objects", group->held_objects);
    hw_json_u64(json, "held_bytes", group->held_bytes);
    hw_json_u64(json, "finalizers", group->finalizers);
    hw_json_u64(json, "finalized", group->finalized);
    hw_json_u64(json, "legacy_finalizers", group->legacy);
    hw_json_u64(json, "weakref_callbacks", group->callbacks);
    hw_json_bool(json, "in_gc_garbage", group->kept);
    hw_json_bool(json, "uncollectable", group->uncollectable);
    breaks_json(json, group);
    types_json(json, "types", group->types, group->type_count);
    hw_parts_chain_json(json, &group->cycle);
}

static void group_json(struct hw_json *json, const struct hw_graph *graph,
                       const struct hw_cycle_group *group)
{
    hw_json_object(json, NULL);
    group_members_json(json, graph, group);
    hw_json_end(json);
}

static void cycles_json(struct hw_out *out, const struct hw_graph *graph,
                        const struct hw_cycles *cycles)
{
    struct hw_json json;
    hw_json_init(&json, out, false);
    hw_json_object(&json, NULL);
    hw_parts_facts_json(&json, "snapshot", hw_graph_facts(graph));
    hw_json_bool(&json, "collector_off", cycles->collector_off);
    hw_json_u64(&json, "garbage_objects", cycles->objects);
    hw_json_u64(&json, "garbage_bytes", cycles->bytes);
    hw_json_u64(&json, "uncollectable_objects", cycles->stuck_objects);
    hw_json_u64(&json, "uncollectable_bytes", cycles->stuck_bytes);
    hw_json_u64(&json, "collect_returns", cycles->tracked);
    hw_json_u64(&json, "cycle_objects", cycles->cycle_objects);
    hw_json_u64(&json, "cycle_bytes", cycles->cycle_bytes);
    hw_json_u64(&json, "shared_objects", cycles->shared_objects);
    hw_json_u64(&json, "shared_bytes", cycles->shared_bytes);
    hw_json_u64(&json, "finalizers", cycles->finalizers);
    hw_json_u64(&json, "frozen", cycles->frozen);
    hw_json_u64(&json, "cycle_count", cycles->components);
    hw_json_u64(&json, "group_count", cycles->group_total);
    hw_json_array(&json, "cycles");
    for (size_t i = 0; i < cycles->group_count; i++)
        group_json(&json, graph, &cycles->groups[i]);
    hw_json_end(&json);
    types_json(&json, "types", cycles->types, cycles->type_count);
    hw_json_object(&json, "gc_garbage");
    hw_json_u64(&json, "length", cycles->kept);
    hw_json_u64(&json, "objects", cycles->kept_objects);
    hw_json_u64(&json, "bytes", cycles->kept_bytes);
    hw_json_u64(&json, "legacy_finalizers", cycles->kept_legacy);
    types_json(&json, "types", cycles->kept_types, cycles->kept_type_count);
    hw_json_end(&json);
    hw_json_end(&json);
}

/* ---- watching ---- */

static void put_clock(struct hw_buf *line, int64_t ns)
{
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm tm;
    char text[32] = "?";
    if (localtime_r(&seconds, &tm))
        strftime(text, sizeof(text), "%H:%M:%S", &tm);
    hw_buf_printf(line, "%s ", text);
}

void hw_tell_cycle_start(struct hw_out *out, const struct hw_graph *graph,
                         const struct hw_cycles *cycles)
{
    struct hw_buf line = {0};
    if (out->json)
        return;
    hw_parts_facts(out, hw_graph_facts(graph));
    put_clock(&line, hw_graph_facts(graph)->taken_at_ns);
    hw_text_count(&line, cycles->components);
    hw_buf_puts(&line, cycles->components == 1 ? " cycle of " : " cycles of ");
    hw_text_count(&line, cycles->group_total);
    hw_buf_puts(&line, cycles->group_total == 1 ? " kind: " : " kinds: ");
    put_amount(&line, cycles->objects, cycles->bytes);
    hw_buf_puts(&line, cycles->collector_off ? "; the collector does not run"
                                             : "; the collector is on, and may take them away");
    hw_out_wrap(out, 0, CLOCK_WIDTH, hw_buf_str(&line));
    hw_buf_clear(&line);
    for (size_t i = 0; i < cycles->group_count && i < START_SHOWN; i++) {
        put_clock(&line, hw_graph_facts(graph)->taken_at_ns);
        hw_text_count(&line, cycles->groups[i].components);
        hw_buf_printf(&line, ": %s", cycles->groups[i].closes);
        hw_out_wrap(out, 0, CLOCK_WIDTH, hw_buf_str(&line));
        hw_buf_clear(&line);
        put_advices(out, &cycles->groups[i], CLOCK_WIDTH, &line);
    }
    hw_parts_more(out, CLOCK_WIDTH, hw_parts_limit(cycles->group_count, START_SHOWN),
                  cycles->group_total);
    hw_buf_deinit(&line);
}

static void news_json(struct hw_out *out, const struct hw_graph *graph, uint64_t look,
                      double seconds, const struct hw_cycle_news *news)
{
    struct hw_json json;
    hw_json_init(&json, out, true);
    hw_json_object(&json, NULL);
    hw_json_time(&json, "at", hw_graph_facts(graph)->taken_at_ns);
    hw_json_i64(&json, "pid", hw_graph_facts(graph)->pid);
    hw_json_u64(&json, "look", look);
    hw_json_bool(&json, "first_seen", news->first);
    hw_json_u64(&json, "new", news->components);
    hw_json_double(&json, "per_second", seconds > 0 ? (double)news->components / seconds : 0);
    hw_json_u64(&json, "new_objects", news->objects);
    hw_json_u64(&json, "new_bytes", news->bytes);
    group_members_json(&json, graph, news->group);
    hw_json_end(&json);
}

static void news_text(struct hw_out *out, int64_t at_ns, double seconds,
                      const struct hw_cycle_news *news, struct hw_buf *line)
{
    put_clock(line, at_ns);
    hw_text_count(line, news->components);
    hw_buf_puts(line, news->components == 1 ? " new cycle, " : " new cycles, ");
    hw_text_rate(line, seconds > 0 ? (double)news->components / seconds : 0);
    hw_buf_puts(line, news->components == 1 ? " a second, with all that only it holds: "
                                            : " a second, with all that only they hold: ");
    put_amount(line, news->objects, news->bytes);
    hw_buf_puts(line, "; ");
    hw_text_count(line, news->group->components);
    hw_buf_printf(line, " now: %s", news->group->closes);
    hw_out_wrap(out, 0, CLOCK_WIDTH, hw_buf_str(line));
    hw_buf_clear(line);
    if (news->first)
        put_advices(out, news->group, CLOCK_WIDTH, line);
}

void hw_tell_cycle_news(struct hw_out *out, const struct hw_graph *graph, uint64_t look,
                        double seconds, const struct hw_cycle_news *news, size_t count)
{
    struct hw_buf line = {0};
    for (size_t i = 0; i < count; i++) {
        if (out->json)
            news_json(out, graph, look, seconds, &news[i]);
        else
            news_text(out, hw_graph_facts(graph)->taken_at_ns, seconds, &news[i], &line);
    }
    hw_buf_deinit(&line);
}

void hw_tell_cycles(struct hw_out *out, const struct hw_graph *graph,
                    const struct hw_cycles *cycles)
{
    if (out->json) {
        cycles_json(out, graph, cycles);
        return;
    }
    hw_parts_facts(out, hw_graph_facts(graph));
    cycles_text(out, hw_graph_facts(graph), cycles);
}

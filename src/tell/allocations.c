/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/parts.h"
#include "tell/profile.h"
#include "tell/table.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <inttypes.h>
#include <stdlib.h>

enum { FILE_COLUMNS = 24, WIDE_COLUMNS = 100 };

/* What a view shows beside the measure that it is sorted by: one or two more, in bytes. */
static const enum hw_measure beside[HW_MEASURE_COUNT][2] = {
    [HW_MEASURE_LIVE] = {HW_MEASURE_PEAK, HW_MEASURE_ALLOCATED},
    [HW_MEASURE_PEAK] = {HW_MEASURE_LIVE, HW_MEASURE_ALLOCATED},
    [HW_MEASURE_ALLOCATED] = {HW_MEASURE_TEMPORARY, HW_MEASURE_LIVE},
    [HW_MEASURE_TEMPORARY] = {HW_MEASURE_ALLOCATED, HW_MEASURE_LIVE},
};

/* Of the difference of two counts; wrong ones of damaged files do not overflow. */
static int64_t delta(uint64_t now, uint64_t before)
{
    return (int64_t)(now - before);
}

/* ---- text ---- */

static const char *column_title(const struct hw_profile *profile, enum hw_measure measure)
{
    static const char *const titles[HW_MEASURE_COUNT] = {[HW_MEASURE_PEAK] = "peak",
                                                         [HW_MEASURE_ALLOCATED] = "allocated",
                                                         [HW_MEASURE_TEMPORARY] = "temporary"};
    if (measure != HW_MEASURE_LIVE)
        return titles[measure];
    return profile->is_complete && profile->is_recording ? "at end" : "in use";
}

/* By line and function the place has two columns: the number of a line must not be cut out. */
static bool has_function(const struct hw_allocations *allocations)
{
    return allocations->by == HW_ALLOCATIONS_BY_LINE ||
           allocations->by == HW_ALLOCATIONS_BY_FUNCTION;
}

static const char *place_title(enum hw_allocations_by by)
{
    static const char *const titles[] = {
        [HW_ALLOCATIONS_BY_LINE] = "allocated at", [HW_ALLOCATIONS_BY_FILE] = "file",
        [HW_ALLOCATIONS_BY_TRACEBACK] = "",        [HW_ALLOCATIONS_BY_FUNCTION] = "file",
        [HW_ALLOCATIONS_BY_THREAD] = "thread",     [HW_ALLOCATIONS_BY_ALLOCATOR] = "allocator"};
    return titles[by];
}

static void put_file(struct hw_buf *cell, const struct hw_site_frame *frame)
{
    hw_text_escape(cell, *frame->file ? frame->file : "not known");
    if (frame->line)
        hw_buf_printf(cell, ":%" PRIu32, frame->line);
}

/* On a terminal without the directories; of __init__.py and the like with one, as there are many.
 * The longest are those of frozen modules. */
static void put_short_file(struct hw_buf *cell, const struct hw_out *out,
                           const struct hw_site_frame *frame)
{
    struct hw_site_frame named = *frame;
    const char *start = strrchr(frame->file, '/');
    if (out->terminal && start && start[1] == '_' && start[2] == '_')
        while (start > frame->file && start[-1] != '/')
            start--;
    else if (start)
        start++;
    struct hw_buf cut = {0};
    if (out->terminal) {
        hw_text_cut(&cut, start ? start : frame->file, FILE_COLUMNS);
        named.file = hw_buf_str(&cut);
    }
    put_file(cell, &named);
    hw_buf_deinit(&cut);
}

static void put_thread(struct hw_buf *cell, const struct hw_profile_thread *thread)
{
    if (*thread->name)
        hw_text_escape(cell, thread->name);
    if (thread->id)
        hw_buf_printf(cell, *thread->name ? " (%" PRIu64 ")" : "%" PRIu64, thread->id);
    else if (!*thread->name)
        hw_buf_puts(cell, "not known");
}

static void put_allocator(struct hw_buf *cell, const struct hw_profile *profile, uint32_t domain)
{
    const char *name = hw_profile_domain_name(profile, domain);
    if (*name)
        hw_buf_puts(cell, name);
    else
        hw_buf_printf(cell, "%" PRIu32, domain);
}

static void put_place(struct hw_table *table, const struct hw_out *out,
                      const struct hw_profile *profile, const struct hw_allocations *allocations,
                      const struct hw_allocations_row *row)
{
    struct hw_buf *cell = hw_table_cell(table);
    if (allocations->by == HW_ALLOCATIONS_BY_THREAD)
        put_thread(cell, &row->thread);
    else if (allocations->by == HW_ALLOCATIONS_BY_ALLOCATOR)
        put_allocator(cell, profile, row->domain);
    else if (allocations->by == HW_ALLOCATIONS_BY_FILE)
        put_file(cell, row->frame);
    else {
        put_short_file(cell, out, row->frame);
        hw_text_escape(hw_table_cell(table), row->frame->function);
    }
}

static void put_share(struct hw_buf *cell, uint64_t bytes, uint64_t total)
{
    if (total)
        hw_buf_printf(cell, "%.1f", 100.0 * (double)bytes / (double)total);
}

/* On a narrow terminal the names of functions need the room. */
static size_t beside_count(const struct hw_out *out, const struct hw_profile *profile,
                           const struct hw_allocations *allocations)
{
    if (!profile->is_recording || allocations->has_before)
        return 0;
    return out->terminal && out->width < WIDE_COLUMNS && has_function(allocations) ? 1 : 2;
}

static void put_numbers(struct hw_table *table, const struct hw_out *out,
                        const struct hw_profile *profile, const struct hw_allocations *allocations,
                        const struct hw_amount *amounts, const struct hw_amount *before)
{
    enum hw_measure measure = allocations->measure;
    struct hw_amount amount = amounts[measure];
    if (allocations->has_before) {
        hw_text_delta(hw_table_cell(table), delta(amount.count, before[measure].count));
        hw_text_delta_bytes(hw_table_cell(table), delta(amount.bytes, before[measure].bytes));
    }
    hw_text_bytes(hw_table_cell(table), (double)amount.bytes);
    if (!allocations->has_before)
        put_share(hw_table_cell(table), amount.bytes, allocations->totals[measure].bytes);
    hw_text_count(hw_table_cell(table), amount.count);
    for (size_t i = 0; i < beside_count(out, profile, allocations); i++)
        hw_text_bytes(hw_table_cell(table), (double)amounts[beside[measure][i]].bytes);
}

static void rows_text(struct hw_out *out, const struct hw_profile *profile,
                      const struct hw_allocations *allocations, size_t shown)
{
    enum hw_measure measure = allocations->measure;
    struct hw_column columns[8];
    struct hw_table table = {.columns = columns};
    if (allocations->has_before) {
        columns[table.column_count++] = (struct hw_column){"blocks", HW_COLUMN_RIGHT};
        columns[table.column_count++] = (struct hw_column){"bytes", HW_COLUMN_RIGHT};
    }
    columns[table.column_count++] = (struct hw_column){
        allocations->has_before ? "now" : column_title(profile, measure), HW_COLUMN_RIGHT};
    if (!allocations->has_before)
        columns[table.column_count++] = (struct hw_column){"%", HW_COLUMN_RIGHT};
    columns[table.column_count++] = (struct hw_column){"blocks", HW_COLUMN_RIGHT};
    for (size_t i = 0; i < beside_count(out, profile, allocations); i++)
        columns[table.column_count++] =
            (struct hw_column){column_title(profile, beside[measure][i]), HW_COLUMN_RIGHT};
    columns[table.column_count++] = (struct hw_column){
        place_title(allocations->by), has_function(allocations) ? 0 : HW_COLUMN_CUT};
    if (has_function(allocations))
        columns[table.column_count++] = (struct hw_column){
            allocations->by == HW_ALLOCATIONS_BY_LINE ? "in" : "function", HW_COLUMN_CUT};
    for (size_t i = 0; i < shown; i++) {
        const struct hw_allocations_row *row = &allocations->rows[i];
        put_numbers(&table, out, profile, allocations, row->amounts, row->before);
        put_place(&table, out, profile, allocations, row);
    }
    put_numbers(&table, out, profile, allocations, allocations->totals, allocations->totals_before);
    hw_buf_printf(hw_table_cell(&table), "all %zu", allocations->row_count);
    if (has_function(allocations))
        hw_table_cell(&table);
    hw_table_finish(&table, out);
}

static void stacks_text(struct hw_out *out, const struct hw_allocations *allocations, size_t shown)
{
    enum hw_measure measure = allocations->measure;
    for (size_t i = 0; i < shown; i++) {
        const struct hw_allocations_row *row = &allocations->rows[i];
        struct hw_amount now = row->amounts[measure], before = row->before[measure];
        struct hw_buf line = {0};
        if (allocations->has_before) {
            hw_text_delta_bytes(&line, delta(now.bytes, before.bytes));
            hw_buf_puts(&line, " in ");
            hw_text_delta(&line, delta(now.count, before.count));
            hw_buf_puts(&line, " blocks; now ");
        }
        hw_text_bytes(&line, (double)now.bytes);
        hw_buf_puts(&line, " in ");
        hw_text_count(&line, now.count);
        hw_buf_puts(&line, now.count == 1 ? " block" : " blocks");
        hw_out_printf(out, "%s%s\n", i ? "\n" : "", hw_buf_str(&line));
        hw_buf_deinit(&line);
        hw_parts_site_stack(out, row->frame, row->depth);
    }
}

static void put_what(struct hw_out *out, const struct hw_profile *profile,
                     const struct hw_allocations *allocations)
{
    struct hw_buf line = {0};
    hw_buf_printf(&line, "\nMemory %s", hw_profile_measure_text(profile, allocations->measure));
    if (allocations->measure == HW_MEASURE_TEMPORARY)
        hw_buf_puts(&line, " (given back before its thread allocated more)");
    hw_buf_printf(&line, ", by %s%s\n", hw_allocations_by_name(allocations->by),
                  allocations->has_before ? ", and what changed against the first" : "");
    hw_out_style(out, HW_STYLE_TITLE);
    hw_out_puts(out, hw_buf_str(&line));
    hw_out_style(out, HW_STYLE_PLAIN);
    hw_buf_deinit(&line);
}

static void over_time_text(struct hw_out *out, const struct hw_profile *profile, bool ascii)
{
    struct hw_memory_sample *samples = calloc(profile->moment_count + 1, sizeof(*samples));
    const struct hw_plot_look look = {.ascii = ascii, .no_functions = true};
    struct hw_memory_series series = {.process = {.pid = (pid_t)profile->pid, .name = "in use"},
                                      .samples = samples,
                                      .sample_count = profile->moment_count};
    const struct hw_memory_history history = {.series = &series, .series_count = 1};
    if (!samples) {
        hw_out_no_memory(out);
        return;
    }
    for (size_t i = 0; i < profile->moment_count; i++) {
        double at = profile->began_unix + profile->moments[i].seconds;
        samples[i] = (struct hw_memory_sample){.at_ns = (int64_t)(at * 1e9),
                                               .rss_bytes = profile->moments[i].live_bytes};
        if (samples[i].rss_bytes > samples[series.peak].rss_bytes)
            series.peak = i;
    }
    hw_out_puts(out, "\n");
    hw_tell_plot(out, &history, &look);
    free(samples);
}

/* ---- JSON ---- */

static void row_json(struct hw_json *json, const struct hw_profile *profile,
                     const struct hw_allocations *allocations, const struct hw_allocations_row *row)
{
    hw_json_object(json, NULL);
    switch (allocations->by) {
    case HW_ALLOCATIONS_BY_THREAD:
        hw_json_u64(json, "thread", row->thread.id);
        hw_json_string(json, "name", row->thread.name);
        break;
    case HW_ALLOCATIONS_BY_ALLOCATOR:
        hw_json_u64(json, "domain", row->domain);
        hw_json_string(json, "allocator", hw_profile_domain_name(profile, row->domain));
        break;
    case HW_ALLOCATIONS_BY_TRACEBACK:
        hw_parts_site_json(json, row->frame);
        hw_json_u64(json, "depth", row->depth);
        break;
    default:
        hw_json_string(json, "file", row->frame->file);
        if (allocations->by == HW_ALLOCATIONS_BY_LINE)
            hw_json_u64(json, "line", row->frame->line);
        if (allocations->by != HW_ALLOCATIONS_BY_FILE)
            hw_json_string(json, "function", row->frame->function);
    }
    hw_profile_amounts_json(json, profile, row->amounts);
    if (allocations->has_before) {
        hw_json_object(json, "before");
        hw_profile_amounts_json(json, profile, row->before);
        hw_json_end(json);
    }
    hw_json_end(json);
}

static void allocations_json(struct hw_out *out, const struct hw_profile *profile,
                             const struct hw_allocations *allocations, size_t shown)
{
    struct hw_json json;
    hw_json_init(&json, out, false);
    hw_json_object(&json, NULL);
    hw_profile_json(&json, profile);
    if (allocations->has_before) {
        hw_json_object(&json, "before");
        hw_profile_amounts_json(&json, profile, allocations->totals_before);
        hw_json_end(&json);
    }
    hw_json_string(&json, "by", hw_allocations_by_name(allocations->by));
    hw_json_string(&json, "measure", hw_measure_name(allocations->measure));
    hw_json_u64(&json, "row_count", allocations->row_count);
    hw_json_array(&json, "rows");
    for (size_t i = 0; i < shown; i++)
        row_json(&json, profile, allocations, &allocations->rows[i]);
    hw_json_end(&json);
    hw_profile_moments_json(&json, profile);
    hw_json_end(&json);
}

/* ---- the view ---- */

void hw_tell_allocations(struct hw_out *out, const struct hw_profile *profile,
                         const struct hw_allocations *allocations,
                         const struct hw_allocations_look *look, size_t limit)
{
    size_t shown = hw_parts_limit(allocations->row_count, limit);
    if (out->json) {
        allocations_json(out, profile, allocations, shown);
        return;
    }
    hw_profile_head(out, profile);
    if (look->over_time)
        over_time_text(out, profile, look->ascii);
    put_what(out, profile, allocations);
    if (allocations->by == HW_ALLOCATIONS_BY_TRACEBACK)
        stacks_text(out, allocations, shown);
    else
        rows_text(out, profile, allocations, shown);
    if (shown < allocations->row_count)
        hw_out_printf(out, "%s%zu of %zu shown; --all shows all.\n",
                      allocations->by == HW_ALLOCATIONS_BY_TRACEBACK ? "\n" : "", shown,
                      allocations->row_count);
}

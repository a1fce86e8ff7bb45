/* SPDX-License-Identifier: Apache-2.0 */

/* A source file with what each of its lines allocated. */
#include "tell/parts.h"
#include "tell/profile.h"
#include "tell/table.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- which lines ---- */

/* "subscribe" and "Hub.subscribe" are names of Hub.subscribe. */
static bool is_named(const char *full, const char *name)
{
    size_t full_bytes = strlen(full), bytes = strlen(name);
    return bytes <= full_bytes && strcmp(full + full_bytes - bytes, name) == 0 &&
           (bytes == full_bytes || full[full_bytes - bytes - 1] == '.');
}

/* A flag for each line of the source: shown. */
struct choice {
    unsigned char *lines;
    uint32_t count;
};

static void choose_functions(struct choice *choice, const struct hw_source *source,
                             const struct hw_lines *lines, const struct hw_lines_look *look)
{
    size_t row = 0;
    for (size_t i = 0; i < source->function_count; i++) {
        const struct hw_source_function *function = &source->functions[i];
        while (row < lines->row_count && lines->rows[row].line < function->first)
            row++;
        bool has_number = row < lines->row_count && lines->rows[row].line <= function->last;
        bool is_wanted =
            look->function ? is_named(function->name, look->function) : has_number || look->all;
        if (is_wanted && function->last <= choice->count)
            memset(choice->lines + function->first - 1, 1, function->last - function->first + 1);
    }
}

static bool choose(struct choice *choice, const struct hw_lines *lines,
                   const struct hw_lines_look *look)
{
    choice->count = look->source->line_count;
    choice->lines = calloc(choice->count + 1, 1);
    if (!choice->lines)
        return false;
    if (look->all && !look->function)
        memset(choice->lines, 1, choice->count);
    choose_functions(choice, look->source, lines, look);
    for (size_t i = 0; i < lines->row_count && !look->function; i++)
        if (lines->rows[i].line <= choice->count)
            choice->lines[lines->rows[i].line - 1] = 1;
    return true;
}

/* ---- text ---- */

static void put_amounts(struct hw_table *table, const struct hw_profile *profile,
                        const struct hw_amount *amounts)
{
    static const enum hw_measure shown[] = {HW_MEASURE_LIVE, HW_MEASURE_PEAK, HW_MEASURE_ALLOCATED};
    for (size_t i = 0; i < (profile->is_recording ? 3 : 1); i++) {
        struct hw_buf *cell = hw_table_cell(table);
        if (amounts && amounts[shown[i]].count)
            hw_text_bytes(cell, (double)amounts[shown[i]].bytes);
    }
    struct hw_buf *cell = hw_table_cell(table);
    uint64_t count =
        amounts ? amounts[profile->is_recording ? HW_MEASURE_ALLOCATED : HW_MEASURE_LIVE].count : 0;
    if (count)
        hw_text_count(cell, count);
}

static void put_line(struct hw_table *table, const struct hw_profile *profile, uint32_t line,
                     const struct hw_lines_row *row, const char *text)
{
    hw_buf_printf(hw_table_cell(table), "%" PRIu32, line);
    put_amounts(table, profile, row ? row->amounts : NULL);
    hw_text_escape(hw_table_cell(table), text);
}

static void put_gap(struct hw_table *table, const struct hw_profile *profile)
{
    hw_buf_puts(hw_table_cell(table), "...");
    put_amounts(table, profile, NULL);
    hw_table_cell(table);
}

/* Lines from..to-1 have nothing in them. */
static bool are_empty(const struct hw_source *source, uint32_t from, uint32_t to)
{
    while (from < to && !source->lines[from - 1][strspn(source->lines[from - 1], " ")])
        from++;
    return from == to;
}

static void source_rows(struct hw_table *table, const struct hw_profile *profile,
                        const struct hw_lines *lines, const struct hw_source *source,
                        const struct choice *choice)
{
    size_t row = 0;
    uint32_t last = 0;
    for (uint32_t line = 1; line <= choice->count; line++) {
        while (row < lines->row_count && lines->rows[row].line < line)
            row++;
        if (!choice->lines[line - 1])
            continue;
        for (; last && last + 1 < line && are_empty(source, last + 1, line); last++)
            put_line(table, profile, last + 1, NULL, "");
        if (last && last + 1 < line)
            put_gap(table, profile);
        bool has = row < lines->row_count && lines->rows[row].line == line;
        put_line(table, profile, line, has ? &lines->rows[row] : NULL, source->lines[line - 1]);
        last = line;
    }
}

/* Without source: each with its function. */
static size_t numbered_rows(struct hw_table *table, const struct hw_profile *profile,
                            const struct hw_lines *lines, uint32_t after, const char *function)
{
    size_t count = 0;
    for (size_t i = 0; i < lines->row_count; i++) {
        const struct hw_lines_row *row = &lines->rows[i];
        if (row->line <= after || (function && !is_named(row->function, function)))
            continue;
        struct hw_buf text = {0};
        if (*row->function)
            hw_buf_printf(&text, "in %s", row->function);
        put_line(table, profile, row->line, row, hw_buf_str(&text));
        hw_buf_deinit(&text);
        count++;
    }
    return count;
}

static void put_doubts(struct hw_out *out, const struct hw_profile *profile,
                       const struct hw_source *source)
{
    double ended = profile->began_unix + profile->seconds;
    if (!source)
        hw_out_puts(out, "The source is not there.\n");
    else if ((double)source->changed_at_ns / 1e9 > ended)
        hw_out_wrap(out, 0, 0, "The source was changed later: lines may have moved.");
}

static void head_text(struct hw_out *out, const struct hw_profile *profile,
                      const struct hw_lines *lines, const struct hw_lines_look *look)
{
    struct hw_buf line = {0};
    hw_profile_head(out, profile);
    put_doubts(out, profile, look->source);
    hw_buf_printf(&line, "%s, what each line allocated%s", lines->file,
                  lines->cumulative ? ", with what it calls" : "");
    hw_out_puts(out, "\n");
    hw_out_style(out, HW_STYLE_TITLE);
    hw_out_wrap(out, 0, 2, hw_buf_str(&line));
    hw_out_style(out, HW_STYLE_PLAIN);
    hw_buf_deinit(&line);
}

static bool lines_text(struct hw_out *out, const struct hw_profile *profile,
                       const struct hw_lines *lines, const struct hw_lines_look *look)
{
    struct hw_column columns[6] = {{"line", HW_COLUMN_RIGHT}};
    size_t count = 1;
    columns[count++] = (struct hw_column){
        profile->is_recording && profile->is_complete ? "at end" : "in use", HW_COLUMN_RIGHT};
    if (profile->is_recording) {
        columns[count++] = (struct hw_column){"peak", HW_COLUMN_RIGHT};
        columns[count++] = (struct hw_column){"allocated", HW_COLUMN_RIGHT};
    }
    columns[count++] = (struct hw_column){"blocks", HW_COLUMN_RIGHT};
    columns[count++] = (struct hw_column){"", HW_COLUMN_CUT_END};
    struct hw_table table = {.columns = columns, .column_count = count};
    struct choice choice = {0};
    if (look->source) {
        if (!choose(&choice, lines, look)) {
            hw_out_no_memory(out);
            return true;
        }
        source_rows(&table, profile, lines, look->source, &choice);
        free(choice.lines);
    }
    numbered_rows(&table, profile, lines, choice.count, look->function);
    if (look->function && !table.cell_count)
        return false;
    if (!look->function) {
        hw_buf_puts(hw_table_cell(&table), "all");
        put_amounts(&table, profile, lines->totals);
        hw_table_cell(&table);
    }
    head_text(out, profile, lines, look);
    hw_table_finish(&table, out);
    return true;
}

/* ---- JSON ---- */

static void lines_json(struct hw_out *out, const struct hw_profile *profile,
                       const struct hw_lines *lines, const struct hw_lines_look *look)
{
    const struct hw_source *source = look->source;
    struct hw_json json;
    hw_json_init(&json, out, false);
    hw_json_object(&json, NULL);
    hw_profile_json(&json, profile);
    hw_json_string(&json, "file", lines->file);
    hw_json_bool(&json, "cumulative", lines->cumulative);
    hw_json_bool(&json, "source", source != NULL);
    hw_json_object(&json, "totals");
    hw_profile_amounts_json(&json, profile, lines->totals);
    hw_json_end(&json);
    hw_json_array(&json, "lines");
    for (size_t i = 0; i < lines->row_count; i++) {
        const struct hw_lines_row *row = &lines->rows[i];
        if (look->function && !is_named(row->function, look->function))
            continue;
        hw_json_object(&json, NULL);
        hw_json_u64(&json, "line", row->line);
        hw_json_string(&json, "function", row->function);
        hw_profile_amounts_json(&json, profile, row->amounts);
        if (source && row->line && row->line <= source->line_count)
            hw_json_string(&json, "text", source->lines[row->line - 1]);
        hw_json_end(&json);
    }
    hw_json_end(&json);
    hw_json_end(&json);
}

bool hw_tell_lines(struct hw_out *out, const struct hw_profile *profile,
                   const struct hw_lines *lines, const struct hw_lines_look *look)
{
    if (!out->json)
        return lines_text(out, profile, lines, look);
    lines_json(out, profile, lines, look);
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/parts.h"
#include "tell/table.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <inttypes.h>

static void put_title(struct hw_out *out, const char *question, const struct hw_paths *paths)
{
    struct hw_buf line = {0};
    hw_text_count(&line, paths->count);
    hw_buf_printf(&line, paths->count == 1 ? " object is %s, " : " objects are %s, ", question);
    hw_text_bytes(&line, (double)paths->bytes);
    hw_buf_puts(&line, ", on ");
    hw_text_count(&line, paths->path_count);
    hw_buf_puts(&line, paths->path_count == 1 ? " path" : " different paths");
    hw_out_wrap(out, 0, 2, hw_buf_str(&line));
    hw_out_puts(out, "\n");
    hw_buf_deinit(&line);
}

static void put_share(struct hw_table *table, uint64_t count, uint64_t bytes, uint64_t total)
{
    hw_text_count(hw_table_cell(table), count);
    hw_text_bytes(hw_table_cell(table), (double)bytes);
    hw_buf_printf(hw_table_cell(table), "%.1f", total ? 100.0 * (double)bytes / (double)total : 0);
}

static void put_rest(struct hw_table *table, uint64_t count, uint64_t bytes, uint64_t total,
                     const char *what)
{
    if (!count)
        return;
    put_share(table, count, bytes, total);
    hw_table_cell(table);
    hw_table_cell(table);
    hw_buf_puts(hw_table_cell(table), what);
}

static void paths_text(struct hw_out *out, const char *question, const struct hw_paths *paths)
{
    static const struct hw_column columns[] = {{"objects", HW_COLUMN_RIGHT},
                                               {"bytes", HW_COLUMN_RIGHT},
                                               {"%", HW_COLUMN_RIGHT},
                                               {"held by", HW_COLUMN_CUT},
                                               {"example", 0},
                                               {"", HW_COLUMN_BELOW}};
    struct hw_table table = {.columns = columns, .column_count = 6};
    struct hw_buf rest = {0};
    put_title(out, question, paths);
    for (size_t i = 0; i < paths->row_count; i++) {
        const struct hw_path_row *row = &paths->rows[i];
        put_share(&table, row->count, row->bytes, paths->bytes);
        hw_text_escape(hw_table_cell(&table), row->holder);
        hw_buf_printf(hw_table_cell(&table), "0x%" PRIx64, row->example_addr);
        hw_text_escape(hw_table_cell(&table), row->path);
    }
    hw_text_count(&rest, paths->path_count - paths->row_count);
    hw_buf_puts(&rest, " other paths; --all shows all");
    put_rest(&table, paths->rest_count, paths->rest_bytes, paths->bytes, hw_buf_str(&rest));
    put_rest(&table, paths->garbage_count, paths->garbage_bytes, paths->bytes,
             "garbage: no root reaches them, the collector would free them");
    put_rest(&table, paths->unheld_count - paths->garbage_count,
             paths->unheld_bytes - paths->garbage_bytes, paths->bytes,
             "no root that heapwhy sees reaches them");
    hw_table_finish(&table, out);
    hw_buf_deinit(&rest);
}

static void sum_json(struct hw_json *json, const char *key, uint64_t objects, uint64_t bytes)
{
    hw_json_object(json, key);
    hw_json_u64(json, "objects", objects);
    hw_json_u64(json, "bytes", bytes);
    hw_json_end(json);
}

static void paths_json(struct hw_out *out, const struct hw_facts *facts, const char *question,
                       const struct hw_paths *paths)
{
    struct hw_json json;
    hw_json_init(&json, out, false);
    hw_json_object(&json, NULL);
    hw_parts_facts_json(&json, "snapshot", facts);
    hw_json_string(&json, "question", question);
    hw_json_u64(&json, "objects", paths->count);
    hw_json_u64(&json, "bytes", paths->bytes);
    hw_json_u64(&json, "path_count", paths->path_count);
    hw_json_array(&json, "paths");
    for (size_t i = 0; i < paths->row_count; i++) {
        const struct hw_path_row *row = &paths->rows[i];
        hw_json_object(&json, NULL);
        hw_json_string(&json, "path", row->path);
        hw_json_string(&json, "holder_type", row->holder);
        hw_json_u64(&json, "objects", row->count);
        hw_json_u64(&json, "bytes", row->bytes);
        hw_json_addr(&json, "example", row->example_addr);
        hw_json_end(&json);
    }
    hw_json_end(&json);
    sum_json(&json, "rest", paths->rest_count, paths->rest_bytes);
    sum_json(&json, "unheld", paths->unheld_count, paths->unheld_bytes);
    sum_json(&json, "garbage", paths->garbage_count, paths->garbage_bytes);
    hw_json_end(&json);
}

void hw_tell_paths(struct hw_out *out, const struct hw_facts *facts, const char *question,
                   const struct hw_paths *paths)
{
    if (out->json) {
        paths_json(out, facts, question, paths);
        return;
    }
    hw_parts_facts(out, facts);
    paths_text(out, question, paths);
}

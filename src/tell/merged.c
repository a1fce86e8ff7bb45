/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/parts.h"
#include "tell/table.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <inttypes.h>

/* What the two questions call the same things. */
struct words {
    const char *one, *many;           /* of the places, in the title */
    const char *others;               /* on the line of those left out */
    const char *holder;               /* the column's title */
    const char *places, *name, *type; /* JSON */
    const char *count;
};
static const struct words all_words[] = {
    [HW_MERGED_PATHS] = {"on %s path", "on %s different paths", " other paths", "held by", "paths",
                         "path", "holder_type", "path_count"},
    [HW_MERGED_OWNERS] = {"with %s owner", "with %s different owners", " other owners", "owned by",
                          "owners", "owner", "owner_type", "owner_count"},
};

static void put_title(struct hw_out *out, const char *question, const struct words *words,
                      const struct hw_merged *merged)
{
    struct hw_buf line = {0}, count = {0};
    hw_text_count(&line, merged->count);
    hw_buf_printf(&line, merged->count == 1 ? " object is %s, " : " objects are %s, ", question);
    hw_text_bytes(&line, (double)merged->bytes);
    hw_buf_puts(&line, ", ");
    hw_text_count(&count, merged->place_count);
    const char *form = merged->place_count == 1 ? words->one : words->many;
    for (; *form; form++) {
        if (*form != '%') {
            hw_buf_putc(&line, *form);
            continue;
        }
        hw_buf_puts(&line, hw_buf_str(&count));
        form++;
    }
    hw_out_wrap(out, 0, 2, hw_buf_str(&line));
    hw_out_puts(out, "\n");
    hw_buf_deinit(&line);
    hw_buf_deinit(&count);
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

static void put_row(struct hw_table *table, const struct hw_merged_row *row, uint64_t total)
{
    put_share(table, row->count, row->bytes, total);
    hw_text_escape(hw_table_cell(table), row->shared ? "several" : row->holder);
    hw_buf_printf(hw_table_cell(table), "0x%" PRIx64, row->example_addr);
    struct hw_buf *name = hw_table_cell(table);
    hw_buf_puts(name, !row->shared ? "" : *row->path ? "shared: " : "shared");
    hw_text_escape(name, row->path);
}

static void merged_text(struct hw_out *out, const char *question, const struct words *words,
                        const struct hw_merged *merged)
{
    const struct hw_column columns[] = {{"objects", HW_COLUMN_RIGHT},
                                        {"bytes", HW_COLUMN_RIGHT},
                                        {"%", HW_COLUMN_RIGHT},
                                        {words->holder, HW_COLUMN_CUT},
                                        {"example", 0},
                                        {"", HW_COLUMN_BELOW}};
    struct hw_table table = {.columns = columns, .column_count = 6};
    struct hw_buf rest = {0};
    put_title(out, question, words, merged);
    for (size_t i = 0; i < merged->row_count; i++)
        put_row(&table, &merged->rows[i], merged->bytes);
    hw_text_count(&rest, merged->place_count - merged->row_count);
    hw_buf_printf(&rest, "%s; --all shows all", words->others);
    put_rest(&table, merged->rest_count, merged->rest_bytes, merged->bytes, hw_buf_str(&rest));
    put_rest(&table, merged->garbage_count, merged->garbage_bytes, merged->bytes,
             "garbage: no root reaches them, the collector would free them");
    put_rest(&table, merged->unheld_count - merged->garbage_count,
             merged->unheld_bytes - merged->garbage_bytes, merged->bytes,
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

static void row_json(struct hw_json *json, const struct words *words, enum hw_merged_kind kind,
                     const struct hw_merged_row *row)
{
    hw_json_object(json, NULL);
    hw_json_string(json, words->name, row->path);
    hw_json_string(json, words->type, row->holder);
    if (kind == HW_MERGED_OWNERS)
        hw_json_bool(json, "shared", row->shared);
    hw_json_u64(json, "objects", row->count);
    hw_json_u64(json, "bytes", row->bytes);
    hw_json_addr(json, "example", row->example_addr);
    hw_json_end(json);
}

static void merged_json(struct hw_out *out, const struct hw_facts *facts, const char *question,
                        enum hw_merged_kind kind, const struct hw_merged *merged)
{
    const struct words *words = &all_words[kind];
    struct hw_json json;
    hw_json_init(&json, out, false);
    hw_json_object(&json, NULL);
    hw_parts_facts_json(&json, "snapshot", facts);
    hw_json_string(&json, "question", question);
    hw_json_u64(&json, "objects", merged->count);
    hw_json_u64(&json, "bytes", merged->bytes);
    hw_json_u64(&json, words->count, merged->place_count);
    hw_json_array(&json, words->places);
    for (size_t i = 0; i < merged->row_count; i++)
        row_json(&json, words, kind, &merged->rows[i]);
    hw_json_end(&json);
    sum_json(&json, "rest", merged->rest_count, merged->rest_bytes);
    sum_json(&json, "unheld", merged->unheld_count, merged->unheld_bytes);
    sum_json(&json, "garbage", merged->garbage_count, merged->garbage_bytes);
    hw_json_end(&json);
}

void hw_tell_merged(struct hw_out *out, const struct hw_facts *facts, const char *question,
                    enum hw_merged_kind kind, const struct hw_merged *merged)
{
    if (out->json) {
        merged_json(out, facts, question, kind, merged);
        return;
    }
    hw_parts_facts(out, facts);
    merged_text(out, question, &all_words[kind], merged);
}

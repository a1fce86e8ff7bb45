/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/parts.h"
#include "tell/table.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Details and rows below this part of the whole are left out of the text. */
static const double detail_least = 0.005;

/* ---- text ---- */

static void put_part(struct hw_table *table, const struct hw_memory *memory,
                     const struct hw_memory_part *part, bool is_detail)
{
    hw_text_bytes(hw_table_cell(table), (double)part->rss_bytes);
    hw_buf_printf(hw_table_cell(table), "%.1f",
                  memory->rss_bytes ? 100.0 * (double)part->rss_bytes / (double)memory->rss_bytes
                                    : 0);
    if (memory->seconds > 0)
        hw_text_delta_bytes(hw_table_cell(table), part->rss_delta);
    struct hw_buf *name = hw_table_cell(table);
    if (is_detail)
        hw_buf_puts(name, "  ");
    hw_text_escape(name, is_detail ? part->name : part->about);
}

static void parts_text(struct hw_out *out, const struct hw_memory *memory, size_t limit)
{
    static const struct hw_column alone[] = {
        {"resident", HW_COLUMN_RIGHT}, {"%", HW_COLUMN_RIGHT}, {"what", HW_COLUMN_CUT}};
    static const struct hw_column compared[] = {{"resident", HW_COLUMN_RIGHT},
                                                {"%", HW_COLUMN_RIGHT},
                                                {"growth", HW_COLUMN_RIGHT},
                                                {"what", HW_COLUMN_CUT}};
    struct hw_table table = {.columns = memory->seconds > 0 ? compared : alone,
                             .column_count = memory->seconds > 0 ? 4 : 3};
    double least = detail_least * (double)memory->rss_bytes;
    for (size_t i = 0; i < memory->part_count; i++) {
        const struct hw_memory_part *part = &memory->parts[i];
        put_part(&table, memory, part, false);
        for (size_t k = 0; k < part->detail_count && (!limit || k < limit); k++)
            if (!limit || (double)part->details[k].rss_bytes >= least ||
                fabs((double)part->details[k].rss_delta) >= least)
                put_part(&table, memory, &part->details[k], true);
    }
    struct hw_memory_part all = {.about = "all: the RSS",
                                 .rss_bytes = memory->rss_bytes,
                                 .rss_delta = memory->rss_delta};
    put_part(&table, memory, &all, false);
    hw_table_finish(&table, out);
}

static void beside_text(struct hw_out *out, const struct hw_memory *memory)
{
    static const struct hw_column columns[] = {{"", HW_COLUMN_RIGHT}, {"", HW_COLUMN_CUT}};
    struct hw_table table = {.columns = columns, .column_count = 2, .no_titles = true};
    if (!memory->beside_count)
        return;
    hw_out_puts(out, "\nBeside the RSS, or part of the above\n");
    for (size_t i = 0; i < memory->beside_count; i++) {
        hw_text_bytes(hw_table_cell(&table), (double)memory->beside[i].bytes);
        hw_text_escape(hw_table_cell(&table), memory->beside[i].about);
    }
    hw_table_finish(&table, out);
}

static int by_free(const void *a, const void *b)
{
    const struct hw_memory_class *x = a, *y = b;
    if (x->free_bytes != y->free_bytes)
        return x->free_bytes < y->free_bytes ? 1 : -1;
    return (x->block_bytes > y->block_bytes) - (x->block_bytes < y->block_bytes);
}

static void classes_text(struct hw_out *out, const struct hw_memory *memory, size_t limit)
{
    static const struct hw_column columns[] = {{"block size", HW_COLUMN_RIGHT},
                                               {"pools", HW_COLUMN_RIGHT},
                                               {"in use", HW_COLUMN_RIGHT},
                                               {"free", HW_COLUMN_RIGHT},
                                               {"free bytes", HW_COLUMN_RIGHT}};
    struct hw_table table = {.columns = columns, .column_count = 5};
    struct hw_memory_class *rows = calloc(memory->class_count + 1, sizeof(*rows));
    size_t shown = hw_parts_limit(memory->class_count, limit);
    if (!rows) {
        hw_out_no_memory(out);
        return;
    }
    if (memory->class_count) {
        memcpy(rows, memory->classes, memory->class_count * sizeof(*rows));
        qsort(rows, memory->class_count, sizeof(*rows), by_free);
        hw_out_puts(out, "\nFree blocks of Python's allocator, most free bytes first\n");
    }
    for (size_t i = 0; i < shown; i++) {
        hw_text_count(hw_table_cell(&table), rows[i].block_bytes);
        hw_text_count(hw_table_cell(&table), rows[i].pools);
        hw_text_count(hw_table_cell(&table), rows[i].used);
        hw_text_count(hw_table_cell(&table), rows[i].free);
        hw_text_bytes(hw_table_cell(&table), (double)rows[i].free_bytes);
    }
    free(rows);
    if (shown)
        hw_table_finish(&table, out);
    hw_parts_more(out, 0, shown, memory->class_count);
}

static void arenas_text(struct hw_out *out, const struct hw_memory *memory)
{
    struct hw_buf line = {0};
    static const struct hw_column columns[] = {{"arenas", HW_COLUMN_RIGHT},
                                               {"objects", HW_COLUMN_RIGHT},
                                               {"bytes", HW_COLUMN_RIGHT},
                                               {"type", HW_COLUMN_CUT},
                                               {"most of them at", HW_COLUMN_BELOW}};
    struct hw_table table = {.columns = columns, .column_count = 5};
    if (!memory->arena_count)
        return;
    hw_text_count(&line, memory->arena_count);
    hw_buf_puts(&line, " arenas of Python's allocator have ");
    hw_text_bytes(&line, (double)memory->arena_bytes);
    hw_buf_puts(&line, ", ");
    hw_text_bytes(&line, (double)memory->arena_free_bytes);
    hw_buf_puts(&line, " of it free; ");
    hw_text_count(&line, memory->sparse_arena_count);
    hw_buf_puts(&line, " are at most a quarter full");
    hw_buf_puts(&line, memory->pin_count ? ", kept by these objects:" : ".");
    hw_out_puts(out, "\n");
    hw_out_wrap(out, 0, 0, hw_buf_str(&line));
    hw_buf_deinit(&line);
    for (size_t i = 0; i < memory->pin_count; i++) {
        hw_text_count(hw_table_cell(&table), memory->pins[i].arenas);
        hw_text_count(hw_table_cell(&table), memory->pins[i].objects);
        hw_text_bytes(hw_table_cell(&table), (double)memory->pins[i].bytes);
        hw_text_escape(hw_table_cell(&table), memory->pins[i].type);
        hw_text_escape(hw_table_cell(&table), memory->pins[i].path);
    }
    if (memory->pin_count)
        hw_table_finish(&table, out);
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void natives_text(struct hw_out *out, const struct hw_memory *memory, size_t limit)
{
    static const struct hw_column alone[] = {{"size", HW_COLUMN_RIGHT},
                                             {"blocks", HW_COLUMN_RIGHT},
                                             {"bytes", HW_COLUMN_RIGHT},
                                             {"near", HW_COLUMN_CUT},
                                             {"content of one", HW_COLUMN_CUT}};
    static const struct hw_column compared[] = {{"size", HW_COLUMN_RIGHT},
                                                {"blocks", HW_COLUMN_RIGHT},
                                                {"bytes", HW_COLUMN_RIGHT},
                                                {"growth", HW_COLUMN_RIGHT},
                                                {"near", HW_COLUMN_CUT},
                                                {"content of one", HW_COLUMN_CUT}};
    struct hw_table table = {.columns = memory->seconds > 0 ? compared : alone,
                             .column_count = memory->seconds > 0 ? 6 : 5};
    size_t shown = hw_parts_limit(memory->native_count, limit);
    if (!shown)
        return;
    hw_out_puts(out, "\n");
    hw_out_wrap(out, 0, 0, "Blocks of malloc that no Python object is known to use, by size");
    for (size_t i = 0; i < shown; i++) {
        const struct hw_memory_native *row = &memory->natives[i];
        hw_text_count(hw_table_cell(&table), row->block_bytes);
        hw_text_count(hw_table_cell(&table), row->count);
        hw_text_bytes(hw_table_cell(&table), (double)row->bytes);
        if (memory->seconds > 0)
            hw_text_delta_bytes(hw_table_cell(&table), row->bytes_delta);
        hw_text_escape(hw_table_cell(&table), file_name(row->library));
        hw_text_escape(hw_table_cell(&table), row->sample);
    }
    hw_table_finish(&table, out);
    hw_parts_more(out, 0, shown, memory->native_count);
}

static void memory_text(struct hw_out *out, const struct hw_facts *facts,
                        const struct hw_memory *memory, size_t limit)
{
    hw_parts_facts(out, facts);
    hw_out_wrap(out, 0, 0, memory->answer);
    hw_out_puts(out, "\n");
    parts_text(out, memory, limit);
    beside_text(out, memory);
    arenas_text(out, memory);
    classes_text(out, memory, limit);
    natives_text(out, memory, limit);
}

/* ---- JSON ---- */

static void part_json(struct hw_json *json, const struct hw_memory_part *part, bool compared,
                      bool beside)
{
    hw_json_object(json, NULL);
    hw_json_string(json, "name", part->name);
    if (part->about[0])
        hw_json_string(json, "about", part->about);
    if (!beside) {
        hw_json_u64(json, "rss_bytes", part->rss_bytes);
        if (compared)
            hw_json_i64(json, "rss_growth", part->rss_delta);
        hw_json_u64(json, "count", part->count);
    }
    hw_json_u64(json, "bytes", part->bytes);
    if (compared)
        hw_json_i64(json, "bytes_growth", part->bytes_delta);
    if (part->detail_count) {
        hw_json_array(json, "details");
        for (size_t i = 0; i < part->detail_count; i++)
            part_json(json, &part->details[i], compared, beside);
        hw_json_end(json);
    }
    hw_json_end(json);
}

static void parts_json(struct hw_json *json, const char *key, const struct hw_memory_part *parts,
                       size_t count, bool compared, bool beside)
{
    hw_json_array(json, key);
    for (size_t i = 0; i < count; i++)
        part_json(json, &parts[i], compared, beside);
    hw_json_end(json);
}

static void pymalloc_json(struct hw_json *json, const struct hw_memory *memory, size_t limit)
{
    hw_json_object(json, "pymalloc");
    hw_json_u64(json, "arenas", memory->arena_count);
    hw_json_u64(json, "arena_bytes", memory->arena_bytes);
    hw_json_u64(json, "free_bytes", memory->arena_free_bytes);
    hw_json_u64(json, "sparse_arenas", memory->sparse_arena_count);
    hw_json_array(json, "sizes");
    for (size_t i = 0; i < hw_parts_limit(memory->class_count, limit); i++) {
        const struct hw_memory_class *row = &memory->classes[i];
        hw_json_object(json, NULL);
        hw_json_u64(json, "block_bytes", row->block_bytes);
        hw_json_u64(json, "pools", row->pools);
        hw_json_u64(json, "used", row->used);
        hw_json_u64(json, "free", row->free);
        hw_json_u64(json, "free_bytes", row->free_bytes);
        hw_json_end(json);
    }
    hw_json_end(json);
    hw_json_array(json, "pinned_by");
    for (size_t i = 0; i < memory->pin_count; i++) {
        const struct hw_memory_pin *pin = &memory->pins[i];
        hw_json_object(json, NULL);
        hw_json_string(json, "type", pin->type);
        hw_json_u64(json, "arenas", pin->arenas);
        hw_json_u64(json, "objects", pin->objects);
        hw_json_u64(json, "bytes", pin->bytes);
        hw_json_string(json, "path", pin->path);
        hw_json_string(json, "holder", pin->holder);
        hw_json_end(json);
    }
    hw_json_end(json);
    hw_json_end(json);
}

static void natives_json(struct hw_json *json, const struct hw_memory *memory, size_t limit)
{
    hw_json_array(json, "malloc_sizes");
    for (size_t i = 0; i < hw_parts_limit(memory->native_count, limit); i++) {
        const struct hw_memory_native *row = &memory->natives[i];
        hw_json_object(json, NULL);
        hw_json_u64(json, "block_bytes", row->block_bytes);
        hw_json_u64(json, "count", row->count);
        hw_json_u64(json, "bytes", row->bytes);
        if (memory->seconds > 0) {
            hw_json_i64(json, "count_growth", row->count_delta);
            hw_json_i64(json, "bytes_growth", row->bytes_delta);
        }
        hw_json_string(json, "sample", row->sample);
        hw_json_string(json, "library", row->library);
        hw_json_end(json);
    }
    hw_json_end(json);
}

static void memory_json(struct hw_out *out, const struct hw_facts *facts,
                        const struct hw_memory *memory, size_t limit)
{
    bool compared = memory->seconds > 0;
    struct hw_json json;
    hw_json_init(&json, out, false);
    hw_json_object(&json, NULL);
    hw_parts_facts_json(&json, "snapshot", facts);
    hw_json_string(&json, "answer", memory->answer);
    hw_json_u64(&json, "rss_bytes", memory->rss_bytes);
    if (compared) {
        hw_json_i64(&json, "rss_growth", memory->rss_delta);
        hw_json_double(&json, "seconds", memory->seconds);
    }
    parts_json(&json, "parts", memory->parts, memory->part_count, compared, false);
    parts_json(&json, "beside", memory->beside, memory->beside_count, compared, true);
    pymalloc_json(&json, memory, limit);
    natives_json(&json, memory, limit);
    hw_json_end(&json);
}

void hw_tell_memory(struct hw_out *out, const struct hw_facts *facts,
                    const struct hw_memory *memory, size_t limit)
{
    if (out->json)
        memory_json(out, facts, memory, limit);
    else
        memory_text(out, facts, memory, limit);
}

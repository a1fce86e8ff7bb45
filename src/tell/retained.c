/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/parts.h"
#include "tell/table.h"
#include "tell/tell.h"
#include "tell/text.h"

/* By enum hw_place_kind: how a place is called in JSON, and what stands before its name in text;
 * those without one are told by the sentence alone. */
static const struct {
    const char *word, *before;
} kinds[] = {
    [HW_PLACE_MODULE] = {"module", "module "},
    [HW_PLACE_FRAME] = {"frame", "running "},
    [HW_PLACE_THREAD] = {"thread", "thread "},
    [HW_PLACE_C_GLOBALS] = {"c-globals", "C variables of "},
    [HW_PLACE_NATIVE_STACK] = {"native-stack", "native stack of "},
    [HW_PLACE_STATIC_TYPES] = {"static-types", "types made in C"},
    [HW_PLACE_MODULES] = {"modules", "shared by several modules"},
    [HW_PLACE_INTERPRETER] = {"interpreter", "the interpreter itself"},
    [HW_PLACE_ROOT] = {"root", "shared by several of these"},
};

static void put_total(struct hw_out *out, const struct hw_retained *retained)
{
    struct hw_buf line = {0};
    hw_text_count(&line, retained->objects);
    hw_buf_puts(&line, " objects, ");
    hw_text_bytes(&line, (double)retained->bytes);
    if (retained->unreached_objects) {
        hw_buf_puts(&line, ". No root reaches ");
        hw_text_count(&line, retained->unreached_objects);
        hw_buf_puts(&line, " of them, ");
        hw_text_bytes(&line, (double)retained->unreached_bytes);
        hw_buf_puts(&line, ": garbage, and what only C code holds");
    }
    hw_buf_puts(&line, ".");
    hw_out_wrap(out, 0, 0, hw_buf_str(&line));
    hw_buf_deinit(&line);
}

static void put_share(struct hw_table *table, uint64_t part, uint64_t whole)
{
    hw_buf_printf(hw_table_cell(table), "%.1f", whole ? 100.0 * (double)part / (double)whole : 0.0);
}

static bool has_name(enum hw_place_kind kind)
{
    return kind <= HW_PLACE_NATIVE_STACK;
}

static void places_text(struct hw_out *out, const struct hw_retained *retained, size_t shown)
{
    static const struct hw_column columns[] = {{"bytes", HW_COLUMN_RIGHT},
                                               {"%", HW_COLUMN_RIGHT},
                                               {"objects", HW_COLUMN_RIGHT},
                                               {"owned by", HW_COLUMN_CUT}};
    struct hw_table table = {.columns = columns, .column_count = 4};
    for (size_t i = 0; i < shown; i++) {
        const struct hw_retained_place *row = &retained->places[i];
        hw_text_bytes(hw_table_cell(&table), (double)row->bytes);
        put_share(&table, row->bytes, retained->bytes);
        hw_text_count(hw_table_cell(&table), row->objects);
        struct hw_buf *name = hw_table_cell(&table);
        hw_buf_puts(name, kinds[row->kind].before);
        if (has_name(row->kind))
            hw_text_escape(name, row->name);
    }
    hw_out_puts(out, "\n");
    hw_table_finish(&table, out);
    hw_parts_more(out, 0, shown, retained->place_count);
}

static void types_text(struct hw_out *out, const struct hw_retained *retained, size_t shown)
{
    static const struct hw_column columns[] = {{"retained", HW_COLUMN_RIGHT},
                                               {"%", HW_COLUMN_RIGHT},
                                               {"by objects", HW_COLUMN_RIGHT},
                                               {"of own", HW_COLUMN_RIGHT},
                                               {"type", HW_COLUMN_CUT}};
    struct hw_table table = {.columns = columns, .column_count = 5};
    for (size_t i = 0; i < shown; i++) {
        const struct hw_retained_type *row = &retained->types[i];
        hw_text_bytes(hw_table_cell(&table), (double)row->retained_bytes);
        put_share(&table, row->retained_bytes, retained->bytes);
        hw_text_count(hw_table_cell(&table), row->objects);
        hw_text_bytes(hw_table_cell(&table), (double)row->bytes);
        hw_text_escape(hw_table_cell(&table), row->name);
    }
    hw_out_puts(out, "\n");
    hw_table_finish(&table, out);
    hw_parts_more(out, 0, shown, retained->type_count);
}

static void rows_text(struct hw_out *out, const struct hw_retained *retained, size_t shown)
{
    static const struct hw_column columns[] = {
        {"retained", HW_COLUMN_RIGHT}, {"%", HW_COLUMN_RIGHT},    {"objects", HW_COLUMN_RIGHT},
        {"own", HW_COLUMN_RIGHT},      {"object", HW_COLUMN_CUT}, {"", HW_COLUMN_BELOW}};
    struct hw_table table = {.columns = columns, .column_count = 6};
    for (size_t i = 0; i < shown; i++) {
        const struct hw_retained_object *row = &retained->rows[i];
        hw_text_bytes(hw_table_cell(&table), (double)row->retained_bytes);
        put_share(&table, row->retained_bytes, retained->bytes);
        hw_text_count(hw_table_cell(&table), row->retained_objects);
        hw_text_bytes(hw_table_cell(&table), (double)row->bytes);
        hw_parts_retained_name(hw_table_cell(&table), row);
        hw_text_escape(hw_table_cell(&table), row->path);
    }
    hw_out_puts(out, "\n");
    hw_table_finish(&table, out);
}

static void place_json(struct hw_json *json, const struct hw_retained_place *row)
{
    hw_json_object(json, NULL);
    hw_json_string(json, "kind", kinds[row->kind].word);
    hw_json_string(json, "name", row->name);
    hw_json_u64(json, "objects", row->objects);
    hw_json_u64(json, "bytes", row->bytes);
    hw_json_end(json);
}

static void retained_json(struct hw_out *out, const struct hw_facts *facts,
                          const struct hw_retained *retained, size_t limit)
{
    struct hw_json json;
    size_t places = hw_parts_limit(retained->place_count, limit);
    size_t types = hw_parts_limit(retained->type_count, limit);
    hw_json_init(&json, out, false);
    hw_json_object(&json, NULL);
    hw_parts_facts_json(&json, "snapshot", facts);
    hw_json_u64(&json, "objects", retained->objects);
    hw_json_u64(&json, "bytes", retained->bytes);
    hw_json_u64(&json, "unreached_objects", retained->unreached_objects);
    hw_json_u64(&json, "unreached_bytes", retained->unreached_bytes);
    hw_json_array(&json, "places");
    for (size_t i = 0; i < places; i++)
        place_json(&json, &retained->places[i]);
    hw_json_end(&json);
    hw_json_array(&json, "types");
    for (size_t i = 0; i < types; i++)
        hw_parts_retained_type_json(&json, &retained->types[i], true);
    hw_json_end(&json);
    hw_json_array(&json, "largest");
    for (size_t i = 0; i < retained->row_count; i++) {
        hw_json_object(&json, NULL);
        hw_json_string(&json, "path", retained->rows[i].path);
        hw_parts_retained_json(&json, &retained->rows[i]);
        hw_json_end(&json);
    }
    hw_json_end(&json);
    hw_json_end(&json);
}

void hw_tell_retained(struct hw_out *out, const struct hw_facts *facts,
                      const struct hw_retained *retained, size_t limit)
{
    if (out->json) {
        retained_json(out, facts, retained, limit);
        return;
    }
    hw_parts_facts(out, facts);
    put_total(out, retained);
    places_text(out, retained, hw_parts_limit(retained->place_count, limit));
    types_text(out, retained, hw_parts_limit(retained->type_count, limit));
    rows_text(out, retained, hw_parts_limit(retained->row_count, limit));
}

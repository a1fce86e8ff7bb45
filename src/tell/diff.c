/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/parts.h"
#include "tell/shots.h"
#include "tell/table.h"
#include "tell/tell.h"
#include "tell/text.h"

static void types_text(struct hw_out *out, const struct hw_diff *diff, size_t shown)
{
    static const struct hw_column columns[] = {
        {"objects", HW_COLUMN_RIGHT}, {"bytes", HW_COLUMN_RIGHT},    {"now", HW_COLUMN_RIGHT},
        {"new", HW_COLUMN_RIGHT},     {"survived", HW_COLUMN_RIGHT}, {"type", HW_COLUMN_CUT}};
    struct hw_table table = {.columns = columns, .column_count = 6};
    for (size_t i = 0; i < shown; i++) {
        const struct hw_diff_type *row = &diff->types[i];
        hw_text_delta(hw_table_cell(&table), row->count_delta);
        hw_text_delta_bytes(hw_table_cell(&table), row->bytes_delta);
        hw_text_count(hw_table_cell(&table), row->counts[diff->snapshot_count - 1]);
        hw_text_count(hw_table_cell(&table), row->born);
        hw_text_count(hw_table_cell(&table), row->survived);
        hw_text_escape(hw_table_cell(&table), row->name);
    }
    hw_out_puts(out, "\nGrowth by type\n");
    hw_table_finish(&table, out);
    hw_parts_more(out, 0, shown, diff->type_count);
}

static void holders_text(struct hw_out *out, const struct hw_diff *diff, size_t shown)
{
    static const struct hw_column columns[] = {
        {"new", HW_COLUMN_RIGHT},  {"bytes", HW_COLUMN_RIGHT},     {"survived", HW_COLUMN_RIGHT},
        {"size", HW_COLUMN_RIGHT}, {"what is new", HW_COLUMN_CUT}, {"in a", HW_COLUMN_CUT},
        {"", HW_COLUMN_BELOW}};
    struct hw_table table = {.columns = columns, .column_count = 7};
    for (size_t i = 0; i < shown; i++) {
        const struct hw_diff_holder *row = &diff->holders[i];
        hw_text_count(hw_table_cell(&table), row->born);
        hw_text_bytes(hw_table_cell(&table), (double)row->born_bytes);
        hw_text_count(hw_table_cell(&table), row->survived);
        struct hw_buf *sizes = hw_table_cell(&table);
        hw_text_count(sizes, row->sizes[0]);
        hw_buf_puts(sizes, " > ");
        hw_text_count(sizes, row->sizes[diff->snapshot_count - 1]);
        hw_text_escape(hw_table_cell(&table), row->type);
        hw_text_escape(hw_table_cell(&table), row->holder_type);
        hw_text_escape(hw_table_cell(&table), row->path);
    }
    hw_out_puts(out, "\nGrowth by holder\n");
    hw_table_finish(&table, out);
    hw_parts_more(out, 0, shown, diff->holder_count);
}

static void counts_json(struct hw_json *json, const char *key, const uint64_t *counts, size_t n)
{
    hw_json_array(json, key);
    for (size_t i = 0; i < n; i++)
        hw_json_u64(json, NULL, counts[i]);
    hw_json_end(json);
}

static void type_json(struct hw_json *json, const struct hw_diff_type *row, size_t snapshots)
{
    hw_json_object(json, NULL);
    hw_json_string(json, "type", row->name);
    counts_json(json, "objects", row->counts, snapshots);
    counts_json(json, "bytes", row->bytes, snapshots);
    hw_json_i64(json, "objects_delta", row->count_delta);
    hw_json_i64(json, "bytes_delta", row->bytes_delta);
    hw_json_u64(json, "new", row->born);
    hw_json_u64(json, "survived", row->survived);
    hw_json_end(json);
}

static void holder_json(struct hw_json *json, const struct hw_diff_holder *row, size_t snapshots)
{
    hw_json_object(json, NULL);
    hw_json_string(json, "path", row->path);
    hw_json_string(json, "holder_type", row->holder_type);
    hw_json_string(json, "type", row->type);
    counts_json(json, "sizes", row->sizes, snapshots);
    hw_json_u64(json, "new", row->born);
    hw_json_u64(json, "new_bytes", row->born_bytes);
    hw_json_u64(json, "survived", row->survived);
    hw_json_end(json);
}

static void diff_json(struct hw_out *out, const struct hw_diff *diff, size_t types, size_t holders)
{
    struct hw_json json;
    hw_json_init(&json, out, false);
    hw_json_object(&json, NULL);
    hw_shots_diff_json(&json, diff);
    hw_json_array(&json, "types");
    for (size_t i = 0; i < types; i++)
        type_json(&json, &diff->types[i], diff->snapshot_count);
    hw_json_end(&json);
    hw_json_array(&json, "holders");
    for (size_t i = 0; i < holders; i++)
        holder_json(&json, &diff->holders[i], diff->snapshot_count);
    hw_json_end(&json);
    hw_json_end(&json);
}

void hw_tell_diff(struct hw_out *out, const struct hw_diff *diff, size_t limit)
{
    size_t types = hw_parts_limit(diff->type_count, limit);
    size_t holders = hw_parts_limit(diff->holder_count, limit);
    if (out->json) {
        diff_json(out, diff, types, holders);
        return;
    }
    hw_shots_diff(out, diff);
    if (types)
        types_text(out, diff, types);
    else
        hw_out_puts(out, "\nNo type has more or fewer objects than before.\n");
    if (holders)
        holders_text(out, diff, holders);
}

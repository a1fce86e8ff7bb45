/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/parts.h"
#include "tell/table.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    const struct hw_type_row *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int by_count(const void *a, const void *b)
{
    const struct hw_type_row *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : by_name(a, b);
}

static int by_bytes(const void *a, const void *b)
{
    const struct hw_type_row *x = a, *y = b;
    uint64_t x_bytes = x->bytes + x->native_bytes, y_bytes = y->bytes + y->native_bytes;
    return x_bytes != y_bytes ? (x_bytes < y_bytes ? 1 : -1) : by_count(a, b);
}

/* The column of native bytes is there when any type has some. */
static void put_numbers(struct hw_table *table, const struct hw_types *types, uint64_t count,
                        uint64_t bytes, uint64_t native_bytes)
{
    double all = (double)(types->bytes + types->native_bytes);
    hw_text_count(hw_table_cell(table), count);
    hw_text_bytes(hw_table_cell(table), (double)bytes);
    if (types->native_bytes) {
        struct hw_buf *cell = hw_table_cell(table);
        if (native_bytes)
            hw_text_bytes(cell, (double)native_bytes);
    }
    struct hw_buf *cell = hw_table_cell(table);
    if (all > 0)
        hw_buf_printf(cell, "%.1f", 100.0 * (double)(bytes + native_bytes) / all);
}

static void types_text(struct hw_out *out, const struct hw_types *types, size_t shown)
{
    static const struct hw_column columns[] = {{"objects", HW_COLUMN_RIGHT},
                                               {"bytes", HW_COLUMN_RIGHT},
                                               {"%", HW_COLUMN_RIGHT},
                                               {"type", HW_COLUMN_CUT}};
    static const struct hw_column with_native[] = {{"objects", HW_COLUMN_RIGHT},
                                                   {"bytes", HW_COLUMN_RIGHT},
                                                   {"outside", HW_COLUMN_RIGHT},
                                                   {"%", HW_COLUMN_RIGHT},
                                                   {"type", HW_COLUMN_CUT}};
    struct hw_table table = {.columns = types->native_bytes ? with_native : columns,
                             .column_count = types->native_bytes ? 5 : 4};
    for (size_t i = 0; i < shown; i++) {
        const struct hw_type_row *row = &types->rows[i];
        put_numbers(&table, types, row->count, row->bytes, row->native_bytes);
        hw_text_escape(hw_table_cell(&table), row->name);
    }
    put_numbers(&table, types, types->count, types->bytes, types->native_bytes);
    hw_buf_printf(hw_table_cell(&table), "all %zu types", types->row_count);
    hw_table_finish(&table, out);
}

static void types_json(struct hw_out *out, const struct hw_facts *facts,
                       const struct hw_types *types, size_t shown)
{
    struct hw_json json;
    hw_json_init(&json, out, false);
    hw_json_object(&json, NULL);
    hw_parts_facts_json(&json, "snapshot", facts);
    hw_json_u64(&json, "objects", types->count);
    hw_json_u64(&json, "bytes", types->bytes);
    hw_json_u64(&json, "native_bytes", types->native_bytes);
    hw_json_u64(&json, "type_count", types->row_count);
    hw_json_array(&json, "types");
    for (size_t i = 0; i < shown; i++) {
        hw_json_object(&json, NULL);
        hw_json_string(&json, "type", types->rows[i].name);
        hw_json_u64(&json, "objects", types->rows[i].count);
        hw_json_u64(&json, "bytes", types->rows[i].bytes);
        hw_json_u64(&json, "native_bytes", types->rows[i].native_bytes);
        hw_json_end(&json);
    }
    hw_json_end(&json);
    hw_json_end(&json);
}

void hw_tell_types(struct hw_out *out, const struct hw_facts *facts, struct hw_types *types,
                   enum hw_types_sort sort, size_t limit)
{
    static int (*const orders[])(const void *, const void *) = {
        [HW_SORT_BYTES] = by_bytes, [HW_SORT_COUNT] = by_count, [HW_SORT_NAME] = by_name};
    size_t shown = hw_parts_limit(types->row_count, limit);
    if (types->row_count)
        qsort(types->rows, types->row_count, sizeof(*types->rows), orders[sort]);
    if (out->json) {
        types_json(out, facts, types, shown);
        return;
    }
    hw_parts_facts(out, facts);
    types_text(out, types, shown);
    if (shown < types->row_count)
        hw_out_printf(out, "%zu of %zu types; --all shows all.\n", shown, types->row_count);
}

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
    return x->bytes != y->bytes ? (x->bytes < y->bytes ? 1 : -1) : by_count(a, b);
}

static void types_text(struct hw_out *out, const struct hw_types *types, size_t shown)
{
    static const struct hw_column columns[] = {{"objects", HW_COLUMN_RIGHT},
                                               {"bytes", HW_COLUMN_RIGHT},
                                               {"%", HW_COLUMN_RIGHT},
                                               {"type", HW_COLUMN_CUT}};
    struct hw_table table = {.columns = columns, .column_count = 4};
    for (size_t i = 0; i < shown; i++) {
        const struct hw_type_row *row = &types->rows[i];
        hw_text_count(hw_table_cell(&table), row->count);
        hw_text_bytes(hw_table_cell(&table), (double)row->bytes);
        hw_buf_printf(hw_table_cell(&table), "%.1f",
                      types->bytes ? 100.0 * (double)row->bytes / (double)types->bytes : 0);
        hw_text_escape(hw_table_cell(&table), row->name);
    }
    hw_text_count(hw_table_cell(&table), types->count);
    hw_text_bytes(hw_table_cell(&table), (double)types->bytes);
    hw_buf_puts(hw_table_cell(&table), types->bytes ? "100.0" : "");
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
    hw_json_u64(&json, "type_count", types->row_count);
    hw_json_array(&json, "types");
    for (size_t i = 0; i < shown; i++) {
        hw_json_object(&json, NULL);
        hw_json_string(&json, "type", types->rows[i].name);
        hw_json_u64(&json, "objects", types->rows[i].count);
        hw_json_u64(&json, "bytes", types->rows[i].bytes);
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/parts.h"
#include "tell/table.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <inttypes.h>

static void put_sum(struct hw_out *out, const struct hw_weighed *weighed)
{
    struct hw_buf line = {0};
    if (weighed->reached) {
        hw_buf_puts(&line, "Retains ");
        hw_text_bytes(&line, (double)weighed->object.retained_bytes);
        hw_buf_puts(&line, " in ");
        hw_text_count(&line, weighed->object.retained_objects);
        hw_buf_puts(&line, weighed->object.retained_objects == 1 ? " object, " : " objects, ");
        hw_text_bytes(&line, (double)weighed->object.bytes);
        hw_buf_puts(&line, " of it its own.");
    } else {
        hw_buf_puts(&line, "No root reaches it: it is garbage, or only C code holds it.");
    }
    hw_out_wrap(out, 0, 0, hw_buf_str(&line));
    hw_buf_deinit(&line);
}

static void types_text(struct hw_out *out, const struct hw_weighed *weighed, size_t limit)
{
    static const struct hw_column columns[] = {
        {"objects", HW_COLUMN_RIGHT}, {"bytes", HW_COLUMN_RIGHT}, {"type", HW_COLUMN_CUT}};
    struct hw_table table = {.columns = columns, .column_count = 3, .indent = 2};
    size_t shown = hw_parts_limit(weighed->type_count, limit);
    for (size_t i = 0; i < shown; i++) {
        hw_text_count(hw_table_cell(&table), weighed->types[i].objects);
        hw_text_bytes(hw_table_cell(&table), (double)weighed->types[i].bytes);
        hw_text_escape(hw_table_cell(&table), weighed->types[i].name);
    }
    hw_out_puts(out, "\n");
    hw_table_finish(&table, out);
    hw_parts_more(out, 2, shown, weighed->type_count);
}

static void owners_text(struct hw_out *out, const struct hw_weighed *weighed)
{
    static const struct hw_column columns[] = {{"retained", HW_COLUMN_RIGHT},
                                               {"objects", HW_COLUMN_RIGHT},
                                               {"address", 0},
                                               {"owner", HW_COLUMN_CUT},
                                               {"held as", HW_COLUMN_CUT}};
    struct hw_table table = {.columns = columns, .column_count = 5, .indent = 2};
    if (!weighed->owner_count) {
        hw_out_puts(out, "\nNo single object owns it.\n");
        return;
    }
    for (size_t i = 0; i < weighed->owner_count; i++) {
        const struct hw_retained_object *row = &weighed->owners[i];
        hw_text_bytes(hw_table_cell(&table), (double)row->retained_bytes);
        hw_text_count(hw_table_cell(&table), row->retained_objects);
        struct hw_buf *addr = hw_table_cell(&table);
        if (row->step.addr)
            hw_buf_printf(addr, "0x%" PRIx64, row->step.addr);
        hw_parts_retained_name(hw_table_cell(&table), row);
        hw_text_escape(hw_table_cell(&table), row->step.edge);
    }
    hw_out_puts(out, "\nOwned by, nearest first:\n");
    hw_table_finish(&table, out);
    hw_parts_more(out, 2, weighed->owner_count, weighed->owner_total);
}

static void weighed_text(struct hw_out *out, const struct hw_graph *graph,
                         const struct hw_weighed *weighed, size_t limit)
{
    hw_parts_object(out, graph, weighed->object.step.node);
    if (*weighed->object.path) {
        hw_out_puts(out, "  ");
        hw_out_style(out, HW_STYLE_KEY);
        hw_out_text(out, weighed->object.path);
        hw_out_style(out, HW_STYLE_PLAIN);
        hw_out_puts(out, "\n");
    }
    put_sum(out, weighed);
    if (!weighed->reached)
        return;
    types_text(out, weighed, limit);
    owners_text(out, weighed);
}

static void weighed_json(struct hw_json *json, const struct hw_weighed *weighed, size_t limit)
{
    size_t types = hw_parts_limit(weighed->type_count, limit);
    hw_json_object(json, NULL);
    hw_json_string(json, "path", weighed->object.path);
    hw_parts_retained_json(json, &weighed->object);
    hw_json_bool(json, "reached", weighed->reached);
    hw_json_array(json, "types");
    for (size_t i = 0; i < types; i++)
        hw_parts_retained_type_json(json, &weighed->types[i], false);
    hw_json_end(json);
    hw_json_u64(json, "owner_count", weighed->owner_total);
    hw_json_array(json, "owners");
    for (size_t i = 0; i < weighed->owner_count; i++) {
        hw_json_object(json, NULL);
        hw_json_string(json, "edge", weighed->owners[i].step.edge);
        hw_parts_retained_json(json, &weighed->owners[i]);
        hw_json_end(json);
    }
    hw_json_end(json);
    hw_json_end(json);
}

void hw_tell_weighing(struct hw_out *out, const struct hw_graph *graph,
                      const struct hw_match *match, const struct hw_weighing *weighing,
                      size_t limit)
{
    struct hw_json json;
    if (out->json) {
        hw_json_init(&json, out, false);
        hw_parts_match_json(&json, graph, match);
        for (size_t i = 0; i < weighing->object_count; i++)
            weighed_json(&json, &weighing->objects[i], limit);
        hw_json_end(&json);
        hw_json_end(&json);
        return;
    }
    hw_parts_match(out, match);
    for (size_t i = 0; i < weighing->object_count; i++) {
        hw_out_puts(out, i ? "\n" : "");
        weighed_text(out, graph, &weighing->objects[i], limit);
    }
}

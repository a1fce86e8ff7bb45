/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/parts.h"
#include "tell/table.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <inttypes.h>

enum { LEVEL_INDENT = 2 };

static struct hw_buf *put_numbers(struct hw_table *table, uint64_t bytes, uint64_t objects,
                                  uint64_t addr, size_t depth)
{
    hw_text_bytes(hw_table_cell(table), (double)bytes);
    hw_text_count(hw_table_cell(table), objects);
    struct hw_buf *cell = hw_table_cell(table);
    if (addr)
        hw_buf_printf(cell, "0x%" PRIx64, addr);
    cell = hw_table_cell(table);
    hw_buf_printf(cell, "%*s", (int)depth * LEVEL_INDENT, "");
    return cell;
}

static void put_branch(struct hw_table *table, const struct hw_branch *branch, size_t depth)
{
    const struct hw_retained_object *object = &branch->object;
    struct hw_buf *cell = put_numbers(table, object->retained_bytes, object->retained_objects,
                                      object->step.addr, depth);
    if (object->step.addr && depth) {
        hw_text_escape(cell, *object->step.edge ? object->step.edge : "several ways:");
        hw_buf_puts(cell, " ");
    }
    hw_parts_retained_name(cell, object);
    for (size_t i = 0; i < branch->child_count; i++)
        put_branch(table, &branch->children[i], depth + 1);
    if (!branch->rest_count)
        return;
    cell = put_numbers(table, branch->rest_bytes, branch->rest_objects, 0, depth + 1);
    hw_buf_puts(cell, branch->child_count ? "and " : "");
    hw_text_count(cell, branch->rest_count);
    hw_buf_puts(cell, branch->child_count ? " more" : " small");
    if (2 * branch->rest_type_count <= branch->rest_count)
        return;
    hw_buf_puts(cell, branch->rest_type_count == branch->rest_count ? ": " : ", mostly ");
    hw_text_escape(cell, branch->rest_type);
}

static void branch_json(struct hw_json *json, const struct hw_branch *branch, size_t depth)
{
    hw_json_object(json, NULL);
    hw_json_u64(json, "depth", depth);
    hw_json_string(json, "edge", branch->object.step.edge);
    hw_parts_retained_json(json, &branch->object);
    hw_json_u64(json, "children", branch->child_count);
    hw_json_u64(json, "rest_children", branch->rest_count);
    hw_json_u64(json, "rest_bytes", branch->rest_bytes);
    hw_json_u64(json, "rest_objects", branch->rest_objects);
    if (2 * branch->rest_type_count > branch->rest_count) {
        hw_json_string(json, "rest_type", branch->rest_type);
        hw_json_u64(json, "rest_of_type", branch->rest_type_count);
    }
    hw_json_end(json);
    for (size_t i = 0; i < branch->child_count; i++)
        branch_json(json, &branch->children[i], depth + 1);
}

static void tree_json(struct hw_out *out, const struct hw_facts *facts,
                      const struct hw_branch *branch)
{
    struct hw_json json;
    hw_json_init(&json, out, false);
    hw_json_object(&json, NULL);
    hw_parts_facts_json(&json, "snapshot", facts);
    hw_json_string(&json, "path", branch->object.path);
    hw_json_array(&json, "branches");
    branch_json(&json, branch, 0);
    hw_json_end(&json);
    hw_json_end(&json);
}

void hw_tell_tree(struct hw_out *out, const struct hw_facts *facts, const struct hw_branch *branch)
{
    static const struct hw_column columns[] = {{"retained", HW_COLUMN_RIGHT},
                                               {"objects", HW_COLUMN_RIGHT},
                                               {"address", 0},
                                               {"held as, what", HW_COLUMN_CUT}};
    struct hw_table table = {.columns = columns, .column_count = 4};
    if (out->json) {
        tree_json(out, facts, branch);
        return;
    }
    hw_parts_facts(out, facts);
    if (branch->object.step.addr && *branch->object.path) {
        hw_out_style(out, HW_STYLE_KEY);
        hw_out_text(out, branch->object.path);
        hw_out_style(out, HW_STYLE_PLAIN);
        hw_out_puts(out, "\n");
    }
    put_branch(&table, branch, 0);
    hw_out_puts(out, "\n");
    hw_table_finish(&table, out);
}

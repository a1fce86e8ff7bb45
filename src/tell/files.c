/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/parts.h"
#include "tell/table.h"
#include "tell/tell.h"
#include "tell/text.h"

static void snapshot_json(struct hw_out *out, const struct hw_graph *graph, const char *path,
                          uint64_t file_bytes)
{
    struct hw_json json;
    hw_json_init(&json, out, false);
    hw_json_object(&json, NULL);
    hw_json_string(&json, "file", path);
    hw_json_u64(&json, "file_bytes", file_bytes);
    hw_parts_facts_json(&json, "snapshot", hw_graph_facts(graph));
    hw_json_u64(&json, "objects", hw_graph_object_count(graph));
    hw_json_u64(&json, "references", hw_graph_edge_count(graph));
    hw_json_u64(&json, "bytes", hw_graph_bytes(graph));
    hw_json_end(&json);
}

void hw_tell_snapshot(struct hw_out *out, const struct hw_graph *graph, const char *path,
                      uint64_t file_bytes)
{
    if (out->json) {
        snapshot_json(out, graph, path, file_bytes);
        return;
    }
    struct hw_buf line = {0};
    hw_buf_printf(&line, "%s: ", path);
    hw_text_count(&line, hw_graph_object_count(graph));
    hw_buf_puts(&line, " objects, ");
    hw_text_bytes(&line, (double)hw_graph_bytes(graph));
    hw_buf_puts(&line, ", in a file of ");
    hw_text_bytes(&line, (double)file_bytes);
    hw_out_wrap(out, 0, 2, hw_buf_str(&line));
    hw_buf_deinit(&line);
    hw_parts_facts(out, hw_graph_facts(graph));
}

static void check_json(struct hw_out *out, const char *path, const struct hw_check *check)
{
    struct hw_json json;
    hw_json_init(&json, out, false);
    hw_json_object(&json, NULL);
    hw_json_string(&json, "file", path);
    hw_json_u64(&json, "version", check->version);
    hw_json_u64(&json, "file_bytes", check->file_bytes);
    hw_json_u64(&json, "objects", check->objects);
    hw_json_u64(&json, "references", check->edges);
    hw_json_array(&json, "chunks");
    for (size_t i = 0; i < check->chunk_count; i++) {
        const struct hw_chunk_row *chunk = &check->chunks[i];
        hw_json_object(&json, NULL);
        hw_json_string(&json, "name", chunk->name);
        hw_json_u64(&json, "offset", chunk->offset);
        hw_json_u64(&json, "file_bytes", chunk->file_bytes);
        hw_json_u64(&json, "raw_bytes", chunk->raw_bytes);
        hw_json_bool(&json, "known", chunk->known);
        hw_json_end(&json);
    }
    hw_json_end(&json);
    hw_json_end(&json);
}

static void check_table(struct hw_out *out, const struct hw_check *check)
{
    static const struct hw_column columns[] = {{"chunk", 0},
                                               {"offset", HW_COLUMN_RIGHT},
                                               {"stored", HW_COLUMN_RIGHT},
                                               {"unpacked", HW_COLUMN_RIGHT},
                                               {"", 0}};
    struct hw_table table = {.columns = columns, .column_count = 5, .indent = 2};
    for (size_t i = 0; i < check->chunk_count; i++) {
        const struct hw_chunk_row *chunk = &check->chunks[i];
        hw_text_escape(hw_table_cell(&table), chunk->name);
        hw_text_count(hw_table_cell(&table), chunk->offset);
        hw_text_bytes(hw_table_cell(&table), (double)chunk->file_bytes);
        hw_text_bytes(hw_table_cell(&table), (double)chunk->raw_bytes);
        hw_buf_puts(hw_table_cell(&table), chunk->known ? "" : "unknown, skipped");
    }
    hw_table_finish(&table, out);
}

void hw_tell_check(struct hw_out *out, const char *path, const struct hw_check *check)
{
    if (out->json) {
        check_json(out, path, check);
        return;
    }
    struct hw_buf line = {0};
    hw_buf_printf(&line, "%s is whole: format %u, ", path, check->version);
    hw_text_count(&line, check->objects);
    hw_buf_puts(&line, " objects, ");
    hw_text_count(&line, check->edges);
    hw_buf_puts(&line, " references, ");
    hw_text_bytes(&line, (double)check->file_bytes);
    hw_out_wrap(out, 0, 2, hw_buf_str(&line));
    hw_buf_deinit(&line);
    check_table(out, check);
}

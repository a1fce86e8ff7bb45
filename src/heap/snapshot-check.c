/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "heap/snapshot-read.h"

#include <stdlib.h>

/* The chunks that loading passes over, or does not look into. */
static bool check_rest(const struct hw_snap_file *file, struct hw_graph *graph, struct hw_err *err)
{
    for (uint32_t i = 0; i < file->head.row_count; i++) {
        unsigned char *data;
        if (!hw_snap_file_chunk(file, &file->head.rows[i], &data, err))
            return false;
        free(data);
    }
    struct hw_err inner = HW_ERR_INIT;
    if (hw_values_validate(&graph->values, graph->node_count, &inner))
        return true;
    return hw_err_set(err, inner.code, "cannot read %.200s: %.300s", file->path, inner.msg);
}

static struct hw_check *make_report(const struct hw_snap_head *head)
{
    struct hw_check *check = calloc(1, sizeof(*check));
    struct hw_chunk_row *rows = calloc(head->row_count, sizeof(*rows));
    if (!check || !rows) {
        free(check);
        free(rows);
        return NULL;
    }
    for (uint32_t i = 0; i < head->row_count; i++) {
        const struct hw_snap_row *row = &head->rows[i];
        rows[i] = (struct hw_chunk_row){
            .offset = row->offset,
            .file_bytes = row->stored_bytes,
            .raw_bytes = row->raw_bytes,
            .known = hw_snap_row_is_known(row),
        };
        strcpy(rows[i].name, row->tag);
    }
    *check = (struct hw_check){head->major, head->file_bytes, head->object_count, head->edge_count,
                               rows,        head->row_count};
    return check;
}

static bool check_file(const struct hw_snap_file *file, struct hw_check **ret_check,
                       struct hw_err *err)
{
    struct hw_graph *graph;
    if (!hw_snap_file_load(file, &graph, err))
        return false;
    bool ok = check_rest(file, graph, err);
    hw_graph_destroy(graph);
    if (!ok)
        return false;
    struct hw_check *check = make_report(&file->head);
    if (!check)
        return hw_err_no_memory(err);
    *ret_check = check;
    return true;
}

bool hw_snapshot_check(const char *path, struct hw_check **ret_check, struct hw_err *err)
{
    struct hw_snap_file file;
    if (!hw_snap_file_open(&file, path, err))
        return false;
    bool ok = check_file(&file, ret_check, err);
    hw_snap_file_close(&file);
    return ok;
}

void hw_check_destroy(struct hw_check *check)
{
    if (!check)
        return;
    free(check->chunks);
    free(check);
}

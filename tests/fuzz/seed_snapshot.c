/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Makes the corpus for fuzz_snapshot: seed_snapshot FOLDER. The seeds' zstd frames hold their
 * content as it is, so that a mutation changes a number in a column and not only a packed stream.
 */

#include "heap/snapshot-format.h"
#include "sample-graph.h"
#include "sample-system.h"

#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

/* A frame of one raw block. */
static void put_frame(struct hw_buf *out, const unsigned char *raw, uint32_t bytes)
{
    unsigned char head[12] = {0x28, 0xb5, 0x2f, 0xfd, 0xa0};
    hw_put_u32(head + 5, bytes);
    uint32_t block = bytes << 3 | 1;
    for (int i = 0; i < 3; i++)
        head[9 + i] = (unsigned char)(block >> (8 * i));
    hw_buf_put(out, head, sizeof(head));
    hw_buf_put(out, raw, bytes);
}

static void unpack_frame(struct hw_buf *out, const void *packed, size_t bytes, uint32_t raw_bytes)
{
    unsigned char *raw = malloc(raw_bytes);
    if (!raw || ZSTD_decompress(raw, raw_bytes, packed, bytes) != raw_bytes)
        abort();
    put_frame(out, raw, raw_bytes);
    free(raw);
}

static void unpack_values(struct hw_values *values)
{
    struct hw_buf out = {0};
    for (size_t i = 0; i < values->block_count; i++) {
        struct hw_value_block *block = &values->blocks[i];
        size_t before = out.len;
        unpack_frame(&out, values->packed.data + block->offset, block->bytes, block->raw_bytes);
        block->offset = before;
        block->bytes = (uint32_t)(out.len - before);
    }
    hw_buf_deinit(&values->packed);
    values->packed = out;
}

static void unpack_chunk(struct hw_buf *out, const struct hw_snap_row *row,
                         const unsigned char *file)
{
    struct hw_bytes in = hw_bytes_of(file + row->offset, row->stored_bytes);
    struct hw_snap_piece piece;
    while (row->codec == HW_SNAP_PIECES && hw_bytes_left(&in) && hw_snap_piece_get(&in, &piece)) {
        unsigned char head[HW_SNAP_PIECE_HEADER_BYTES];
        const unsigned char *stored = hw_bytes_take(&in, piece.stored_bytes);
        size_t at = out->len;
        hw_buf_put(out, head, sizeof(head));
        unpack_frame(out, stored, piece.stored_bytes, piece.raw_bytes);
        piece.stored_bytes = (uint32_t)(out->len - at - sizeof(head));
        hw_snap_piece_put(piece, out->data + at);
    }
    hw_buf_put(out, in.at, hw_bytes_left(&in));
}

static void make_seed(struct hw_graph *graph, const char *folder, const char *name)
{
    static unsigned char file[1 << 20];
    char path[4096];
    struct hw_snap_head head;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    unpack_values(&graph->values);
    if (!hw_snapshot_save(graph, path, NULL))
        abort();
    hw_graph_destroy(graph);
    FILE *f = fopen(path, "r+b");
    size_t bytes = f ? fread(file, 1, sizeof(file), f) : 0;
    if (!hw_snap_head_get(file, bytes, &head, NULL))
        abort();
    struct hw_buf out = {0};
    unsigned char front[HW_SNAP_HEAD_MAX_BYTES] = {0}, end[HW_SNAP_END_BYTES];
    hw_buf_put(&out, front, hw_snap_head_bytes(head.row_count));
    for (uint32_t i = 0; i < head.row_count; i++) {
        size_t at = out.len;
        unpack_chunk(&out, &head.rows[i], file);
        head.rows[i].offset = at;
        head.rows[i].stored_bytes = out.len - at;
        if (head.rows[i].codec == HW_SNAP_PLAIN)
            head.rows[i].raw_bytes = head.rows[i].stored_bytes;
    }
    head.file_bytes = out.len + sizeof(end);
    hw_snap_head_put(&head, out.data); /* fuzz_snapshot sets the checksums of chunks */
    hw_snap_end_put(&head, end);
    hw_buf_put(&out, end, sizeof(end));
    rewind(f);
    fwrite(out.data, 1, out.len, f);
    fclose(f);
    hw_buf_deinit(&out);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    make_seed(sample_graph_root(), argv[1], "root");
    make_seed(sample_graph_small(), argv[1], "small");
    make_seed(sample_graph_open(), argv[1], "open");
    make_seed(sample_graph_service(5, true), argv[1], "service");
    struct hw_graph *traced = sample_graph_small();
    if (!sample_graph_trace(traced))
        abort();
    make_seed(traced, argv[1], "traced");
    return 0;
}

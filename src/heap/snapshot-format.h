/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_HEAP_SNAPSHOT_FORMAT_H
#define HW_HEAP_SNAPSHOT_FORMAT_H

/*
 * The frame of a snapshot file: header, chunk table, end marker. docs/snapshot-format.md is the
 * contract; the names here are its names.
 */

#include "base/bytes.h"
#include "heapwhy.h"

enum {
    HW_SNAP_MAJOR = 1,
    HW_SNAP_MINOR = 4,
    HW_SNAP_STABLE_BYTES = 12, /* magic and version: the same in every version to come */
    HW_SNAP_HEADER_BYTES = 64,
    HW_SNAP_ROW_BYTES = 56,
    HW_SNAP_END_BYTES = 16,
    HW_SNAP_CHECKSUM_AT = 56,
    HW_SNAP_TAG_BYTES = 8,
    HW_SNAP_CHUNK_MAX = 256,
    HW_SNAP_HEAD_MAX_BYTES = HW_SNAP_HEADER_BYTES + (HW_SNAP_CHUNK_MAX + 1) * HW_SNAP_ROW_BYTES,
    HW_SNAP_PIECE_HEADER_BYTES = 16,
    HW_SNAP_PIECE_RAW_MAX = 1 << 20,
    HW_SNAP_PIECE_STORED_MAX = (1 << 20) + (1 << 14),
    HW_SNAP_PIECE_ELEMENTS_MAX = 1 << 17,
    HW_SNAP_STRING_MAX_BYTES = UINT16_MAX,
    HW_SNAP_RAW_PER_BYTE = 64, /* raw bytes of all chunks for each byte of the file, at most */
};

enum hw_snap_codec { HW_SNAP_PLAIN, HW_SNAP_PIECES };

struct hw_snap_row {
    char tag[HW_SNAP_TAG_BYTES + 1];
    uint32_t codec;
    uint64_t offset, stored_bytes, raw_bytes, elements, checksum;
};

struct hw_snap_head {
    uint32_t major, minor;
    uint64_t file_bytes, edge_count;
    uint32_t node_count, object_count;
    uint64_t checksum;
    uint32_t row_count;
    struct hw_snap_row rows[HW_SNAP_CHUNK_MAX];
};

struct hw_snap_piece {
    uint32_t raw_bytes, stored_bytes, elements;
};

/* Length of header and table. */
static inline size_t hw_snap_head_bytes(uint32_t row_count)
{
    return HW_SNAP_HEADER_BYTES + ((size_t)row_count + 1) * HW_SNAP_ROW_BYTES;
}

/* Fills out[0..hw_snap_head_bytes(row_count)) and sets head->checksum. */
void hw_snap_head_put(struct hw_snap_head *head, unsigned char *out);
void hw_snap_end_put(const struct hw_snap_head *head, unsigned char out[HW_SNAP_END_BYTES]);

/* Reads the header; only the parts of *head before rows are filled. Fails for what is no snapshot
 * and for versions this reader does not know. */
bool hw_snap_header_get(struct hw_bytes in, struct hw_snap_head *head, struct hw_err *err);
/* Reads the whole head and checks everything that it says about itself. file_bytes: the true size.
 */
bool hw_snap_head_get(const unsigned char *data, uint64_t file_bytes, struct hw_snap_head *head,
                      struct hw_err *err);
bool hw_snap_end_get(const struct hw_snap_head *head, const unsigned char in[HW_SNAP_END_BYTES],
                     struct hw_err *err);

void hw_snap_piece_put(struct hw_snap_piece piece, unsigned char out[HW_SNAP_PIECE_HEADER_BYTES]);
/* false: no piece can look like this, or it is cut short. */
bool hw_snap_piece_get(struct hw_bytes *in, struct hw_snap_piece *ret_piece);

/* The code for an errno that a file name led to. */
enum hw_err_code hw_snap_err_code(int errno_value);

/* Always false: path cannot be read or written, it is a directory, a device or a pipe. */
struct stat;
bool hw_snap_not_regular(struct hw_err *err, const struct stat *st, const char *verb,
                         const char *path);

#endif

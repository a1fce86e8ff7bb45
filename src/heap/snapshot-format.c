/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/snapshot-format.h"

#include "agent/recording.h"
#include "base/err.h"

#include <errno.h>
#include <sys/stat.h>
#include <xxhash.h>

static const unsigned char magic[8] = {0x89, 'H', 'W', 'S', '\r', '\n', 0x1a, '\n'};
static const unsigned char end_mark[8] = {'H', 'W', 'S', 'e', 'n', 'd', '\r', '\n'};

static unsigned char *put_row(unsigned char *out, const struct hw_snap_row *row)
{
    memcpy(out, row->tag, HW_SNAP_TAG_BYTES);
    out = hw_put_u32(out + HW_SNAP_TAG_BYTES, row->codec);
    out = hw_put_u32(out, 0);
    out = hw_put_u64(out, row->offset);
    out = hw_put_u64(out, row->stored_bytes);
    out = hw_put_u64(out, row->raw_bytes);
    out = hw_put_u64(out, row->elements);
    return hw_put_u64(out, row->checksum);
}

void hw_snap_head_put(struct hw_snap_head *head, unsigned char *out)
{
    unsigned char *p = out;
    memcpy(p, magic, sizeof(magic));
    p = hw_put_u32(p + sizeof(magic), head->major | head->minor << 16);
    p = hw_put_u32(p, head->row_count);
    p = hw_put_u64(p, head->file_bytes);
    p = hw_put_u64(p, head->edge_count);
    p = hw_put_u32(p, head->node_count);
    p = hw_put_u32(p, head->object_count);
    memset(p, 0, HW_SNAP_HEADER_BYTES - (size_t)(p - out));
    p = out + HW_SNAP_HEADER_BYTES;
    for (uint32_t i = 0; i < head->row_count; i++)
        p = put_row(p, &head->rows[i]);
    struct hw_snap_row last = {.offset = head->file_bytes - HW_SNAP_END_BYTES};
    put_row(p, &last);
    head->checksum = XXH3_64bits(out, hw_snap_head_bytes(head->row_count));
    hw_put_u64(out + HW_SNAP_CHECKSUM_AT, head->checksum);
}

void hw_snap_end_put(const struct hw_snap_head *head, unsigned char out[HW_SNAP_END_BYTES])
{
    memcpy(out, end_mark, sizeof(end_mark));
    hw_put_u64(out + sizeof(end_mark), head->checksum);
}

static bool corrupt(struct hw_err *err, const char *what)
{
    return hw_err_set(err, HW_ERR_CORRUPT, "it is damaged: %s", what);
}

bool hw_snap_header_get(struct hw_bytes in, struct hw_snap_head *head, struct hw_err *err)
{
    const unsigned char *mark = hw_bytes_take(&in, sizeof(magic));
    if (mark && memcmp(mark, HW_RECORDING_MAGIC, sizeof(magic)) == 0)
        return hw_err_set(err, HW_ERR_CORRUPT,
                          "it is a recording of allocations, not a snapshot: see heapwhy allocations FILE");
    if (!mark || memcmp(mark, magic, sizeof(magic)) != 0)
        return hw_err_set(err, HW_ERR_CORRUPT, "it is not a heapwhy snapshot");
    uint32_t version = hw_bytes_u32(&in);
    head->major = version & 0xffff;
    head->minor = version >> 16;
    if (!in.failed && head->major > HW_SNAP_MAJOR)
        return hw_err_set(err, HW_ERR_TOO_NEW,
                          "it has format version %u.%u, and this heapwhy reads versions up to "
                          "%d.x: use a later heapwhy",
                          head->major, head->minor, HW_SNAP_MAJOR);
    head->row_count = hw_bytes_u32(&in);
    head->file_bytes = hw_bytes_u64(&in);
    head->edge_count = hw_bytes_u64(&in);
    head->node_count = hw_bytes_u32(&in);
    head->object_count = hw_bytes_u32(&in);
    hw_bytes_take(&in, 16);
    head->checksum = hw_bytes_u64(&in);
    if (in.failed)
        return corrupt(err, "it ends in its header");
    if (!head->major || !head->row_count || head->row_count > HW_SNAP_CHUNK_MAX)
        return corrupt(err, "its header makes no sense");
    return true;
}

static struct hw_snap_row get_row(struct hw_bytes *in)
{
    struct hw_snap_row row = {0};
    const unsigned char *tag = hw_bytes_take(in, HW_SNAP_TAG_BYTES);
    if (tag)
        memcpy(row.tag, tag, HW_SNAP_TAG_BYTES);
    row.codec = hw_bytes_u32(in);
    hw_bytes_u32(in);
    row.offset = hw_bytes_u64(in);
    row.stored_bytes = hw_bytes_u64(in);
    row.raw_bytes = hw_bytes_u64(in);
    row.elements = hw_bytes_u64(in);
    row.checksum = hw_bytes_u64(in);
    return row;
}

static bool tag_is_sound(const char *tag)
{
    size_t n = strspn(tag, "abcdefghijklmnopqrstuvwxyz0123456789-");
    static const char zeros[HW_SNAP_TAG_BYTES] = {0};
    return n > 0 && n <= HW_SNAP_TAG_BYTES && memcmp(tag + n, zeros, HW_SNAP_TAG_BYTES - n) == 0;
}

static bool tag_is_new(const struct hw_snap_head *head, uint32_t number)
{
    for (uint32_t i = 0; i < number; i++)
        if (strcmp(head->rows[i].tag, head->rows[number].tag) == 0)
            return false;
    return true;
}

static uint64_t checksum_of_head(const unsigned char *data, size_t bytes)
{
    unsigned char copy[HW_SNAP_HEAD_MAX_BYTES];
    memcpy(copy, data, bytes);
    memset(copy + HW_SNAP_CHECKSUM_AT, 0, HW_SNAP_HEADER_BYTES - HW_SNAP_CHECKSUM_AT);
    return XXH3_64bits(copy, bytes);
}

static bool get_rows(struct hw_bytes *in, struct hw_snap_head *head, struct hw_err *err)
{
    uint64_t at = hw_snap_head_bytes(head->row_count), raw_bytes = 0;
    for (uint32_t i = 0; i < head->row_count; i++) {
        struct hw_snap_row *row = &head->rows[i];
        *row = get_row(in);
        if (!tag_is_sound(row->tag) || !tag_is_new(head, i) || row->offset != at ||
            row->stored_bytes > head->file_bytes - at ||
            (row->codec == HW_SNAP_PLAIN && row->raw_bytes != row->stored_bytes) ||
            __builtin_add_overflow(raw_bytes, row->raw_bytes, &raw_bytes))
            return hw_err_set(err, HW_ERR_CORRUPT,
                              "it is damaged: row %u of its chunk table makes no sense", i);
        at += row->stored_bytes;
    }
    struct hw_snap_row last = get_row(in);
    if (last.tag[0] || last.offset != at || head->file_bytes - at != HW_SNAP_END_BYTES)
        return corrupt(err, "its chunk table does not end where it should");
    if (raw_bytes / HW_SNAP_RAW_PER_BYTE > head->file_bytes)
        return corrupt(err, "its chunk table promises more than the file can hold");
    return true;
}

bool hw_snap_head_get(const unsigned char *data, uint64_t file_bytes, struct hw_snap_head *head,
                      struct hw_err *err)
{
    size_t bytes = file_bytes < HW_SNAP_HEAD_MAX_BYTES ? file_bytes : HW_SNAP_HEAD_MAX_BYTES;
    struct hw_bytes in = hw_bytes_of(data, bytes);
    if (!hw_snap_header_get(in, head, err))
        return false;
    if (head->file_bytes != file_bytes)
        return hw_err_set(err, HW_ERR_CORRUPT,
                          "it is damaged: it has %llu bytes, and its header says %llu",
                          (unsigned long long)file_bytes, (unsigned long long)head->file_bytes);
    size_t head_bytes = hw_snap_head_bytes(head->row_count);
    if (head_bytes + HW_SNAP_END_BYTES > file_bytes)
        return corrupt(err, "it ends in its chunk table");
    if (checksum_of_head(data, head_bytes) != head->checksum)
        return corrupt(err, "the checksum of its header does not match");
    if (!head->node_count || head->node_count == HW_NONE || head->edge_count > UINT32_MAX ||
        head->object_count >= head->node_count)
        return corrupt(err, "its header makes no sense");
    in.at += HW_SNAP_HEADER_BYTES;
    return get_rows(&in, head, err);
}

bool hw_snap_end_get(const struct hw_snap_head *head, const unsigned char in[HW_SNAP_END_BYTES],
                     struct hw_err *err)
{
    unsigned char expected[HW_SNAP_END_BYTES];
    hw_snap_end_put(head, expected);
    return memcmp(in, expected, sizeof(expected)) == 0 ||
           corrupt(err, "its end marker is not there");
}

void hw_snap_piece_put(struct hw_snap_piece piece, unsigned char out[HW_SNAP_PIECE_HEADER_BYTES])
{
    out = hw_put_u32(out, piece.raw_bytes);
    out = hw_put_u32(out, piece.stored_bytes);
    out = hw_put_u32(out, piece.elements);
    hw_put_u32(out, 0);
}

bool hw_snap_piece_get(struct hw_bytes *in, struct hw_snap_piece *ret_piece)
{
    struct hw_snap_piece piece = {0};
    piece.raw_bytes = hw_bytes_u32(in);
    piece.stored_bytes = hw_bytes_u32(in);
    piece.elements = hw_bytes_u32(in);
    hw_bytes_u32(in);
    *ret_piece = piece;
    return !in->failed && piece.raw_bytes && piece.raw_bytes <= HW_SNAP_PIECE_RAW_MAX &&
           piece.stored_bytes && piece.stored_bytes <= HW_SNAP_PIECE_STORED_MAX && piece.elements &&
           piece.elements <= HW_SNAP_PIECE_ELEMENTS_MAX && piece.elements <= piece.raw_bytes;
}

bool hw_snap_not_regular(struct hw_err *err, const struct stat *st, const char *verb,
                         const char *path)
{
    return hw_err_set(err, HW_ERR_IO, "cannot %s %.200s: it is %s", verb, path,
                      S_ISDIR(st->st_mode) ? "a directory" : "not a regular file");
}

enum hw_err_code hw_snap_err_code(int errno_value)
{
    switch (errno_value) {
    case ENOENT:
    case ENOTDIR:
        return HW_ERR_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return HW_ERR_PERMISSION;
    case ENOMEM:
        return HW_ERR_NO_MEMORY;
    default:
        return HW_ERR_IO;
    }
}

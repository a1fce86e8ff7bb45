/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/values.h"

#include "base/bytes.h"
#include "base/err.h"
#include "base/vec.h"

#include <stdlib.h>
#include <xxhash.h>
#include <zstd.h>

void hw_values_init(struct hw_values *values)
{
    *values = (struct hw_values){0};
    for (size_t i = 0; i < HW_VALUE_CACHES; i++)
        values->caches[i].block = SIZE_MAX;
    values->open.max_bytes = HW_VALUE_BLOCK_BYTES;
}

void hw_values_deinit(struct hw_values *values)
{
    free(values->blocks);
    ZSTD_freeCCtx(values->packer);
    hw_buf_deinit(&values->packed);
    hw_buf_deinit(&values->open);
    for (size_t i = 0; i < HW_VALUE_CACHES; i++)
        hw_buf_deinit(&values->caches[i].raw);
    free(values->memos);
    hw_values_init(values);
}

static struct hw_value_block *new_block(struct hw_values *values)
{
    struct hw_value_block *blocks = hw_vec_grow(values->blocks, &values->block_capacity,
                                                values->block_count + 1, sizeof(*blocks));
    if (!blocks)
        return NULL;
    values->blocks = blocks;
    return &values->blocks[values->block_count];
}

/* Packs the open block behind the others. Nothing has changed when it fails. */
static bool pack_open(struct hw_values *values, struct hw_err *err)
{
    struct hw_value_block *block = new_block(values);
    if (!values->packer)
        values->packer = ZSTD_createCCtx();
    size_t bound = ZSTD_compressBound(values->open.len);
    unsigned char *out = hw_buf_reserve(&values->packed, bound);
    if (!block || !values->packer || !out) {
        values->packed.failed = false;
        return hw_err_no_memory(err);
    }
    size_t bytes = ZSTD_compressCCtx(values->packer, out, bound, values->open.data,
                                     values->open.len, HW_VALUE_LEVEL);
    if (ZSTD_isError(bytes))
        return hw_err_no_memory(err);
    *block = (struct hw_value_block){
        .first = values->open_first,
        .count = values->open_count,
        .raw_bytes = (uint32_t)values->open.len,
        .bytes = (uint32_t)bytes,
        .offset = values->packed.len,
    };
    values->packed.len += bytes;
    values->block_count++;
    values->open_count = 0;
    hw_buf_clear(&values->open);
    return true;
}

bool hw_values_add(struct hw_values *values, hw_id id, const char *text, size_t bytes,
                   struct hw_err *err)
{
    if (bytes > HW_VALUE_MAX_BYTES)
        bytes = HW_VALUE_MAX_BYTES;
    size_t need = 2 * HW_VARINT32_BYTES + bytes;
    if (values->open.len + need > HW_VALUE_BLOCK_BYTES && !pack_open(values, err))
        return false;
    unsigned char *out = hw_buf_reserve(&values->open, need);
    if (!out) {
        values->open.failed = false;
        return hw_err_no_memory(err);
    }
    if (!values->open_count)
        values->open_first = values->open_last = id;
    unsigned char *p = hw_put_varint(out, id - values->open_last);
    p = hw_put_varint(p, bytes);
    if (bytes)
        memcpy(p, text, bytes);
    values->open.len += (size_t)(p + bytes - out);
    values->open_last = id;
    values->open_count++;
    return true;
}

bool hw_values_finish(struct hw_values *values, struct hw_err *err)
{
    if (values->open_count && !pack_open(values, err))
        return false;
    ZSTD_freeCCtx(values->packer);
    values->packer = NULL;
    hw_buf_deinit(&values->open);
    return true;
}

/* The block, unpacked; NULL: it is damaged, or memory is out. */
static struct hw_value_cache *unpack_block(struct hw_values *values, size_t number)
{
    for (size_t i = 0; i < HW_VALUE_CACHES; i++)
        if (values->caches[i].block == number)
            return &values->caches[i];
    const struct hw_value_block *block = &values->blocks[number];
    struct hw_value_cache *cache = &values->caches[values->cache_next++ % HW_VALUE_CACHES];
    cache->block = SIZE_MAX;
    if (block->raw_bytes > HW_VALUE_BLOCK_BYTES || block->offset > values->packed.len ||
        block->bytes > values->packed.len - block->offset)
        return NULL;
    hw_buf_clear(&cache->raw);
    unsigned char *raw = hw_buf_reserve(&cache->raw, HW_VALUE_BLOCK_BYTES);
    if (!raw)
        return NULL;
    size_t bytes =
        ZSTD_decompress(raw, block->raw_bytes, values->packed.data + block->offset, block->bytes);
    if (ZSTD_isError(bytes) || bytes != block->raw_bytes)
        return NULL;
    cache->raw.len = bytes;
    cache->block = number;
    cache->at = 0;
    return cache;
}

/* The last block that begins at or before id; SIZE_MAX: none. */
static size_t block_of(const struct hw_values *values, hw_id id)
{
    size_t low = 0, high = values->block_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (values->blocks[middle].first <= id)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}

/* One text of a block; false at the end and where the block is damaged. */
static bool next_text(struct hw_bytes *in, uint64_t *id, struct hw_bytes *ret_text)
{
    uint32_t step = hw_bytes_varint32(in);
    uint32_t bytes = hw_bytes_varint32(in);
    const unsigned char *text = hw_bytes_take(in, bytes);
    if (in->failed || bytes > HW_VALUE_MAX_BYTES)
        return false;
    *id += step;
    *ret_text = hw_bytes_of(text, bytes);
    return true;
}

/* The text of id in an unpacked block. Goes on where the last search stopped, when it can. */
static bool find_text(const struct hw_values *values, struct hw_value_cache *cache, hw_id id,
                      struct hw_bytes *ret_text)
{
    bool forward = cache->at && id > cache->id;
    size_t from = forward ? cache->at : 0;
    uint64_t at = forward ? cache->id : values->blocks[cache->block].first;
    struct hw_bytes in = hw_bytes_of(cache->raw.data + from, cache->raw.len - from);
    for (;;) {
        uint64_t before = at;
        size_t offset = cache->raw.len - hw_bytes_left(&in);
        if (!next_text(&in, &at, ret_text))
            return false;
        if (at > id) {
            cache->at = offset;
            cache->id = before;
            return false;
        }
        if (at == id) {
            cache->at = cache->raw.len - hw_bytes_left(&in);
            cache->id = at;
            return true;
        }
    }
}

size_t hw_values_get(struct hw_values *values, hw_id id, char *buf, size_t buf_bytes)
{
    if (!buf_bytes)
        return 0;
    buf[0] = 0;
    size_t number = block_of(values, id);
    struct hw_value_cache *cache = number == SIZE_MAX ? NULL : unpack_block(values, number);
    struct hw_bytes text;
    if (!cache || !find_text(values, cache, id, &text))
        return 0;
    size_t n = hw_bytes_left(&text);
    if (n > buf_bytes - 1)
        n = buf_bytes - 1;
    memcpy(buf, text.at, n);
    buf[n] = 0;
    return n;
}

uint32_t hw_value_hash(const char *text, size_t bytes)
{
    return (uint32_t)XXH3_64bits(text, bytes) | 1;
}

uint32_t hw_values_hash(struct hw_values *values, hw_id id)
{
    char text[HW_VALUE_MAX_BYTES + 1];
    if (!values->memos)
        values->memos = calloc(HW_VALUE_MEMOS, sizeof(*values->memos));
    struct hw_value_memo *memo = values->memos ? &values->memos[id % HW_VALUE_MEMOS] : NULL;
    if (memo && memo->hash && memo->id == id)
        return memo->hash;
    size_t n = hw_values_get(values, id, text, sizeof(text));
    if (!n)
        return 0;
    uint32_t hash = hw_value_hash(text, n);
    if (memo)
        *memo = (struct hw_value_memo){id, hash};
    return hash;
}

/* Texts in block `number`, none of them at or beyond `limit`? */
static bool block_is_sound(struct hw_values *values, size_t number, uint64_t limit)
{
    const struct hw_value_cache *cache = unpack_block(values, number);
    if (!cache)
        return false;
    const struct hw_value_block *block = &values->blocks[number];
    struct hw_bytes in = hw_bytes_of(cache->raw.data, cache->raw.len), text;
    uint64_t at = block->first, before = 0;
    for (uint32_t i = 0; i < block->count; i++) {
        if (!next_text(&in, &at, &text) || at >= limit || (i ? at <= before : at != block->first))
            return false;
        before = at;
    }
    return !hw_bytes_left(&in);
}

bool hw_values_validate(struct hw_values *values, uint32_t node_count, struct hw_err *err)
{
    for (size_t i = 0; i < values->block_count; i++) {
        uint64_t limit = i + 1 < values->block_count ? values->blocks[i + 1].first : node_count;
        if (!block_is_sound(values, i, limit))
            return hw_err_set(err, HW_ERR_CORRUPT, "the values are damaged in block %zu", i);
    }
    return true;
}

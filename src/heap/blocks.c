/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/blocks.h"

#include "base/err.h"
#include "base/vec.h"

#include <stdlib.h>

enum { CHUNKS_MAX = 1 << 20 };

static bool malloc_init(struct hw_blocks *blocks, const struct hw_module *modules,
                        size_t module_count, struct hw_err *err)
{
    const struct hw_pymalloc *pymalloc = &blocks->pymalloc;
    struct hw_glibc_range *others = malloc((pymalloc->arena_count + 1) * sizeof(*others));
    if (!others)
        return hw_err_no_memory(err);
    for (size_t i = 0; i < pymalloc->arena_count; i++) {
        hw_addr start = pymalloc->arenas[i].start;
        others[i] = (struct hw_glibc_range){start, start + pymalloc->arena_bytes};
    }
    bool ok = hw_glibc_init(&blocks->glibc, blocks->image, modules, module_count, others,
                            pymalloc->arena_count, err);
    free(others);
    return ok;
}

bool hw_blocks_init(struct hw_blocks *blocks, struct hw_image *image,
                    const struct hw_runtime *runtime, const struct hw_module *modules,
                    size_t module_count, struct hw_err *err)
{
    *blocks = (struct hw_blocks){.image = image};
    if (!hw_pymalloc_init(&blocks->pymalloc, image, runtime, err))
        return false;
    const size_t arena_pools = blocks->pymalloc.arena_bytes / blocks->pymalloc.pool_bytes;
    size_t pools = blocks->pymalloc.arena_count * arena_pools;
    blocks->again_words = pools / 64 + 1;
    blocks->again = calloc(blocks->again_words, sizeof(*blocks->again));
    bool ok = blocks->again ? malloc_init(blocks, modules, module_count, err)
                            : hw_err_no_memory(err);
    if (!ok) {
        free(blocks->again);
        hw_pymalloc_deinit(&blocks->pymalloc);
    }
    return ok;
}

void hw_blocks_deinit(struct hw_blocks *blocks)
{
    hw_pymalloc_deinit(&blocks->pymalloc);
    hw_glibc_deinit(&blocks->glibc);
    free(blocks->again);
    free(blocks->chunks);
    *blocks = (struct hw_blocks){0};
}

/* What is too large for a pool has two frames: one of its own kind, and that of malloc's. */
static bool visit_block(struct hw_blocks *blocks, struct hw_block block,
                        const struct hw_block_visitor *visitor, bool *ret_again)
{
    uint64_t asked;
    for (int i = 0; i < 2; i++) {
        if (!hw_pymalloc_framed(blocks->image, block.addr, block.bytes, &asked))
            break;
        block = (struct hw_block){block.addr + HW_PYMALLOC_FRAME_FRONT, asked, false};
    }
    return visitor->visit(visitor->ctx, &block, ret_again);
}

/* One bit for each 16 bytes of a pool. */
struct pool_bits {
    uint64_t words[HW_PYMALLOC_POOL_BLOCKS_MAX / 64 + 1];
};

static bool has_bit(const struct pool_bits *bits, uint32_t first, uint32_t count)
{
    const uint64_t *word = &bits->words[first / 64];
    uint64_t mask = ((uint64_t)1 << count) - 1, shift = first % 64;
    return (word[0] >> shift | (shift ? word[1] << (64 - shift) : 0)) & mask;
}

/* Whether something known is in every block that was ever handed out, as far as the pool's head tells: it
 * is in most pools, and then nothing else of them is read. Only the list of free blocks tells which are in
 * use, and what is known may lie in a free one: a stale address does. */
static bool pool_is_known(struct hw_blocks *blocks, hw_addr start, const struct pool_bits *bits)
{
    const struct hw_field *f = blocks->pymalloc.layout->f;
    uint32_t head = blocks->pymalloc.layout->s[HW_S_pool_header];
    unsigned char p[64];
    if (head > sizeof(p) || !hw_image_peek(blocks->image, start, p, head))
        return false;
    uint32_t index = load32(p + f[HW_F_pool_header_szidx].offset);
    uint32_t next = load32(p + f[HW_F_pool_header_nextoffset].offset);
    uint32_t step = index + 1;
    if (!load32(p + f[HW_F_pool_header_ref_count].offset))
        return true;
    if (index >= HW_PYMALLOC_CLASSES)
        return false;
    uint32_t pool_bytes = blocks->pymalloc.pool_bytes;
    uint32_t end = (next < pool_bytes ? next : pool_bytes) / HW_PYMALLOC_BLOCK_STEP;
    for (uint32_t at = head / HW_PYMALLOC_BLOCK_STEP; at + step <= end; at += step)
        if (!has_bit(bits, at, step))
            return false;
    return true;
}

static bool walk_pool(struct hw_blocks *blocks, hw_addr start,
                      const struct hw_block_visitor *visitor, bool *ret_again)
{
    struct hw_pymalloc_pool pool;
    struct pool_bits bits = {{0}};
    visitor->is_known(visitor->ctx, start, bits.words);
    if (pool_is_known(blocks, start, &bits) ||
        !hw_pymalloc_pool_read(&blocks->pymalloc, start, &pool) || !pool.block_bytes)
        return true;
    for (uint32_t i = 0; i < pool.carved; i++) {
        struct hw_block block = {pool.first_block + (hw_addr)i * pool.block_bytes, pool.block_bytes,
                                 true};
        bool again = false;
        if (!hw_pymalloc_pool_is_used(&pool, i) ||
            has_bit(&bits, (uint32_t)(block.addr - start) / HW_PYMALLOC_BLOCK_STEP,
                    pool.block_bytes / HW_PYMALLOC_BLOCK_STEP))
            continue;
        if (!visit_block(blocks, block, visitor, &again))
            return false;
        *ret_again |= again;
    }
    return true;
}

static bool walk_pools(struct hw_blocks *blocks, bool is_again,
                       const struct hw_block_visitor *visitor)
{
    size_t number = 0;
    for (size_t i = 0; i < blocks->pymalloc.arena_count; i++) {
        const struct hw_pymalloc_arena *arena = &blocks->pymalloc.arenas[i];
        hw_addr at = arena->pools;
        for (; at < arena->unused; at += blocks->pymalloc.pool_bytes, number++) {
            uint64_t bit = (uint64_t)1 << number % 64;
            bool again = false;
            if (is_again && !(blocks->again[number / 64] & bit))
                continue;
            if (!walk_pool(blocks, at, visitor, &again))
                return false;
            if (!is_again && again)
                blocks->again[number / 64] |= bit;
        }
    }
    return true;
}

static void remember(struct hw_blocks *blocks, struct hw_block block)
{
    struct hw_block *chunks =
        blocks->chunk_count < CHUNKS_MAX
            ? hw_vec_grow(blocks->chunks, &blocks->chunk_capacity, blocks->chunk_count + 1,
                          sizeof(*chunks))
            : NULL;
    if (!chunks) {
        blocks->too_many = true;
        return;
    }
    blocks->chunks = chunks;
    blocks->chunks[blocks->chunk_count++] = block;
}

static bool walk_chunks(struct hw_blocks *blocks, const struct hw_block_visitor *visitor)
{
    struct hw_glibc_cursor cursor = {0};
    struct hw_glibc_chunk chunk;
    while (hw_glibc_next(&blocks->glibc, &cursor, &chunk)) {
        struct hw_block block = {hw_glibc_block(&chunk), hw_glibc_block_bytes(&chunk), false};
        bool again = false;
        if (chunk.kind == HW_GLIBC_USED && !visit_block(blocks, block, visitor, &again))
            return false;
        if (again && !blocks->too_many)
            remember(blocks, block);
    }
    return true;
}

static bool walk_remembered(struct hw_blocks *blocks, const struct hw_block_visitor *visitor)
{
    bool again;
    for (size_t i = 0; i < blocks->chunk_count; i++)
        if (!visit_block(blocks, blocks->chunks[i], visitor, &again))
            return false;
    return true;
}

bool hw_blocks_walk(struct hw_blocks *blocks, const struct hw_block_visitor *visitor)
{
    return walk_pools(blocks, false, visitor) && walk_chunks(blocks, visitor);
}

bool hw_blocks_walk_again(struct hw_blocks *blocks, const struct hw_block_visitor *visitor)
{
    return walk_pools(blocks, true, visitor) &&
           (blocks->too_many ? walk_chunks(blocks, visitor) : walk_remembered(blocks, visitor));
}

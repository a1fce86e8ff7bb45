/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/ledger-build.h"

#include "base/err.h"

#include <stdlib.h>

/* ---- whose a block is ---- */

void hw_ledger_spend(struct hw_ledger_work *work, struct hw_ledger_sum *sum, hw_addr addr,
                     uint64_t bytes)
{
    sum->bytes += bytes;
    sum->rss_bytes += hw_residence_bytes(work->residence, addr, bytes);
}

struct hw_ledger_sum *hw_ledger_owner(struct hw_ledger_work *work, hw_addr addr, uint64_t bytes)
{
    struct hw_builder *b = work->b;
    if (work->object && work->object < addr)
        work->object = hw_marks_next(&b->marks, addr);
    if (work->object && work->object < addr + bytes) {
        hw_id id = hw_marks_id(&b->marks, work->object);
        work->object = hw_marks_next(&b->marks, addr + bytes);
        return &work->objects[work->family[b->graph->type[id]]];
    }
    for (unsigned i = 0; i < HW_BUFFER_KINDS; i++)
        if (hw_marks_any(&b->buffers[i], addr, addr + bytes))
            return &work->data[i];
    return NULL;
}

/* ---- pymalloc ---- */

/* resident: all of the pool is. */
static void block_spend(struct hw_ledger_work *work, struct hw_ledger_sum *sum, hw_addr addr,
                        uint64_t bytes, bool resident)
{
    if (!resident) {
        hw_ledger_spend(work, sum, addr, bytes);
        return;
    }
    sum->bytes += bytes;
    sum->rss_bytes += bytes;
}

/* A pool's marks: a bit for each 16 bytes. */
/* One bit for each 16 bytes. */
static uint32_t pool_words(const struct hw_builder *b)
{
    return b->pools.pymalloc.pool_bytes / HW_PYMALLOC_BLOCK_STEP / 64;
}

/* Whether a mark lies in the block; both in units of 16 bytes from the pool's start. */
static bool words_have(const uint64_t *words, uint32_t first, uint32_t count)
{
    for (uint32_t last = first + count - 1; words && first <= last;) {
        uint32_t end = first | 63;
        end = end < last ? end : last;
        if (words[first / 64] >> first % 64 << (63 - end % 64 + first % 64))
            return true;
        first = end + 1;
    }
    return false;
}

/* For each block the family of the object in it, plus one; 0: there is none. Objects' numbers rise
 * with their addresses, so only the first is looked up. */
static void pool_objects(struct hw_ledger_work *work, const struct hw_pymalloc_pool *pool,
                         uint8_t *families)
{
    struct hw_builder *b = work->b;
    const uint64_t *words = hw_marks_words(&b->marks, pool->start, pool_words(b));
    uint32_t head = (uint32_t)(pool->first_block - pool->start);
    hw_id id = HW_NONE;
    for (uint32_t w = 0; words && w < pool_words(b); w++) {
        for (uint64_t word = words[w]; word; word &= word - 1) {
            uint32_t offset = (w * 64 + (uint32_t)__builtin_ctzll(word)) * HW_PYMALLOC_BLOCK_STEP;
            id = id == HW_NONE ? hw_marks_id(&b->marks, pool->start + offset) : id + 1;
            uint8_t family = work->family[b->graph->type[id]];
            if (offset >= head)
                families[(offset - head) / pool->block_bytes] = family + 1;
        }
    }
}

static struct hw_ledger_sum *block_user(struct hw_ledger_work *work,
                                        const uint64_t *const *buffers, uint32_t first,
                                        uint32_t count)
{
    for (unsigned i = 0; i < HW_BUFFER_KINDS; i++)
        if (words_have(buffers[i], first, count))
            return &work->data[i];
    return &work->kinds[HW_MEMORY_OTHER_BLOCKS];
}

static void blocks_read(struct hw_ledger_work *work, const struct hw_pymalloc_pool *pool,
                        bool resident)
{
    uint8_t families[HW_PYMALLOC_POOL_BLOCKS_MAX] = {0};
    const uint64_t *buffers[HW_BUFFER_KINDS];
    uint32_t step = pool->block_bytes / HW_PYMALLOC_BLOCK_STEP;
    uint32_t first = (uint32_t)(pool->first_block - pool->start) / HW_PYMALLOC_BLOCK_STEP;
    pool_objects(work, pool, families);
    for (unsigned i = 0; i < HW_BUFFER_KINDS; i++)
        buffers[i] = hw_marks_words(&work->b->buffers[i], pool->start, pool_words(work->b));
    for (uint32_t i = 0; i < pool->carved; i++, first += step) {
        struct hw_ledger_sum *sum = &work->kinds[HW_MEMORY_FREE_BLOCKS];
        if (hw_pymalloc_pool_is_used(pool, i))
            sum = families[i] ? &work->objects[families[i] - 1]
                              : block_user(work, buffers, first, step);
        sum->count++;
        block_spend(work, sum, pool->first_block + (hw_addr)i * pool->block_bytes,
                    pool->block_bytes, resident);
    }
}

static void pool_read(struct hw_ledger_work *work, const struct hw_pymalloc_pool *pool,
                      struct hw_ledger_arena *arena)
{
    struct hw_ledger_sum *heads = &work->kinds[HW_MEMORY_POOL_HEADS];
    struct hw_ledger_sum *free_blocks = &work->kinds[HW_MEMORY_FREE_BLOCKS];
    struct hw_ledger_class *size = &work->classes[pool->block_bytes / HW_PYMALLOC_BLOCK_STEP - 1];
    uint32_t pool_bytes = work->b->pools.pymalloc.pool_bytes;
    bool resident = hw_residence_bytes(work->residence, pool->start, pool_bytes) == pool_bytes;
    hw_addr end = pool->start + pool_bytes;
    hw_addr carved_end = pool->first_block + (hw_addr)pool->carved * pool->block_bytes;
    hw_addr blocks_end = pool->first_block + (hw_addr)pool->capacity * pool->block_bytes;
    blocks_read(work, pool, resident);
    block_spend(work, heads, pool->start, pool->first_block - pool->start, resident);
    block_spend(work, heads, blocks_end, end - blocks_end, resident);
    block_spend(work, free_blocks, carved_end, blocks_end - carved_end, resident);
    heads->count++;
    free_blocks->count += pool->capacity - pool->carved;
    size->pools++;
    size->used += pool->used;
    size->free += pool->capacity - pool->used;
    arena->used_bytes += pool->used * pool->block_bytes;
    arena->free_bytes += (pool->capacity - pool->used) * pool->block_bytes;
    arena->pinning++;
}

/* ---- reading pools ---- */

bool hw_build_pools_init(struct hw_builder *b)
{
    struct hw_pymalloc *pm = &b->pools.pymalloc;
    size_t count = 0;
    if (!hw_pymalloc_init(pm, b->image, b->runtime, b->err))
        return false;
    for (size_t i = 0; i < pm->arena_count; i++)
        count += (pm->arenas[i].unused - pm->arenas[i].pools) / pm->pool_bytes;
    b->pools.pools = malloc((count + 1) * sizeof(*b->pools.pools));
    return b->pools.pools || hw_err_no_memory(b->err);
}

void hw_build_pools_read(struct hw_builder *b, hw_addr addr)
{
    struct hw_pools *pools = &b->pools;
    uint32_t pool_bytes = pools->pymalloc.pool_bytes;
    for (; pools->arena < pools->pymalloc.arena_count; pools->arena++, pools->next = 0) {
        const struct hw_pymalloc_arena *arena = &pools->pymalloc.arenas[pools->arena];
        pools->next = pools->next ? pools->next : arena->pools;
        for (; pools->next < arena->unused; pools->next += pool_bytes) {
            struct hw_pymalloc_pool *pool = &pools->pools[pools->count];
            if (addr - 1 < pools->next + pool_bytes - 1)
                return;
            if (!hw_pymalloc_pool_read(&pools->pymalloc, pools->next, pool))
                *pool = (struct hw_pymalloc_pool){.start = pools->next};
            pools->count++;
            hw_build_trim(b);
        }
    }
}

void hw_build_pools_deinit(struct hw_builder *b)
{
    hw_pymalloc_deinit(&b->pools.pymalloc);
    free(b->pools.pools);
}

/* Arenas are asked for in order of address, as pools were read. */
static const struct hw_pymalloc_pool *pool_at(struct hw_ledger_work *work, hw_addr start)
{
    const struct hw_pools *pools = &work->b->pools;
    while (work->pool < pools->count && pools->pools[work->pool].start < start)
        work->pool++;
    bool found = work->pool < pools->count && pools->pools[work->pool].start == start;
    return found ? &pools->pools[work->pool] : NULL;
}

bool hw_ledger_arena_read(struct hw_ledger_work *work, size_t index)
{
    const struct hw_pymalloc_arena *from = &work->b->pools.pymalloc.arenas[index];
    struct hw_ledger_arena *arena = &work->ledger->arenas[index];
    struct hw_ledger_sum *empty = &work->kinds[HW_MEMORY_EMPTY_POOLS];
    struct hw_ledger_sum *heads = &work->kinds[HW_MEMORY_POOL_HEADS];
    uint32_t arena_bytes = work->b->pools.pymalloc.arena_bytes;
    uint32_t pool_bytes = work->b->pools.pymalloc.pool_bytes;
    hw_addr end = from->start + arena_bytes;
    *arena = (struct hw_ledger_arena){.start = from->start};
    hw_ledger_spend(work, heads, from->start, from->pools - from->start);
    for (hw_addr at = from->pools; at < from->unused; at += pool_bytes) {
        const struct hw_pymalloc_pool *pool = pool_at(work, at);
        if (pool && pool->block_bytes) {
            pool_read(work, pool, arena);
        } else {
            empty->count++;
            arena->empty_bytes += pool_bytes;
            hw_ledger_spend(work, empty, at, pool_bytes);
        }
    }
    hw_ledger_spend(work, &work->kinds[HW_MEMORY_UNUSED_POOLS], from->unused,
                    from->pools_end - from->unused);
    hw_ledger_spend(work, heads, from->pools_end, end - from->pools_end);
    arena->empty_bytes += (uint32_t)(from->pools_end - from->unused);
    arena->resident_bytes = (uint32_t)hw_residence_bytes(work->residence, from->start, arena_bytes);
    return true;
}

/* ---- malloc ---- */

/* malloc_trim() gives back whole pages inside of free chunks, and what is behind the last chunk of
 * the main arena (glibc 2.36 malloc/malloc.c, mtrim, systrim). */
static void trim_add(struct hw_ledger_work *work, const struct hw_glibc_chunk *chunk)
{
    enum { PAGE = 4096, FREE_HEAD = 48 };
    hw_addr low = (chunk->addr + FREE_HEAD + PAGE - 1) & ~(hw_addr)(PAGE - 1);
    hw_addr high = (chunk->addr + chunk->bytes) & ~(hw_addr)(PAGE - 1);
    if (low < high && (chunk->kind == HW_GLIBC_FREE || chunk->arena == 0))
        hw_ledger_spend(work, &work->kinds[HW_MEMORY_TRIM], low, high - low);
}

const char *hw_ledger_big_owner(const struct hw_ledger_work *work, hw_addr addr, uint64_t bytes)
{
    const struct hw_builder *b = work->b;
    size_t low = 0, high = b->big_buffer_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (b->big_buffers[middle].addr < addr)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < b->big_buffer_count && b->big_buffers[low].addr < addr + bytes;
    return found ? b->graph->types[b->big_buffers[low].type].name : NULL;
}

/* Large data is told by the type of who uses it. */
static bool chunk_spend(struct hw_ledger_work *work, struct hw_ledger_sum *sum,
                        const struct hw_glibc_chunk *chunk)
{
    bool is_data = sum >= work->data && sum < work->data + HW_BUFFER_KINDS;
    const char *name = is_data && chunk->bytes >= HW_BIG_BUFFER_BYTES
                           ? hw_ledger_big_owner(work, chunk->addr, chunk->bytes)
                           : NULL;
    struct hw_ledger_sum own = {.count = 1};
    if (!name) {
        sum->count++;
        hw_ledger_spend(work, sum, chunk->addr, chunk->bytes);
        return true;
    }
    hw_ledger_spend(work, &own, chunk->addr, chunk->bytes);
    return hw_ledger_part_add(work, HW_MEMORY_OBJECT_DATA, name, &own);
}

static struct hw_ledger_sum *arena_sums(struct hw_ledger_work *work, uint32_t arena)
{
    if (arena == HW_GLIBC_MMAPPED)
        return work->malloc[HW_LEDGER_MAPPINGS];
    return work->malloc[arena < HW_LEDGER_ARENAS ? arena : HW_LEDGER_OTHER_ARENAS];
}

static struct hw_ledger_sum *chunk_sum(struct hw_ledger_work *work,
                                       const struct hw_glibc_chunk *chunk)
{
    if (chunk->kind == HW_GLIBC_USED) {
        struct hw_ledger_sum *owner =
            hw_ledger_owner(work, hw_glibc_block(chunk), chunk->bytes - HW_GLIBC_HEADER_BYTES);
        if (owner)
            return owner;
        hw_ledger_native_count(work, chunk);
    } else if (chunk->kind == HW_GLIBC_FREE || chunk->kind == HW_GLIBC_TOP) {
        trim_add(work, chunk);
    }
    return &arena_sums(work, chunk->arena)[chunk->kind];
}

bool hw_ledger_run_read(struct hw_ledger_work *work, size_t index)
{
    const struct hw_glibc_run *run = &work->glibc.runs[index];
    struct hw_ledger_sum *heads = &arena_sums(work, run->arena)[HW_GLIBC_OWN];
    struct hw_glibc_chunk chunk;
    hw_addr end = run->start;
    hw_ledger_spend(work, heads, run->mapping, run->start - run->mapping);
    work->chunk.run = index;
    work->chunk.next = 0;
    while (hw_glibc_next(&work->glibc, &work->chunk, &chunk) && work->chunk.run == index) {
        if (!chunk_spend(work, chunk_sum(work, &chunk), &chunk))
            return false;
        end = chunk.addr + chunk.bytes;
        hw_build_trim(work->b);
    }
    /* Fence posts, or what could not be followed. */
    if (end < run->end)
        hw_ledger_spend(work,
                        run->end - end > 4096 ? &work->kinds[HW_MEMORY_UNEXPLAINED] : heads, end,
                        run->end - end);
    return true;
}

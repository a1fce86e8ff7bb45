/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/pymalloc.h"

#include "base/err.h"
#include "base/vec.h"
#include "cpython/pymalloc-table.h"

#include <stdlib.h>
#include <string.h>

#define PM_OFF(pm, name) ((pm)->layout->f[HW_F_##name].offset)
#define PM_SIZE(pm, name) ((pm)->layout->s[HW_S_##name])

enum { FRAME_SAMPLE = 32, ARENAS_MAX = 1 << 22 };

static hw_addr round_down(hw_addr addr, uint32_t bytes)
{
    return addr & ~(hw_addr)(bytes - 1);
}

/* ---- arenas ---- */

bool hw_pymalloc_arena_read(const struct hw_layout *layout, const unsigned char *object,
                            struct hw_pymalloc_arena *ret_arena)
{
    const struct hw_field *f = layout->f;
    struct hw_pymalloc_arena arena = {0};
    uint32_t pool = hw_pymalloc_pool_bytes(layout);
    arena.start = load64(object + f[HW_F_arena_object_address].offset);
    if (!arena.start || arena.start > UINT64_MAX / 2)
        return false;
    arena.pools = round_down(arena.start + pool - 1, pool);
    arena.pools_end = round_down(arena.start + hw_pymalloc_arena_bytes(layout), pool);
    arena.unused = load64(object + f[HW_F_arena_object_pool_address].offset);
    arena.free_pools = load32(object + f[HW_F_arena_object_nfreepools].offset);
    uint32_t total = load32(object + f[HW_F_arena_object_ntotalpools].offset);
    if (arena.start % HW_PYMALLOC_BLOCK_STEP || arena.unused % pool ||
        arena.unused < arena.pools || arena.unused > arena.pools_end ||
        total != (arena.pools_end - arena.pools) / pool ||
        arena.free_pools > total)
        return false;
    *ret_arena = arena;
    return true;
}

static bool arena_add(struct hw_pymalloc *pm, const struct hw_pymalloc_arena *arena,
                      struct hw_err *err)
{
    struct hw_pymalloc_arena *arenas =
        hw_vec_grow(pm->arenas, &pm->arena_capacity, pm->arena_count + 1, sizeof(*arenas));
    if (!arenas)
        return hw_err_no_memory(err);
    pm->arenas = arenas;
    pm->arenas[pm->arena_count++] = *arena;
    return true;
}

static bool table_add(struct hw_pymalloc *pm, const struct hw_pymalloc_table *table,
                      uint32_t interpreter, struct hw_err *err)
{
    uint32_t step = PM_SIZE(pm, arena_object);
    for (uint32_t i = 0; i < table->count && i < ARENAS_MAX; i++) {
        const unsigned char *object = hw_image_at(pm->image, table->addr + (hw_addr)i * step, step);
        struct hw_pymalloc_arena arena;
        if (!object)
            break;
        if (!load64(object + PM_OFF(pm, arena_object_address)))
            continue;
        if (!hw_pymalloc_arena_read(pm->layout, object, &arena) ||
            !hw_image_segment(pm->image, arena.start)) {
            pm->damaged++;
            continue;
        }
        arena.interpreter = interpreter;
        if (!arena_add(pm, &arena, err))
            return false;
    }
    return true;
}

static int by_start(const void *a, const void *b)
{
    const struct hw_pymalloc_arena *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

/* Arenas that overlap can't both be right; the later one goes. */
static void arenas_sort(struct hw_pymalloc *pm)
{
    size_t n = 0;
    if (pm->arena_count)
        qsort(pm->arenas, pm->arena_count, sizeof(*pm->arenas), by_start);
    for (size_t i = 0; i < pm->arena_count; i++) {
        if (n && pm->arenas[i].start < pm->arenas[n - 1].start + pm->arena_bytes)
            pm->damaged++;
        else
            pm->arenas[n++] = pm->arenas[i];
    }
    pm->arena_count = n;
}

/* Hooks are on for all blocks or for none, but for the few from before they were put in. */
static bool hooks_look(struct hw_pymalloc *pm)
{
    struct hw_pymalloc_cursor cursor = {0};
    struct hw_pymalloc_block block;
    unsigned seen = 0, framed = 0;
    uint64_t bytes;
    while (seen < FRAME_SAMPLE && hw_pymalloc_next(pm, &cursor, &block)) {
        seen++;
        framed += hw_pymalloc_framed(pm->image, block.addr, block.bytes, &bytes);
    }
    return framed > seen / 2;
}

bool hw_pymalloc_init(struct hw_pymalloc *pm, struct hw_image *image,
                      const struct hw_runtime *runtime, struct hw_err *err)
{
    *pm = (struct hw_pymalloc){.image = image,
                                .layout = runtime->layout,
                                .arena_bytes = hw_pymalloc_arena_bytes(runtime->layout),
                                .pool_bytes = hw_pymalloc_pool_bytes(runtime->layout)};
    for (uint32_t i = 0; i < runtime->interpreter_count; i++) {
        struct hw_pymalloc_table table;
        if (hw_pymalloc_table_find(image, runtime, i, &table) && !table_add(pm, &table, i, err)) {
            hw_pymalloc_deinit(pm);
            return false;
        }
    }
    arenas_sort(pm);
    uint64_t damaged = pm->damaged;
    pm->has_hooks = hooks_look(pm);
    pm->damaged = damaged;
    return true;
}

void hw_pymalloc_deinit(struct hw_pymalloc *pm)
{
    free(pm->arenas);
    pm->arenas = NULL;
    pm->arena_count = pm->arena_capacity = 0;
}

const struct hw_pymalloc_arena *hw_pymalloc_arena_find(const struct hw_pymalloc *pm, hw_addr addr)
{
    size_t low = 0, high = pm->arena_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pm->arenas[middle].start <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low || addr - pm->arenas[low - 1].start >= pm->arena_bytes)
        return NULL;
    return &pm->arenas[low - 1];
}

/* ---- pools ---- */

/* Follows the list of free blocks inside one pool. A stopped thread may be in the middle of taking
 * or giving a block: then the list ends early, or one block is on it too many. */
static bool free_list_follow(const unsigned char *p, hw_addr at, struct hw_pymalloc_pool *pool)
{
    for (uint32_t n = 0; at && n <= pool->carved; n++) {
        uint64_t offset = at - pool->first_block;
        uint64_t block = offset / pool->block_bytes;
        if (offset % pool->block_bytes || block >= pool->carved ||
            !hw_pymalloc_pool_is_used(pool, (uint32_t)block))
            return false;
        pool->is_free[block / 64] |= UINT64_C(1) << block % 64;
        pool->used--;
        at = load64(p + (at - pool->start));
    }
    return true;
}

bool hw_pymalloc_pool_read(struct hw_pymalloc *pm, hw_addr start, struct hw_pymalloc_pool *ret_pool)
{
    const unsigned char *p = hw_image_at(pm->image, start, pm->pool_bytes);
    if (!p)
        return false;
    uint32_t head = PM_SIZE(pm, pool_header);
    uint32_t count = load32(p + PM_OFF(pm, pool_header_ref_count));
    uint32_t index = load32(p + PM_OFF(pm, pool_header_szidx));
    uint32_t next = load32(p + PM_OFF(pm, pool_header_nextoffset));
    *ret_pool = (struct hw_pymalloc_pool){.start = start, .first_block = start + head};
    if (!count)
        return true;
    if (index >= HW_PYMALLOC_CLASSES || next < head) {
        ret_pool->damaged = true;
        return true;
    }
    uint32_t block_bytes = (index + 1) * HW_PYMALLOC_BLOCK_STEP;
    uint32_t room = pm->pool_bytes - head;
    uint32_t carved = (next < pm->pool_bytes ? next - head : room) / block_bytes;
    ret_pool->block_bytes = block_bytes;
    ret_pool->capacity = room / block_bytes;
    ret_pool->carved = ret_pool->used = carved;
    bool followed = free_list_follow(p, load64(p + PM_OFF(pm, pool_header_freeblock)), ret_pool);
    ret_pool->damaged = !followed || ret_pool->used != count;
    return true;
}

/* ---- blocks ---- */

static bool pool_advance(struct hw_pymalloc *pm, struct hw_pymalloc_cursor *c)
{
    c->block = 0;
    for (; c->arena < pm->arena_count; c->arena++, c->next_pool = 0) {
        const struct hw_pymalloc_arena *arena = &pm->arenas[c->arena];
        hw_addr pool = c->next_pool ? c->next_pool : arena->pools;
        for (; pool < arena->unused; pool += pm->pool_bytes) {
            c->next_pool = pool + pm->pool_bytes;
            if (!hw_pymalloc_pool_read(pm, pool, &c->pool)) {
                pm->damaged++;
                continue;
            }
            pm->damaged += c->pool.damaged;
            if (c->pool.block_bytes)
                return true;
        }
    }
    c->pool.carved = 0;
    return false;
}

bool hw_pymalloc_next(struct hw_pymalloc *pm, struct hw_pymalloc_cursor *c,
                      struct hw_pymalloc_block *ret_block)
{
    do {
        for (; c->block < c->pool.carved; c->block++) {
            if (!hw_pymalloc_pool_is_used(&c->pool, c->block))
                continue;
            *ret_block = (struct hw_pymalloc_block){
                .addr = c->pool.first_block + (hw_addr)c->block * c->pool.block_bytes,
                .bytes = c->pool.block_bytes,
                .interpreter = pm->arenas[c->arena].interpreter};
            c->block++;
            return true;
        }
    } while (pool_advance(pm, c));
    return false;
}

bool hw_pymalloc_framed(struct hw_image *image, hw_addr addr, uint64_t bytes, uint64_t *ret_bytes)
{
    static const unsigned char forbidden[8] = {0xfd, 0xfd, 0xfd, 0xfd, 0xfd, 0xfd, 0xfd, 0xfd};
    const unsigned char *p = hw_image_at(image, addr, HW_PYMALLOC_FRAME_FRONT);
    if (!p || (p[8] != 'o' && p[8] != 'm' && p[8] != 'r') || memcmp(p + 9, forbidden, 7) != 0)
        return false;
    uint64_t size = __builtin_bswap64(load64(p));
    if (bytes < HW_PYMALLOC_FRAME_FRONT + HW_PYMALLOC_FRAME_BACK ||
        size > bytes - HW_PYMALLOC_FRAME_FRONT - HW_PYMALLOC_FRAME_BACK)
        return false;
    p = hw_image_at(image, addr + HW_PYMALLOC_FRAME_FRONT + size, HW_PYMALLOC_FRAME_BACK);
    if (!p || memcmp(p, forbidden, HW_PYMALLOC_FRAME_BACK) != 0)
        return false;
    *ret_bytes = size;
    return true;
}

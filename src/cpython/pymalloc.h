/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CPYTHON_PYMALLOC_H
#define HW_CPYTHON_PYMALLOC_H

/*
 * CPython's allocator for small blocks, seen from outside: its arenas, the pools in them, the
 * blocks in those (CPython 3.11 Objects/obmalloc.c; 3.13 Include/internal/pycore_obmalloc.h).
 *
 *     arena 1 MiB  |pool|pool|pool|........never used........|  pools begin at multiples of 16 KiB
 *     pool 16 KiB  |head|block|block|block|...never carved...|  all blocks of one size
 *
 * Up to 3.9 an arena has 256 KiB, a pool 4 KiB. Since 3.12 the table of arenas hangs from the interpreter. Up to 3.11 it is a variable of C that
 * nothing exports; it is found by its shape, and believed when the pools name their places in it.
 *
 * Nothing here holds pointers into the image between calls.
 */

#include "cpython/runtime.h"

enum {
    HW_PYMALLOC_POOL_BYTES_MAX = 1 << 14,
    HW_PYMALLOC_BLOCK_STEP = 16, /* sizes are multiples of it */
    HW_PYMALLOC_BLOCK_MAX = 512,
    HW_PYMALLOC_CLASSES = HW_PYMALLOC_BLOCK_MAX / HW_PYMALLOC_BLOCK_STEP,
    HW_PYMALLOC_POOL_BLOCKS_MAX = HW_PYMALLOC_POOL_BYTES_MAX / HW_PYMALLOC_BLOCK_STEP,
};

struct hw_pymalloc_arena {
    hw_addr start;       /* of its mapping; hw_pymalloc.arena_bytes long */
    hw_addr pools;       /* the first pool */
    hw_addr unused;      /* the first pool that was never used: the ones below have headers */
    hw_addr pools_end;   /* behind the last that fits */
    uint32_t free_pools; /* empty ones, and those never used: nfreepools */
    uint32_t interpreter; /* in hw_runtime.interpreters; one that shares counts for the main */
};

struct hw_pymalloc {
    struct hw_image *image;
    const struct hw_layout *layout;
    uint32_t arena_bytes, pool_bytes;
    struct hw_pymalloc_arena *arenas; /* by address; none: the process does not use pymalloc */
    size_t arena_count, arena_capacity;
    bool has_hooks;   /* PYTHONMALLOC=debug, -X dev: blocks have a frame, hw_pymalloc_framed() */
    uint64_t damaged; /* arenas and pools that made no sense, or are torn */
};

/* Finds the arenas. Fails only when memory runs out. Needs nothing but the words of the tables. */
bool hw_pymalloc_init(struct hw_pymalloc *pymalloc, struct hw_image *image,
                      const struct hw_runtime *runtime, struct hw_err *err);
void hw_pymalloc_deinit(struct hw_pymalloc *pymalloc);

/* The arena whose mapping holds addr, or NULL. */
const struct hw_pymalloc_arena *hw_pymalloc_arena_find(const struct hw_pymalloc *pymalloc,
                                                       hw_addr addr);

/* One pool with a header. Block i begins at first_block + i * block_bytes. */
struct hw_pymalloc_pool {
    hw_addr start, first_block;
    uint32_t block_bytes; /* 0: the pool is empty, or makes no sense */
    uint32_t carved;      /* blocks that were ever handed out */
    uint32_t capacity;    /* blocks that fit */
    uint32_t used;        /* of carved, those that are not free */
    bool damaged;         /* the list of free blocks does not agree with the header's count */
    uint64_t is_free[HW_PYMALLOC_POOL_BLOCKS_MAX / 64]; /* one bit for each carved block */
};

/* Reads the pool at start, between arena->pools and arena->unused. False: it is not readable. */
bool hw_pymalloc_pool_read(struct hw_pymalloc *pymalloc, hw_addr start,
                           struct hw_pymalloc_pool *ret_pool);

static inline bool hw_pymalloc_pool_is_used(const struct hw_pymalloc_pool *pool, uint32_t block)
{
    return !(pool->is_free[block / 64] >> block % 64 & 1);
}

/* All blocks in use, in order of address. Begin with a zeroed cursor. With hooks, addr and bytes
 * are those of the whole block, frame included.
 *
 *     struct hw_pymalloc_cursor cursor = {0};
 *     struct hw_pymalloc_block block;
 *     while (hw_pymalloc_next(&pymalloc, &cursor, &block))
 *         ... block.addr, block.bytes ...
 */
struct hw_pymalloc_block {
    hw_addr addr;
    uint32_t bytes;
    uint32_t interpreter;
};
struct hw_pymalloc_cursor {
    size_t arena;
    hw_addr next_pool; /* 0: the arena's first */
    uint32_t block;
    struct hw_pymalloc_pool pool;
};
bool hw_pymalloc_next(struct hw_pymalloc *pymalloc, struct hw_pymalloc_cursor *cursor,
                      struct hw_pymalloc_block *ret_block);

/* The frame that debug hooks put around what was asked for: size, big endian, and 'o', 'm' or 'r',
 * then seven bytes FD in front; eight more behind (Objects/obmalloc.c, _PyMem_DebugRawAlloc). */
enum { HW_PYMALLOC_FRAME_FRONT = 16, HW_PYMALLOC_FRAME_BACK = 8 };

/* Whether the block of bytes at addr has such a frame; *ret_bytes: what was asked for. Blocks of
 * malloc have it, too, when the hooks are on. */
bool hw_pymalloc_framed(struct hw_image *image, hw_addr addr, uint64_t bytes, uint64_t *ret_bytes);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_HEAP_BLOCKS_H
#define HW_HEAP_BLOCKS_H

/* The blocks in use of all allocators that we understand, as one row: CPython's for small blocks, glibc's
 * for the others. Frames of debug hooks are taken off. */

#include "cpython/pymalloc.h"
#include "native/glibc-heap.h"

struct hw_block {
    hw_addr addr;
    uint64_t bytes; /* that can be used */
    bool is_small;  /* of a pool: bytes is a size class */
};

struct hw_blocks {
    struct hw_image *image;
    struct hw_pymalloc pymalloc;
    struct hw_glibc glibc;
    uint64_t *again; /* pools to look at again, one bit each in order of address */
    size_t again_words;
    struct hw_block *chunks; /* of malloc, to look at again; too many: all are walked again */
    size_t chunk_count, chunk_capacity;
    bool too_many;
};
bool hw_blocks_init(struct hw_blocks *blocks, struct hw_image *image,
                    const struct hw_runtime *runtime, const struct hw_module *modules,
                    size_t module_count, struct hw_err *err);
void hw_blocks_deinit(struct hw_blocks *blocks);

/* What walks a row of blocks. */
struct hw_block_visitor {
    /* Calls for each block, but not for all that is_known has a bit in; false ends the walk.
     * *ret_again: hw_blocks_walk_again() must come to this block; it may leave out what lies beside no
     * such block. */
    bool (*visit)(void *ctx, const struct hw_block *block, bool *ret_again);
    /* Sets a bit for each 16 bytes of a pool where something known is. A pool that has no other block is
     * not read. */
    void (*is_known)(void *ctx, hw_addr pool, uint64_t bits[HW_PYMALLOC_POOL_BLOCKS_MAX / 64]);
    void *ctx;
};
bool hw_blocks_walk(struct hw_blocks *blocks, const struct hw_block_visitor *visitor);
bool hw_blocks_walk_again(struct hw_blocks *blocks, const struct hw_block_visitor *visitor);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CPYTHON_PYMALLOC_TABLE_H
#define HW_CPYTHON_PYMALLOC_TABLE_H

/*
 * Where an interpreter keeps the table of its arenas: an array of arena_object, of which those in
 * use have an address.
 */

#include "cpython/pymalloc.h"

struct hw_pymalloc_table {
    hw_addr addr;
    uint32_t count; /* entries, used or not */
};

/* False: the interpreter has none of its own. It uses the main one's, it has no arena yet, or it
 * does not use pymalloc. */
bool hw_pymalloc_table_find(struct hw_image *image, const struct hw_runtime *runtime,
                            uint32_t interpreter, struct hw_pymalloc_table *ret_table);

/* Objects/obmalloc.c; since 3.10 pools are found by a radix tree and larger. */
static inline uint32_t hw_pymalloc_pool_bytes(const struct hw_layout *layout)
{
    return layout->version_max < 0x030a0000 ? 1 << 12 : 1 << 14;
}
static inline uint32_t hw_pymalloc_arena_bytes(const struct hw_layout *layout)
{
    return layout->version_max < 0x030a0000 ? 1 << 18 : 1 << 20;
}

/* One arena_object that is in use. False: it makes no sense. */
bool hw_pymalloc_arena_read(const struct hw_layout *layout, const unsigned char *object,
                            struct hw_pymalloc_arena *ret_arena);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_NATIVE_GLIBC_ARENA_H
#define HW_NATIVE_GLIBC_ARENA_H

/*
 * glibc's own variables: where its arenas and counters lie, and what they say.
 */

#include "native/glibc-heap.h"

/* Fills arenas, the counters of mappings, and fast (not sorted yet). */
bool hw_glibc_arenas_read(struct hw_glibc *glibc, const struct hw_module *modules,
                          size_t module_count, struct hw_err *err);

/* A further arena's memory is one or more of these, linked from the one that holds its top
 * (malloc/arena.c, heap_info). */
enum { HW_GLIBC_HEAP_MAX_BYTES = 64 << 20 };
struct hw_glibc_heap {
    hw_addr addr, arena, prev;
    uint64_t bytes;
    hw_addr first; /* chunk */
};
bool hw_glibc_heap_read(struct hw_image *image, const struct hw_glibc_arena *arena, hw_addr at,
                        struct hw_glibc_heap *ret_heap);

#endif

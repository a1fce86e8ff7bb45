/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_NATIVE_GLIBC_HEAP_H
#define HW_NATIVE_GLIBC_HEAP_H

/*
 * glibc's malloc, seen from outside: every chunk of every arena (glibc 2.36 and 2.41 malloc/malloc.c,
 * malloc/arena.c).
 *
 *     main arena      [heap]       |chunk|chunk|...|chunk|top              |
 *     other arenas    64 MiB heaps |heap_info|malloc_state|chunk|...|top   |  the first of an arena
 *                                  |heap_info|chunk|chunk|...|fence posts  |  its further ones
 *     large blocks    mappings     |chunk..................|
 *
 * A chunk is 16 bytes of header and what malloc() returned; its own last word lies in the next chunk's
 * header. That it is free stands in the next chunk; but what a thread's cache (tcache) and the fastbins
 * keep looks like in use. The one kind carries a random key that is the process's, the other hangs from
 * its arena.
 *
 * glibc exports none of its variables. The main arena is found in libc's data by its shape: 127 bins,
 * each empty and pointing at itself or at a chunk that points back.
 *
 * Nothing here holds pointers into the image between calls.
 */

#include "native/elf.h"

enum { HW_GLIBC_HEADER_BYTES = 16, HW_GLIBC_BINS = 127, HW_GLIBC_FASTBINS = 10 };

/* A stretch of memory that is chunks from end to end. */
struct hw_glibc_run {
    hw_addr start, end; /* of the first chunk; behind the last, or behind the top */
    hw_addr mapping;    /* where the heap's own head begins; start for the main arena and mappings */
    uint32_t arena;     /* HW_GLIBC_MMAPPED: one chunk that is a mapping of its own */
};
#define HW_GLIBC_MMAPPED UINT32_MAX

struct hw_glibc_arena {
    hw_addr state; /* its malloc_state; the first is the main arena */
    hw_addr top;   /* its last chunk, never used */
    uint64_t system_bytes; /* that it has from the kernel, as it counts */
    uint64_t threads;      /* attached */
};

struct hw_glibc {
    struct hw_image *image;
    struct hw_glibc_arena *arenas;
    size_t arena_count, arena_capacity;
    struct hw_glibc_run *runs; /* by address, not overlapping */
    size_t run_count, run_capacity;
    hw_addr *fast; /* chunks in fastbins, by address */
    size_t fast_count, fast_capacity;
    uint64_t tcache_key;   /* 0: none was seen, no thread keeps anything */
    uint64_t mmap_count, mmap_bytes; /* as glibc counts; 0 when its counters were not found */
    uint64_t trim_threshold, top_pad, mmap_threshold; /* 0: not found */
    uint64_t damaged; /* chunks and lists that made no sense; a walk leaves its run there */
};

/* Memory that is known to be something else: arenas of pymalloc, stacks. */
struct hw_glibc_range {
    hw_addr start, end;
};

/* others are by address; mappings are not looked for in them. arena_count is 0 when the process has no
 * glibc, does not use its malloc, or has one that is not understood. Fails only when memory runs out. */
bool hw_glibc_init(struct hw_glibc *glibc, struct hw_image *image, const struct hw_module *modules,
                   size_t module_count, const struct hw_glibc_range *others, size_t other_count,
                   struct hw_err *err);
void hw_glibc_deinit(struct hw_glibc *glibc);

enum hw_glibc_kind {
    HW_GLIBC_USED,
    HW_GLIBC_FREE,    /* in a bin of its arena */
    HW_GLIBC_FAST,    /* in a fastbin */
    HW_GLIBC_TCACHE,  /* in the cache of a thread */
    HW_GLIBC_TOP,     /* behind all others of its arena */
    HW_GLIBC_OWN,     /* glibc's: the table of a thread's cache */
};
struct hw_glibc_chunk {
    hw_addr addr;      /* of its header */
    uint64_t bytes;    /* with its header */
    enum hw_glibc_kind kind;
    uint32_t arena;    /* HW_GLIBC_MMAPPED: a mapping */
};
/* What malloc() returned, and how much of it can be used. */
static inline hw_addr hw_glibc_block(const struct hw_glibc_chunk *chunk)
{
    return chunk->addr + HW_GLIBC_HEADER_BYTES;
}
static inline uint64_t hw_glibc_block_bytes(const struct hw_glibc_chunk *chunk)
{
    return chunk->bytes - (chunk->arena == HW_GLIBC_MMAPPED ? HW_GLIBC_HEADER_BYTES : 8);
}

/* All chunks, in order of address. Begin with a zeroed cursor.
 *
 *     struct hw_glibc_cursor cursor = {0};
 *     struct hw_glibc_chunk chunk;
 *     while (hw_glibc_next(&glibc, &cursor, &chunk))
 *         if (chunk.kind == HW_GLIBC_USED)
 *             ... hw_glibc_block(&chunk), hw_glibc_block_bytes(&chunk) ...
 */
struct hw_glibc_cursor {
    size_t run;
    hw_addr next; /* 0: the run's first chunk */
    size_t fast;  /* fastbin chunks passed */
};
bool hw_glibc_next(struct hw_glibc *glibc, struct hw_glibc_cursor *cursor,
                   struct hw_glibc_chunk *ret_chunk);

#endif

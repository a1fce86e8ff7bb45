/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_HEAP_LEDGER_H
#define HW_HEAP_LEDGER_H

/*
 * What every resident byte of the process was used for, written down when it was captured. Mappings
 * are cut into what the allocators say of them, each resident page into what lies in it: so the
 * parts add up to the RSS by construction.
 *
 *     mapping        arena of pymalloc   pool    block: object | of an object | other | free
 *                    heap of malloc      chunk:  object | of an object | other | free, cached, top
 *                    stack, file, shared memory
 *                    and what nothing is known of
 */

#include "base/arena.h"
#include "heapwhy.h"

struct hw_ledger_part {
    enum hw_memory_kind kind;
    const char *name;    /* of one of several of that kind: a family of types, a file; else "" */
    uint64_t rss_bytes;  /* 0 for what is beside the RSS (enum hw_memory_kind) */
    uint64_t bytes;      /* resident or not */
    uint64_t count;      /* blocks, mappings, stacks */
};

/* Blocks of pymalloc of one size, of all arenas. */
struct hw_ledger_class {
    uint32_t block_bytes;
    uint64_t pools, used, free; /* free: also those that were never handed out */
};

/* One arena of pymalloc. Its objects are those of the graph between start and start plus 1 MiB. */
struct hw_ledger_arena {
    hw_addr start;
    uint32_t used_bytes;     /* of blocks in use */
    uint32_t free_bytes;     /* of free blocks in pools that have some in use */
    uint32_t empty_bytes;    /* of pools without a block in use, never used ones too */
    uint32_t resident_bytes;
    uint32_t pinning;        /* pools with a block in use */
};

/* Blocks of malloc() in use that no Python object is known to use, of one size. */
struct hw_ledger_native {
    uint64_t block_bytes; /* of the chunk, header included; above 64 KiB less by at most 1/16 */
    uint64_t count, bytes;
    const char *sample;   /* the beginning of one, as text; "" when values are left out */
    const char *library;  /* file that some looked at point into, or that points at them; "" */
};

struct hw_ledger {
    bool recorded; /* files before 1.3 have none */
    struct hw_ledger_part *parts;
    size_t part_count, part_capacity;
    struct hw_ledger_class *classes;
    size_t class_count;
    struct hw_ledger_arena *arenas; /* by address */
    size_t arena_count;
    struct hw_ledger_native *natives; /* by block_bytes */
    size_t native_count;
};
void hw_ledger_deinit(struct hw_ledger *ledger);

/* Texts go into arena. False: no memory; *to is then empty. */
bool hw_ledger_copy(const struct hw_ledger *from, struct hw_arena *arena, struct hw_ledger *to);

/* The part of that kind and name, made when it is not there, its name in arena. NULL: no memory. */
struct hw_ledger_part *hw_ledger_part(struct hw_ledger *ledger, enum hw_memory_kind kind,
                                      const char *name, struct hw_arena *arena);

/* Sums over all parts of a kind. */
uint64_t hw_ledger_rss(const struct hw_ledger *ledger, enum hw_memory_kind kind);
uint64_t hw_ledger_bytes(const struct hw_ledger *ledger, enum hw_memory_kind kind);

#endif

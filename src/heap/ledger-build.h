/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_HEAP_LEDGER_BUILD_H
#define HW_HEAP_LEDGER_BUILD_H

/* What the files that write the ledger share. */

#include "cpython/pymalloc.h"
#include "heap/build-internal.h"
#include "native/glibc-heap.h"

/* Families of types, for the sums. */
enum { HW_LEDGER_FAMILIES = 16 };

struct hw_ledger_sum {
    uint64_t rss_bytes, bytes, count;
};

enum { HW_LEDGER_NATIVE_EXACT = 4096, HW_LEDGER_NATIVE_SIZES = HW_LEDGER_NATIVE_EXACT + 16 * 48 };

/* Blocks of malloc() of one size while they are counted; a few of them are looked at. */
enum { HW_LEDGER_SAMPLES = 8 };
struct hw_ledger_size {
    uint64_t count, bytes;
    hw_addr samples[HW_LEDGER_SAMPLES]; /* any of them, evenly */
};

/* A stretch that one allocator or stack fills. */
enum hw_ledger_item_kind { HW_ITEM_ARENA, HW_ITEM_RUN, HW_ITEM_STACK, HW_ITEM_FRAMES };
struct hw_ledger_item {
    hw_addr start, end;
    enum hw_ledger_item_kind kind;
    size_t index; /* of the arena or run */
};

/* Arenas of malloc() that are told by themselves; further ones together. */
enum { HW_LEDGER_ARENAS = 64, HW_LEDGER_OTHER_ARENAS = HW_LEDGER_ARENAS, HW_LEDGER_MAPPINGS };

struct hw_ledger_work {
    struct hw_builder *b;
    struct hw_residence *residence;
    struct hw_ledger *ledger;
    struct hw_glibc glibc;
    struct hw_ledger_item *items; /* by address, not overlapping */
    size_t item_count, item_capacity;
    size_t pool;         /* of the builder's, the next one */
    hw_addr object;      /* the first object at or behind where the walk is; 0: none */
    uint8_t *family;     /* of each type of the graph */
    const char *allocator; /* that was put in malloc()'s place; NULL: none */
    struct hw_ledger_sum kinds[HW_MEMORY_KIND_COUNT];
    struct hw_ledger_sum malloc[HW_LEDGER_MAPPINGS + 1][HW_GLIBC_KINDS];
    struct hw_ledger_sum objects[HW_LEDGER_FAMILIES];
    struct hw_ledger_sum data[HW_BUFFER_KINDS];
    struct hw_ledger_class classes[HW_PYMALLOC_CLASSES];
    struct hw_ledger_size *sizes; /* HW_LEDGER_NATIVE_SIZES */
    struct hw_glibc_cursor chunk;
    uint64_t random;
};

/* Adds a range to a sum. */
void hw_ledger_spend(struct hw_ledger_work *work, struct hw_ledger_sum *sum, hw_addr addr,
                     uint64_t bytes);

/* Where the bytes of a block in use belong: the object that lies in it, the object that uses it, or
 * NULL. Addresses must rise from call to call. */
struct hw_ledger_sum *hw_ledger_owner(struct hw_ledger_work *work, hw_addr addr, uint64_t bytes);

/* The mapped file that addr lies in, or NULL. */
const struct hw_module *hw_ledger_module_at(const struct hw_builder *b, hw_addr addr);

/* Cut up one arena, one run. */
bool hw_ledger_arena_read(struct hw_ledger_work *work, size_t index);
bool hw_ledger_run_read(struct hw_ledger_work *work, size_t index);

/* The type of the object that uses a large block, by name; NULL: none, or it is not known. */
const char *hw_ledger_big_owner(const struct hw_ledger_work *work, hw_addr addr, uint64_t bytes);

/* Adds a sum to a part of the ledger. */
bool hw_ledger_part_add(struct hw_ledger_work *work, enum hw_memory_kind kind, const char *name,
                        const struct hw_ledger_sum *sum);

/* Counts one block of malloc() that nobody is known to use; then turns the counts into rows. */
void hw_ledger_native_count(struct hw_ledger_work *work, const struct hw_glibc_chunk *chunk);
bool hw_ledger_natives_finish(struct hw_ledger_work *work);

#endif

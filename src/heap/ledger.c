/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/ledger.h"

#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *about;
} kinds[HW_MEMORY_KIND_COUNT] = {
    [HW_MEMORY_OBJECTS] = {"python-objects", "Python objects"},
    [HW_MEMORY_OBJECT_DATA] = {"object-data", "what objects keep outside themselves"},
    [HW_MEMORY_OTHER_BLOCKS] = {"other-blocks", "small blocks in use, of no object we know"},
    [HW_MEMORY_FREE_BLOCKS] = {"free-blocks", "free blocks between others in use"},
    [HW_MEMORY_EMPTY_POOLS] = {"empty-pools", "empty pools in arenas that are not empty"},
    [HW_MEMORY_UNUSED_POOLS] = {"unused-pools", "never used parts of arenas"},
    [HW_MEMORY_POOL_HEADS] = {"pool-heads", "heads and margins of pools"},
    [HW_MEMORY_MALLOC_USED] = {"malloc-used", "malloc blocks in use, of no object we know"},
    [HW_MEMORY_MALLOC_FREE] = {"malloc-free", "free blocks that malloc keeps"},
    [HW_MEMORY_MALLOC_CACHED] = {"malloc-cached", "free blocks in tcache and fastbins"},
    [HW_MEMORY_MALLOC_TOP] = {"malloc-top", "the unused ends of malloc's arenas"},
    [HW_MEMORY_MALLOC_HEADS] = {"malloc-heads", "malloc's own tables"},
    [HW_MEMORY_ALLOCATOR] = {"allocator", "memory of another malloc"},
    [HW_MEMORY_STACKS] = {"stacks", "stacks of threads"},
    [HW_MEMORY_FRAMES] = {"frames", "stacks of Python frames"},
    [HW_MEMORY_LIBRARIES] = {"libraries", "code and data of programs and libraries"},
    [HW_MEMORY_FILES] = {"files", "other mapped files"},
    [HW_MEMORY_SHARED] = {"shared-memory", "shared memory"},
    [HW_MEMORY_KERNEL] = {"kernel", "pages of the kernel"},
    [HW_MEMORY_UNEXPLAINED] = {"unexplained", "anonymous mappings, not explained"},
    [HW_MEMORY_SWAP] = {"swap", "swapped out"},
    [HW_MEMORY_HUGE_PAGES] = {"huge-pages", "of it, in huge pages"},
    [HW_MEMORY_HUGETLB] = {"hugetlb", "from the pool of huge pages"},
    [HW_MEMORY_PAGE_TABLES] = {"page-tables", "page tables"},
    [HW_MEMORY_TRIM] = {"malloc-trim", "malloc_trim(0) could give back"},
    [HW_MEMORY_KERNEL_RSS] = {"kernel-rss", "VmRSS as the kernel counts"},
    [HW_MEMORY_CGROUP_CURRENT] = {"cgroup-current", "the whole cgroup"},
    [HW_MEMORY_CGROUP_LIMIT] = {"cgroup-limit", "limit of the cgroup"},
};

const char *hw_memory_kind_name(enum hw_memory_kind kind)
{
    return (unsigned)kind < HW_MEMORY_KIND_COUNT ? kinds[kind].name : "";
}

const char *hw_memory_kind_about(enum hw_memory_kind kind)
{
    return (unsigned)kind < HW_MEMORY_KIND_COUNT ? kinds[kind].about : "";
}

void hw_ledger_deinit(struct hw_ledger *ledger)
{
    free(ledger->parts);
    free(ledger->classes);
    free(ledger->arenas);
    free(ledger->natives);
    *ledger = (struct hw_ledger){0};
}

static void *array_copy(const void *from, size_t count, size_t elem_bytes)
{
    void *to = calloc(count + 1, elem_bytes);
    if (to && count)
        memcpy(to, from, count * elem_bytes);
    return to;
}

static bool texts_copy(struct hw_ledger *ledger, struct hw_arena *arena)
{
    for (size_t i = 0; i < ledger->part_count; i++)
        if (!(ledger->parts[i].name = hw_arena_strdup(arena, ledger->parts[i].name)))
            return false;
    for (size_t i = 0; i < ledger->native_count; i++) {
        struct hw_ledger_native *row = &ledger->natives[i];
        if (!(row->sample = hw_arena_strdup(arena, row->sample)) ||
            !(row->library = hw_arena_strdup(arena, row->library)))
            return false;
    }
    return true;
}

bool hw_ledger_copy(const struct hw_ledger *from, struct hw_arena *arena, struct hw_ledger *to)
{
    struct hw_ledger copy = *from;
    copy.parts = array_copy(from->parts, from->part_count, sizeof(*copy.parts));
    copy.classes = array_copy(from->classes, from->class_count, sizeof(*copy.classes));
    copy.arenas = array_copy(from->arenas, from->arena_count, sizeof(*copy.arenas));
    copy.natives = array_copy(from->natives, from->native_count, sizeof(*copy.natives));
    copy.part_capacity = copy.part_count;
    bool ok = copy.parts && copy.classes && copy.arenas && copy.natives && texts_copy(&copy, arena);
    if (!ok)
        hw_ledger_deinit(&copy);
    *to = copy;
    return ok;
}

struct hw_ledger_part *hw_ledger_part(struct hw_ledger *ledger, enum hw_memory_kind kind,
                                      const char *name, struct hw_arena *arena)
{
    for (size_t i = 0; i < ledger->part_count; i++)
        if (ledger->parts[i].kind == kind && !strcmp(ledger->parts[i].name, name))
            return &ledger->parts[i];
    struct hw_ledger_part *parts = hw_vec_grow(ledger->parts, &ledger->part_capacity,
                                               ledger->part_count + 1, sizeof(*parts));
    const char *copy = hw_arena_strdup(arena, name);
    if (parts)
        ledger->parts = parts;
    if (!parts || !copy)
        return NULL;
    parts[ledger->part_count] = (struct hw_ledger_part){.kind = kind, .name = copy};
    return &parts[ledger->part_count++];
}

uint64_t hw_ledger_rss(const struct hw_ledger *ledger, enum hw_memory_kind kind)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < ledger->part_count; i++)
        sum += ledger->parts[i].kind == kind ? ledger->parts[i].rss_bytes : 0;
    return sum;
}

uint64_t hw_ledger_bytes(const struct hw_ledger *ledger, enum hw_memory_kind kind)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < ledger->part_count; i++)
        sum += ledger->parts[i].kind == kind ? ledger->parts[i].bytes : 0;
    return sum;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "native/glibc-heap.h"

#include "base/err.h"
#include "base/vec.h"
#include "native/glibc-arena.h"

#include <stdlib.h>
#include <string.h>

enum { PREV_IN_USE = 1, IS_MMAPPED = 2, SIZE_BITS = 7, CHUNK_MIN = 32, CHUNK_ALIGN = 16, PAGE = 4096 };

/* struct tcache_perthread_struct of glibc 2.30 to 2.41. */
enum {
    TCACHE_BINS = 64,
    TCACHE_ENTRIES = TCACHE_BINS * 2,
    TCACHE_BYTES = TCACHE_ENTRIES + TCACHE_BINS * 8,
    TCACHE_CHUNK_BYTES = TCACHE_BYTES + HW_GLIBC_HEADER_BYTES,
    TCACHE_MAX_CHUNK = CHUNK_MIN + (TCACHE_BINS - 1) * CHUNK_ALIGN,
};
/* Pages looked at in vain for mappings of malloc; heaps of an arena. */
enum { MMAP_SEARCH_PAGES = 1 << 18, HEAPS_MAX = 1 << 16 };

static uint64_t word_at(struct hw_image *image, hw_addr addr)
{
    uint64_t word = 0;
    hw_image_read(image, addr, &word, sizeof(word));
    return word;
}

/* ---- runs ---- */

static bool run_add(struct hw_glibc *glibc, const struct hw_glibc_run *run, struct hw_err *err)
{
    struct hw_glibc_run *runs =
        hw_vec_grow(glibc->runs, &glibc->run_capacity, glibc->run_count + 1, sizeof(*runs));
    if (!runs)
        return hw_err_no_memory(err);
    glibc->runs = runs;
    glibc->runs[glibc->run_count++] = *run;
    return true;
}

/* The program's data segment, which brk() moves. */
static bool main_run_add(struct hw_glibc *glibc, struct hw_err *err)
{
    hw_addr start = 0, end = 0;
    for (size_t i = 0; i < glibc->image->segment_count; i++) {
        const struct hw_segment *s = &glibc->image->segments[i];
        if (strcmp(s->path, "[heap]") != 0 || (end && s->start != end))
            continue;
        start = end ? start : s->start;
        end = s->end;
    }
    hw_addr first = (start + CHUNK_ALIGN - 1) & ~(hw_addr)(CHUNK_ALIGN - 1);
    struct hw_glibc_run run = {.start = first, .end = end, .mapping = start, .arena = 0};
    return first >= end || run_add(glibc, &run, err);
}

/* From the heap that holds the top back to the one that holds the arena itself. */
static bool arena_runs_add(struct hw_glibc *glibc, uint32_t arena, struct hw_err *err)
{
    const struct hw_glibc_arena *a = &glibc->arenas[arena];
    hw_addr at = a->top;
    for (unsigned n = 0; at && n < HEAPS_MAX; n++) {
        struct hw_glibc_heap heap;
        if (!hw_glibc_heap_read(glibc->image, a, at, &heap)) {
            glibc->damaged++;
            return true;
        }
        struct hw_glibc_run run = {.start = heap.first,
                                   .end = heap.addr + heap.bytes,
                                   .mapping = heap.addr,
                                   .arena = arena};
        if (run.start < run.end && !run_add(glibc, &run, err))
            return false;
        at = heap.prev;
    }
    return true;
}

static int by_start(const void *a, const void *b)
{
    const struct hw_glibc_run *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

static void runs_sort(struct hw_glibc *glibc)
{
    size_t n = 0;
    if (glibc->run_count)
        qsort(glibc->runs, glibc->run_count, sizeof(*glibc->runs), by_start);
    for (size_t i = 0; i < glibc->run_count; i++) {
        if (n && glibc->runs[i].mapping < glibc->runs[n - 1].end)
            glibc->damaged++;
        else
            glibc->runs[n++] = glibc->runs[i];
    }
    glibc->run_count = n;
}

/* ---- mappings ---- */

static bool is_malloc_memory(const struct hw_segment *s)
{
    uint32_t want = HW_PROT_READ | HW_PROT_WRITE;
    return (s->prot & (want | HW_PROT_SHARED)) == want && !s->inode && !s->path[0];
}

/* A mapping of malloc() begins with its chunk (malloc/malloc.c, sysmalloc_mmap). 0: none here. */
static uint64_t mmapped_bytes(struct hw_image *image, hw_addr at, hw_addr end)
{
    uint64_t words[2];
    if (!hw_image_read(image, at, words, sizeof(words)) || words[0] ||
        (words[1] & SIZE_BITS) != IS_MMAPPED)
        return 0;
    uint64_t bytes = words[1] - IS_MMAPPED;
    return bytes && bytes % PAGE == 0 && bytes <= end - at ? bytes : 0;
}

struct mmap_search {
    const struct hw_glibc_range *others;
    size_t other_count, other; /* the first that ends behind where the search is */
    size_t run, run_count;     /* likewise, of the arenas' runs */
    uint64_t found, pages;
};

/* The end of what is known at addr, else 0. */
static hw_addr known_end(const struct hw_glibc *glibc, struct mmap_search *search, hw_addr addr)
{
    while (search->other < search->other_count && search->others[search->other].end <= addr)
        search->other++;
    while (search->run < search->run_count && glibc->runs[search->run].end <= addr)
        search->run++;
    if (search->other < search->other_count && search->others[search->other].start <= addr)
        return search->others[search->other].end;
    if (search->run < search->run_count && glibc->runs[search->run].mapping <= addr)
        return glibc->runs[search->run].end;
    return 0;
}

static bool search_is_over(const struct hw_glibc *glibc, const struct mmap_search *search)
{
    return search->pages > MMAP_SEARCH_PAGES ||
           (glibc->mmap_count && search->found == glibc->mmap_count);
}

static bool segment_search(struct hw_glibc *glibc, const struct hw_segment *s,
                           struct mmap_search *search, struct hw_err *err)
{
    for (hw_addr at = s->start; at < s->end && !search_is_over(glibc, search);) {
        hw_addr known = known_end(glibc, search, at);
        uint64_t bytes = known ? 0 : mmapped_bytes(glibc->image, at, s->end);
        struct hw_glibc_run run = {at, at + bytes, at, HW_GLIBC_MMAPPED};
        if (bytes && !run_add(glibc, &run, err))
            return false;
        search->found += bytes != 0;
        search->pages += !known && !bytes;
        at = known ? (known + PAGE - 1) & ~(hw_addr)(PAGE - 1) : at + (bytes ? bytes : PAGE);
        hw_image_trim(glibc->image);
    }
    return true;
}

static bool mmapped_runs_add(struct hw_glibc *glibc, const struct hw_glibc_range *others,
                             size_t other_count, struct hw_err *err)
{
    struct mmap_search search = {
        .others = others, .other_count = other_count, .run_count = glibc->run_count};
    for (size_t i = 0; i < glibc->image->segment_count; i++)
        if (is_malloc_memory(&glibc->image->segments[i]) &&
            !segment_search(glibc, &glibc->image->segments[i], &search, err))
            return false;
    return true;
}

/* ---- what looks like in use ---- */

static bool is_chunk_of(struct hw_glibc *glibc, hw_addr block, uint64_t bytes)
{
    return block % CHUNK_ALIGN == 0 && block > HW_GLIBC_HEADER_BYTES &&
           (word_at(glibc->image, block - 8) & ~(uint64_t)SIZE_BITS) == bytes;
}

/* A thread's table: for each size a count, and the first of a list if that is not 0. Returns a block on
 * one of the lists; 0: this is no such table, or it is empty. */
static hw_addr tcache_block(struct hw_glibc *glibc, hw_addr block)
{
    unsigned char table[TCACHE_BYTES];
    hw_addr found = 0;
    if (!hw_image_read(glibc->image, block, table, sizeof(table)))
        return 0;
    for (unsigned i = 0; i < TCACHE_BINS; i++) {
        uint16_t count;
        hw_addr entry;
        memcpy(&count, table + i * 2, sizeof(count));
        memcpy(&entry, table + TCACHE_ENTRIES + i * 8, sizeof(entry));
        if (!count != !entry ||
            (entry && !is_chunk_of(glibc, entry, CHUNK_MIN + (uint64_t)i * CHUNK_ALIGN)))
            return 0;
        found = entry ? entry : found;
    }
    return found;
}

/* Since glibc 2.34 the second word of every block that a thread keeps is one random number. */
static hw_addr tcache_key_of(struct hw_glibc *glibc, const struct hw_glibc_chunk *chunk)
{
    hw_addr block =
        chunk->kind == HW_GLIBC_OWN ? tcache_block(glibc, hw_glibc_block(chunk)) : 0;
    return block ? word_at(glibc->image, block + 8) : 0;
}

/* The first chunk of the process is the main thread's table, so the first look mostly finds it. */
static void tcache_key_find(struct hw_glibc *glibc)
{
    struct hw_glibc_cursor cursor = {0};
    struct hw_glibc_chunk chunk;
    uint64_t damaged = glibc->damaged;
    while (!glibc->tcache_key && hw_glibc_next(glibc, &cursor, &chunk)) {
        glibc->tcache_key = tcache_key_of(glibc, &chunk);
        hw_image_trim(glibc->image);
    }
    glibc->damaged = damaged;
}

static int by_address(const void *a, const void *b)
{
    hw_addr x = *(const hw_addr *)a, y = *(const hw_addr *)b;
    return (x > y) - (x < y);
}

bool hw_glibc_init(struct hw_glibc *glibc, struct hw_image *image, const struct hw_module *modules,
                   size_t module_count, const struct hw_glibc_range *others, size_t other_count,
                   struct hw_err *err)
{
    *glibc = (struct hw_glibc){.image = image};
    bool ok = hw_glibc_arenas_read(glibc, modules, module_count, err) &&
              (!glibc->arena_count || main_run_add(glibc, err));
    for (uint32_t i = 1; ok && i < glibc->arena_count; i++)
        ok = arena_runs_add(glibc, i, err);
    runs_sort(glibc);
    ok = ok && (!glibc->arena_count || mmapped_runs_add(glibc, others, other_count, err));
    if (!ok) {
        hw_glibc_deinit(glibc);
        return false;
    }
    runs_sort(glibc);
    if (glibc->fast_count)
        qsort(glibc->fast, glibc->fast_count, sizeof(*glibc->fast), by_address);
    tcache_key_find(glibc);
    return true;
}

void hw_glibc_deinit(struct hw_glibc *glibc)
{
    free(glibc->arenas);
    free(glibc->runs);
    free(glibc->fast);
    *glibc = (struct hw_glibc){.image = glibc->image};
}

/* ---- chunks ---- */

static bool is_fast(const struct hw_glibc *glibc, struct hw_glibc_cursor *c, hw_addr addr)
{
    while (c->fast < glibc->fast_count && glibc->fast[c->fast] < addr)
        c->fast++;
    return c->fast < glibc->fast_count && glibc->fast[c->fast] == addr;
}

static enum hw_glibc_kind kind_of(struct hw_glibc *glibc, struct hw_glibc_cursor *c,
                                  const struct hw_glibc_chunk *chunk)
{
    hw_addr block = hw_glibc_block(chunk);
    if (!(word_at(glibc->image, chunk->addr + chunk->bytes + 8) & PREV_IN_USE))
        return HW_GLIBC_FREE;
    if (is_fast(glibc, c, chunk->addr))
        return HW_GLIBC_FAST;
    if (glibc->tcache_key && chunk->bytes <= TCACHE_MAX_CHUNK &&
        word_at(glibc->image, block + 8) == glibc->tcache_key)
        return HW_GLIBC_TCACHE;
    if (chunk->bytes == TCACHE_CHUNK_BYTES && tcache_block(glibc, block))
        return HW_GLIBC_OWN;
    return HW_GLIBC_USED;
}

/* The chunk at addr of a run. False: the run ends here, in fence posts or in something that is no
 * chunk. */
static bool chunk_read(struct hw_glibc *glibc, struct hw_glibc_cursor *c, hw_addr addr,
                       struct hw_glibc_chunk *ret)
{
    const struct hw_glibc_run *run = &glibc->runs[c->run];
    struct hw_glibc_chunk chunk = {.addr = addr, .arena = run->arena};
    if (run->arena == HW_GLIBC_MMAPPED) {
        chunk.bytes = run->end - run->start;
        *ret = chunk;
        return true;
    }
    chunk.bytes = word_at(glibc->image, addr + 8) & ~(uint64_t)SIZE_BITS;
    if (chunk.bytes < CHUNK_MIN || chunk.bytes % CHUNK_ALIGN || chunk.bytes > run->end - addr) {
        /* Fence posts have the size of a header (malloc/malloc.c, sysmalloc). */
        glibc->damaged += chunk.bytes != HW_GLIBC_HEADER_BYTES;
        return false;
    }
    if (addr == glibc->arenas[run->arena].top)
        chunk.kind = HW_GLIBC_TOP;
    else if (chunk.bytes == run->end - addr)
        return false;
    else
        chunk.kind = kind_of(glibc, c, &chunk);
    *ret = chunk;
    return true;
}

bool hw_glibc_next(struct hw_glibc *glibc, struct hw_glibc_cursor *c,
                   struct hw_glibc_chunk *ret_chunk)
{
    for (; c->run < glibc->run_count; c->run++, c->next = 0) {
        const struct hw_glibc_run *run = &glibc->runs[c->run];
        hw_addr addr = c->next ? c->next : run->start;
        if (addr + CHUNK_MIN > run->end || !chunk_read(glibc, c, addr, ret_chunk))
            continue;
        c->next = addr + ret_chunk->bytes;
        if (ret_chunk->kind == HW_GLIBC_TOP)
            c->next = run->end;
        return true;
    }
    return false;
}

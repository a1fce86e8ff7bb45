/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/next.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

/* The first call of any of them finds all. It comes from the loader, or from a constructor. */

enum { ALIGNMENT = 16 };

char hw_next_early[HW_NEXT_EARLY_BYTES] __attribute__((aligned(16)));
static size_t early_used;
static enum { NOT_YET, LOOKING, FOUND } state;

/* dlsym() may itself allocate. What it takes is never given back: there is little of it. */
static void *early_malloc(size_t bytes)
{
    size_t whole = ALIGNMENT + ((bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1));
    if (bytes > HW_NEXT_EARLY_BYTES || whole > HW_NEXT_EARLY_BYTES - early_used) {
        errno = ENOMEM;
        return NULL;
    }
    char *block = hw_next_early + early_used + ALIGNMENT;
    memcpy(block - ALIGNMENT, &bytes, sizeof(bytes));
    early_used += whole;
    return block;
}

size_t hw_next_early_bytes(const void *block)
{
    size_t bytes;
    memcpy(&bytes, (const char *)block - ALIGNMENT, sizeof(bytes));
    return bytes;
}

static bool found(void)
{
    if (state == NOT_YET)
        hw_next_find();
    return state == FOUND;
}

static void *first_malloc(size_t bytes)
{
    return found() ? hw_next.malloc(bytes) : early_malloc(bytes);
}

/* The early blocks are zeroed, since each is handed out once. */
static void *first_calloc(size_t count, size_t bytes)
{
    size_t all;
    if (found())
        return hw_next.calloc(count, bytes);
    return __builtin_mul_overflow(count, bytes, &all) ? NULL : early_malloc(all);
}

static void *first_realloc(void *block, size_t bytes)
{
    if (found())
        return hw_next.realloc(block, bytes);
    void *moved = early_malloc(bytes);
    size_t before = block ? hw_next_early_bytes(block) : 0;
    if (moved && block)
        memcpy(moved, block, before < bytes ? before : bytes);
    return moved;
}

static void first_free(void *block)
{
    if (found())
        hw_next.free(block);
}

static int first_posix_memalign(void **ret_block, size_t alignment, size_t bytes)
{
    return found() ? hw_next.posix_memalign(ret_block, alignment, bytes) : ENOMEM;
}

static void *first_aligned_alloc(size_t alignment, size_t bytes)
{
    return found() ? hw_next.aligned_alloc(alignment, bytes) : NULL;
}

static void *first_memalign(size_t alignment, size_t bytes)
{
    return found() ? hw_next.memalign(alignment, bytes) : NULL;
}

static void *first_valloc(size_t bytes)
{
    return found() ? hw_next.valloc(bytes) : NULL;
}

static void *first_pvalloc(size_t bytes)
{
    return found() ? hw_next.pvalloc(bytes) : NULL;
}

static void *first_mmap(void *at, size_t bytes, int prot, int flags, int fd, off_t offset)
{
    return found() ? hw_next.mmap(at, bytes, prot, flags, fd, offset) : (void *)-1;
}

static int first_munmap(void *at, size_t bytes)
{
    return found() ? hw_next.munmap(at, bytes) : -1;
}

static void *first_mremap(void *at, size_t bytes, size_t new_bytes, int flags, void *to)
{
    return found() ? hw_next.mremap(at, bytes, new_bytes, flags, to) : (void *)-1;
}

struct hw_next hw_next = {first_malloc,         first_calloc,        first_realloc,  first_free,
                          first_posix_memalign, first_aligned_alloc, first_memalign, first_valloc,
                          first_pvalloc,        first_mmap,          first_munmap,   first_mremap};

static void find(void *place, const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    memcpy(place, &symbol, sizeof(symbol));
}

void hw_next_find(void)
{
    struct hw_next next;
    if (state != NOT_YET)
        return;
    state = LOOKING;
    find(&next.malloc, "malloc");
    find(&next.calloc, "calloc");
    find(&next.realloc, "realloc");
    find(&next.free, "free");
    find(&next.posix_memalign, "posix_memalign");
    find(&next.aligned_alloc, "aligned_alloc");
    find(&next.memalign, "memalign");
    find(&next.valloc, "valloc");
    find(&next.pvalloc, "pvalloc");
    find(&next.mmap, "mmap");
    find(&next.munmap, "munmap");
    find(&next.mremap, "mremap");
    hw_next = next;
    state = FOUND;
}

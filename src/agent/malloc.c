/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"
#include "agent/next.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/*
 * The C allocator, with the agent before it. The program's calls come here, since the library is
 * loaded before all others; Python's, which are counted as Python's, come with hw_thread.inside.
 *
 * A handler of a signal that leaves by longjmp() while this thread samples leaves hw_thread.inside
 * behind: then the thread is counted no more. In malloc itself it would leave a lock.
 */

#define EXPORT __attribute__((visibility("default")))

/* Whether all that is to be done about a block is to count it. */
static inline bool is_plain(size_t bytes)
{
    struct hw_thread *thread = &hw_thread;
    if (__builtin_expect(thread->inside || hw_native_every || thread->left < 0 ||
                             (uint64_t)thread->left < bytes,
                         0))
        return false;
    thread->left -= (int64_t)bytes;
    return true;
}

static __attribute__((noinline)) void *counted(void *block, size_t bytes)
{
    hw_native_count(block, bytes, HW_AGENT_MALLOC);
    return block;
}

/* ---- blocks come ---- */

static __attribute__((noinline)) void *malloc_rarely(size_t bytes)
{
    return counted(hw_next.malloc(bytes), bytes);
}

EXPORT void *malloc(size_t bytes)
{
    return is_plain(bytes) ? hw_next.malloc(bytes) : malloc_rarely(bytes);
}

EXPORT void *calloc(size_t count, size_t each)
{
    size_t bytes;
    if (!__builtin_mul_overflow(count, each, &bytes) && is_plain(bytes))
        return hw_next.calloc(count, each);
    void *block = hw_next.calloc(count, each);
    return counted(block, block ? count * each : 0);
}

EXPORT int posix_memalign(void **ret_block, size_t alignment, size_t bytes)
{
    int error = hw_next.posix_memalign(ret_block, alignment, bytes);
    if (!error && !is_plain(bytes))
        counted(*ret_block, bytes);
    return error;
}

EXPORT void *aligned_alloc(size_t alignment, size_t bytes)
{
    void *block = hw_next.aligned_alloc(alignment, bytes);
    return is_plain(bytes) ? block : counted(block, bytes);
}

EXPORT void *memalign(size_t alignment, size_t bytes)
{
    void *block = hw_next.memalign(alignment, bytes);
    return is_plain(bytes) ? block : counted(block, bytes);
}

EXPORT void *valloc(size_t bytes)
{
    void *block = hw_next.valloc(bytes);
    return is_plain(bytes) ? block : counted(block, bytes);
}

EXPORT void *pvalloc(size_t bytes)
{
    void *block = hw_next.pvalloc(bytes);
    return is_plain(bytes) ? block : counted(block, bytes);
}

/* ---- and go ---- */

static __attribute__((noinline)) void free_rarely(void *block)
{
    struct hw_agent_block old;
    hw_native_take(block, &old);
    hw_next.free(block);
}

EXPORT void free(void *block)
{
    if (__builtin_expect(hw_next_is_early(block), 0))
        return;
    if (__builtin_expect(hw_native_may_have(block), 0))
        free_rarely(block);
    else
        hw_next.free(block);
}

static void *realloc_early(void *block, size_t bytes)
{
    size_t before = hw_next_early_bytes(block);
    void *moved = malloc(bytes);
    if (moved)
        memcpy(moved, block, before < bytes ? before : bytes);
    return moved;
}

/* A block of the sample that changes its size is drawn anew, as Python's are. */
static __attribute__((noinline)) void *realloc_rarely(void *block, size_t bytes)
{
    struct hw_agent_block old;
    bool was_live = hw_native_may_have(block) && hw_native_take(block, &old);
    void *moved = hw_next.realloc(block, bytes);
    if (!moved && bytes && was_live)
        hw_native_put(&old);
    return counted(moved, bytes);
}

EXPORT void *realloc(void *block, size_t bytes)
{
    if (__builtin_expect(hw_next_is_early(block), 0))
        return realloc_early(block, bytes);
    if (__builtin_expect(hw_native_may_have(block), 0) || !is_plain(bytes))
        return realloc_rarely(block, bytes);
    return hw_next.realloc(block, bytes);
}

/* glibc's own calls realloc(), which is ours. */
EXPORT void *reallocarray(void *block, size_t count, size_t each)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, each, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, bytes);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* With it, mmap is another name of mmap64, and cannot be defined beside it. */
#undef _FILE_OFFSET_BITS
#include "agent/agent.h"
#include "agent/module.h"
#include "agent/next.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>

/*
 * Anonymous mappings that the program makes for itself. libc's own, for malloc, stacks and
 * libraries, do not come here; those of another allocator are known by who asks, and Python's
 * arenas by hw_thread.inside.
 */

#define EXPORT __attribute__((visibility("default")))

static struct hw_code allocator;

void hw_mappings_begin(void)
{
    hw_code_find((uintptr_t)hw_next.malloc, &allocator);
}

/* What nobody may touch is a place, not memory. */
static bool is_memory(int prot, int flags)
{
    return flags & MAP_ANONYMOUS && flags & MAP_PRIVATE && prot != PROT_NONE;
}

static bool take(const void *at, struct hw_agent_block *ret_old)
{
    return hw_native_may_have(at) && hw_native_take(at, ret_old);
}

EXPORT void *mmap(void *hint, size_t bytes, int prot, int flags, int fd, off_t offset)
{
    struct hw_agent_block old;
    void *at = hw_next.mmap(hint, bytes, prot, flags, fd, offset);
    if (at == MAP_FAILED)
        return at;
    take(at, &old); /* one that was there went without munmap() of its own */
    if (is_memory(prot, flags) && !hw_code_has(&allocator, (uintptr_t)__builtin_return_address(0)))
        hw_native_count(at, bytes, HW_AGENT_MMAP);
    return at;
}

EXPORT void *mmap64(void *hint, size_t bytes, int prot, int flags, int fd, off64_t offset)
    __attribute__((alias("mmap")));

enum { PAGE_BYTES = 4096 };

/* The kernel unmaps whole pages. The rest of one that loses its beginning stays. That it loses its end is
 * not seen. */
EXPORT int munmap(void *at, size_t bytes)
{
    struct hw_agent_block old;
    uint64_t gone = (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    bool was_live = take(at, &old);
    int status = hw_next.munmap(at, bytes);
    if (was_live && status != 0) {
        hw_native_put(&old);
    } else if (was_live && gone < old.bytes) {
        old.addr += gone;
        old.bytes -= gone;
        hw_native_put(&old);
    }
    return status;
}

/* One of the sample stays in it, with its new size. Of the others it is not known what they map. */
EXPORT void *mremap(void *at, size_t bytes, size_t new_bytes, int flags, ...)
{
    struct hw_agent_block old;
    void *to = NULL;
    if (flags & MREMAP_FIXED) {
        va_list more;
        va_start(more, flags);
        to = va_arg(more, void *);
        va_end(more);
    }
    bool was_live = take(at, &old);
    void *moved = hw_next.mremap(at, bytes, new_bytes, flags, to);
    if (was_live && moved != MAP_FAILED) {
        old.addr = (uintptr_t)moved;
        old.bytes = new_bytes;
    }
    if (was_live)
        hw_native_put(&old);
    return moved;
}

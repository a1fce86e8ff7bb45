/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_AGENT_NEXT_H
#define HW_AGENT_NEXT_H

/*
 * The C allocator and mmap() that the program would have without the agent: the next ones in the
 * loader's order, libc's, or those of an allocator that is preloaded or linked.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct hw_next {
    void *(*malloc)(size_t bytes);
    void *(*calloc)(size_t count, size_t bytes);
    void *(*realloc)(void *block, size_t bytes);
    void (*free)(void *block);
    int (*posix_memalign)(void **ret_block, size_t alignment, size_t bytes);
    void *(*aligned_alloc)(size_t alignment, size_t bytes);
    void *(*memalign)(size_t alignment, size_t bytes);
    void *(*valloc)(size_t bytes);
    void *(*pvalloc)(size_t bytes);
    void *(*mmap)(void *at, size_t bytes, int prot, int flags, int fd, off_t offset);
    int (*munmap)(void *at, size_t bytes);
    void *(*mremap)(void *at, size_t bytes, size_t new_bytes, int flags, void *to);
};
/* All can be called from the beginning. */
extern struct hw_next hw_next;

/* Finds them, once; before there is a second thread. */
void hw_next_find(void);

/* Whether a block was handed out while they were looked for: then it must not be given to them. */
enum { HW_NEXT_EARLY_BYTES = 1 << 14 };
extern char hw_next_early[HW_NEXT_EARLY_BYTES];
static inline bool hw_next_is_early(const void *block)
{
    return (uintptr_t)block - (uintptr_t)hw_next_early < HW_NEXT_EARLY_BYTES;
}
/* The bytes of such a block. */
size_t hw_next_early_bytes(const void *block);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_AGENT_ALLOCATOR_H
#define HW_AGENT_ALLOCATOR_H

/* PyMemAllocatorEx of CPython's Include/cpython/pymem.h, unchanged from 3.5 to 3.14. */

#include "agent/table.h"

#include <stddef.h>

struct hw_allocator {
    void *ctx;
    void *(*malloc)(void *ctx, size_t bytes);
    void *(*calloc)(void *ctx, size_t count, size_t bytes);
    void *(*realloc)(void *ctx, void *block, size_t bytes);
    void (*free)(void *ctx, void *block);
};

/* What the hooks get as ctx: whom they stand before. */
struct hw_domain {
    struct hw_allocator base;
    enum hw_agent_domain number;
};

extern const struct hw_allocator hw_sampled_hooks, hw_every_hooks; /* without ctx */

#endif

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

/* Whom the hooks of a domain stand before. */
struct hw_domain {
    struct hw_allocator base;
    enum hw_agent_domain number;
};
enum { HW_DOMAINS = 3 };
extern struct hw_domain hw_domains[HW_DOMAINS];

/* Hooks by domain, without ctx. */
extern const struct hw_allocator hw_sampled_hooks[HW_DOMAINS], hw_every_hooks[HW_DOMAINS];

/*
 * An allocator is copied word by word (CPython's Objects/obmalloc.c), maybe while another thread
 * calls it: a function may meet the ctx of the one before it. So hooks have the ctx of what they
 * stand before, take no notice of it, and each domain has functions of its own, made of
 * kind_malloc(domain, bytes) and so on.
 */
#define HW_HOOKS(kind)                                          \
    HW_HOOKS_OF(kind, 0)                                        \
    HW_HOOKS_OF(kind, 1)                                        \
    HW_HOOKS_OF(kind, 2)                                        \
    const struct hw_allocator hw_##kind##_hooks[HW_DOMAINS] = { \
        HW_HOOKS_ROW(kind, 0), HW_HOOKS_ROW(kind, 1), HW_HOOKS_ROW(kind, 2)}
#define HW_HOOKS_ROW(kind, n) \
    {NULL, kind##_malloc_##n, kind##_calloc_##n, kind##_realloc_##n, kind##_free_##n}
#define HW_HOOKS_OF(kind, n)                                              \
    static void *kind##_malloc_##n(void *ctx, size_t bytes)               \
    {                                                                     \
        return kind##_malloc(&hw_domains[n], bytes);                      \
    }                                                                     \
    static void *kind##_calloc_##n(void *ctx, size_t number, size_t each) \
    {                                                                     \
        return kind##_calloc(&hw_domains[n], number, each);               \
    }                                                                     \
    static void *kind##_realloc_##n(void *ctx, void *block, size_t bytes) \
    {                                                                     \
        return kind##_realloc(&hw_domains[n], block, bytes);              \
    }                                                                     \
    static void kind##_free_##n(void *ctx, void *block)                   \
    {                                                                     \
        kind##_free(&hw_domains[n], block);                               \
    }

#endif

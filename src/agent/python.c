/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"

#include <dlfcn.h>

/* Python's allocators with the agent before them: PyMemAllocatorEx of CPython's
 * Include/cpython/pymem.h, unchanged from 3.5 to 3.14. */

struct allocator {
    void *ctx;
    void *(*malloc)(void *ctx, size_t bytes);
    void *(*calloc)(void *ctx, size_t count, size_t bytes);
    void *(*realloc)(void *ctx, void *block, size_t bytes);
    void (*free)(void *ctx, void *block);
};
enum { DOMAINS = 3 };
/* pymalloc asks the raw domain for larger ones, and for its arenas nobody: what is passed on from
 * domain to domain counts in the first one. */
enum { SMALL_MAX = 512 };

static struct domain {
    struct allocator base;
    enum hw_agent_domain number;
} domains[DOMAINS];

/* An allocator is copied word by word (Objects/obmalloc.c), maybe while another thread calls it: a function
 * may meet the context of the one before it. So the hooks have the context of what they stand before, and
 * each domain has functions of its own. */

static void (*get_allocator)(int domain, struct allocator *ret);
static void (*set_allocator)(int domain, struct allocator *allocator);

static inline void count(void *block, size_t bytes, const struct domain *domain)
{
    if (__builtin_expect((hw_thread.left -= (int64_t)bytes) < 0, 0) && block)
        hw_sample_take(block, bytes, domain->number);
}

/* Whether a block is like nearly all: small, and not the next one of the sample. It is counted
 * then, and that is all there is to do. */
static inline bool is_plain(size_t bytes)
{
    if (__builtin_expect(bytes > SMALL_MAX || hw_thread.left < (int64_t)bytes, 0))
        return false;
    hw_thread.left -= (int64_t)bytes;
    return true;
}

static __attribute__((noinline)) void *malloc_rarely(const struct domain *domain, size_t bytes)
{
    const struct allocator *base = &domain->base;
    if (hw_thread.inside)
        return base->malloc(base->ctx, bytes);
    hw_thread.inside = true;
    void *block = base->malloc(base->ctx, bytes);
    hw_thread.inside = false;
    count(block, bytes, domain);
    return block;
}

static inline void *hook_malloc(const struct domain *domain, size_t bytes)
{
    return is_plain(bytes) ? domain->base.malloc(domain->base.ctx, bytes)
                           : malloc_rarely(domain, bytes);
}

static __attribute__((noinline)) void *calloc_rarely(const struct domain *domain, size_t number,
                                                     size_t each)
{
    const struct allocator *base = &domain->base;
    if (hw_thread.inside)
        return base->calloc(base->ctx, number, each);
    hw_thread.inside = true;
    void *block = base->calloc(base->ctx, number, each);
    hw_thread.inside = false;
    count(block, block ? number * each : 0, domain);
    return block;
}

static inline void *hook_calloc(const struct domain *domain, size_t number, size_t each)
{
    size_t bytes;
    return !__builtin_mul_overflow(number, each, &bytes) && is_plain(bytes)
               ? domain->base.calloc(domain->base.ctx, number, each)
               : calloc_rarely(domain, number, each);
}

/* A block that was sampled is gone even when it stays in place: it is drawn again with its new
 * size. */
static inline void *hook_realloc(const struct domain *domain, void *block, size_t bytes)
{
    const struct allocator *base = &domain->base;
    struct hw_agent_block old;
    if (hw_thread.inside)
        return base->realloc(base->ctx, block, bytes);
    bool was_live = hw_live_may_have(block) && hw_live_take(block, &old);
    hw_thread.inside = true;
    void *moved = base->realloc(base->ctx, block, bytes);
    if (!moved && was_live)
        hw_live_add(&old);
    hw_thread.inside = false;
    count(moved, bytes, domain);
    return moved;
}

static __attribute__((noinline)) void free_rarely(const struct domain *domain, void *block)
{
    struct hw_agent_block old;
    hw_live_take(block, &old);
    domain->base.free(domain->base.ctx, block);
}

static inline void hook_free(const struct domain *domain, void *block)
{
    if (__builtin_expect(hw_live_may_have(block), 0)) {
        free_rarely(domain, block);
        return;
    }
    domain->base.free(domain->base.ctx, block);
}

#define HOOKS(n)                                                                                    \
    static void *malloc_##n(void *ctx, size_t bytes)                                                \
    {                                                                                               \
        return hook_malloc(&domains[n], bytes);                                                     \
    }                                                                                               \
    static void *calloc_##n(void *ctx, size_t number, size_t each)                                  \
    {                                                                                               \
        return hook_calloc(&domains[n], number, each);                                              \
    }                                                                                               \
    static void *realloc_##n(void *ctx, void *block, size_t bytes)                                  \
    {                                                                                               \
        return hook_realloc(&domains[n], block, bytes);                                             \
    }                                                                                               \
    static void free_##n(void *ctx, void *block)                                                    \
    {                                                                                               \
        hook_free(&domains[n], block);                                                              \
    }
HOOKS(0)
HOOKS(1)
HOOKS(2)

static const struct allocator hooks[DOMAINS] = {
    {NULL, malloc_0, calloc_0, realloc_0, free_0},
    {NULL, malloc_1, calloc_1, realloc_1, free_1},
    {NULL, malloc_2, calloc_2, realloc_2, free_2},
};
static bool hooked[DOMAINS];

static void hook(int number)
{
    struct domain *domain = &domains[number];
    struct allocator ours = hooks[number];
    domain->number = (enum hw_agent_domain)number;
    get_allocator(number, &domain->base);
    ours.ctx = domain->base.ctx;
    set_allocator(number, &ours);
    hooked[number] = true;
}

/* One who was set after us calls us, and takes himself away by putting us back. */
static void unhook(int number)
{
    struct allocator now;
    get_allocator(number, &now);
    if (!hooked[number] || now.malloc != hooks[number].malloc)
        return;
    set_allocator(number, &domains[number].base);
    hooked[number] = false;
}

bool hw_python_hook(void)
{
    *(void **)&get_allocator = dlsym(RTLD_DEFAULT, "PyMem_GetAllocator");
    *(void **)&set_allocator = dlsym(RTLD_DEFAULT, "PyMem_SetAllocator");
    if (!get_allocator || !set_allocator)
        return false;
    for (int i = 0; i < DOMAINS; i++)
        if (!hooked[i])
            hook(i);
    return true;
}

bool hw_python_unhook(void)
{
    bool all = true;
    for (int i = 0; i < DOMAINS; i++) {
        unhook(i);
        all = all && !hooked[i];
    }
    return all;
}

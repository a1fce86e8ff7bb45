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

static void *hook_malloc(void *ctx, size_t bytes)
{
    const struct domain *domain = ctx;
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

static void *hook_calloc(void *ctx, size_t number, size_t each)
{
    const struct domain *domain = ctx;
    size_t bytes;
    return !__builtin_mul_overflow(number, each, &bytes) && is_plain(bytes)
               ? domain->base.calloc(domain->base.ctx, number, each)
               : calloc_rarely(domain, number, each);
}

/* A block that was sampled is gone even when it stays in place: it is drawn again with its new
 * size. */
static void *hook_realloc(void *ctx, void *block, size_t bytes)
{
    const struct domain *domain = ctx;
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

static void hook_free(void *ctx, void *block)
{
    const struct domain *domain = ctx;
    if (__builtin_expect(hw_live_may_have(block), 0)) {
        free_rarely(domain, block);
        return;
    }
    domain->base.free(domain->base.ctx, block);
}

/* ---- what Python takes from C's allocator ---- */

/* The raw domain passes all on to malloc(), which must not count it once more. */
static void *raw_malloc(void *ctx, size_t bytes)
{
    return malloc_rarely(ctx, bytes);
}

static void *raw_calloc(void *ctx, size_t number, size_t each)
{
    return calloc_rarely(ctx, number, each);
}

/* PyObjectArenaAllocator of CPython's Include/cpython/objimpl.h, 3.9 to 3.14: where pymalloc has its arenas
 * from, by mmap(). */
static struct arenas {
    void *ctx;
    void *(*alloc)(void *ctx, size_t bytes);
    void (*free)(void *ctx, void *arena, size_t bytes);
} arenas;

static void *arena_alloc(void *ctx, size_t bytes)
{
    bool was_inside = hw_thread.inside;
    hw_thread.inside = true;
    void *arena = arenas.alloc(ctx, bytes);
    hw_thread.inside = was_inside;
    return arena;
}

static void arenas_hook(void)
{
    void (*get)(struct arenas *ret), (*set)(const struct arenas *to);
    *(void **)&get = dlsym(RTLD_DEFAULT, "PyObject_GetArenaAllocator");
    *(void **)&set = dlsym(RTLD_DEFAULT, "PyObject_SetArenaAllocator");
    struct arenas now;
    if (!get || !set)
        return;
    get(&now);
    if (now.alloc == arena_alloc)
        return;
    arenas = now;
    set(&(struct arenas){now.ctx, arena_alloc, now.free});
}

bool hw_python_hook(void)
{
    *(void **)&get_allocator = dlsym(RTLD_DEFAULT, "PyMem_GetAllocator");
    *(void **)&set_allocator = dlsym(RTLD_DEFAULT, "PyMem_SetAllocator");
    if (!get_allocator || !set_allocator)
        return false;
    for (int i = 0; i < DOMAINS; i++) {
        struct allocator hook = {&domains[i], hook_malloc, hook_calloc, hook_realloc, hook_free};
        domains[i].number = (enum hw_agent_domain)i;
        get_allocator(i, &domains[i].base);
        if (i == HW_AGENT_RAW) {
            hook.malloc = raw_malloc;
            hook.calloc = raw_calloc;
        }
        set_allocator(i, &hook);
    }
    arenas_hook();
    return true;
}

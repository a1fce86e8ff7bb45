/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"
#include "agent/allocator.h"

#include <dlfcn.h>

/* Python's allocators with the agent before them, which looks at a sample of the blocks. */

enum { DOMAINS = 3 };
/* Of blocks of more than 512 bytes pymalloc asks the raw domain, and for its arenas nobody: what is
 * passed on from domain to domain counts in the first one. */

static struct hw_domain domains[DOMAINS];

static void (*get_allocator)(int domain, struct hw_allocator *ret);
static void (*set_allocator)(int domain, struct hw_allocator *allocator);

static inline void count(void *block, size_t bytes, const struct hw_domain *domain)
{
    if (block && hw_sample_counts(&hw_thread, bytes))
        hw_sample_add(block, bytes, domain->number);
}

/* Whether a block is like nearly all: small, and not the next one of the sample. It is counted
 * then, and that is all there is to do. */
static inline bool is_plain(size_t bytes)
{
    if (__builtin_expect(bytes > HW_AGENT_SMALL_MAX_BYTES, 0))
        return false;
    struct hw_stretch *stretch = hw_thread_stretch(&hw_thread, bytes);
    if (__builtin_expect(stretch->left <= 0, 0))
        return false;
    stretch->left--;
    return true;
}

static __attribute__((noinline)) void *malloc_rarely(const struct hw_domain *domain, size_t bytes)
{
    const struct hw_allocator *base = &domain->base;
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
    const struct hw_domain *domain = ctx;
    return is_plain(bytes) ? domain->base.malloc(domain->base.ctx, bytes)
                           : malloc_rarely(domain, bytes);
}

static __attribute__((noinline)) void *calloc_rarely(const struct hw_domain *domain, size_t number,
                                                     size_t each)
{
    const struct hw_allocator *base = &domain->base;
    if (hw_thread.inside)
        return base->calloc(base->ctx, number, each);
    hw_thread.inside = true;
    void *block = base->calloc(base->ctx, number, each);
    hw_thread.inside = false;
    count(block, number * each, domain);
    return block;
}

static void *hook_calloc(void *ctx, size_t number, size_t each)
{
    const struct hw_domain *domain = ctx;
    size_t bytes;
    return !__builtin_mul_overflow(number, each, &bytes) && is_plain(bytes)
               ? domain->base.calloc(domain->base.ctx, number, each)
               : calloc_rarely(domain, number, each);
}

/* A block that was sampled is gone even when it stays in place: it is drawn again with its new
 * size. */
static void *hook_realloc(void *ctx, void *block, size_t bytes)
{
    const struct hw_domain *domain = ctx;
    const struct hw_allocator *base = &domain->base;
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

static __attribute__((noinline)) void free_rarely(const struct hw_domain *domain, void *block)
{
    struct hw_agent_block old;
    hw_live_take(block, &old);
    domain->base.free(domain->base.ctx, block);
}

static void hook_free(void *ctx, void *block)
{
    const struct hw_domain *domain = ctx;
    if (__builtin_expect(hw_live_may_have(block), 0)) {
        free_rarely(domain, block);
        return;
    }
    domain->base.free(domain->base.ctx, block);
}

const struct hw_allocator hw_sampled_hooks = {NULL, hook_malloc, hook_calloc, hook_realloc,
                                              hook_free};

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

bool hw_python_hook(bool every)
{
    *(void **)&get_allocator = dlsym(RTLD_DEFAULT, "PyMem_GetAllocator");
    *(void **)&set_allocator = dlsym(RTLD_DEFAULT, "PyMem_SetAllocator");
    if (!get_allocator || !set_allocator)
        return false;
    for (int i = 0; i < DOMAINS; i++) {
        struct hw_allocator hook = every ? hw_every_hooks : hw_sampled_hooks;
        hook.ctx = &domains[i];
        domains[i].number = (enum hw_agent_domain)i;
        get_allocator(i, &domains[i].base);
        if (i == HW_AGENT_RAW && !every) {
            hook.malloc = raw_malloc;
            hook.calloc = raw_calloc;
        }
        set_allocator(i, &hook);
    }
    arenas_hook();
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"
#include "agent/allocator.h"

#include <dlfcn.h>

/* Python's allocators with the agent before them, which looks at a sample of the blocks. */

/* Of blocks of more than 512 bytes pymalloc asks the raw domain, and for its arenas nobody: what is
 * passed on from domain to domain counts in the first one. */

struct hw_domain hw_domains[HW_DOMAINS];

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

/* The raw domain passes all on to malloc(), which may be the agent's and must not count it once
 * more. */
static inline bool passes_on(const struct hw_domain *domain)
{
    return domain == &hw_domains[HW_AGENT_RAW];
}

static inline void *sampled_malloc(const struct hw_domain *domain, size_t bytes)
{
    return !passes_on(domain) && is_plain(bytes) ? domain->base.malloc(domain->base.ctx, bytes)
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

static inline void *sampled_calloc(const struct hw_domain *domain, size_t number, size_t each)
{
    size_t bytes;
    return !passes_on(domain) && !__builtin_mul_overflow(number, each, &bytes) && is_plain(bytes)
               ? domain->base.calloc(domain->base.ctx, number, each)
               : calloc_rarely(domain, number, each);
}

/* A block that was sampled is gone even when it stays in place: it is drawn again with its new
 * size. */
static inline void *sampled_realloc(const struct hw_domain *domain, void *block, size_t bytes)
{
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

static inline void sampled_free(const struct hw_domain *domain, void *block)
{
    if (__builtin_expect(hw_live_may_have(block), 0)) {
        free_rarely(domain, block);
        return;
    }
    domain->base.free(domain->base.ctx, block);
}

HW_HOOKS(sampled);

/* ---- what Python takes from C's allocator ---- */

/* PyObjectArenaAllocator of CPython's Include/cpython/objimpl.h, 3.9 to 3.14: where pymalloc has
 * its arenas from, by mmap(). */
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

static void (*get_arenas)(struct arenas *ret);
static void (*set_arenas)(const struct arenas *arenas);

static bool arenas_find(struct arenas *ret_now)
{
    *(void **)&get_arenas = dlsym(RTLD_DEFAULT, "PyObject_GetArenaAllocator");
    *(void **)&set_arenas = dlsym(RTLD_DEFAULT, "PyObject_SetArenaAllocator");
    if (!get_arenas || !set_arenas)
        return false;
    get_arenas(ret_now);
    return true;
}

static void arenas_hook(void)
{
    struct arenas now;
    if (!arenas_find(&now) || now.alloc == arena_alloc)
        return;
    arenas = now;
    set_arenas(&(struct arenas){now.ctx, arena_alloc, now.free});
}

static void arenas_unhook(void)
{
    struct arenas now;
    if (arenas_find(&now) && now.alloc == arena_alloc)
        set_arenas(&arenas);
}

/* ---- coming and going ---- */

static struct hw_allocator hooked[HW_DOMAINS]; /* what we have set; malloc NULL: nothing */

static void hook(int number, const struct hw_allocator *hooks)
{
    struct hw_domain *domain = &hw_domains[number];
    domain->number = (enum hw_agent_domain)number;
    get_allocator(number, &domain->base);
    hooked[number] = *hooks;
    hooked[number].ctx = domain->base.ctx;
    set_allocator(number, &hooked[number]);
}

/* One who was set after us calls us, and takes himself away by putting us back. */
static void unhook(int number)
{
    struct hw_allocator now;
    get_allocator(number, &now);
    if (!hooked[number].malloc || now.malloc != hooked[number].malloc)
        return;
    set_allocator(number, &hw_domains[number].base);
    hooked[number].malloc = NULL;
}

bool hw_python_hook(bool every, bool is_first)
{
    static bool has_malloc; /* once the first, always the first */
    has_malloc |= is_first;
    *(void **)&get_allocator = dlsym(RTLD_DEFAULT, "PyMem_GetAllocator");
    *(void **)&set_allocator = dlsym(RTLD_DEFAULT, "PyMem_SetAllocator");
    if (!get_allocator || !set_allocator)
        return false;
    for (int i = 0; i < HW_DOMAINS; i++)
        if (!hooked[i].malloc)
            hook(i, every ? &hw_every_hooks[i] : &hw_sampled_hooks[i]);
    if (has_malloc)
        arenas_hook();
    return true;
}

bool hw_python_unhook(void)
{
    bool all = true;
    for (int i = 0; i < HW_DOMAINS; i++) {
        unhook(i);
        all = all && !hooked[i].malloc;
    }
    arenas_unhook();
    return all;
}

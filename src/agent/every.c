/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/allocator.h"
#include "agent/record.h"

/*
 * Hooks that record every event of Python's allocators; the sample that a snapshot finds goes on
 * beside it.
 *
 * A block is recorded after the allocator has handed it out and before it gets it back, so that in
 * the recording it is never two threads' at a time. What a domain passes on to another one counts
 * in the first: hw_thread.inside.
 */

static void handed_out(void *block, size_t bytes, enum hw_agent_domain domain)
{
    struct hw_thread *thread = &hw_thread;
    if (!hw_agent_is_on)
        return;
    hw_store_lock();
    uint32_t site = hw_frames_find(domain != HW_AGENT_RAW);
    hw_record_alloc(block, bytes, domain, site);
    if (hw_sample_counts(thread, bytes))
        hw_live_put(&(struct hw_agent_block){(uintptr_t)block, bytes, site, domain});
    hw_store_unlock();
}

static void given_back(const void *block)
{
    struct hw_agent_block old;
    if (!hw_agent_is_on)
        return;
    hw_store_lock();
    hw_record_free(block);
    if (__builtin_expect(hw_live_may_have(block), 0))
        hw_live_remove(block, &old);
    hw_store_unlock();
}

static inline void *every_malloc(const struct hw_domain *domain, size_t bytes)
{
    if (hw_thread.inside)
        return domain->base.malloc(domain->base.ctx, bytes);
    hw_thread.inside = true;
    void *block = domain->base.malloc(domain->base.ctx, bytes);
    if (block)
        handed_out(block, bytes, domain->number);
    hw_thread.inside = false;
    return block;
}

static inline void *every_calloc(const struct hw_domain *domain, size_t number, size_t each)
{
    if (hw_thread.inside)
        return domain->base.calloc(domain->base.ctx, number, each);
    hw_thread.inside = true;
    void *block = domain->base.calloc(domain->base.ctx, number, each);
    if (block)
        handed_out(block, number * each, domain->number);
    hw_thread.inside = false;
    return block;
}

/* When there is no memory, the old block is still there, but nobody here knows its size any longer.
 */
static inline void *every_realloc(const struct hw_domain *domain, void *block, size_t bytes)
{
    if (hw_thread.inside)
        return domain->base.realloc(domain->base.ctx, block, bytes);
    hw_thread.inside = true;
    if (block)
        given_back(block);
    void *moved = domain->base.realloc(domain->base.ctx, block, bytes);
    if (moved)
        handed_out(moved, bytes, domain->number);
    else if (block)
        __atomic_fetch_add(&hw_agent_table.missed, 1, __ATOMIC_RELAXED);
    hw_thread.inside = false;
    return moved;
}

static inline void every_free(const struct hw_domain *domain, void *block)
{
    if (hw_thread.inside) {
        domain->base.free(domain->base.ctx, block);
        return;
    }
    hw_thread.inside = true;
    if (block)
        given_back(block);
    domain->base.free(domain->base.ctx, block);
    hw_thread.inside = false;
}

HW_HOOKS(every);

/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/record.h"
#include "agent/store.h"

#include <string.h>

/* Blocks of one word of the filter are one chain, so that its bits can be cleared again. */
enum { BUCKETS = HW_FILTER_BITS / 64 };

uint64_t hw_filter[HW_FILTER_BITS / 64];

static uint32_t buckets[BUCKETS];
static uint32_t free_slot; /* the first; 0: none */

/* The link that leads to the block's slot, or a link that is 0. */
static uint32_t *find(uint64_t addr)
{
    uint32_t *link = &buckets[hw_filter_bit(addr) / 64];
    while (*link && hw_store.live[*link].addr != addr)
        link = &hw_store.live_links[*link];
    return link;
}

void hw_filter_set(uint64_t addr)
{
    uint32_t bit = hw_filter_bit(addr);
    __atomic_store_n(&hw_filter[bit / 64], hw_filter[bit / 64] | (uint64_t)1 << bit % 64,
                     __ATOMIC_RELAXED);
}

/* An address that the program takes and gives back all the time must not stay suspicious. */
static void filter_clear(uint64_t addr)
{
    uint32_t bit = hw_filter_bit(addr);
    for (uint32_t slot = buckets[bit / 64]; slot; slot = hw_store.live_links[slot])
        if (hw_filter_bit(hw_store.live[slot].addr) == bit)
            return;
    if (hw_frames_have_bit(bit))
        return;
    __atomic_store_n(&hw_filter[bit / 64], hw_filter[bit / 64] & ~((uint64_t)1 << bit % 64),
                     __ATOMIC_RELAXED);
}

static bool take(uint64_t addr, struct hw_agent_block *ret_block)
{
    uint32_t *link = find(addr), slot = *link;
    if (!slot)
        return false;
    *ret_block = hw_store.live[slot];
    hw_store.live[slot].addr = 0;
    *link = hw_store.live_links[slot];
    hw_store.live_links[slot] = free_slot;
    free_slot = slot;
    return true;
}

static void thin(void)
{
    uint64_t before = hw_agent_table.rate_bytes, rate = before * 2;
    for (uint64_t i = 1; i < hw_agent_table.live_slots; i++) {
        struct hw_agent_block block = hw_store.live[i];
        double stays = hw_agent_chance(block.domain, block.bytes, rate) /
                       hw_agent_chance(block.domain, block.bytes, before);
        if (!block.addr || hw_sample_random(&hw_thread) <= stays)
            continue;
        take(block.addr, &block);
        filter_clear(block.addr);
        if (hw_record_sampled)
            hw_record_forget(block.addr);
    }
    hw_agent_table.rate_bytes = rate;
    if (hw_record_sampled)
        hw_record_rate(rate);
}

static uint32_t slot_new(void)
{
    if (!free_slot && hw_agent_table.live_slots == HW_AGENT_LIVE_MAX)
        thin();
    uint32_t slot = free_slot;
    if (!slot)
        return hw_agent_table.live_slots < HW_AGENT_LIVE_MAX ? (uint32_t)hw_agent_table.live_slots++
                                                             : 0;
    free_slot = hw_store.live_links[slot];
    return slot;
}

void hw_live_put(const struct hw_agent_block *block)
{
    const void *at = (const void *)(uintptr_t)block->addr;
    uint32_t slot = hw_live_may_have(at) ? *find(block->addr) : 0;
    if (!slot) {
        slot = slot_new();
        if (!slot) {
            hw_agent_table.missed++;
            return;
        }
        uint32_t *bucket = &buckets[hw_filter_bit(block->addr) / 64];
        hw_store.live_links[slot] = *bucket;
        *bucket = slot;
    }
    hw_store.live[slot] = *block;
    hw_agent_table.samples++;
    if (hw_record_sampled)
        hw_record_alloc(at, block->bytes, (enum hw_agent_domain)block->domain, block->site);
    hw_filter_set(block->addr);
}

bool hw_live_remove(const void *block, struct hw_agent_block *ret_block)
{
    uint64_t addr = (uintptr_t)block;
    bool found = take(addr, ret_block);
    hw_frames_forget(addr);
    filter_clear(addr);
    if (found && hw_record_sampled)
        hw_record_free(block);
    return found;
}

void hw_live_add(const struct hw_agent_block *block)
{
    hw_store_lock();
    hw_live_put(block);
    hw_store_unlock();
}

void hw_live_clear(void)
{
    memset(buckets, 0, sizeof(buckets));
    memset(hw_filter, 0, sizeof(hw_filter));
    free_slot = 0;
}

bool hw_live_take(const void *block, struct hw_agent_block *ret_block)
{
    if (hw_thread.inside) /* in a signal handler: its lock may be ours */
        return false;
    hw_thread.inside = true;
    hw_store_lock();
    bool found = hw_live_remove(block, ret_block);
    hw_store_unlock();
    hw_thread.inside = false;
    return found;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/store.h"

#include <math.h>
#include <string.h>

enum { FILTER_STALE = 1024 }; /* blocks that went before the filter is made again, at least */

uint64_t hw_filter[HW_FILTER_BITS / 64];

static uint32_t buckets[HW_STORE_BUCKETS];
static uint32_t free_slot; /* the first; 0: none */
static uint64_t count, gone;

static uint32_t *bucket_of(uint64_t addr)
{
    return &buckets[(addr >> 4) * 0x9e3779b97f4a7c15u >> 50];
}

/* The link that leads to the block's slot, or a link that is 0. */
static uint32_t *find(uint64_t addr)
{
    uint32_t *link = bucket_of(addr);
    while (*link && hw_store.live[*link].addr != addr)
        link = &hw_store.live_links[*link];
    return link;
}

static void filter_set(uint64_t addr)
{
    uint32_t bit = hw_filter_bit(addr);
    __atomic_fetch_or(&hw_filter[bit / 64], (uint64_t)1 << bit % 64, __ATOMIC_RELAXED);
}

/* Bits are set before others are cleared, as blocks are looked up all the time. */
static void filter_renew(void)
{
    static uint64_t wanted[HW_FILTER_BITS / 64];
    memset(wanted, 0, sizeof(wanted));
    for (uint64_t i = 1; i < hw_agent_table.live_slots; i++) {
        uint32_t bit = hw_filter_bit(hw_store.live[i].addr);
        if (hw_store.live[i].addr)
            wanted[bit / 64] |= (uint64_t)1 << bit % 64;
    }
    for (size_t i = 0; i < HW_FILTER_BITS / 64; i++)
        __atomic_store_n(&hw_filter[i], wanted[i], __ATOMIC_RELAXED);
    gone = 0;
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
    count--;
    if (++gone > FILTER_STALE + count)
        filter_renew();
    return true;
}

/* The chance of a block of s bytes falls from 1 - e^(-s/rate) to 1 - e^(-s/2rate). */
static void thin(void)
{
    uint64_t rate = hw_agent_table.rate_bytes * 2;
    for (uint64_t i = 1; i < hw_agent_table.live_slots; i++) {
        struct hw_agent_block block = hw_store.live[i];
        double stays = 1 / (1 + exp(-(double)block.bytes / (double)rate));
        if (block.addr && hw_sample_random(&hw_thread) > stays)
            take(block.addr, &block);
    }
    hw_agent_table.rate_bytes = rate;
    filter_renew();
}

static uint32_t slot_new(void)
{
    if (!free_slot && hw_agent_table.live_slots == HW_AGENT_LIVE_MAX)
        thin();
    uint32_t slot = free_slot;
    if (!slot)
        return hw_agent_table.live_slots < HW_AGENT_LIVE_MAX ? (uint32_t)hw_agent_table.live_slots++ : 0;
    free_slot = hw_store.live_links[slot];
    return slot;
}

static void add(const struct hw_agent_block *block)
{
    uint32_t slot = *find(block->addr);
    if (!slot) {
        slot = slot_new();
        if (!slot) {
            hw_agent_table.missed++;
            return;
        }
        uint32_t *link = find(block->addr);
        hw_store.live_links[slot] = 0;
        *link = slot;
        count++;
    }
    hw_store.live[slot] = *block;
    hw_agent_table.samples++;
    filter_set(block->addr);
}

void hw_live_add(const struct hw_agent_block *block)
{
    hw_store_lock();
    add(block);
    hw_store_unlock();
}

bool hw_live_take(const void *block, struct hw_agent_block *ret_block)
{
    if (hw_thread.inside) /* in a signal handler: its lock may be ours */
        return false;
    hw_thread.inside = true;
    hw_store_lock();
    bool found = take((uintptr_t)block, ret_block);
    hw_store_unlock();
    hw_thread.inside = false;
    return found;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pairs.h"

#include <stdlib.h>

enum { PAIRS_MAX = 1 << 28, FIRST_SLOTS = 256 };

static uint32_t slot_of(uint64_t key, uint32_t slot_count)
{
    key *= UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / golden ratio: Fibonacci hashing */
    return (uint32_t)(key >> 32) & (slot_count - 1);
}

/* Where key is, or the free slot where it belongs. */
static uint32_t slot_find(const uint64_t *keys, const uint32_t *slots, uint32_t slot_count,
                          uint64_t key)
{
    uint32_t at = slot_of(key, slot_count);
    while (slots[at] && keys[at] != key)
        at = (at + 1) & (slot_count - 1);
    return at;
}

static bool pairs_grow(struct hw_pairs *pairs)
{
    uint32_t slot_count = pairs->slot_count ? pairs->slot_count * 2 : FIRST_SLOTS;
    uint64_t *keys = malloc(slot_count * sizeof(*keys));
    uint32_t *slots = calloc(slot_count, sizeof(*slots));
    if (!keys || !slots) {
        free(keys);
        free(slots);
        return false;
    }
    for (uint32_t i = 0; i < pairs->slot_count; i++) {
        if (!pairs->slots[i])
            continue;
        uint32_t at = slot_find(keys, slots, slot_count, pairs->keys[i]);
        keys[at] = pairs->keys[i];
        slots[at] = pairs->slots[i];
    }
    free(pairs->keys);
    free(pairs->slots);
    pairs->keys = keys;
    pairs->slots = slots;
    pairs->slot_count = slot_count;
    return true;
}

void hw_pairs_deinit(struct hw_pairs *pairs)
{
    free(pairs->keys);
    free(pairs->slots);
    *pairs = (struct hw_pairs){0};
}

uint32_t hw_pairs_number(struct hw_pairs *pairs, uint32_t first, uint32_t second, bool *ret_is_new)
{
    uint64_t key = (uint64_t)first << 32 | second;
    *ret_is_new = false;
    if (pairs->count >= pairs->slot_count / 4 * 3 &&
        (pairs->count >= PAIRS_MAX || !pairs_grow(pairs)))
        return HW_PAIRS_NONE;
    uint32_t at = slot_find(pairs->keys, pairs->slots, pairs->slot_count, key);
    if (pairs->slots[at])
        return pairs->slots[at] - 1;
    *ret_is_new = true;
    pairs->keys[at] = key;
    pairs->slots[at] = ++pairs->count;
    return pairs->count - 1;
}

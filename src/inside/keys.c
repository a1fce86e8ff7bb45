/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/keys.h"

#include "inside/grow.h"

#include <stdlib.h>
#include <string.h>

static uint64_t mixed(uint64_t key)
{
    key ^= key >> 33;
    key *= 0xff51afd7ed558ccdu;
    key ^= key >> 33;
    key *= 0xc4ceb9fe1a85ec53u;
    return key ^ key >> 33;
}

static uint32_t *slot_of(const struct hw_keys *keys, uint64_t key)
{
    size_t at = mixed(key) & (keys->slot_count - 1);
    while (keys->slots[at] && keys->keys[keys->slots[at] - 1] != key)
        at = (at + 1) & (keys->slot_count - 1);
    return &keys->slots[at];
}

static bool keys_grow(struct hw_keys *keys)
{
    size_t slot_count = keys->slot_count ? keys->slot_count * 2 : 256;
    uint64_t *wider = realloc(keys->keys, slot_count / 2 * sizeof(*wider));
    if (wider)
        keys->keys = wider;
    uint32_t *slots = wider ? calloc(slot_count, sizeof(*slots)) : NULL;
    if (!slots) {
        PyErr_NoMemory();
        return false;
    }
    free(keys->slots);
    keys->slots = slots;
    keys->slot_count = slot_count;
    for (size_t i = 0; i < keys->count; i++)
        *slot_of(keys, keys->keys[i]) = (uint32_t)i + 1;
    return true;
}

uint32_t hw_keys_number(struct hw_keys *keys, uint64_t key, bool *ret_is_new)
{
    if (ret_is_new)
        *ret_is_new = false;
    if (keys->last_number && key == keys->last_key)
        return keys->last_number;
    if (keys->count * 2 >= keys->slot_count && !keys_grow(keys))
        return 0;
    uint32_t *slot = slot_of(keys, key);
    if (!*slot) {
        keys->keys[keys->count++] = key;
        *slot = (uint32_t)keys->count;
        if (ret_is_new)
            *ret_is_new = true;
    }
    keys->last_key = key;
    keys->last_number = *slot;
    return *slot;
}

void hw_keys_deinit(struct hw_keys *keys)
{
    free(keys->keys);
    free(keys->slots);
    *keys = (struct hw_keys){0};
}

/* Room for one more, and for `more` members; false with MemoryError. */
static bool room_make(void **items, size_t *capacity, size_t needed, size_t item_bytes)
{
    void *wider = hw_grow(*items, capacity, needed, item_bytes);
    *items = wider ? wider : *items;
    return wider != NULL;
}

const uint32_t *hw_sets_members(const struct hw_sets *sets, uint32_t set, uint32_t *ret_count)
{
    if (!set) {
        *ret_count = 0;
        return NULL;
    }
    *ret_count = sets->spans[set - 1].count;
    return sets->members + sets->spans[set - 1].start;
}

static uint64_t members_hash(const uint32_t *members, uint32_t count)
{
    uint64_t hash = count;
    for (uint32_t i = 0; i < count; i++)
        hash = mixed(hash + members[i] + 0x9E3779B97F4A7C15u);
    return hash;
}

static bool set_add(struct hw_sets *sets, uint32_t set, const uint32_t *members, uint32_t count)
{
    if (!room_make((void **)&sets->spans, &sets->span_capacity, set, sizeof(*sets->spans)) ||
        !room_make((void **)&sets->members, &sets->member_capacity, sets->member_count + count, sizeof(*members)))
        return false;
    sets->spans[set - 1] = (struct hw_set_span){(uint32_t)sets->member_count, count};
    memcpy(sets->members + sets->member_count, members, count * sizeof(*members));
    sets->member_count += count;
    return true;
}

static bool set_is(const struct hw_sets *sets, uint32_t set, const uint32_t *members, uint32_t count)
{
    uint32_t known_count;
    const uint32_t *known = hw_sets_members(sets, set, &known_count);
    return known_count == count && !memcmp(known, members, count * sizeof(*members));
}

/* Where another set has the same hash, the next one is tried. */
static bool set_find(struct hw_sets *sets, const uint32_t *members, uint32_t count, uint32_t *ret_set)
{
    bool is_new = false;
    for (uint64_t hash = members_hash(members, count);; hash = mixed(hash + 1)) {
        *ret_set = hw_keys_number(&sets->contents, hash, &is_new);
        if (!*ret_set || is_new)
            return *ret_set && set_add(sets, *ret_set, members, count);
        if (set_is(sets, *ret_set, members, count))
            return true;
    }
}

static bool set_grow(struct hw_sets *sets, uint32_t set, uint32_t number, uint32_t *ret_set)
{
    uint32_t grown[HW_SETS_MEMBERS + 1], count, at = 0;
    const uint32_t *members = hw_sets_members(sets, set, &count);
    *ret_set = set;
    if (count >= HW_SETS_MEMBERS || sets->contents.count >= HW_SETS_COUNT)
        return true;
    while (at < count && members[at] < number)
        at++;
    if (at < count && members[at] == number)
        return true;
    if (at)
        memcpy(grown, members, at * sizeof(*grown));
    grown[at] = number;
    if (at < count)
        memcpy(grown + at + 1, members + at, (count - at) * sizeof(*grown));
    return set_find(sets, grown, count + 1, ret_set);
}

int hw_sets_with(struct hw_sets *sets, uint32_t set, uint32_t number, uint32_t *ret_set)
{
    bool is_new;
    uint32_t step = hw_keys_number(&sets->steps, (uint64_t)set << 32 | number, &is_new);
    if (!step)
        return -1;
    if (is_new) {
        if (!room_make((void **)&sets->step_to, &sets->step_capacity, step, sizeof(*sets->step_to)) ||
            !set_grow(sets, set, number, &sets->step_to[step - 1]))
            return -1;
    }
    *ret_set = sets->step_to[step - 1];
    return 0;
}

void hw_sets_deinit(struct hw_sets *sets)
{
    hw_keys_deinit(&sets->steps);
    hw_keys_deinit(&sets->contents);
    free(sets->step_to);
    free(sets->spans);
    free(sets->members);
    *sets = (struct hw_sets){0};
}

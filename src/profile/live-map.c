/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/live-map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

enum { FIRST_SLOTS = 1 << 10, SLOTS_OF_PLACE = 4, HUGE_PAGE_BYTES = 1 << 21 };

/* Zeroed. Large tables in huge pages: most accesses would else miss the TLB, too. */
static struct hw_live_slot *slots_new(size_t count)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, sizeof(struct hw_live_slot), &bytes))
        return NULL;
    bool is_huge = bytes >= HUGE_PAGE_BYTES;
    struct hw_live_slot *slots = aligned_alloc(is_huge ? HUGE_PAGE_BYTES : 64, bytes);
    if (!slots)
        return NULL;
    if (is_huge)
        madvise(slots, bytes, MADV_HUGEPAGE);
    return memset(slots, 0, bytes);
}

static void set_slots(struct hw_live_map *map, struct hw_live_slot *slots, size_t slot_count)
{
    map->slots = slots;
    map->slot_count = slot_count;
    map->shift = 64 - (unsigned)__builtin_ctzll(slot_count / SLOTS_OF_PLACE);
}

bool hw_live_map_init(struct hw_live_map *map)
{
    *map = (struct hw_live_map){.factor = UINT64_C(0x9e3779b97f4a7c15)};
    uint64_t drawn;
    if (getrandom(&drawn, sizeof(drawn), GRND_NONBLOCK) == sizeof(drawn))
        map->factor = drawn | 1;
    struct hw_live_slot *slots = slots_new(FIRST_SLOTS);
    if (!slots)
        return false;
    set_slots(map, slots, FIRST_SLOTS);
    return true;
}

void hw_live_map_deinit(struct hw_live_map *map)
{
    free(map->slots);
    *map = (struct hw_live_map){0};
}

bool hw_live_map_reserve(struct hw_live_map *map, size_t more)
{
    size_t slot_count = map->slot_count;
    while (map->count + more > slot_count / 2)
        slot_count *= 2;
    if (slot_count == map->slot_count)
        return true;
    struct hw_live_slot *slots = slots_new(slot_count), *before = map->slots;
    if (!slots)
        return false;
    size_t before_count = map->slot_count;
    set_slots(map, slots, slot_count);
    for (size_t i = 0; i < before_count; i++)
        if (before[i].units_size)
            *hw_live_map_find(map, hw_live_units(&before[i])) = before[i];
    free(before);
    return true;
}

/* What stands behind and did not find its own slot moves up, so that no search ends too early. */
void hw_live_map_remove(struct hw_live_map *map, struct hw_live_slot *slot)
{
    size_t mask = map->slot_count - 1, gap = (size_t)(slot - map->slots), at = gap;
    for (;;) {
        at = (at + 1) & mask;
        if (!map->slots[at].units_size)
            break;
        size_t home = hw_live_home(map, hw_live_units(&map->slots[at]));
        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        map->slots[gap] = map->slots[at];
        gap = at;
    }
    map->slots[gap].units_size = 0;
    map->count--;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_PROFILE_LIVE_MAP_H
#define HW_PROFILE_LIVE_MAP_H

/*
 * The blocks in use while a recording is replayed: address -> size and row. Open addressing, 16
 * bytes a slot, at most half of the slots in use; so 32 to 64 bytes a block, and while it grows
 * half as much again.
 *
 * Blocks that are neighbours in memory are used together, so they are neighbours here: 256 bytes of
 * addresses have one place, and four slots there (a cache line), one for each 64 bytes. What finds
 * its slot taken goes to the next free one.
 *
 * Addresses are in units of 8 bytes, as recordings have them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HW_LIVE_UNIT_BITS = 53, /* an address of 56 bits */
    HW_LIVE_BYTES_BITS = 47,
    HW_LIVE_ROW_BITS = 28,
};

struct hw_live_slot {
    uint64_t units_size; /* units, and 11 low bits of the size above; 0: free, as no block is at
                            address 0 */
    uint64_t row_size;   /* row, and the rest of the size above */
};
struct hw_live_map {
    struct hw_live_slot *slots;
    size_t slot_count, count; /* slot_count: a power of two */
    unsigned shift;           /* of the product, for a place */
    uint64_t factor;          /* odd, drawn once: no file can choose addresses that meet */
};
struct hw_live_block {
    uint64_t bytes;
    uint32_t row;
};

bool hw_live_map_init(struct hw_live_map *map);
void hw_live_map_deinit(struct hw_live_map *map);

/* Room for that many more; false: no memory, the map is as before. */
bool hw_live_map_reserve(struct hw_live_map *map, size_t more);

static inline struct hw_live_slot hw_live_pack(uint64_t units, struct hw_live_block block)
{
    return (struct hw_live_slot){units | block.bytes << HW_LIVE_UNIT_BITS,
                                 block.row | block.bytes >> (64 - HW_LIVE_UNIT_BITS)
                                                                << HW_LIVE_ROW_BITS};
}

static inline uint64_t hw_live_units(const struct hw_live_slot *slot)
{
    return slot->units_size & ((UINT64_C(1) << HW_LIVE_UNIT_BITS) - 1);
}

static inline struct hw_live_block hw_live_block_of(const struct hw_live_slot *slot)
{
    return (struct hw_live_block){slot->units_size >> HW_LIVE_UNIT_BITS |
                                      slot->row_size >> HW_LIVE_ROW_BITS
                                                            << (64 - HW_LIVE_UNIT_BITS),
                                  (uint32_t)slot->row_size & ((1u << HW_LIVE_ROW_BITS) - 1)};
}

static inline size_t hw_live_home(const struct hw_live_map *map, uint64_t units)
{
    return (size_t)((units >> 5) * map->factor >> map->shift) * 4 + (units >> 3 & 3);
}

/* The slot of the block, or the free one where it belongs. */
static inline struct hw_live_slot *hw_live_map_find(const struct hw_live_map *map, uint64_t units)
{
    size_t at = hw_live_home(map, units);
    while (map->slots[at].units_size && hw_live_units(&map->slots[at]) != units)
        at = (at + 1) & (map->slot_count - 1);
    return &map->slots[at];
}

/* Empties a slot that is in use. */
void hw_live_map_remove(struct hw_live_map *map, struct hw_live_slot *slot);

#endif

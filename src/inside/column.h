/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_COLUMN_H
#define HW_INSIDE_COLUMN_H

/*
 * A column: one small number for each member of a set, 0 until set, in address order.
 *
 * The cell of a member is found by counting the members before it: how many there are before each 256
 * bits of the set is kept (4 bytes for each 2 KiB of heap). Cells are 1 byte wide, and become 2 or 4
 * when a number asks for that; so a column takes 1 to 4 bytes for each member.
 */

#include "inside/bits.h"

struct hw_column {
    const struct hw_bits *set; /* borrowed; must not change while the column is in use */
    uint32_t **rows[HW_BITS_FAN]; /* as in struct hw_bits: members before each block */
    void *cells;
    size_t count; /* members */
    int width;
    uintptr_t last_number; /* window of the last look-up, and its blocks and bits */
    const uint32_t *last_blocks;
    const uint64_t *last_words;
};

/* NULL with MemoryError. The caller owns it. */
struct hw_column *hw_column_create(const struct hw_bits *set);
void hw_column_destroy(struct hw_column *column); /* NULL: nothing */

/* The number of a member's cell, 0 the first in address order. The address must be a member. */
size_t hw_column_place(struct hw_column *column, const void *member);
uint32_t hw_column_get(const struct hw_column *column, size_t place);
int hw_column_set(struct hw_column *column, size_t place, uint32_t value); /* 0, or -1 with MemoryError */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_BASE_PAIRS_H
#define HW_BASE_PAIRS_H

/*
 * Numbers pairs of 32-bit numbers, from 0 on in the order in which they come: each pair has one number.
 * A word of 64 bits is a pair, too. The pairs themselves are not kept in order; who needs them keeps a
 * column of his own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hw_pairs {
    uint64_t *keys;      /* open addressing */
    uint32_t *slots;     /* number + 1, 0 = free */
    uint32_t slot_count; /* a power of two */
    uint32_t count;
};
#define HW_PAIRS_NONE UINT32_MAX

void hw_pairs_deinit(struct hw_pairs *pairs); /* leaves it empty and usable */

/* The number of a pair; *ret_is_new: it came just now, as number count - 1. HW_PAIRS_NONE: no memory, or
 * 2^28 pairs are known. */
uint32_t hw_pairs_number(struct hw_pairs *pairs, uint32_t first, uint32_t second, bool *ret_is_new);

static inline uint32_t hw_pairs_word(struct hw_pairs *pairs, uint64_t word, bool *ret_is_new)
{
    return hw_pairs_number(pairs, (uint32_t)(word >> 32), (uint32_t)word, ret_is_new);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_BITS_H
#define HW_INSIDE_BITS_H

/*
 * A set of addresses of this process: one bit for each 8 bytes, in windows of 16 MiB that appear when
 * a bit in them is first set.
 *
 *     address   0000 7f10 23 456 7 8     47..36 row, 35..24 window, 23..3 bit
 *
 *     rows[4096] -> windows[4096] -> 2 Mi bits (256 KiB, pages of which the kernel gives when touched)
 *
 * Seven million objects in 450 MB take 7 MB. Addresses of 48 bits; others are never members.
 */

#include "inside/inside.h"

enum {
    HW_BITS_SHIFT = 3,
    HW_BITS_WINDOW_SHIFT = 24,
    HW_BITS_FAN = 1 << 12,
    HW_BITS_WORDS = 1 << (HW_BITS_WINDOW_SHIFT - HW_BITS_SHIFT - 6),
};

struct hw_bits {
    uint64_t **rows[HW_BITS_FAN]; /* NULL: empty */
    uint64_t *last;               /* window of the last look-up */
    uintptr_t last_number;        /* address >> HW_BITS_WINDOW_SHIFT of it */
};

/* An empty set; NULL with MemoryError. The caller owns it. */
struct hw_bits *hw_bits_create(void);
void hw_bits_destroy(struct hw_bits *bits); /* NULL: nothing */

/* Adds an address. 1: it is new; 0: it was there; -1: MemoryError is set. */
int hw_bits_add(struct hw_bits *bits, const void *address);
bool hw_bits_has(const struct hw_bits *bits, const void *address);
void hw_bits_remove(struct hw_bits *bits, const void *address);
size_t hw_bits_count(const struct hw_bits *bits);

enum hw_bits_op { HW_BITS_AND, HW_BITS_OR, HW_BITS_MINUS, HW_BITS_XOR };
/* to = to op other. 0, or -1 with MemoryError and to part done. */
int hw_bits_combine(struct hw_bits *to, const struct hw_bits *other, enum hw_bits_op op);

/* The first member at or above address; NULL: none. For loops in address order:
 *     for (void *at = hw_bits_next(bits, NULL); at; at = hw_bits_next(bits, (char *)at + 1)) */
void *hw_bits_next(const struct hw_bits *bits, const void *address);

#endif

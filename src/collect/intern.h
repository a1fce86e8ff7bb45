/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_COLLECT_INTERN_H
#define HW_COLLECT_INTERN_H

/* Numbers keys of 64 bits from 0 in the order in which they come first. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hw_intern {
    uint64_t *keys; /* by number */
    uint32_t count;
    size_t capacity;
    uint32_t *slots; /* number + 1; 0: free */
    uint32_t slot_count;
};
/* UINT32_MAX: no memory. */
uint32_t hw_intern_number(struct hw_intern *intern, uint64_t key);
void hw_intern_deinit(struct hw_intern *intern);

/* Stirs all bits of x (the finisher of MurmurHash3, public domain). */
static inline uint64_t hw_mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdu;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53u;
    return x ^ x >> 33;
}
uint64_t hw_text_hash(const char *text); /* FNV-1a: the same in every run */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_KEYS_H
#define HW_INSIDE_KEYS_H

/*
 * Numbers for things, so that columns can hold them.
 *
 *     hw_keys   a number for each different 64-bit key, counted from 1
 *     hw_sets   a number for each different set of such numbers; 0 is the empty set
 *
 * A set is reached by adding one number to another set; the step is remembered, so that it costs one
 * look-up when it was made before. The object's way through the sets while its referrers are met gives
 * the set of their kinds.
 */

#include "inside/inside.h"

struct hw_keys {
    uint64_t *keys; /* [number - 1] */
    uint32_t *slots; /* open addressing: number, 0 = free */
    size_t count, slot_count;
    uint64_t last_key;
    uint32_t last_number;
};

/* The number of a key, new when *ret_is_new (NULL: nobody asks); 0 with MemoryError. */
uint32_t hw_keys_number(struct hw_keys *keys, uint64_t key, bool *ret_is_new);
void hw_keys_deinit(struct hw_keys *keys);

/* Sets grow to so many members; after that, and when so many sets are known, one is as large as can be told. */
enum { HW_SETS_MEMBERS = 64, HW_SETS_COUNT = 1 << 20 };

struct hw_set_span {
    uint32_t start, count; /* into members, ascending */
};

struct hw_sets {
    struct hw_keys steps;    /* set << 32 | number added */
    uint32_t *step_to;       /* [step - 1]: the set that is reached */
    size_t step_capacity;
    struct hw_keys contents; /* hash of the members; its number is the set's */
    struct hw_set_span *spans; /* [set - 1] */
    size_t span_capacity;
    uint32_t *members;
    size_t member_count, member_capacity;
};

/* 0 and *ret_set, or -1 with MemoryError. */
int hw_sets_with(struct hw_sets *sets, uint32_t set, uint32_t number, uint32_t *ret_set);
/* The members of a set, ascending; borrowed until a set is made. */
const uint32_t *hw_sets_members(const struct hw_sets *sets, uint32_t set, uint32_t *ret_count);
void hw_sets_deinit(struct hw_sets *sets);

#endif

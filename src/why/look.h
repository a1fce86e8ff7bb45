/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WHY_LOOK_H
#define HW_WHY_LOOK_H

/*
 * What rows of causes look at: the members of a suspect, single attributes, and texts that are
 * counted so that thousands of members fit into one sentence.
 */

#include "ask/look.h"
#include "why/cause.h"

enum { HW_LOOK_MAX = 1000, HW_TALLY_MAX = 24 };

/* The new members, at most HW_LOOK_MAX: values, or keys where no value is new. */
struct hw_sample {
    hw_id ids[HW_LOOK_MAX];
    uint32_t edges[HW_LOOK_MAX];
    uint32_t count;
};
/* Lives in the case's arena. Empty when there are none or memory is out. */
const struct hw_sample *hw_look_members(struct hw_case *c);

/* hw_function_spell() in the case's arena; NULL: out of memory. */
const char *hw_look_function(const struct hw_case *c, hw_id callable);

/* A member itself, or the first object of one of the types (enum hw_type_flag; 0: whatever is
 * callable) in a tuple or list that it is. HW_NONE: there is none. */
hw_id hw_look_inside(const struct hw_case *c, hw_id member, uint32_t flags);

/* Bytes of what hangs from node in the tree of best paths, as far as a short look reaches. */
uint64_t hw_look_bytes(const struct hw_case *c, hw_id node);

/* Whether so many of the members are so that it is no accident: four fifths. */
static inline bool hw_look_most(uint32_t part, uint32_t whole)
{
    return part && (uint64_t)part * 5 >= (uint64_t)whole * 4;
}

/* Counts of texts. Those beyond HW_TALLY_MAX are counted as others. */
struct hw_tally {
    struct {
        const char *text;
        uint32_t count;
    } rows[HW_TALLY_MAX];
    uint32_t row_count, others, total;
};
void hw_tally_add(struct hw_tally *tally, const char *text);
/* The most frequent, NULL: empty. */
const char *hw_tally_top(const struct hw_tally *tally, uint32_t *ret_count);
/* "a" when all are the same, else "150 a, 20 b and 3 others": at most `most` of them. In the case's
 * arena; NULL: out of memory. */
const char *hw_tally_spell(const struct hw_tally *tally, const struct hw_case *c, unsigned most);
/* The most frequent ones without their counts: "a, b". */
const char *hw_tally_names(const struct hw_tally *tally, const struct hw_case *c, unsigned most);

#endif

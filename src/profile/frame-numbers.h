/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_PROFILE_FRAME_NUMBERS_H
#define HW_PROFILE_FRAME_NUMBERS_H

/*
 * Numbers frames by what they read, so that those of two profiles can be compared, and frames that
 * say the same are one.
 */

#include "base/names.h"
#include "base/pairs.h"

struct hw_frame_numbers {
    struct hw_names texts;
    struct hw_pairs functions; /* file, function */
    struct hw_pairs lines;     /* file, line; of a native frame its function, 0 */
    struct hw_pairs frames;    /* of functions, line */
    struct hw_pairs stacks;    /* what is inside + 1 (0: nothing), of frames */
};

bool hw_frame_numbers_init(struct hw_frame_numbers *numbers, struct hw_arena *arena);
void hw_frame_numbers_deinit(struct hw_frame_numbers *numbers);

/* Each as hw_pairs_number(): HW_PAIRS_NONE when memory runs out. */
uint32_t hw_frame_number_of_file(struct hw_frame_numbers *numbers,
                                 const struct hw_site_frame *frame);
uint32_t hw_frame_number_of_function(struct hw_frame_numbers *numbers,
                                     const struct hw_site_frame *frame);
uint32_t hw_frame_number_of_line(struct hw_frame_numbers *numbers,
                                 const struct hw_site_frame *frame);
uint32_t hw_frame_number_of_stack(struct hw_frame_numbers *numbers,
                                  const struct hw_site_frame *frame);

/* The frame that a table tells instead of the whole stack: see enum hw_allocations_by. */
const struct hw_site_frame *hw_frame_told(const struct hw_site_frame *frame);

#endif

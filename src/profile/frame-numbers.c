/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/frame-numbers.h"

#include <string.h>

bool hw_frame_numbers_init(struct hw_frame_numbers *numbers, struct hw_arena *arena)
{
    *numbers = (struct hw_frame_numbers){0};
    return hw_names_init(&numbers->texts, arena);
}

void hw_frame_numbers_deinit(struct hw_frame_numbers *numbers)
{
    hw_names_deinit(&numbers->texts);
    hw_pairs_deinit(&numbers->functions);
    hw_pairs_deinit(&numbers->lines);
    hw_pairs_deinit(&numbers->frames);
    hw_pairs_deinit(&numbers->stacks);
}

static uint32_t text(struct hw_frame_numbers *numbers, const char *s)
{
    uint32_t number = hw_names_intern(&numbers->texts, s, strlen(s));
    return numbers->texts.failed ? HW_PAIRS_NONE : number;
}

static uint32_t pair(struct hw_pairs *pairs, uint32_t first, uint32_t second)
{
    bool is_new;
    return first == HW_PAIRS_NONE || second == HW_PAIRS_NONE
               ? HW_PAIRS_NONE
               : hw_pairs_number(pairs, first, second, &is_new);
}

uint32_t hw_frame_number_of_file(struct hw_frame_numbers *numbers,
                                 const struct hw_site_frame *frame)
{
    return text(numbers, frame->file);
}

uint32_t hw_frame_number_of_function(struct hw_frame_numbers *numbers,
                                     const struct hw_site_frame *frame)
{
    return pair(&numbers->functions, text(numbers, frame->file), text(numbers, frame->function));
}

/* Native frames have their function alone. */
uint32_t hw_frame_number_of_line(struct hw_frame_numbers *numbers,
                                 const struct hw_site_frame *frame)
{
    uint32_t file = text(numbers, frame->file);
    return frame->line ? pair(&numbers->lines, file, frame->line)
                       : pair(&numbers->lines, hw_frame_number_of_function(numbers, frame), 0);
}

/* From the innermost outwards. */
uint32_t hw_frame_number_of_stack(struct hw_frame_numbers *numbers,
                                  const struct hw_site_frame *frame)
{
    uint32_t stack = 0;
    for (; frame && stack != HW_PAIRS_NONE; frame = frame->caller) {
        uint32_t number =
            pair(&numbers->frames, hw_frame_number_of_function(numbers, frame), frame->line);
        stack = pair(&numbers->stacks, stack, number);
        stack += stack != HW_PAIRS_NONE;
    }
    return stack;
}

const struct hw_site_frame *hw_frame_told(const struct hw_site_frame *frame)
{
    for (const struct hw_site_frame *at = frame; at; at = at->caller)
        if (at->line && !at->is_native)
            return at;
    return frame;
}

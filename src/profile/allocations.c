/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/err.h"
#include "profile/frame-numbers.h"

#include <stdlib.h>
#include <string.h>

struct allocations_result {
    struct hw_allocations allocations; /* first: destroy finds the rest by it */
    struct hw_arena arena;
};

/* Rows of both profiles that are one row of the answer. */
struct grouping {
    struct allocations_result *result;
    struct hw_frame_numbers numbers;
    struct hw_pairs groups; /* key, 0: the number of a row */
};

const char *hw_allocations_by_name(enum hw_allocations_by by)
{
    static const char *const names[] = {
        [HW_ALLOCATIONS_BY_LINE] = "line",           [HW_ALLOCATIONS_BY_FILE] = "filename",
        [HW_ALLOCATIONS_BY_TRACEBACK] = "traceback", [HW_ALLOCATIONS_BY_FUNCTION] = "function",
        [HW_ALLOCATIONS_BY_THREAD] = "thread",       [HW_ALLOCATIONS_BY_ALLOCATOR] = "allocator"};
    return names[by];
}

/* ---- grouping ---- */

/* What rows of one group have in common. Threads of two runs are equal by name; in one, by id. */
static uint32_t key_of(struct grouping *grouping, const struct hw_profile *profile,
                       const struct hw_profile_row *row)
{
    struct hw_frame_numbers *numbers = &grouping->numbers;
    const struct hw_site_frame thread = {.file = profile->threads[row->thread].name};
    switch (grouping->result->allocations.by) {
    case HW_ALLOCATIONS_BY_LINE:
        return hw_frame_number_of_line(numbers, hw_frame_told(row->frame));
    case HW_ALLOCATIONS_BY_FILE:
        return hw_frame_number_of_file(numbers, hw_frame_told(row->frame));
    case HW_ALLOCATIONS_BY_TRACEBACK:
        return hw_frame_number_of_stack(numbers, row->frame);
    case HW_ALLOCATIONS_BY_FUNCTION:
        return hw_frame_number_of_function(numbers, hw_frame_told(row->frame));
    case HW_ALLOCATIONS_BY_THREAD:
        return grouping->result->allocations.has_before ? hw_frame_number_of_file(numbers, &thread)
                                                        : row->thread;
    case HW_ALLOCATIONS_BY_ALLOCATOR:
        return row->domain;
    }
    return HW_PAIRS_NONE;
}

static bool describe(struct grouping *grouping, const struct hw_profile *profile,
                     const struct hw_profile_row *from, struct hw_allocations_row *row)
{
    enum hw_allocations_by by = grouping->result->allocations.by;
    row->domain = from->domain;
    row->thread = profile->threads[from->thread];
    row->depth = from->depth;
    if (by == HW_ALLOCATIONS_BY_THREAD || by == HW_ALLOCATIONS_BY_ALLOCATOR)
        return true;
    if (by == HW_ALLOCATIONS_BY_TRACEBACK) {
        row->frame = from->frame;
        return true;
    }
    struct hw_site_frame *frame = hw_arena_alloc(&grouping->result->arena, sizeof(*frame));
    if (!frame)
        return false;
    *frame = *hw_frame_told(from->frame);
    frame->caller = NULL;
    if (by != HW_ALLOCATIONS_BY_LINE)
        frame->line = 0;
    if (by == HW_ALLOCATIONS_BY_FILE)
        frame->function = "";
    row->frame = frame;
    return true;
}

static bool add(struct grouping *grouping, const struct hw_profile *profile, bool is_before)
{
    struct hw_allocations *allocations = &grouping->result->allocations;
    for (size_t i = 0; i < profile->row_count; i++) {
        const struct hw_profile_row *from = &profile->rows[i];
        bool is_new;
        uint32_t key = key_of(grouping, profile, from);
        uint32_t group = hw_pairs_number(&grouping->groups, key, 0, &is_new);
        if (key == HW_PAIRS_NONE || group == HW_PAIRS_NONE)
            return false;
        struct hw_allocations_row *row = &allocations->rows[group];
        allocations->row_count = grouping->groups.count;
        if (is_new && !describe(grouping, profile, from, row))
            return false;
        struct hw_amount *amounts = is_before ? row->before : row->amounts;
        for (size_t k = 0; k < HW_MEASURE_COUNT; k++) {
            amounts[k].count += from->amounts[k].count;
            amounts[k].bytes += from->amounts[k].bytes;
        }
    }
    memcpy(is_before ? allocations->totals_before : allocations->totals, profile->totals,
           sizeof(profile->totals));
    return true;
}

/* ---- order ---- */

static uint64_t change_of(const struct hw_allocations_row *row, enum hw_measure measure)
{
    uint64_t now = row->amounts[measure].bytes, before = row->before[measure].bytes;
    return now > before ? now - before : before - now;
}

static int compare(const void *a, const void *b, void *ctx)
{
    const struct hw_allocations_row *left = a, *right = b;
    const struct hw_allocations *allocations = ctx;
    enum hw_measure measure = allocations->measure;
    uint64_t first = change_of(left, measure), second = change_of(right, measure);
    if (first == second) {
        first = left->amounts[measure].count;
        second = right->amounts[measure].count;
    }
    return (first < second) - (first > second);
}

static void drop_empty(struct hw_allocations *allocations)
{
    size_t kept = 0;
    for (size_t i = 0; i < allocations->row_count; i++) {
        const struct hw_allocations_row *row = &allocations->rows[i];
        if (row->amounts[allocations->measure].count || row->before[allocations->measure].count)
            allocations->rows[kept++] = *row;
    }
    allocations->row_count = kept;
}

/* ---- the question ---- */

static bool fill(struct grouping *grouping, const struct hw_profile *profile,
                 const struct hw_profile *before)
{
    struct hw_allocations *allocations = &grouping->result->allocations;
    struct hw_arena *arena = &grouping->result->arena;
    size_t most = profile->row_count + (before ? before->row_count : 0);
    allocations->rows = hw_arena_array(arena, most + 1, sizeof(*allocations->rows));
    if (!allocations->rows || !hw_frame_numbers_init(&grouping->numbers, arena) ||
        !add(grouping, profile, false) || (before && !add(grouping, before, true)))
        return false;
    drop_empty(allocations);
    qsort_r(allocations->rows, allocations->row_count, sizeof(*allocations->rows), compare,
            allocations);
    return true;
}

bool hw_allocations_ask(const struct hw_profile *profile, const struct hw_profile *before,
                        enum hw_allocations_by by, enum hw_measure measure,
                        struct hw_allocations **ret_allocations, struct hw_err *err)
{
    if (!hw_profile_knows(profile, measure, err) || (before && !hw_profile_knows(before, measure, err)))
        return false;
    struct grouping grouping = {.result = calloc(1, sizeof(*grouping.result))};
    if (!grouping.result)
        return hw_err_no_memory(err);
    struct hw_allocations *allocations = &grouping.result->allocations;
    allocations->by = by;
    allocations->measure = measure;
    allocations->has_before = before != NULL;
    bool ok = fill(&grouping, profile, before);
    hw_frame_numbers_deinit(&grouping.numbers);
    hw_pairs_deinit(&grouping.groups);
    if (ok)
        *ret_allocations = allocations;
    else
        hw_allocations_destroy(allocations);
    return ok || hw_err_no_memory(err);
}

void hw_allocations_destroy(struct hw_allocations *allocations)
{
    if (!allocations)
        return;
    struct allocations_result *result = (struct allocations_result *)allocations;
    hw_arena_deinit(&result->arena);
    free(result);
}

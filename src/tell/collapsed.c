/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/stacks.h"
#include "tell/tell.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * A line for each stack, the outermost caller first: frames with semicolons between them, a blank,
 * bytes. It is what flamegraph.pl reads (github.com/brendangregg/FlameGraph, README), and many
 * after it.
 */

static uint64_t *sum_nodes(const struct hw_stacks *stacks, enum hw_measure measure)
{
    const struct hw_profile *profile = stacks->profile;
    uint64_t *sums = calloc(stacks->node_count + 1, sizeof(*sums));
    for (size_t i = 0; sums && i < profile->row_count; i++)
        sums[stacks->row_nodes[i]] += profile->rows[i].amounts[measure].bytes;
    return sums;
}

/* A semicolon ends a frame, and a blank at the end would join the one before the number. */
static void put_frame(struct hw_buf *line, const char *label)
{
    size_t bytes = strlen(label), end = bytes;
    while (end && label[end - 1] == ' ')
        end--;
    for (size_t i = 0; i < bytes; i++)
        if (label[i] == ';' || i >= end)
            hw_buf_printf(line, "\\x%02x", (unsigned)label[i]);
        else
            hw_buf_putc(line, label[i]);
}

/* The labels of all places, as they stand in a line. NULL: no memory. */
static const char **make_labels(struct hw_stacks *stacks)
{
    const char **labels = hw_arena_array(&stacks->arena, stacks->place_count + 1, sizeof(*labels));
    struct hw_buf label = {0}, frame = {0};
    for (size_t i = 0; labels && i < stacks->place_count; i++) {
        hw_buf_clear(&label);
        hw_buf_clear(&frame);
        hw_stacks_label(&label, stacks, (uint32_t)i);
        put_frame(&frame, hw_buf_str(&label));
        labels[i] = hw_arena_strndup(&stacks->arena, hw_buf_str(&frame), frame.len);
        if (!labels[i] || !hw_buf_ok(&label) || !hw_buf_ok(&frame))
            labels = NULL;
    }
    hw_buf_deinit(&label);
    hw_buf_deinit(&frame);
    return labels;
}

/* path has room for all levels. */
static void put_stack(struct hw_out *out, const struct hw_stacks *stacks, const char *const *labels,
                      uint32_t node, uint32_t *path)
{
    size_t count = 0;
    for (; node != HW_NONE; node = stacks->nodes[node].caller)
        path[count++] = node;
    while (count-- > 0) {
        hw_out_puts(out, labels[stacks->nodes[path[count]].place]);
        hw_out_puts(out, count ? ";" : " ");
    }
}

static bool put_stacks(struct hw_out *out, struct hw_stacks *stacks, enum hw_measure measure)
{
    const char **labels = make_labels(stacks);
    uint64_t *sums = sum_nodes(stacks, measure);
    uint32_t *path = calloc((size_t)hw_stacks_levels(stacks) + 1, sizeof(*path));
    bool ok = labels && sums && path;
    for (size_t i = 0; ok && i < stacks->node_count && hw_out_ok(out); i++) {
        if (!sums[i])
            continue;
        put_stack(out, stacks, labels, (uint32_t)i, path);
        hw_out_printf(out, "%" PRIu64 "\n", sums[i]);
    }
    free(path);
    free(sums);
    return ok;
}

void hw_tell_collapsed(struct hw_out *out, const struct hw_profile *profile,
                       enum hw_measure measure, const struct hw_frames_look *look)
{
    struct hw_stacks stacks;
    if (!hw_stacks_init(&stacks, profile, look) || !put_stacks(out, &stacks, measure))
        hw_out_no_memory(out);
    hw_stacks_deinit(&stacks);
}

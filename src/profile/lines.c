/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/vec.h"
#include "profile/frame-numbers.h"

#include <stdlib.h>
#include <string.h>

enum { FILES_NAMED = 2 }; /* in a message */

struct lines_result {
    struct hw_lines lines; /* first: destroy finds the rest by it */
    size_t capacity;
};

/* ---- which file ---- */

static bool is_end_of(const char *path, const char *end)
{
    size_t path_bytes = strlen(path), end_bytes = strlen(end);
    return end_bytes && end_bytes < path_bytes && path[path_bytes - end_bytes - 1] == '/' &&
           memcmp(path + path_bytes - end_bytes, end, end_bytes) == 0;
}

/* Files of the stacks that the word may mean. */
struct candidates {
    const char *files[FILES_NAMED];
    size_t count;      /* also those that had no room */
    const char *exact; /* NULL: none */
};

static void consider(struct candidates *candidates, const char *file, const char *word)
{
    if (strcmp(file, word) == 0)
        candidates->exact = file;
    if (!is_end_of(file, word))
        return;
    for (size_t i = 0; i < candidates->count && i < FILES_NAMED; i++)
        if (strcmp(candidates->files[i], file) == 0)
            return;
    if (candidates->count < FILES_NAMED)
        candidates->files[candidates->count] = file;
    candidates->count++;
}

/* A stack's frames mostly come from few files, one after the other. */
static void find_candidates(const struct hw_profile *profile, const char *word,
                            struct candidates *candidates)
{
    const char *last = NULL;
    for (size_t i = 0; i < profile->row_count; i++)
        for (const struct hw_site_frame *frame = profile->rows[i].frame; frame;
             frame = frame->caller) {
            if (frame->file != last)
                consider(candidates, frame->file, word);
            last = frame->file;
        }
}

/* NULL: there is none, or more than one. */
static const char *choose_file(const struct hw_profile *profile, const char *word,
                               struct hw_err *err)
{
    struct candidates candidates = {0};
    find_candidates(profile, word, &candidates);
    const char *file = candidates.exact ? candidates.exact : candidates.files[0];
    if (!file)
        hw_err_set(err, HW_ERR_NOT_FOUND,
                   "nothing was allocated from a file %s; heapwhy allocations X --by=filename "
                   "lists the files",
                   word);
    if (candidates.exact || candidates.count < 2)
        return file;
    hw_err_set(err, HW_ERR_USAGE, "%s may be %s or %s: write more of the path", word,
               candidates.files[0], candidates.files[1]);
    return NULL;
}

/* ---- lines ---- */

struct collecting {
    struct lines_result *result;
    struct hw_pairs numbers; /* line, 0: index of its row */
    size_t *last_row;        /* of the profile, + 1, that counted for a line */
    size_t last_capacity;
};

static void add(struct hw_amount *to, const struct hw_amount *amounts)
{
    for (size_t k = 0; k < HW_MEASURE_COUNT; k++) {
        to[k].count += amounts[k].count;
        to[k].bytes += amounts[k].bytes;
    }
}

static bool count_frame(struct collecting *collecting, const struct hw_site_frame *frame,
                        const struct hw_profile_row *row, size_t row_number)
{
    struct hw_lines *lines = &collecting->result->lines;
    bool is_new;
    uint32_t at = hw_pairs_number(&collecting->numbers, frame->line, 0, &is_new);
    if (at == HW_PAIRS_NONE)
        return false;
    if (is_new) {
        struct hw_lines_row *rows =
            hw_vec_grow(lines->rows, &collecting->result->capacity, at + 1, sizeof(*rows));
        if (rows)
            lines->rows = rows;
        size_t *last =
            hw_vec_grow(collecting->last_row, &collecting->last_capacity, at + 1, sizeof(*last));
        if (last)
            collecting->last_row = last;
        if (!rows || !last)
            return false;
        rows[at] = (struct hw_lines_row){.line = frame->line, .function = frame->function};
        last[at] = 0;
        lines->row_count++;
    }
    if (collecting->last_row[at] != row_number + 1)
        add(lines->rows[at].amounts, row->amounts);
    collecting->last_row[at] = row_number + 1;
    return true;
}

static bool count_row(struct collecting *collecting, const struct hw_profile_row *row,
                      size_t row_number)
{
    struct hw_lines *lines = &collecting->result->lines;
    const struct hw_site_frame *frame = lines->cumulative ? row->frame : hw_frame_told(row->frame);
    bool has = false;
    for (; frame; frame = lines->cumulative ? frame->caller : NULL) {
        if (!frame->line || frame->is_native || strcmp(frame->file, lines->file) != 0)
            continue;
        has = true;
        if (!count_frame(collecting, frame, row, row_number))
            return false;
    }
    if (has)
        add(lines->totals, row->amounts);
    return true;
}

static int by_line(const void *a, const void *b)
{
    uint32_t left = ((const struct hw_lines_row *)a)->line,
             right = ((const struct hw_lines_row *)b)->line;
    return (left > right) - (left < right);
}

static bool collect(struct lines_result *result, const struct hw_profile *profile)
{
    struct collecting collecting = {.result = result};
    bool ok = true;
    for (size_t i = 0; ok && i < profile->row_count; i++)
        ok = count_row(&collecting, &profile->rows[i], i);
    if (ok && result->lines.row_count)
        qsort(result->lines.rows, result->lines.row_count, sizeof(*result->lines.rows), by_line);
    hw_pairs_deinit(&collecting.numbers);
    free(collecting.last_row);
    return ok;
}

bool hw_lines_ask(const struct hw_profile *profile, const char *file, bool cumulative,
                  struct hw_lines **ret_lines, struct hw_err *err)
{
    const char *chosen = choose_file(profile, file, err);
    if (!chosen)
        return false;
    struct lines_result *result = calloc(1, sizeof(*result));
    if (!result)
        return hw_err_no_memory(err);
    result->lines.file = chosen;
    result->lines.cumulative = cumulative;
    if (!collect(result, profile)) {
        hw_lines_destroy(&result->lines);
        return hw_err_no_memory(err);
    }
    *ret_lines = &result->lines;
    return true;
}

void hw_lines_destroy(struct hw_lines *lines)
{
    if (!lines)
        return;
    free(lines->rows);
    free(lines);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "weigh/top.h"

#include "base/vec.h"

#include <stdlib.h>

static bool is_less(struct hw_top_row a, struct hw_top_row b)
{
    return a.bytes != b.bytes ? a.bytes < b.bytes : a.id > b.id;
}

/* Puts row where it belongs at or below place `at`. */
static void sift_down(struct hw_top *top, size_t at, struct hw_top_row row)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= top->count)
            break;
        if (child + 1 < top->count && is_less(top->rows[child + 1], top->rows[child]))
            child++;
        if (!is_less(top->rows[child], row))
            break;
        top->rows[at] = top->rows[child];
        at = child;
    }
    top->rows[at] = row;
}

static void sift_up(struct hw_top *top, size_t at, struct hw_top_row row)
{
    for (; at && is_less(row, top->rows[(at - 1) / 2]); at = (at - 1) / 2)
        top->rows[at] = top->rows[(at - 1) / 2];
    top->rows[at] = row;
}

bool hw_top_add(struct hw_top *top, uint64_t bytes, hw_id id)
{
    struct hw_top_row row = {bytes, id};
    if (!top->max)
        return true;
    if (top->count == top->max) {
        if (is_less(top->rows[0], row))
            sift_down(top, 0, row);
        return true;
    }
    struct hw_top_row *rows =
        hw_vec_grow(top->rows, &top->capacity, top->count + 1, sizeof(*top->rows));
    if (!rows)
        return false;
    top->rows = rows;
    sift_up(top, top->count++, row);
    return true;
}

static int largest_first(const void *a, const void *b)
{
    const struct hw_top_row *x = a, *y = b;
    return is_less(*x, *y) ? 1 : is_less(*y, *x) ? -1 : 0;
}

void hw_top_sort(struct hw_top *top)
{
    if (top->count)
        qsort(top->rows, top->count, sizeof(*top->rows), largest_first);
}

void hw_top_deinit(struct hw_top *top)
{
    free(top->rows);
    *top = (struct hw_top){.max = top->max};
}

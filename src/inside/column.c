/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/column.h"

#include <stdlib.h>

enum {
    BLOCK_WORDS = 4,
    WINDOW_BLOCKS = HW_BITS_WORDS / BLOCK_WORDS,
};
#define NO_WINDOW UINTPTR_MAX

/* Without an instruction of its own for it, the compiler calls a function that looks up bytes. */
static inline uint32_t ones(uint64_t x)
{
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (uint32_t)(x * 0x0101010101010101u >> 56);
}

static bool window_count(struct hw_column *column, size_t r, size_t w)
{
    const uint64_t *words = column->set->rows[r][w];
    uint32_t *blocks = malloc(WINDOW_BLOCKS * sizeof(*blocks));
    if (!blocks)
        return false;
    column->rows[r][w] = blocks;
    for (size_t i = 0; i < HW_BITS_WORDS; i++) {
        if (i % BLOCK_WORDS == 0)
            blocks[i / BLOCK_WORDS] = (uint32_t)column->count;
        column->count += words[i] ? ones(words[i]) : 0;
    }
    return true;
}

static bool windows_count(struct hw_column *column)
{
    for (size_t r = 0; r < HW_BITS_FAN; r++) {
        if (!column->set->rows[r])
            continue;
        column->rows[r] = calloc(HW_BITS_FAN, sizeof(*column->rows[r]));
        for (size_t w = 0; w < HW_BITS_FAN; w++)
            if (!column->rows[r] || (column->set->rows[r][w] && !window_count(column, r, w)))
                return false;
    }
    return true;
}

struct hw_column *hw_column_create(const struct hw_bits *set)
{
    struct hw_column *column = calloc(1, sizeof(*column));
    if (column) {
        column->set = set;
        column->width = 1;
        column->last_number = NO_WINDOW;
        if (windows_count(column))
            column->cells = calloc(column->count + 1, 1);
    }
    if (!column || !column->cells) {
        hw_column_destroy(column);
        PyErr_NoMemory();
        return NULL;
    }
    return column;
}

void hw_column_destroy(struct hw_column *column)
{
    if (!column)
        return;
    for (size_t r = 0; r < HW_BITS_FAN; r++) {
        for (size_t w = 0; column->rows[r] && w < HW_BITS_FAN; w++)
            free(column->rows[r][w]);
        free(column->rows[r]);
    }
    free(column->cells);
    free(column);
}

size_t hw_column_place(struct hw_column *column, const void *member)
{
    uintptr_t at = (uintptr_t)member, number = at >> HW_BITS_WINDOW_SHIFT;
    if (number != column->last_number) {
        size_t r = number / HW_BITS_FAN, w = number % HW_BITS_FAN;
        column->last_number = number;
        column->last_blocks = column->rows[r][w];
        column->last_words = column->set->rows[r][w];
    }
    size_t bit = (at & (((uintptr_t)1 << HW_BITS_WINDOW_SHIFT) - 1)) >> HW_BITS_SHIFT;
    size_t word = bit / 64, first = word - word % BLOCK_WORDS;
    size_t place = column->last_blocks[word / BLOCK_WORDS];
    for (size_t i = first; i < word; i++)
        place += ones(column->last_words[i]);
    return place + ones(column->last_words[word] & (((uint64_t)1 << bit % 64) - 1));
}

uint32_t hw_column_get(const struct hw_column *column, size_t place)
{
    return column->width == 1   ? ((uint8_t *)column->cells)[place]
           : column->width == 2 ? ((uint16_t *)column->cells)[place]
                                : ((uint32_t *)column->cells)[place];
}

static void cell_put(void *cells, int width, size_t place, uint32_t value)
{
    if (width == 1)
        ((uint8_t *)cells)[place] = (uint8_t)value;
    else if (width == 2)
        ((uint16_t *)cells)[place] = (uint16_t)value;
    else
        ((uint32_t *)cells)[place] = value;
}

/* From the end, so that each cell is read before its place is written over. */
static int cells_widen(struct hw_column *column, int width)
{
    void *cells = realloc(column->cells, (column->count + 1) * (size_t)width);
    if (!cells) {
        PyErr_NoMemory();
        return -1;
    }
    column->cells = cells;
    for (size_t i = column->count + 1; i-- > 0;)
        cell_put(cells, width, i, hw_column_get(column, i));
    column->width = width;
    return 0;
}

int hw_column_set(struct hw_column *column, size_t place, uint32_t value)
{
    int width = value <= UINT8_MAX ? 1 : value <= UINT16_MAX ? 2 : 4;
    if (width > column->width && cells_widen(column, width) < 0)
        return -1;
    cell_put(column->cells, column->width, place, value);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/table.h"

#include "tell/text.h"

#include <assert.h>
#include <string.h>

enum { GAP = 2, LEAST_CUT = 12, BELOW_INDENT = 4 };

struct hw_buf *hw_table_cell(struct hw_table *table)
{
    assert(table->column_count && table->column_count <= HW_TABLE_COLUMNS);
    if (table->cell_count++)
        hw_buf_putc(&table->cells, 0);
    return &table->cells;
}

static const char *next_cell(const char *cell)
{
    return cell + strlen(cell) + 1;
}

static bool is_below(const struct hw_table *table, size_t column)
{
    return table->columns[column].flags & HW_COLUMN_BELOW;
}

static void measure(const struct hw_table *table, size_t *widths)
{
    for (size_t i = 0; i < table->column_count; i++)
        widths[i] = hw_text_width(table->columns[i].title);
    const char *cell = (const char *)table->cells.data;
    for (size_t i = 0; i < table->cell_count; i++, cell = next_cell(cell)) {
        size_t width = hw_text_width(cell), column = i % table->column_count;
        if (width > widths[column] && !is_below(table, column))
            widths[column] = width;
    }
}

/* Takes from the widest of the columns that may be cut until the rows fit. */
static void shrink(const struct hw_table *table, size_t *widths, size_t room)
{
    size_t total = table->indent;
    for (size_t i = 0; i < table->column_count; i++)
        if (!is_below(table, i))
            total += widths[i] + (i ? GAP : 0);
    for (; total > room; total--) {
        size_t *widest = NULL;
        for (size_t i = 0; i < table->column_count; i++)
            if ((table->columns[i].flags & HW_COLUMN_CUT) && widths[i] > LEAST_CUT &&
                (!widest || widths[i] > *widest))
                widest = &widths[i];
        if (!widest)
            return;
        --*widest;
    }
}

/* Appends one cell, padded, to the row. */
static void put_cell(const struct hw_table *table, struct hw_buf *row, size_t column,
                     const char *cell, const size_t *widths)
{
    struct hw_buf cut = {0};
    unsigned flags = table->columns[column].flags;
    bool right = flags & HW_COLUMN_RIGHT, at_end = (flags & HW_COLUMN_CUT_END) == HW_COLUMN_CUT_END;
    (at_end ? hw_text_cut_end : hw_text_cut)(&cut, cell, widths[column]);
    const char *text = hw_buf_str(&cut);
    int blanks = (int)(widths[column] - hw_text_width(text));
    hw_buf_printf(row, "%*s%*s%s%*s", (int)(column ? GAP : table->indent), "", right ? blanks : 0,
                  "", text, right ? 0 : blanks, "");
    hw_buf_deinit(&cut);
}

/* The row without the blanks at its end. */
static void end_row(struct hw_out *out, struct hw_buf *row)
{
    while (row->len && row->data[row->len - 1] == ' ')
        row->len--;
    if (hw_buf_ok(row))
        hw_out_put(out, row->data, row->len);
    else
        hw_out_no_memory(out);
    hw_buf_clear(row);
}

static void print_titles(const struct hw_table *table, struct hw_out *out, struct hw_buf *row,
                         const size_t *widths)
{
    hw_out_style(out, HW_STYLE_TITLE);
    for (size_t i = 0; i < table->column_count; i++)
        if (!is_below(table, i))
            put_cell(table, row, i, table->columns[i].title, widths);
    end_row(out, row);
    hw_out_style(out, HW_STYLE_PLAIN);
    hw_out_puts(out, "\n");
}

static void print_rows(const struct hw_table *table, struct hw_out *out, struct hw_buf *row,
                       const size_t *widths)
{
    const char *cell = (const char *)table->cells.data;
    for (size_t i = 0; i < table->cell_count; i++, cell = next_cell(cell)) {
        size_t column = i % table->column_count;
        if (!is_below(table, column))
            put_cell(table, row, column, cell, widths);
        if (column + 1 < table->column_count)
            continue;
        end_row(out, row);
        if (is_below(table, column) && *cell)
            hw_out_printf(out, "\n%*s%s", (int)table->indent + BELOW_INDENT, "", cell);
        hw_out_puts(out, "\n");
    }
}

void hw_table_finish(struct hw_table *table, struct hw_out *out)
{
    size_t widths[HW_TABLE_COLUMNS];
    struct hw_buf row = {0};
    hw_buf_putc(&table->cells, 0);
    if (hw_buf_ok(&table->cells)) {
        measure(table, widths);
        if (out->terminal)
            shrink(table, widths, out->width);
        if (!table->no_titles)
            print_titles(table, out, &row, widths);
        print_rows(table, out, &row, widths);
    } else {
        hw_out_no_memory(out);
    }
    hw_buf_deinit(&row);
    hw_buf_deinit(&table->cells);
    table->cell_count = 0;
}

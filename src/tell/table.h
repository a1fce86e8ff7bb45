/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TELL_TABLE_H
#define HW_TELL_TABLE_H

/*
 * A table in text: numbers to the right, names to the left. On a terminal the columns marked
 * HW_COLUMN_CUT give up their middle until a row fits the width; elsewhere nothing is cut, so that
 * what programs read is whole. Numbers are never cut.
 *
 *     static const struct hw_column columns[] = {{"objects", HW_COLUMN_RIGHT}, {"type",
 * HW_COLUMN_CUT}}; struct hw_table table = {.columns = columns, .column_count = 2};
 *     hw_text_count(hw_table_cell(&table), row->count);
 *     hw_text_escape(hw_table_cell(&table), row->name);
 *     hw_table_finish(&table, out);
 */

#include "tell/out.h"

enum {
    HW_COLUMN_RIGHT = 1 << 0,
    HW_COLUMN_CUT = 1 << 1,
    HW_COLUMN_CUT_END = 1 << 3 | HW_COLUMN_CUT, /* its end, not its middle */
    HW_COLUMN_BELOW = 1 << 2, /* the last column only: on a line of its own, never cut */
};
enum { HW_TABLE_COLUMNS = 24 };

struct hw_column {
    const char *title;
    unsigned flags;
};

struct hw_table {
    const struct hw_column *columns;
    size_t column_count; /* at most HW_TABLE_COLUMNS */
    size_t indent;
    bool no_titles;
    size_t cell_count;
    struct hw_buf cells; /* terminated strings, row after row */
};

/* Ends the cell before and returns where to write the next one, left to right, row by row. */
struct hw_buf *hw_table_cell(struct hw_table *table);

/* Prints titles and rows and releases the table. */
void hw_table_finish(struct hw_table *table, struct hw_out *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TELL_PLOT_SCALE_H
#define HW_TELL_PLOT_SCALE_H

/*
 * What both plots need: the ranges of time and memory, round marks on both axes, and each series as
 * columns of the picture, so that any number of samples costs no more than the picture is wide.
 */

#include "heapwhy.h"
#include "tell/out.h"

struct hw_plot_scale {
    int64_t from_ns, to_ns; /* to > from */
    double low, high;       /* bytes; low is 0, unless all memory is far above */
    double step;            /* between marks of the axis of memory */
    int64_t time_step_ns;
};
/* marks: about how many marks there may be on the axis of memory, and on that of time. */
struct hw_plot_scale hw_plot_scale_of(const struct hw_memory_history *history, unsigned marks,
                                      unsigned time_marks);

/* Where a time or a size lies, 0 to 1, from the lower left corner. */
double hw_plot_x(const struct hw_plot_scale *scale, int64_t at_ns);
double hw_plot_y(const struct hw_plot_scale *scale, double bytes);

/* The first mark of the axis of time: a round local time. */
int64_t hw_plot_first_mark(const struct hw_plot_scale *scale);
/* The time at a mark, as short as the step allows: "15:04", "15:04:05", "Nov 20"; the size: "150
 * MB". */
void hw_plot_time_text(const struct hw_plot_scale *scale, struct hw_buf *buf, int64_t at_ns);
void hw_plot_size_text(struct hw_buf *buf, double bytes);

/* The least and the most resident memory within each column; NAN where the series is not. Between
 * samples it is a straight line. */
struct hw_plot_column {
    double least, most, last;
};
void hw_plot_columns(const struct hw_plot_scale *scale, const struct hw_memory_series *series,
                     struct hw_plot_column *columns, size_t count);

/* "app.py (41233)" */
void hw_plot_name(struct hw_buf *buf, const struct hw_memory_series *series);

/* The indices of the series with the highest peaks, at most max of them, in the history's order.
 * Returns how many. */
size_t hw_plot_choose(const struct hw_memory_history *history, size_t *chosen, size_t max);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/clock.h"
#include "tell/plot-functions.h"
#include "tell/plot-scale.h"
#include "tell/tell.h"
#include "tell/text.h"

enum { FUNCTIONS_SHOWN = 100 };

/* "   192.1 MB  app.py (41233), at 15:45:23" */
static void put_peak(struct hw_out *out, uint64_t bytes, struct hw_buf *what)
{
    struct hw_buf size = {0};
    hw_text_bytes(&size, (double)bytes);
    hw_out_printf(out, "%11s  ", hw_buf_str(&size));
    hw_out_wrap(out, 13, 15, hw_buf_str(what));
    hw_buf_deinit(&size);
    hw_buf_deinit(what);
}

void hw_tell_plot_peaks(struct hw_out *out, const struct hw_memory_history *history)
{
    struct hw_plot_function functions[FUNCTIONS_SHOWN];
    size_t total, count = hw_plot_functions(history, functions, FUNCTIONS_SHOWN, &total);
    for (size_t i = 0; i < history->series_count; i++) {
        const struct hw_memory_series *series = &history->series[i];
        struct hw_buf what = {0};
        hw_plot_name(&what, series);
        hw_buf_puts(&what, ", at ");
        hw_text_time(&what, HW_CLOCK_SECONDS, series->samples[series->peak].at_ns);
        put_peak(out, series->samples[series->peak].rss_bytes, &what);
    }
    for (size_t i = 0; i < count; i++) {
        struct hw_buf what = {0};
        hw_buf_printf(&what, "during %s", functions[i].name);
        put_peak(out, functions[i].peak_bytes, &what);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "watch/history.h"

#include <string.h>

static void series_crop(struct hw_memory_series *series, int64_t from_ns, int64_t to_ns)
{
    size_t begin = 0, end = series->sample_count;
    while (begin < end && series->samples[begin].at_ns < from_ns)
        begin++;
    while (end > begin && series->samples[end - 1].at_ns > to_ns)
        end--;
    series->sample_count = end - begin;
    memmove(series->samples, series->samples + begin,
            series->sample_count * sizeof(*series->samples));
    series->peak = 0;
    for (size_t i = 1; i < series->sample_count; i++)
        if (series->samples[i].rss_bytes > series->samples[series->peak].rss_bytes)
            series->peak = i;
}

/* A call that reaches into the window is shown as far as it does. */
static void crop_marks(struct hw_memory_history *told, int64_t from_ns, int64_t to_ns)
{
    size_t kept = 0;
    for (size_t i = 0; i < told->mark_count; i++) {
        struct hw_memory_mark mark = told->marks[i];
        int64_t end_ns = mark.until_ns ? mark.until_ns : mark.at_ns;
        if (end_ns < from_ns || mark.at_ns > to_ns)
            continue;
        mark.at_ns = mark.at_ns < from_ns ? from_ns : mark.at_ns;
        mark.until_ns = mark.until_ns > to_ns ? to_ns : mark.until_ns;
        told->marks[kept++] = mark;
    }
    told->mark_count = kept;
}

bool hw_memory_history_window(struct hw_memory_history *told, int64_t from_ns, int64_t to_ns,
                              struct hw_err *err)
{
    for (size_t i = 0; i < told->series_count; i++)
        series_crop(&told->series[i], from_ns, to_ns);
    crop_marks(told, from_ns, to_ns);
    hw_history_drop_empty(hw_history_of(told));
    return told->series_count ||
           hw_err_set(err, HW_ERR_NOT_FOUND, "nothing was recorded in this window");
}

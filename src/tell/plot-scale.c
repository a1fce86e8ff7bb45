/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/plot-scale.h"

#include "tell/clock.h"
#include "tell/text.h"

#include <math.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)
#define DAY_NS (86400 * SECOND_NS)

/* Memory that moves by less than this part of itself is drawn without its foot. */
#define FOOT_PART 0.3

/* Room above the highest peak, for its size. */
#define HEAD_PART 0.07

static double round_step(double least)
{
    double power = pow(10, floor(log10(least)));
    double factor = least / power;
    return power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
}

static int64_t round_time_step(int64_t least_ns)
{
    static const int64_t steps[] = {1,   2,   5,    10,   15,   30,       60,       120,      300,
                                    600, 900, 1800, 3600, 7200, 3 * 3600, 6 * 3600, 12 * 3600};
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
        if (steps[i] * SECOND_NS >= least_ns)
            return steps[i] * SECOND_NS;
    return (least_ns + DAY_NS - 1) / DAY_NS * DAY_NS;
}

static void find_ranges(const struct hw_memory_history *history, struct hw_plot_scale *scale)
{
    scale->from_ns = INT64_MAX;
    scale->to_ns = INT64_MIN;
    scale->low = INFINITY;
    for (size_t i = 0; i < history->series_count; i++) {
        const struct hw_memory_series *series = &history->series[i];
        for (size_t k = 0; k < series->sample_count; k++) {
            const struct hw_memory_sample *sample = &series->samples[k];
            scale->from_ns = sample->at_ns < scale->from_ns ? sample->at_ns : scale->from_ns;
            scale->to_ns = sample->at_ns > scale->to_ns ? sample->at_ns : scale->to_ns;
            scale->low = fmin(scale->low, (double)sample->rss_bytes);
            scale->high = fmax(scale->high, (double)sample->rss_bytes);
        }
    }
}

struct hw_plot_scale hw_plot_scale_of(const struct hw_memory_history *history, unsigned marks,
                                      unsigned time_marks)
{
    struct hw_plot_scale scale = {0};
    find_ranges(history, &scale);
    if (scale.to_ns <= scale.from_ns)
        scale.to_ns = scale.from_ns + SECOND_NS;
    bool has_foot = scale.high - scale.low > FOOT_PART * scale.high;
    double range = has_foot ? scale.high : scale.high - scale.low;
    scale.step = round_step(fmax(range / marks, 1000));
    scale.low = has_foot ? 0 : floor(scale.low / scale.step) * scale.step;
    double peak = scale.high;
    scale.high = fmax(ceil(peak / scale.step) * scale.step, scale.low + scale.step);
    if (scale.high - peak < HEAD_PART * (scale.high - scale.low))
        scale.high += scale.step;
    scale.time_step_ns = round_time_step((scale.to_ns - scale.from_ns) / time_marks);
    return scale;
}

double hw_plot_x(const struct hw_plot_scale *scale, int64_t at_ns)
{
    return (double)(at_ns - scale->from_ns) / (double)(scale->to_ns - scale->from_ns);
}

double hw_plot_y(const struct hw_plot_scale *scale, double bytes)
{
    return (bytes - scale->low) / (scale->high - scale->low);
}

int64_t hw_plot_first_mark(const struct hw_plot_scale *scale)
{
    time_t seconds = (time_t)(scale->from_ns / SECOND_NS);
    struct tm tm = {0};
    int64_t east_ns = localtime_r(&seconds, &tm) ? tm.tm_gmtoff * SECOND_NS : 0;
    int64_t local = scale->from_ns + east_ns;
    return (local + scale->time_step_ns - 1) / scale->time_step_ns * scale->time_step_ns - east_ns;
}

void hw_plot_time_text(const struct hw_plot_scale *scale, struct hw_buf *buf, int64_t at_ns)
{
    bool days = scale->time_step_ns >= DAY_NS, seconds = scale->time_step_ns % (60 * SECOND_NS);
    hw_text_time(buf, days ? HW_CLOCK_DAY : seconds ? HW_CLOCK_SECONDS : HW_CLOCK_MINUTES, at_ns);
}

void hw_plot_size_text(struct hw_buf *buf, double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    size_t unit = 0;
    while (bytes >= 1000 && unit + 1 < sizeof(units) / sizeof(*units)) {
        bytes /= 1000;
        unit++;
    }
    hw_buf_printf(buf, bytes > 0 ? "%.5g %s" : "0", bytes, units[unit]);
}

/* ---- columns ---- */

static void add_point(struct hw_plot_column *column, double bytes)
{
    bool first = isnan(column->least);
    column->least = first ? bytes : fmin(column->least, bytes);
    column->most = first ? bytes : fmax(column->most, bytes);
    column->last = bytes;
}

static size_t column_at(const struct hw_plot_scale *scale, int64_t at_ns, size_t count)
{
    double x = hw_plot_x(scale, at_ns) * (double)(count - 1);
    return x <= 0 ? 0 : x >= (double)(count - 1) ? count - 1 : (size_t)(x + 0.5);
}

void hw_plot_columns(const struct hw_plot_scale *scale, const struct hw_memory_series *series,
                     struct hw_plot_column *columns, size_t count)
{
    size_t before = 0;
    for (size_t i = 0; i < count; i++)
        columns[i] = (struct hw_plot_column){NAN, NAN, NAN};
    for (size_t i = 0; i < series->sample_count; i++) {
        double bytes = (double)series->samples[i].rss_bytes;
        size_t at = column_at(scale, series->samples[i].at_ns, count);
        double last = i ? (double)series->samples[i - 1].rss_bytes : bytes;
        for (size_t k = before + 1; i && k < at; k++)
            add_point(&columns[k],
                      last + (bytes - last) * (double)(k - before) / (double)(at - before));
        add_point(&columns[at], bytes);
        before = at;
    }
}

void hw_plot_name(struct hw_buf *buf, const struct hw_memory_series *series)
{
    const struct hw_watched *process = &series->process;
    hw_buf_puts(buf, *process->name ? process->name : "process");
    /* mprof tells no process ids, and numbers children */
    if (process->pid && process->started_at_ns)
        hw_buf_printf(buf, " (%d)", (int)process->pid);
}

size_t hw_plot_choose(const struct hw_memory_history *history, size_t *chosen, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < history->series_count; i++) {
        const struct hw_memory_series *series = &history->series[i];
        size_t higher = 0;
        for (size_t k = 0; k < history->series_count; k++) {
            const struct hw_memory_series *other = &history->series[k];
            uint64_t a = other->samples[other->peak].rss_bytes,
                     b = series->samples[series->peak].rss_bytes;
            higher += a > b || (a == b && k < i);
        }
        if (higher < max)
            chosen[count++] = i;
    }
    return count;
}

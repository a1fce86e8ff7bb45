/* SPDX-License-Identifier: Apache-2.0 */

/* The plot as one SVG file: no scripts, nothing from elsewhere; dark where the reader's system is.
 */
#include "tell/clock.h"
#include "tell/markup.h"
#include "tell/plot-functions.h"
#include "tell/plot-scale.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    WIDTH = 960,
    LEFT = 84,
    RIGHT = 24,
    TOP = 56,
    PLOT = 320,
    LEGEND_ROW = 22,
    BOTTOM = 52,
    SERIES_MAX = 24,
    FUNCTIONS_MAX = 12,
    FUNCTION_ROW = 24,
    ALARMS_MAX = 5,
    COLUMNS = WIDTH - LEFT - RIGHT + 1
};

/* Distinguishable with the common kinds of colour blindness: Okabe and Ito's, without the yellow.
 */
static const char *const colors[] = {"#0072b2", "#d55e00", "#009e73",
                                     "#cc79a7", "#56b4e9", "#e69f00"};

static double x_of(const struct hw_plot_scale *scale, int64_t at_ns)
{
    return LEFT + hw_plot_x(scale, at_ns) * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct hw_plot_scale *scale, double bytes)
{
    return TOP + PLOT - hw_plot_y(scale, bytes) * PLOT;
}

/* Text of the process, made safe for XML and for the eye. */
static void put_text(struct hw_out *out, const char *s)
{
    struct hw_buf safe = {0};
    hw_text_escape(&safe, s);
    hw_markup_put(out, hw_buf_str(&safe));
    hw_buf_deinit(&safe);
}

static void put_buf(struct hw_out *out, struct hw_buf *buf)
{
    put_text(out, hw_buf_str(buf));
    hw_buf_deinit(buf);
}

static void put_head(struct hw_out *out, const struct hw_memory_history *history,
                     const char *own_title, unsigned height)
{
    struct hw_buf title = {0}, span = {0};
    hw_out_printf(out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %u\" width=\"%d\" "
                  "height=\"%u\" font-family=\"sans-serif\" font-size=\"13\">\n",
                  WIDTH, height, WIDTH, height);
    hw_out_puts(out, "<style>.back{fill:#fff}.ink{fill:#222}.dim{fill:#666}.grid{stroke:#ddd}"
                     ".axis{stroke:#888}.alarm{stroke:#c00}.line{fill:none;stroke-width:1.6;"
                     "stroke-linejoin:round}@media(prefers-color-scheme:dark){.back{fill:#1b1b1b}"
                     ".ink{fill:#eee}.dim{fill:#aaa}.grid{stroke:#3a3a3a}}</style>\n");
    hw_out_printf(out, "<rect class=\"back\" width=\"%d\" height=\"%u\"/>\n", WIDTH, height);
    hw_buf_puts(&title, own_title ? own_title : "Resident memory of ");
    if (!own_title)
        hw_plot_name(&title, &history->series[0]);
    if (!own_title && history->series_count > 1)
        hw_buf_printf(&title, " and %zu more", history->series_count - 1);
    hw_out_printf(out, "<text class=\"ink\" x=\"%d\" y=\"24\" font-size=\"17\">", LEFT);
    put_buf(out, &title);
    hw_text_time(&span, HW_CLOCK_FULL, history->series[0].samples[0].at_ns);
    hw_out_printf(out, "</text>\n<text class=\"dim\" x=\"%d\" y=\"43\">from ", LEFT);
    put_buf(out, &span);
    hw_out_puts(out, "</text>\n");
}

static void put_grid(struct hw_out *out, const struct hw_plot_scale *scale)
{
    for (double at = scale->low; at <= scale->high + scale->step / 2; at += scale->step) {
        struct hw_buf text = {0};
        double y = y_of(scale, at);
        hw_out_printf(out, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>", LEFT, y, WIDTH - RIGHT);
        hw_out_printf(out, "<text class=\"dim\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LEFT - 8,
                      y + 4);
        hw_plot_size_text(&text, at);
        put_buf(out, &text);
        hw_out_puts(out, "</text>\n");
    }
    for (int64_t at = hw_plot_first_mark(scale); at <= scale->to_ns; at += scale->time_step_ns) {
        struct hw_buf text = {0};
        double x = x_of(scale, at);
        hw_out_printf(out, "<path class=\"axis\" d=\"M%.1f %dv5\"/>", x, TOP + PLOT);
        hw_out_printf(out, "<text class=\"dim\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", x,
                      TOP + PLOT + 20);
        hw_plot_time_text(scale, &text, at);
        put_buf(out, &text);
        hw_out_puts(out, "</text>\n");
    }
    hw_out_printf(out, "<path class=\"axis\" d=\"M%d %dH%d\"/>\n", LEFT, TOP + PLOT, WIDTH - RIGHT);
}

/* One column for each unit of the picture, with its least and its most. */
static bool put_line(struct hw_out *out, const struct hw_plot_scale *scale,
                     const struct hw_memory_series *series, const char *color)
{
    struct hw_plot_column *columns = calloc(COLUMNS, sizeof(*columns));
    bool is_open = false;
    if (!columns)
        return false;
    hw_plot_columns(scale, series, columns, COLUMNS);
    hw_out_printf(out, "<path class=\"line\" stroke=\"%s\" d=\"", color);
    for (unsigned x = 0; x < COLUMNS; x++) {
        const struct hw_plot_column *column = &columns[x];
        if (isnan(column->least)) {
            is_open = false;
            continue;
        }
        hw_out_printf(out, "%c%u %.1f", is_open ? 'L' : 'M', LEFT + x, y_of(scale, column->least));
        if (column->most > column->least)
            hw_out_printf(out, "V%.1fV%.1f", y_of(scale, column->most), y_of(scale, column->last));
        is_open = true;
    }
    /* a process of which there is one sample is a dot */
    hw_out_puts(out, "h.1\"/>\n");
    free(columns);
    return true;
}

static void put_peak(struct hw_out *out, const struct hw_plot_scale *scale,
                     const struct hw_memory_series *series, const char *color)
{
    const struct hw_memory_sample *peak = &series->samples[series->peak];
    struct hw_buf text = {0};
    double x = x_of(scale, peak->at_ns), y = y_of(scale, (double)peak->rss_bytes);
    bool left = x > WIDTH - RIGHT - 90;
    hw_out_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>", x, y, color);
    hw_out_printf(out, "<text class=\"ink\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">",
                  left ? x - 7 : x + 7, y - 6, left ? "end" : "start");
    hw_text_bytes(&text, (double)peak->rss_bytes);
    put_buf(out, &text);
    hw_out_puts(out, "</text>\n");
}

static void put_alarms(struct hw_out *out, const struct hw_plot_scale *scale,
                       const struct hw_memory_history *history)
{
    for (size_t i = 0; i < history->mark_count; i++) {
        const struct hw_memory_mark *mark = &history->marks[i];
        double x = x_of(scale, mark->at_ns);
        struct hw_buf text = {0};
        if (!mark->is_alarm || x < LEFT || x > WIDTH - RIGHT)
            continue;
        hw_text_time(&text, HW_CLOCK_SECONDS, mark->at_ns);
        hw_buf_printf(&text, " %s alarm, ", mark->text);
        hw_plot_name(&text, &history->series[mark->series]);
        hw_out_printf(out,
                      "<path class=\"alarm\" stroke-dasharray=\"4 3\" d=\"M%.1f %dV%d\"><title>", x,
                      TOP, TOP + PLOT);
        put_buf(out, &text);
        hw_out_printf(out,
                      "</title></path><text fill=\"#c00\" x=\"%.1f\" y=\"%d\" "
                      "text-anchor=\"middle\">!</text>\n",
                      x, TOP - 3);
    }
}

/* ---- processes upon each other ---- */

static double last_of(const struct hw_plot_column *column)
{
    return isnan(column->last) ? 0 : column->last;
}

/* An area from the sum of all below to the sum with this one; base becomes that sum. */
static void put_area(struct hw_out *out, const struct hw_plot_scale *scale,
                     const struct hw_plot_column *columns, double *base, const char *color)
{
    hw_out_printf(out, "<path stroke=\"none\" fill=\"%s\" fill-opacity=\".55\" d=\"M", color);
    for (unsigned x = 0; x < COLUMNS; x++)
        hw_out_printf(out, "%u %.1f ", LEFT + x, y_of(scale, base[x] + last_of(&columns[x])));
    for (unsigned x = COLUMNS; x-- > 0;)
        hw_out_printf(out, "L%u %.1f", LEFT + x, fmin(y_of(scale, base[x]), TOP + PLOT));
    hw_out_puts(out, "z\"/>\n");
    for (unsigned x = 0; x < COLUMNS; x++)
        base[x] += last_of(&columns[x]);
}

/* What all have together is the upper edge of the stack, and no part of it. */
static bool is_total(const struct hw_memory_series *series)
{
    return !series->process.pid && strcmp(series->process.name, "together") == 0;
}

static bool put_stack(struct hw_out *out, const struct hw_plot_scale *scale,
                      const struct hw_memory_history *history, const size_t *chosen, size_t count)
{
    struct hw_plot_column *columns = calloc(COLUMNS, sizeof(*columns));
    double *base = calloc(COLUMNS, sizeof(*base));
    for (size_t i = 0; columns && base && i < count; i++) {
        const struct hw_memory_series *series = &history->series[chosen[i]];
        if (is_total(series))
            continue;
        hw_plot_columns(scale, series, columns, COLUMNS);
        put_area(out, scale, columns, base, colors[i % (sizeof(colors) / sizeof(*colors))]);
    }
    bool ok = columns && base;
    free(columns);
    free(base);
    return ok;
}

/* ---- calls of functions ---- */

/* A row for each function below the plot, with a bar for each of its calls. */
static void put_functions(struct hw_out *out, const struct hw_plot_scale *scale,
                          const struct hw_memory_history *history,
                          const struct hw_plot_function *functions, size_t count)
{
    for (size_t row = 0; row < count; row++) {
        struct hw_buf text = {0};
        int y = TOP + PLOT + BOTTOM - 18 + (int)row * FUNCTION_ROW;
        const char *color = colors[row % (sizeof(colors) / sizeof(*colors))];
        hw_out_printf(out, "<path fill=\"%s\" fill-opacity=\".7\" d=\"", color);
        for (size_t i = 0; i < history->mark_count; i++) {
            const struct hw_memory_mark *mark = &history->marks[i];
            if (!mark->until_ns || strcmp(mark->text, functions[row].name) != 0)
                continue;
            double from = fmax(x_of(scale, mark->at_ns), LEFT),
                   to = fmin(x_of(scale, mark->until_ns), WIDTH - RIGHT);
            if (to >= from)
                hw_out_printf(out, "M%.1f %dh%.1fv8h-%.1fz", from, y + 14, fmax(to - from, 1),
                              fmax(to - from, 1));
        }
        hw_out_printf(out, "\"/><text class=\"dim\" font-size=\"11\" x=\"%d\" y=\"%d\">", LEFT,
                      y + 11);
        hw_plot_function_text(&text, &functions[row]);
        put_buf(out, &text);
        hw_out_puts(out, "</text>\n");
    }
}

/* ---- the legend ---- */

static void put_legend_row(struct hw_out *out, int y, const char *line, struct hw_buf *text)
{
    hw_out_printf(out, "<path stroke-width=\"3\" %s d=\"M%d %dh18\"/>", line, LEFT, y - 4);
    hw_out_printf(out, "<text class=\"ink\" x=\"%d\" y=\"%d\">", LEFT + 26, y);
    put_buf(out, text);
    hw_out_puts(out, "</text>\n");
}

static void put_series_row(struct hw_out *out, int y, const char *color,
                           const struct hw_memory_series *series)
{
    struct hw_buf text = {0};
    char line[32];
    snprintf(line, sizeof(line), "stroke=\"%s\"", color);
    hw_plot_name(&text, series);
    hw_buf_puts(&text, ": peak ");
    hw_text_bytes(&text, (double)series->samples[series->peak].rss_bytes);
    hw_buf_puts(&text, " at ");
    hw_text_time(&text, HW_CLOCK_SECONDS, series->samples[series->peak].at_ns);
    hw_buf_puts(&text, ", last ");
    hw_text_bytes(&text, (double)series->samples[series->sample_count - 1].rss_bytes);
    put_legend_row(out, y, line, &text);
}

static size_t count_alarms(const struct hw_memory_history *history)
{
    size_t count = 0;
    for (size_t i = 0; i < history->mark_count; i++)
        count += history->marks[i].is_alarm;
    return count;
}

/* What the dashed lines mean: the first alarms, and how many more there are. */
static void put_alarm_rows(struct hw_out *out, int y, const struct hw_memory_history *history)
{
    size_t shown = 0, total = count_alarms(history);
    for (size_t i = 0; i < history->mark_count && shown < ALARMS_MAX; i++) {
        const struct hw_memory_mark *mark = &history->marks[i];
        struct hw_buf text = {0};
        if (!mark->is_alarm)
            continue;
        hw_buf_printf(&text, "%s alarm at ", mark->text);
        hw_text_time(&text, HW_CLOCK_SECONDS, mark->at_ns);
        hw_buf_puts(&text, ", ");
        hw_plot_name(&text, &history->series[mark->series]);
        if (++shown == ALARMS_MAX && total > shown)
            hw_buf_printf(&text, " and %zu more", total - shown);
        put_legend_row(out, y, "class=\"alarm\" stroke-dasharray=\"4 3\"", &text);
        y += LEGEND_ROW;
    }
}

static void put_legend(struct hw_out *out, const struct hw_memory_history *history,
                       const size_t *chosen, size_t count, int y)
{
    for (size_t i = 0; i < count; i++, y += LEGEND_ROW)
        put_series_row(out, y, colors[i % (sizeof(colors) / sizeof(*colors))],
                       &history->series[chosen[i]]);
    if (count < history->series_count) {
        hw_out_printf(out, "<text class=\"dim\" x=\"%d\" y=\"%d\">and %zu more</text>\n", LEFT + 26,
                      y, history->series_count - count);
        y += LEGEND_ROW;
    }
    put_alarm_rows(out, y, history);
}

static bool put_lines(struct hw_out *out, const struct hw_plot_scale *scale,
                      const struct hw_memory_history *history, const size_t *chosen, size_t count,
                      bool only_total)
{
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        const struct hw_memory_series *series = &history->series[chosen[i]];
        const char *color = colors[i % (sizeof(colors) / sizeof(*colors))];
        if (only_total && !is_total(series))
            continue;
        ok = put_line(out, scale, series, color);
        put_peak(out, scale, series, color);
    }
    return ok;
}

void hw_tell_plot_svg(struct hw_out *out, const struct hw_memory_history *history,
                      const struct hw_plot_look *look)
{
    const struct hw_plot_scale scale = hw_plot_scale_of(history, 6, 9);
    struct hw_plot_function functions[FUNCTIONS_MAX];
    size_t chosen[SERIES_MAX], count = hw_plot_choose(history, chosen, SERIES_MAX);
    size_t alarms = count_alarms(history), calls = 0, total;
    if (!look->no_functions)
        calls = hw_plot_functions(history, functions, FUNCTIONS_MAX, &total);
    size_t rows =
        count + (count < history->series_count) + (alarms < ALARMS_MAX ? alarms : ALARMS_MAX);
    int legend = TOP + PLOT + BOTTOM + (int)calls * FUNCTION_ROW;
    bool stacked = look->stacked && history->series_count > 1;
    put_head(out, history, look->title, (unsigned)legend + (unsigned)rows * LEGEND_ROW);
    put_grid(out, &scale);
    put_alarms(out, &scale, history);
    bool ok = !stacked || put_stack(out, &scale, history, chosen, count);
    ok = ok && put_lines(out, &scale, history, chosen, count, stacked);
    put_functions(out, &scale, history, functions, calls);
    put_legend(out, history, chosen, count, legend);
    hw_out_puts(out, "</svg>\n");
    if (!ok)
        hw_out_no_memory(out);
}

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The plot in a terminal. In Unicode each character is a Braille pattern of two by four dots
 * (U+2800 and the bits of the dots); in ASCII each is the mark of one series.
 *
 *     200 MB |              v 187.2 MB
 *     150 MB |          .,-'
 *     100 MB |_,.--'''''
 *          0 +-----+-----+-----+---!-
 *            15:04 15:05 15:06 15:07
 */
#include "tell/clock.h"
#include "tell/parts.h"
#include "tell/plot-functions.h"
#include "tell/plot-scale.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <math.h>
#include <stdlib.h>

enum {
    ROWS = 16,
    LABEL = 9,
    SERIES_MAX = 8,
    DOTS_X = 2,
    DOTS_Y = 4,
    ALARMS_MAX = 5,
    FUNCTIONS_MAX = 8
};

static const char marks[SERIES_MAX + 1] = "*+ox#@%&";
static const enum hw_style styles[] = {HW_STYLE_KEY, HW_STYLE_UNSURE, HW_STYLE_GOOD, HW_STYLE_BAD};

struct cell {
    unsigned char dots;   /* of a Braille pattern */
    unsigned char series; /* number + 1 of the last one drawn here; 0: empty */
    uint32_t over;        /* a character that hides the dots; 0: none */
};

struct canvas {
    struct hw_plot_scale scale;
    struct cell *cells; /* rows from the top */
    unsigned columns;
    bool ascii;
};

static struct cell *cell_at(struct canvas *canvas, unsigned row, unsigned column)
{
    return &canvas->cells[row * canvas->columns + column];
}

static unsigned dots_x(const struct canvas *canvas)
{
    return canvas->columns * (canvas->ascii ? 1 : DOTS_X);
}

static unsigned dots_y(const struct canvas *canvas)
{
    return ROWS * (canvas->ascii ? 1 : DOTS_Y);
}

/* y: from the bottom. */
static void put_dot(struct canvas *canvas, unsigned x, unsigned y, unsigned series)
{
    static const unsigned char bits[DOTS_Y][DOTS_X] = {
        {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    unsigned down = dots_y(canvas) - 1 - y;
    struct cell *cell =
        canvas->ascii ? cell_at(canvas, down, x) : cell_at(canvas, down / DOTS_Y, x / DOTS_X);
    cell->dots |= canvas->ascii ? 1 : bits[down % DOTS_Y][x % DOTS_X];
    cell->series = (unsigned char)(series + 1);
}

static unsigned height_of(const struct canvas *canvas, double bytes)
{
    double y = hw_plot_y(&canvas->scale, bytes) * (dots_y(canvas) - 1);
    return y <= 0 ? 0 : y >= dots_y(canvas) - 1 ? dots_y(canvas) - 1 : (unsigned)(y + 0.5);
}

/* A column reaches to where the one before ended, so that the line is whole. */
static bool draw_series(struct canvas *canvas, const struct hw_memory_series *series,
                        unsigned number)
{
    unsigned width = dots_x(canvas), before = 0;
    struct hw_plot_column *columns = calloc(width, sizeof(*columns));
    bool has_before = false;
    if (!columns)
        return false;
    hw_plot_columns(&canvas->scale, series, columns, width);
    for (unsigned x = 0; x < width; x++) {
        if (isnan(columns[x].least)) {
            has_before = false;
            continue;
        }
        unsigned low = height_of(canvas, columns[x].least),
                 high = height_of(canvas, columns[x].most);
        if (has_before && before + 1 < low)
            low = before + 1;
        if (has_before && before > high + 1)
            high = before - 1;
        for (unsigned y = low; y <= high; y++)
            put_dot(canvas, x, y, number);
        before = height_of(canvas, columns[x].last);
        has_before = true;
    }
    free(columns);
    return true;
}

static void put_blank(struct canvas *canvas, unsigned row, unsigned column)
{
    if (column < canvas->columns && !cell_at(canvas, row, column)->over)
        cell_at(canvas, row, column)->over = ' ';
}

/* The peak's size stands above it, or below when there is no room, left or right of its mark. */
static void mark_peak(struct canvas *canvas, const struct hw_memory_series *series)
{
    const struct hw_memory_sample *peak = &series->samples[series->peak];
    struct hw_buf text = {0};
    unsigned column =
        (unsigned)(hw_plot_x(&canvas->scale, peak->at_ns) * (canvas->columns - 1) + 0.5);
    unsigned down = dots_y(canvas) - 1 - height_of(canvas, (double)peak->rss_bytes);
    unsigned row = down / (canvas->ascii ? 1 : DOTS_Y);
    hw_text_bytes(&text, (double)peak->rss_bytes);
    const char *s = hw_buf_str(&text);
    unsigned length = (unsigned)strlen(s), above = row ? row - 1 : 0;
    cell_at(canvas, above, column)->over = canvas->ascii ? 'v' : 0x25be; /* small triangle, down */
    bool left = column + 2 + length >= canvas->columns;
    unsigned from = left ? column - 1 - length : column + 2;
    for (unsigned i = 0; i < length && column >= (left ? length + 1 : 0); i++)
        cell_at(canvas, above, from + i)->over = (unsigned char)s[i];
    /* no line touches the text */
    if (column >= (left ? length + 1 : 0)) {
        put_blank(canvas, above, from - 1);
        put_blank(canvas, above, from + length);
    }
    hw_buf_deinit(&text);
}

/* ---- writing ---- */

static void put_char(struct hw_out *out, uint32_t c)
{
    const char two[] = {(char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f))};
    const char three[] = {(char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 0x3f)),
                          (char)(0x80 | (c & 0x3f))};
    const char one = (char)c;
    if (c < 0x80)
        hw_out_put(out, &one, 1);
    else if (c < 0x800)
        hw_out_put(out, two, sizeof(two));
    else
        hw_out_put(out, three, sizeof(three));
}

static uint32_t picture_of(const struct canvas *canvas, const struct cell *cell)
{
    if (cell->over)
        return cell->over;
    if (!cell->series)
        return ' ';
    return canvas->ascii ? (unsigned char)marks[cell->series - 1] : 0x2800u + cell->dots;
}

static void put_row(struct hw_out *out, struct canvas *canvas, unsigned row)
{
    unsigned end = canvas->columns, style = 0;
    while (end && picture_of(canvas, cell_at(canvas, row, end - 1)) == ' ')
        end--;
    for (unsigned i = 0; i < end; i++) {
        const struct cell *cell = cell_at(canvas, row, i);
        unsigned wanted = cell->over ? 0 : cell->series;
        if (wanted != style)
            hw_out_style(out, wanted ? styles[(wanted - 1) % 4] : HW_STYLE_PLAIN);
        style = wanted;
        put_char(out, picture_of(canvas, cell));
    }
    if (style)
        hw_out_style(out, HW_STYLE_PLAIN);
    hw_out_puts(out, "\n");
}

/* The mark of the axis that lies in this row, if any. */
static void put_label(struct hw_out *out, const struct canvas *canvas, unsigned row)
{
    struct hw_buf text = {0};
    unsigned per_row = canvas->ascii ? 1 : DOTS_Y;
    bool has = false;
    const struct hw_plot_scale *scale = &canvas->scale;
    for (double at = scale->low; at <= scale->high + scale->step / 2; at += scale->step)
        if ((dots_y(canvas) - 1 - height_of(canvas, at)) / per_row == row && !has) {
            hw_plot_size_text(&text, at);
            has = true;
        }
    hw_out_printf(out, "%*s ", LABEL, hw_buf_str(&text));
    put_char(out, canvas->ascii ? (has ? '+' : '|') : (has ? 0x2524 : 0x2502));
    hw_buf_deinit(&text);
}

static void put_axis(struct hw_out *out, struct canvas *canvas,
                     const struct hw_memory_history *history)
{
    const struct hw_plot_scale *scale = &canvas->scale;
    struct hw_buf times = {0};
    char *line = calloc(canvas->columns + 1, 1);
    if (!line) {
        hw_out_no_memory(out);
        return;
    }
    memset(line, '-', canvas->columns);
    for (int64_t at = hw_plot_first_mark(scale); at <= scale->to_ns; at += scale->time_step_ns) {
        struct hw_buf text = {0};
        unsigned column = (unsigned)(hw_plot_x(scale, at) * (canvas->columns - 1) + 0.5);
        line[column] = '+';
        hw_plot_time_text(scale, &text, at);
        /* below its mark, and never over the one before or the edge */
        size_t width = strlen(hw_buf_str(&text));
        if (column >= times.len + (times.len ? 1 : 0) && column + width <= canvas->columns)
            hw_buf_printf(&times, "%*s%s", (int)(column - times.len), "", hw_buf_str(&text));
        hw_buf_deinit(&text);
    }
    for (size_t i = 0; i < history->mark_count; i++)
        if (history->marks[i].is_alarm) {
            double x = hw_plot_x(scale, history->marks[i].at_ns);
            if (x >= 0 && x <= 1)
                line[(unsigned)(x * (canvas->columns - 1) + 0.5)] = '!';
        }
    hw_out_printf(out, "%*s ", LABEL, "");
    put_char(out, canvas->ascii ? '+' : 0x2514);
    for (unsigned i = 0; i < canvas->columns; i++)
        put_char(out, canvas->ascii || line[i] == '!' ? (uint32_t)line[i]
                      : line[i] == '+'                ? 0x252c
                                                      : 0x2500);
    hw_out_printf(out, "\n%*s  %s\n", LABEL, "", hw_buf_str(&times));
    hw_buf_deinit(&times);
    free(line);
}

/* "== app.py (41233): peak 192.1 MB at 15:45:23, last 190.0 MB" */
static void put_legend(struct hw_out *out, const struct canvas *canvas,
                       const struct hw_memory_series *series, unsigned number)
{
    const struct hw_memory_sample *peak = &series->samples[series->peak];
    struct hw_buf line = {0};
    hw_plot_name(&line, series);
    hw_buf_puts(&line, ": peak ");
    hw_text_bytes(&line, (double)peak->rss_bytes);
    hw_buf_puts(&line, " at ");
    hw_text_time(&line, HW_CLOCK_SECONDS, peak->at_ns);
    hw_buf_puts(&line, ", last ");
    hw_text_bytes(&line, (double)series->samples[series->sample_count - 1].rss_bytes);
    hw_out_puts(out, "  ");
    hw_out_style(out, styles[number % 4]);
    put_char(out, canvas->ascii ? (unsigned char)marks[number] : 0x2501);
    put_char(out, canvas->ascii ? (unsigned char)marks[number] : 0x2501);
    hw_out_style(out, HW_STYLE_PLAIN);
    hw_out_puts(out, " ");
    hw_out_wrap(out, 5, 7, hw_buf_str(&line));
    hw_buf_deinit(&line);
}

static void put_alarms(struct hw_out *out, const struct hw_memory_history *history)
{
    size_t shown = 0, total = 0;
    for (size_t i = 0; i < history->mark_count; i++) {
        const struct hw_memory_mark *mark = &history->marks[i];
        struct hw_buf line = {0};
        total += mark->is_alarm;
        if (!mark->is_alarm || shown == ALARMS_MAX)
            continue;
        hw_buf_puts(&line, "! ");
        hw_text_time(&line, HW_CLOCK_SECONDS, mark->at_ns);
        hw_buf_printf(&line, "  %s alarm, ", mark->text);
        hw_plot_name(&line, &history->series[mark->series]);
        hw_out_puts(out, "  ");
        hw_out_wrap(out, 2, 4, hw_buf_str(&line));
        hw_buf_deinit(&line);
        shown++;
    }
    hw_parts_more(out, 2, shown, total);
}

/* A row of the canvas for each function, with a bar where it ran, and what it is below. */
static void put_functions(struct hw_out *out, const struct canvas *canvas,
                          const struct hw_memory_history *history)
{
    struct hw_plot_function functions[FUNCTIONS_MAX];
    size_t total, count = hw_plot_functions(history, functions, FUNCTIONS_MAX, &total);
    char *row = malloc(canvas->columns + 1);
    for (size_t k = 0; row && k < count; k++) {
        struct hw_buf text = {0};
        memset(row, ' ', canvas->columns);
        for (size_t i = 0; i < history->mark_count; i++) {
            const struct hw_memory_mark *mark = &history->marks[i];
            if (!mark->until_ns || strcmp(mark->text, functions[k].name) != 0)
                continue;
            double from = fmax(hw_plot_x(&canvas->scale, mark->at_ns), 0),
                   to = fmin(hw_plot_x(&canvas->scale, mark->until_ns), 1);
            for (unsigned x = (unsigned)(from * (canvas->columns - 1) + .5);
                 from <= to && x <= (unsigned)(to * (canvas->columns - 1) + .5); x++)
                row[x] = '=';
        }
        unsigned end = canvas->columns;
        while (end && row[end - 1] == ' ')
            end--;
        hw_out_printf(out, "%*zu  %.*s\n", LABEL, k + 1, (int)end, row);
        hw_buf_printf(&text, "%zu ", k + 1);
        hw_plot_function_text(&text, &functions[k]);
        hw_out_puts(out, "  ");
        hw_out_wrap(out, 2, 4, hw_buf_str(&text));
        hw_buf_deinit(&text);
    }
    hw_parts_more(out, 2, count, total);
    free(row);
}

void hw_tell_plot(struct hw_out *out, const struct hw_memory_history *history,
                  const struct hw_plot_look *look)
{
    size_t chosen[SERIES_MAX], count = hw_plot_choose(history, chosen, SERIES_MAX);
    struct canvas canvas = {.columns = out->width > LABEL + 30 ? out->width - LABEL - 2 : 30,
                            /* without colours Braille cannot tell series apart */
                            .ascii = look->ascii || (count > 1 && !out->color)};
    canvas.scale = hw_plot_scale_of(history, 5, canvas.columns / 12);
    canvas.cells = calloc((size_t)ROWS * canvas.columns, sizeof(*canvas.cells));
    bool ok = canvas.cells != NULL;
    for (size_t i = 0; ok && i < count; i++)
        ok = draw_series(&canvas, &history->series[chosen[i]], (unsigned)i);
    for (size_t i = 0; ok && i < count; i++)
        mark_peak(&canvas, &history->series[chosen[i]]);
    for (unsigned row = 0; ok && row < ROWS; row++) {
        put_label(out, &canvas, row);
        put_row(out, &canvas, row);
    }
    if (ok) {
        put_axis(out, &canvas, history);
        if (!look->no_functions)
            put_functions(out, &canvas, history);
        for (size_t i = 0; i < count; i++)
            put_legend(out, &canvas, &history->series[chosen[i]], (unsigned)i);
        hw_parts_more(out, 2, count, history->series_count);
        put_alarms(out, history);
    } else {
        hw_out_no_memory(out);
    }
    free(canvas.cells);
}

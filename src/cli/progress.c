/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include "tell/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PERIOD_NS = 100 * 1000 * 1000, COLUMNS = 78 };

void hw_progress_init(struct hw_progress *progress)
{
    const char *term = getenv("TERM");
    *progress =
        (struct hw_progress){.on = isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0)};
}

void hw_progress_prefix(struct hw_progress *progress, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(progress->prefix, sizeof(progress->prefix), format, args);
    va_end(args);
    progress->shown_ns = 0;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void show(struct hw_progress *progress, const char *text)
{
    struct hw_buf escaped = {0}, line = {0};
    hw_text_escape(&escaped, progress->prefix);
    hw_text_escape(&escaped, text);
    hw_text_cut(&line, hw_buf_str(&escaped), COLUMNS);
    fprintf(stderr, "\r\033[K%s", hw_buf_str(&line));
    fflush(stderr);
    hw_buf_deinit(&escaped);
    hw_buf_deinit(&line);
    progress->visible = true;
    progress->shown_ns = now_ns();
}

void hw_progress_stage(struct hw_progress *progress, const char *stage)
{
    if (progress->on)
        show(progress, stage);
}

void hw_progress_report(void *ctx, const char *stage, uint64_t done, uint64_t total)
{
    struct hw_progress *progress = ctx;
    char text[100];
    if (!progress->on || now_ns() - progress->shown_ns < PERIOD_NS)
        return;
    if (total)
        snprintf(text, sizeof(text), "%s %.0f %%", stage, 100.0 * (double)done / (double)total);
    else
        snprintf(text, sizeof(text), "%s", stage);
    show(progress, text);
}

void hw_progress_clear(struct hw_progress *progress)
{
    if (!progress->visible)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    progress->visible = false;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/clock.h"

#include <time.h>

/* Patterns stand in the calls, where the compiler can check them. */
static size_t write_time(char *to, size_t max, enum hw_clock_form form, const struct tm *tm)
{
    switch (form) {
    case HW_CLOCK_SECONDS:
        return strftime(to, max, "%H:%M:%S", tm);
    case HW_CLOCK_MINUTES:
        return strftime(to, max, "%H:%M", tm);
    case HW_CLOCK_DAY:
        return strftime(to, max, "%b %d", tm);
    case HW_CLOCK_FULL:
        return strftime(to, max, "%Y-%m-%d %H:%M:%S %Z", tm);
    }
    return 0;
}

void hw_text_time(struct hw_buf *buf, enum hw_clock_form form, int64_t ns_since_1970)
{
    time_t seconds = (time_t)(ns_since_1970 / 1000000000);
    struct tm tm;
    char text[64];
    bool ok = localtime_r(&seconds, &tm) && write_time(text, sizeof(text), form, &tm);
    hw_buf_puts(buf, ok ? text : "?");
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WATCH_ALERT_H
#define HW_WATCH_ALERT_H

/*
 * When samples of one process are an alarm, and when the same trouble is told again. Pure.
 *
 * A threshold is told once, and again only after RSS was below 95 % of it for a minute: a sawtooth
 * that crosses it with each tooth is told once. Growth is told once, and
 * again when memory has since grown by four times of what it had grown by then; or anew, after a
 * pause of twice the window that showed it.
 */

#include "heapwhy.h"
#include "watch/rise.h"

struct hw_alert {
    uint64_t rss_bytes; /* 0: no threshold */
    bool rss_told;
    int64_t rss_high_ns; /* when RSS was last at 95 % of the threshold or above */
    struct hw_rise growth;
    bool growth_told;
    double again_bytes, told_rise;
    int64_t quiet_until_ns;
};

/* process: when it began, 0 not known. first: the first sample; what the process had before that is
 * known by the kernel's peak. time_ns: as for hw_alert_add(). */
void hw_alert_init(struct hw_alert *alert, const struct hw_watch_options *options, int64_t age_ns,
                   const struct hw_memory_sample *first, int64_t time_ns);

/* The next sample, the first included. time_ns: on a clock that nobody sets. Returns how many
 * alarms there are; their limit is not set. */
enum { HW_ALERTS = 2 };
size_t hw_alert_add(struct hw_alert *alert, const struct hw_memory_sample *sample, int64_t time_ns,
                    struct hw_alarm alarms[HW_ALERTS]);

#endif

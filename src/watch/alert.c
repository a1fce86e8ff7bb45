/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/alert.h"

#define RSS_AGAIN 0.95
#define RSS_QUIET_NS (60 * INT64_C(1000000000))
#define GROWTH_AGAIN 4
#define QUIET_WINDOWS 2

const char *hw_alarm_reason_name(enum hw_alarm_reason reason)
{
    return reason == HW_ALARM_RSS ? "rss" : "growth";
}

void hw_alert_init(struct hw_alert *alert, const struct hw_watch_options *options, int64_t age_ns,
                   const struct hw_memory_sample *first, int64_t time_ns)
{
    bool has_peak = first->peak_rss_bytes != HW_UNKNOWN && first->peak_rss_bytes > first->rss_bytes;
    double beyond = has_peak ? (double)(first->peak_rss_bytes - first->rss_bytes) : 0;
    const struct hw_rise_options growth = {.every_ns = options->every_ns,
                                           .least_rate = options->growth_bytes_per_second > 0
                                                             ? options->growth_bytes_per_second
                                                             : HW_WATCH_GROWTH_RATE,
                                           .begins_ns = time_ns - age_ns,
                                           .warm_up_ns = options->warm_up_ns,
                                           .first_ns = time_ns,
                                           .known_bytes = (double)first->memory_bytes + beyond};
    *alert = (struct hw_alert){.rss_bytes = options->rss_bytes};
    hw_rise_init(&alert->growth, &growth);
}

static bool rss_alarms(struct hw_alert *alert, const struct hw_memory_sample *sample,
                       int64_t time_ns)
{
    bool over = alert->rss_bytes && sample->rss_bytes >= alert->rss_bytes;
    bool news = over && !alert->rss_told;
    if ((double)sample->rss_bytes >= RSS_AGAIN * (double)alert->rss_bytes)
        alert->rss_high_ns = time_ns;
    if (over)
        alert->rss_told = true;
    else if (time_ns - alert->rss_high_ns >= RSS_QUIET_NS)
        alert->rss_told = false;
    return news;
}

static bool growth_alarms(struct hw_alert *alert, const struct hw_memory_sample *sample,
                          int64_t time_ns, struct hw_rise_finding *finding)
{
    double bytes = (double)sample->memory_bytes;
    if (!hw_rise_add(&alert->growth, time_ns, bytes, finding)) {
        if (time_ns > alert->quiet_until_ns)
            alert->growth_told = false;
        return false;
    }
    bool news = !alert->growth_told || bytes >= alert->again_bytes;
    if (news) {
        alert->told_rise =
            alert->growth_told ? GROWTH_AGAIN * alert->told_rise : finding->rise_bytes;
        alert->again_bytes = bytes + GROWTH_AGAIN * alert->told_rise;
    }
    alert->growth_told = true;
    alert->quiet_until_ns = time_ns + QUIET_WINDOWS * finding->window_ns;
    return news;
}

size_t hw_alert_add(struct hw_alert *alert, const struct hw_memory_sample *sample, int64_t time_ns,
                    struct hw_alarm alarms[HW_ALERTS])
{
    const struct hw_alarm now = {.rss_bytes = sample->rss_bytes,
                                 .memory_bytes = sample->memory_bytes,
                                 .limit = {.seconds = -1}};
    struct hw_rise_finding finding;
    size_t count = 0;
    bool grows = growth_alarms(alert, sample, time_ns, &finding);
    if (rss_alarms(alert, sample, time_ns)) {
        alarms[count] = now;
        alarms[count].reason = HW_ALARM_RSS;
        alarms[count++].threshold_bytes = alert->rss_bytes;
    }
    if (grows) {
        alarms[count] = now;
        alarms[count].reason = HW_ALARM_GROWTH;
        alarms[count].bytes_per_second = finding.bytes_per_second;
        alarms[count].bytes_per_second_low = finding.low;
        alarms[count].bytes_per_second_high = finding.high;
        alarms[count].rise_bytes = finding.rise_bytes;
        alarms[count++].window_ns = finding.window_ns;
    }
    return count;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/clock.h"
#include "tell/json-writer.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <math.h>

/* ---- sentences ---- */

/* How long something takes, as roughly as it is known: 14 s, 7 min, 3 h, 12 days. */
static void put_while(struct hw_buf *buf, double seconds)
{
    if (seconds < 100)
        hw_buf_printf(buf, "%.0f s", seconds);
    else if (seconds < 100 * 60)
        hw_buf_printf(buf, "%.0f min", seconds / 60);
    else if (seconds < 48 * 3600)
        hw_buf_printf(buf, "%.0f h", seconds / 3600);
    else
        hw_buf_printf(buf, "%.0f days", seconds / 86400);
}

/* "the control group's limit of 512 MB" */
static void put_limit(struct hw_buf *buf, const struct hw_memory_limit *limit)
{
    if (strcmp(limit->name, "cgroup") == 0)
        hw_buf_puts(buf, "the control group's limit of ");
    else if (strcmp(limit->name, "machine") == 0)
        hw_buf_puts(buf, "the machine's memory of ");
    else
        hw_buf_printf(buf, "%s of ", limit->name);
    hw_text_bytes(buf, (double)limit->limit_bytes);
}

static void put_growth(struct hw_buf *buf, const struct hw_alarm *alarm)
{
    hw_buf_puts(buf, "memory grows by ");
    hw_text_bytes(buf, alarm->bytes_per_second);
    hw_buf_puts(buf, "/s, +");
    hw_text_bytes(buf, alarm->rise_bytes);
    hw_buf_puts(buf, " in the last ");
    put_while(buf, (double)alarm->window_ns / 1e9);
    hw_buf_puts(buf, ", RSS ");
    hw_text_bytes(buf, (double)alarm->rss_bytes);
    /* a year is as good as never */
    if (alarm->limit.name && alarm->limit.seconds >= 0 && alarm->limit.seconds < 365 * 86400.0) {
        hw_buf_puts(buf, "; at this rate ");
        put_limit(buf, &alarm->limit);
        hw_buf_puts(buf, " is reached in ");
        put_while(buf, alarm->limit.seconds);
    }
}

void hw_tell_alarm_answer(struct hw_buf *buf, const struct hw_alarm *alarm)
{
    if (alarm->reason == HW_ALARM_GROWTH) {
        put_growth(buf, alarm);
        return;
    }
    hw_buf_puts(buf, "RSS is ");
    hw_text_bytes(buf, (double)alarm->rss_bytes);
    hw_buf_puts(buf, ", the threshold is ");
    hw_text_bytes(buf, (double)alarm->threshold_bytes);
}

/* ---- text ---- */

/* "15:04:05 41233 app.py " */
static void put_head(struct hw_buf *line, int64_t at_ns, const struct hw_watched *process)
{
    hw_text_time(line, HW_CLOCK_SECONDS, at_ns);
    hw_buf_printf(line, "  %d %s", (int)process->pid, process->name);
}

static void put_line(struct hw_out *out, enum hw_style style, struct hw_buf *line)
{
    hw_out_style(out, style);
    hw_out_wrap(out, 0, 10, hw_buf_str(line));
    hw_out_style(out, HW_STYLE_PLAIN);
    hw_buf_deinit(line);
}

static void began_text(struct hw_out *out, const struct hw_watch_event *event, int64_t warm_up_ns)
{
    struct hw_buf line = {0};
    int64_t age_ns = event->at_ns - event->process->started_at_ns;
    put_head(&line, event->at_ns, event->process);
    if (event->process->parent)
        hw_buf_printf(&line, ", child of %d", (int)event->process->parent);
    if (event->sample) {
        hw_buf_puts(&line, ": RSS ");
        hw_text_bytes(&line, (double)event->sample->rss_bytes);
    }
    if (event->process->started_at_ns && age_ns < warm_up_ns) {
        hw_buf_puts(&line, "; started ");
        put_while(&line, (double)(age_ns > 0 ? age_ns : 0) / 1e9);
        hw_buf_puts(&line, " ago, so growth counts when it has been steady, or after ");
        put_while(&line, (double)(warm_up_ns - age_ns) / 1e9);
    }
    put_line(out, HW_STYLE_PLAIN, &line);
}

static void alarm_text(struct hw_out *out, const struct hw_watch_event *event)
{
    struct hw_buf line = {0};
    put_head(&line, event->at_ns, event->process);
    hw_buf_puts(&line, " ALARM: ");
    hw_tell_alarm_answer(&line, event->alarm);
    put_line(out, HW_STYLE_BAD, &line);
}

void hw_tell_watch_state(struct hw_buf *buf, const struct hw_watch_event *event)
{
    const struct hw_memory_sample *sample = event->sample;
    hw_buf_printf(buf, "%d %s  RSS ", (int)event->process->pid, event->process->name);
    hw_text_bytes(buf, (double)sample->rss_bytes);
    if (sample->threads != HW_UNKNOWN)
        hw_buf_printf(buf, "  %u threads", (unsigned)sample->threads);
    if (sample->fds != HW_UNKNOWN)
        hw_buf_printf(buf, "  %u descriptors", (unsigned)sample->fds);
}

/* ---- JSON ---- */

static void put_known(struct hw_json *json, const char *key, uint64_t n)
{
    if (n == HW_UNKNOWN)
        hw_json_double(json, key, NAN);
    else
        hw_json_u64(json, key, n);
}

static void sample_json(struct hw_json *json, const struct hw_memory_sample *sample)
{
    put_known(json, "rss_bytes", sample->rss_bytes);
    put_known(json, "memory_bytes", sample->memory_bytes);
    put_known(json, "peak_rss_bytes", sample->peak_rss_bytes);
    put_known(json, "swap_bytes", sample->swap_bytes);
    if (sample->pss_bytes != HW_UNKNOWN)
        hw_json_u64(json, "pss_bytes", sample->pss_bytes);
    put_known(json, "fds", sample->fds);
    put_known(json, "threads", sample->threads);
}

static void limit_json(struct hw_json *json, const struct hw_memory_limit *limit)
{
    if (!limit->name) {
        hw_json_double(json, "limit", NAN);
        return;
    }
    hw_json_object(json, "limit");
    hw_json_string(json, "name", limit->name);
    hw_json_u64(json, "limit_bytes", limit->limit_bytes);
    hw_json_u64(json, "left_bytes", limit->left_bytes);
    hw_json_double(json, "seconds", limit->seconds < 0 ? NAN : limit->seconds);
    hw_json_end(json);
}

static void alarm_json(struct hw_json *json, const struct hw_watch_event *event)
{
    struct hw_buf answer = {0};
    const struct hw_alarm *alarm = event->alarm;
    bool grows = alarm->reason == HW_ALARM_GROWTH;
    hw_tell_alarm_answer(&answer, alarm);
    hw_json_string(json, "name", event->process->name);
    hw_json_string(json, "reason", hw_alarm_reason_name(alarm->reason));
    hw_json_string(json, "answer", hw_buf_str(&answer));
    hw_json_u64(json, "rss_bytes", alarm->rss_bytes);
    hw_json_u64(json, "memory_bytes", alarm->memory_bytes);
    put_known(json, "threshold_bytes", grows ? HW_UNKNOWN : alarm->threshold_bytes);
    hw_json_double(json, "bytes_per_second", grows ? alarm->bytes_per_second : NAN);
    hw_json_double(json, "bytes_per_second_low", grows ? alarm->bytes_per_second_low : NAN);
    hw_json_double(json, "bytes_per_second_high", grows ? alarm->bytes_per_second_high : NAN);
    hw_json_double(json, "rise_bytes", grows ? alarm->rise_bytes : NAN);
    hw_json_double(json, "window_seconds", grows ? (double)alarm->window_ns / 1e9 : NAN);
    limit_json(json, &alarm->limit);
    hw_buf_deinit(&answer);
}

static void process_json(struct hw_json *json, const struct hw_watched *process)
{
    if (process->parent)
        hw_json_i64(json, "parent", process->parent);
    else
        hw_json_double(json, "parent", NAN);
    hw_json_string(json, "name", process->name);
    if (process->started_at_ns)
        hw_json_time(json, "started_at", process->started_at_ns);
    else
        hw_json_double(json, "started_at", NAN);
}

static void begin_json(struct hw_json *json, struct hw_out *out, const char *event, int64_t at_ns,
                       const struct hw_watched *process)
{
    hw_json_init(json, out, true);
    hw_json_object(json, NULL);
    hw_json_string(json, "event", event);
    hw_json_time(json, "at", at_ns);
    hw_json_i64(json, "pid", process->pid);
}

static void event_json(struct hw_out *out, const struct hw_watch_event *event)
{
    static const char *const names[] = {[HW_WATCH_BEGAN] = "process",
                                        [HW_WATCH_SAMPLE] = "sample",
                                        [HW_WATCH_ALARM] = "alarm",
                                        [HW_WATCH_ENDED] = "end"};
    struct hw_json json;
    begin_json(&json, out, names[event->kind], event->at_ns, event->process);
    if (event->kind == HW_WATCH_BEGAN)
        process_json(&json, event->process);
    if (event->kind == HW_WATCH_SAMPLE)
        sample_json(&json, event->sample);
    if (event->kind == HW_WATCH_ALARM)
        alarm_json(&json, event);
    hw_json_end(&json);
}

/* ---- both ---- */

void hw_tell_watch_event(struct hw_out *out, const struct hw_watch_event *event, int64_t warm_up_ns)
{
    struct hw_buf line = {0};
    if (out->json) {
        event_json(out, event);
    } else if (event->kind == HW_WATCH_BEGAN) {
        began_text(out, event, warm_up_ns);
    } else if (event->kind == HW_WATCH_ALARM) {
        alarm_text(out, event);
    } else if (event->kind == HW_WATCH_ENDED) {
        put_head(&line, event->at_ns, event->process);
        hw_buf_puts(&line, " ended");
        put_line(out, HW_STYLE_PLAIN, &line);
    }
}

void hw_tell_watch_diagnosis(struct hw_out *out, const struct hw_watch_diagnosis *told)
{
    struct hw_json json;
    struct hw_buf line = {0};
    if (out->json) {
        begin_json(&json, out, "diagnosis", told->at_ns, told->process);
        hw_json_string(&json, "name", told->process->name);
        hw_json_string(&json, "verdict", told->verdict);
        hw_json_string(&json, "answer", told->answer);
        hw_json_string(&json, "directory", told->directory);
        hw_json_end(&json);
        return;
    }
    put_head(&line, told->at_ns, told->process);
    hw_buf_printf(&line, " %s: %s", *told->verdict ? "diagnosis" : "no diagnosis", told->answer);
    put_line(out, HW_STYLE_KEY, &line);
    hw_buf_printf(&line, "evidence: %s", told->directory);
    hw_out_puts(out, "          ");
    hw_out_wrap(out, 10, 10, hw_buf_str(&line));
    hw_buf_deinit(&line);
}

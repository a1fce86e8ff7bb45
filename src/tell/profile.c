/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/profile.h"

#include "tell/parts.h"
#include "tell/text.h"

#include <inttypes.h>

const char *hw_profile_measure_text(const struct hw_profile *profile, enum hw_measure measure)
{
    switch (measure) {
    case HW_MEASURE_PEAK:
        return "at the peak";
    case HW_MEASURE_ALLOCATED:
        return "allocated in all";
    case HW_MEASURE_TEMPORARY:
        return "temporary";
    default:
        return !profile->is_recording ? "in use"
               : profile->is_complete ? "in use at the end"
                                      : "in use at its end";
    }
}

/* ---- text ---- */

static void put_duration(struct hw_buf *line, double seconds)
{
    if (seconds < 120) {
        hw_text_duration(line, (int64_t)(seconds * 1e9));
        return;
    }
    uint64_t whole = (uint64_t)(seconds + .5);
    if (whole >= 3600)
        hw_buf_printf(line, "%" PRIu64 " h ", whole / 3600);
    hw_buf_printf(line, "%" PRIu64 " min %" PRIu64 " s", whole / 60 % 60, whole % 60);
}

static void put_amount(struct hw_buf *line, struct hw_amount amount)
{
    hw_text_bytes(line, (double)amount.bytes);
    hw_buf_puts(line, " in ");
    hw_text_count(line, amount.count);
    hw_buf_puts(line, amount.count == 1 ? " block" : " blocks");
}

static void put_origin(struct hw_out *out, const struct hw_profile *profile)
{
    struct hw_buf line = {0};
    hw_buf_printf(&line, "%s of process %" PRId64, profile->is_recording ? "recording" : "sites",
                  profile->pid);
    if (*profile->command)
        hw_buf_printf(&line, ", %s", profile->command);
    hw_buf_puts(&line, ", ");
    hw_parts_time(&line, (int64_t)(profile->began_unix * 1e9));
    if (profile->is_recording) {
        hw_buf_puts(&line, ", ");
        put_duration(&line, profile->seconds);
        hw_buf_puts(&line, ", ");
        hw_text_count(&line, profile->event_count);
        hw_buf_puts(&line, " events");
    }
    if (profile->parent_pid)
        hw_buf_printf(&line, ", forked from %" PRId64, profile->parent_pid);
    hw_out_style(out, HW_STYLE_FAINT);
    hw_out_wrap(out, 0, 2, hw_buf_str(&line));
    hw_out_style(out, HW_STYLE_PLAIN);
    hw_buf_deinit(&line);
}

static void put_doubts(struct hw_out *out, const struct hw_profile *profile)
{
    struct hw_buf line = {0};
    if (*profile->damage)
        hw_buf_printf(&line, "The file is damaged: %s. What follows is not told. ",
                      profile->damage);
    else if (!profile->is_complete && profile->is_recording)
        hw_buf_puts(&line, "The recording ends before its program did: it still runs, was killed, or "
                           "became another one by exec. ");
    if (profile->rate_bytes) {
        hw_buf_puts(&line, "Numbers are estimates, from ");
        hw_text_count(&line, profile->sample_count);
        hw_buf_puts(&line, profile->sample_count == 1 ? " sample" : " samples");
        hw_buf_puts(&line, ", one for each ");
        hw_text_bytes(&line, (double)profile->rate_bytes);
        hw_buf_puts(&line, " allocated. ");
        if (profile->is_recording)
            hw_buf_puts(&line, "Temporary is what was given back before its thread's next sample. ");
    }
    if (profile->missed) {
        hw_text_count(&line, profile->missed);
        hw_buf_puts(&line, profile->missed == 1 ? " block was missed. " : " blocks were missed. ");
    }
    if (line.len)
        hw_out_wrap(out, 0, 0, hw_buf_str(&line));
    hw_buf_deinit(&line);
}

static void put_totals(struct hw_out *out, const struct hw_profile *profile)
{
    struct hw_buf line = {0};
    if (profile->is_recording) {
        hw_buf_puts(&line, "Peak ");
        put_amount(&line, profile->totals[HW_MEASURE_PEAK]);
        hw_buf_puts(&line, " after ");
        put_duration(&line, profile->peak_seconds);
        hw_buf_puts(&line, "; ");
    }
    hw_buf_printf(&line, "%s ",
                  profile->is_recording ? hw_profile_measure_text(profile, HW_MEASURE_LIVE)
                                        : "In use");
    put_amount(&line, profile->totals[HW_MEASURE_LIVE]);
    if (profile->is_recording) {
        hw_buf_puts(&line, "; allocated in all ");
        put_amount(&line, profile->totals[HW_MEASURE_ALLOCATED]);
        hw_buf_puts(&line, ", of them temporary ");
        put_amount(&line, profile->totals[HW_MEASURE_TEMPORARY]);
    }
    hw_buf_puts(&line, ".");
    hw_out_wrap(out, 0, 0, hw_buf_str(&line));
    hw_buf_deinit(&line);
}

void hw_profile_head(struct hw_out *out, const struct hw_profile *profile)
{
    put_origin(out, profile);
    put_doubts(out, profile);
    put_totals(out, profile);
}

/* ---- JSON ---- */

void hw_profile_amounts_json(struct hw_json *json, const struct hw_profile *profile,
                             const struct hw_amount amounts[HW_MEASURE_COUNT])
{
    for (size_t i = 0; i < HW_MEASURE_COUNT; i++) {
        if (!hw_profile_knows(profile, (enum hw_measure)i, NULL))
            continue;
        hw_json_object(json, hw_measure_name((enum hw_measure)i));
        hw_json_u64(json, "blocks", amounts[i].count);
        hw_json_u64(json, "bytes", amounts[i].bytes);
        hw_json_end(json);
    }
}

void hw_profile_head_json(struct hw_json *json, const struct hw_profile *profile)
{
    hw_json_i64(json, "pid", profile->pid);
    hw_json_i64(json, "parent_pid", profile->parent_pid);
    hw_json_string(json, "command", profile->command);
    hw_json_bool(json, "recording", profile->is_recording);
    hw_json_bool(json, "complete", profile->is_complete);
    hw_json_string(json, "damage", profile->damage);
    hw_json_time(json, "began", (int64_t)(profile->began_unix * 1e9));
    hw_json_double(json, "seconds", profile->seconds);
    hw_json_double(json, "peak_seconds", profile->peak_seconds);
    hw_json_u64(json, "rate", profile->rate_bytes);
    hw_json_u64(json, "samples", profile->sample_count);
    hw_json_u64(json, "blocks_missed", profile->missed);
    hw_json_u64(json, "events", profile->event_count);
}

void hw_profile_json(struct hw_json *json, const struct hw_profile *profile)
{
    hw_json_object(json, "profile");
    hw_profile_head_json(json, profile);
    hw_json_object(json, "totals");
    hw_profile_amounts_json(json, profile, profile->totals);
    hw_json_end(json);
    hw_json_end(json);
}

void hw_profile_moments_json(struct hw_json *json, const struct hw_profile *profile)
{
    hw_json_array(json, "moments");
    for (size_t i = 0; i < profile->moment_count; i++) {
        hw_json_object(json, NULL);
        hw_json_double(json, "seconds", profile->moments[i].seconds);
        hw_json_u64(json, "live_bytes", profile->moments[i].live_bytes);
        hw_json_end(json);
    }
    hw_json_end(json);
}

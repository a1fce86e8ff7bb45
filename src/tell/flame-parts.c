/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/clock.h"
#include "tell/flame.h"
#include "tell/text.h"

#include <inttypes.h>

void hw_flame_facts(struct hw_buf *buf, const struct hw_profile *profile)
{
    const struct hw_amount *live = &profile->totals[HW_MEASURE_LIVE];
    const struct hw_amount *peak = &profile->totals[HW_MEASURE_PEAK];
    hw_buf_printf(buf, "Process %" PRId64 ", ", profile->pid);
    hw_text_time(buf, HW_CLOCK_FULL, (int64_t)(profile->began_unix * 1e9));
    if (profile->is_recording) {
        hw_buf_puts(buf, ", for ");
        hw_text_duration(buf, (int64_t)(profile->seconds * 1e9));
        hw_buf_puts(buf, profile->is_complete ? ". At most "
                                              : ", of which the end is missing. At most ");
        hw_text_bytes(buf, (double)peak->bytes);
        hw_buf_puts(buf, " in use, in the end ");
    } else {
        hw_buf_puts(buf, ". In use ");
    }
    hw_text_bytes(buf, (double)live->bytes);
    hw_buf_puts(buf, ", ");
    hw_text_count(buf, live->count);
    hw_buf_puts(buf, live->count == 1 ? " block." : " blocks.");
    if (profile->rate_bytes) {
        hw_buf_puts(buf, " Estimated from ");
        hw_text_count(buf, profile->sample_count);
        hw_buf_puts(buf, profile->sample_count == 1 ? " sample" : " samples");
        hw_buf_puts(buf, ", one for each ");
        hw_text_bytes(buf, (double)profile->rate_bytes);
        hw_buf_puts(buf, " allocated.");
    }
    if (profile->is_recording && *profile->damage)
        hw_buf_printf(buf, " The file is damaged: %s. What follows is not told.", profile->damage);
    if (profile->missed) {
        hw_buf_puts(buf, " ");
        hw_text_count(buf, profile->missed);
        hw_buf_puts(buf, profile->missed == 1 ? " more is not known." : " more are not known.");
    }
}

void hw_flame_thread(struct hw_buf *buf, const struct hw_profile_thread *thread)
{
    if (*thread->name)
        hw_text_escape(buf, thread->name);
    else
        hw_buf_puts(buf, "thread");
    if (thread->id)
        hw_buf_printf(buf, " %" PRIu64, thread->id);
}

unsigned hw_flame_hue(const char *package)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (const char *p = package; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 16777619u;
    return (hash ^ hash >> 16) % 360;
}

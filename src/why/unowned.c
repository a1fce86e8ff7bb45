/* SPDX-License-Identifier: Apache-2.0 */
#include "why/work.h"

#include <inttypes.h>
#include <string.h>

/*
 * Descriptors that no Python object owns: os.open() that nobody closes, sockets of C libraries. The
 * heap does not show them, so no suspect stands for them. A pool that fills up looks the same at
 * first; so this is a doubt, and never a leak by itself.
 */

enum { SHOTS_LEAST = 3, GAIN_LEAST = 5 };

/* They became more in every interval. */
static bool grows(const struct hw_series *series, uint64_t *ret_gain)
{
    const struct hw_series_shot *shots = series->shots;
    if (series->count < SHOTS_LEAST || !shots[0].facts.system_recorded)
        return false;
    for (size_t k = 1; k < series->count; k++)
        if (!shots[k].facts.system_recorded || shots[k].unowned <= shots[k - 1].unowned)
            return false;
    *ret_gain = shots[series->count - 1].unowned - shots[0].unowned;
    return *ret_gain >= GAIN_LEAST;
}

/* The largest group of them now; NULL: none. */
static const struct hw_descriptor_group *largest(const struct hw_resources *resources)
{
    for (size_t i = 0; i < resources->group_count; i++)
        if (strcmp(resources->groups[i].owner, "nobody") == 0)
            return &resources->groups[i];
    return NULL;
}

/* "; at this rate the limit of 1024 is reached in 3 minutes" */
static void put_time_left(const struct hw_facts *facts, double rate, struct hw_buf *out)
{
    if (!facts->descriptor_limit || facts->descriptor_limit <= facts->descriptor_total)
        return;
    double seconds = (double)(facts->descriptor_limit - facts->descriptor_total) / rate;
    const char *unit = seconds < 120 ? "seconds" : seconds < 7200 ? "minutes" : "hours";
    double left = seconds < 120 ? seconds : seconds < 7200 ? seconds / 60 : seconds / 3600;
    hw_buf_printf(out, "; at this rate the limit of %" PRIu64 " is reached in %.0f %s",
                  facts->descriptor_limit, left, unit);
}

static void put_doubt(const struct hw_work *work, uint64_t gain,
                      const struct hw_descriptor_group *group, struct hw_buf *out)
{
    const struct hw_series *series = work->series;
    size_t last = series->count - 1;
    double rate = (double)gain / hw_series_seconds(series, 0, last);
    hw_buf_puts(out, "the open descriptors that no Python object owns became more in every "
                     "interval: ");
    for (size_t k = 0; k <= last; k++)
        hw_buf_printf(out, "%s%" PRIu64, k ? " -> " : "", series->shots[k].unowned);
    hw_buf_printf(out, ", %.1f/s", rate);
    if (group)
        hw_buf_printf(out, "; %" PRIu64 " of them are %s", group->count, group->what);
    if (group && *group->candidate)
        hw_buf_printf(out, ", perhaps those in %s", group->candidate);
    put_time_left(&series->shots[last].facts, rate, out);
    hw_buf_printf(out, "; heapwhy resources %d tells each", (int)series->shots[last].facts.pid);
}

bool hw_work_doubt_unowned(struct hw_work *work)
{
    struct hw_diagnosis *diagnosis = &work->result->diagnosis;
    struct hw_resources *resources;
    struct hw_buf text = {0};
    uint64_t gain;
    if (!grows(work->series, &gain))
        return true;
    if (!hw_resources_ask(work->series->last, &resources, work->err))
        return false;
    put_doubt(work, gain, largest(resources), &text);
    hw_resources_destroy(resources);
    const char *copy =
        hw_buf_ok(&text) ? hw_arena_strdup(&work->result->arena, hw_buf_str(&text)) : NULL;
    hw_buf_deinit(&text);
    if (diagnosis->verdict == HW_VERDICT_STEADY)
        diagnosis->verdict = HW_VERDICT_INCONCLUSIVE;
    return hw_work_doubt(work, copy);
}

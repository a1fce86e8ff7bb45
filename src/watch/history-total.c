/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "watch/history.h"

#include <stdlib.h>

/* A sample of any series, by its time. */
struct moment {
    int64_t at_ns;
    uint32_t series, number;
};

static int by_time(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;
    return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

static bool has_children(const struct hw_memory_history *told)
{
    for (size_t i = 0; i < told->series_count; i++)
        if (told->series[i].process.parent)
            return true;
    return false;
}

static void list_moments(const struct hw_memory_history *told, struct moment *moments)
{
    size_t count = 0;
    for (uint32_t i = 0; i < told->series_count; i++)
        for (uint32_t k = 0; k < told->series[i].sample_count; k++)
            moments[count++] = (struct moment){told->series[i].samples[k].at_ns, i, k};
    qsort(moments, count, sizeof(*moments), by_time);
}

/* What a series has from this moment on, less what it had before. */
static int64_t step_of(const struct hw_memory_series *series, uint32_t number)
{
    uint64_t before = number ? series->samples[number - 1].rss_bytes : 0;
    return (int64_t)(series->samples[number].rss_bytes - before);
}

static bool add_sums(struct hw_history *history, const struct moment *moments, size_t count,
                     size_t total, struct hw_err *err)
{
    struct hw_memory_sample sum = {.peak_rss_bytes = HW_UNKNOWN,
                                   .memory_bytes = HW_UNKNOWN,
                                   .swap_bytes = HW_UNKNOWN,
                                   .pss_bytes = HW_UNKNOWN,
                                   .fds = HW_UNKNOWN,
                                   .threads = HW_UNKNOWN};
    for (size_t i = 0; i < count; i++) {
        const struct hw_memory_series *series = &history->told.series[moments[i].series];
        sum.at_ns = moments[i].at_ns;
        sum.rss_bytes += (uint64_t)step_of(series, moments[i].number);
        if (!hw_history_sample(history, total, &sum, err))
            return false;
        /* its last sample: it is gone from the next moment on */
        if (moments[i].number + 1 == series->sample_count)
            sum.rss_bytes -= series->samples[moments[i].number].rss_bytes;
    }
    return true;
}

bool hw_memory_history_add_total(struct hw_memory_history *told, struct hw_err *err)
{
    struct hw_history *history = hw_history_of(told);
    const struct hw_watched together = {.name = "together"};
    size_t count = history->samples, total;
    if (!has_children(told))
        return true;
    struct moment *moments = calloc(count + 1, sizeof(*moments));
    if (!moments)
        return hw_err_no_memory(err);
    list_moments(told, moments);
    bool ok = hw_history_begin(history, &together, &total, err) &&
              add_sums(history, moments, count, total, err);
    free(moments);
    return ok;
}

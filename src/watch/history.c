/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/history.h"

#include "base/err.h"
#include "base/vec.h"
#include "watch/alert.h"
#include "watch/limits.h"

#include <stdlib.h>
#include <string.h>

struct hw_history *hw_history_of(struct hw_memory_history *history)
{
    return (struct hw_history *)history;
}

bool hw_memory_history_create(struct hw_memory_history **ret_history, struct hw_err *err)
{
    struct hw_history *history = calloc(1, sizeof(*history));
    if (!history)
        return hw_err_no_memory(err);
    history->told.source = "";
    *ret_history = &history->told;
    return true;
}

void hw_memory_history_destroy(struct hw_memory_history *told)
{
    struct hw_history *history = hw_history_of(told);
    if (!history)
        return;
    for (size_t i = 0; i < told->series_count; i++)
        free(told->series[i].samples);
    free(told->series);
    free(told->marks);
    free(history->capacities);
    hw_arena_deinit(&history->arena);
    free(history);
}

static bool too_many(struct hw_err *err, const char *what)
{
    return hw_err_set(err, HW_ERR_LIMIT, "more %s than a plot can hold", what);
}

bool hw_history_begin(struct hw_history *history, const struct hw_watched *process,
                      size_t *ret_series, struct hw_err *err)
{
    struct hw_memory_history *told = &history->told;
    size_t count = told->series_count;
    if (count == HW_HISTORY_SERIES_MAX)
        return too_many(err, "processes");
    struct hw_memory_series *series =
        hw_vec_grow(told->series, &history->series_capacity, count + 1, sizeof(*series));
    if (!series)
        return hw_err_no_memory(err);
    told->series = series;
    size_t *capacities = hw_vec_grow(history->capacities, &history->capacities_capacity, count + 1,
                                     sizeof(*capacities));
    char *name = hw_arena_strdup(&history->arena, process->name);
    if (!capacities || !name)
        return hw_err_no_memory(err);
    history->capacities = capacities;
    capacities[count] = 0;
    series[count] = (struct hw_memory_series){.process = *process};
    series[count].process.name = name;
    *ret_series = told->series_count++;
    return true;
}

bool hw_history_sample(struct hw_history *history, size_t number,
                       const struct hw_memory_sample *sample, struct hw_err *err)
{
    struct hw_memory_series *series = &history->told.series[number];
    if (history->samples == HW_HISTORY_SAMPLES_MAX)
        return too_many(err, "samples");
    struct hw_memory_sample *grown = hw_vec_grow(series->samples, &history->capacities[number],
                                                 series->sample_count + 1, sizeof(*grown));
    if (!grown)
        return hw_err_no_memory(err);
    series->samples = grown;
    grown[series->sample_count] = *sample;
    if (sample->rss_bytes > grown[series->peak].rss_bytes)
        series->peak = series->sample_count;
    series->sample_count++;
    history->samples++;
    return true;
}

bool hw_history_mark(struct hw_history *history, const struct hw_memory_mark *mark,
                     struct hw_err *err)
{
    struct hw_memory_history *told = &history->told;
    if (told->mark_count == HW_HISTORY_MARKS_MAX)
        return too_many(err, "marks");
    struct hw_memory_mark *marks =
        hw_vec_grow(told->marks, &history->marks_capacity, told->mark_count + 1, sizeof(*marks));
    if (!marks)
        return hw_err_no_memory(err);
    told->marks = marks;
    marks[told->mark_count] = *mark;
    marks[told->mark_count].text = hw_arena_strdup(&history->arena, mark->text);
    if (!marks[told->mark_count].text)
        return hw_err_no_memory(err);
    told->mark_count++;
    return true;
}

void hw_history_drop_empty(struct hw_history *history)
{
    struct hw_memory_history *told = &history->told;
    size_t kept = 0, marks = 0;
    for (size_t i = 0; i < told->series_count; i++) {
        bool gone = !told->series[i].sample_count;
        for (size_t k = 0; k < told->mark_count; k++)
            if (told->marks[k].series == i)
                told->marks[k].series = gone ? SIZE_MAX : kept;
        if (gone) {
            free(told->series[i].samples);
            continue;
        }
        history->capacities[kept] = history->capacities[i];
        told->series[kept++] = told->series[i];
    }
    told->series_count = kept;
    for (size_t k = 0; k < told->mark_count; k++)
        if (told->marks[k].series != SIZE_MAX)
            told->marks[marks++] = told->marks[k];
    told->mark_count = marks;
}

size_t hw_history_find(const struct hw_history *history, pid_t pid)
{
    for (size_t i = history->told.series_count; i-- > 0;)
        if (history->told.series[i].process.pid == pid)
            return i;
    return SIZE_MAX;
}

bool hw_memory_history_add(struct hw_memory_history *told, const struct hw_watch_event *event,
                           struct hw_err *err)
{
    struct hw_history *history = hw_history_of(told);
    size_t series = hw_history_find(history, event->process->pid);
    switch (event->kind) {
    case HW_WATCH_BEGAN:
        return hw_history_begin(history, event->process, &series, err);
    case HW_WATCH_SAMPLE:
        return series == SIZE_MAX || hw_history_sample(history, series, event->sample, err);
    case HW_WATCH_ALARM:
        return series == SIZE_MAX ||
               hw_history_mark(
                   history,
                   &(struct hw_memory_mark){.at_ns = event->at_ns,
                                            .series = series,
                                            .text = hw_alarm_reason_name(event->alarm->reason),
                                            .is_alarm = true},
                   err);
    case HW_WATCH_ENDED:
        break;
    }
    return true;
}

/* ---- judging ---- */

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The median time between samples; 0: no memory. */
static int64_t interval_of(const struct hw_memory_series *series)
{
    size_t count = series->sample_count - 1;
    int64_t *gaps = calloc(count + 1, sizeof(*gaps)), middle = INT64_C(1000000000);
    if (!gaps)
        return 0;
    for (size_t i = 0; i < count; i++)
        gaps[i] = series->samples[i + 1].at_ns - series->samples[i].at_ns;
    qsort(gaps, count, sizeof(*gaps), by_size);
    if (count && gaps[count / 2] > 0)
        middle = gaps[count / 2];
    free(gaps);
    return middle;
}

static void judge_series(const struct hw_memory_series *series,
                         const struct hw_watch_options *options, hw_watch_sink *sink, void *ctx)
{
    struct hw_alert alert;
    struct hw_watch_event event = {
        .kind = HW_WATCH_BEGAN, .at_ns = series->samples[0].at_ns, .process = &series->process};
    int64_t started = series->process.started_at_ns, first = series->samples[0].at_ns;
    int64_t age = started && started < first ? first - started : 0;
    hw_alert_init(&alert, options, age, &series->samples[0], first);
    sink(ctx, &event);
    for (size_t i = 0; i < series->sample_count; i++) {
        struct hw_alarm alarms[HW_ALERTS];
        event.kind = HW_WATCH_ALARM;
        event.sample = &series->samples[i];
        event.at_ns = event.sample->at_ns;
        size_t count = hw_alert_add(&alert, event.sample, event.at_ns, alarms);
        for (size_t k = 0; k < count; k++) {
            hw_limits_set(&alarms[k], NULL, options->rss_bytes, event.sample);
            event.alarm = &alarms[k];
            sink(ctx, &event);
        }
    }
}

bool hw_memory_history_judge(const struct hw_memory_history *history,
                             const struct hw_watch_options *options, hw_watch_sink *sink, void *ctx,
                             struct hw_err *err)
{
    for (size_t i = 0; i < history->series_count; i++) {
        struct hw_watch_options recorded = *options;
        recorded.every_ns = interval_of(&history->series[i]);
        if (!recorded.every_ns)
            return hw_err_no_memory(err);
        judge_series(&history->series[i], &recorded, sink, ctx);
    }
    return true;
}

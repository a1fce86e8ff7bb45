/* SPDX-License-Identifier: Apache-2.0 */

/* Growth of memory: series made up here, and all that tests/data/series has recorded. */
#include "heapwhy.h"
#include "watch/alert.h"
#include "watch/rise.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND_NS INT64_C(1000000000)
#define MB 1e6

enum { WITHIN_S = 10 };

/* ---- made up ---- */

/* Memory in bytes at a second of a process's life. */
typedef double story(double second);

struct told {
    size_t alarms;
    double first_s; /* -1: none */
    double rate;
};

/* Watches from second from_s on. known: bytes that it had before. */
static struct told watch(story *memory, double from_s, double to_s, double every_s, double known)
{
    struct hw_rise growth;
    const struct hw_rise_options options = {.every_ns = (int64_t)(every_s * 1e9),
                                            .least_rate = HW_WATCH_GROWTH_RATE,
                                            .warm_up_ns = HW_WATCH_WARM_UP_NS,
                                            .first_ns = (int64_t)(from_s * 1e9),
                                            .known_bytes = known};
    struct told told = {.first_s = -1};
    hw_rise_init(&growth, &options);
    for (double at = from_s; at <= to_s; at += every_s) {
        struct hw_rise_finding finding;
        if (!hw_rise_add(&growth, (int64_t)(at * 1e9), memory(at), &finding))
            continue;
        if (!told.alarms++) {
            told.first_s = at;
            told.rate = finding.bytes_per_second;
        }
    }
    return told;
}

static void assert_silent(const char *what, story *memory, double to_s)
{
    struct told told = watch(memory, 0, to_s, 1, 0);
    if (told.alarms)
        fail_msg("%s: alarm after %.0f s, %.0f bytes/s", what, told.first_s, told.rate);
}

static void assert_alarm(const char *what, struct told told, double begin_s, double within_s)
{
    if (!told.alarms || told.first_s < begin_s || told.first_s > begin_s + within_s)
        fail_msg("%s: %zu alarms, the first after %.0f s", what, told.alarms, told.first_s);
}

/* The same numbers in every run. */
static double noise(double second)
{
    uint64_t x = (uint64_t)(second * 1000) * 0x9e3779b97f4a7c15u + 0x632be59bd9b4e019u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (double)((x ^ (x >> 31)) >> 11) / 9007199254740992.0;
}

static double flat(double t)
{
    (void)t;
    return 100 * MB;
}
static double jitter(double t)
{
    return 100 * MB + 20 * MB * noise(t);
}
static double tooth(double t)
{
    return 100 * MB + 60 * MB * fmod(t, 45) / 45;
}
static double uneven_tooth(double t)
{
    double top = 40 * MB + 15 * MB * noise(floor(t / 45));
    return 100 * MB + top * fmod(t, 45) / 45;
}
static double wave(double t)
{
    return 200 * MB - 100 * MB * cos(t / 900 * 2 * M_PI);
}
static double start_up(double t)
{
    return t < 100 ? 2 * MB * t : 200 * MB;
}
static double filling(double t)
{
    return 300 * MB * (1 - exp(-t / 60));
}
static double one_step(double t)
{
    return t < 200 ? 100 * MB : 180 * MB;
}
/* A load that takes four seconds, less than a window. */
static double ramp_step(double t)
{
    return t < 200 ? 100 * MB : t < 204 ? 100 * MB + 20 * MB * (t - 200) : 180 * MB;
}
static double batches(double t)
{
    double in = fmod(t, 120);
    return 100 * MB + (in < 30 ? 2 * MB * in : in < 60 ? 60 * MB : 0);
}
static double peak_at_start(double t)
{
    return t < 10 ? 30 * MB * t : t < 15 ? 300 * MB : 100 * MB;
}
static double leak_after(double t, double begin, double rate)
{
    return t > begin ? (t - begin) * rate : 0;
}
static double leak(double t)
{
    return flat(t) + leak_after(t, 300, MB);
}
static double leak_after_peak(double t)
{
    return peak_at_start(t) + leak_after(t, 300, MB);
}
static double slow_leak(double t)
{
    return flat(t) + leak_after(t, 300, 60e3);
}
static double very_slow_leak(double t)
{
    return flat(t) + leak_after(t, 300, 20e3);
}
static double noisy_leak(double t)
{
    return jitter(t) + leak_after(t, 300, MB);
}
static double tooth_leak(double t)
{
    return tooth(t) + leak_after(t, 300, MB);
}
static double step_leak(double t)
{
    return flat(t) + 10 * MB * floor(leak_after(t, 300, 1) / 15);
}

static void test_what_is_no_growth(void **state)
{
    (void)state;
    assert_silent("flat", flat, 4000);
    assert_silent("jitter", jitter, 100000);
    assert_silent("sawtooth", tooth, 20000);
    assert_silent("uneven sawtooth", uneven_tooth, 20000);
    assert_silent("start-up", start_up, 4000);
    assert_silent("a cache that fills", filling, 4000);
    assert_silent("a step", one_step, 4000);
    assert_silent("a short ramp", ramp_step, 4000);
    assert_silent("a peak at the start", peak_at_start, 4000);
}

/* The first ones cannot be told from a leak while they last; all others can. */
static void test_what_came_before_is_no_growth(void **state)
{
    (void)state;
    const double known = 350 * MB;
    assert_int_equal(watch(wave, 10000, 30000, 1, known).alarms, 0);
    assert_int_equal(watch(batches, 10000, 20000, 1, known).alarms, 0);
    struct told told = watch(batches, 0, 20000, 1, 0);
    assert_true(told.alarms <= 60 && told.first_s < 240);
}

static void test_a_leak_is_told_within_ten_seconds(void **state)
{
    (void)state;
    assert_alarm("leak", watch(leak, 0, 400, 1, 0), 300, WITHIN_S);
    assert_alarm("leak, watched late", watch(leak, 280, 400, 1, 100 * MB), 300, WITHIN_S);
    assert_alarm("leak, twice a second", watch(leak, 0, 400, 0.5, 0), 300, WITHIN_S);
    assert_alarm("leak, ten times a second", watch(leak, 0, 400, 0.1, 0), 300, WITHIN_S);
    assert_alarm("leak after a start with a peak", watch(leak_after_peak, 0, 400, 1, 0), 300,
                 WITHIN_S);
    struct told told = watch(leak, 0, 400, 1, 0);
    assert_true(told.rate > 0.7 * MB && told.rate < 1.3 * MB);
}

static void test_slower_and_rougher_leaks_take_longer(void **state)
{
    (void)state;
    assert_alarm("60 kB/s", watch(slow_leak, 0, 1000, 1, 0), 300, 150);
    assert_alarm("in noise", watch(noisy_leak, 0, 1000, 1, 0), 300, 120);
    assert_alarm("below a sawtooth", watch(tooth_leak, 0, 2000, 1, 0), 300, 600);
    assert_alarm("in steps", watch(step_leak, 0, 2000, 1, 0), 300, 300);
    assert_alarm("each 5 s", watch(leak, 0, 600, 5, 0), 300, 60);
    assert_alarm("each minute", watch(leak, 0, 3000, 60, 0), 300, 700);
    assert_int_equal(watch(very_slow_leak, 0, 5000, 1, 0).alarms, 0);
}

static void test_a_young_process_is_given_time(void **state)
{
    (void)state;
    assert_int_equal(watch(start_up, 0, 90, 1, 0).alarms, 0);
    struct hw_rise growth;
    struct hw_rise_finding finding;
    const struct hw_rise_options at_once = {.every_ns = SECOND_NS, .least_rate = 1};
    size_t second = 0;
    hw_rise_init(&growth, &at_once);
    while (second < 60 &&
           !hw_rise_add(&growth, (int64_t)second * SECOND_NS, start_up((double)second), &finding))
        second++;
    assert_in_range(second, 7, 9);
}

static void test_gaps_and_clocks(void **state)
{
    (void)state;
    struct hw_rise growth;
    struct hw_rise_finding finding;
    const struct hw_rise_options options = {.every_ns = SECOND_NS, .least_rate = 1};
    hw_rise_init(&growth, &options);
    for (int i = 0; i < 100; i++)
        assert_false(hw_rise_add(&growth, i * SECOND_NS, 50 * MB, &finding));
    /* the machine slept for an hour, and memory is another */
    for (int i = 0; i < 7; i++)
        assert_false(hw_rise_add(&growth, (3700 + i) * SECOND_NS, 90 * MB + i, &finding));
    /* times that stand still or go back */
    for (int i = 0; i < 100; i++)
        assert_false(hw_rise_add(&growth, 3000 * SECOND_NS, i * 100 * MB, &finding));
}

/* ---- telling once ---- */

static size_t alarms_of(story *memory, uint64_t rss_bytes, double to_s, size_t *ret_rss)
{
    struct hw_alert alert;
    size_t growth = 0;
    const struct hw_watch_options options = {
        .every_ns = SECOND_NS, .rss_bytes = rss_bytes, .warm_up_ns = HW_WATCH_WARM_UP_NS};
    *ret_rss = 0;
    for (double at = 0; at <= to_s; at++) {
        struct hw_alarm alarms[HW_ALERTS];
        uint64_t bytes = (uint64_t)memory(at);
        const struct hw_memory_sample sample = {
            .rss_bytes = bytes, .memory_bytes = bytes, .peak_rss_bytes = bytes};
        if (at == 0)
            hw_alert_init(&alert, &options, 0, &sample, 0);
        size_t count = hw_alert_add(&alert, &sample, (int64_t)at * SECOND_NS, alarms);
        for (size_t i = 0; i < count; i++) {
            *ret_rss += alarms[i].reason == HW_ALARM_RSS;
            growth += alarms[i].reason == HW_ALARM_GROWTH;
        }
    }
    return growth;
}

static double leak_twice(double t)
{
    return flat(t) + leak_after(t, 300, MB) - leak_after(t, 330, MB) + leak_after(t, 1000, MB);
}
static double around_500(double t)
{
    return 500 * MB + 10 * MB * (noise(t) - 0.5);
}
static double high_tides(double t)
{
    return 300 * MB + 250 * MB * (fmod(t, 200) < 100);
}
static double high_teeth(double t)
{
    return 300 * MB + 250 * MB * (fmod(t, 20) < 3);
}

static void test_trouble_is_told_once(void **state)
{
    (void)state;
    size_t rss;
    /* +9 MB, then each time it has become five times as much */
    assert_in_range(alarms_of(leak, 0, 1300, &rss), 2, 5);
    assert_int_equal(alarms_of(leak_twice, 0, 1015, &rss), 2);
    alarms_of(around_500, 500000000, 1000, &rss);
    assert_int_equal(rss, 1);
    alarms_of(high_tides, 500000000, 999, &rss);
    assert_int_equal(rss, 5);
    alarms_of(high_teeth, 500000000, 999, &rss);
    assert_int_equal(rss, 1);
}

/* ---- recorded ---- */

struct replay {
    size_t alarms;
    int64_t first_ns;
    char answer[128];
};

static void count_alarm(void *ctx, const struct hw_watch_event *event)
{
    struct replay *replay = ctx;
    if (event->kind != HW_WATCH_ALARM)
        return;
    if (!replay->alarms++) {
        replay->first_ns = event->at_ns;
        snprintf(replay->answer, sizeof(replay->answer), "%.0f bytes/s for %.0f s",
                 event->alarm->bytes_per_second, (double)event->alarm->window_ns / 1e9);
    }
}

/* When the program said that its leak begins; 0: it does not. */
static int64_t leak_begins(const struct hw_memory_history *history)
{
    for (size_t i = 0; i < history->mark_count; i++)
        if (strcmp(history->marks[i].text, "leak begins") == 0)
            return history->marks[i].at_ns;
    return 0;
}

static struct replay replay_file(const char *path, int64_t *ret_begins)
{
    struct hw_err err = HW_ERR_INIT;
    struct hw_memory_history *history = NULL;
    struct replay replay = {0};
    const struct hw_watch_options options = {.warm_up_ns = HW_WATCH_WARM_UP_NS};
    if (!hw_memory_history_load(path, &history, &err) ||
        !hw_memory_history_judge(history, &options, count_alarm, &replay, &err))
        fail_msg("%s: %s", path, err.msg);
    assert_int_equal(history->bad_lines, 0);
    *ret_begins = leak_begins(history);
    hw_memory_history_destroy(history);
    return replay;
}

typedef void judge_file(const char *name, const struct replay *replay, int64_t begins_ns);

static size_t each_recording(const char *folder, judge_file *judge)
{
    char path[1024];
    size_t count = 0;
    snprintf(path, sizeof(path), "%s/series/%s", HW_TEST_DATA, folder);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));) {
        int64_t begins_ns;
        if (!strstr(entry->d_name, ".jsonl"))
            continue;
        snprintf(path, sizeof(path), "%s/series/%s/%s", HW_TEST_DATA, folder, entry->d_name);
        struct replay replay = replay_file(path, &begins_ns);
        judge(entry->d_name, &replay, begins_ns);
        count++;
    }
    closedir(dir);
    return count;
}

static void is_silent(const char *name, const struct replay *replay, int64_t begins_ns)
{
    (void)begins_ns;
    if (replay->alarms)
        fail_msg("%s: %zu alarms, the first: %s", name, replay->alarms, replay->answer);
}

static void is_told(const char *name, const struct replay *replay, int64_t begins_ns)
{
    if (!replay->alarms || !begins_ns || replay->first_ns < begins_ns)
        fail_msg("%s: %zu alarms, the first: %s", name, replay->alarms, replay->answer);
}

static void is_told_soon(const char *name, const struct replay *replay, int64_t begins_ns)
{
    is_told(name, replay, begins_ns);
    double seconds = (double)(replay->first_ns - begins_ns) / 1e9;
    if (seconds > WITHIN_S)
        fail_msg("%s: told after %.1f s", name, seconds);
}

static void test_recorded_healthy_programs(void **state)
{
    (void)state;
    assert_true(each_recording("healthy", is_silent) >= 20);
}

static void test_recorded_leaks(void **state)
{
    (void)state;
    assert_true(each_recording("leaks", is_told) > 0);
    assert_true(each_recording("leaks_1m", is_told_soon) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_no_growth),
        cmocka_unit_test(test_what_came_before_is_no_growth),
        cmocka_unit_test(test_a_leak_is_told_within_ten_seconds),
        cmocka_unit_test(test_slower_and_rougher_leaks_take_longer),
        cmocka_unit_test(test_a_young_process_is_given_time),
        cmocka_unit_test(test_gaps_and_clocks),
        cmocka_unit_test(test_trouble_is_told_once),
        cmocka_unit_test(test_recorded_healthy_programs),
        cmocka_unit_test(test_recorded_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

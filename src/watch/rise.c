/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/rise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS = HW_RISE_POINTS * (HW_RISE_POINTS - 1) / 2, DISORDER_MOST = 1, SMALL_MOST = 1 };
#define SECOND_NS INT64_C(1000000000)
#define DAY_NS (86400 * SECOND_NS)

/* A step is small when it is less than this part of the slope's, and too large when it alone is
 * more than that part of the whole rise. */
#define SMALL_STEP 0.25
#define LARGE_STEP 0.5
/* The last third against the whole window; and while a process has not settled, a window against
 * the fastest one before. */
#define STILL_GROWS 0.85
#define STILL_WARM 0.7
/* The window before against this one. */
#define SLOWING 1.25
/* By which part of the range in which memory moved before it must exceed that: teeth and waves are
 * not all of one height. */
#define BEYOND 0.25
#define ABOVE_FALLS 2
/* Steady: within this part of the level, and this many bytes. */
#define STEADY_PART 0.01
#define STEADY_BYTES 1e6

static const struct hw_rise_range NOTHING = {.least = INFINITY, .most = 0};

void hw_rise_init(struct hw_rise *growth, const struct hw_rise_options *options)
{
    *growth = (struct hw_rise){.least_rate = options->least_rate,
                               .begins_ns = options->begins_ns,
                               .settles_ns = options->begins_ns + options->warm_up_ns,
                               .anew_ns = INT64_MIN,
                               .last_ns = INT64_MIN};
    int64_t every_ns = options->every_ns > 0 ? options->every_ns : SECOND_NS;
    growth->point_samples = (unsigned)((SECOND_NS + every_ns - 1) / every_ns);
    growth->point_ns = every_ns * growth->point_samples;
    for (size_t i = 0; i < HW_RISE_SCALES; i++)
        growth->levels[i] =
            (struct hw_rise_level){.today = {.least = INFINITY, .most = options->known_bytes},
                                   .before = NOTHING,
                                   .day_ends_ns = options->first_ns + DAY_NS};
}

static struct hw_rise_range range_join(struct hw_rise_range a, struct hw_rise_range b)
{
    return (struct hw_rise_range){.least = fmin(a.least, b.least),
                                  .most = fmax(a.most, b.most),
                                  .fall = fmax(a.fall, b.fall)};
}

/* What is news: more than was there before, by a part of the range in which it moved. */
static double level_news(const struct hw_rise_level *level)
{
    struct hw_rise_range all = range_join(level->today, level->before);
    return all.most > all.least ? all.most + BEYOND * (all.most - all.least) : all.most;
}

static void level_widen(struct hw_rise_level *level, const struct hw_rise_point *point)
{
    if (point->at_ns >= level->day_ends_ns) {
        level->before = level->today;
        level->today = NOTHING;
        level->day_ends_ns = point->at_ns + DAY_NS;
    }
    level->today = range_join(level->today,
                              (struct hw_rise_range){.least = point->least, .most = point->most});
}

/* ---- one window ---- */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double seconds_between(const struct hw_rise_point *from, const struct hw_rise_point *to)
{
    return (double)(to->at_ns - from->at_ns) / (double)SECOND_NS;
}

/* The slopes of all pairs, sorted; returns how many pairs do not rise. */
static size_t slopes_of(const struct hw_rise_point *points, double slopes[PAIRS])
{
    size_t count = 0, disorder = 0;
    for (size_t i = 0; i < HW_RISE_POINTS; i++)
        for (size_t k = i + 1; k < HW_RISE_POINTS; k++) {
            double rise = points[k].least - points[i].least;
            double seconds = seconds_between(&points[i], &points[k]);
            slopes[count++] = seconds > 0 ? rise / seconds : 0;
            disorder += rise <= 0;
        }
    qsort(slopes, PAIRS, sizeof(*slopes), by_size);
    return disorder;
}

/* rise: of the whole window by its slope. */
static bool is_even(const struct hw_rise_point *points, double rate, double rise)
{
    size_t small = 0, last = HW_RISE_POINTS - 1, third = last - HW_RISE_POINTS / 3;
    for (size_t i = 1; i < HW_RISE_POINTS; i++) {
        double step = points[i].least - points[i - 1].least;
        small += step < SMALL_STEP * rate * seconds_between(&points[i - 1], &points[i]);
        if (step > LARGE_STEP * rise)
            return false;
    }
    double end = points[last].least - points[third].least;
    return small <= SMALL_MOST &&
           end >= STILL_GROWS * rate * seconds_between(&points[third], &points[last]);
}

/* By what the window before rose is only known when all of it is kept. */
static bool is_slowing_down(const struct hw_rise_scale *scale)
{
    const struct hw_rise_point *points = scale->points, *middle = &points[HW_RISE_POINTS - 1];
    const struct hw_rise_point *last = &points[HW_RISE_KEPT - 1];
    return scale->count == HW_RISE_KEPT &&
           middle->least - points[0].least > SLOWING * (last->least - middle->least);
}

static bool window_grows(const struct hw_rise *growth, const struct hw_rise_scale *scale,
                         const struct hw_rise_level *level, struct hw_rise_finding *ret)
{
    if (scale->count < HW_RISE_POINTS)
        return false;
    const struct hw_rise_point *points = &scale->points[scale->count - HW_RISE_POINTS];
    const struct hw_rise_point *last = &points[HW_RISE_POINTS - 1];
    double slopes[PAIRS];
    if (points[0].at_ns < growth->anew_ns || last->least <= level_news(level) ||
        is_slowing_down(scale))
        return false;
    size_t disorder = slopes_of(points, slopes);
    double rate = (slopes[PAIRS / 2] + slopes[(PAIRS - 1) / 2]) / 2;
    double rise = rate * seconds_between(&points[0], last);
    if (disorder > DISORDER_MOST || rate < growth->least_rate || rise < HW_RISE_LEAST_BYTES ||
        rise < ABOVE_FALLS * fmax(level->today.fall, level->before.fall) ||
        !is_even(points, rate, rise))
        return false;
    *ret = (struct hw_rise_finding){.bytes_per_second = rate,
                                    .low = slopes[PAIRS / 20],
                                    .high = slopes[PAIRS - 1 - PAIRS / 20],
                                    .rise_bytes = rise,
                                    .window_ns = last->at_ns - points[0].at_ns};
    return true;
}

/* ---- the scales ---- */

static struct hw_rise_point joined(struct hw_rise_point a, struct hw_rise_point b)
{
    return (struct hw_rise_point){.at_ns = b.least < a.least ? b.at_ns : a.at_ns,
                                  .least = b.least < a.least ? b.least : a.least,
                                  .most = b.most > a.most ? b.most : a.most};
}

/* How far the last point is below the highest of its window. */
static double fall_of(const struct hw_rise_scale *scale)
{
    double most = 0;
    size_t first = scale->count > HW_RISE_POINTS ? scale->count - HW_RISE_POINTS : 0;
    for (size_t i = first; i < scale->count; i++)
        most = fmax(most, scale->points[i].least);
    return most - scale->points[scale->count - 1].least;
}

static void scale_push(struct hw_rise *growth, size_t number, struct hw_rise_point point)
{
    struct hw_rise_scale *scale = &growth->scales[number];
    /* what leaves the window is known from now on */
    if (scale->count >= HW_RISE_POINTS) {
        const struct hw_rise_point *leaves = &scale->points[scale->count - HW_RISE_POINTS];
        if (leaves->at_ns >= growth->anew_ns)
            level_widen(&growth->levels[number], leaves);
    }
    if (scale->count == HW_RISE_KEPT)
        memmove(scale->points, scale->points + 1, --scale->count * sizeof(point));
    scale->points[scale->count++] = point;
    struct hw_rise_range *today = &growth->levels[number].today;
    today->fall = fmax(today->fall, fall_of(scale));
}

/* All windows begin anew. What was before the process became steady stays known, without the way
 * up to it; or was its start, and is forgotten. */
static void begin_anew(struct hw_rise *growth, struct hw_rise_point steady, bool forget)
{
    growth->anew_ns = growth->calm_since_ns;
    for (size_t i = 0; i < HW_RISE_SCALES; i++) {
        const struct hw_rise_scale *scale = &growth->scales[i];
        struct hw_rise_level *level = &growth->levels[i];
        for (size_t k = 0; k < scale->count; k++)
            level_widen(level, &scale->points[k]);
        level->today.least = steady.least;
        level->before.least = INFINITY;
        if (forget) {
            level->today.most = steady.most;
            level->today.fall = 0;
            level->before = NOTHING;
        }
    }
}

static void look_whether_steady(struct hw_rise *growth, struct hw_rise_point point)
{
    struct hw_rise_point all = point;
    size_t oldest = ++growth->steady_count % HW_RISE_STEADY_POINTS;
    growth->steady[(oldest + HW_RISE_STEADY_POINTS - 1) % HW_RISE_STEADY_POINTS] = point;
    if (growth->steady_count < HW_RISE_STEADY_POINTS)
        return;
    for (size_t i = 0; i < HW_RISE_STEADY_POINTS; i++)
        all = joined(all, growth->steady[i]);
    double room = STEADY_PART * all.most;
    bool was_calm = growth->calm;
    growth->calm = all.most - all.least <= (room > STEADY_BYTES ? room : STEADY_BYTES);
    if (growth->calm && !was_calm)
        growth->calm_since_ns = growth->steady[oldest].at_ns;
    int64_t calm_ns = point.at_ns - growth->calm_since_ns;
    bool forget =
        growth->calm && !growth->forgot && calm_ns >= growth->calm_since_ns - growth->begins_ns;
    if (growth->calm && (!growth->settled || forget))
        begin_anew(growth, all, forget);
    growth->settled |= growth->calm;
    growth->forgot |= forget;
}

/* While the process is not settled: has growth become much slower since it began? When it is, but
 * young: what is seen on longer scales alone goes up in stairs, as caches and pools do. */
static bool is_warm_up(struct hw_rise *growth, size_t scale, int64_t now_ns, double rate)
{
    if (growth->settled)
        return scale > 0 && now_ns < growth->settles_ns;
    if (rate > growth->fastest)
        growth->fastest = rate;
    return now_ns < growth->settles_ns || rate < STILL_WARM * growth->fastest;
}

static bool point_add(struct hw_rise *growth, struct hw_rise_point point,
                      struct hw_rise_finding *ret)
{
    bool found = false;
    look_whether_steady(growth, point);
    for (size_t i = 0; i < HW_RISE_SCALES; i++) {
        struct hw_rise_scale *scale = &growth->scales[i];
        struct hw_rise_finding finding;
        scale_push(growth, i, point);
        if (!found && window_grows(growth, scale, &growth->levels[i], &finding) &&
            !is_warm_up(growth, i, point.at_ns, finding.bytes_per_second)) {
            *ret = finding;
            found = true;
        }
        scale->has_half = !scale->has_half;
        if (scale->has_half) {
            scale->half = point;
            break;
        }
        point = joined(scale->half, point);
    }
    return found;
}

/* A machine that slept, or samples of which many are missing: old windows say nothing. */
static void forget_before_gap(struct hw_rise *growth, int64_t gap_ns)
{
    for (size_t i = 0; i < HW_RISE_SCALES; i++) {
        struct hw_rise_scale *scale = &growth->scales[i];
        if (gap_ns < (growth->point_ns << i) * HW_RISE_POINTS)
            break;
        for (; scale->count; scale->count--)
            level_widen(&growth->levels[i], &scale->points[scale->count - 1]);
    }
}

bool hw_rise_add(struct hw_rise *growth, int64_t at_ns, double bytes, struct hw_rise_finding *ret)
{
    struct hw_rise_point point = {.at_ns = at_ns, .least = bytes, .most = bytes};
    if (at_ns <= growth->last_ns)
        return false;
    if (growth->last_ns != INT64_MIN)
        forget_before_gap(growth, at_ns - growth->last_ns);
    growth->last_ns = at_ns;
    growth->pending = growth->pending_samples ? joined(growth->pending, point) : point;
    if (++growth->pending_samples < growth->point_samples)
        return false;
    growth->pending_samples = 0;
    return point_add(growth, growth->pending, ret);
}

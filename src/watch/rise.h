/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WATCH_RISE_H
#define HW_WATCH_RISE_H

/*
 * Whether a series of memory samples grows for good. Pure: time comes with the samples.
 *
 * The series is looked at on several time scales at once. A point of scale 0 is the least of the
 * samples of about a second, a point of scale k the least of two points of scale k - 1: the lower
 * envelope, from which the teeth of whatever is shorter than a point are gone. On each scale the
 * last HW_RISE_POINTS points are a window, and it shows growth when all of this holds:
 *
 * - it ends above all that was before it, by a quarter of the range in which that moved: what
 *   memory has been up to already is no news. So the second tooth of a sawtooth, the second day of
 *   a wave, the second batch say nothing;
 * - it rises by twice as much as it ever fell within a window: what goes up and down by chance
 *   falls as deep as it rises;
 * - its order is rising (Mann-Kendall: at most one of the 45 pairs of points is out of order, which
 *   10 points in random order are with a probability of 3e-6);
 * - its slope (Theil-Sen: the median of the slopes of all pairs, which a third of wild points
 *   cannot move) is at least what is asked for, and the rise at least HW_RISE_LEAST_BYTES;
 * - it is even: no single step is most of the rise, at most one is small, and the last third is no
 *   slower than 85 % of the whole. A step is not even;
 * - it is not slowing down: the window before rose by no more than a quarter more. A cache that
 *   fills ever more slowly does.
 *
 * And the process must be settled: it was steady once (20 points within 1 % or 1 MB), or it is
 * older than its warm-up. One that was steady, but is younger, must show growth on the shortest
 * scale: on longer ones it may still warm up by stairs. Until it was steady, growth that has become
 * much slower since it began is still warm-up. When it has been steady for as long as it took to
 * become so, what it had before was its start, and counts no more: a leak need not climb to the
 * peak of the start to be seen. That is done once: the peaks of a program that is idle now and then
 * are its ways.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HW_RISE_POINTS = 10, /* of a window */
    /* the window, and the one before, with a point in common */
    HW_RISE_KEPT = 2 * HW_RISE_POINTS - 1,
    HW_RISE_SCALES = 13,
    HW_RISE_STEADY_POINTS = 20,
};

/* A leak of 1 MB/s passes this in half of the 9 s of the shortest window, one of the least rate
 * that is asked for unless the user says otherwise, 50 kB/s, in 80 s. An idle interpreter moves by
 * less than a tenth of it. */
#define HW_RISE_LEAST_BYTES (4 * 1000 * 1000)

struct hw_rise_point {
    int64_t at_ns; /* of the least sample */
    double least, most;
};

struct hw_rise_scale {
    struct hw_rise_point points[HW_RISE_KEPT]; /* oldest first */
    size_t count;
    struct hw_rise_point half; /* the first of two points of the scale below */
    bool has_half;
};

/* In which range the series moved before a window, by day: after two days it is forgotten. */
struct hw_rise_range {
    double least, most;
    double fall; /* the deepest within one window */
};
struct hw_rise_level {
    struct hw_rise_range today, before;
    int64_t day_ends_ns;
};

struct hw_rise {
    double least_rate; /* bytes a second */
    int64_t begins_ns;
    int64_t settles_ns;                      /* when the warm-up is over at the latest */
    int64_t point_ns;                        /* the time of a point of scale 0 */
    unsigned point_samples, pending_samples; /* that make such a point */
    struct hw_rise_point pending;
    struct hw_rise_scale scales[HW_RISE_SCALES];
    struct hw_rise_level levels[HW_RISE_SCALES];
    struct hw_rise_point steady[HW_RISE_STEADY_POINTS]; /* the last points, a ring */
    size_t steady_count;
    bool settled, calm; /* was steady once; is steady now */
    bool forgot;        /* what was before */
    int64_t calm_since_ns;
    int64_t anew_ns; /* points before it are of another time: no window begins there */
    double fastest;  /* of all windows while not settled, bytes a second */
    int64_t last_ns;
};

struct hw_rise_options {
    int64_t every_ns;  /* the time between samples */
    double least_rate; /* bytes a second */
    int64_t begins_ns; /* of the process */
    int64_t warm_up_ns;
    int64_t first_ns;   /* of the first sample */
    double known_bytes; /* what it is known to have had before the first sample; 0: nothing */
};

/* What was found, on the shortest scale that shows it. */
struct hw_rise_finding {
    double bytes_per_second;
    double low, high;  /* of all pairs, nine of ten slopes lie between */
    double rise_bytes; /* over the window */
    int64_t window_ns;
};

void hw_rise_init(struct hw_rise *growth, const struct hw_rise_options *options);

/* Takes the next sample. True: memory grows, *ret says how. Samples out of order are left out;
 * after a gap as long as a window that window begins anew. */
bool hw_rise_add(struct hw_rise *growth, int64_t at_ns, double bytes, struct hw_rise_finding *ret);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_GROW_JUDGE_H
#define HW_GROW_JUDGE_H

/*
 * Is what grows at a site a leak? A leak adds objects in every interval, keeps them, and takes
 * nothing away. Turnover adds as many as leave, a start-up stops, a sawtooth goes down, a cache has
 * a bound.
 */

#include "grow/growth.h"

/* All thresholds. Counts are of objects, over the whole observation unless it says otherwise. */
enum {
    HW_JUDGE_BORN_EACH = 3,     /* an interval; fewer are noise: a counter, a name, a frame */
    HW_JUDGE_UNSEEN_EACH = 10,  /* where deaths are not seen, a few survivors say nothing */
    HW_JUDGE_EACH_MAX = 3,      /* so many intervals count for that: later ones need no more */
    HW_JUDGE_GAPS_FROM = 5,     /* with so many intervals, one without births may be chance */
    HW_JUDGE_BYTES = 64 * 1024, /* or so much: large objects are few */
    HW_JUDGE_OLD_MEMBERS = 24,  /* so many members that all stayed are no coincidence */
    HW_JUDGE_FLAT_MIN = 2,      /* so many intervals without growth at the end are a level */
};
#define HW_JUDGE_SIGMAS 3.0  /* arrivals against departures: less is turnover that wavers */
#define HW_JUDGE_CHANCE 0.05 /* what is more likely is believed to be chance */
#define HW_JUDGE_KEPT 0.6    /* of what came, so much must still be there */
#define HW_JUDGE_SLOWING \
    0.5 /* the last quarter's rate against the first's: it may come to an end */
#define HW_JUDGE_SLOWING_SIGMAS 1.0 /* as careful as this against calling it a leak */
#define HW_JUDGE_LEFT 0.02          /* deaths that still count as none */
#define HW_JUDGE_FADING \
    0.75 /* later births against earlier ones, when chance does not explain it */
#define HW_JUDGE_FADING_SIGMAS 2.5
#define HW_JUDGE_TIRING 0.9 /* a small decline, when it is no chance at all */
#define HW_JUDGE_TIRING_SIGMAS 4.0
#define HW_JUDGE_BUSY 0.9 /* of the time at work: it never waits */
#define HW_JUDGE_FASTER \
    5 /* times the present rate: it was filled, and now gets what was left out */
#define HW_JUDGE_EMPTIED \
    0.2 /* of the members of a snapshot, so many may seem to stay: others at their addresses */
#define HW_JUDGE_DRAINED 0.5 /* of the members at the start, so many are gone: they do not stay */

enum hw_judge_reason {
    HW_JUDGE_GROWS,     /* leak */
    HW_JUDGE_TOO_SMALL, /* steady from here on */
    HW_JUDGE_STOPPED,   /* grew at first, then no more */
    HW_JUDGE_TURNOVER,  /* what came has gone again */
    HW_JUDGE_SAWTOOTH,  /* it went down between snapshots */
    HW_JUDGE_TWO_ONLY,  /* inconclusive from here on: two snapshots show no trend */
    HW_JUDGE_SLOWING_DOWN,
    HW_JUDGE_UNEVEN,     /* nothing came in some interval */
    HW_JUDGE_PILING_UP,  /* much leaves, but more comes */
    HW_JUDGE_IMPORTING,  /* modules are being imported, and this is what they bring */
    HW_JUDGE_SESSION,    /* records of a run that ends, and writes them out then */
    HW_JUDGE_NEW_THREAD, /* it hangs from a thread that began while the process was watched */
    HW_JUDGE_STARTING,   /* the process has been at work without a pause since it started */
    HW_JUDGE_FILLED,     /* it got most of its members faster, while the process started */
    HW_JUDGE_REBUILT,    /* made anew out of an older one: who was left out is not seen */
};
struct hw_judgement {
    enum hw_verdict verdict;
    enum hw_judge_reason reason;
};
struct hw_judgement hw_site_judge(const struct hw_growth *growth, const struct hw_site *site);

/* How fast it grows, with the limits of what chance leaves open, and how sure it is that chance
 * alone would not show as much: 0 to 1. */
struct hw_pace {
    double rate, low, high; /* objects a second */
    double confidence;
};
struct hw_pace hw_site_pace(const struct hw_growth *growth, const struct hw_site *site);
struct hw_pace hw_births_pace(const struct hw_series *series, const uint64_t *born);

/* The same for objects that no container holds, by births in each interval. */
struct hw_judgement hw_births_judge(const struct hw_series *series, const uint64_t *born,
                                    uint64_t born_bytes);

/* Members that were there at the start, or came and were seen, and are gone. */
uint64_t hw_site_deaths(const struct hw_growth *growth, const struct hw_site *site);

#endif

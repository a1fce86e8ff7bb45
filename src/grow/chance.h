/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_GROW_CHANCE_H
#define HW_GROW_CHANCE_H

/*
 * What chance alone would do. Arrivals and departures are taken for independent events (a Poisson
 * process), so that n of them waver by the square root of n; where counts are given by interval,
 * their real spread is used when it is larger, since arrivals come in bursts.
 */

#include <stddef.h>
#include <stdint.h>

/* By how many standard deviations `more` exceeds `fewer`, two counts of events. 0 without any. */
double hw_chance_sigmas(double more, double fewer);

/* That none of count events falls into a part of the time. share: of the whole, 0 to 1. */
double hw_chance_none(double count, double share);

/* That a value of a normal distribution lies above so many standard deviations. */
double hw_chance_beyond(double sigmas);

/* The range in which the true rate lies with 95 % probability, after steps[1..n) objects were
 * gained in seconds[1..n), by moves events in all, arrivals and departures. */
struct hw_range {
    double low, high;
};
struct hw_range hw_chance_rate(const double *steps, const double *seconds, size_t n, double moves);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "grow/chance.h"

#include <math.h>

#define NORMAL_95 1.96

double hw_chance_sigmas(double more, double fewer)
{
    double all = more + fewer;
    return all > 0 ? (more - fewer) / sqrt(all) : 0;
}

double hw_chance_none(double count, double share)
{
    return share < 1 ? pow(1 - share, count) : 0;
}

double hw_chance_beyond(double sigmas)
{
    return erfc(sigmas / sqrt(2)) / 2;
}

/* Student's t, two-sided 95 %, by degrees of freedom. */
static double student_95(size_t freedom)
{
    static const double table[] = {0, 12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23};
    return freedom < sizeof(table) / sizeof(table[0]) ? table[freedom]
                                                      : NORMAL_95 + 2.4 / (double)freedom;
}

/* Of the sum, from how the rates of the intervals differ. Two intervals say too little about it. */
static double spread(const double *steps, const double *seconds, size_t n, double sum, double time)
{
    double squares = 0;
    if (n < 4)
        return 0;
    for (size_t k = 1; k < n; k++) {
        double off = steps[k] - sum * seconds[k] / time;
        squares += off * off;
    }
    size_t freedom = n - 2;
    return student_95(freedom) * sqrt(squares / (double)freedom * (double)(n - 1));
}

/* Limits of a mean of which count were seen: Byar's approximation to the exact Poisson limits. */
static double poisson_below(double count)
{
    double root = 1 - 1 / (9 * count) - NORMAL_95 / (3 * sqrt(count));
    return count > 0 && root > 0 ? count * root * root * root : 0;
}

static double poisson_above(double count)
{
    double next = count + 1;
    double root = 1 - 1 / (9 * next) + NORMAL_95 / (3 * sqrt(next));
    return next * root * root * root;
}

struct hw_range hw_chance_rate(const double *steps, const double *seconds, size_t n, double moves)
{
    double sum = 0, time = 0;
    for (size_t k = 1; k < n; k++) {
        sum += steps[k];
        time += seconds[k];
    }
    if (time <= 0)
        return (struct hw_range){0, 0};
    double wide = spread(steps, seconds, n, sum, time);
    double below = moves > 0 ? moves - poisson_below(moves) : 0;
    double above = poisson_above(moves > 0 ? moves : 0) - (moves > 0 ? moves : 0);
    return (struct hw_range){(sum - (below > wide ? below : wide)) / time,
                             (sum + (above > wide ? above : wide)) / time};
}

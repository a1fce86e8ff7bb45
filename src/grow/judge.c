/* SPDX-License-Identifier: Apache-2.0 */
#include "grow/judge.h"

static struct hw_judgement is_steady(enum hw_judge_reason reason)
{
    return (struct hw_judgement){HW_VERDICT_STEADY, reason};
}

static struct hw_judgement is_unsettled(enum hw_judge_reason reason)
{
    return (struct hw_judgement){HW_VERDICT_INCONCLUSIVE, reason};
}

static uint64_t sum_from(const uint64_t *counts, size_t first, size_t n)
{
    uint64_t sum = 0;
    for (size_t k = first; k < n; k++)
        sum += counts[k];
    return sum;
}

static double rate(const struct hw_series *series, const uint64_t *counts, size_t k)
{
    return (double)counts[k] / hw_series_seconds(series, k - 1, k);
}

/* The later half of the intervals against the earlier one, the middle left out: a cache that fills
 * finds less and less that it does not know. */
static bool fades(const struct hw_series *series, const uint64_t *born)
{
    size_t n = series->count, half = (n - 1) / 2;
    double early = (double)sum_from(born, 1, half + 1);
    double late = (double)sum_from(born, n - half, n);
    late *= hw_series_seconds(series, 0, half) / hw_series_seconds(series, n - 1 - half, n - 1);
    double sigmas = HW_JUDGE_FADING_SIGMAS;
    return late < HW_JUDGE_FADING * early &&
           (early - late) * (early - late) >= sigmas * sigmas * (early + late);
}

/* Births that still live, interval by interval: of turnover only the youngest remain, of a start-up
 * only the oldest. */
static struct hw_judgement judge_births(const struct hw_series *series, const uint64_t *born)
{
    size_t n = series->count, empty = 0;
    double most = 0;
    for (size_t k = 1; k < n; k++) {
        empty += !born[k];
        most = rate(series, born, k) > most ? rate(series, born, k) : most;
    }
    if (!born[n - 1])
        return is_steady(HW_JUDGE_STOPPED);
    if (n == 2)
        return is_unsettled(HW_JUDGE_TWO_ONLY);
    if (!born[1] && rate(series, born, n - 1) == most)
        return is_steady(HW_JUDGE_TURNOVER);
    if (empty)
        return is_unsettled(HW_JUDGE_UNEVEN);
    if (rate(series, born, n - 1) < HW_JUDGE_SLOWING * rate(series, born, 1) || fades(series, born))
        return is_unsettled(HW_JUDGE_SLOWING_DOWN);
    return (struct hw_judgement){HW_VERDICT_LEAK, HW_JUDGE_GROWS};
}

/* Births of the first interval against the last's, where the dead are not seen. */
static bool are_kept(const struct hw_series *series, const uint64_t *born)
{
    size_t last = series->count - 1;
    return rate(series, born, 1) >= HW_JUDGE_KEPT * rate(series, born, last);
}

static bool is_large(const struct hw_series *series, uint64_t each, uint64_t born, uint64_t bytes)
{
    return born >= each * (series->count - 1) || bytes >= HW_JUDGE_BYTES;
}

struct hw_judgement hw_births_judge(const struct hw_series *series, const uint64_t *born,
                                    uint64_t born_bytes)
{
    if (!is_large(series, HW_JUDGE_UNSEEN_EACH, sum_from(born, 1, series->count), born_bytes))
        return is_steady(HW_JUDGE_TOO_SMALL);
    struct hw_judgement judgement = judge_births(series, born);
    if (judgement.verdict == HW_VERDICT_LEAK && !are_kept(series, born))
        return is_unsettled(HW_JUDGE_PILING_UP);
    return judgement;
}

uint64_t hw_site_deaths(const struct hw_growth *growth, const struct hw_site *site)
{
    uint64_t came = site->lengths[0] + sum_from(site->joined, 1, growth->series->count);
    uint64_t now = site->lengths[growth->series->count - 1], falls = 0;
    for (size_t k = 1; k < growth->series->count; k++)
        if (site->lengths[k] < site->lengths[k - 1])
            falls += site->lengths[k - 1] - site->lengths[k];
    if (!site->has_history)
        return 0;
    return came > now + falls ? came - now : falls;
}

static bool went_down(const struct hw_series *series, const uint64_t *lengths)
{
    for (size_t k = 1; k < series->count; k++)
        if (lengths[k] < lengths[k - 1])
            return true;
    return false;
}

static bool rose_always(const struct hw_series *series, const uint64_t *lengths)
{
    for (size_t k = 1; k < series->count; k++)
        if (lengths[k] <= lengths[k - 1])
            return false;
    return true;
}

/* What a container gained in the last interval against the first: additions may go on at the same
 * rate while ever more is removed. */
static bool levels_off(const struct hw_series *series, const uint64_t *lengths)
{
    size_t last = series->count - 1;
    double first_gain = (double)(lengths[1] - lengths[0]) / hw_series_seconds(series, 0, 1);
    double last_gain =
        (double)(lengths[last] - lengths[last - 1]) / hw_series_seconds(series, last - 1, last);
    return last_gain < HW_JUDGE_SLOWING * first_gain;
}

/* Members of the first snapshot do not stay. */
static bool is_drained(const struct hw_growth *growth, const struct hw_site *site)
{
    uint64_t now = site->lengths[growth->series->count - 1];
    uint64_t old = now > site->joined_total ? now - site->joined_total : 0;
    return site->lengths[0] >= HW_JUDGE_OLD_MEMBERS &&
           (double)old < (1 - HW_JUDGE_DRAINED) * (double)site->lengths[0];
}

/* More than chance moves a population whose members come and go. */
static bool is_significant(const struct hw_growth *growth, const struct hw_site *site, double net)
{
    double deaths = (double)hw_site_deaths(growth, site);
    double now = (double)site->lengths[growth->series->count - 1];
    if (site->lengths[0] >= HW_JUDGE_OLD_MEMBERS && deaths <= HW_JUDGE_LEFT * net)
        return true;
    return net * net >= HW_JUDGE_SIGMAS * HW_JUDGE_SIGMAS * now;
}

static struct hw_judgement judge_history(const struct hw_growth *growth, const struct hw_site *site)
{
    const struct hw_series *series = growth->series;
    double net = (double)site->lengths[series->count - 1] - (double)site->lengths[0];
    double came = (double)site->joined_total;
    /* Members that stay while what they hold grows: no history of members tells about that. */
    if (net == 0 && came == 0)
        return hw_births_judge(series, site->born, site->born_bytes);
    bool large = site->born_bytes >= HW_JUDGE_BYTES && series->count > 2 &&
                 rose_always(series, site->lengths) && hw_site_deaths(growth, site) == 0;
    if (net <= 0 || (!large && !is_significant(growth, site, net)))
        return is_steady(net <= 0 || came > net ? HW_JUDGE_TURNOVER : HW_JUDGE_TOO_SMALL);
    if (went_down(series, site->lengths))
        return net < came * HW_JUDGE_KEPT ? is_steady(HW_JUDGE_SAWTOOTH)
                                          : is_unsettled(HW_JUDGE_UNEVEN);
    struct hw_judgement judgement = judge_births(series, site->joined);
    if (judgement.verdict != HW_VERDICT_LEAK)
        return judgement;
    if (!rose_always(series, site->lengths))
        return is_unsettled(HW_JUDGE_UNEVEN);
    if (levels_off(series, site->lengths))
        return is_unsettled(HW_JUDGE_SLOWING_DOWN);
    double first = (double)site->lengths[1] - (double)site->lengths[0];
    if (is_drained(growth, site) || net < HW_JUDGE_KEPT * came ||
        (double)site->joined[1] < HW_JUDGE_KEPT * first)
        return is_unsettled(HW_JUDGE_PILING_UP);
    return judgement;
}

/* A container that is younger than its members was filled from another, as cleaning by copying
 * does. A tuple cannot grow otherwise. */
static bool is_rebuilt(const struct hw_growth *growth, const struct hw_site *site)
{
    const struct hw_series *series = growth->series;
    const uint32_t kinds = HW_TYPE_DICT | HW_TYPE_LIST | HW_TYPE_SET;
    const struct hw_graph *graph = growth->graph;
    uint8_t birth = growth->birth[site->box];
    if (!site->is_container || site->is_merged || !birth || site->box >= graph->object_count ||
        !(graph->types[graph->type[site->box]].flags & kinds))
        return false;
    uint64_t members = series->shots[series->count - 1].members[site->box];
    uint64_t older = members > site->joined_total ? members - site->joined_total : 0;
    for (size_t k = 1; k < birth; k++)
        older += site->joined[k];
    return older >= HW_JUDGE_BORN_EACH;
}

static struct hw_judgement judge_site(const struct hw_growth *growth, const struct hw_site *site)
{
    if (!is_large(growth->series, HW_JUDGE_BORN_EACH, site->born_total, site->born_bytes))
        return is_steady(HW_JUDGE_TOO_SMALL);
    if (site->has_history)
        return judge_history(growth, site);
    return hw_births_judge(growth->series, site->is_container ? site->joined : site->born,
                           site->born_bytes);
}

struct hw_judgement hw_site_judge(const struct hw_growth *growth, const struct hw_site *site)
{
    struct hw_judgement judgement = judge_site(growth, site);
    if (judgement.verdict == HW_VERDICT_LEAK && is_rebuilt(growth, site))
        return is_unsettled(HW_JUDGE_REBUILT);
    return judgement;
}

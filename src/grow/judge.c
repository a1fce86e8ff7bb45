/* SPDX-License-Identifier: Apache-2.0 */
#include "grow/judge.h"

#include "ask/lookup.h"
#include "grow/chance.h"

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

/* ---- has it become slower? ---- */

/* How many intervals at each end are compared: one of up to five, then a quarter. */
static size_t part_of(const struct hw_series *series)
{
    return (series->count + 1) / 4 > 1 ? (series->count + 1) / 4 : 1;
}

static double early_rate(const struct hw_series *series, const uint64_t *counts)
{
    size_t part = part_of(series);
    return (double)sum_from(counts, 1, part + 1) / hw_series_seconds(series, 0, part);
}

static double late_rate(const struct hw_series *series, const uint64_t *counts)
{
    size_t n = series->count, part = part_of(series);
    return (double)sum_from(counts, n - part, n) / hw_series_seconds(series, n - 1 - part, n - 1);
}

/* The last part of the intervals against the first. */
static bool slows(const struct hw_series *series, const uint64_t *counts)
{
    double early = early_rate(series, counts), late = late_rate(series, counts);
    double seconds = hw_series_seconds(series, 0, part_of(series));
    return late < HW_JUDGE_SLOWING * early &&
           hw_chance_sigmas(early * seconds, late * seconds) >= HW_JUDGE_SLOWING_SIGMAS;
}

/* The later half of the intervals against the earlier one, the middle left out: a cache that fills
 * finds less and less that it does not know. */
static bool fades(const struct hw_series *series, const uint64_t *born)
{
    size_t n = series->count, half = (n - 1) / 2;
    double early = (double)sum_from(born, 1, half + 1);
    double late = (double)sum_from(born, n - half, n);
    late *= hw_series_seconds(series, 0, half) / hw_series_seconds(series, n - 1 - half, n - 1);
    double sigmas = hw_chance_sigmas(early, late);
    return (late < HW_JUDGE_FADING * early && sigmas >= HW_JUDGE_FADING_SIGMAS) ||
           (late < HW_JUDGE_TIRING * early && sigmas >= HW_JUDGE_TIRING_SIGMAS &&
            n > HW_JUDGE_EACH_MAX);
}

/* ---- young processes ---- */

static double age(const struct hw_series *series, size_t k)
{
    return (double)series->shots[k].facts.uptime_ns / 1e9;
}

/* Most of what is known of it was seen. */
static bool is_young(const struct hw_series *series)
{
    return age(series, 0) > 0 && age(series, 0) < hw_series_seconds(series, 0, series->count - 1);
}

/* Who serves waits for requests now and then; who loads does not. */
static bool is_starting(const struct hw_series *series)
{
    double busy = 0, since = 0;
    for (size_t k = 0; k < series->count; k++) {
        double now = (double)series->shots[k].facts.busy_ns / 1e9;
        if (now <= 0 || now - busy < HW_JUDGE_BUSY * (age(series, k) - since))
            return false;
        busy = now;
        since = age(series, k);
    }
    return is_young(series);
}

/* At the present rate it would not have become so large since the process started. */
static bool was_filled_faster(const struct hw_series *series, const uint64_t *lengths, double net)
{
    double seconds = hw_series_seconds(series, 0, series->count - 1);
    return is_young(series) && lengths[0] >= HW_JUDGE_OLD_MEMBERS &&
           (double)lengths[0] / age(series, 0) > HW_JUDGE_FASTER * net / seconds;
}

/* ---- births by interval ---- */

/* The intervals without births at one end, as a share of the time. */
static double idle_share(const struct hw_series *series, const uint64_t *born, bool at_end)
{
    size_t n = series->count, idle = 0;
    while (idle < n - 1 && !born[at_end ? n - 1 - idle : idle + 1])
        idle++;
    if (!idle)
        return 0;
    size_t from = at_end ? n - 1 - idle : 0;
    return hw_series_seconds(series, from, from + idle) / hw_series_seconds(series, 0, n - 1);
}

static bool idles(const struct hw_series *series, const uint64_t *born, bool at_end)
{
    double share = idle_share(series, born, at_end);
    if (series->count <= HW_JUDGE_GAPS_FROM)
        return share > 0;
    double all = (double)sum_from(born, 1, series->count);
    return share > 0 && hw_chance_none(all, share) < HW_JUDGE_CHANCE;
}

/* Nothing came for longer than chance makes one wait. */
static bool has_gap(const struct hw_series *series, const uint64_t *born)
{
    size_t n = series->count, start = 0;
    double longest = 0, all = (double)sum_from(born, 1, n);
    for (size_t k = 1; k <= n; k++) {
        if (k < n && !born[k])
            continue;
        if (k - 1 > start && hw_series_seconds(series, start, k - 1) > longest)
            longest = hw_series_seconds(series, start, k - 1);
        start = k;
    }
    if (longest == 0 || n <= HW_JUDGE_GAPS_FROM)
        return longest > 0;
    double share = longest / hw_series_seconds(series, 0, n - 1);
    return hw_chance_none(all, share) / share < HW_JUDGE_CHANCE; /* in any of 1 / share places */
}

/* Births that still live, interval by interval: of turnover only the youngest remain, of a start-up
 * only the oldest. */
static struct hw_judgement judge_births(const struct hw_series *series, const uint64_t *born)
{
    size_t n = series->count;
    double most = 0;
    for (size_t k = 1; k < n; k++)
        most = rate(series, born, k) > most ? rate(series, born, k) : most;
    if (idles(series, born, true))
        return is_steady(HW_JUDGE_STOPPED);
    if (n == 2)
        return is_unsettled(HW_JUDGE_TWO_ONLY);
    if (idles(series, born, false) && rate(series, born, n - 1) == most)
        return is_steady(HW_JUDGE_TURNOVER);
    if (has_gap(series, born))
        return is_unsettled(HW_JUDGE_UNEVEN);
    if (slows(series, born) || fades(series, born))
        return is_unsettled(HW_JUDGE_SLOWING_DOWN);
    if (is_starting(series))
        return is_unsettled(HW_JUDGE_STARTING);
    return (struct hw_judgement){HW_VERDICT_LEAK, HW_JUDGE_GROWS};
}

/* Births of the first interval against the last's, where the dead are not seen. */
static bool are_kept(const struct hw_series *series, const uint64_t *born)
{
    return early_rate(series, born) >= HW_JUDGE_KEPT * late_rate(series, born);
}

static bool is_large(const struct hw_series *series, uint64_t each, uint64_t born, uint64_t bytes)
{
    size_t intervals = series->count - 1;
    return born >= each * (intervals < HW_JUDGE_EACH_MAX ? intervals : HW_JUDGE_EACH_MAX) ||
           bytes >= HW_JUDGE_BYTES;
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

/* What a container gained at last against at first: additions may go on at the same rate while ever
 * more is removed. */
static bool levels_off(const struct hw_series *series, const uint64_t *lengths)
{
    size_t last = series->count - 1, part = part_of(series);
    double seconds = hw_series_seconds(series, 0, part);
    double early = (double)lengths[part] - (double)lengths[0];
    double late = ((double)lengths[last] - (double)lengths[last - part]) * seconds /
                  hw_series_seconds(series, last - part, last);
    return late < HW_JUDGE_SLOWING * early &&
           hw_chance_sigmas(early, late) >= HW_JUDGE_SLOWING_SIGMAS;
}

/* It grew at first and then no more, though members still come and go: no chance, by what it would
 * have gained meanwhile at its first rate. */
static bool is_full(const struct hw_growth *growth, const struct hw_site *site)
{
    const struct hw_series *series = growth->series;
    size_t last = series->count - 1,
           tail = last / 2 > HW_JUDGE_FLAT_MIN ? last / 2 : HW_JUDGE_FLAT_MIN;
    if (last <= tail || site->lengths[last] > site->lengths[last - tail])
        return false;
    double deaths = (double)hw_site_deaths(growth, site);
    double gained = (double)site->lengths[last - tail] - (double)site->lengths[0];
    double missed = gained * hw_series_seconds(series, last - tail, last) /
                    hw_series_seconds(series, 0, last - tail);
    return hw_chance_sigmas(missed + deaths, deaths) >= HW_JUDGE_SIGMAS;
}

/* Members of the first snapshot do not stay. */
static bool is_drained(const struct hw_growth *growth, const struct hw_site *site)
{
    uint64_t now = site->lengths[growth->series->count - 1];
    uint64_t old = now > site->joined_total ? now - site->joined_total : 0;
    return site->lengths[0] >= HW_JUDGE_OLD_MEMBERS &&
           (double)old < (1 - HW_JUDGE_DRAINED) * (double)site->lengths[0];
}

/* Members that came no later than snapshot k, as far as their places tell: an entry whose value is
 * put anew has stayed. */
struct stayed {
    size_t k;
    uint64_t count;
};

static void count_stayed(const struct hw_growth *growth, hw_id from, struct stayed *stayed)
{
    const struct hw_graph *graph = growth->graph;
    for (uint32_t e = graph->edge_start[from]; e < graph->edge_start[from + 1]; e++) {
        if (!hw_edge_is_member(graph, e))
            continue;
        enum hw_label_kind kind = edge_kind(graph, e);
        hw_id what = kind == HW_LABEL_VALUE ? key_of(graph, e) : graph->edge_to[e];
        stayed->count += kind == HW_LABEL_NAMED || growth->birth[what] <= stayed->k;
    }
}

/* Nothing to speak of is left of what was there in a snapshot after the first: the container is
 * emptied again and again, at whatever length it is met. One that is longer in each snapshot is
 * emptied between any two of them, or else never: only the last two tell it from a queue that is
 * worked off more slowly than it grows. Where it rises for long all the same, more comes than goes;
 * a deque is a queue, whose members go one by one. */
static bool is_emptied(const struct hw_growth *growth, const struct hw_site *site)
{
    const struct hw_series *series = growth->series;
    bool is_queue = type_has(growth->graph, site->fronts[0], HW_TYPE_DEQUE);
    bool rises = rose_always(series, site->lengths);
    if (rises && (is_queue || series->count >= HW_JUDGE_GAPS_FROM))
        return false;
    for (size_t k = rises ? series->count - 2 : 1; k > 0 && k + 1 < series->count; k++) {
        struct stayed stayed = {.k = k};
        if (site->lengths[k] < HW_JUDGE_OLD_MEMBERS)
            continue;
        for (uint32_t i = 0; i < site->front_count; i++)
            count_stayed(growth, site->fronts[i], &stayed);
        if ((double)stayed.count <= HW_JUDGE_EMPTIED * (double)site->lengths[k])
            return true;
    }
    return false;
}

/* More than chance moves a population whose members come and go. */
static bool is_significant(const struct hw_growth *growth, const struct hw_site *site, double net)
{
    double deaths = (double)hw_site_deaths(growth, site);
    if (site->lengths[0] >= HW_JUDGE_OLD_MEMBERS && deaths <= HW_JUDGE_LEFT * net)
        return true;
    return hw_chance_sigmas(net + deaths, deaths) >= HW_JUDGE_SIGMAS;
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
    if (is_emptied(growth, site))
        return is_steady(HW_JUDGE_TURNOVER);
    if (went_down(series, site->lengths))
        return net < came * HW_JUDGE_KEPT ? is_steady(HW_JUDGE_SAWTOOTH)
                                          : is_unsettled(HW_JUDGE_UNEVEN);
    if (is_full(growth, site))
        return is_steady(HW_JUDGE_STOPPED);
    struct hw_judgement judgement = judge_births(series, site->joined);
    if (judgement.reason == HW_JUDGE_TURNOVER && rose_always(series, site->lengths))
        return is_unsettled(HW_JUDGE_PILING_UP);
    if (judgement.verdict != HW_VERDICT_LEAK)
        return judgement;
    if (!rose_always(series, site->lengths) && series->count <= HW_JUDGE_GAPS_FROM)
        return is_unsettled(HW_JUDGE_UNEVEN);
    if (levels_off(series, site->lengths))
        return is_unsettled(HW_JUDGE_SLOWING_DOWN);
    size_t part = part_of(series);
    double first = (double)site->lengths[part] - (double)site->lengths[0];
    if (is_drained(growth, site) || net < HW_JUDGE_KEPT * came ||
        (double)sum_from(site->joined, 1, part + 1) < HW_JUDGE_KEPT * first)
        return is_unsettled(HW_JUDGE_PILING_UP);
    if (was_filled_faster(series, site->lengths, net))
        return is_unsettled(HW_JUDGE_FILLED);
    return judgement;
}

/* A container that is younger than its members was filled from another, as cleaning by copying
 * does. A tuple cannot grow otherwise; and copies that are longer every time, with all that the
 * first of them had, clean nothing. */
static bool is_rebuilt(const struct hw_growth *growth, const struct hw_site *site)
{
    const struct hw_series *series = growth->series;
    const uint32_t kinds = HW_TYPE_DICT | HW_TYPE_LIST | HW_TYPE_SET;
    const struct hw_graph *graph = growth->graph;
    uint8_t birth = growth->birth[site->box];
    if (!site->is_container || site->is_merged || !birth || site->box >= graph->object_count ||
        !(graph->types[graph->type[site->box]].flags & kinds))
        return false;
    uint64_t net = site->lengths[series->count - 1] - site->lengths[0];
    if (site->is_replaced && rose_always(series, site->lengths) &&
        (double)hw_site_deaths(growth, site) <= HW_JUDGE_LEFT * (double)net)
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

/* What a thread that began meanwhile holds is new to the process, though it may lie where the same
 * things of an ended thread lay. */
static bool hangs_from_new_thread(const struct hw_growth *growth, const struct hw_site *site)
{
    for (hw_id at = site->box; at != HW_NONE; at = growth->tree.parent[at]) {
        const struct hw_synthetic *synthetic = hw_graph_synthetic(growth->graph, at);
        if (synthetic && synthetic->tid)
            return !hw_series_has_thread(growth->series, 0, synthetic->tid);
    }
    return false;
}

struct hw_judgement hw_site_judge(const struct hw_growth *growth, const struct hw_site *site)
{
    struct hw_judgement judgement = judge_site(growth, site);
    if (judgement.verdict != HW_VERDICT_STEADY && hangs_from_new_thread(growth, site))
        return site->is_container ? is_unsettled(HW_JUDGE_NEW_THREAD)
                                  : is_steady(HW_JUDGE_TURNOVER);
    if (judgement.verdict == HW_VERDICT_LEAK && is_rebuilt(growth, site))
        return is_unsettled(HW_JUDGE_REBUILT);
    return judgement;
}

/* ---- how fast, how sure ---- */

static struct hw_pace make_pace(const struct hw_series *series, const double *steps, double moves,
                                double sigmas)
{
    double seconds[HW_SERIES_MAX], sum = 0;
    for (size_t k = 1; k < series->count; k++) {
        seconds[k] = hw_series_seconds(series, k - 1, k);
        sum += steps[k];
    }
    struct hw_range range = hw_chance_rate(steps, seconds, series->count, moves);
    return (struct hw_pace){.rate = sum / hw_series_seconds(series, 0, series->count - 1),
                            .low = range.low,
                            .high = range.high,
                            .confidence = 1 - hw_chance_beyond(sigmas)};
}

/* Where departures are not seen, only what outlived an interval is sure to stay. */
struct hw_pace hw_births_pace(const struct hw_series *series, const uint64_t *born)
{
    double steps[HW_SERIES_MAX];
    for (size_t k = 1; k < series->count; k++)
        steps[k] = (double)born[k];
    double all = (double)sum_from(born, 1, series->count);
    return make_pace(series, steps, all,
                     hw_chance_sigmas(all - (double)born[series->count - 1], 0));
}

struct hw_pace hw_site_pace(const struct hw_growth *growth, const struct hw_site *site)
{
    const struct hw_series *series = growth->series;
    double steps[HW_SERIES_MAX];
    if (!site->is_container || !site->joined_total)
        return hw_births_pace(series, site->born);
    if (!site->has_history)
        return hw_births_pace(series, site->joined);
    for (size_t k = 1; k < series->count; k++)
        steps[k] = (double)site->lengths[k] - (double)site->lengths[k - 1];
    double net = (double)site->lengths[series->count - 1] - (double)site->lengths[0];
    double deaths = (double)hw_site_deaths(growth, site);
    double came =
        net + deaths > (double)site->joined_total ? net + deaths : (double)site->joined_total;
    return make_pace(series, steps, came + deaths, hw_chance_sigmas(came, deaths));
}

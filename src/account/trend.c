/* SPDX-License-Identifier: Apache-2.0 */
#include "account/trend.h"

#include "account/pins.h"
#include "grow/judge.h"

#include <stdlib.h>

/* Of the growth of the RSS. */
#define EXPLAINS 0.5   /* so much must be what the trend names */
#define FLAT 0.25      /* so little may be live objects */
#define MOSTLY_UP 0.6  /* of the intervals; bursts waver */
#define NEAR_PEAK 0.9
#define QUIET 1.1 /* more live data than that, against the least, is a burst */
/* Of the RSS at first, and in bytes. */
#define NOTABLE_PART 0.01
enum { NOTABLE_BYTES = 1 << 20, NATIVE_BYTES = 64 << 10, NATIVE_BLOCKS = 3 };

/* One snapshot's sums. */
struct sums {
    double at, rss, live, native, pinned, kept; /* at: seconds since the first */
};

static struct sums sums_of(const struct hw_ledger *ledger)
{
    struct sums s = {0};
    for (unsigned kind = 0; kind < HW_MEMORY_SWAP; kind++)
        s.rss += (double)hw_ledger_rss(ledger, (enum hw_memory_kind)kind);
    s.live = (double)(hw_ledger_bytes(ledger, HW_MEMORY_OBJECTS) +
                      hw_ledger_bytes(ledger, HW_MEMORY_OBJECT_DATA) +
                      hw_ledger_bytes(ledger, HW_MEMORY_OTHER_BLOCKS));
    s.native = (double)hw_ledger_bytes(ledger, HW_MEMORY_MALLOC_USED);
    s.pinned = (double)(hw_ledger_rss(ledger, HW_MEMORY_FREE_BLOCKS) +
                        hw_ledger_rss(ledger, HW_MEMORY_EMPTY_POOLS) +
                        hw_ledger_rss(ledger, HW_MEMORY_UNUSED_POOLS));
    s.kept = (double)(hw_ledger_rss(ledger, HW_MEMORY_MALLOC_FREE) +
                      hw_ledger_rss(ledger, HW_MEMORY_MALLOC_CACHED) +
                      hw_ledger_rss(ledger, HW_MEMORY_MALLOC_TOP));
    return s;
}

/* ---- blocks of malloc() in use ---- */

static const struct hw_ledger_native *native_of(const struct hw_ledger *ledger, uint64_t bytes)
{
    size_t low = 0, high = ledger->native_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ledger->natives[middle].block_bytes < bytes)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < ledger->native_count && ledger->natives[low].block_bytes == bytes;
    return found ? &ledger->natives[low] : NULL;
}

/* In every interval about as much as in the others: what fills up becomes slower, what wavers goes
 * down. */
static bool grows_evenly(const struct hw_series *series, const double *values)
{
    size_t last = series->count - 1;
    double total = values[last] - values[0];
    for (size_t k = 1; k <= last; k++) {
        double share = hw_series_seconds(series, k - 1, k) / hw_series_seconds(series, 0, last);
        if (values[k] - values[k - 1] < total * share * HW_JUDGE_SLOWING)
            return false;
    }
    return total > 0;
}

/* The size whose growth, even over all intervals, is the largest. */
static void size_find(const struct hw_series *series, double *values, uint64_t *counts,
                      struct hw_memory_trend *trend, double *ret_growth)
{
    size_t last = series->count - 1;
    const struct hw_ledger *ledger = &series->shots[last].ledger;
    *ret_growth = 0;
    for (size_t i = 0; i < ledger->native_count; i++) {
        const struct hw_ledger_native *row = &ledger->natives[i];
        for (size_t k = 0; k <= last; k++) {
            const struct hw_ledger_native *was =
                native_of(&series->shots[k].ledger, row->block_bytes);
            values[k] = was ? (double)was->bytes : 0;
        }
        double growth = values[last] - values[0];
        if (growth <= *ret_growth || !grows_evenly(series, values))
            continue;
        *ret_growth = growth;
        trend->size = row;
    }
    for (size_t k = 0; trend->size && k <= last; k++) {
        const struct hw_ledger_native *was =
            native_of(&series->shots[k].ledger, trend->size->block_bytes);
        counts[k] = was ? was->count : 0;
    }
}

/* Either one size grows, or all of it does. */
static bool native_find(const struct hw_series *series, const struct sums *sums, double *values,
                        uint64_t *counts, struct hw_memory_trend *trend)
{
    size_t last = series->count - 1;
    double size_growth, total = sums[last].native - sums[0].native;
    size_find(series, values, counts, trend, &size_growth);
    bool is_one_size = trend->size && size_growth >= NATIVE_BYTES &&
                       counts[last] >= counts[0] + NATIVE_BLOCKS * last &&
                       size_growth >= EXPLAINS * (sums[last].rss - sums[0].rss);
    if (is_one_size) {
        trend->growth = size_growth;
        trend->domain = HW_DOMAIN_MALLOC;
        trend->counts = counts;
        return true;
    }
    trend->size = NULL;
    trend->domain = HW_DOMAIN_MALLOC;
    for (size_t k = 0; k <= last; k++)
        values[k] = sums[k].native;
    trend->growth = total;
    return total >= NOTABLE_BYTES && grows_evenly(series, values) &&
           total >= EXPLAINS * (sums[last].rss - sums[0].rss);
}

/* ---- what only the agent in the process knows ---- */

static bool has_other_malloc(const struct hw_ledger *ledger)
{
    return hw_ledger_rss(ledger, HW_MEMORY_ALLOCATOR) != 0;
}

static bool domain_find(const struct hw_series *series, const struct sums *sums, double *values,
                        enum hw_domain domain, struct hw_memory_trend *trend)
{
    size_t last = series->count - 1;
    for (size_t k = 0; k <= last; k++)
        values[k] = (double)hw_native_sites_bytes(&series->shots[k].native_sites, domain);
    double growth = values[last] - values[0], rss = sums[last].rss - sums[0].rss;
    if (growth < NOTABLE_BYTES || rss < NOTABLE_BYTES || growth < EXPLAINS * rss ||
        !grows_evenly(series, values))
        return false;
    trend->growth = growth;
    trend->domain = domain;
    trend->is_estimate = true;
    return true;
}

/* Mappings are never in the ledger; of malloc() it knows glibc's. */
static bool estimate_find(const struct hw_series *series, const struct sums *sums, double *values,
                          struct hw_memory_trend *trend)
{
    const struct hw_ledger *ledger = &series->shots[series->count - 1].ledger;
    return domain_find(series, sums, values, HW_DOMAIN_MMAP, trend) ||
           (has_other_malloc(ledger) &&
            domain_find(series, sums, values, HW_DOMAIN_MALLOC, trend));
}

/* ---- free memory ---- */

/* The RSS went up on the whole, and is not on its way back. */
static bool rss_grows(const struct sums *sums, size_t count)
{
    double peak = 0, growth = sums[count - 1].rss - sums[0].rss;
    size_t up = 0;
    for (size_t k = 0; k < count; k++) {
        peak = sums[k].rss > peak ? sums[k].rss : peak;
        up += k && sums[k].rss > sums[k - 1].rss;
    }
    return growth >= NOTABLE_BYTES && growth >= NOTABLE_PART * sums[0].rss &&
           sums[count - 1].rss >= NEAR_PEAK * peak && (double)up >= MOSTLY_UP * (double)(count - 1);
}

/* Snapshots that fell into a burst say what the burst needs, not what stays: they are left out.
 * Returns how many remain, in order. */
static size_t quiet_keep(struct sums *sums, size_t count)
{
    double least = sums[0].live;
    size_t kept = 0;
    for (size_t k = 1; k < count; k++)
        least = sums[k].live < least ? sums[k].live : least;
    for (size_t k = 0; k < count; k++)
        if (sums[k].live <= least * QUIET + NOTABLE_BYTES)
            sums[kept++] = sums[k];
    return kept;
}

static enum hw_trend free_find(const struct sums *first, const struct sums *last)
{
    double growth = last->rss - first->rss;
    if (growth < NOTABLE_BYTES || last->live - first->live > FLAT * growth ||
        last->native - first->native > FLAT * growth)
        return HW_TREND_NONE;
    if (last->pinned - first->pinned >= EXPLAINS * growth)
        return HW_TREND_PINNED;
    return last->kept - first->kept >= EXPLAINS * growth ? HW_TREND_KEPT : HW_TREND_NONE;
}

/* When a burst is over, what it needed is free, in arenas or in malloc(). */
static struct sums burst_end(struct sums burst, double live)
{
    double excess = burst.live > live ? burst.live - live : 0;
    burst.live -= excess;
    burst.pinned += excess;
    burst.kept += excess;
    return burst;
}

/* Of the snapshots that fell into no burst, and of the very first of all where these say too little:
 * what was resident in a burst hides no growth. It must go on between the others, for one burst that
 * was still rising grows, too. Leaves the first and the last of those that were compared in sums. */
static enum hw_trend quiet_find(struct sums *sums, size_t count, const struct sums *start)
{
    struct sums *first = &sums[0], *last = &sums[count - 1];
    enum hw_trend trend = count < 2 ? HW_TREND_NONE : free_find(first, last);
    if (trend != HW_TREND_NONE || count < 2 || first->at <= start->at)
        return trend;
    struct sums over = burst_end(*start, last->live);
    double share = (last->at - first->at) / (last->at - over.at);
    if (last->rss - first->rss < (last->rss - over.rss) * share * HW_JUDGE_SLOWING)
        return HW_TREND_NONE;
    *first = over;
    return free_find(first, last);
}

static void last_fill(const struct hw_ledger *ledger, struct hw_memory_trend *trend)
{
    for (size_t i = 0; i < ledger->arena_count; i++) {
        trend->arena_bytes += ledger->arenas[i].resident_bytes;
        trend->sparse_arenas += hw_arena_is_sparse(&ledger->arenas[i]);
    }
    trend->trim_bytes = hw_ledger_bytes(ledger, HW_MEMORY_TRIM);
}

static void growth_fill(const struct sums *sums, size_t count, struct hw_memory_trend *trend)
{
    const struct sums *first = &sums[0], *last = &sums[count - 1];
    trend->seconds = last->at - first->at;
    trend->rss_growth = last->rss - first->rss;
    trend->live_growth = last->live - first->live;
    trend->rss_bytes = (uint64_t)last->rss;
    trend->arena_free_bytes = (uint64_t)last->pinned;
    trend->kept_bytes = (uint64_t)last->kept;
}

bool hw_memory_trend_find(const struct hw_series *series, struct hw_arena *arena,
                          struct hw_memory_trend *ret_trend)
{
    struct hw_memory_trend trend = {0};
    size_t n = series->count;
    struct sums *sums = hw_arena_array(arena, n, sizeof(*sums));
    double *values = hw_arena_array(arena, n, sizeof(*values));
    uint64_t *counts = hw_arena_array(arena, n, sizeof(*counts));
    *ret_trend = trend;
    if (!sums || !values || !counts)
        return false;
    for (size_t k = 0; k < n; k++) {
        if (!series->shots[k].ledger.recorded)
            return true;
        sums[k] = sums_of(&series->shots[k].ledger);
        sums[k].at = k ? hw_series_seconds(series, 0, k) : 0;
    }
    trend.arenas = series->shots[n - 1].ledger.arena_count;
    last_fill(&series->shots[n - 1].ledger, &trend);
    if (n > 1 && (native_find(series, sums, values, counts, &trend) ||
                  estimate_find(series, sums, values, &trend))) {
        trend.trend = HW_TREND_NATIVE;
        trend.is_settled = n > 2;
        growth_fill(sums, n, &trend);
        *ret_trend = trend;
        return true;
    }
    bool grows = rss_grows(sums, n);
    struct sums start = sums[0];
    trend.is_settled = n > 2;
    n = quiet_keep(sums, n);
    trend.trend = grows ? quiet_find(sums, n, &start) : HW_TREND_NONE;
    trend.growth = trend.trend == HW_TREND_PINNED ? sums[n - 1].pinned - sums[0].pinned
                                                  : sums[n - 1].kept - sums[0].kept;
    growth_fill(sums, n, &trend);
    *ret_trend = trend;
    return true;
}

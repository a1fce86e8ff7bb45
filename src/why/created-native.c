/* SPDX-License-Identifier: Apache-2.0 */
#include "why/created-native.h"

#include "ask/alloc-sites.h"

#include <stdlib.h>

enum { CREATED_MAX = 5, SAMPLES_LEAST = 2 };
#define NOTABLE 0.1 /* of the growth of the trend */

struct grown {
    uint32_t site;
    uint64_t count, bytes;
    bool is_size; /* its blocks have the size that the trend names */
};

/* Of a request by the chunk that it gets (glibc 2.36 malloc/malloc.c, request2size); above 64 KiB
 * the ledger rounds. */
static bool is_of_size(const struct hw_ledger_native *size, uint64_t count, uint64_t bytes)
{
    if (!size || !count)
        return false;
    double mean = (double)bytes / (double)count + 8;
    return mean <= (double)size->block_bytes + 1 &&
           mean >= (double)size->block_bytes * 15 / 16 - 16;
}

/* It never became less, and as a whole notably more: turnover moves both ways. */
static bool growth_of(const struct hw_series *series, const struct hw_memory_trend *trend,
                      const struct hw_native_site *now, struct grown *ret_grown)
{
    uint64_t before = 0, count = 0, last = 0;
    for (size_t k = 0; k < series->count; k++) {
        const struct hw_native_site *was =
            hw_native_site_find(&series->shots[k].native_sites, now->stack);
        uint64_t bytes = was ? was->bytes : 0;
        if (k == 0) {
            before = bytes;
            count = was ? was->count : 0;
        } else if (bytes < last) {
            return false;
        }
        last = bytes;
    }
    double growth = (double)last - (double)before;
    *ret_grown = (struct grown){now->site, now->count > count ? now->count - count : 0,
                                last - before, false};
    ret_grown->is_size = is_of_size(trend->size, ret_grown->count, ret_grown->bytes);
    return growth >= NOTABLE * trend->growth &&
           growth >= SAMPLES_LEAST * (double)series->last->facts.alloc_rate;
}

static int by_growth(const void *a, const void *b)
{
    const struct grown *x = a, *y = b;
    if (x->is_size != y->is_size)
        return x->is_size ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return (x->site > y->site) - (x->site < y->site);
}

/* By growth; where blocks of one size grow, only stacks that make such blocks, if there are any. */
static size_t grown_find(const struct hw_series *series, const struct hw_memory_trend *trend,
                         struct grown *grown)
{
    const struct hw_native_sites *now = &series->shots[series->count - 1].native_sites;
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < now->count; i++)
        if (now->rows[i].domain == trend->domain)
            count += growth_of(series, trend, &now->rows[i], &grown[count]);
    if (count)
        qsort(grown, count, sizeof(*grown), by_growth);
    while (kept < count && grown[kept].is_size == grown[0].is_size)
        kept++;
    return kept;
}

static bool fill(struct hw_site_spelling *spelling, const struct grown *grown, size_t count,
                 struct hw_arena *arena, struct hw_suspect *suspect)
{
    const struct hw_alloc_sites *allocs = &spelling->graph->allocs;
    suspect->created = hw_arena_array(arena, CREATED_MAX, sizeof(*suspect->created));
    if (!suspect->created)
        return false;
    for (size_t i = 0; i < count; i++) {
        suspect->created_known += grown[i].count;
        if (i >= CREATED_MAX)
            continue;
        const struct hw_alloc_site *site = &allocs->sites[grown[i].site];
        struct hw_created *created = &suspect->created[suspect->created_count++];
        *created = (struct hw_created){.frame = hw_site_spell_frame(spelling, site->frame),
                                       .depth = site->depth,
                                       .objects = grown[i].count,
                                       .bytes = grown[i].bytes};
        if (!created->frame)
            return false;
    }
    suspect->created_looked = suspect->created_known;
    suspect->created_total = count;
    return true;
}

bool hw_created_native_fill(const struct hw_series *series, const struct hw_memory_trend *trend,
                            struct hw_arena *arena, struct hw_suspect *suspect)
{
    size_t most = series->shots[series->count - 1].native_sites.count;
    struct grown *grown = malloc((most + 1) * sizeof(*grown));
    struct hw_site_spelling spelling;
    bool ok = grown != NULL;
    size_t count = ok && most ? grown_find(series, trend, grown) : 0;
    if (count) {
        ok = hw_site_spelling_init(&spelling, series->last, arena) &&
             fill(&spelling, grown, count, arena, suspect);
        hw_site_spelling_deinit(&spelling);
    }
    free(grown);
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ACCOUNT_TREND_H
#define HW_ACCOUNT_TREND_H

/*
 * Why the RSS of a process grows when its Python objects do not: the ledgers of several snapshots
 * side by side.
 *
 *     what malloc() has in use grows       C code allocates and does not free
 *     mappings of C code grow              C code maps and does not unmap; seen by heapwhy's agent
 *     what is free in arenas grows         pymalloc cannot give arenas back: survivors pin them
 *     what malloc() keeps free grows       glibc cannot give its memory back, or does not
 */

#include "grow/series.h"

enum hw_trend {
    HW_TREND_NONE,
    HW_TREND_NATIVE, /* blocks of malloc() in use, or mappings that C code makes */
    HW_TREND_PINNED, /* free memory in arenas of pymalloc */
    HW_TREND_KEPT,   /* free memory in malloc() */
};

struct hw_memory_trend {
    enum hw_trend trend;
    bool is_settled;           /* three or more snapshots agree; else it is an appearance */
    double seconds;
    double rss_growth, growth; /* bytes, over all snapshots: of the RSS, of what the trend names */
    double live_growth;        /* of Python objects with what they keep */
    /* HW_TREND_NATIVE: the size that explains most of it; NULL: many do. By snapshot: its count. */
    const struct hw_ledger_native *size;
    const uint64_t *counts;
    enum hw_domain domain; /* of HW_TREND_NATIVE: from malloc(), or mappings */
    bool is_estimate;      /* by the agent's sites: the ledger does not know mappings, nor other allocators than
                              glibc's */
    /* The last snapshot, or the last that fell into no burst. */
    uint64_t rss_bytes, arena_bytes, arena_free_bytes, kept_bytes, trim_bytes;
    uint64_t arenas, sparse_arenas;
};

/* Texts and arrays live in arena or in the series. A series of which a snapshot has no ledger has
 * no trend. False: no memory. */
bool hw_memory_trend_find(const struct hw_series *series, struct hw_arena *arena,
                          struct hw_memory_trend *ret_trend);

#endif

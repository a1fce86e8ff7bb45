/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_HEAP_BUILD_H
#define HW_HEAP_BUILD_H

/*
 * From a frozen image to a graph, in two passes over the memory:
 *
 *     discover   follow the collector's lists, backwards, and decode what is on them; and at once
 *                whatever that reaches and the collector does not track
 *     record     number the marks; then, upwards, decode every object again and write its row and its
 *                edges
 *
 * The lists mostly run upwards in memory, so going backwards ends where the other pass begins: what
 * the mirrors still hold need not be read again.
 *
 * Decoding twice costs less than keeping the edges of an unknown number of objects around, and it
 * keeps the peak of memory at the size of the result.
 */

#include "cpython/roots.h"
#include "heap/graph.h"
#include "image/residence.h"

struct hw_build_options {
    bool no_values;
    const char *own_package; /* as in struct hw_self_options */
    /* Mirrors of the target and the growing graph together stay below this; 0: no limit. A floor of 64
     * MiB for the mirrors goes first. */
    uint64_t memory_bytes;
    /* Which pages are resident, for the ledger; corrected where it counts pages of zeros that are
     * not. NULL: no ledger. */
    struct hw_residence *residence;
    void (*progress)(void *ctx, const char *stage, uint64_t done, uint64_t total);
    void *progress_ctx;
    const volatile int *cancel;
};

/* The caller owns *ret_graph; facts about the capture are left for the caller to fill, except the
 * counts of what could not be read and the state of the collector. */
bool hw_graph_build(struct hw_image *image, const struct hw_runtime *runtime,
                    const struct hw_build_options *opts, struct hw_graph **ret_graph,
                    struct hw_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ASK_ALLOC_SITES_H
#define HW_ASK_ALLOC_SITES_H

/* Allocation sites, as a result and as frames of the graph. */

#include "heap/graph.h"

struct hw_sites_result {
    struct hw_sites sites;
    struct hw_arena arena;
};

/* Frames of a graph as they are told, made when they are first asked for; texts are the arena's. */
struct hw_site_spelling {
    const struct hw_graph *graph;
    struct hw_arena *arena;
    struct hw_site_frame *frames; /* by number; file NULL: not yet made */
    const char **texts;           /* by number of the string */
};
bool hw_site_spelling_init(struct hw_site_spelling *spelling, const struct hw_graph *graph,
                           struct hw_arena *arena);
void hw_site_spelling_deinit(struct hw_site_spelling *spelling);
/* With all its callers. NULL: no memory. HW_NONE is a frame of which nothing is known. */
const struct hw_site_frame *hw_site_spell_frame(struct hw_site_spelling *spelling, uint32_t frame);
const char *hw_site_spell_text(struct hw_site_spelling *spelling, uint32_t string);

/* Whether the graph knows where anything was allocated; else err says why not and what helps. */
bool hw_alloc_known(const struct hw_graph *graph, struct hw_err *err);

/* Order of places: file, line, function, then those of the callers. */
int hw_site_compare(const struct hw_site_frame *a, const struct hw_site_frame *b);

/* Sets what differs from before, adds rows of what is gone, and sorts. */
bool hw_sites_compare(struct hw_sites_result *result, const struct hw_sites *before,
                      struct hw_err *err);

#endif

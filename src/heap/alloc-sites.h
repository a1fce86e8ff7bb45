/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_HEAP_ALLOC_SITES_H
#define HW_HEAP_ALLOC_SITES_H

/*
 * Where memory was allocated: the places in the program, and what came from each and is still there. The
 * shape is the same whoever wrote it down: tracemalloc, or heapwhy's agent, whose counts are estimates.
 *
 *     frame   0: app.py:90, called by nobody known    sites   frame 2, domain 0: 3 blocks, 168 bytes
 *             1: app.py:41, called by 0               of      object -> site
 *             2: hub.py:7,  called by 1
 *
 * A stack is its innermost frame; frames that stacks have in common are one. A caller stands before those whom
 * it calls, so that no chain of callers can run in a circle.
 */

#include "base/pairs.h"
#include "heapwhy.h"

/* Of frames, and of sites. A stack has at most so many frames, which is what tracemalloc can keep. */
enum { HW_ALLOC_ROWS_MAX = 1 << 28, HW_ALLOC_STACK_MAX = 65535 };

struct hw_alloc_frame {
    uint32_t caller;         /* frame that called it; HW_NONE: not known, or none */
    uint32_t file, function; /* strings of the graph; 0: not known */
    uint32_t line;           /* 0: not known */
};
struct hw_alloc_site {
    uint32_t frame;  /* the innermost; HW_NONE: not known */
    uint32_t depth;  /* frames that the stack had; more than are kept: the outermost were left out */
    uint32_t domain; /* of the allocator: enum hw_domain, or a number of tracemalloc's */
    uint64_t count, bytes; /* blocks that are still there */
};
struct hw_alloc_sites {
    struct hw_alloc_frame *frames;
    size_t frame_count, frame_capacity;
    struct hw_alloc_site *sites; /* no two are alike in frame, depth and domain */
    size_t site_count, site_capacity;
    uint32_t *of; /* by object: its site; HW_NONE: not known. NULL: of none */
};
void hw_alloc_sites_deinit(struct hw_alloc_sites *sites);

/* While sites are made. */
struct hw_alloc_maker {
    struct hw_alloc_sites *sites;
    struct hw_pairs lines;  /* file, line */
    struct hw_pairs places; /* line, function */
    struct hw_pairs frames; /* caller, place */
    struct hw_pairs ends;   /* frame, depth */
    struct hw_pairs wheres; /* end, domain: its number is the site's */
};
void hw_alloc_maker_deinit(struct hw_alloc_maker *maker);
/* HW_NONE: no memory. */
uint32_t hw_alloc_frame_make(struct hw_alloc_maker *maker, const struct hw_alloc_frame *frame);
uint32_t hw_alloc_site_make(struct hw_alloc_maker *maker, uint32_t frame, uint32_t depth,
                            uint32_t domain);

#endif

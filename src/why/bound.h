/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WHY_BOUND_H
#define HW_WHY_BOUND_H

/*
 * Does the program state how large a container may become? A bound is believed when C code enforces
 * it (deque, lru_cache), or when one piece of the program's own code names the container, takes its
 * length or takes things out, and names a number that has not been reached.
 */

#include "why/code.h"

struct hw_bound {
    uint64_t value;   /* 0: none is stated */
    bool is_enforced; /* by C code: it cannot be exceeded */
    char where[160];  /* maxlen, maxsize, self.max_entries, LIMIT, 500 in Cache.put cache.py:12 */
};

struct hw_bound hw_bound_find(const struct hw_code *code, const struct hw_site *site);

/* Only what C code enforces. */
struct hw_bound hw_bound_stated(const struct hw_graph *graph, const struct hw_site *site);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WHY_BOUND_H
#define HW_WHY_BOUND_H

/*
 * Does the program state how large a container may become? A bound is believed when C code enforces
 * it (deque, lru_cache), or when code of the container's own file compares its length with a number
 * that has not been reached: `if len(self.entries) > self.limit`. Any other number, however close,
 * bounds something else.
 */

#include "why/code.h"

struct hw_bound {
    uint64_t value;   /* 0: none is known */
    bool is_enforced; /* by C code: it cannot be exceeded */
    bool is_checked;  /* the length is compared, with what is not known; value is 0 */
    char where[320];  /* its maxlen; len(self.d) > self.limit in Cache.put cache.py:12 */
};

static inline bool hw_bound_exists(const struct hw_bound *bound)
{
    return bound->value || bound->is_checked;
}

struct hw_bound hw_bound_find(const struct hw_code *code, const struct hw_site *site);

/* Only what C code enforces. */
struct hw_bound hw_bound_stated(const struct hw_graph *graph, const struct hw_site *site);

#endif

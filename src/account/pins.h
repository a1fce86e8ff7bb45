/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ACCOUNT_PINS_H
#define HW_ACCOUNT_PINS_H

/*
 * Which objects keep arenas of pymalloc that are mostly free. An arena goes back to the kernel when
 * its last block is freed, so a few survivors in each hold all of it.
 */

#include "heap/graph.h"

/* An arena is sparse when at most this part of what it has is in use, and it was in use as a whole:
 * the arena that is being filled is not. */
enum { HW_SPARSE_PART = 4 };
bool hw_arena_is_sparse(const struct hw_ledger_arena *arena);

/* Types in sparse arenas, by the part of the arenas' used bytes that is theirs. Where none is
 * sparse, since the snapshot fell into a burst, types in all arenas, when all is true. At most max
 * rows; texts and rows live in arena. */
bool hw_pins_find(const struct hw_graph *graph, size_t max, bool all, struct hw_arena *arena,
                  struct hw_memory_pin **ret_pins, size_t *ret_count, struct hw_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ASK_RESIDUAL_H
#define HW_ASK_RESIDUAL_H

/*
 * References that nothing accounts for: what the count of an object says, less all that are seen.
 *
 *     count - references of objects, interpreters, threads, frames
 *           - words in C variables, in C code's memory, in objects of unknown types
 *           = 0  all is seen
 *           > 0  the residual, unless words on C stacks and operand stacks speak for it
 *           < 0  more was seen than there is
 *
 * Uncounted by CPython and hence not seen here: the table of interned strings, inline caches, weak
 * references, what the caches of the interpreter borrow.
 */

#include "heap/graph.h"

struct hw_residuals {
    uint32_t *left; /* by object; 0: none */
    uint8_t *busy;  /* by object: words on stacks explain what would have been left, up to 255 */
    uint8_t *words; /* by object: likewise words in C code's own memory, which may be stale */
    uint64_t examined, exact, by_words, overcounted; /* as in struct hw_audit */
};
bool hw_residuals_init(struct hw_residuals *residuals, const struct hw_graph *graph,
                       struct hw_err *err);
void hw_residuals_deinit(struct hw_residuals *residuals);

#endif

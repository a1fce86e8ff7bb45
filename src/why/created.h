/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WHY_CREATED_H
#define HW_WHY_CREATED_H

/* Where the objects of a suspect were created, for processes that write it down: heap/alloc-sites.h. */

#include "heap/graph.h"

struct hw_created_kind {
    uint32_t type, other_type; /* what the suspect is about */
};
/* owner: by node, the number of the suspect that it is told with + 1; 0: none. Fills created_... of the
 * suspects with the stacks that most bytes came from: of objects of the suspect's types, where any is known,
 * else of all. Texts are arena's. Nothing to do where the graph knows no sites. */
bool hw_created_fill(const struct hw_graph *graph, const uint8_t *owner,
                     const struct hw_created_kind *kinds, struct hw_suspect *suspects, size_t count,
                     struct hw_arena *arena, struct hw_err *err);

static inline bool hw_created_is_known(const struct hw_graph *graph)
{
    return graph->allocs.of != NULL;
}

#endif

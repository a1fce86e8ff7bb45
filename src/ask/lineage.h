/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ASK_LINEAGE_H
#define HW_ASK_LINEAGE_H

/* Which class is derived from which, by their __base__. */

#include "heap/graph.h"

struct hw_lineage {
    const struct hw_graph *graph;
    uint32_t *base; /* by type: index of its base; UINT32_MAX: none that is known */
};
bool hw_lineage_init(struct hw_lineage *lineage, const struct hw_graph *graph, struct hw_err *err);
void hw_lineage_deinit(struct hw_lineage *lineage);

/* Whether a type, or a class that it is derived from, has a name that matches (hw_name_matches). */
bool hw_lineage_has(const struct hw_lineage *lineage, uint32_t type, const char *pattern);

/* For each type the first of count patterns that it has, stride bytes apart; UINT8_MAX: none. At
 * most 255 patterns. The caller frees; NULL: memory is out. */
uint8_t *hw_lineage_match(const struct hw_lineage *lineage, const void *patterns, size_t count,
                          size_t stride, struct hw_err *err);
/* How many objects have such a type. */
size_t hw_lineage_count(const struct hw_graph *graph, const uint8_t *of_type);

#endif

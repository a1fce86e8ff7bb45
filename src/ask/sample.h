/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ASK_SAMPLE_H
#define HW_ASK_SAMPLE_H

#include "heap/graph.h"

/* What an object contains, in a few words: a leaf's value ('abc', 3.5), a container's first items
 * ([1, 2, ...], {'a': 1}), an instance's first plain attributes (name='x', size=3). "" when nothing is
 * recorded, as in snapshots without values. False when memory ran out. */
bool hw_sample_spell(const struct hw_graph *graph, hw_id id, struct hw_arena *arena,
                     const char **ret_text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_COLLECT_WORDS_H
#define HW_COLLECT_WORDS_H

/* A cycle, and what breaks it, in words. Everything is allocated in arena. */

#include "collect/weak.h"

enum hw_cycle_kind hw_cycle_kind_of(const struct hw_graph *graph, const struct hw_cycle *cycle);

/* app.Order.lines[0].order is the same app.Order */
const char *hw_cycle_words(const struct hw_graph *graph, const struct hw_cycle *cycle,
                           struct hw_arena *arena);

bool hw_break_words(const struct hw_graph *graph, const struct hw_weak_place *place,
                    struct hw_arena *arena, struct hw_cycle_break *ret_break);

#endif

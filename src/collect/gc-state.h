/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_COLLECT_GC_STATE_H
#define HW_COLLECT_GC_STATE_H

#include "heapwhy.h"

/* What the collector's settings and counters mean, without a look at the heap. */
enum hw_gc_condition hw_gc_condition_of(const struct hw_facts *facts);

/* The youngest generation that is not collected by itself within any lifetime; 3: all are. */
unsigned hw_gc_first_left(const struct hw_facts *facts);

/* No collection of the whole heap comes by itself: garbage that young collections missed stays. */
static inline bool hw_gc_never_full(enum hw_gc_condition condition)
{
    return condition == HW_GC_OFF || condition == HW_GC_THRESHOLD_ZERO || condition == HW_GC_RARE;
}

#endif

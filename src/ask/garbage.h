/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ASK_GARBAGE_H
#define HW_ASK_GARBAGE_H

/*
 * What gc.collect() would find, by the collector's own rule (CPython Modules/gcmodule.c,
 * deduce_unreachable): from the refcount of every tracked object take away the references that come
 * from tracked objects; where something is left, somebody outside holds it, and it and all that it
 * reaches is alive; the other tracked objects are garbage. Roots play no part in it. Objects that
 * are not tracked are garbage when only garbage leads to them and their refcount says no more.
 * Garbage of a type with a legacy finalizer (tp_del) is not freed, nor is what it reaches
 * (move_legacy_finalizers, move_legacy_finalizer_reachable): it is stuck.
 * Asked for the list gc.garbage besides, the rule answers as if that list had been cleared.
 */

#include "heap/graph.h"

enum { HW_GARBAGE_FREE = 1, HW_GARBAGE_STUCK = 2 };
struct hw_garbage {
    uint8_t *is_garbage; /* one byte for each node; 0: it is none */
    uint32_t count;
    uint32_t tracked; /* of them: the number that gc.collect() returns */
    uint64_t bytes; /* as hw_graph_weight() says */
    uint32_t stuck; /* of them: what no collection frees */
    uint64_t stuck_bytes;
};
bool hw_garbage_init(struct hw_garbage *garbage, const struct hw_graph *graph, struct hw_err *err);

/* As if nothing that `cleared` refers to were held by it. HW_NONE: the heap as it is. */
bool hw_garbage_init_without(struct hw_garbage *garbage, const struct hw_graph *graph,
                             hw_id cleared, struct hw_err *err);
void hw_garbage_deinit(struct hw_garbage *garbage);

#endif

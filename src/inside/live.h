/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_LIVE_H
#define HW_INSIDE_LIVE_H

/*
 * The heap as bitmaps. One walk finds what is alive; until Python code runs again that stays true, and
 * every further question is a pass over the bitmaps in address order. No collection begins before
 * hw_live_deinit().
 *
 *     all      alive; without heapwhy's own objects, unless HW_LIVE_OWN
 *     holders  those of all that may refer to others; NULL without HW_LIVE_HOLDERS
 *
 * A bit for each 16 bytes of heap in practice: 1 MB each for a heap of 64 MB.
 */

#include "inside/walk.h"

enum { HW_LIVE_OWN = 1, HW_LIVE_HOLDERS = 2 };

struct hw_live {
    struct hw_bits *all, *holders;
    int paused; /* hw_collector_pause() */
};

/* 0, or -1 with an exception; to be deinitialized in both cases. */
int hw_live_init(struct hw_live *live, unsigned flags);
void hw_live_deinit(struct hw_live *live);
/* Takes heapwhy's own objects out, which a walk with HW_LIVE_OWN has left in. 0, or -1 with MemoryError. */
int hw_live_hide_own(struct hw_live *live);

/* Members that are alive, in address order; the set must hold no other. As hw_heap_visit(). */
int hw_members_visit(const struct hw_bits *bits, hw_object_fn fn, void *ctx);

/* The same with the size of each, as sys.getsizeof() gives it. A __sizeof__ in Python runs at the end, when
 * all others are told, and its object is held until then; from there on other members may be gone: the
 * visitor takes the address, and does not look at the object. 0, or -1 with an exception; also what fn
 * ended with. */
typedef int (*hw_sized_fn)(PyObject *member, Py_ssize_t bytes, void *ctx);
int hw_member_sizes_visit(const struct hw_bits *members, hw_sized_fn fn, void *ctx);

/* A copy of a set, or of what two have in common; NULL with MemoryError. */
struct hw_bits *hw_bits_copy(const struct hw_bits *bits);
struct hw_bits *hw_bits_common(const struct hw_bits *a, const struct hw_bits *b);

#endif

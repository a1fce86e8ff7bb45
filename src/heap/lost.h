/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_HEAP_LOST_H
#define HW_HEAP_LOST_H

/* What lost.c needs to know of a block: whether it is an object. */

#include "heap/blocks.h"
#include "heap/build-internal.h"

/* The live object that fills the block, where no object of the graph is; 0: there is none. Of a type
 * that the graph knows, with a sane count, of the size that the block was made for, in the shape of its
 * type, and on no list of the collector. */
hw_addr hw_lost_object(struct hw_builder *b, const struct hw_block *block);

/* Whether the block is a dead object that waits in a free list: it has a type and a count of 0, and what
 * it refers to is stale (CPython Include/internal/pycore_interp.h, up to 3.13). */
bool hw_lost_is_dead(struct hw_builder *b, const struct hw_block *block);

#endif

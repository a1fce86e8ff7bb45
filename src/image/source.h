/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_IMAGE_SOURCE_H
#define HW_IMAGE_SOURCE_H

/*
 * What the sources of an image share with image.c: building one up, and its bookkeeping of chunks.
 */

#include "base/arena.h"
#include "image/image.h"

enum { HW_CHUNK_SHIFT = 16, HW_CHUNK_BYTES = 1 << HW_CHUNK_SHIFT, HW_PAGE_BYTES = 4096 };

/* State of one chunk of a segment. From HW_CHUNK_SHORT on, the low bits count the pages at its
 * beginning that could be read; no others can. */
enum hw_chunk_state {
    HW_CHUNK_ABSENT = 0, /* never loaded, or trimmed */
    HW_CHUNK_LOADED = 1, /* not asked for since the clock's hand passed */
    HW_CHUNK_USED = 2,
    HW_CHUNK_PINNED = 3, /* never trimmed: could not be loaded again */
    HW_CHUNK_SHORT = 0x80,
};

/* An image without segments; NULL: no memory. hw_image_close() undoes it. source passes to the ops.
 */
struct hw_image *hw_image_create(const struct hw_image_ops *ops, void *source);

struct hw_arena *hw_image_arena(struct hw_image *image);

/* Takes over segments (malloc'ed, by address, not overlapping) whose paths live in the arena. */
void hw_image_adopt_segments(struct hw_image *image, struct hw_segment *segments, size_t count);

/* Drops all that is loaded, for a source whose bytes may have changed. */
void hw_image_forget(struct hw_image *image);

/* The same, and looks what is mapped by now: what was mapped since the image was opened is in no
 * segment. */
void hw_image_renew(struct hw_image *image);

/* Whether any page of the chunk at start was ever touched. */
typedef bool (*hw_present_fn)(struct hw_image *image, hw_addr start);

/* Loads all of a segment now and never lets it go; chunks that are not present are zeros. Returns the
 * bytes that could be read. */
uint64_t hw_image_pin(struct hw_image *image, struct hw_segment *segment, hw_present_fn present);

/* The same with all private memory that can be written to. Fails with HW_ERR_INTERRUPTED when *cancel
 * becomes non-zero; cancel may be NULL. */
bool hw_image_pin_private(struct hw_image *image, hw_present_fn present, const volatile int *cancel,
                          struct hw_err *err);

#endif

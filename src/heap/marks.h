/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_HEAP_MARKS_H
#define HW_HEAP_MARKS_H

/*
 * Which addresses are objects: one bit for each place where one could begin. The bits are in address
 * order, so counting them gives node ids without any table.
 *
 *     segment    |----------------------------------------|    granule: 16 bytes, 8 in mapped files
 *     bits       0000100001000000010000...
 *     rank       ids before each line of 512 bits, made once all bits are set
 *
 * Memory is reserved, not used, where a segment has no objects.
 */

#include "heap/graph.h"
#include "image/image.h"
#include "native/elf.h"

struct hw_mark_segment {
    hw_addr start, end;
    uint32_t shift;      /* log2 of the granule */
    uint64_t granules;
    uint64_t *bits;      /* NULL until first mark */
    uint32_t *rank;      /* id of the first bit of each line */
    uint8_t *generation; /* two bits a granule: see enum hw_mark_age; NULL until needed */
};

/* Where the collector had a tracked object. The oldest generation, where most are, costs nothing. */
enum hw_mark_age { HW_AGE_OLDEST, HW_AGE_YOUNGEST, HW_AGE_MIDDLE, HW_AGE_PERMANENT };

struct hw_marks {
    struct hw_mark_segment *segments;
    size_t count;
    size_t last;        /* where the last look-up ended */
    uint64_t marked;    /* bits set */
};

/* Covers the writable segments of the image: nothing else can hold an object. Static objects, in the
 * data of modules (by address), are aligned to 8; a segment that goes on behind a module is two here. */
bool hw_marks_init(struct hw_marks *marks, const struct hw_image *image,
                   const struct hw_module *modules, size_t module_count, struct hw_err *err);
void hw_marks_deinit(struct hw_marks *marks);

struct hw_mark_segment *hw_marks_segment(struct hw_marks *marks, hw_addr addr);

/* Sets the bit of addr. 1: it was clear; 0: it was set; -1: no object can begin there, or no memory. */
int hw_marks_set(struct hw_marks *marks, hw_addr addr);
bool hw_marks_has(struct hw_marks *marks, hw_addr addr);
void hw_marks_clear(struct hw_marks *marks, hw_addr addr);
/* Whether any bit of [from, to), which lies in one segment, is set. */
bool hw_marks_any(struct hw_marks *marks, hw_addr from, hw_addr to);
/* Adds the bits of [from, from + 1024 * count) to those in to, where granules are of 16 bytes. from is a
 * multiple of 1024 bytes, as segments are. */
void hw_marks_add_to(struct hw_marks *marks, hw_addr from, size_t count, uint64_t *to);

void hw_marks_set_age(struct hw_marks *marks, hw_addr addr, enum hw_mark_age age);
enum hw_mark_age hw_marks_age(struct hw_marks *marks, hw_addr addr);

/* Numbers the marked addresses in rising order. No bits may be set afterwards. */
bool hw_marks_rank(struct hw_marks *marks, struct hw_err *err);
/* The id of addr, HW_NONE when it is not marked. Only after hw_marks_rank(). */
hw_id hw_marks_id(struct hw_marks *marks, hw_addr addr);

/* The first marked address at or after addr, and the last one before it; 0: none. Marks set on the way
 * are seen when they lie ahead. */
hw_addr hw_marks_next(struct hw_marks *marks, hw_addr addr);
hw_addr hw_marks_before(struct hw_marks *marks, hw_addr addr);

/* The bits of [addr, addr + count * 64 granules), lowest first; addr lies at a multiple of 64
 * granules of 16 bytes from its segment's start. NULL: none is set, or the granules are smaller.
 * Valid until the next mark. */
const uint64_t *hw_marks_words(struct hw_marks *marks, hw_addr addr, size_t count);

/* Spans for the graph: the runs of 1 MiB that have marks. */
bool hw_marks_spans(const struct hw_marks *marks, struct hw_span **ret_spans, size_t *ret_count,
                    struct hw_err *err);

#endif

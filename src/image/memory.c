/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "image/source.h"

#include <stdlib.h>
#include <string.h>

/* The copies lie one behind the other, in the order of the image's segments. */
struct memory_source {
    size_t count;
    const unsigned char **data;
};

static size_t memory_read(struct hw_image *image, hw_addr addr, void *to, size_t bytes)
{
    const struct memory_source *source = image->source;
    const struct hw_segment *segment = hw_image_segment(image, addr);
    if (!segment)
        return 0;
    if (bytes > segment->end - addr)
        bytes = segment->end - addr;
    memcpy(to, source->data[segment - image->segments] + (addr - segment->start), bytes);
    return bytes;
}

static const struct hw_image_ops memory_ops = {.read = memory_read};

static int by_start(const void *a, const void *b)
{
    const struct hw_memory_segment *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

static bool segments_are_sound(const struct hw_memory_segment *segments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hw_addr end;
        if (!segments[i].bytes ||
            __builtin_add_overflow(segments[i].start, segments[i].bytes, &end) ||
            (i + 1 < count && end > segments[i + 1].start))
            return false;
    }
    return true;
}

static bool memory_fill(struct hw_image *image, const struct hw_memory_segment *from, size_t count)
{
    struct hw_arena *arena = hw_image_arena(image);
    struct memory_source *source = hw_arena_alloc(arena, sizeof(*source));
    struct hw_segment *to = calloc(count ? count : 1, sizeof(*to));
    if (!to)
        return false;
    hw_image_adopt_segments(image, to, count);
    if (!source || !(source->data = hw_arena_array(arena, count, sizeof(*source->data))))
        return false;
    image->source = source;
    source->count = count;
    for (size_t i = 0; i < count; i++) {
        unsigned char *copy = hw_arena_alloc(arena, from[i].bytes);
        if (!copy)
            return false;
        memcpy(copy, from[i].data, from[i].bytes);
        source->data[i] = copy;
        to[i] = (struct hw_segment){.start = from[i].start,
                                    .end = from[i].start + from[i].bytes,
                                    .prot = from[i].prot,
                                    .path = ""};
    }
    return true;
}

bool hw_image_open_memory(const struct hw_memory_segment *segments, size_t count,
                          struct hw_image **ret_image, struct hw_err *err)
{
    struct hw_memory_segment *sorted = calloc(count ? count : 1, sizeof(*sorted));
    struct hw_image *image = hw_image_create(&memory_ops, NULL);
    bool ok = sorted && image;
    if (!ok) {
        hw_err_no_memory(err);
    } else {
        if (count)
            memcpy(sorted, segments, count * sizeof(*sorted));
        qsort(sorted, count, sizeof(*sorted), by_start);
        ok = segments_are_sound(sorted, count);
        if (!ok)
            hw_err_set(err, HW_ERR_USAGE, "the segments of a memory image are empty or overlap");
        else if (!(ok = memory_fill(image, sorted, count)))
            hw_err_no_memory(err);
    }
    free(sorted);
    if (ok)
        *ret_image = image;
    else
        hw_image_close(image);
    return ok;
}

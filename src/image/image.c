/* SPDX-License-Identifier: Apache-2.0 */
#include "image/image.h"

#include "base/err.h"
#include "image/source.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* How many chunks one read may fill when the one before is already there. */
enum { READ_AHEAD_CHUNKS = 8 };

/* Larger mappings are reservations (a sanitizer's shadow, an arena), never copied as a whole. */
#define PIN_MAX_BYTES (UINT64_C(1) << 36)

struct hw_image *hw_image_create(const struct hw_image_ops *ops, void *source)
{
    struct hw_image *image = calloc(1, sizeof(*image));
    if (!image)
        return NULL;
    image->strings = calloc(1, sizeof(struct hw_arena));
    if (!image->strings) {
        free(image);
        return NULL;
    }
    image->ops = ops;
    image->source = source;
    return image;
}

struct hw_arena *hw_image_arena(struct hw_image *image)
{
    return image->strings;
}

static uint64_t segment_bytes(const struct hw_segment *segment)
{
    return segment->end - segment->start;
}

static size_t segment_chunks(const struct hw_segment *segment)
{
    return (segment_bytes(segment) + HW_CHUNK_BYTES - 1) >> HW_CHUNK_SHIFT;
}

static void segment_unmap(struct hw_segment *segment)
{
    if (segment->mirror)
        munmap(segment->mirror, segment_bytes(segment));
    free(segment->chunk_state);
    segment->mirror = NULL;
    segment->chunk_state = NULL;
}

void hw_image_close(struct hw_image *image)
{
    if (!image)
        return;
    if (image->ops && image->ops->close)
        image->ops->close(image);
    for (size_t i = 0; i < image->segment_count; i++)
        segment_unmap(&image->segments[i]);
    free(image->segments);
    free(image->threads);
    hw_arena_deinit(image->strings);
    free(image->strings);
    free(image);
}

void hw_image_adopt_segments(struct hw_image *image, struct hw_segment *segments, size_t count)
{
    for (size_t i = 0; i < image->segment_count; i++)
        segment_unmap(&image->segments[i]);
    free(image->segments);
    image->segments = segments;
    image->segment_count = count;
    image->last_segment = 0;
    image->trim_segment = 0;
    image->trim_chunk = 0;
    image->loaded_bytes = 0;
}

void hw_image_forget(struct hw_image *image)
{
    for (size_t i = 0; i < image->segment_count; i++)
        segment_unmap(&image->segments[i]);
    image->loaded_bytes = 0;
}

void hw_image_renew(struct hw_image *image)
{
    hw_image_forget(image);
    if (image->ops->renew)
        image->ops->renew(image);
}

static void *reserve(uint64_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

/* Segments without a gap between them share one reservation, so that an object that begins in one
 * and ends in the next (.data and .bss) is contiguous here too. */
static bool mirror_run(struct hw_image *image, size_t index)
{
    struct hw_segment *segments = image->segments;
    size_t first = index, last = index;
    while (first > 0 && segments[first - 1].end == segments[first].start)
        first--;
    while (last + 1 < image->segment_count && segments[last].end == segments[last + 1].start)
        last++;
    uint64_t bytes = segments[last].end - segments[first].start;
    unsigned char *mirror = reserve(bytes);
    if (!mirror) {
        image->starved |= bytes <= PIN_MAX_BYTES;
        return false;
    }
    madvise(mirror, bytes, MADV_DONTFORK);
    for (size_t i = first; i <= last; i++) {
        segments[i].chunk_state = calloc(segment_chunks(&segments[i]), 1);
        segments[i].mirror = mirror + (segments[i].start - segments[first].start);
    }
    return true;
}

static bool segment_ready(struct hw_image *image, struct hw_segment *segment)
{
    if (!segment->mirror && !mirror_run(image, (size_t)(segment - image->segments)))
        return false;
    return segment->chunk_state != NULL;
}

struct hw_segment *hw_image_segment(struct hw_image *image, hw_addr addr)
{
    size_t low = 0, high = image->segment_count;
    if (image->last_segment < high) {
        struct hw_segment *last = &image->segments[image->last_segment];
        if (addr >= last->start && addr < last->end)
            return last;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (image->segments[middle].end <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == image->segment_count || image->segments[low].start > addr)
        return NULL;
    image->last_segment = low;
    return &image->segments[low];
}

/* Absent chunks from `chunk` on that one read should fill. */
static size_t run_length(const struct hw_segment *segment, size_t chunk)
{
    if (chunk == 0 || segment->chunk_state[chunk - 1] == HW_CHUNK_ABSENT)
        return 1;
    size_t n = 1, chunks = segment_chunks(segment);
    while (n < READ_AHEAD_CHUNKS && chunk + n < chunks &&
           segment->chunk_state[chunk + n] == HW_CHUNK_ABSENT)
        n++;
    return n;
}

/* Fills `count` chunks from `chunk` on and marks them with state. Returns the bytes read. */
static uint64_t load(struct hw_image *image, struct hw_segment *segment, size_t chunk, size_t count,
                     enum hw_chunk_state state)
{
    uint64_t from = (uint64_t)chunk << HW_CHUNK_SHIFT;
    uint64_t want = (uint64_t)count << HW_CHUNK_SHIFT;
    if (want > segment_bytes(segment) - from)
        want = segment_bytes(segment) - from;
    /* One call that makes all the pages is twice as fast as a fault for each. Older kernels than
     * 5.14 do not know it; the faults come then. */
    madvise(segment->mirror + from, want, MADV_POPULATE_WRITE);
    uint64_t got =
        image->ops->read(image, segment->start + from, segment->mirror + from, (size_t)want);
    if (got > want)
        got = want;
    image->read_bytes += got;
    image->loaded_bytes += got;
    uint64_t left = got;
    for (size_t i = 0; i < count; i++) {
        uint64_t size = i + 1 < count ? HW_CHUNK_BYTES : want - ((uint64_t)i << HW_CHUNK_SHIFT);
        if (left >= size) {
            segment->chunk_state[chunk + i] = (uint8_t)state;
            left -= size;
        } else {
            segment->chunk_state[chunk + i] = (uint8_t)(HW_CHUNK_SHORT | left / HW_PAGE_BYTES);
            image->loaded_bytes -= left;
            /* The chunks behind were not tried: they get a read of their own. */
            break;
        }
    }
    return got;
}

/* True when [offset, offset + bytes) of one chunk is in the mirror. */
static bool chunk_has(struct hw_image *image, struct hw_segment *segment, uint64_t offset,
                      uint64_t bytes)
{
    size_t chunk = (size_t)(offset >> HW_CHUNK_SHIFT);
    uint8_t *state = &segment->chunk_state[chunk];
    if (*state == HW_CHUNK_ABSENT)
        load(image, segment, chunk, run_length(segment, chunk), HW_CHUNK_LOADED);
    if (*state == HW_CHUNK_LOADED)
        *state = HW_CHUNK_USED;
    if (*state < HW_CHUNK_SHORT)
        return true;
    uint64_t readable = (uint64_t)(*state - HW_CHUNK_SHORT) * HW_PAGE_BYTES;
    return (offset & (HW_CHUNK_BYTES - 1)) + bytes <= readable;
}

/* bytes > 0, all inside the segment. */
static bool segment_has(struct hw_image *image, struct hw_segment *segment, uint64_t offset,
                        uint64_t bytes)
{
    if (!segment_ready(image, segment))
        return false;
    while (bytes) {
        uint64_t here = HW_CHUNK_BYTES - (offset & (HW_CHUNK_BYTES - 1));
        if (here > bytes)
            here = bytes;
        if (!chunk_has(image, segment, offset, here))
            return false;
        offset += here;
        bytes -= here;
    }
    return true;
}

/* Whether segments without a gap cover [addr, addr + bytes). Asked before anything is loaded: a length
 * that the target made up may be huge. */
static bool is_covered(const struct hw_image *image, const struct hw_segment *segment, hw_addr addr,
                       uint64_t bytes)
{
    const struct hw_segment *end = image->segments + image->segment_count;
    while (bytes > segment->end - addr) {
        bytes -= segment->end - addr;
        addr = segment->end;
        segment++;
        if (segment == end || segment->start != addr)
            return false;
    }
    return true;
}

static const void *at_slow(struct hw_image *image, hw_addr addr, size_t bytes)
{
    struct hw_segment *segment = hw_image_segment(image, addr);
    if (!segment || !is_covered(image, segment, addr, bytes) || !segment_ready(image, segment))
        return NULL;
    const unsigned char *p = segment->mirror + (addr - segment->start);
    while (bytes) {
        uint64_t offset = addr - segment->start;
        uint64_t here = segment->end - addr;
        if (here > bytes)
            here = bytes;
        if (!segment_has(image, segment, offset, here))
            return NULL;
        addr += here;
        bytes -= here;
        segment++;
    }
    return p;
}

/* Tens of millions of calls come here, nearly all of them for bytes that are already loaded and in
 * the segment of the call before. */
const void *hw_image_at(struct hw_image *image, hw_addr addr, size_t bytes)
{
    if (__builtin_expect(image->last_segment < image->segment_count, 1)) {
        const struct hw_segment *segment = &image->segments[image->last_segment];
        uint64_t offset = addr - segment->start;
        uint64_t length = segment->end - segment->start;
        if (offset < length && bytes <= length - offset && segment->chunk_state) {
            const uint8_t *state = &segment->chunk_state[offset >> HW_CHUNK_SHIFT];
            uint64_t last = (offset & (HW_CHUNK_BYTES - 1)) + bytes;
            if (last <= HW_CHUNK_BYTES && (*state == HW_CHUNK_USED || *state == HW_CHUNK_PINNED))
                return segment->mirror + offset;
        }
    }
    return at_slow(image, addr, bytes);
}

bool hw_image_read(struct hw_image *image, hw_addr addr, void *to, size_t bytes)
{
    const void *from = hw_image_at(image, addr, bytes);
    if (from && bytes)
        memcpy(to, from, bytes);
    return from || !bytes;
}

uint64_t hw_image_word(struct hw_image *image, hw_addr addr)
{
    uint64_t word = 0;
    hw_image_read(image, addr, &word, sizeof(word));
    return word;
}

uint32_t hw_image_word32(struct hw_image *image, hw_addr addr)
{
    uint32_t word = 0;
    hw_image_read(image, addr, &word, sizeof(word));
    return word;
}

bool hw_image_peek(struct hw_image *image, hw_addr addr, void *to, size_t bytes)
{
    const struct hw_segment *segment = hw_image_segment(image, addr);
    uint64_t offset = segment ? addr - segment->start : 0;
    bool is_in_chunk = (offset & (HW_CHUNK_BYTES - 1)) + bytes <= HW_CHUNK_BYTES;
    bool is_absent = segment && is_in_chunk && bytes <= segment->end - addr &&
                     (!segment->chunk_state ||
                      segment->chunk_state[offset >> HW_CHUNK_SHIFT] == HW_CHUNK_ABSENT);
    return is_absent ? image->ops->read(image, addr, to, bytes) == bytes
                     : hw_image_read(image, addr, to, bytes);
}

bool hw_image_read_string(struct hw_image *image, hw_addr addr, char *to, size_t max)
{
    size_t done = 0;
    while (done < max) {
        size_t step = HW_PAGE_BYTES - ((addr + done) & (HW_PAGE_BYTES - 1));
        if (step > max - done)
            step = max - done;
        const char *from = hw_image_at(image, addr + done, step);
        if (!from) /* memory segments need not end at a page */
            from = hw_image_at(image, addr + done, step = 1);
        if (!from)
            return false;
        const char *end = memchr(from, 0, step);
        memcpy(to + done, from, end ? (size_t)(end - from) + 1 : step);
        if (end)
            return true;
        done += step;
    }
    return false;
}

uint64_t hw_image_pin(struct hw_image *image, struct hw_segment *segment, hw_present_fn present)
{
    uint64_t got = 0;
    size_t chunks = segment_chunks(segment);
    if (!segment_ready(image, segment))
        return 0;
    for (size_t chunk = 0; chunk < chunks; chunk++) {
        hw_addr start = segment->start + ((hw_addr)chunk << HW_CHUNK_SHIFT);
        if (present(image, start))
            got += load(image, segment, chunk, 1, HW_CHUNK_PINNED);
        else /* never touched: zeros, as the mirror has */
            segment->chunk_state[chunk] = HW_CHUNK_PINNED;
    }
    return got;
}

bool hw_image_pin_private(struct hw_image *image, hw_present_fn present, const volatile int *cancel,
                          struct hw_err *err)
{
    for (size_t i = 0; i < image->segment_count; i++) {
        struct hw_segment *segment = &image->segments[i];
        if (cancel && *cancel)
            return hw_err_set(err, HW_ERR_INTERRUPTED, "interrupted");
        if ((segment->prot & HW_PROT_WRITE) && !(segment->prot & HW_PROT_SHARED) &&
            segment_bytes(segment) <= PIN_MAX_BYTES)
            hw_image_pin(image, segment, present);
    }
    return true;
}

static void drop_chunk(struct hw_image *image, struct hw_segment *segment, size_t chunk)
{
    uint64_t from = (uint64_t)chunk << HW_CHUNK_SHIFT;
    uint64_t bytes = segment_bytes(segment) - from;
    if (bytes > HW_CHUNK_BYTES)
        bytes = HW_CHUNK_BYTES;
    madvise(segment->mirror + from, bytes, MADV_DONTNEED);
    segment->chunk_state[chunk] = HW_CHUNK_ABSENT;
    image->loaded_bytes -= bytes;
}

/* Moves the clock's hand down over one segment: what was used since it last came by gets another
 * round, what was not is dropped. */
static void sweep_segment(struct hw_image *image, struct hw_segment *segment)
{
    size_t chunks = segment->chunk_state ? segment_chunks(segment) : 0;
    if (image->trim_chunk > chunks)
        image->trim_chunk = chunks;
    while (image->trim_chunk && image->loaded_bytes > image->budget_bytes) {
        uint8_t *state = &segment->chunk_state[--image->trim_chunk];
        if (*state == HW_CHUNK_USED)
            *state = HW_CHUNK_LOADED;
        else if (*state == HW_CHUNK_LOADED)
            drop_chunk(image, segment, image->trim_chunk);
    }
    if (!image->trim_chunk) {
        image->trim_segment =
            (image->trim_segment ? image->trim_segment : image->segment_count) - 1;
        image->trim_chunk = SIZE_MAX;
    }
}

void hw_image_pass(struct hw_image *image, hw_addr addr)
{
    if (!addr)
        image->passed_segment = image->passed_chunk = 0;
    while (image->passed_segment < image->segment_count) {
        struct hw_segment *segment = &image->segments[image->passed_segment];
        size_t chunks = segment->chunk_state ? segment_chunks(segment) : 0;
        for (; image->passed_chunk < chunks; image->passed_chunk++) {
            if (segment->start + ((image->passed_chunk + 1) << HW_CHUNK_SHIFT) > addr)
                return;
            if (segment->chunk_state[image->passed_chunk] == HW_CHUNK_USED)
                segment->chunk_state[image->passed_chunk] = HW_CHUNK_LOADED;
            image->trim_segment = image->passed_segment;
            image->trim_chunk = image->passed_chunk + 1;
        }
        if (segment->end > addr)
            return;
        image->passed_segment++;
        image->passed_chunk = 0;
    }
}

void hw_image_trim(struct hw_image *image)
{
    if (!image->budget_bytes)
        return;
    /* Two rounds reach everything: the first takes the marks away, the second drops. The third is
     * for a hand that began in the middle. */
    size_t visits = 3 * image->segment_count;
    while (visits-- && image->loaded_bytes > image->budget_bytes)
        sweep_segment(image, &image->segments[image->trim_segment]);
}

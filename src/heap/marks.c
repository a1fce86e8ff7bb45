/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/marks.h"

#include "base/err.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LINE_BITS = 512, LINE_WORDS = LINE_BITS / 64 };
#define SPAN_BYTES ((hw_addr)1 << 20)

/* Without the processor's own instruction, which not every x86-64 has, the builtin is a call. */
static inline uint32_t bits_set(uint64_t v)
{
    v -= v >> 1 & 0x5555555555555555;
    v = (v & 0x3333333333333333) + (v >> 2 & 0x3333333333333333);
    v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return (uint32_t)(v * 0x0101010101010101 >> 56);
}

static void *reserve(uint64_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static uint64_t line_count(const struct hw_mark_segment *segment)
{
    return (segment->granules + LINE_BITS - 1) / LINE_BITS;
}

/* The first module that ends behind addr; NULL: none does. */
static const struct hw_module *module_from(const struct hw_module *modules, size_t count, hw_addr addr)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (modules[middle].end <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count ? &modules[low] : NULL;
}

static void add_segment(struct hw_marks *marks, hw_addr start, hw_addr end, uint32_t shift)
{
    marks->segments[marks->count++] = (struct hw_mark_segment){
        .start = start, .end = end, .shift = shift, .granules = (end - start) >> shift};
}

/* Where an allocator's mapping begins at the end of a module's bss, the kernel makes one mapping of
 * both. */
static void add_mapping(struct hw_marks *marks, const struct hw_segment *from,
                        const struct hw_module *modules, size_t module_count)
{
    const struct hw_module *module = module_from(modules, module_count, from->start);
    hw_addr start = from->start;
    if (module && start >= module->start) {
        hw_addr end = from->end < module->end ? from->end : module->end;
        add_segment(marks, start, end, 3);
        start = end;
    }
    if (start < from->end)
        add_segment(marks, start, from->end, 4);
}

bool hw_marks_init(struct hw_marks *marks, const struct hw_image *image,
                   const struct hw_module *modules, size_t module_count, struct hw_err *err)
{
    *marks = (struct hw_marks){0};
    marks->segments = calloc(2 * image->segment_count + 1, sizeof(*marks->segments));
    if (!marks->segments)
        return hw_err_no_memory(err);
    for (size_t i = 0; i < image->segment_count; i++)
        if (image->segments[i].prot & HW_PROT_WRITE)
            add_mapping(marks, &image->segments[i], modules, module_count);
    return true;
}

void hw_marks_deinit(struct hw_marks *marks)
{
    for (size_t i = 0; i < marks->count; i++) {
        struct hw_mark_segment *s = &marks->segments[i];
        if (s->bits)
            munmap(s->bits, line_count(s) * LINE_WORDS * 8);
        if (s->rank)
            munmap(s->rank, line_count(s) * sizeof(*s->rank));
        if (s->generation)
            munmap(s->generation, s->granules / 4 + 1);
    }
    free(marks->segments);
    *marks = (struct hw_marks){0};
}

/* Index of the first segment that ends behind addr. */
static size_t segment_from(const struct hw_marks *marks, hw_addr addr)
{
    size_t low = 0, high = marks->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (marks->segments[middle].end <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct hw_mark_segment *hw_marks_segment(struct hw_marks *marks, hw_addr addr)
{
    if (marks->last < marks->count) {
        struct hw_mark_segment *s = &marks->segments[marks->last];
        if (addr >= s->start && addr < s->end)
            return s;
    }
    size_t i = segment_from(marks, addr);
    if (i == marks->count || addr < marks->segments[i].start)
        return NULL;
    marks->last = i;
    return &marks->segments[i];
}

static bool granule_of(const struct hw_mark_segment *s, hw_addr addr, uint64_t *ret)
{
    hw_addr offset = addr - s->start;
    *ret = offset >> s->shift;
    return !(offset & (((hw_addr)1 << s->shift) - 1));
}

const uint64_t *hw_marks_words(struct hw_marks *marks, hw_addr addr, size_t count)
{
    enum { WORD_BITS = 64, SHIFT = 4 };
    const struct hw_mark_segment *s = hw_marks_segment(marks, addr);
    if (!s || !s->bits || s->shift != SHIFT)
        return NULL;
    uint64_t granule = (addr - s->start) >> SHIFT;
    bool fits = granule % WORD_BITS == 0 && granule + count * WORD_BITS <= s->granules;
    return fits ? s->bits + granule / WORD_BITS : NULL;
}

int hw_marks_set(struct hw_marks *marks, hw_addr addr)
{
    struct hw_mark_segment *s = hw_marks_segment(marks, addr);
    uint64_t g;
    if (!s || !granule_of(s, addr, &g))
        return -1;
    if (!s->bits && !(s->bits = reserve(line_count(s) * LINE_WORDS * 8)))
        return -1;
    uint64_t bit = (uint64_t)1 << (g % 64);
    if (s->bits[g / 64] & bit)
        return 0;
    s->bits[g / 64] |= bit;
    marks->marked++;
    return 1;
}

bool hw_marks_has(struct hw_marks *marks, hw_addr addr)
{
    struct hw_mark_segment *s = hw_marks_segment(marks, addr);
    uint64_t g;
    return s && s->bits && granule_of(s, addr, &g) && s->bits[g / 64] >> (g % 64) & 1;
}

void hw_marks_clear(struct hw_marks *marks, hw_addr addr)
{
    struct hw_mark_segment *s = hw_marks_segment(marks, addr);
    uint64_t g;
    if (!s || !s->bits || !granule_of(s, addr, &g) || !(s->bits[g / 64] >> (g % 64) & 1))
        return;
    s->bits[g / 64] &= ~((uint64_t)1 << (g % 64));
    marks->marked--;
}

bool hw_marks_any(struct hw_marks *marks, hw_addr from, hw_addr to)
{
    struct hw_mark_segment *s = hw_marks_segment(marks, from);
    if (!s || !s->bits || from >= to)
        return false;
    uint64_t first = (from - s->start) >> s->shift;
    uint64_t last = ((to < s->end ? to : s->end) - 1 - s->start) >> s->shift;
    uint64_t low = ~(uint64_t)0 << first % 64, high = ~(uint64_t)0 >> (63 - last % 64);
    if (first / 64 == last / 64)
        return s->bits[first / 64] & low & high;
    if (s->bits[first / 64] & low || s->bits[last / 64] & high)
        return true;
    for (uint64_t w = first / 64 + 1; w < last / 64; w++)
        if (s->bits[w])
            return true;
    return false;
}

void hw_marks_add_to(struct hw_marks *marks, hw_addr from, size_t count, uint64_t *to)
{
    struct hw_mark_segment *s = hw_marks_segment(marks, from);
    if (!s || !s->bits || s->shift != 4)
        return;
    uint64_t word = (from - s->start) >> s->shift >> 6, words = line_count(s) * LINE_WORDS;
    for (size_t i = 0; i < count && word + i < words; i++)
        to[i] |= s->bits[word + i];
}

void hw_marks_set_age(struct hw_marks *marks, hw_addr addr, enum hw_mark_age age)
{
    struct hw_mark_segment *s = hw_marks_segment(marks, addr);
    uint64_t g;
    if (!s || age == HW_AGE_OLDEST || !granule_of(s, addr, &g))
        return;
    if (!s->generation && !(s->generation = reserve(s->granules / 4 + 1)))
        return;
    s->generation[g / 4] |= (uint8_t)(age << g % 4 * 2);
}

enum hw_mark_age hw_marks_age(struct hw_marks *marks, hw_addr addr)
{
    struct hw_mark_segment *s = hw_marks_segment(marks, addr);
    uint64_t g;
    if (!s || !s->generation || !granule_of(s, addr, &g))
        return HW_AGE_OLDEST;
    return (enum hw_mark_age)(s->generation[g / 4] >> g % 4 * 2 & 3);
}

bool hw_marks_rank(struct hw_marks *marks, struct hw_err *err)
{
    if (marks->marked >= UINT32_MAX / 2)
        return hw_err_set(err, HW_ERR_LIMIT, "more than %u objects", UINT32_MAX / 2);
    uint32_t id = 0;
    for (size_t i = 0; i < marks->count; i++) {
        struct hw_mark_segment *s = &marks->segments[i];
        if (!s->bits)
            continue;
        uint64_t lines = line_count(s);
        s->rank = reserve(lines * sizeof(*s->rank));
        if (!s->rank)
            return hw_err_no_memory(err);
        for (uint64_t line = 0; line < lines; line++) {
            s->rank[line] = id;
            for (unsigned w = 0; w < LINE_WORDS; w++)
                id += bits_set(s->bits[line * LINE_WORDS + w]);
        }
    }
    return true;
}

hw_id hw_marks_id(struct hw_marks *marks, hw_addr addr)
{
    struct hw_mark_segment *s = hw_marks_segment(marks, addr);
    uint64_t g;
    if (!s || !s->bits || !granule_of(s, addr, &g))
        return HW_NONE;
    uint64_t word = g / 64;
    if (!(s->bits[word] >> (g % 64) & 1))
        return HW_NONE;
    uint64_t first = g / LINE_BITS * LINE_WORDS;
    uint32_t id = s->rank[g / LINE_BITS];
    for (uint64_t w = first; w < word; w++)
        id += bits_set(s->bits[w]);
    uint64_t below = ((uint64_t)1 << (g % 64)) - 1;
    return id + bits_set(s->bits[word] & below);
}

static hw_addr segment_next(const struct hw_mark_segment *s, hw_addr addr)
{
    uint64_t granule = ((addr - s->start) + ((hw_addr)1 << s->shift) - 1) >> s->shift;
    if (!s->bits || granule >= s->granules)
        return 0;
    uint64_t word = granule / 64, words = (s->granules + 63) / 64;
    uint64_t bits = s->bits[word] & ~(uint64_t)0 << granule % 64;
    while (!bits && ++word < words)
        bits = s->bits[word];
    if (!bits)
        return 0;
    return s->start + ((word * 64 + (uint64_t)__builtin_ctzll(bits)) << s->shift);
}

hw_addr hw_marks_next(struct hw_marks *marks, hw_addr addr)
{
    for (size_t i = segment_from(marks, addr); i < marks->count; i++) {
        const struct hw_mark_segment *s = &marks->segments[i];
        hw_addr found = segment_next(s, addr > s->start ? addr : s->start);
        if (found)
            return found;
    }
    return 0;
}

static hw_addr segment_before(const struct hw_mark_segment *s, hw_addr addr)
{
    uint64_t granules = ((addr - s->start) + ((hw_addr)1 << s->shift) - 1) >> s->shift;
    if (!s->bits || !granules)
        return 0;
    uint64_t word = (granules - 1) / 64;
    uint64_t bits = s->bits[word];
    if (granules % 64)
        bits &= ((uint64_t)1 << granules % 64) - 1;
    while (!bits && word)
        bits = s->bits[--word];
    if (!bits)
        return 0;
    return s->start + ((word * 64 + 63 - (uint64_t)__builtin_clzll(bits)) << s->shift);
}

hw_addr hw_marks_before(struct hw_marks *marks, hw_addr addr)
{
    size_t i = segment_from(marks, addr);
    if (i < marks->count && marks->segments[i].start < addr)
        i++;
    while (i-- > 0) {
        const struct hw_mark_segment *s = &marks->segments[i];
        hw_addr found = segment_before(s, addr < s->end ? addr : s->end);
        if (found)
            return found;
    }
    return 0;
}

struct span_list {
    struct hw_span *spans;
    size_t count, capacity;
    uint64_t position;
};

static bool span_add(struct span_list *list, hw_addr start, hw_addr end, uint32_t shift)
{
    struct hw_span *last = list->count ? &list->spans[list->count - 1] : NULL;
    if (last && last->end == start && last->shift == shift) {
        last->end = end;
    } else {
        struct hw_span *spans =
            hw_vec_grow(list->spans, &list->capacity, list->count + 1, sizeof(*spans));
        if (!spans)
            return false;
        list->spans = spans;
        list->spans[list->count++] = (struct hw_span){
            .start = start, .end = end, .first = (uint32_t)list->position, .shift = shift};
    }
    list->position += (end - start) >> shift;
    return true;
}

bool hw_marks_spans(const struct hw_marks *marks, struct hw_span **ret_spans, size_t *ret_count,
                    struct hw_err *err)
{
    struct span_list list = {0};
    for (size_t i = 0; i < marks->count; i++) {
        const struct hw_mark_segment *s = &marks->segments[i];
        for (hw_addr at = segment_next(s, s->start); at;) {
            hw_addr start = s->start + (at - s->start) / SPAN_BYTES * SPAN_BYTES;
            hw_addr end = s->end - start > SPAN_BYTES ? start + SPAN_BYTES : s->end;
            if (!span_add(&list, start, end, s->shift)) {
                free(list.spans);
                return hw_err_no_memory(err);
            }
            at = end < s->end ? segment_next(s, end) : 0;
        }
    }
    if (list.position > UINT32_MAX) {
        free(list.spans);
        return hw_err_set(err, HW_ERR_LIMIT, "the objects spread over more than 64 GiB");
    }
    *ret_spans = list.spans;
    *ret_count = list.count;
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "native/glibc-arena.h"

#include "base/err.h"
#include "base/vec.h"

#include <string.h>

/* struct malloc_state of glibc 2.27 to 2.41 (malloc/malloc.c). */
enum {
    STATE_FASTBINS = 16,
    STATE_TOP = 96,
    STATE_BINS = 112,
    STATE_NEXT = 2160,
    STATE_THREADS = 2176,
    STATE_SYSTEM_MEM = 2184,
    STATE_BYTES = 2200,
};
/* struct malloc_par, seen from its member sbrk_base (glibc 2.35 to 2.41). */
enum {
    PAR_TRIM_THRESHOLD = -96,
    PAR_TOP_PAD = -88,
    PAR_MMAP_THRESHOLD = -80,
    PAR_N_MMAPS = -36,
    PAR_MAX_N_MMAPS = -28,
    PAR_MMAPPED_MEM = -16,
    PAR_MAX_MMAPPED_MEM = -8,
};
enum { ARENAS_MAX = 1 << 12, FAST_MAX = 1 << 24, PAGE = 4096 };

static uint64_t word_at(struct hw_image *image, hw_addr addr)
{
    uint64_t word = 0;
    hw_image_read(image, addr, &word, sizeof(word));
    return word;
}

static uint32_t word32_at(struct hw_image *image, hw_addr addr)
{
    uint32_t word = 0;
    hw_image_read(image, addr, &word, sizeof(word));
    return word;
}

/* ---- arenas ---- */

/* A bin is the middle of a pretended chunk whose two links are in the array. */
static bool bins_are_sound(struct hw_image *image, hw_addr state)
{
    unsigned char bins[HW_GLIBC_BINS * 16];
    if (!hw_image_read(image, state + STATE_BINS, bins, sizeof(bins)))
        return false;
    for (unsigned i = HW_GLIBC_BINS; i-- > 0;) {
        hw_addr bin = state + STATE_BINS + i * 16 - 16, links[2];
        memcpy(links, bins + i * 16, sizeof(links));
        if (links[0] == bin && links[1] == bin)
            continue;
        if (word_at(image, links[0] + 24) != bin || word_at(image, links[1] + 16) != bin)
            return false;
    }
    return true;
}

static bool state_is_sound(struct hw_image *image, hw_addr state)
{
    /* The last bin is nearly always empty: a quick look before all the others. */
    hw_addr last = state + STATE_BINS + (HW_GLIBC_BINS - 1) * 16;
    hw_addr link = word_at(image, last), next = word_at(image, state + STATE_NEXT);
    if (link != last - 16 && word_at(image, link + 24) != last - 16)
        return false;
    return next && word_at(image, state + STATE_TOP) % 16 == 0 && bins_are_sound(image, state);
}

/* A thread that was stopped inside malloc() may have a bin half linked; then the arena that another
 * arena's ring leads to is taken all the same, but the first one is not found. */
static hw_addr main_state_find(struct hw_image *image, const struct hw_module *libc)
{
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct hw_segment *s = &image->segments[i];
        hw_addr start = s->start > libc->start ? s->start : libc->start;
        hw_addr end = s->end < libc->end ? s->end : libc->end;
        if (!(s->prot & HW_PROT_WRITE))
            continue;
        for (hw_addr at = start; at + STATE_BYTES <= end; at += 16)
            if (state_is_sound(image, at))
                return at;
    }
    return 0;
}

static bool arena_add(struct hw_glibc *glibc, hw_addr state, struct hw_err *err)
{
    struct hw_image *image = glibc->image;
    struct hw_glibc_arena *arenas = hw_vec_grow(glibc->arenas, &glibc->arena_capacity,
                                                glibc->arena_count + 1, sizeof(*arenas));
    if (!arenas)
        return hw_err_no_memory(err);
    glibc->arenas = arenas;
    glibc->arenas[glibc->arena_count++] =
        (struct hw_glibc_arena){.state = state,
                                .top = word_at(image, state + STATE_TOP),
                                .system_bytes = word_at(image, state + STATE_SYSTEM_MEM),
                                .threads = word_at(image, state + STATE_THREADS)};
    return true;
}

/* All arenas are in one ring. */
static bool arenas_follow(struct hw_glibc *glibc, hw_addr main_state, struct hw_err *err)
{
    hw_addr state = main_state;
    do {
        if (!arena_add(glibc, state, err))
            return false;
        state = word_at(glibc->image, state + STATE_NEXT);
    } while (state && state != main_state && glibc->arena_count < ARENAS_MAX);
    glibc->damaged += state != main_state;
    return true;
}

bool hw_glibc_heap_read(struct hw_image *image, const struct hw_glibc_arena *arena, hw_addr at,
                        struct hw_glibc_heap *ret_heap)
{
    hw_addr mask = HW_GLIBC_HEAP_MAX_BYTES - 1, addr = at & ~mask;
    uint64_t words[3];
    hw_addr head_bytes = arena->state & mask;
    if (!hw_image_read(image, addr, words, sizeof(words)) || words[0] != arena->state ||
        words[2] > HW_GLIBC_HEAP_MAX_BYTES || words[2] % PAGE || head_bytes > PAGE)
        return false;
    bool is_first = addr == (arena->state & ~mask);
    hw_addr first = is_first ? arena->state + STATE_BYTES : addr + head_bytes;
    *ret_heap = (struct hw_glibc_heap){
        addr, words[0], words[1], words[2], (first + 15) & ~(hw_addr)15};
    return true;
}

/* ---- fastbins ---- */

/* Links are mangled with the address they are stored at (glibc 2.32, PROTECT_PTR). */
static bool fastbin_follow(struct hw_glibc *glibc, hw_addr chunk, struct hw_err *err)
{
    while (chunk) {
        if (chunk % 16 || glibc->fast_count >= FAST_MAX ||
            !hw_image_at(glibc->image, chunk, HW_GLIBC_HEADER_BYTES + 8)) {
            glibc->damaged++;
            return true;
        }
        hw_addr *fast = hw_vec_grow(glibc->fast, &glibc->fast_capacity, glibc->fast_count + 1,
                                    sizeof(*fast));
        if (!fast)
            return hw_err_no_memory(err);
        glibc->fast = fast;
        glibc->fast[glibc->fast_count++] = chunk;
        hw_addr at = chunk + HW_GLIBC_HEADER_BYTES;
        chunk = word_at(glibc->image, at) ^ at >> 12;
    }
    return true;
}

static bool fastbins_read(struct hw_glibc *glibc, const struct hw_glibc_arena *arena,
                          struct hw_err *err)
{
    for (unsigned i = 0; i < HW_GLIBC_FASTBINS; i++) {
        hw_addr head = word_at(glibc->image, arena->state + STATE_FASTBINS + i * 8);
        if (!fastbin_follow(glibc, head, err))
            return false;
    }
    return true;
}

/* ---- counters ---- */

static bool counters_at(struct hw_glibc *glibc, hw_addr sbrk_base)
{
    struct hw_image *image = glibc->image;
    uint64_t bytes = word_at(image, sbrk_base + (hw_addr)PAR_MMAPPED_MEM);
    uint64_t most = word_at(image, sbrk_base + (hw_addr)PAR_MAX_MMAPPED_MEM);
    uint32_t count = word32_at(image, sbrk_base + (hw_addr)PAR_N_MMAPS);
    if (bytes > most || bytes % PAGE || count > word32_at(image, sbrk_base + (hw_addr)PAR_MAX_N_MMAPS) ||
        !count != !bytes)
        return false;
    glibc->mmap_count = count;
    glibc->mmap_bytes = bytes;
    glibc->trim_threshold = word_at(image, sbrk_base + (hw_addr)PAR_TRIM_THRESHOLD);
    glibc->top_pad = word_at(image, sbrk_base + (hw_addr)PAR_TOP_PAD);
    glibc->mmap_threshold = word_at(image, sbrk_base + (hw_addr)PAR_MMAP_THRESHOLD);
    return true;
}

static hw_addr heap_start(const struct hw_image *image)
{
    for (size_t i = 0; i < image->segment_count; i++)
        if (!strcmp(image->segments[i].path, "[heap]"))
            return image->segments[i].start;
    return 0;
}

/* What glibc first got from the kernel it has noted, behind its counters of mappings. */
static void counters_find(struct hw_glibc *glibc, const struct hw_module *libc)
{
    struct hw_image *image = glibc->image;
    hw_addr base = heap_start(image);
    for (size_t i = 0; base && i < image->segment_count; i++) {
        const struct hw_segment *s = &image->segments[i];
        hw_addr start = s->start > libc->start ? s->start : libc->start;
        hw_addr end = s->end < libc->end ? s->end : libc->end;
        if (!(s->prot & HW_PROT_WRITE))
            continue;
        for (hw_addr at = start; at + 8 <= end; at += 8)
            if (word_at(image, at) == base && counters_at(glibc, at))
                return;
    }
}

static const struct hw_module *libc_find(struct hw_image *image, const struct hw_module *modules,
                                         size_t count)
{
    struct hw_symbol symbol;
    for (size_t i = 0; i < count; i++)
        if (hw_module_symbol(image, &modules[i], "gnu_get_libc_version", &symbol))
            return &modules[i];
    return NULL;
}

bool hw_glibc_arenas_read(struct hw_glibc *glibc, const struct hw_module *modules,
                          size_t module_count, struct hw_err *err)
{
    const struct hw_module *libc = libc_find(glibc->image, modules, module_count);
    hw_addr main_state = libc ? main_state_find(glibc->image, libc) : 0;
    if (!main_state)
        return true;
    counters_find(glibc, libc);
    if (!arenas_follow(glibc, main_state, err))
        return false;
    for (size_t i = 0; i < glibc->arena_count; i++)
        if (!fastbins_read(glibc, &glibc->arenas[i], err))
            return false;
    return true;
}

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
enum { TORN_MAX = 2, ARENAS_MAX = 1 << 12, FAST_MAX = 1 << 24, PAGE = 4096 };

/* ---- arenas ---- */

/* How many bins do not point back. A bin is the middle of a pretended chunk whose two links are in
 * the array. */
static unsigned bins_torn(struct hw_image *image, hw_addr state)
{
    unsigned char bins[HW_GLIBC_BINS * 16];
    unsigned torn = 0;
    if (!hw_image_read(image, state + STATE_BINS, bins, sizeof(bins)))
        return HW_GLIBC_BINS;
    for (unsigned i = HW_GLIBC_BINS; i-- > 0;) {
        hw_addr bin = state + STATE_BINS + i * 16 - 16, links[2];
        memcpy(links, bins + i * 16, sizeof(links));
        if (links[0] == bin && links[1] == bin)
            continue;
        if (hw_image_word(image, links[0] + 24) != bin ||
            hw_image_word(image, links[1] + 16) != bin)
            torn++;
        if (torn > TORN_MAX)
            break;
    }
    return torn;
}

/* Whether the head of an arena may be at state, and how many of its bins are torn. */
static bool state_look(struct hw_image *image, hw_addr state, unsigned *ret_torn)
{
    /* The last bin is nearly always empty: a quick look before all the others. */
    hw_addr last = state + STATE_BINS + (HW_GLIBC_BINS - 1) * 16;
    hw_addr link = hw_image_word(image, last), next = hw_image_word(image, state + STATE_NEXT);
    if (link != last - 16 && hw_image_word(image, link + 24) != last - 16)
        return false;
    if (!next || hw_image_word(image, state + STATE_TOP) % 16)
        return false;
    *ret_torn = bins_torn(image, state);
    return *ret_torn <= TORN_MAX;
}

/* A thread that was stopped inside malloc() may leave a bin or two half linked. A place that is off
 * by one or two bins looks nearly as good; so the one with the fewest torn ones is taken. */
static hw_addr main_state_find(struct hw_image *image, const struct hw_module *libc)
{
    hw_addr best = 0;
    unsigned least = TORN_MAX + 1;
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct hw_segment *s = &image->segments[i];
        hw_addr start = s->start > libc->start ? s->start : libc->start;
        hw_addr end = s->end < libc->end ? s->end : libc->end;
        if (!(s->prot & HW_PROT_WRITE))
            continue;
        for (hw_addr at = start; at + STATE_BYTES <= end && least; at += 16) {
            unsigned torn;
            if (!state_look(image, at, &torn) || torn >= least)
                continue;
            best = at;
            least = torn;
        }
    }
    return best;
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
                                .top = hw_image_word(image, state + STATE_TOP),
                                .system_bytes = hw_image_word(image, state + STATE_SYSTEM_MEM),
                                .threads = hw_image_word(image, state + STATE_THREADS)};
    return true;
}

/* All arenas are in one ring. */
static bool arenas_follow(struct hw_glibc *glibc, hw_addr main_state, struct hw_err *err)
{
    hw_addr state = main_state;
    do {
        if (!arena_add(glibc, state, err))
            return false;
        state = hw_image_word(glibc->image, state + STATE_NEXT);
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
    hw_addr mark = 0; /* is met again when the list runs in a circle */
    for (size_t n = 1; chunk; n++) {
        if (chunk == mark || chunk % 16 || glibc->fast_count >= FAST_MAX ||
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
        mark = n & (n - 1) ? mark : chunk;
        chunk = hw_image_word(glibc->image, at) ^ at >> 12;
    }
    return true;
}

static bool fastbins_read(struct hw_glibc *glibc, const struct hw_glibc_arena *arena,
                          struct hw_err *err)
{
    for (unsigned i = 0; i < HW_GLIBC_FASTBINS; i++) {
        hw_addr head = hw_image_word(glibc->image, arena->state + STATE_FASTBINS + i * 8);
        if (!fastbin_follow(glibc, head, err))
            return false;
    }
    return true;
}

/* ---- counters ---- */

static bool counters_at(struct hw_glibc *glibc, hw_addr sbrk_base)
{
    struct hw_image *image = glibc->image;
    uint64_t bytes = hw_image_word(image, sbrk_base + (hw_addr)PAR_MMAPPED_MEM);
    uint64_t most = hw_image_word(image, sbrk_base + (hw_addr)PAR_MAX_MMAPPED_MEM);
    uint32_t count = hw_image_word32(image, sbrk_base + (hw_addr)PAR_N_MMAPS);
    uint32_t most_count = hw_image_word32(image, sbrk_base + (hw_addr)PAR_MAX_N_MMAPS);
    if (bytes > most || bytes % PAGE || count > most_count || !count != !bytes)
        return false;
    glibc->mmap_count = count;
    glibc->mmap_bytes = bytes;
    glibc->trim_threshold = hw_image_word(image, sbrk_base + (hw_addr)PAR_TRIM_THRESHOLD);
    glibc->top_pad = hw_image_word(image, sbrk_base + (hw_addr)PAR_TOP_PAD);
    glibc->mmap_threshold = hw_image_word(image, sbrk_base + (hw_addr)PAR_MMAP_THRESHOLD);
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
            if (hw_image_word(image, at) == base && counters_at(glibc, at))
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

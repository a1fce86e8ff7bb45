/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/ledger-build.h"

#include "base/err.h"
#include "base/vec.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/*
 * Blocks of malloc() that no Python object is known to use, by size. Whoever calls malloc() asks
 * for few sizes, so what leaks is one size, or a few. What its blocks point to, and what points to
 * them, says whose they may be.
 */

enum { EXACT_STEP = 16, OCTAVE_STEPS = 16, EXACT_BITS = 16, SAMPLE_BYTES = 32, LOOK_BYTES = 512 };
enum { LOOKED_AT = 16 }; /* sizes of which blocks are looked at: those with the most bytes */

static unsigned size_index(uint64_t bytes)
{
    if (bytes < (uint64_t)HW_LEDGER_NATIVE_EXACT * EXACT_STEP)
        return (unsigned)(bytes / EXACT_STEP);
    unsigned octave = 63 - (unsigned)__builtin_clzll(bytes);
    unsigned step = (unsigned)(bytes >> (octave - 4)) & (OCTAVE_STEPS - 1);
    unsigned index = HW_LEDGER_NATIVE_EXACT + (octave - EXACT_BITS) * OCTAVE_STEPS + step;
    return index < HW_LEDGER_NATIVE_SIZES ? index : HW_LEDGER_NATIVE_SIZES - 1;
}

static uint64_t size_of_index(unsigned index)
{
    if (index < HW_LEDGER_NATIVE_EXACT)
        return (uint64_t)index * EXACT_STEP;
    unsigned octave = (index - HW_LEDGER_NATIVE_EXACT) / OCTAVE_STEPS + EXACT_BITS;
    unsigned step = (index - HW_LEDGER_NATIVE_EXACT) % OCTAVE_STEPS;
    return (uint64_t)(OCTAVE_STEPS + step) << (octave - 4);
}

/* Each block of a size has the same chance to be among the samples. */
void hw_ledger_native_count(struct hw_ledger_work *work, const struct hw_glibc_chunk *chunk)
{
    struct hw_ledger_size *size = &work->sizes[size_index(chunk->bytes)];
    uint64_t place = size->count;
    if (place >= HW_LEDGER_SAMPLES) {
        work->random = work->random * 6364136223846793005u + 1442695040888963407u;
        place = (work->random >> 33) % (size->count + 1);
    }
    if (place < HW_LEDGER_SAMPLES)
        size->samples[place] = hw_glibc_block(chunk);
    size->count++;
    size->bytes += chunk->bytes;
}

/* ---- what blocks look like ---- */

/* The letter behind the backslash for what ends and parts lines; 0: c is none of it. */
static char line_letter(unsigned char c)
{
    return c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : 0;
}

/* Text where there is text, else pairs of hexadecimal digits. */
static const char *sample_text(struct hw_ledger_work *work, hw_addr addr, uint64_t bytes)
{
    struct hw_builder *b = work->b;
    char text[SAMPLE_BYTES * 3 + 4];
    size_t n = bytes < SAMPLE_BYTES ? bytes : SAMPLE_BYTES, printable = 0, used = 0;
    const unsigned char *p = b->opts->no_values ? NULL : hw_image_at(b->image, addr, n);
    if (!p)
        return "";
    while (printable < n && (isprint(p[printable]) || line_letter(p[printable])))
        printable++;
    bool is_text = printable == n || (printable >= 4 && !p[printable]);
    if (is_text) {
        text[used++] = '\'';
        for (size_t i = 0; i < printable; i++) {
            char letter = line_letter(p[i]);
            if (letter)
                text[used++] = '\\';
            text[used++] = letter ? letter : (char)p[i];
        }
        text[used++] = '\'';
    }
    for (size_t i = 0; !is_text && i < n && used + 4 < sizeof(text); i++) {
        static const char digits[] = "0123456789abcdef";
        if (i && i % 8 == 0)
            text[used++] = ' ';
        text[used++] = digits[p[i] >> 4];
        text[used++] = digits[p[i] & 15];
    }
    return hw_arena_strndup(&b->graph->arena, text, used);
}

struct vote {
    const struct hw_module *module;
    unsigned count;
};

static void vote_add(struct vote *votes, size_t *count, const struct hw_module *module)
{
    for (size_t i = 0; i < *count; i++)
        if (votes[i].module == module) {
            votes[i].count++;
            return;
        }
    if (*count < HW_LEDGER_SAMPLES)
        votes[(*count)++] = (struct vote){module, 1};
}

/* The first word of a block that leads into a mapped file: a table of functions, a callback. */
static const struct hw_module *points_into(struct hw_builder *b, hw_addr block, uint64_t bytes)
{
    uint64_t n = bytes < LOOK_BYTES ? bytes : LOOK_BYTES;
    const unsigned char *p = hw_image_at(b->image, block, n);
    for (uint64_t at = 0; p && at + 8 <= n; at += 8) {
        const struct hw_module *module = hw_ledger_module_at(b, load64(p + at));
        if (module)
            return module;
    }
    return NULL;
}

static int by_address(const void *a, const void *b)
{
    hw_addr x = *(const hw_addr *)a, y = *(const hw_addr *)b;
    return (x > y) - (x < y);
}

/* All blocks looked at, with the row they are of, so that one pass over the libraries' data finds
 * what points to any of them. */
struct looked {
    hw_addr addr;
    size_t row;
};

static const struct looked *looked_find(const struct looked *looked, size_t count, hw_addr addr)
{
    return bsearch(&addr, looked, count, sizeof(*looked), by_address);
}

static void data_scan(struct hw_builder *b, const struct hw_module *module,
                      const struct looked *looked, size_t count,
                      struct vote (*votes)[HW_LEDGER_SAMPLES], size_t *vote_counts)
{
    hw_addr start, end;
    for (size_t i = 0; hw_module_data_next(b->image, module, &i, &start, &end);) {
        const unsigned char *p = hw_image_at(b->image, start, end - start);
        for (hw_addr at = start; p && at + 8 <= end; at += 8, p += 8) {
            hw_addr word = load64(p);
            if (word < looked[0].addr || word > looked[count - 1].addr)
                continue;
            const struct looked *hit = looked_find(looked, count, word);
            if (hit)
                vote_add(votes[hit->row], &vote_counts[hit->row], module);
        }
    }
}

/* ---- rows ---- */

static int by_bytes(const void *a, const void *b)
{
    const struct hw_ledger_native *x = *(struct hw_ledger_native *const *)a;
    const struct hw_ledger_native *y = *(struct hw_ledger_native *const *)b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return (x->block_bytes > y->block_bytes) - (x->block_bytes < y->block_bytes);
}

static bool rows_make(struct hw_ledger_work *work)
{
    struct hw_ledger *ledger = work->ledger;
    size_t n = 0;
    for (unsigned i = 0; i < HW_LEDGER_NATIVE_SIZES; i++)
        n += work->sizes[i].count != 0;
    ledger->natives = calloc(n + 1, sizeof(*ledger->natives));
    if (!ledger->natives)
        return hw_err_no_memory(work->b->err);
    for (unsigned i = 0; i < HW_LEDGER_NATIVE_SIZES; i++)
        if (work->sizes[i].count)
            ledger->natives[ledger->native_count++] =
                (struct hw_ledger_native){.block_bytes = size_of_index(i),
                                          .count = work->sizes[i].count,
                                          .bytes = work->sizes[i].bytes,
                                          .sample = "",
                                          .library = ""};
    return true;
}

static void votes_settle(struct hw_ledger_work *work, struct hw_ledger_native *row,
                         const struct vote *votes, size_t count)
{
    const struct vote *best = NULL;
    for (size_t i = 0; i < count; i++)
        if (!best || votes[i].count > best->count)
            best = &votes[i];
    if (!best)
        return;
    const char *path = hw_arena_strdup(&work->b->graph->arena, best->module->path);
    row->library = path ? path : "";
}

static void rows_look(struct hw_ledger_work *work, struct hw_ledger_native **rows, size_t count)
{
    struct hw_builder *b = work->b;
    struct looked looked[LOOKED_AT * HW_LEDGER_SAMPLES];
    struct vote votes[LOOKED_AT][HW_LEDGER_SAMPLES];
    size_t looked_count = 0, vote_counts[LOOKED_AT] = {0};
    for (size_t i = 0; i < count; i++) {
        const struct hw_ledger_size *size = &work->sizes[size_index(rows[i]->block_bytes)];
        uint64_t bytes = rows[i]->block_bytes - HW_GLIBC_HEADER_BYTES;
        for (size_t k = 0; k < size->count && k < HW_LEDGER_SAMPLES; k++) {
            const struct hw_module *module = points_into(b, size->samples[k], bytes);
            if (module)
                vote_add(votes[i], &vote_counts[i], module);
            looked[looked_count++] = (struct looked){size->samples[k], i};
        }
        const char *sample = sample_text(work, size->samples[0], bytes);
        rows[i]->sample = sample ? sample : "";
    }
    qsort(looked, looked_count, sizeof(*looked), by_address);
    for (size_t m = 0; looked_count && m < b->module_count; m++)
        data_scan(b, &b->modules[m], looked, looked_count, votes, vote_counts);
    for (size_t i = 0; i < count; i++)
        votes_settle(work, rows[i], votes[i], vote_counts[i]);
}

bool hw_ledger_natives_finish(struct hw_ledger_work *work)
{
    if (!rows_make(work))
        return false;
    size_t n = work->ledger->native_count;
    struct hw_ledger_native **rows = calloc(n + 1, sizeof(struct hw_ledger_native *));
    if (!rows)
        return hw_err_no_memory(work->b->err);
    for (size_t i = 0; i < n; i++)
        rows[i] = &work->ledger->natives[i];
    qsort(rows, n, sizeof(struct hw_ledger_native *), by_bytes);
    rows_look(work, rows, n < LOOKED_AT ? n : LOOKED_AT);
    free(rows);
    return true;
}

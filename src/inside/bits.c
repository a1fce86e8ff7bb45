/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/bits.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { WINDOW_BYTES = HW_BITS_WORDS * sizeof(uint64_t) };
#define NO_WINDOW UINTPTR_MAX

struct place {
    uintptr_t number; /* of the window */
    size_t word;
    uint64_t mask;
};

static struct place place_of(const void *address)
{
    uintptr_t at = (uintptr_t)address;
    uintptr_t bit = (at & (((uintptr_t)1 << HW_BITS_WINDOW_SHIFT) - 1)) >> HW_BITS_SHIFT;
    return (struct place){at >> HW_BITS_WINDOW_SHIFT, bit / 64, (uint64_t)1 << bit % 64};
}

struct hw_bits *hw_bits_create(void)
{
    struct hw_bits *bits = calloc(1, sizeof(*bits));
    if (!bits) {
        PyErr_NoMemory();
        return NULL;
    }
    bits->last_number = NO_WINDOW;
    return bits;
}

void hw_bits_destroy(struct hw_bits *bits)
{
    if (!bits)
        return;
    for (size_t r = 0; r < HW_BITS_FAN; r++) {
        for (size_t w = 0; bits->rows[r] && w < HW_BITS_FAN; w++)
            if (bits->rows[r][w])
                munmap(bits->rows[r][w], WINDOW_BYTES);
        free(bits->rows[r]);
    }
    free(bits);
}

static uint64_t *window_at(const struct hw_bits *bits, uintptr_t number)
{
    uint64_t **row = number < (uintptr_t)HW_BITS_FAN * HW_BITS_FAN ? bits->rows[number / HW_BITS_FAN] : NULL;
    return row ? row[number % HW_BITS_FAN] : NULL;
}

/* Pages of the kernel's, not of malloc: only touched ones count, and all go back at once. */
static uint64_t *window_make(struct hw_bits *bits, uintptr_t number)
{
    if (number >= (uintptr_t)HW_BITS_FAN * HW_BITS_FAN)
        return NULL;
    uint64_t ***row = &bits->rows[number / HW_BITS_FAN];
    if (!*row)
        *row = calloc(HW_BITS_FAN, sizeof(**row));
    if (!*row)
        return NULL;
    uint64_t **window = &(*row)[number % HW_BITS_FAN];
    if (!*window) {
        void *pages = mmap(NULL, WINDOW_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        *window = pages == MAP_FAILED ? NULL : pages;
    }
    return *window;
}

int hw_bits_add(struct hw_bits *bits, const void *address)
{
    struct place place = place_of(address);
    if (place.number != bits->last_number) {
        uint64_t *window = window_make(bits, place.number);
        if (!window) {
            PyErr_NoMemory();
            return -1;
        }
        bits->last = window;
        bits->last_number = place.number;
    }
    uint64_t *word = &bits->last[place.word];
    int is_new = !(*word & place.mask);
    *word |= place.mask;
    return is_new;
}

/* Only what is remembered of the last look-up changes, and no set is in read-only memory. */
bool hw_bits_has(const struct hw_bits *set, const void *address)
{
    struct hw_bits *bits = (struct hw_bits *)set;
    struct place place = place_of(address);
    if (place.number != bits->last_number) {
        uint64_t *window = window_at(bits, place.number);
        if (!window)
            return false;
        bits->last = window;
        bits->last_number = place.number;
    }
    return bits->last[place.word] & place.mask;
}

void hw_bits_remove(struct hw_bits *bits, const void *address)
{
    struct place place = place_of(address);
    if (hw_bits_has(bits, address))
        bits->last[place.word] &= ~place.mask;
}

size_t hw_bits_count(const struct hw_bits *bits)
{
    size_t count = 0;
    for (uintptr_t number = 0; number < (uintptr_t)HW_BITS_FAN * HW_BITS_FAN; number++) {
        if (!bits->rows[number / HW_BITS_FAN]) {
            number |= HW_BITS_FAN - 1;
            continue;
        }
        const uint64_t *window = window_at(bits, number);
        for (size_t i = 0; window && i < HW_BITS_WORDS; i++)
            count += (size_t)__builtin_popcountll(window[i]);
    }
    return count;
}

static void words_combine(uint64_t *to, const uint64_t *other, enum hw_bits_op op)
{
    for (size_t i = 0; i < HW_BITS_WORDS; i++) {
        uint64_t with = other ? other[i] : 0;
        /* Untouched pages stay untouched: a write of the same value would make them resident. */
        uint64_t now = op == HW_BITS_AND     ? to[i] & with
                       : op == HW_BITS_OR    ? to[i] | with
                       : op == HW_BITS_MINUS ? to[i] & ~with
                                             : to[i] ^ with;
        if (now != to[i])
            to[i] = now;
    }
}

int hw_bits_combine(struct hw_bits *to, const struct hw_bits *other, enum hw_bits_op op)
{
    for (uintptr_t number = 0; number < (uintptr_t)HW_BITS_FAN * HW_BITS_FAN; number++) {
        if (!to->rows[number / HW_BITS_FAN] && !other->rows[number / HW_BITS_FAN]) {
            number |= HW_BITS_FAN - 1;
            continue;
        }
        uint64_t *mine = window_at(to, number);
        const uint64_t *others = window_at(other, number);
        bool grows = others && (op == HW_BITS_OR || op == HW_BITS_XOR);
        if (!mine && grows && !(mine = window_make(to, number))) {
            PyErr_NoMemory();
            return -1;
        }
        if (mine)
            words_combine(mine, others, op);
    }
    return 0;
}

/* The first bit at or after `bit` of a window; HW_BITS_WORDS * 64: none. */
static size_t window_next(const uint64_t *window, size_t bit)
{
    size_t word = bit / 64;
    uint64_t left = window[word] & (~(uint64_t)0 << bit % 64);
    while (!left) {
        if (++word == HW_BITS_WORDS)
            return (size_t)HW_BITS_WORDS * 64;
        left = window[word];
    }
    return word * 64 + (size_t)__builtin_ctzll(left);
}

void *hw_bits_next(const struct hw_bits *bits, const void *address)
{
    uintptr_t at = ((uintptr_t)address + (1 << HW_BITS_SHIFT) - 1) >> HW_BITS_SHIFT;
    const size_t per_window = (size_t)HW_BITS_WORDS * 64;
    for (uintptr_t number = at / per_window; number < (uintptr_t)HW_BITS_FAN * HW_BITS_FAN; number++) {
        if (!bits->rows[number / HW_BITS_FAN]) {
            number |= HW_BITS_FAN - 1;
            continue;
        }
        const uint64_t *window = window_at(bits, number);
        size_t from = number == at / per_window ? at % per_window : 0;
        size_t bit = window ? window_next(window, from) : per_window;
        if (bit < per_window)
            return (void *)((number * per_window + bit) << HW_BITS_SHIFT);
    }
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_BYTES = 64 * 1024, ARENA_ALIGN = 16 };

struct hw_arena_block {
    struct hw_arena_block *before;
    size_t used, capacity;
    _Alignas(ARENA_ALIGN) unsigned char data[];
};

static struct hw_arena_block *arena_grow(struct hw_arena *arena, size_t bytes)
{
    size_t capacity = bytes > ARENA_BLOCK_BYTES ? bytes : ARENA_BLOCK_BYTES;
    if (capacity > SIZE_MAX - sizeof(struct hw_arena_block))
        return NULL;
    struct hw_arena_block *block = calloc(1, sizeof(*block) + capacity);
    if (!block)
        return NULL;
    block->capacity = capacity;
    block->before = arena->last;
    arena->last = block;
    return block;
}

void *hw_arena_alloc(struct hw_arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX - ARENA_ALIGN)
        return NULL;
    bytes = (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    struct hw_arena_block *block = arena->last;
    if (!block || block->capacity - block->used < bytes)
        block = arena_grow(arena, bytes);
    if (!block)
        return NULL;
    void *p = block->data + block->used;
    block->used += bytes;
    arena->used_bytes += bytes;
    return p;
}

void *hw_arena_array(struct hw_arena *arena, size_t count, size_t elem_bytes)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, elem_bytes, &bytes))
        return NULL;
    return hw_arena_alloc(arena, bytes);
}

char *hw_arena_strndup(struct hw_arena *arena, const char *s, size_t n)
{
    char *p = hw_arena_alloc(arena, n + 1);
    if (p)
        memcpy(p, s, n);
    return p;
}

char *hw_arena_strdup(struct hw_arena *arena, const char *s)
{
    return hw_arena_strndup(arena, s, strlen(s));
}

char *hw_arena_printf(struct hw_arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *p = n < 0 ? NULL : hw_arena_alloc(arena, (size_t)n + 1);
    if (p)
        vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    va_end(args);
    return p;
}

void hw_arena_join(struct hw_arena *arena, struct hw_arena *from)
{
    struct hw_arena_block **end = &arena->last;
    while (*end)
        end = &(*end)->before;
    *end = from->last;
    arena->used_bytes += from->used_bytes;
    *from = (struct hw_arena){0};
}

void hw_arena_visit(const struct hw_arena *arena, void (*visit)(void *ctx, const void *block), void *ctx)
{
    for (const struct hw_arena_block *block = arena->last; block; block = block->before)
        visit(ctx, block);
}

void hw_arena_deinit(struct hw_arena *arena)
{
    for (struct hw_arena_block *block = arena->last; block;) {
        struct hw_arena_block *before = block->before;
        free(block);
        block = before;
    }
    arena->last = NULL;
    arena->used_bytes = 0;
}

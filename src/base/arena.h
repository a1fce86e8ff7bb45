/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_BASE_ARENA_H
#define HW_BASE_ARENA_H

/*
 * A bump allocator: many small allocations, one release. A result of a question lives in one arena
 * and dies with it. Memory is zeroed. All functions return NULL when memory runs out.
 *
 *     struct hw_arena arena = {0};
 *     char *s = hw_arena_printf(&arena, "%s[%u]", name, i);
 *     hw_arena_deinit(&arena);
 */

#include <stdarg.h>
#include <stddef.h>

struct hw_arena_block;
struct hw_arena {
    struct hw_arena_block *last;
    size_t used_bytes; /* asked for by callers */
};

void *hw_arena_alloc(struct hw_arena *arena, size_t bytes);
void *hw_arena_array(struct hw_arena *arena, size_t count, size_t elem_bytes); /* checks overflow */
char *hw_arena_strndup(struct hw_arena *arena, const char *s, size_t n);
char *hw_arena_strdup(struct hw_arena *arena, const char *s);
char *hw_arena_printf(struct hw_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Hands all that is in from over to arena; from is empty then, and usable. */
void hw_arena_join(struct hw_arena *arena, struct hw_arena *from);
/* Calls visit with each block of memory that the arena has from malloc. */
void hw_arena_visit(const struct hw_arena *arena, void (*visit)(void *ctx, const void *block), void *ctx);
void hw_arena_deinit(struct hw_arena *arena); /* leaves it empty and usable */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/names.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static bool names_grow(struct hw_names *names)
{
    uint32_t capacity = names->capacity ? names->capacity * 2 : 1024;
    const char **text = realloc(names->text, capacity * sizeof(*text));
    if (text)
        names->text = text;
    uint32_t *hash = realloc(names->hash, capacity * sizeof(*hash));
    if (hash)
        names->hash = hash;
    uint32_t *slots = calloc((size_t)capacity * 2, sizeof(*slots));
    if (!text || !hash || !slots) {
        free(slots);
        return false;
    }
    free(names->slots);
    names->slots = slots;
    names->slot_count = capacity * 2;
    names->capacity = capacity;
    for (uint32_t i = 0; i < names->count; i++) {
        uint32_t at = names->hash[i] & (names->slot_count - 1);
        while (slots[at])
            at = (at + 1) & (names->slot_count - 1);
        slots[at] = i + 1;
    }
    return true;
}

bool hw_names_init(struct hw_names *names, struct hw_arena *arena)
{
    *names = (struct hw_names){.arena = arena};
    if (!names_grow(names))
        return false;
    hw_names_intern(names, "", 0);
    return !names->failed;
}

void hw_names_deinit(struct hw_names *names)
{
    free(names->text);
    free(names->hash);
    free(names->slots);
    *names = (struct hw_names){0};
}

uint32_t hw_names_intern(struct hw_names *names, const char *text, size_t bytes)
{
    uint32_t hash = (uint32_t)XXH3_64bits(text, bytes);
    uint32_t at = hash & (names->slot_count - 1);
    for (; names->slots[at]; at = (at + 1) & (names->slot_count - 1)) {
        uint32_t i = names->slots[at] - 1;
        if (names->hash[i] == hash && !strncmp(names->text[i], text, bytes) &&
            !names->text[i][bytes])
            return i;
    }
    if (names->count == names->capacity) {
        if (names->count >= HW_LABEL_PAYLOAD / 2 || !names_grow(names))
            goto fail;
        return hw_names_intern(names, text, bytes);
    }
    char *copy = hw_arena_strndup(names->arena, text, bytes);
    if (!copy)
        goto fail;
    names->text[names->count] = copy;
    names->hash[names->count] = hash;
    names->slots[at] = names->count + 1;
    return names->count++;
fail:
    names->failed = true;
    return 0;
}

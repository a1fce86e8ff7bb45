/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/intern.h"

#include "base/vec.h"

#include <stdlib.h>

enum { SLOTS_LEAST = 64 };

static uint32_t *find_slot(const struct hw_intern *intern, uint64_t key)
{
    uint32_t at = (uint32_t)hw_mix(key) & (intern->slot_count - 1);
    while (intern->slots[at] && intern->keys[intern->slots[at] - 1] != key)
        at = (at + 1) & (intern->slot_count - 1);
    return &intern->slots[at];
}

static bool grow_slots(struct hw_intern *intern)
{
    uint32_t wanted = intern->slot_count ? intern->slot_count * 2 : SLOTS_LEAST;
    uint32_t *slots = wanted ? calloc(wanted, sizeof(*slots)) : NULL;
    if (!slots)
        return false;
    free(intern->slots);
    intern->slots = slots;
    intern->slot_count = wanted;
    for (uint32_t i = 0; i < intern->count; i++)
        *find_slot(intern, intern->keys[i]) = i + 1;
    return true;
}

uint32_t hw_intern_number(struct hw_intern *intern, uint64_t key)
{
    if (intern->count >= intern->slot_count / 2 && !grow_slots(intern))
        return UINT32_MAX;
    uint32_t *slot = find_slot(intern, key);
    if (*slot)
        return *slot - 1;
    uint64_t *keys =
        hw_vec_grow(intern->keys, &intern->capacity, intern->count + 1u, sizeof(*keys));
    if (!keys)
        return UINT32_MAX;
    intern->keys = keys;
    intern->keys[intern->count++] = key;
    *slot = intern->count;
    return intern->count - 1;
}

void hw_intern_deinit(struct hw_intern *intern)
{
    free(intern->keys);
    free(intern->slots);
    *intern = (struct hw_intern){0};
}

uint64_t hw_text_hash(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

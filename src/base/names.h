/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_BASE_NAMES_H
#define HW_BASE_NAMES_H

/*
 * Strings, each kept once and known by a small number. Number 0 is "".
 */

#include "base/arena.h"
#include "heapwhy.h"

struct hw_names {
    struct hw_arena *arena; /* the texts live here; not owned */
    const char **text;      /* by number */
    uint32_t *hash;         /* of each text */
    uint32_t count, capacity;
    uint32_t *slots;        /* open addressing: number + 1, 0 = free */
    uint32_t slot_count;    /* a power of two */
    bool failed;            /* memory ran out: later names became "" */
};

bool hw_names_init(struct hw_names *names, struct hw_arena *arena);
void hw_names_deinit(struct hw_names *names); /* the texts stay in the arena */

/* The number of a text; 0 when memory runs out or more than HW_LABEL_PAYLOAD are known. */
uint32_t hw_names_intern(struct hw_names *names, const char *text, size_t bytes);

#endif

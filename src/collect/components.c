/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/components.h"

#include "base/err.h"

#include <stdlib.h>

struct walk {
    const struct hw_part *part;
    const uint8_t *cut;
    struct hw_components *out;
    uint32_t *number; /* in order of discovery, from 1; 0: not seen */
    uint32_t *low;    /* the least number reached that is still open */
    uint32_t *cursor; /* next edge to look at */
    uint32_t *path;   /* the way from the start to here */
    uint32_t *open;   /* seen, component not yet known */
    uint32_t path_length, open_count, seen, ordered;
};

static bool refers_to_itself(const struct walk *walk, uint32_t node)
{
    const struct hw_part *part = walk->part;
    for (uint32_t e = part->start[node]; e < part->start[node + 1]; e++)
        if (part->to[e] == node && !(walk->cut && walk->cut[e]))
            return true;
    return false;
}

/* node is the first of its component that was met: all that is open above it belongs to it. */
static void close_component(struct walk *walk, uint32_t node)
{
    struct hw_components *out = walk->out;
    uint32_t begin = walk->ordered, member;
    do {
        member = walk->open[--walk->open_count];
        walk->low[member] = UINT32_MAX; /* closed */
        out->order[walk->ordered++] = member;
    } while (member != node);
    uint32_t size = walk->ordered - begin;
    bool is_cycle = size > 1 || refers_to_itself(walk, node);
    for (uint32_t i = begin; i < walk->ordered; i++)
        out->of[out->order[i]] = is_cycle ? out->count : HW_NONE;
    if (!is_cycle)
        return;
    out->first[out->count] = begin;
    out->size[out->count++] = size;
    out->in_cycles += size;
}

static void enter(struct walk *walk, uint32_t node)
{
    walk->number[node] = walk->low[node] = ++walk->seen;
    walk->cursor[node] = walk->part->start[node];
    walk->path[walk->path_length++] = node;
    walk->open[walk->open_count++] = node;
}

static void lower(struct walk *walk, uint32_t node, uint32_t low)
{
    if (low < walk->low[node])
        walk->low[node] = low;
}

static void leave(struct walk *walk)
{
    uint32_t node = walk->path[--walk->path_length];
    uint32_t low = walk->low[node];
    if (low == walk->number[node])
        close_component(walk, node);
    else
        lower(walk, walk->path[walk->path_length - 1], low);
}

static void walk_from(struct walk *walk, uint32_t start)
{
    const struct hw_part *part = walk->part;
    enter(walk, start);
    while (walk->path_length) {
        uint32_t node = walk->path[walk->path_length - 1];
        if (walk->cursor[node] == part->start[node + 1]) {
            leave(walk);
            continue;
        }
        uint32_t e = walk->cursor[node]++, to = part->to[e];
        if (walk->cut && walk->cut[e])
            continue;
        if (!walk->number[to])
            enter(walk, to);
        else if (walk->low[to] != UINT32_MAX)
            lower(walk, node, walk->number[to]);
    }
}

bool hw_components_init(struct hw_components *components, const struct hw_part *part,
                        const uint8_t *cut, struct hw_err *err)
{
    size_t n = part->count + 1u;
    struct hw_components made = {.of = malloc(n * sizeof(uint32_t)),
                                 .order = malloc(n * sizeof(uint32_t)),
                                 .first = malloc(n * sizeof(uint32_t)),
                                 .size = malloc(n * sizeof(uint32_t))};
    struct walk walk = {.part = part,
                        .cut = cut,
                        .out = &made,
                        .number = calloc(n, sizeof(uint32_t)),
                        .low = malloc(n * sizeof(uint32_t)),
                        .cursor = malloc(n * sizeof(uint32_t)),
                        .path = malloc(n * sizeof(uint32_t)),
                        .open = malloc(n * sizeof(uint32_t))};
    bool ok = made.of && made.order && made.first && made.size && walk.number && walk.low &&
              walk.cursor && walk.path && walk.open;
    for (uint32_t node = 0; ok && node < part->count; node++)
        if (!walk.number[node])
            walk_from(&walk, node);
    free(walk.number);
    free(walk.low);
    free(walk.cursor);
    free(walk.path);
    free(walk.open);
    if (!ok) {
        hw_components_deinit(&made);
        return hw_err_no_memory(err);
    }
    *components = made;
    return true;
}

void hw_components_deinit(struct hw_components *components)
{
    free(components->of);
    free(components->order);
    free(components->first);
    free(components->size);
    *components = (struct hw_components){0};
}

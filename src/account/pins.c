/* SPDX-License-Identifier: Apache-2.0 */
#include "account/pins.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES = 1 << 20, PAGE = 4096, OWNED_MAX = 50000 };

bool hw_arena_is_sparse(const struct hw_ledger_arena *arena)
{
    return arena->used_bytes && arena->resident_bytes > ARENA_BYTES / 2 &&
           arena->used_bytes <= arena->resident_bytes / HW_SPARSE_PART;
}

/* What one type has in the sparse arenas. */
struct pin {
    uint32_t type;
    uint32_t arenas, last_arena; /* last_arena: the number of the last one counted, plus one */
    uint64_t objects, bytes;
    double share; /* of each arena's used bytes, summed */
};

/* The first object at or behind addr. */
static hw_id object_from(const struct hw_graph *graph, hw_addr addr)
{
    hw_id low = 0, high = graph->object_count;
    while (low < high) {
        hw_id middle = low + (high - low) / 2;
        if (hw_graph_addr(graph, middle) < addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void arena_count(const struct hw_graph *graph, uint32_t number, struct pin *pins)
{
    const struct hw_ledger_arena *arena = &graph->ledger.arenas[number];
    hw_addr end = arena->start + ARENA_BYTES;
    for (hw_id id = object_from(graph, arena->start);
         id < graph->object_count && hw_graph_addr(graph, id) < end; id++) {
        struct pin *pin = &pins[graph->type[id]];
        uint64_t size = hw_graph_size(graph, id);
        pin->arenas += pin->last_arena != number + 1;
        pin->last_arena = number + 1;
        pin->objects++;
        pin->bytes += size;
        pin->share += (double)size / arena->used_bytes;
    }
}

static int by_share(const void *a, const void *b)
{
    const struct pin *x = a, *y = b;
    if (x->share != y->share)
        return x->share < y->share ? 1 : -1;
    return (x->type > y->type) - (x->type < y->type);
}

static bool is_looked_at(const struct hw_ledger_arena *arena, bool all)
{
    return (all && arena->used_bytes) || hw_arena_is_sparse(arena);
}

/* Who owns the objects of one type there: the one that owns most of those looked at. */
static bool owner_find(const struct hw_graph *graph, uint32_t type, bool all,
                       struct hw_arena *arena, struct hw_memory_pin *pin, struct hw_err *err)
{
    hw_id *ids = malloc(OWNED_MAX * sizeof(*ids));
    size_t n = 0;
    struct hw_merged *merged = NULL;
    if (!ids)
        return hw_err_no_memory(err);
    for (size_t i = 0; i < graph->ledger.arena_count; i++) {
        const struct hw_ledger_arena *a = &graph->ledger.arenas[i];
        hw_id id = is_looked_at(a, all) ? object_from(graph, a->start) : graph->object_count;
        for (; id < graph->object_count && hw_graph_addr(graph, id) < a->start + ARENA_BYTES; id++)
            if (graph->type[id] == type && n < OWNED_MAX)
                ids[n++] = id;
    }
    bool ok = hw_paths_ask(graph, ids, n, 1, &merged, err);
    if (ok && merged->row_count) {
        pin->path = hw_arena_strdup(arena, merged->rows[0].path);
        pin->holder = hw_arena_strdup(arena, merged->rows[0].holder);
        ok = (pin->path && pin->holder) || hw_err_no_memory(err);
    }
    hw_merged_destroy(merged);
    free(ids);
    return ok;
}

static bool pins_write(const struct hw_graph *graph, const struct pin *pins, size_t count,
                       bool all, struct hw_arena *arena, struct hw_memory_pin *to,
                       struct hw_err *err)
{
    for (size_t i = 0; i < count; i++) {
        const char *name = graph->types[pins[i].type].name;
        to[i] = (struct hw_memory_pin){.type = hw_arena_strdup(arena, name),
                                       .arenas = pins[i].arenas,
                                       .objects = pins[i].objects,
                                       .bytes = pins[i].bytes,
                                       .path = "",
                                       .holder = ""};
        if (!to[i].type)
            return hw_err_no_memory(err);
        if (!owner_find(graph, pins[i].type, all, arena, &to[i], err))
            return false;
    }
    return true;
}

static bool any_is_sparse(const struct hw_ledger *ledger)
{
    for (size_t i = 0; i < ledger->arena_count; i++)
        if (hw_arena_is_sparse(&ledger->arenas[i]))
            return true;
    return false;
}

bool hw_pins_find(const struct hw_graph *graph, size_t max, bool all, struct hw_arena *arena,
                  struct hw_memory_pin **ret_pins, size_t *ret_count, struct hw_err *err)
{
    struct pin *pins = calloc(graph->type_count + 1, sizeof(*pins));
    struct hw_memory_pin *rows = hw_arena_array(arena, max + 1, sizeof(*rows));
    size_t n = 0;
    bool ok = pins && rows;
    all = all && !any_is_sparse(&graph->ledger);
    for (uint32_t i = 0; ok && i < graph->type_count; i++)
        pins[i].type = i;
    for (uint32_t i = 0; ok && i < graph->ledger.arena_count; i++)
        if (is_looked_at(&graph->ledger.arenas[i], all))
            arena_count(graph, i, pins);
    if (ok) {
        qsort(pins, graph->type_count, sizeof(*pins), by_share);
        while (n < max && n < graph->type_count && pins[n].objects)
            n++;
        ok = pins_write(graph, pins, n, all, arena, rows, err);
    } else {
        hw_err_no_memory(err);
    }
    free(pins);
    if (ok) {
        *ret_pins = rows;
        *ret_count = n;
    }
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "account/pins.h"
#include "base/buf.h"
#include "base/err.h"
#include "grow/series.h"

#include <stdlib.h>
#include <string.h>

enum { PINS_MAX = 8 };

struct memory_result {
    struct hw_memory memory;
    struct hw_arena arena;
};

struct asking {
    const struct hw_series *series;
    const struct hw_ledger *first, *last; /* first: NULL when there is one */
    struct hw_memory *memory;
    struct hw_arena *arena;
    struct hw_err *err;
};

/* ---- parts ---- */

static int by_rss(const void *a, const void *b)
{
    const struct hw_memory_part *x = a, *y = b;
    if (x->rss_bytes != y->rss_bytes)
        return x->rss_bytes < y->rss_bytes ? 1 : -1;
    return strcmp(x->name, y->name);
}

static const struct hw_ledger_part *part_before(const struct asking *ask,
                                                const struct hw_ledger_part *part)
{
    for (size_t i = 0; ask->first && i < ask->first->part_count; i++)
        if (ask->first->parts[i].kind == part->kind &&
            !strcmp(ask->first->parts[i].name, part->name))
            return &ask->first->parts[i];
    return NULL;
}

static bool details_fill(struct asking *ask, enum hw_memory_kind kind, struct hw_memory_part *to)
{
    const struct hw_ledger *ledger = ask->last;
    to->details = hw_arena_array(ask->arena, ledger->part_count + 1, sizeof(*to->details));
    for (size_t i = 0; to->details && i < ledger->part_count; i++) {
        const struct hw_ledger_part *part = &ledger->parts[i];
        const struct hw_ledger_part *was = part_before(ask, part);
        if (part->kind != kind || !part->name[0])
            continue;
        to->details[to->detail_count++] = (struct hw_memory_part){
            .name = hw_arena_strdup(ask->arena, part->name),
            .about = "",
            .rss_bytes = part->rss_bytes,
            .bytes = part->bytes,
            .count = part->count,
            .rss_delta = ask->first ? (int64_t)(part->rss_bytes - (was ? was->rss_bytes : 0)) : 0,
            .bytes_delta = ask->first ? (int64_t)(part->bytes - (was ? was->bytes : 0)) : 0};
        if (!to->details[to->detail_count - 1].name)
            return hw_err_no_memory(ask->err);
    }
    if (!to->details)
        return hw_err_no_memory(ask->err);
    qsort(to->details, to->detail_count, sizeof(*to->details), by_rss);
    return true;
}

static bool part_fill(struct asking *ask, enum hw_memory_kind kind, struct hw_memory_part *to)
{
    *to = (struct hw_memory_part){.name = hw_memory_kind_name(kind),
                                  .about = hw_memory_kind_about(kind),
                                  .rss_bytes = hw_ledger_rss(ask->last, kind),
                                  .bytes = hw_ledger_bytes(ask->last, kind)};
    for (size_t i = 0; i < ask->last->part_count; i++)
        to->count += ask->last->parts[i].kind == kind ? ask->last->parts[i].count : 0;
    if (ask->first) {
        to->rss_delta = (int64_t)(to->rss_bytes - hw_ledger_rss(ask->first, kind));
        to->bytes_delta = (int64_t)(to->bytes - hw_ledger_bytes(ask->first, kind));
    }
    return details_fill(ask, kind, to);
}

static bool parts_fill(struct asking *ask)
{
    struct hw_memory *memory = ask->memory;
    memory->parts = hw_arena_array(ask->arena, HW_MEMORY_KIND_COUNT, sizeof(*memory->parts));
    memory->beside = hw_arena_array(ask->arena, HW_MEMORY_KIND_COUNT, sizeof(*memory->beside));
    if (!memory->parts || !memory->beside)
        return hw_err_no_memory(ask->err);
    for (unsigned i = 0; i < HW_MEMORY_KIND_COUNT; i++) {
        struct hw_memory_part part;
        if (!part_fill(ask, (enum hw_memory_kind)i, &part))
            return false;
        if (!part.rss_bytes && !part.bytes && !part.rss_delta && !part.bytes_delta)
            continue;
        if (i >= HW_MEMORY_SWAP) {
            memory->beside[memory->beside_count++] = part;
            continue;
        }
        memory->parts[memory->part_count++] = part;
        memory->rss_bytes += part.rss_bytes;
        memory->rss_delta += part.rss_delta;
    }
    qsort(memory->parts, memory->part_count, sizeof(*memory->parts), by_rss);
    return true;
}

/* ---- allocators ---- */

static bool classes_fill(struct asking *ask)
{
    const struct hw_ledger *ledger = ask->last;
    struct hw_memory *memory = ask->memory;
    memory->classes = hw_arena_array(ask->arena, ledger->class_count + 1, sizeof(*memory->classes));
    if (!memory->classes)
        return hw_err_no_memory(ask->err);
    for (size_t i = 0; i < ledger->class_count; i++) {
        const struct hw_ledger_class *from = &ledger->classes[i];
        memory->classes[memory->class_count++] =
            (struct hw_memory_class){.block_bytes = from->block_bytes,
                                     .pools = from->pools,
                                     .used = from->used,
                                     .free = from->free,
                                     .free_bytes = from->free * from->block_bytes};
    }
    return true;
}

static const struct hw_ledger_native *native_before(const struct asking *ask, uint64_t block_bytes)
{
    for (size_t i = 0; ask->first && i < ask->first->native_count; i++)
        if (ask->first->natives[i].block_bytes == block_bytes)
            return &ask->first->natives[i];
    return NULL;
}

static int by_growth(const void *a, const void *b)
{
    const struct hw_memory_native *x = a, *y = b;
    if (x->bytes_delta != y->bytes_delta)
        return x->bytes_delta < y->bytes_delta ? 1 : -1;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return (x->block_bytes > y->block_bytes) - (x->block_bytes < y->block_bytes);
}

static bool natives_fill(struct asking *ask)
{
    const struct hw_ledger *ledger = ask->last;
    struct hw_memory *memory = ask->memory;
    memory->natives =
        hw_arena_array(ask->arena, ledger->native_count + 1, sizeof(*memory->natives));
    if (!memory->natives)
        return hw_err_no_memory(ask->err);
    for (size_t i = 0; i < ledger->native_count; i++) {
        const struct hw_ledger_native *from = &ledger->natives[i];
        const struct hw_ledger_native *was = native_before(ask, from->block_bytes);
        struct hw_memory_native *to = &memory->natives[memory->native_count++];
        *to = (struct hw_memory_native){.block_bytes = from->block_bytes,
                                        .count = from->count,
                                        .bytes = from->bytes,
                                        .sample = hw_arena_strdup(ask->arena, from->sample),
                                        .library = hw_arena_strdup(ask->arena, from->library)};
        if (!to->sample || !to->library)
            return hw_err_no_memory(ask->err);
        if (ask->first) {
            to->count_delta = (int64_t)(from->count - (was ? was->count : 0));
            to->bytes_delta = (int64_t)(from->bytes - (was ? was->bytes : 0));
        }
    }
    qsort(memory->natives, memory->native_count, sizeof(*memory->natives), by_growth);
    return true;
}

static bool arenas_fill(struct asking *ask)
{
    const struct hw_ledger *ledger = ask->last;
    struct hw_memory *memory = ask->memory;
    memory->arena_count = ledger->arena_count;
    for (size_t i = 0; i < ledger->arena_count; i++) {
        const struct hw_ledger_arena *arena = &ledger->arenas[i];
        memory->arena_bytes += arena->resident_bytes;
        memory->sparse_arena_count += hw_arena_is_sparse(arena);
    }
    memory->arena_free_bytes = hw_ledger_rss(ledger, HW_MEMORY_FREE_BLOCKS) +
                               hw_ledger_rss(ledger, HW_MEMORY_EMPTY_POOLS) +
                               hw_ledger_rss(ledger, HW_MEMORY_UNUSED_POOLS);
    return !memory->sparse_arena_count ||
           hw_pins_find(ask->series->last, PINS_MAX, false, ask->arena, &memory->pins,
                        &memory->pin_count, ask->err);
}

/* ---- the sentence ---- */

static const char *bytes_text(struct hw_arena *arena, double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    unsigned unit = 0;
    while (bytes >= 1000 && unit < 4) {
        bytes /= 1000;
        unit++;
    }
    const char *text = hw_arena_printf(arena, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return text ? text : "";
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* The three questions: what is Python's, what is free but kept, what is nobody's that we know. */
static bool answer_write(struct asking *ask)
{
    struct hw_memory *m = ask->memory;
    uint64_t python = 0, kept = 0, native = 0;
    for (size_t i = 0; i < m->part_count; i++) {
        const char *name = m->parts[i].name;
        if (!strcmp(name, "python-objects") || !strcmp(name, "object-data") ||
            !strcmp(name, "other-blocks"))
            python += m->parts[i].rss_bytes;
        else if (!strcmp(name, "malloc-used") || !strcmp(name, "allocator"))
            native += m->parts[i].rss_bytes;
        else if (!strcmp(name, "free-blocks") || !strcmp(name, "empty-pools") ||
                 !strcmp(name, "malloc-free") || !strcmp(name, "malloc-cached") ||
                 !strcmp(name, "malloc-top"))
            kept += m->parts[i].rss_bytes;
    }
    m->answer = hw_arena_printf(
        ask->arena,
        "of %s resident, %s (%.0f %%) are Python's objects, %s (%.0f %%) are C code's own, %s "
        "(%.0f %%) are free but kept",
        bytes_text(ask->arena, (double)m->rss_bytes), bytes_text(ask->arena, (double)python),
        percent(python, m->rss_bytes), bytes_text(ask->arena, (double)native),
        percent(native, m->rss_bytes), bytes_text(ask->arena, (double)kept),
        percent(kept, m->rss_bytes));
    return m->answer || hw_err_no_memory(ask->err);
}

static bool check_recorded(const struct hw_series *series, struct hw_err *err)
{
    for (size_t i = 0; i < series->count; i++)
        if (!series->shots[i].ledger.recorded)
            return hw_err_set(err, HW_ERR_UNSUPPORTED,
                              "snapshot %zu does not record where memory is: it is of a format "
                              "before 1.3; take a new one with heapwhy snapshot PID -o FILE",
                              i + 1);
    return series->count > 0 ||
           hw_err_set(err, HW_ERR_USAGE, "there is no snapshot to ask about memory");
}

bool hw_memory_ask(const struct hw_series *series, struct hw_memory **ret_memory,
                   struct hw_err *err)
{
    if (!check_recorded(series, err))
        return false;
    struct memory_result *result = calloc(1, sizeof(*result));
    if (!result)
        return hw_err_no_memory(err);
    size_t last = series->count - 1;
    struct asking ask = {.series = series,
                         .first = last ? &series->shots[0].ledger : NULL,
                         .last = &series->shots[last].ledger,
                         .memory = &result->memory,
                         .arena = &result->arena,
                         .err = err};
    result->memory.seconds = last ? hw_series_seconds(series, 0, last) : 0;
    if (parts_fill(&ask) && classes_fill(&ask) && natives_fill(&ask) && arenas_fill(&ask) &&
        answer_write(&ask)) {
        *ret_memory = &result->memory;
        return true;
    }
    hw_memory_destroy(&result->memory);
    return false;
}

void hw_memory_destroy(struct hw_memory *memory)
{
    if (!memory)
        return;
    struct memory_result *result = (struct memory_result *)memory;
    hw_arena_deinit(&result->arena);
    free(result);
}

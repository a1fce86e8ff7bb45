/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "heap/codec.h"
#include "heap/snapshot-columns.h"
#include "heap/snapshot-format.h"
#include "heap/snapshot-strings.h"

/* ---- parts: the ledger is there when these are ---- */

static uint64_t parts_count(const struct hw_graph *graph)
{
    return graph->ledger.recorded ? graph->ledger.part_count : 0;
}

static size_t parts_bound(const struct hw_graph *graph, uint64_t i)
{
    return hw_snap_string_bound(graph->ledger.parts[i].name) + HW_VARINT32_BYTES +
           3 * HW_VARINT64_BYTES;
}

static unsigned char *parts_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                   unsigned char *out)
{
    for (uint64_t i = first; i < first + count; i++) {
        const struct hw_ledger_part *part = &graph->ledger.parts[i];
        out = hw_put_varint(out, (uint32_t)part->kind);
        out = hw_snap_string_put(out, part->name);
        out = hw_put_varint(out, part->rss_bytes);
        out = hw_put_varint(out, part->bytes);
        out = hw_put_varint(out, part->count);
    }
    return out;
}

static bool parts_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    graph->ledger.part_count = graph->ledger.part_capacity = count;
    graph->ledger.recorded = count != 0;
    return hw_snap_array(&graph->ledger.parts, count, sizeof(*graph->ledger.parts), err);
}

/* Kinds that later versions may add are kept out: their number is not one of ours. */
static bool parts_decode(struct hw_graph *graph, uint64_t first, size_t count, struct hw_bytes *in)
{
    for (uint64_t i = first; i < first + count; i++) {
        struct hw_ledger_part *part = &graph->ledger.parts[i];
        uint32_t kind = hw_bytes_varint32(in);
        part->kind = kind < HW_MEMORY_KIND_COUNT ? (enum hw_memory_kind)kind : HW_MEMORY_KIND_COUNT;
        if (!(part->name = hw_snap_string_get(in, &graph->arena)))
            return false;
        part->rss_bytes = hw_bytes_varint64(in);
        part->bytes = hw_bytes_varint64(in);
        part->count = hw_bytes_varint64(in);
        if (part->rss_bytes > HW_NATIVE_MAX_BYTES || part->bytes > HW_NATIVE_MAX_BYTES)
            return hw_bytes_refuse(in);
    }
    return hw_bytes_done(in);
}

const struct hw_snap_column hw_snap_parts = {
    .tag = "memparts",
    .optional = true,
    .count = parts_count,
    .bound = parts_bound,
    .encode = parts_encode,
    .prepare = parts_prepare,
    .decode = parts_decode,
};

/* ---- sizes of pymalloc's blocks ---- */

static uint64_t classes_count(const struct hw_graph *graph)
{
    return graph->ledger.class_count;
}

static size_t classes_bound(const struct hw_graph *graph, uint64_t i)
{
    return HW_VARINT32_BYTES + 3 * HW_VARINT64_BYTES;
}

static unsigned char *classes_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                     unsigned char *out)
{
    for (uint64_t i = first; i < first + count; i++) {
        const struct hw_ledger_class *row = &graph->ledger.classes[i];
        out = hw_put_varint(out, row->block_bytes);
        out = hw_put_varint(out, row->pools);
        out = hw_put_varint(out, row->used);
        out = hw_put_varint(out, row->free);
    }
    return out;
}

static bool classes_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    graph->ledger.class_count = count;
    return hw_snap_array(&graph->ledger.classes, count, sizeof(*graph->ledger.classes), err);
}

static bool classes_decode(struct hw_graph *graph, uint64_t first, size_t count,
                           struct hw_bytes *in)
{
    for (uint64_t i = first; i < first + count; i++) {
        struct hw_ledger_class *row = &graph->ledger.classes[i];
        row->block_bytes = hw_bytes_varint32(in);
        row->pools = hw_bytes_varint64(in);
        row->used = hw_bytes_varint64(in);
        row->free = hw_bytes_varint64(in);
    }
    return hw_bytes_done(in);
}

const struct hw_snap_column hw_snap_classes = {
    .tag = "mempools",
    .optional = true,
    .count = classes_count,
    .bound = classes_bound,
    .encode = classes_encode,
    .prepare = classes_prepare,
    .decode = classes_decode,
};

/* ---- arenas ---- */

static uint64_t arenas_count(const struct hw_graph *graph)
{
    return graph->ledger.arena_count;
}

static size_t arenas_bound(const struct hw_graph *graph, uint64_t i)
{
    return HW_VARINT64_BYTES + 5 * HW_VARINT32_BYTES;
}

static unsigned char *arenas_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                    unsigned char *out)
{
    for (uint64_t i = first; i < first + count; i++) {
        const struct hw_ledger_arena *arena = &graph->ledger.arenas[i];
        out = hw_put_varint(out, arena->start - (i > first ? arena[-1].start : 0));
        out = hw_put_varint(out, arena->used_bytes);
        out = hw_put_varint(out, arena->free_bytes);
        out = hw_put_varint(out, arena->empty_bytes);
        out = hw_put_varint(out, arena->resident_bytes);
        out = hw_put_varint(out, arena->pinning);
    }
    return out;
}

static bool arenas_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    graph->ledger.arena_count = count;
    return hw_snap_array(&graph->ledger.arenas, count, sizeof(*graph->ledger.arenas), err);
}

static bool arenas_decode(struct hw_graph *graph, uint64_t first, size_t count, struct hw_bytes *in)
{
    hw_addr start = 0;
    for (uint64_t i = first; i < first + count; i++) {
        struct hw_ledger_arena *arena = &graph->ledger.arenas[i];
        arena->start = start += hw_bytes_varint64(in);
        arena->used_bytes = hw_bytes_varint32(in);
        arena->free_bytes = hw_bytes_varint32(in);
        arena->empty_bytes = hw_bytes_varint32(in);
        arena->resident_bytes = hw_bytes_varint32(in);
        arena->pinning = hw_bytes_varint32(in);
    }
    return hw_bytes_done(in);
}

static bool arenas_finish(struct hw_graph *graph, struct hw_err *err)
{
    for (size_t i = 1; i < graph->ledger.arena_count; i++)
        if (graph->ledger.arenas[i].start <= graph->ledger.arenas[i - 1].start)
            return hw_err_set(err, HW_ERR_CORRUPT, "its arenas are out of order");
    return true;
}

const struct hw_snap_column hw_snap_arenas = {
    .tag = "memarena",
    .optional = true,
    .count = arenas_count,
    .bound = arenas_bound,
    .encode = arenas_encode,
    .prepare = arenas_prepare,
    .decode = arenas_decode,
    .finish = arenas_finish,
};

/* ---- blocks of malloc() ---- */

static uint64_t natives_count(const struct hw_graph *graph)
{
    return graph->ledger.native_count;
}

static size_t natives_bound(const struct hw_graph *graph, uint64_t i)
{
    const struct hw_ledger_native *row = &graph->ledger.natives[i];
    return 3 * HW_VARINT64_BYTES + hw_snap_string_bound(row->sample) +
           hw_snap_string_bound(row->library);
}

static unsigned char *natives_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                     unsigned char *out)
{
    for (uint64_t i = first; i < first + count; i++) {
        const struct hw_ledger_native *row = &graph->ledger.natives[i];
        out = hw_put_varint(out, row->block_bytes - (i > first ? row[-1].block_bytes : 0));
        out = hw_put_varint(out, row->count);
        out = hw_put_varint(out, row->bytes);
        out = hw_snap_string_put(out, row->sample);
        out = hw_snap_string_put(out, row->library);
    }
    return out;
}

static bool natives_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    graph->ledger.native_count = count;
    return hw_snap_array(&graph->ledger.natives, count, sizeof(*graph->ledger.natives), err);
}

static bool natives_decode(struct hw_graph *graph, uint64_t first, size_t count,
                           struct hw_bytes *in)
{
    uint64_t block_bytes = 0;
    for (uint64_t i = first; i < first + count; i++) {
        struct hw_ledger_native *row = &graph->ledger.natives[i];
        row->block_bytes = block_bytes += hw_bytes_varint64(in);
        row->count = hw_bytes_varint64(in);
        row->bytes = hw_bytes_varint64(in);
        if (!(row->sample = hw_snap_string_get(in, &graph->arena)) ||
            !(row->library = hw_snap_string_get(in, &graph->arena)))
            return false;
        if (row->bytes > HW_NATIVE_MAX_BYTES || row->count > HW_NATIVE_MAX_BYTES)
            return hw_bytes_refuse(in);
    }
    return hw_bytes_done(in);
}

static bool natives_finish(struct hw_graph *graph, struct hw_err *err)
{
    for (size_t i = 1; i < graph->ledger.native_count; i++)
        if (graph->ledger.natives[i].block_bytes <= graph->ledger.natives[i - 1].block_bytes)
            return hw_err_set(err, HW_ERR_CORRUPT, "its sizes are out of order");
    return true;
}

const struct hw_snap_column hw_snap_natives = {
    .tag = "memnativ",
    .optional = true,
    .count = natives_count,
    .bound = natives_bound,
    .encode = natives_encode,
    .prepare = natives_prepare,
    .decode = natives_decode,
    .finish = natives_finish,
};

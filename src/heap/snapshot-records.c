/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "heap/codec.h"
#include "heap/snapshot-columns.h"
#include "heap/snapshot-format.h"
#include "heap/snapshot-strings.h"

#include <stddef.h>

/* ---- facts ---- */

enum fact_kind { FACT_U32, FACT_I32, FACT_64, FACT_TEXT };
enum { FACT_NUMBER_BYTES = 8, FACT_MAX_BYTES = 2 * HW_VARINT32_BYTES + 256 };

static const struct fact {
    uint32_t tag;
    enum fact_kind kind;
    size_t offset;
} facts[] = {
    {1, FACT_I32, offsetof(struct hw_facts, pid)},
    {2, FACT_64, offsetof(struct hw_facts, start_time)},
    {3, FACT_64, offsetof(struct hw_facts, taken_at_ns)},
    {4, FACT_64, offsetof(struct hw_facts, uptime_ns)},
    {5, FACT_64, offsetof(struct hw_facts, pause_ns)},
    {6, FACT_64, offsetof(struct hw_facts, capture_ns)},
    {7, FACT_64, offsetof(struct hw_facts, rss_bytes)},
    {8, FACT_U32, offsetof(struct hw_facts, python_version)},
    {9, FACT_U32, offsetof(struct hw_facts, freeze)},
    {10, FACT_U32, offsetof(struct hw_facts, collector_running)},
    {11, FACT_U32, offsetof(struct hw_facts, gc_enabled)},
    {12, FACT_U32, offsetof(struct hw_facts, gc_threshold[0])},
    {13, FACT_U32, offsetof(struct hw_facts, gc_threshold[1])},
    {14, FACT_U32, offsetof(struct hw_facts, gc_threshold[2])},
    {15, FACT_U32, offsetof(struct hw_facts, gc_count[0])},
    {16, FACT_U32, offsetof(struct hw_facts, gc_count[1])},
    {17, FACT_U32, offsetof(struct hw_facts, gc_count[2])},
    {18, FACT_U32, offsetof(struct hw_facts, retries)},
    {19, FACT_64, offsetof(struct hw_facts, bad_pointers)},
    {20, FACT_64, offsetof(struct hw_facts, damaged_objects)},
    {21, FACT_64, offsetof(struct hw_facts, target_bytes_read)},
    {22, FACT_TEXT, offsetof(struct hw_facts, executable)},
    {23, FACT_TEXT, offsetof(struct hw_facts, main_script)},
    {24, FACT_U32, offsetof(struct hw_facts, gc_recorded)},
    {25, FACT_U32, offsetof(struct hw_facts, gc_debug)},
    {26, FACT_64, offsetof(struct hw_facts, gc_stats[0].collections)},
    {27, FACT_64, offsetof(struct hw_facts, gc_stats[1].collections)},
    {28, FACT_64, offsetof(struct hw_facts, gc_stats[2].collections)},
    {29, FACT_64, offsetof(struct hw_facts, gc_stats[0].collected)},
    {30, FACT_64, offsetof(struct hw_facts, gc_stats[1].collected)},
    {31, FACT_64, offsetof(struct hw_facts, gc_stats[2].collected)},
    {32, FACT_64, offsetof(struct hw_facts, gc_stats[0].uncollectable)},
    {33, FACT_64, offsetof(struct hw_facts, gc_stats[1].uncollectable)},
    {34, FACT_64, offsetof(struct hw_facts, gc_stats[2].uncollectable)},
    {35, FACT_64, offsetof(struct hw_facts, gc_objects[0])},
    {36, FACT_64, offsetof(struct hw_facts, gc_objects[1])},
    {37, FACT_64, offsetof(struct hw_facts, gc_objects[2])},
    {38, FACT_64, offsetof(struct hw_facts, gc_objects[3])},
    {39, FACT_64, offsetof(struct hw_facts, gc_long_lived_total)},
    {40, FACT_64, offsetof(struct hw_facts, gc_long_lived_pending)},
    {41, FACT_64, offsetof(struct hw_facts, busy_ns)},
    {80, FACT_U32, offsetof(struct hw_facts, system_recorded)},
    {81, FACT_64, offsetof(struct hw_facts, descriptor_total)},
    {82, FACT_64, offsetof(struct hw_facts, descriptor_limit)},
    {83, FACT_64, offsetof(struct hw_facts, unscanned_bytes)},
    {84, FACT_U32, offsetof(struct hw_facts, alloc_source)},
    {85, FACT_U32, offsetof(struct hw_facts, alloc_frames)},
    {86, FACT_64, offsetof(struct hw_facts, alloc_missed)},
    {87, FACT_64, offsetof(struct hw_facts, alloc_rate)},
    {88, FACT_64, offsetof(struct hw_facts, alloc_samples)},
    {89, FACT_64, offsetof(struct hw_facts, alloc_began_ns)},
};
enum { FACT_COUNT = sizeof(facts) / sizeof(facts[0]), FACT_TEXT_BYTES = 256 };
_Static_assert(sizeof(((struct hw_facts *)0)->executable) == FACT_TEXT_BYTES &&
                   sizeof(((struct hw_facts *)0)->main_script) == FACT_TEXT_BYTES,
               "texts in facts have one size");
_Static_assert(sizeof(struct hw_facts) == 848, "a new fact needs a row above and in the document");

static uint64_t facts_count(const struct hw_graph *graph)
{
    return FACT_COUNT;
}

static size_t facts_bound(const struct hw_graph *graph, uint64_t i)
{
    return FACT_MAX_BYTES;
}

static uint64_t load_fact(const struct fact *fact, const unsigned char *at)
{
    uint32_t narrow;
    int32_t narrow_signed;
    uint64_t wide;
    switch (fact->kind) {
    case FACT_U32:
        memcpy(&narrow, at, sizeof(narrow));
        return narrow;
    case FACT_I32:
        memcpy(&narrow_signed, at, sizeof(narrow_signed));
        return (uint64_t)(int64_t)narrow_signed;
    default:
        memcpy(&wide, at, sizeof(wide));
        return wide;
    }
}

static unsigned char *facts_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                   unsigned char *out)
{
    for (const struct fact *fact = facts + first; fact < facts + first + count; fact++) {
        const unsigned char *at = (const unsigned char *)&graph->facts + fact->offset;
        out = hw_put_varint(out, fact->tag);
        size_t bytes = fact->kind == FACT_TEXT ? strnlen((const char *)at, FACT_TEXT_BYTES - 1)
                                               : FACT_NUMBER_BYTES;
        out = hw_put_varint(out, bytes);
        if (fact->kind == FACT_TEXT)
            memcpy(out, at, bytes);
        else
            hw_put_u64(out, load_fact(fact, at));
        out += bytes;
    }
    return out;
}

static bool facts_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    return true;
}

static bool store_fact(const struct fact *fact, unsigned char *at, struct hw_bytes content)
{
    size_t bytes = hw_bytes_left(&content);
    if (fact->kind == FACT_TEXT) {
        if (bytes >= FACT_TEXT_BYTES || memchr(content.at, 0, bytes))
            return false;
        memcpy(at, content.at, bytes);
        at[bytes] = 0;
        return true;
    }
    uint64_t wide = hw_bytes_u64(&content);
    uint32_t narrow = (uint32_t)wide;
    if (content.failed || bytes != FACT_NUMBER_BYTES)
        return false;
    if (fact->kind == FACT_64)
        memcpy(at, &wide, sizeof(wide));
    else
        memcpy(at, &narrow, sizeof(narrow));
    return load_fact(fact, at) == wide;
}

static bool facts_decode(struct hw_graph *graph, uint64_t first, size_t count, struct hw_bytes *in)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t tag = hw_bytes_varint32(in);
        uint32_t bytes = hw_bytes_varint32(in);
        const unsigned char *content = hw_bytes_take(in, bytes);
        if (!content)
            return false;
        for (size_t f = 0; f < FACT_COUNT; f++)
            if (facts[f].tag == tag &&
                !store_fact(&facts[f], (unsigned char *)&graph->facts + facts[f].offset,
                            hw_bytes_of(content, bytes)))
                return hw_bytes_refuse(in);
    }
    return hw_bytes_done(in);
}

const struct hw_snap_column hw_snap_facts = {
    .tag = "facts",
    .count = facts_count,
    .bound = facts_bound,
    .encode = facts_encode,
    .prepare = facts_prepare,
    .decode = facts_decode,
};

/* ---- strings ---- */

static uint64_t strings_count(const struct hw_graph *graph)
{
    return graph->string_count;
}

static size_t strings_bound(const struct hw_graph *graph, uint64_t i)
{
    return hw_snap_string_bound(graph->strings[i]);
}

static unsigned char *strings_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                     unsigned char *out)
{
    for (uint64_t i = first; i < first + count; i++)
        out = hw_snap_string_put(out, graph->strings[i]);
    return out;
}

static bool strings_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    if (count > (uint64_t)HW_LABEL_PAYLOAD + 1)
        return hw_err_set(err, HW_ERR_CORRUPT, "it has too many strings");
    graph->string_count = (uint32_t)count;
    return hw_snap_array(&graph->strings, count, sizeof(*graph->strings), err);
}

static bool strings_decode(struct hw_graph *graph, uint64_t first, size_t count,
                           struct hw_bytes *in)
{
    for (uint64_t i = first; i < first + count; i++)
        if (!(graph->strings[i] = hw_snap_string_get(in, &graph->arena)))
            return false;
    return hw_bytes_done(in);
}

const struct hw_snap_column hw_snap_strings = {
    .tag = "strings",
    .count = strings_count,
    .bound = strings_bound,
    .encode = strings_encode,
    .prepare = strings_prepare,
    .decode = strings_decode,
};

/* ---- spans ---- */

static uint64_t spans_count(const struct hw_graph *graph)
{
    return graph->span_count;
}

static size_t spans_bound(const struct hw_graph *graph, uint64_t i)
{
    return 2 * HW_VARINT64_BYTES + HW_VARINT32_BYTES;
}

static unsigned char *spans_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                   unsigned char *out)
{
    for (uint64_t i = first; i < first + count; i++) {
        const struct hw_span *span = &graph->spans[i];
        out = hw_put_varint(out, span->start - (i > first ? span[-1].end : 0));
        out = hw_put_varint(out, span->end - span->start);
        out = hw_put_varint(out, span->shift);
    }
    return out;
}

static bool spans_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    graph->span_count = count;
    return hw_snap_array(&graph->spans, count, sizeof(*graph->spans), err);
}

static bool spans_decode(struct hw_graph *graph, uint64_t first, size_t count, struct hw_bytes *in)
{
    hw_addr end = 0;
    for (struct hw_span *span = graph->spans + first; span < graph->spans + first + count; span++) {
        span->start = end + hw_bytes_varint64(in);
        span->end = end = span->start + hw_bytes_varint64(in);
        span->shift = hw_bytes_varint32(in);
    }
    return hw_bytes_done(in);
}

/* Positions follow from the spans; hw_graph_validate() refuses those that do not fit. */
static bool spans_finish(struct hw_graph *graph, struct hw_err *err)
{
    uint64_t position = 0;
    for (size_t i = 0; i < graph->span_count; i++) {
        struct hw_span *span = &graph->spans[i];
        span->first = (uint32_t)position;
        position += (span->end - span->start) >> (span->shift & 63);
    }
    return true;
}

const struct hw_snap_column hw_snap_spans = {
    .tag = "spans",
    .count = spans_count,
    .bound = spans_bound,
    .encode = spans_encode,
    .prepare = spans_prepare,
    .decode = spans_decode,
    .finish = spans_finish,
};

/* ---- types ---- */

static uint64_t types_count(const struct hw_graph *graph)
{
    return graph->type_count;
}

static size_t types_bound(const struct hw_graph *graph, uint64_t i)
{
    return hw_snap_string_bound(graph->types[i].name) + 3 * HW_VARINT32_BYTES;
}

static unsigned char *types_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                   unsigned char *out)
{
    for (uint64_t i = first; i < first + count; i++) {
        const struct hw_type *type = &graph->types[i];
        out = hw_snap_string_put(out, type->name);
        out = hw_put_varint(out, (uint32_t)(type->node + 1));
        out = hw_put_varint(out, type->basicsize);
        out = hw_put_varint(out, type->flags);
    }
    return out;
}

static bool types_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    if (count > UINT32_MAX)
        return hw_err_set(err, HW_ERR_CORRUPT, "it has too many types");
    graph->type_count = (uint32_t)count;
    return hw_snap_array(&graph->types, count, sizeof(*graph->types), err);
}

static bool types_decode(struct hw_graph *graph, uint64_t first, size_t count, struct hw_bytes *in)
{
    for (uint64_t i = first; i < first + count; i++) {
        struct hw_type *type = &graph->types[i];
        if (!(type->name = hw_snap_string_get(in, &graph->arena)))
            return false;
        type->node = hw_bytes_varint32(in) - 1;
        type->basicsize = hw_bytes_varint32(in);
        type->flags = hw_bytes_varint32(in);
    }
    return hw_bytes_done(in);
}

const struct hw_snap_column hw_snap_types = {
    .tag = "types",
    .count = types_count,
    .bound = types_bound,
    .encode = types_encode,
    .prepare = types_prepare,
    .decode = types_decode,
};

/* ---- synthetic nodes ---- */

static uint64_t synth_count(const struct hw_graph *graph)
{
    return graph->node_count - graph->object_count;
}

static size_t synth_bound(const struct hw_graph *graph, uint64_t i)
{
    const struct hw_synthetic *node = &graph->synthetic[i];
    return hw_snap_string_bound(node->name) + hw_snap_string_bound(node->file) +
           4 * HW_VARINT32_BYTES;
}

static unsigned char *synth_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                   unsigned char *out)
{
    for (uint64_t i = first; i < first + count; i++) {
        const struct hw_synthetic *node = &graph->synthetic[i];
        out = hw_put_varint(out, (uint32_t)node->kind);
        out = hw_snap_string_put(out, node->name);
        out = hw_snap_string_put(out, node->file);
        out = hw_put_varint(out, node->line);
        out = hw_put_varint(out, hw_zigzag(node->tid));
        out = hw_put_varint(out, node->depth);
    }
    return out;
}

static bool synth_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    return hw_snap_count_is(count, synth_count(graph), err) &&
           hw_snap_array(&graph->synthetic, count, sizeof(*graph->synthetic), err);
}

static bool synth_decode(struct hw_graph *graph, uint64_t first, size_t count, struct hw_bytes *in)
{
    for (uint64_t i = first; i < first + count; i++) {
        struct hw_synthetic *node = &graph->synthetic[i];
        uint32_t kind = hw_bytes_varint32(in);
        if (kind > HW_SYN_NATIVE_STACK)
            return hw_bytes_refuse(in);
        node->kind = (enum hw_synthetic_kind)kind;
        if (!(node->name = hw_snap_string_get(in, &graph->arena)) ||
            !(node->file = hw_snap_string_get(in, &graph->arena)))
            return false;
        node->line = hw_bytes_varint32(in);
        node->tid = hw_unzigzag(hw_bytes_varint32(in));
        node->depth = hw_bytes_varint32(in);
    }
    return hw_bytes_done(in);
}

const struct hw_snap_column hw_snap_synth = {
    .tag = "synth",
    .count = synth_count,
    .bound = synth_bound,
    .encode = synth_encode,
    .prepare = synth_prepare,
    .decode = synth_decode,
};

/* ---- sizes that need 64 bits ---- */

static uint64_t big_count(const struct hw_graph *graph)
{
    return graph->big_count;
}

static size_t table_bound(const struct hw_graph *graph, uint64_t i)
{
    return HW_VARINT32_BYTES + HW_VARINT64_BYTES;
}

static unsigned char *table_encode(const struct hw_big_size *table, uint64_t first, size_t count,
                                   unsigned char *out)
{
    for (uint64_t i = first; i < first + count; i++) {
        out = hw_put_varint(out, table[i].id - (i > first ? table[i - 1].id : 0));
        out = hw_put_varint(out, table[i].bytes);
    }
    return out;
}

static bool table_decode(struct hw_big_size *table, uint64_t first, size_t count,
                         struct hw_bytes *in)
{
    hw_id id = 0;
    for (uint64_t i = first; i < first + count; i++) {
        id += hw_bytes_varint32(in);
        table[i] = (struct hw_big_size){id, hw_bytes_varint64(in)};
    }
    return hw_bytes_done(in);
}

static unsigned char *big_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                 unsigned char *out)
{
    return table_encode(graph->big, first, count, out);
}

static bool big_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    graph->big_count = count;
    return hw_snap_array(&graph->big, count, sizeof(*graph->big), err);
}

static bool big_decode(struct hw_graph *graph, uint64_t first, size_t count, struct hw_bytes *in)
{
    return table_decode(graph->big, first, count, in);
}

static bool big_finish(struct hw_graph *graph, struct hw_err *err)
{
    for (size_t i = 0; i < graph->big_count; i++)
        if (graph->big[i].id >= graph->object_count || graph->size[graph->big[i].id] != HW_BIG_SIZE)
            return hw_err_set(err, HW_ERR_CORRUPT, "it has a size for the wrong object");
    return true;
}

const struct hw_snap_column hw_snap_big = {
    .tag = "big",
    .count = big_count,
    .bound = table_bound,
    .encode = big_encode,
    .prepare = big_prepare,
    .decode = big_decode,
    .finish = big_finish,
};

/* ---- memory outside of objects ---- */

static uint64_t native_count(const struct hw_graph *graph)
{
    return graph->native_count;
}

static unsigned char *native_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                    unsigned char *out)
{
    return table_encode(graph->native, first, count, out);
}

static bool native_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    graph->native_count = count;
    return hw_snap_array(&graph->native, count, sizeof(*graph->native), err);
}

static bool native_decode(struct hw_graph *graph, uint64_t first, size_t count, struct hw_bytes *in)
{
    return table_decode(graph->native, first, count, in);
}

/* hw_graph_validate() looks at the nodes. */
static bool native_finish(struct hw_graph *graph, struct hw_err *err)
{
    for (size_t i = 0; i < graph->native_count; i++) {
        uint64_t left = HW_NATIVE_MAX_BYTES - graph->native_bytes;
        if (!graph->native[i].bytes || graph->native[i].bytes > left)
            return hw_err_set(err, HW_ERR_CORRUPT, "it has a size that cannot be");
        graph->native_bytes += graph->native[i].bytes;
    }
    return true;
}

const struct hw_snap_column hw_snap_native = {
    .tag = "native",
    .optional = true,
    .count = native_count,
    .bound = table_bound,
    .encode = native_encode,
    .prepare = native_prepare,
    .decode = native_decode,
    .finish = native_finish,
};

/* ---- words of C code's memory ---- */

static uint64_t held_count(const struct hw_graph *graph)
{
    return graph->held_count;
}

static unsigned char *held_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                  unsigned char *out)
{
    return table_encode(graph->held, first, count, out);
}

static bool held_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    graph->held_count = count;
    return hw_snap_array(&graph->held, count, sizeof(*graph->held), err);
}

static bool held_decode(struct hw_graph *graph, uint64_t first, size_t count, struct hw_bytes *in)
{
    return table_decode(graph->held, first, count, in);
}

const struct hw_snap_column hw_snap_held = {
    .tag = "held",
    .optional = true,
    .count = held_count,
    .bound = table_bound,
    .encode = held_encode,
    .prepare = held_prepare,
    .decode = held_decode,
};

/* ---- index of value blocks ---- */

static uint64_t valindex_count(const struct hw_graph *graph)
{
    return graph->values.block_count;
}

static size_t valindex_bound(const struct hw_graph *graph, uint64_t i)
{
    return 4 * HW_VARINT32_BYTES;
}

static unsigned char *valindex_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                      unsigned char *out)
{
    for (uint64_t i = first; i < first + count; i++) {
        const struct hw_value_block *block = &graph->values.blocks[i];
        out = hw_put_varint(out, block->first - (i > first ? block[-1].first : 0));
        out = hw_put_varint(out, block->count);
        out = hw_put_varint(out, block->raw_bytes);
        out = hw_put_varint(out, block->bytes);
    }
    return out;
}

static bool valindex_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    graph->values.block_count = graph->values.block_capacity = count;
    return hw_snap_array(&graph->values.blocks, count, sizeof(*graph->values.blocks), err);
}

static bool valindex_decode(struct hw_graph *graph, uint64_t first, size_t count,
                            struct hw_bytes *in)
{
    hw_id id = 0;
    for (uint64_t i = first; i < first + count; i++) {
        struct hw_value_block *block = &graph->values.blocks[i];
        block->first = id += hw_bytes_varint32(in);
        block->count = hw_bytes_varint32(in);
        block->raw_bytes = hw_bytes_varint32(in);
        block->bytes = hw_bytes_varint32(in);
        if (block->raw_bytes > HW_VALUE_BLOCK_BYTES || block->count > block->raw_bytes)
            return hw_bytes_refuse(in);
    }
    return hw_bytes_done(in);
}

static bool valindex_finish(struct hw_graph *graph, struct hw_err *err)
{
    uint64_t offset = 0;
    for (size_t i = 0; i < graph->values.block_count; i++) {
        struct hw_value_block *block = &graph->values.blocks[i];
        if (block->first >= graph->node_count || (i && block->first <= block[-1].first))
            return hw_err_set(err, HW_ERR_CORRUPT, "its blocks are out of order");
        block->offset = offset;
        offset += block->bytes;
    }
    return true;
}

const struct hw_snap_column hw_snap_valindex = {
    .tag = "valindex",
    .count = valindex_count,
    .bound = valindex_bound,
    .encode = valindex_encode,
    .prepare = valindex_prepare,
    .decode = valindex_decode,
    .finish = valindex_finish,
};

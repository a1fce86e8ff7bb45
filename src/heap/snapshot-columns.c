/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/snapshot-columns.h"

#include "base/err.h"
#include "heap/codec.h"
#include "heap/snapshot-format.h"

#include <sched.h>
#include <stdlib.h>

const struct hw_snap_column *const hw_snap_columns[HW_SNAP_COLUMN_COUNT] = {
    &hw_snap_facts,  &hw_snap_strings,  &hw_snap_spans,  &hw_snap_types, &hw_snap_synth,
    &hw_snap_where,  &hw_snap_type,     &hw_snap_size,   &hw_snap_big,   &hw_snap_refcount,
    &hw_snap_flags,  &hw_snap_age,      &hw_snap_degree, &hw_snap_label, &hw_snap_target,
    &hw_snap_native, &hw_snap_held,     &hw_snap_parts,   &hw_snap_classes, &hw_snap_arenas,
    &hw_snap_natives, &hw_snap_fds,     &hw_snap_watches, &hw_snap_tasks,   &hw_snap_alloc_frames,
    &hw_snap_alloc_sites, &hw_snap_alloc_of, &hw_snap_valindex,
};

unsigned hw_snap_thread_count(const struct hw_graph *graph)
{
    cpu_set_t set;
    uint64_t pieces = (graph->node_count + graph->edge_count) / HW_SNAP_PIECE_ELEMENTS_MAX;
    unsigned count = sched_getaffinity(0, sizeof(set), &set) ? 1 : (unsigned)CPU_COUNT(&set);
    if (count > pieces)
        count = (unsigned)pieces;
    return count > HW_SNAP_THREAD_MAX ? HW_SNAP_THREAD_MAX : count ? count : 1;
}

bool hw_snap_array(void *ret_array, uint64_t count, size_t elem_bytes, struct hw_err *err)
{
    void *array = calloc(count ? count : 1, elem_bytes);
    if (!array)
        return hw_err_no_memory(err);
    memcpy(ret_array, &array, sizeof(array));
    return true;
}

bool hw_snap_count_is(uint64_t count, uint64_t expected, struct hw_err *err)
{
    return count == expected ||
           hw_err_set(err, HW_ERR_CORRUPT, "it has %llu elements instead of %llu",
                      (unsigned long long)count, (unsigned long long)expected);
}

static uint64_t count_objects(const struct hw_graph *graph)
{
    return graph->object_count;
}

static uint64_t count_nodes(const struct hw_graph *graph)
{
    return graph->node_count;
}

static uint64_t count_edges(const struct hw_graph *graph)
{
    return graph->edge_count;
}

/* The functions of a column in which every element stands for itself. */
#define NUMBER_COLUMN(column, counter, room, codec)                                          \
    static unsigned char *column##_encode(const struct hw_graph *graph, uint64_t first,      \
                                          size_t count, unsigned char *out)                  \
    {                                                                                        \
        return hw_codec_put_##codec(out, graph->column + first, count);                      \
    }                                                                                        \
    static bool column##_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err) \
    {                                                                                        \
        return hw_snap_count_is(count, counter(graph), err) &&                               \
               hw_snap_array(&graph->column, room(graph), sizeof(*graph->column), err);      \
    }                                                                                        \
    static bool column##_decode(struct hw_graph *graph, uint64_t first, size_t count,        \
                                struct hw_bytes *in)                                         \
    {                                                                                        \
        return hw_codec_get_##codec(in, graph->column + first, count);                       \
    }                                                                                        \
    const struct hw_snap_column hw_snap_##column = {                                         \
        .tag = #column,                                                                      \
        .parallel = true,                                                                    \
        .count = counter,                                                                    \
        .encode = column##_encode,                                                           \
        .prepare = column##_prepare,                                                         \
        .decode = column##_decode,                                                           \
    }

/* Only objects have a position; the column goes on for the synthetic nodes. */
NUMBER_COLUMN(where, count_objects, count_nodes, rising);
NUMBER_COLUMN(type, count_nodes, count_nodes, plain);
NUMBER_COLUMN(size, count_nodes, count_nodes, plain);
NUMBER_COLUMN(refcount, count_nodes, count_nodes, plain);
NUMBER_COLUMN(flags, count_nodes, count_nodes, short);

static uint64_t age_count(const struct hw_graph *graph)
{
    return graph->age ? graph->object_count : 0;
}

static unsigned char *age_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                 unsigned char *out)
{
    memcpy(out, graph->age + first, count);
    return out + count;
}

/* Without elements it is as good as absent. */
static bool age_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    if (!count)
        return true;
    return hw_snap_count_is(count, graph->object_count, err) &&
           hw_snap_array(&graph->age, graph->node_count, sizeof(*graph->age), err);
}

static bool age_decode(struct hw_graph *graph, uint64_t first, size_t count, struct hw_bytes *in)
{
    const unsigned char *ages = hw_bytes_take(in, count);
    if (!ages)
        return false;
    memcpy(graph->age + first, ages, count);
    return hw_bytes_done(in);
}

const struct hw_snap_column hw_snap_age = {
    .tag = "age",
    .optional = true,
    .parallel = true,
    .count = age_count,
    .encode = age_encode,
    .prepare = age_prepare,
    .decode = age_decode,
};

static unsigned char *degree_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                    unsigned char *out)
{
    return hw_codec_put_steps(out, graph->edge_start + first, count);
}

static bool degree_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    return hw_snap_count_is(count, graph->node_count, err) &&
           hw_snap_array(&graph->edge_start, count + 1, sizeof(*graph->edge_start), err);
}

static bool degree_decode(struct hw_graph *graph, uint64_t first, size_t count, struct hw_bytes *in)
{
    return hw_codec_get_plain(in, graph->edge_start + 1 + first, count);
}

static bool degree_finish(struct hw_graph *graph, struct hw_err *err)
{
    uint64_t sum = 0;
    for (uint32_t i = 1; i <= graph->node_count; i++) {
        sum += graph->edge_start[i];
        graph->edge_start[i] = (uint32_t)sum;
    }
    return sum == graph->edge_count ||
           hw_err_set(err, HW_ERR_CORRUPT, "the nodes have %llu edges instead of %llu",
                      (unsigned long long)sum, (unsigned long long)graph->edge_count);
}

const struct hw_snap_column hw_snap_degree = {
    .tag = "degree",
    .parallel = true,
    .count = count_nodes,
    .encode = degree_encode,
    .prepare = degree_prepare,
    .decode = degree_decode,
    .finish = degree_finish,
};

static unsigned char *label_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                   unsigned char *out)
{
    return hw_codec_put_labels(out, graph->edge_label + first, count);
}

static bool label_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    return hw_snap_count_is(count, graph->edge_count, err) &&
           hw_snap_array(&graph->edge_label, count, sizeof(*graph->edge_label), err);
}

static bool label_decode(struct hw_graph *graph, uint64_t first, size_t count, struct hw_bytes *in)
{
    return hw_codec_get_labels(in, graph->edge_label + first, count);
}

const struct hw_snap_column hw_snap_label = {
    .tag = "label",
    .parallel = true,
    .count = count_edges,
    .encode = label_encode,
    .prepare = label_prepare,
    .decode = label_decode,
};

static unsigned char *target_encode(const struct hw_graph *graph, uint64_t first, size_t count,
                                    unsigned char *out)
{
    return hw_codec_put_targets(out, graph->edge_to + first, graph->edge_label + first, count);
}

static bool target_prepare(struct hw_graph *graph, uint64_t count, struct hw_err *err)
{
    return hw_snap_count_is(count, graph->edge_count, err) &&
           hw_snap_array(&graph->edge_to, count, sizeof(*graph->edge_to), err);
}

static bool target_decode(struct hw_graph *graph, uint64_t first, size_t count, struct hw_bytes *in)
{
    return hw_codec_get_targets(in, graph->edge_to + first, graph->edge_label + first, count);
}

const struct hw_snap_column hw_snap_target = {
    .tag = "target",
    .parallel = true,
    .count = count_edges,
    .encode = target_encode,
    .prepare = target_prepare,
    .decode = target_decode,
};

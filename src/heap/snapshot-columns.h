/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_HEAP_SNAPSHOT_COLUMNS_H
#define HW_HEAP_SNAPSHOT_COLUMNS_H

/*
 * What the chunks of a snapshot hold: one row for each column of a graph that is stored in pieces,
 * in the order in which a reader must take them (labels before targets, for one). To add a chunk,
 * add a row here, its functions beside their like, and its paragraph in docs/snapshot-format.md.
 *
 * While a graph is being read it is not sound yet: functions look only at the header's counts and
 * at columns of earlier rows.
 */

#include "base/bytes.h"
#include "heap/graph.h"

struct hw_snap_column {
    const char *tag;
    /* Files of earlier minor versions lack it: the graph is then without it. */
    bool optional;
    /* Pieces may be decoded at the same time by different threads. */
    bool parallel;
    uint64_t (*count)(const struct hw_graph *graph);
    /* At most how many bytes element number i takes; NULL: HW_VARINT32_BYTES each. */
    size_t (*bound)(const struct hw_graph *graph, uint64_t i);
    /* Writes count elements; returns the end. There is room. */
    unsigned char *(*encode)(const struct hw_graph *graph, uint64_t first, size_t count,
                             unsigned char *out);

    /* Makes room for count elements; refuses counts that cannot be. */
    bool (*prepare)(struct hw_graph *graph, uint64_t count, struct hw_err *err);
    /* Reads count elements, which must be all of *in. When it fails, in->failed tells malformed
     * ones from a lack of memory. */
    bool (*decode)(struct hw_graph *graph, uint64_t first, size_t count, struct hw_bytes *in);
    /* After the last piece. May be NULL. */
    bool (*finish)(struct hw_graph *graph, struct hw_err *err);
};

/* Columns of numbers: snapshot-columns.c. */
extern const struct hw_snap_column hw_snap_where, hw_snap_type, hw_snap_size, hw_snap_refcount,
    hw_snap_flags, hw_snap_age, hw_snap_degree, hw_snap_label, hw_snap_target;
/* Everything else: snapshot-records.c. */
extern const struct hw_snap_column hw_snap_facts, hw_snap_strings, hw_snap_spans, hw_snap_types,
    hw_snap_synth, hw_snap_big, hw_snap_native, hw_snap_held, hw_snap_valindex;
/* The ledger: snapshot-ledger.c. */
extern const struct hw_snap_column hw_snap_parts, hw_snap_classes, hw_snap_arenas, hw_snap_natives;

/* What the kernel keeps: snapshot-system.c. */
extern const struct hw_snap_column hw_snap_fds, hw_snap_watches, hw_snap_tasks;

/* Allocation sites: snapshot-alloc.c. */
extern const struct hw_snap_column hw_snap_alloc_frames, hw_snap_alloc_sites, hw_snap_alloc_of;

enum { HW_SNAP_COLUMN_COUNT = 28 };
extern const struct hw_snap_column *const hw_snap_columns[HW_SNAP_COLUMN_COUNT];

/* The two chunks that are not columns: packed texts, and zeros. */
#define HW_SNAP_VALUES_TAG "values"
#define HW_SNAP_PAD_TAG "pad"

/* How many threads a graph of this size is worth, given the processors there are. */
enum { HW_SNAP_THREAD_MAX = 4 };
unsigned hw_snap_thread_count(const struct hw_graph *graph);

/* For prepare: an array of count zeroed elements. */
bool hw_snap_array(void *ret_array, uint64_t count, size_t elem_bytes, struct hw_err *err);
bool hw_snap_count_is(uint64_t count, uint64_t expected, struct hw_err *err);

#endif

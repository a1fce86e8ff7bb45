/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CPYTHON_TRACEMALLOC_TABLE_H
#define HW_CPYTHON_TRACEMALLOC_TABLE_H

/* The hash tables of tracemalloc: _Py_hashtable_t (CPython 3.9 Python/hashtable.c to 3.14, unchanged). */

#include "cpython/tracemalloc.h"

struct hw_trace_table {
    hw_addr buckets;
    uint64_t count, bucket_count;
};
/* A table that may be one of these: its counts are sane, its functions are code of the file that holds
 * _PyRuntime. */
bool hw_trace_table_read(struct hw_py *py, const struct hw_runtime *runtime, hw_addr addr,
                         struct hw_trace_table *ret_table);

enum hw_trace_keys { HW_TRACE_KEYS_BLOCKS, HW_TRACE_KEYS_DOMAINS };
struct hw_trace_entry {
    hw_addr next;
    uint64_t key;
    hw_addr value;
};
/* The entry at addr, when it is one that belongs into this bucket. */
bool hw_trace_entry_read(struct hw_py *py, const struct hw_trace_table *table,
                         enum hw_trace_keys keys, uint64_t bucket, hw_addr addr,
                         struct hw_trace_entry *ret_entry);

/* How much may still be looked at; counted down. */
struct hw_trace_budget {
    uint64_t entries, buckets;
};
/* Calls visit for each entry; false ends the walk, and this returns false. At most as many entries as the
 * table says it has, and as the budget allows. *ret_read: entries that made sense. */
typedef bool hw_trace_entry_fn(void *ctx, const struct hw_trace_entry *entry);
bool hw_trace_table_walk(struct hw_py *py, const struct hw_trace_table *table,
                         enum hw_trace_keys keys, hw_trace_entry_fn *visit, void *ctx,
                         struct hw_trace_budget *budget, uint64_t *ret_read);

/* What an entry of traces leads to; fills all but the domain. */
bool hw_trace_read(struct hw_py *py, const struct hw_trace_entry *entry, struct hw_trace *ret_trace);

#endif

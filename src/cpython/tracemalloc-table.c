/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/tracemalloc-table.h"

/* Behind buckets: get_entry_func, hash_func, compare_func. Python/hashtable.c begins with 16 buckets and
 * doubles them when they are half full. */
enum { FUNCTION_COUNT = 3, BUCKETS_LEAST = 16, BUCKETS_STEP = 512 };
#define BLOCK_BYTES_MAX ((uint64_t)1 << 57)

/* Code of the interpreter lies in the file of _PyRuntime. */
static bool is_code(struct hw_py *py, const struct hw_runtime *runtime, hw_addr addr)
{
    const struct hw_segment *segment = hw_image_segment(py->image, addr);
    return segment && segment->prot & HW_PROT_EXEC &&
           strncmp(segment->path, runtime->path, sizeof(runtime->path) - 1) == 0;
}

bool hw_trace_table_read(struct hw_py *py, const struct hw_runtime *runtime, hw_addr addr,
                         struct hw_trace_table *ret_table)
{
    unsigned char p[128];
    uint32_t functions = PY_OFF(py, _Py_hashtable_t_buckets) + sizeof(hw_addr);
    if (addr % sizeof(hw_addr) || functions + FUNCTION_COUNT * sizeof(hw_addr) > sizeof(p) ||
        !hw_image_read(py->image, addr, p, functions + FUNCTION_COUNT * sizeof(hw_addr)))
        return false;
    struct hw_trace_table table = {.count = PY_WORD(py, p, _Py_hashtable_t_nentries),
                                   .bucket_count = PY_WORD(py, p, _Py_hashtable_t_nbuckets),
                                   .buckets = PY_WORD(py, p, _Py_hashtable_t_buckets)};
    if (table.bucket_count < BUCKETS_LEAST || table.bucket_count & (table.bucket_count - 1) ||
        table.bucket_count > py->item_limit || table.count > table.bucket_count ||
        table.buckets % sizeof(hw_addr))
        return false;
    for (unsigned i = 0; i < FUNCTION_COUNT; i++)
        if (!is_code(py, runtime, load64(p + functions + i * sizeof(hw_addr))))
            return false;
    const struct hw_segment *segment = hw_image_segment(py->image, table.buckets);
    if (!segment || (segment->end - table.buckets) / sizeof(hw_addr) < table.bucket_count)
        return false;
    *ret_table = table;
    return true;
}

/* _Py_HashPointerRaw (Python/pyhash.c): rotated by four bits. Numbers are their own hash. */
static uint64_t hash_of(enum hw_trace_keys keys, uint64_t key)
{
    return keys == HW_TRACE_KEYS_BLOCKS ? key >> 4 | key << 60 : key;
}

bool hw_trace_is_entry(const struct hw_py *py, const unsigned char *p)
{
    uint64_t key = PY_WORD(py, p, _Py_hashtable_entry_t_key);
    return key && PY_WORD(py, p, _Py_hashtable_entry_t_key_hash) == hash_of(HW_TRACE_KEYS_BLOCKS, key);
}

bool hw_trace_entry_read(struct hw_py *py, const struct hw_trace_table *table,
                         enum hw_trace_keys keys, uint64_t bucket, hw_addr addr,
                         struct hw_trace_entry *ret_entry)
{
    unsigned char p[64];
    size_t bytes = PY_SIZE(py, _Py_hashtable_entry_t);
    if (bytes > sizeof(p) || addr % sizeof(hw_addr) || !hw_image_read(py->image, addr, p, bytes))
        return false;
    struct hw_trace_entry entry = {.next = PY_WORD(py, p, _Py_hashtable_entry_t_next),
                                   .key = PY_WORD(py, p, _Py_hashtable_entry_t_key),
                                   .value = PY_WORD(py, p, _Py_hashtable_entry_t_value)};
    uint64_t hash = PY_WORD(py, p, _Py_hashtable_entry_t_key_hash);
    if (hash != hash_of(keys, entry.key) || (hash & (table->bucket_count - 1)) != bucket ||
        (keys == HW_TRACE_KEYS_DOMAINS && entry.key > UINT32_MAX))
        return false;
    *ret_entry = entry;
    return true;
}

/* One walk over one table. */
struct table_walk {
    struct hw_py *py;
    const struct hw_trace_table *table;
    enum hw_trace_keys keys;
    hw_trace_entry_fn *visit;
    void *ctx;
    uint64_t left; /* entries that the table can still have */
    struct hw_trace_budget *budget;
    uint64_t read;
};

static bool step(struct table_walk *walk)
{
    if (!walk->left || !walk->budget->entries)
        return false;
    walk->left--;
    walk->budget->entries--;
    return true;
}

/* An entry that does not belong here ends the chain: what it leads to is another's. */
static bool chain_walk(struct table_walk *walk, uint64_t bucket, hw_addr head)
{
    struct hw_trace_entry entry;
    uint64_t length = 0, mark_at = 2;
    hw_addr mark = 0;
    for (hw_addr at = head; at; at = entry.next) {
        if (at == mark || !step(walk) ||
            !hw_trace_entry_read(walk->py, walk->table, walk->keys, bucket, at, &entry))
            return true;
        walk->read++;
        if (!walk->visit(walk->ctx, &entry))
            return false;
        if (++length == mark_at) { /* Brent: a chain that runs in a circle comes back to its mark */
            mark = at;
            mark_at *= 2;
        }
    }
    return true;
}

/* The buckets from first on, as many as a step has. */
static bool buckets_walk(struct table_walk *walk, uint64_t first)
{
    hw_addr heads[BUCKETS_STEP];
    uint64_t n = walk->table->bucket_count - first;
    n = n < BUCKETS_STEP ? n : BUCKETS_STEP;
    walk->budget->buckets -= walk->budget->buckets < n ? walk->budget->buckets : n;
    if (!hw_image_read(walk->py->image, walk->table->buckets + first * sizeof(*heads), heads,
                       n * sizeof(*heads)))
        return true;
    for (uint64_t i = 0; i < n; i++)
        if (heads[i] && !chain_walk(walk, first + i, heads[i]))
            return false;
    return true;
}

bool hw_trace_table_walk(struct hw_py *py, const struct hw_trace_table *table,
                         enum hw_trace_keys keys, hw_trace_entry_fn *visit, void *ctx,
                         struct hw_trace_budget *budget, uint64_t *ret_read)
{
    struct table_walk walk = {.py = py,
                              .table = table,
                              .keys = keys,
                              .visit = visit,
                              .ctx = ctx,
                              .left = table->count,
                              .budget = budget};
    bool ok = true;
    for (uint64_t first = 0; ok && first < table->bucket_count && walk.left && budget->buckets &&
                             budget->entries;
         first += BUCKETS_STEP)
        ok = buckets_walk(&walk, first);
    *ret_read = walk.read;
    return ok;
}

bool hw_trace_read(struct hw_py *py, const struct hw_trace_entry *entry, struct hw_trace *ret_trace)
{
    unsigned char p[32];
    struct hw_traceback traceback;
    size_t bytes = PY_SIZE(py, tracemalloc_trace);
    if (bytes > sizeof(p) || !hw_image_read(py->image, entry->value, p, bytes))
        return false;
    struct hw_trace trace = {.block = entry->key,
                             .bytes = PY_WORD(py, p, tracemalloc_trace_size),
                             .traceback = PY_WORD(py, p, tracemalloc_trace_traceback)};
    if (trace.bytes > BLOCK_BYTES_MAX || !hw_traceback_read(py, trace.traceback, &traceback))
        return false;
    *ret_trace = trace;
    return true;
}

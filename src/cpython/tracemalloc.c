/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/tracemalloc-table.h"

/* ---- tracebacks ---- */

bool hw_traceback_read(struct hw_py *py, hw_addr addr, struct hw_traceback *ret_traceback)
{
    unsigned char p[32];
    uint32_t frames = PY_OFF(py, tracemalloc_traceback_frames);
    if (frames > sizeof(p) || addr % sizeof(hw_addr) || !hw_image_read(py->image, addr, p, frames))
        return false;
    struct hw_traceback traceback = {
        .frames = addr + frames,
        .frame_count = load16(p + PY_OFF(py, tracemalloc_traceback_nframe)),
        .depth = load16(p + PY_OFF(py, tracemalloc_traceback_total_nframe))};
    if (!traceback.frame_count || traceback.depth < traceback.frame_count)
        return false;
    *ret_traceback = traceback;
    return true;
}

bool hw_traceback_frame(struct hw_py *py, const struct hw_traceback *traceback, uint32_t n,
                        hw_addr *ret_file, uint32_t *ret_line)
{
    unsigned char p[32];
    size_t bytes = PY_SIZE(py, tracemalloc_frame);
    if (bytes > sizeof(p) ||
        !hw_image_read(py->image, traceback->frames + (hw_addr)n * bytes, p, bytes))
        return false;
    *ret_file = PY_WORD(py, p, tracemalloc_frame_filename);
    *ret_line = load32(p + PY_OFF(py, tracemalloc_frame_lineno));
    return true;
}

/* ---- traces ---- */

struct walk {
    struct hw_py *py;
    hw_trace_fn *visit;
    void *ctx;
    uint32_t domain;
    struct hw_trace_budget budget; /* of all tables */
    uint64_t told;   /* traces that the tables say they have */
    uint64_t traces; /* of them, those that made sense */
    const struct hw_runtime *runtime;
};

static bool visit_trace(void *ctx, const struct hw_trace_entry *entry)
{
    struct walk *walk = ctx;
    struct hw_trace trace;
    if (!hw_trace_read(walk->py, entry, &trace))
        return true;
    trace.domain = walk->domain;
    walk->traces++;
    return walk->visit(walk->ctx, &trace);
}

static bool walk_traces(struct walk *walk, uint32_t domain, hw_addr addr)
{
    struct hw_trace_table table;
    uint64_t read;
    if (!hw_trace_table_read(walk->py, walk->runtime, addr, &table)) {
        walk->told++;
        return true;
    }
    walk->domain = domain;
    walk->told += table.count;
    return hw_trace_table_walk(walk->py, &table, HW_TRACE_KEYS_BLOCKS, visit_trace, walk,
                               &walk->budget, &read);
}

static bool visit_domain(void *ctx, const struct hw_trace_entry *entry)
{
    return walk_traces(ctx, (uint32_t)entry->key, entry->value);
}

static bool walk_domains(struct walk *walk, hw_addr addr)
{
    struct hw_trace_table table;
    uint64_t read = 0;
    if (!hw_trace_table_read(walk->py, walk->runtime, addr, &table)) {
        walk->told++;
        return true;
    }
    bool ok = hw_trace_table_walk(walk->py, &table, HW_TRACE_KEYS_DOMAINS, visit_domain, walk,
                                  &walk->budget, &read);
    walk->told += table.count - read;
    return ok;
}

bool hw_tracemalloc_walk(struct hw_py *py, const struct hw_runtime *runtime,
                         const struct hw_tracemalloc *tracemalloc, hw_trace_fn *visit, void *ctx,
                         uint64_t *ret_missed)
{
    struct walk walk = {.py = py,
                        .runtime = runtime,
                        .visit = visit,
                        .ctx = ctx,
                        .budget = {py->item_limit, py->item_limit}};
    bool ok = walk_traces(&walk, 0, tracemalloc->traces) &&
              (!tracemalloc->domains || walk_domains(&walk, tracemalloc->domains));
    *ret_missed = walk.told - walk.traces;
    return ok;
}

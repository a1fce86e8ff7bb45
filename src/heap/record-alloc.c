/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/vec.h"
#include "cpython/pytype.h"
#include "heap/build-internal.h"

#include <stdlib.h>

/* Two words more in front of the collector's head: dict and weak references that the interpreter manages
 * (_PyType_PreHeaderSize, Include/internal/pycore_object.h of 3.12; 3.11 has the same for managed dicts). */
enum { PRE_HEAD_BYTES = 16, FRONT_STEP = 16, FRONT_MAX = HW_GC_HEAD_BYTES + PRE_HEAD_BYTES };

enum { FILE_NAME_BYTES = 4096 };

struct traces {
    struct hw_builder *b;
    struct hw_alloc_maker maker;
    struct hw_pairs stacks; /* address of a traceback -> row of ends */
    struct hw_pairs files;  /* address of a file name -> row of names */
    struct stack_end {
        uint32_t frame, depth;
    } *ends;
    size_t end_capacity;
    uint32_t *names;
    size_t name_capacity;
    uint64_t frames_left; /* that may still be read: overlapping tracebacks can't make more of them */
    uint64_t seen;
};

static void traces_deinit(struct traces *traces)
{
    hw_alloc_maker_deinit(&traces->maker);
    hw_pairs_deinit(&traces->stacks);
    hw_pairs_deinit(&traces->files);
    free(traces->ends);
    free(traces->names);
}

static uint32_t name_read(struct traces *traces, hw_addr file)
{
    char text[FILE_NAME_BYTES];
    struct hw_py *py = &traces->b->py;
    size_t n = hw_py_text(py, file, text, sizeof(text), NULL);
    if (n == SIZE_MAX) {
        py->bad_pointers++;
        return 0;
    }
    return hw_names_intern(&py->names, text, strnlen(text, n));
}

/* tracemalloc keeps one str for each file. */
static bool file_find(struct traces *traces, hw_addr file, uint32_t *ret_name)
{
    bool is_new;
    uint32_t row = hw_pairs_word(&traces->files, file, &is_new);
    if (row == HW_PAIRS_NONE)
        return false;
    if (is_new) {
        uint32_t *names = hw_vec_grow(traces->names, &traces->name_capacity, (size_t)row + 1,
                                      sizeof(*names));
        if (!names)
            return false;
        traces->names = names;
        names[row] = name_read(traces, file);
    }
    *ret_name = traces->names[row];
    return true;
}

/* From the outermost frame inwards, as callers come first. What can't be read ends a stack there. */
static bool stack_read(struct traces *traces, hw_addr addr, struct stack_end *ret_end)
{
    struct hw_py *py = &traces->b->py;
    struct hw_traceback traceback;
    struct stack_end end = {.frame = HW_NONE};
    bool readable = hw_traceback_read(py, addr, &traceback) &&
                    traceback.frame_count <= traces->frames_left;
    if (readable) {
        traces->frames_left -= traceback.frame_count;
        end.depth = traceback.depth;
    }
    for (uint32_t n = readable ? traceback.frame_count : 0; n-- > 0;) {
        hw_addr file;
        uint32_t line, name;
        if (!hw_traceback_frame(py, &traceback, n, &file, &line)) {
            py->bad_pointers++;
            continue;
        }
        if (!file_find(traces, file, &name))
            return false;
        end.frame = hw_alloc_frame_make(&traces->maker, &(struct hw_alloc_frame){end.frame, name, 0, line});
        if (end.frame == HW_NONE)
            return false;
    }
    *ret_end = end;
    return true;
}

static bool stack_find(struct traces *traces, hw_addr traceback, struct stack_end *ret_end)
{
    bool is_new;
    uint32_t row = hw_pairs_word(&traces->stacks, traceback, &is_new);
    if (row == HW_PAIRS_NONE)
        return false;
    if (is_new) {
        struct stack_end *ends =
            hw_vec_grow(traces->ends, &traces->end_capacity, (size_t)row + 1, sizeof(*ends));
        if (!ends)
            return false;
        traces->ends = ends;
        if (!stack_read(traces, traceback, &ends[row]))
            return false;
    }
    *ret_end = traces->ends[row];
    return true;
}

static hw_addr front_bytes(const struct hw_pytype *type)
{
    bool has_pre_head = type->managed_dict || type->managed_weakref;
    return (type->is_gc ? HW_GC_HEAD_BYTES : 0) + (has_pre_head ? PRE_HEAD_BYTES : 0);
}

hw_id hw_build_object_in(struct hw_builder *b, hw_addr block, uint64_t bytes)
{
    for (hw_addr front = 0; front <= FRONT_MAX && front < bytes; front += FRONT_STEP) {
        hw_id id = hw_marks_id(&b->marks, block + front);
        if (id != HW_NONE && front_bytes(b->py.types[b->graph->type[id]]) == front)
            return id;
    }
    return HW_NONE;
}

static bool add_trace(void *ctx, const struct hw_trace *trace)
{
    struct traces *traces = ctx;
    struct hw_builder *b = traces->b;
    struct hw_alloc_sites *sites = &b->graph->allocs;
    struct stack_end end;
    if (!hw_build_tick(b, "reading allocation sites", traces->seen++, 0))
        return false;
    if (!stack_find(traces, trace->traceback, &end))
        return hw_err_no_memory(b->err);
    uint32_t site = hw_alloc_site_make(&traces->maker, end.frame, end.depth, trace->domain);
    if (site == HW_NONE)
        return hw_err_no_memory(b->err);
    sites->sites[site].count++;
    sites->sites[site].bytes += trace->bytes;
    hw_id id = trace->domain ? HW_NONE : hw_build_object_in(b, trace->block, trace->bytes);
    if (id != HW_NONE)
        sites->of[id] = site;
    return true;
}

bool hw_build_allocs_begin(struct hw_builder *b)
{
    struct hw_graph *g = b->graph;
    g->allocs.of = malloc(((size_t)g->object_count + 1) * sizeof(*g->allocs.of));
    if (!g->allocs.of)
        return hw_err_no_memory(b->err);
    for (hw_id id = 0; id < g->object_count; id++)
        g->allocs.of[id] = HW_NONE;
    return true;
}

static bool sites_read(struct hw_builder *b)
{
    struct hw_graph *g = b->graph;
    struct traces traces = {
        .b = b, .maker.sites = &g->allocs, .frames_left = b->py.item_limit};
    if (!hw_build_allocs_begin(b))
        return false;
    bool ok = hw_tracemalloc_walk(&b->py, b->runtime, &b->tracemalloc, add_trace, &traces,
                                  &g->facts.alloc_missed);
    traces_deinit(&traces);
    return ok;
}

bool hw_build_record_allocs(struct hw_builder *b)
{
    b->graph->facts.alloc_frames = b->tracemalloc.frame_limit;
    switch (b->tracemalloc.state) {
    case HW_TRACING_OFF:
        b->graph->facts.alloc_source = HW_ALLOC_NOBODY;
        return hw_build_record_agent(b);
    case HW_TRACING_UNREADABLE:
        b->graph->facts.alloc_source = HW_ALLOC_UNREADABLE;
        return true;
    case HW_TRACING_ON:
        break;
    }
    b->graph->facts.alloc_source = HW_ALLOC_TRACEMALLOC;
    return sites_read(b);
}

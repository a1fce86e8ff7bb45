/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/look.h"
#include "ask/lookup.h"
#include "ask/spell.h"
#include "base/err.h"
#include "base/vec.h"
#include "resource/work.h"

#include <stdlib.h>
#include <string.h>

/* ---- what stands before what ---- */

static const struct {
    const char *type, *attribute;
} wrappers[] = {
    {"_io.TextIOWrapper", "buffer"},
    {"_io._BufferedIOBase", "raw"},
    {"_io.Buffered*", "raw"},
    {"tempfile._TemporaryFileWrapper", "file"},
    {"asyncio.selector_events._SelectorTransport", "_sock"},
    {"asyncio.unix_events._Unix*PipeTransport", "_pipe"},
    {"asyncio.base_events.Server", "_sockets"},
    {"selectors.EpollSelector", "_selector"},
    {"multiprocessing.popen_fork.Popen", "finalizer"},
    {"multiprocessing.process.BaseProcess", "_popen"},
};
enum { WRAPPER_COUNT = sizeof(wrappers) / sizeof(*wrappers), DEPTH_MAX = 8, NONE = UINT8_MAX };

static int by_inner(const void *a, const void *b)
{
    const struct hw_wrap *x = a, *y = b;
    if (x->inner != y->inner)
        return x->inner < y->inner ? -1 : 1;
    return (x->outer > y->outer) - (x->outer < y->outer);
}

static bool add_wrap(struct hw_resource_work *work, size_t *capacity, hw_id inner, hw_id outer)
{
    struct hw_wrap *wraps =
        hw_vec_grow(work->wraps, capacity, work->wrap_count + 1, sizeof(*wraps));
    if (!wraps)
        return false;
    work->wraps = wraps;
    wraps[work->wrap_count++] = (struct hw_wrap){inner, outer};
    return true;
}

static bool add_wraps_of(struct hw_resource_work *work, size_t *capacity, hw_id outer,
                         const char *attribute)
{
    const struct hw_graph *graph = work->graph;
    hw_id inner = hw_look_attr(graph, outer, attribute);
    if (inner == HW_NONE || inner >= graph->object_count)
        return true;
    if (!type_has(graph, inner, HW_TYPE_LIST | HW_TYPE_TUPLE))
        return hw_look_is_none(graph, inner) || add_wrap(work, capacity, inner, outer);
    for (uint32_t e = graph->edge_start[inner]; e < graph->edge_start[inner + 1]; e++)
        if (edge_kind(graph, e) == HW_LABEL_INDEX &&
            !add_wrap(work, capacity, graph->edge_to[e], outer))
            return false;
    return true;
}

bool hw_wraps_init(struct hw_resource_work *work)
{
    const struct hw_graph *graph = work->graph;
    uint8_t *of_type = hw_lineage_match(&work->lineage, wrappers, WRAPPER_COUNT,
                                        sizeof(*wrappers), work->err);
    size_t capacity = 0;
    bool ok = of_type != NULL;
    for (hw_id id = 0; ok && id < graph->object_count; id++) {
        size_t w = of_type[graph->type[id]];
        ok = w == NONE || add_wraps_of(work, &capacity, id, wrappers[w].attribute);
    }
    free(of_type);
    if (work->wrap_count)
        qsort(work->wraps, work->wrap_count, sizeof(*work->wraps), by_inner);
    return ok || hw_err_no_memory(work->err);
}

/* Of several the one with the most telling path. */
static hw_id outer_of(const struct hw_resource_work *work, hw_id node)
{
    size_t low = 0, high = work->wrap_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (work->wraps[middle].inner < node)
            low = middle + 1;
        else
            high = middle;
    }
    hw_id best = HW_NONE;
    for (; low < work->wrap_count && work->wraps[low].inner == node; low++) {
        hw_id outer = work->wraps[low].outer;
        if (best == HW_NONE || work->tree.cost[outer] < work->tree.cost[best])
            best = outer;
    }
    return best;
}

hw_id hw_wrap_outermost(const struct hw_resource_work *work, hw_id node)
{
    for (unsigned i = 0; i < DEPTH_MAX; i++) {
        hw_id outer = outer_of(work, node);
        if (outer == HW_NONE)
            break;
        node = outer;
    }
    return node;
}

/* ---- its texts ---- */

const char *hw_work_keep(struct hw_resource_work *work, struct hw_buf *text)
{
    const char *copy =
        hw_buf_ok(text) ? hw_arena_strdup(&work->result->arena, hw_buf_str(text)) : NULL;
    hw_buf_deinit(text);
    if (!copy)
        hw_err_no_memory(work->err);
    return copy;
}

const char *hw_work_path(struct hw_resource_work *work, hw_id node)
{
    struct hw_buf text = {0};
    if (node != HW_NONE)
        hw_path_spell(work->graph, &work->tree, node, &text);
    return hw_work_keep(work, &text);
}

const char *hw_work_shape(struct hw_resource_work *work, hw_id node)
{
    struct hw_buf text = {0};
    uint32_t shape = node == HW_NONE ? HW_SHAPE_NONE : hw_shape_of(work->shapes, node);
    if (shape != HW_SHAPE_NONE)
        hw_shape_spell(work->shapes, shape, &text);
    return hw_work_keep(work, &text);
}

bool hw_stand_in_fill(struct hw_resource_work *work, hw_id node, struct hw_stand_in *stand_in)
{
    *stand_in = (struct hw_stand_in){.node = node, .type = "", .path = "", .shape = ""};
    if (node == HW_NONE)
        return true;
    stand_in->addr = hw_graph_addr(work->graph, node);
    stand_in->type = hw_arena_strdup(&work->result->arena, type_of(work->graph, node)->name);
    stand_in->path = hw_work_path(work, node);
    stand_in->shape = hw_work_shape(work, node);
    return (stand_in->type && stand_in->path && stand_in->shape) || hw_err_no_memory(work->err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "heap/build-internal.h"

#include <stdlib.h>
#include <string.h>

enum { TICK_EVERY = 1 << 15, MIRROR_LEAST_BYTES = 64 << 20, SLACK_BYTES = 4 << 20 };
enum { READ_TIMES_MOST = 3 }; /* the limit of memory */

/* What the graph has taken so far is no longer the mirrors'. In an old heap the lists have no
 * order, and every step could read again what the one before gave back: then all is kept. */
static void mirrors_limit(struct hw_builder *b)
{
    const struct hw_graph *g = b->graph;
    uint64_t row = sizeof(*g->where) + sizeof(*g->type) + sizeof(*g->size) + sizeof(*g->refcount) +
                   sizeof(*g->flags) + sizeof(*g->age) + sizeof(*g->edge_start);
    uint64_t edge = sizeof(*g->edge_to) + sizeof(*g->edge_label);
    uint64_t taken = b->recorded * row + g->edge_count * edge + g->values.packed.capacity +
                     b->stack_capacity * sizeof(*b->stack) + b->order.steps.capacity;
    if (!b->opts->memory_bytes)
        return;
    if (b->image->read_bytes > READ_TIMES_MOST * b->opts->memory_bytes) {
        b->image->budget_bytes = 0;
        return;
    }
    b->image->budget_bytes = taken + MIRROR_LEAST_BYTES < b->opts->memory_bytes
                                 ? b->opts->memory_bytes - taken
                                 : MIRROR_LEAST_BYTES;
}

void hw_build_trim(struct hw_builder *b)
{
    if (b->image->budget_bytes && b->image->loaded_bytes > b->image->budget_bytes + SLACK_BYTES)
        hw_image_trim(b->image);
}

bool hw_build_tick(struct hw_builder *b, const char *stage, uint64_t done, uint64_t total)
{
    hw_build_trim(b);
    if (done % TICK_EVERY)
        return true;
    mirrors_limit(b);
    hw_image_trim(b->image);
    if (b->opts->progress)
        b->opts->progress(b->opts->progress_ctx, stage, done, total);
    if (b->opts->cancel && *b->opts->cancel)
        return hw_err_set(b->err, HW_ERR_INTERRUPTED, "interrupted");
    return true;
}

/* sys.argv[0] */
static void script_read(struct hw_builder *b)
{
    struct hw_facts *facts = &b->graph->facts;
    hw_addr dict = hw_module_dict(&b->py, b->runtime, "sys");
    hw_addr argv = dict ? hw_dict_find(&b->py, dict, "argv") : 0;
    const struct hw_pytype *type = argv ? hw_pytype_of(&b->py, argv) : NULL;
    if (!type || type->solid->family != HW_FAMILY_LIST)
        return;
    hw_decode(&b->py, argv, type);
    if (!b->py.refs.count || hw_py_text(&b->py, b->py.refs.to[0], facts->main_script,
                                        sizeof(facts->main_script), NULL) == SIZE_MAX)
        facts->main_script[0] = 0;
}

static void build_facts(struct hw_builder *b)
{
    struct hw_facts *facts = &b->graph->facts;
    struct hw_gc_state gc = {0};
    hw_runtime_gc_state(b->image, b->runtime, &gc);
    facts->python_version = b->runtime->version;
    facts->collector_running = gc.collecting;
    facts->gc_enabled = gc.enabled;
    for (unsigned i = 0; i < 3; i++) {
        facts->gc_threshold[i] = gc.threshold[i];
        facts->gc_count[i] = gc.count[i];
        facts->gc_stats[i] = gc.stats[i];
    }
    facts->gc_recorded = 1;
    facts->gc_debug = gc.debug;
    memcpy(facts->gc_objects, b->list_counts, sizeof(facts->gc_objects));
    facts->gc_long_lived_total = gc.long_lived_total;
    facts->gc_long_lived_pending = gc.long_lived_pending;
    facts->bad_pointers = b->py.bad_pointers;
    facts->unscanned_bytes = b->unscanned_bytes;
    facts->target_bytes_read = b->image->read_bytes;
}

static bool marks_init(struct hw_builder *b)
{
    for (unsigned i = 0; b->opts->residence && i < HW_BUFFER_KINDS; i++)
        if (!hw_marks_init(&b->buffers[i], b->image, b->modules, b->module_count, b->err))
            return false;
    return hw_marks_init(&b->marks, b->image, b->modules, b->module_count, b->err) &&
           hw_marks_init(&b->outside, b->image, b->modules, b->module_count, b->err) &&
           hw_marks_init(&b->lost, b->image, b->modules, b->module_count, b->err);
}

static bool roots_collect(struct hw_builder *b)
{
    hw_build_note_outside(b, true);
    bool ok = hw_roots_collect(&b->py, b->runtime, &b->roots, b->err);
    hw_build_note_outside(b, false);
    return ok;
}

static bool build_run(struct hw_builder *b)
{
    hw_py_learn_classes(&b->py, b->runtime);
    if (!hw_modules_list(b->image, &b->modules, &b->module_count, b->err) || !marks_init(b))
        return false;
    hw_build_note_graphs(b);
    hw_tracemalloc_find(&b->py, b->runtime, &b->tracemalloc);
    return roots_collect(b) && hw_build_discover(b) && hw_build_find_lost(b) &&
           hw_build_hide_own(b) && hw_marks_rank(&b->marks, b->err) && hw_build_native_roots(b) &&
           (!b->opts->residence || hw_build_pools_init(b)) && hw_build_record(b) &&
           (!b->opts->residence || hw_build_ledger(b));
}

bool hw_graph_build(struct hw_image *image, const struct hw_runtime *runtime,
                    const struct hw_build_options *opts, struct hw_graph **ret_graph,
                    struct hw_err *err)
{
    struct hw_builder b = {.image = image, .runtime = runtime, .opts = opts, .err = err};
    b.graph = hw_graph_create();
    if (!b.graph)
        return hw_err_no_memory(err);
    bool ok = hw_py_init(&b.py, image, runtime->layout, runtime->version, &b.graph->arena, err);
    if (ok) {
        b.py.type_type = runtime->type_type;
        ok = build_run(&b);
        build_facts(&b);
        script_read(&b);
    }
    free(b.stack);
    free(b.modules);
    free(b.module_names);
    hw_order_deinit(&b.order);
    hw_marks_deinit(&b.marks);
    for (unsigned i = 0; i < HW_BUFFER_KINDS; i++)
        hw_marks_deinit(&b.buffers[i]);
    hw_build_pools_deinit(&b);
    free(b.big_buffers);
    hw_marks_deinit(&b.outside);
    hw_marks_deinit(&b.lost);
    free(b.held);
    free(b.own);
    hw_roots_deinit(&b.roots);
    hw_py_deinit(&b.py);
    if (!ok) {
        hw_graph_destroy(b.graph);
        return false;
    }
    *ret_graph = b.graph;
    return true;
}

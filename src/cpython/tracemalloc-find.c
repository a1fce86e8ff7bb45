/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/tracemalloc-table.h"

#include <stdlib.h>

#define RT_OFF(rt, name) ((rt)->layout->f[HW_F_##name].offset)
#define RT_HAS(rt, name) ((rt)->layout->f[HW_F_##name].width != 0)

/* struct _PyTraceMalloc_Config {initialized, tracing, max_nframe}, three ints (3.9
 * Include/internal/pycore_pymem.h, 3.13 Include/internal/pycore_tracemalloc.h). */
enum { CONFIG_TRACING = 4, CONFIG_FRAME_LIMIT = 8 };

/* So many entries of a table decide what it is. Blocks lie together in memory, and so do the buckets that
 * are in use: thousands before them may be empty. */
enum { SAMPLE = 64 };

static void config_read(struct hw_py *py, hw_addr config, struct hw_tracemalloc *to)
{
    uint32_t limit = hw_image_word32(py->image, config + CONFIG_FRAME_LIMIT);
    to->state = hw_image_word32(py->image, config + CONFIG_TRACING) ? HW_TRACING_ON : HW_TRACING_OFF;
    to->frame_limit = limit <= UINT16_MAX ? limit : 0;
}

/* ---- what a table is ---- */

struct sample {
    struct hw_py *py;
    const struct hw_runtime *runtime;
    unsigned seen, traces, domains;
};

static bool is_trace(struct sample *sample, const struct hw_trace_entry *entry)
{
    struct hw_trace trace;
    struct hw_traceback traceback;
    hw_addr file;
    uint32_t line;
    char text[2];
    return hw_trace_read(sample->py, entry, &trace) &&
           hw_traceback_read(sample->py, trace.traceback, &traceback) &&
           hw_traceback_frame(sample->py, &traceback, 0, &file, &line) &&
           hw_py_text(sample->py, file, text, sizeof(text), NULL) != SIZE_MAX;
}

static bool sample_trace(void *ctx, const struct hw_trace_entry *entry)
{
    struct sample *sample = ctx;
    sample->traces += is_trace(sample, entry);
    return ++sample->seen < SAMPLE;
}

static bool sample_domain(void *ctx, const struct hw_trace_entry *entry)
{
    struct sample *sample = ctx;
    struct hw_trace_table table;
    sample->domains += hw_trace_table_read(sample->py, sample->runtime, entry->value, &table);
    return ++sample->seen < SAMPLE;
}

/* A thread that was stopped amid its work may leave one entry half made, no more. buckets: that may still be
 * looked at. */
static bool is_table_of(struct hw_py *py, const struct hw_runtime *runtime, hw_addr addr,
                        enum hw_trace_keys keys, uint64_t *buckets)
{
    struct sample sample = {.py = py, .runtime = runtime};
    struct hw_trace_table table;
    struct hw_trace_budget budget = {SAMPLE, *buckets};
    uint64_t read, bad = py->bad_pointers;
    if (!hw_trace_table_read(py, runtime, addr, &table))
        return false;
    hw_trace_table_walk(py, &table, keys,
                        keys == HW_TRACE_KEYS_BLOCKS ? sample_trace : sample_domain, &sample,
                        &budget, &read);
    *buckets = budget.buckets;
    py->bad_pointers = bad; /* looking at what may be anything finds no damage */
    unsigned good = sample.traces + sample.domains;
    return good && good + 1 >= sample.seen;
}

/* ---- up to 3.11: variables of the interpreter's file point at them ---- */

struct search {
    struct hw_py *py;
    const struct hw_runtime *runtime;
    hw_addr traces, domains;
    bool is_ambiguous;
    uint64_t buckets; /* that may still be looked at, of all that may be a table */
};

static void note(struct search *search, hw_addr *found, hw_addr table)
{
    search->is_ambiguous |= *found && *found != table;
    *found = table;
}

/* Tables come from malloc(), in memory that can be written. */
static void try_word(struct search *search, hw_addr word)
{
    const struct hw_segment *segment = hw_image_segment(search->py->image, word);
    if (!segment || !(segment->prot & HW_PROT_WRITE) || word % (2 * sizeof(hw_addr)))
        return;
    if (is_table_of(search->py, search->runtime, word, HW_TRACE_KEYS_BLOCKS,
                    &search->buckets))
        note(search, &search->traces, word);
    else if (is_table_of(search->py, search->runtime, word, HW_TRACE_KEYS_DOMAINS,
                         &search->buckets))
        note(search, &search->domains, word);
}

static void search_module(struct search *search, const struct hw_module *module)
{
    struct hw_image *image = search->py->image;
    hw_addr start, end;
    for (size_t i = 0; hw_module_data_next(image, module, &i, &start, &end);)
        for (hw_addr at = start; at + sizeof(hw_addr) <= end; at += sizeof(hw_addr)) {
            hw_addr word = hw_image_word(image, at);
            if (word && (word < module->start || word >= module->end))
                try_word(search, word);
        }
}

static void find_by_shape(struct hw_py *py, const struct hw_runtime *runtime,
                          const struct hw_module *module, struct hw_tracemalloc *to)
{
    struct search search = {.py = py, .runtime = runtime, .buckets = py->item_limit};
    struct hw_symbol config;
    if (!hw_module_symbol(py->image, module, "_Py_tracemalloc_config", &config))
        return;
    config_read(py, config.addr, to);
    if (to->state == HW_TRACING_OFF)
        return;
    search_module(&search, module);
    if (!search.traces || search.is_ambiguous)
        to->state = HW_TRACING_UNREADABLE;
    to->traces = search.traces;
    to->domains = search.domains;
}

static void find_in_file(struct hw_py *py, const struct hw_runtime *runtime,
                         struct hw_tracemalloc *to)
{
    struct hw_module *modules;
    size_t count;
    if (!hw_modules_list(py->image, &modules, &count, NULL))
        return;
    const struct hw_module *module = hw_module_at(modules, count, runtime->addr);
    if (module)
        find_by_shape(py, runtime, module, to);
    free(modules);
}

/* ---- 3.12 and later: _PyRuntime names them ---- */

static void find_in_runtime(struct hw_py *py, const struct hw_runtime *rt, struct hw_tracemalloc *to)
{
    struct hw_trace_table table;
    uint64_t buckets = py->item_limit;
    config_read(py, rt->addr + RT_OFF(rt, _PyRuntimeState_tracemalloc), to);
    if (to->state == HW_TRACING_OFF)
        return;
    to->traces = hw_image_word(py->image, rt->addr + RT_OFF(rt, _PyRuntimeState_tracemalloc_traces));
    to->domains =
        hw_image_word(py->image, rt->addr + RT_OFF(rt, _PyRuntimeState_tracemalloc_domains));
    if (!hw_trace_table_read(py, rt, to->traces, &table) ||
        (table.count && !is_table_of(py, rt, to->traces, HW_TRACE_KEYS_BLOCKS, &buckets)))
        to->state = HW_TRACING_UNREADABLE;
}

void hw_tracemalloc_find(struct hw_py *py, const struct hw_runtime *runtime,
                         struct hw_tracemalloc *ret_tracemalloc)
{
    *ret_tracemalloc = (struct hw_tracemalloc){.state = HW_TRACING_OFF};
    if (RT_HAS(runtime, _PyRuntimeState_tracemalloc_traces))
        find_in_runtime(py, runtime, ret_tracemalloc);
    else
        find_in_file(py, runtime, ret_tracemalloc);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/control.h"
#include "agent/table.h"
#include "base/err.h"
#include "base/vec.h"
#include "heap/build-internal.h"
#include "native/elf.h"
#include "native/symbols.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What heapwhy's own agent has written down in the target: agent/table.h. */

enum { TEXT_MAX_BYTES = 4096 };
#define RATE_MAX ((uint64_t)1 << 50)
#define SUM_MAX 9e18 /* fits into 64 bits */

struct reading {
    struct hw_builder *b;
    struct hw_agent_table table;
    struct hw_alloc_maker maker;
    struct hw_symbols *symbols;
    uint32_t *frame_of; /* by the agent's site; HW_NONE: nothing is known */
    uint32_t *depth_of;
    double *counts, *bytes; /* by site of the graph, before they are rounded */
    size_t sum_capacity, byte_capacity;
};

static bool table_is_sane(const struct hw_agent_table *table)
{
    return memcmp(table->magic, HW_AGENT_MAGIC, sizeof(table->magic)) == 0 &&
           table->version == HW_AGENT_VERSION && table->table_bytes == sizeof(*table) &&
           table->rate_bytes && table->rate_bytes < RATE_MAX && table->live_slots &&
           table->live_slots <= HW_AGENT_LIVE_MAX && table->site_count &&
           table->site_count <= HW_AGENT_SITES_MAX && table->text_bytes <= HW_AGENT_TEXT_MAX_BYTES;
}

bool hw_build_is_agent(const struct hw_module *module)
{
    return strstr(module->path, HW_AGENT_LIBRARY) != NULL;
}

/* NULL: there is no agent. */
static const struct hw_module *agent_find(const struct hw_builder *b)
{
    for (size_t i = 0; i < b->module_count; i++)
        if (hw_build_is_agent(&b->modules[i]))
            return &b->modules[i];
    return NULL;
}

/* False: it is not in use, or damaged. */
static bool table_read(struct hw_builder *b, const struct hw_module *agent,
                       struct hw_agent_table *ret_table)
{
    struct hw_symbol symbol;
    if (!hw_module_symbol(b->py.image, agent, "hw_agent_table", &symbol))
        return false;
    const void *p = hw_image_at(b->py.image, symbol.addr, sizeof(*ret_table));
    if (p)
        memcpy(ret_table, p, sizeof(*ret_table));
    return p && table_is_sane(ret_table);
}

/* False: it takes no samples, or says nothing. */
static bool is_on(struct hw_builder *b, const struct hw_module *agent, int64_t *ret_began_ns)
{
    struct hw_symbol symbol;
    struct hw_agent_control control;
    if (!hw_module_symbol(b->py.image, agent, "hw_agent_control", &symbol) ||
        !hw_image_read(b->py.image, symbol.addr, &control, sizeof(control)) ||
        memcmp(control.magic, HW_AGENT_CONTROL_MAGIC, sizeof(control.magic)) != 0)
        return false;
    *ret_began_ns = control.began_unix_ns < INT64_MAX ? (int64_t)control.began_unix_ns : 0;
    return control.state != HW_AGENT_OFF;
}

/* ---- sites ---- */

/* Of at most *ret_bytes bytes; NULL: there is none. */
static const char *text_read(struct reading *reading, uint32_t offset, size_t *ret_bytes)
{
    uint64_t left = reading->table.text_bytes > offset ? reading->table.text_bytes - offset : 0;
    size_t max = left < TEXT_MAX_BYTES ? left : TEXT_MAX_BYTES;
    const char *text = offset && max ? hw_image_at(reading->b->py.image,
                                                   reading->table.texts_addr + offset, max)
                                     : NULL;
    *ret_bytes = text ? strnlen(text, max) : 0;
    return text;
}

static uint32_t name_read(struct reading *reading, uint32_t offset)
{
    size_t bytes;
    const char *text = text_read(reading, offset, &bytes);
    return text ? hw_names_intern(&reading->b->py.names, text, bytes) : 0;
}

static uint32_t name_put(struct reading *reading, const char *text)
{
    return hw_names_intern(&reading->b->py.names, text, strlen(text));
}

static bool native_read(struct reading *reading, const struct hw_agent_site *site,
                        struct hw_alloc_frame *frame)
{
    char path[TEXT_MAX_BYTES + 1];
    struct hw_code_place place;
    size_t bytes;
    const char *text = text_read(reading, site->file, &bytes);
    if (!text)
        return true;
    memcpy(path, text, bytes);
    path[bytes] = 0;
    if (!hw_symbols_find(reading->symbols, path, site->line, &place))
        return false;
    frame->file = name_put(reading, place.file);
    frame->function = name_put(reading, place.function);
    frame->line = place.line;
    return true;
}

/* A caller stands before those whom it calls: one that doesn't is damage. */
static bool site_read(struct reading *reading, uint32_t number)
{
    struct hw_py *py = &reading->b->py;
    struct hw_agent_site site;
    const void *p =
        hw_image_at(py->image, reading->table.sites_addr + number * sizeof(site), sizeof(site));
    if (!p)
        return true;
    memcpy(&site, p, sizeof(site));
    if (site.caller >= number || !site.file) {
        py->bad_pointers++;
        return true;
    }
    struct hw_alloc_frame frame = {.caller = reading->frame_of[site.caller], .line = site.line};
    if (site.function == HW_AGENT_NATIVE) {
        if (!native_read(reading, &site, &frame))
            return false;
    } else {
        frame.file = name_read(reading, site.file);
        frame.function = name_read(reading, site.function);
    }
    reading->depth_of[number] = reading->depth_of[site.caller] + 1;
    reading->frame_of[number] = hw_alloc_frame_make(&reading->maker, &frame);
    return reading->frame_of[number] != HW_NONE;
}

static bool sites_read(struct reading *reading)
{
    uint64_t count = reading->table.site_count;
    reading->frame_of = malloc(count * sizeof(*reading->frame_of));
    reading->depth_of = calloc(count, sizeof(*reading->depth_of));
    if (!reading->frame_of || !reading->depth_of)
        return false;
    for (uint32_t i = 0; i < count; i++)
        reading->frame_of[i] = HW_NONE;
    for (uint32_t i = 1; i < count; i++)
        if (!site_read(reading, i))
            return false;
    return true;
}

/* ---- blocks ---- */

static double *sum_at(double **sums, size_t *capacity, uint32_t number)
{
    size_t before = *capacity;
    double *grown = hw_vec_grow(*sums, capacity, (size_t)number + 1, sizeof(*grown));
    if (!grown)
        return NULL;
    *sums = grown;
    for (size_t i = before; i < *capacity; i++)
        grown[i] = 0;
    return &grown[number];
}

static uint32_t domain_of(const struct hw_agent_block *block)
{
    switch (block->domain) {
    case HW_AGENT_MALLOC:
        return HW_DOMAIN_MALLOC;
    case HW_AGENT_MMAP:
        return HW_DOMAIN_MMAP;
    default:
        return HW_DOMAIN_PYTHON;
    }
}

static bool block_add(struct reading *reading, const struct hw_agent_block *block)
{
    uint32_t known = block->site < reading->table.site_count ? block->site : 0;
    uint32_t domain = domain_of(block);
    uint32_t site = hw_alloc_site_make(&reading->maker, reading->frame_of[known],
                                       reading->depth_of[known], domain);
    double chance = hw_agent_chance(block->domain, block->bytes, reading->table.rate_bytes);
    double *count = site == HW_NONE ? NULL : sum_at(&reading->counts, &reading->sum_capacity, site);
    double *bytes = count ? sum_at(&reading->bytes, &reading->byte_capacity, site) : NULL;
    if (!bytes)
        return false;
    if (chance > 0) {
        *count += 1 / chance;
        *bytes += (double)block->bytes / chance;
    }
    reading->b->graph->facts.alloc_samples++;
    hw_id id = domain == HW_DOMAIN_PYTHON
                   ? hw_build_object_in(reading->b, block->addr, block->bytes)
                   : HW_NONE;
    if (id != HW_NONE)
        reading->b->graph->allocs.of[id] = site;
    return true;
}

static bool blocks_read(struct reading *reading)
{
    struct hw_alloc_sites *sites = &reading->b->graph->allocs;
    for (uint64_t i = 1; i < reading->table.live_slots; i++) {
        struct hw_agent_block block;
        hw_addr addr = reading->table.live_addr + i * sizeof(block);
        const void *p = hw_image_at(reading->b->py.image, addr, sizeof(block));
        if (!p)
            continue;
        memcpy(&block, p, sizeof(block));
        if (block.addr && block.bytes < HW_NATIVE_MAX_BYTES && !block_add(reading, &block))
            return false;
    }
    for (size_t i = 0; i < sites->site_count; i++) {
        sites->sites[i].count = (uint64_t)fmin(reading->counts[i] + .5, SUM_MAX);
        sites->sites[i].bytes = (uint64_t)fmin(reading->bytes[i] + .5, SUM_MAX);
    }
    return true;
}

bool hw_build_record_agent(struct hw_builder *b)
{
    struct reading reading = {.b = b, .maker.sites = &b->graph->allocs};
    struct hw_facts *facts = &b->graph->facts;
    const struct hw_module *agent = agent_find(b);
    if (!agent || !is_on(b, agent, &facts->alloc_began_ns))
        return true;
    facts->alloc_source = HW_ALLOC_AGENT;
    if (!table_read(b, agent, &reading.table))
        return true;
    facts->alloc_frames = HW_AGENT_DEPTH_MAX;
    facts->alloc_rate = reading.table.rate_bytes;
    facts->alloc_missed = reading.table.missed;
    bool ok = hw_symbols_create(b->py.image, b->modules, b->module_count, 0, &reading.symbols) &&
              hw_build_allocs_begin(b) && sites_read(&reading) && blocks_read(&reading);
    hw_symbols_destroy(reading.symbols);
    hw_alloc_maker_deinit(&reading.maker);
    free(reading.frame_of);
    free(reading.depth_of);
    free(reading.counts);
    free(reading.bytes);
    return ok || hw_err_no_memory(b->err);
}

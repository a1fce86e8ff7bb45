/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/ledger-build.h"

#include "base/err.h"
#include "base/vec.h"
#include "cpython/frame-stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 4096, THREAD_HEAD_BYTES = 4096 };

/* ---- families of types ---- */

static const struct {
    uint32_t flag; /* enum hw_type_flag; 0: all others */
    const char *name;
} families[HW_LEDGER_FAMILIES] = {
    {HW_TYPE_PYTHON, "instances of Python classes"},
    {HW_TYPE_DICT, "dict"},
    {HW_TYPE_LIST, "list"},
    {HW_TYPE_TUPLE, "tuple"},
    {HW_TYPE_SET, "set"},
    {HW_TYPE_STR, "str"},
    {HW_TYPE_INT, "int"},
    {HW_TYPE_FLOAT, "float"},
    {HW_TYPE_BYTES, "bytes"},
    {HW_TYPE_TYPE, "types"},
    {HW_TYPE_MODULE, "modules"},
    {HW_TYPE_CODE, "code"},
    {HW_TYPE_FUNCTION | HW_TYPE_METHOD | HW_TYPE_CELL, "functions and methods"},
    {HW_TYPE_FRAME | HW_TYPE_GENERATOR | HW_TYPE_TRACEBACK, "frames and generators"},
    {HW_TYPE_WEAKREF, "weak references"},
    {0, "other objects"},
};
static const char *const data_names[HW_BUFFER_KINDS] = {
    [HW_BUFFER_TABLE] = "tables of dicts and sets",
    [HW_BUFFER_ARRAY] = "arrays of lists",
    [HW_BUFFER_DATA] = "data of other objects",
};

static bool families_init(struct hw_ledger_work *work)
{
    const struct hw_graph *g = work->b->graph;
    work->family = malloc(g->type_count + 1);
    for (uint32_t i = 0; work->family && i < g->type_count; i++) {
        uint8_t family = 0;
        while (families[family].flag && !(families[family].flag & g->types[i].flags))
            family++;
        work->family[i] = family;
    }
    return work->family != NULL;
}

/* ---- items ---- */

static bool item_add(struct hw_ledger_work *work, hw_addr start, hw_addr end,
                     enum hw_ledger_item_kind kind, size_t index)
{
    if (start >= end)
        return true;
    struct hw_ledger_item *items =
        hw_vec_grow(work->items, &work->item_capacity, work->item_count + 1, sizeof(*items));
    if (!items)
        return false;
    work->items = items;
    work->items[work->item_count++] = (struct hw_ledger_item){start, end, kind, index};
    return true;
}

static bool frames_add(void *ctx, hw_addr start, hw_addr end)
{
    return item_add(ctx, start, end, HW_ITEM_FRAMES, 0);
}

/* From the guard page below up to the thread's descriptor, which glibc puts at the upper end. */
static bool stacks_add(struct hw_ledger_work *work)
{
    const struct hw_image *image = work->b->image;
    for (size_t i = 0; i < image->thread_count; i++) {
        const struct hw_thread *thread = &image->threads[i];
        const struct hw_vma *vma = hw_residence_find(work->residence, thread->sp);
        if (!thread->has_regs || !vma || vma->inode || vma->path[0])
            continue;
        hw_addr end = vma->end;
        if (thread->tls > thread->sp && thread->tls + THREAD_HEAD_BYTES < end)
            end = (thread->tls + THREAD_HEAD_BYTES) & ~(hw_addr)(PAGE - 1);
        if (!item_add(work, vma->start, end, HW_ITEM_STACK, i))
            return false;
    }
    return true;
}

static int by_start(const void *a, const void *b)
{
    const struct hw_ledger_item *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

static void items_sort(struct hw_ledger_work *work)
{
    size_t n = 0;
    if (work->item_count)
        qsort(work->items, work->item_count, sizeof(*work->items), by_start);
    for (size_t i = 0; i < work->item_count; i++)
        if (!n || work->items[i].start >= work->items[n - 1].end)
            work->items[n++] = work->items[i];
    work->item_count = n;
}

/* What malloc() does not need to be looked for in, by address. */
struct known {
    struct hw_glibc_range *ranges;
    size_t count, capacity;
};

static bool known_add(struct known *known, hw_addr start, hw_addr end)
{
    struct hw_glibc_range *ranges =
        hw_vec_grow(known->ranges, &known->capacity, known->count + 1, sizeof(*ranges));
    if (!ranges)
        return false;
    known->ranges = ranges;
    known->ranges[known->count++] = (struct hw_glibc_range){start, end};
    return true;
}

/* A mapping of malloc() has its head in its first page, which is then resident or swapped out. Long
 * stretches that are neither, of reserved memory say, are not read. */
static bool known_add_absent(struct hw_ledger_work *work, struct known *known)
{
    enum { STRETCH_BYTES = 1 << 20 };
    for (size_t i = 0; i < work->residence->count; i++) {
        const struct hw_vma *vma = &work->residence->vmas[i];
        if (vma->inode || vma->swap_bytes)
            continue;
        if (!vma->present) {
            if (!known_add(known, vma->start, vma->end))
                return false;
            continue;
        }
        for (hw_addr at = vma->start; at < vma->end; at += STRETCH_BYTES) {
            uint64_t bytes = vma->end - at < STRETCH_BYTES ? vma->end - at : STRETCH_BYTES;
            struct hw_glibc_range *last = known->count ? &known->ranges[known->count - 1] : NULL;
            if (hw_residence_bytes(work->residence, at, bytes))
                continue;
            if (last && last->end == at)
                last->end = at + bytes;
            else if (!known_add(known, at, at + bytes))
                return false;
        }
    }
    return true;
}

static int by_range(const void *a, const void *b)
{
    const struct hw_glibc_range *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

static bool glibc_init(struct hw_ledger_work *work)
{
    struct hw_builder *b = work->b;
    struct known known = {0};
    bool ok = known_add_absent(work, &known);
    for (size_t i = 0; ok && i < work->item_count; i++)
        ok = known_add(&known, work->items[i].start, work->items[i].end);
    if (known.count)
        qsort(known.ranges, known.count, sizeof(*known.ranges), by_range);
    if (!ok)
        hw_err_no_memory(b->err);
    ok = ok && hw_glibc_init(&work->glibc, b->image, b->modules, b->module_count, known.ranges,
                             known.count, b->err);
    free(known.ranges);
    return ok;
}

static bool items_find(struct hw_ledger_work *work)
{
    struct hw_builder *b = work->b;
    bool ok = true;
    const struct hw_pymalloc *pymalloc = &b->pools.pymalloc;
    for (size_t i = 0; ok && i < pymalloc->arena_count; i++) {
        hw_addr start = pymalloc->arenas[i].start;
        ok = item_add(work, start, start + pymalloc->arena_bytes, HW_ITEM_ARENA, i);
    }
    hw_frame_stacks_visit(&b->py, b->runtime, frames_add, work);
    ok = ok && stacks_add(work);
    items_sort(work);
    ok = ok && glibc_init(work);
    for (size_t i = 0; ok && i < work->glibc.run_count; i++)
        ok = item_add(work, work->glibc.runs[i].mapping, work->glibc.runs[i].end, HW_ITEM_RUN, i);
    items_sort(work);
    return ok || hw_err_no_memory(b->err);
}

static bool item_read(struct hw_ledger_work *work, const struct hw_ledger_item *item)
{
    struct hw_ledger_sum *sum = &work->kinds[item->kind == HW_ITEM_STACK ? HW_MEMORY_STACKS
                                                                         : HW_MEMORY_FRAMES];
    switch (item->kind) {
    case HW_ITEM_ARENA:
        return hw_ledger_arena_read(work, item->index);
    case HW_ITEM_RUN:
        return hw_ledger_run_read(work, item->index);
    default:
        sum->count++;
        hw_ledger_spend(work, sum, item->start, item->end - item->start);
        return true;
    }
}

/* ---- mappings ---- */

static bool page_is_zero(struct hw_image *image, hw_addr page)
{
    const unsigned char *p = hw_image_at(image, page, PAGE);
    return p && p[0] == 0 && !memcmp(p, p + 1, PAGE - 1);
}

/* Where memory was read but never written, the kernel maps one page of zeros everywhere. It is
 * present, but counts for no RSS. Which pages are that, their content tells. */
static void zero_pages_drop(struct hw_ledger_work *work, struct hw_vma *vma)
{
    uint64_t pages = (vma->end - vma->start) / PAGE;
    uint64_t present = hw_residence_bytes(work->residence, vma->start, vma->end - vma->start);
    for (uint64_t i = 0; i < pages && present > vma->rss_bytes; i++) {
        uint64_t bit = UINT64_C(1) << i % 64;
        if (!(vma->present[i / 64] & bit) ||
            !page_is_zero(work->b->image, vma->start + i * PAGE))
            continue;
        vma->present[i / 64] &= ~bit;
        present -= PAGE;
        hw_build_trim(work->b);
    }
}

const struct hw_module *hw_ledger_module_at(const struct hw_builder *b, hw_addr addr)
{
    size_t low = 0, high = b->module_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (b->modules[middle].end <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low < b->module_count && b->modules[low].start <= addr ? &b->modules[low] : NULL;
}

/* Allocators that are put in malloc()'s place, by the name of their file. */
static const char *foreign_allocator(const struct hw_builder *b)
{
    static const char *const names[] = {"jemalloc", "mimalloc", "tcmalloc", "snmalloc"};
    for (size_t i = 0; i < b->module_count; i++) {
        const char *file = strrchr(b->modules[i].path, '/');
        for (size_t k = 0; file && k < sizeof(names) / sizeof(*names); k++)
            if (strstr(file, names[k]))
                return names[k];
    }
    return NULL;
}

/* What a mapping is besides the items in it. */
static enum hw_memory_kind vma_kind(const struct hw_ledger_work *work, const struct hw_vma *vma,
                                    const char **ret_name)
{
    const struct hw_module *module = hw_ledger_module_at(work->b, vma->start);
    *ret_name = "";
    if (module) {
        *ret_name = module->path;
        return HW_MEMORY_LIBRARIES;
    }
    if (!strncmp(vma->path, "[stack", 6))
        return HW_MEMORY_STACKS;
    if (!strncmp(vma->path, "[v", 2))
        return HW_MEMORY_KERNEL;
    *ret_name = vma->path;
    if (vma->inode && vma->prot & HW_PROT_SHARED &&
        (!strncmp(vma->path, "/dev/zero", 9) || !strncmp(vma->path, "/dev/shm/", 9) ||
         !strncmp(vma->path, "/memfd:", 7) || !strncmp(vma->path, "/SYSV", 5)))
        return HW_MEMORY_SHARED;
    if (vma->inode)
        return vma->prot & HW_PROT_SHARED && !vma->path[0] ? HW_MEMORY_SHARED : HW_MEMORY_FILES;
    *ret_name = work->allocator ? work->allocator : "";
    return work->allocator ? HW_MEMORY_ALLOCATOR : HW_MEMORY_UNEXPLAINED;
}

bool hw_ledger_part_add(struct hw_ledger_work *work, enum hw_memory_kind kind, const char *name,
                        const struct hw_ledger_sum *sum)
{
    struct hw_builder *b = work->b;
    if (!sum->bytes && !sum->rss_bytes)
        return true;
    struct hw_ledger_part *part = hw_ledger_part(work->ledger, kind, name, &b->graph->arena);
    if (!part)
        return hw_err_no_memory(b->err);
    part->rss_bytes += sum->rss_bytes;
    part->bytes += sum->bytes;
    part->count += sum->count;
    return true;
}

/* The items in [start, end) of a mapping: what they have of its size and its RSS. */
static struct hw_ledger_sum items_within(const struct hw_ledger_work *work,
                                         const struct hw_vma *vma)
{
    struct hw_ledger_sum sum = {0};
    size_t i = 0, high_item = work->item_count;
    while (i < high_item) {
        size_t middle = i + (high_item - i) / 2;
        if (work->items[middle].end <= vma->start)
            i = middle + 1;
        else
            high_item = middle;
    }
    for (; i < work->item_count && work->items[i].start < vma->end; i++) {
        const struct hw_ledger_item *item = &work->items[i];
        hw_addr low = item->start > vma->start ? item->start : vma->start;
        hw_addr high = item->end < vma->end ? item->end : vma->end;
        sum.bytes += high - low;
        sum.rss_bytes += hw_residence_bytes(work->residence, low, high - low);
    }
    return sum;
}

static bool vma_rest_add(struct hw_ledger_work *work, const struct hw_vma *vma)
{
    struct hw_ledger_sum known = items_within(work, vma);
    struct hw_ledger_sum rest = {.bytes = vma->end - vma->start - known.bytes, .count = 1};
    rest.rss_bytes = vma->rss_bytes > known.rss_bytes ? vma->rss_bytes - known.rss_bytes : 0;
    const char *name;
    enum hw_memory_kind kind = vma_kind(work, vma, &name);
    struct hw_ledger_sum swap = {.bytes = vma->swap_bytes}, huge = {.bytes = vma->huge_bytes};
    struct hw_ledger_sum hugetlb = {.bytes = vma->hugetlb_bytes};
    /* Reservations without a page say nothing. */
    return (!rest.rss_bytes || hw_ledger_part_add(work, kind, name, &rest)) &&
           hw_ledger_part_add(work, HW_MEMORY_SWAP, "", &swap) &&
           hw_ledger_part_add(work, HW_MEMORY_HUGE_PAGES, "", &huge) &&
           hw_ledger_part_add(work, HW_MEMORY_HUGETLB, "", &hugetlb);
}

/* ---- all of it ---- */

static bool malloc_finish(struct hw_ledger_work *work)
{
    static const enum hw_memory_kind kinds[HW_GLIBC_KINDS] = {
        [HW_GLIBC_USED] = HW_MEMORY_MALLOC_USED,   [HW_GLIBC_FREE] = HW_MEMORY_MALLOC_FREE,
        [HW_GLIBC_FAST] = HW_MEMORY_MALLOC_CACHED, [HW_GLIBC_TCACHE] = HW_MEMORY_MALLOC_CACHED,
        [HW_GLIBC_TOP] = HW_MEMORY_MALLOC_TOP,     [HW_GLIBC_OWN] = HW_MEMORY_MALLOC_HEADS,
    };
    for (unsigned arena = 0; arena <= HW_LEDGER_MAPPINGS; arena++) {
        char name[32];
        if (arena < HW_LEDGER_ARENAS)
            snprintf(name, sizeof(name), arena ? "arena %u" : "main arena", arena);
        else
            snprintf(name, sizeof(name), "%s",
                     arena == HW_LEDGER_MAPPINGS ? "mappings" : "other arenas");
        for (unsigned kind = 0; kind < HW_GLIBC_KINDS; kind++)
            if (!hw_ledger_part_add(work, kinds[kind], name, &work->malloc[arena][kind]))
                return false;
    }
    return true;
}

static bool parts_finish(struct hw_ledger_work *work)
{
    bool ok = true;
    struct hw_ledger_sum tables = {.bytes = work->residence->page_table_bytes};
    struct hw_ledger_sum rss = {.bytes = work->residence->kernel_rss_bytes};
    const struct hw_cgroup *cgroup = &work->residence->cgroup;
    struct hw_ledger_sum current = {.bytes = cgroup->current_bytes};
    struct hw_ledger_sum limit = {.bytes = cgroup->limit_bytes};
    for (unsigned i = 0; ok && i < HW_LEDGER_FAMILIES; i++)
        ok = hw_ledger_part_add(work, HW_MEMORY_OBJECTS, families[i].name, &work->objects[i]);
    for (unsigned i = 0; ok && i < HW_BUFFER_KINDS; i++)
        ok = hw_ledger_part_add(work, HW_MEMORY_OBJECT_DATA, data_names[i], &work->data[i]);
    /* What could be trimmed is free memory seen once more: beside the RSS. */
    work->kinds[HW_MEMORY_TRIM].bytes = work->kinds[HW_MEMORY_TRIM].rss_bytes;
    work->kinds[HW_MEMORY_TRIM].rss_bytes = 0;
    for (unsigned i = 0; ok && i < HW_MEMORY_KIND_COUNT; i++)
        ok = hw_ledger_part_add(work, (enum hw_memory_kind)i, "", &work->kinds[i]);
    return ok && malloc_finish(work) &&
           hw_ledger_part_add(work, HW_MEMORY_PAGE_TABLES, "", &tables) &&
           hw_ledger_part_add(work, HW_MEMORY_KERNEL_RSS, "", &rss) &&
           hw_ledger_part_add(work, HW_MEMORY_CGROUP_CURRENT, cgroup->path, &current) &&
           hw_ledger_part_add(work, HW_MEMORY_CGROUP_LIMIT, cgroup->path, &limit);
}

static bool classes_finish(struct hw_ledger_work *work)
{
    struct hw_ledger *ledger = work->ledger;
    ledger->classes = calloc(HW_PYMALLOC_CLASSES, sizeof(*ledger->classes));
    if (!ledger->classes)
        return hw_err_no_memory(work->b->err);
    for (unsigned i = 0; i < HW_PYMALLOC_CLASSES; i++) {
        work->classes[i].block_bytes = (i + 1) * HW_PYMALLOC_BLOCK_STEP;
        if (work->classes[i].pools)
            ledger->classes[ledger->class_count++] = work->classes[i];
    }
    return true;
}

static int by_addr(const void *a, const void *b)
{
    const struct hw_big_buffer *x = a, *y = b;
    return (x->addr > y->addr) - (x->addr < y->addr);
}

static bool ledger_write(struct hw_ledger_work *work)
{
    struct hw_builder *b = work->b;
    hw_build_pools_read(b, UINT64_MAX);
    work->allocator = foreign_allocator(b);
    if (b->big_buffer_count)
        qsort(b->big_buffers, b->big_buffer_count, sizeof(*b->big_buffers), by_addr);
    if (!items_find(work))
        return false;
    work->ledger->arena_count = b->pools.pymalloc.arena_count;
    work->ledger->arenas =
        calloc(work->ledger->arena_count + 1, sizeof(*work->ledger->arenas));
    work->sizes = calloc(HW_LEDGER_NATIVE_SIZES, sizeof(*work->sizes));
    if (!work->ledger->arenas || !work->sizes || !families_init(work))
        return hw_err_no_memory(b->err);
    for (size_t i = 0; i < work->residence->count; i++)
        if (work->residence->vmas[i].present)
            zero_pages_drop(work, &work->residence->vmas[i]);
    work->object = hw_marks_next(&b->marks, 1);
    for (size_t i = 0; i < work->item_count; i++)
        if (!item_read(work, &work->items[i]) ||
            !hw_build_tick(b, "reading allocators", i << 15, work->item_count << 15))
            return false;
    for (size_t i = 0; i < work->residence->count; i++)
        if (!vma_rest_add(work, &work->residence->vmas[i]))
            return false;
    work->ledger->recorded = true;
    return parts_finish(work) && classes_finish(work) && hw_ledger_natives_finish(work);
}

bool hw_build_ledger(struct hw_builder *b)
{
    struct hw_ledger_work work = {.b = b,
                                  .residence = b->opts->residence,
                                  .ledger = &b->graph->ledger,
                                  .random = 1};
    bool ok = ledger_write(&work);
    hw_glibc_deinit(&work.glibc);
    free(work.items);
    free(work.family);
    free(work.sizes);
    return ok;
}

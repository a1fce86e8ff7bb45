/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/err.h"
#include "heap/build-internal.h"

#include <string.h>

/*
 * Words that may hold objects where nobody says so: the writable data of mapped files and the C stacks
 * of threads. Only words that point at an object we know count, and such edges say that they are
 * inferred.
 */

enum { STACK_MAX_BYTES = 8 << 20, CHUNK_BYTES = 1 << 16 };

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Bytes that the object at addr occupies itself; 0: no object starts there. Its own words are not C
 * globals. */
static uint64_t object_extent(struct hw_builder *b, hw_addr addr)
{
    if (!hw_marks_has(&b->marks, addr))
        return 0;
    const struct hw_pytype *type = hw_pytype_of(&b->py, addr);
    return type ? hw_object_size(&b->py, addr, type) & ~(uint64_t)7 : 0;
}

static void scan_chunk(struct hw_builder *b, hw_addr from, hw_addr to, hw_addr base, hw_addr *skip_to)
{
    const unsigned char *p = hw_image_at(b->image, from, to - from);
    for (hw_addr at = from; p && at + 8 <= to; at += 8) {
        if (at < *skip_to)
            continue;
        uint64_t extent = object_extent(b, at);
        hw_addr word = load64(p + (at - from));
        if (extent)
            *skip_to = at + extent;
        else if (word && hw_marks_has(&b->marks, word))
            hw_roots_ref(&b->roots, word, label_make(HW_LABEL_WORD, at - base));
    }
}

static void scan_data(struct hw_builder *b, hw_addr start, hw_addr end, hw_addr base)
{
    const struct hw_runtime *rt = b->runtime;
    hw_addr skip_to = 0;
    for (hw_addr at = start; at < end; at += CHUNK_BYTES) {
        hw_addr to = end - at > CHUNK_BYTES ? at + CHUNK_BYTES : end;
        /* The interpreter's own state is read field by field. */
        if (rt->addr < to && rt->addr + rt->bytes > at && skip_to < rt->addr) {
            scan_chunk(b, at, rt->addr > at ? rt->addr : at, base, &skip_to);
            skip_to = rt->addr + rt->bytes;
        }
        scan_chunk(b, at, to, base, &skip_to);
    }
}

static bool add_module_globals(struct hw_builder *b, const struct hw_module *module)
{
    const char *name = hw_arena_strdup(b->py.arena, file_name(module->path));
    const char *path = hw_arena_strdup(b->py.arena, module->path);
    if (!name || !path ||
        hw_roots_add(&b->roots,
                     (struct hw_synthetic){.kind = HW_SYN_C_GLOBALS, .name = name, .file = path},
                     HW_NONE) == HW_NONE)
        return hw_err_no_memory(b->err);
    for (size_t i = 0; i < b->image->segment_count; i++) {
        const struct hw_segment *s = &b->image->segments[i];
        hw_addr start = s->start > module->start ? s->start : module->start;
        hw_addr end = s->end < module->end ? s->end : module->end;
        if (start < end && s->prot & HW_PROT_WRITE && !(s->prot & HW_PROT_SHARED))
            scan_data(b, start, end, module->start);
    }
    return true;
}

static bool add_globals(struct hw_builder *b)
{
    for (size_t i = 0; i < b->module_count; i++)
        if (!add_module_globals(b, &b->modules[i]))
            return false;
    return true;
}

static const char *thread_name(const struct hw_builder *b, int32_t tid, const char *otherwise)
{
    for (size_t i = 0; i < b->roots.count; i++)
        if (b->roots.nodes[i].as.kind == HW_SYN_THREAD && b->roots.nodes[i].as.tid == tid)
            return b->roots.nodes[i].as.name;
    return otherwise;
}

static bool add_stack(struct hw_builder *b, const struct hw_thread *thread)
{
    struct hw_segment *segment = hw_image_segment(b->image, thread->sp);
    char *name = hw_arena_strdup(b->py.arena, thread_name(b, thread->tid, thread->name));
    if (!name || hw_roots_add(&b->roots,
                              (struct hw_synthetic){.kind = HW_SYN_NATIVE_STACK,
                                                    .name = name,
                                                    .file = "",
                                                    .tid = thread->tid},
                              HW_NONE) == HW_NONE)
        return hw_err_no_memory(b->err);
    for (unsigned i = 0; i < HW_REG_COUNT; i++)
        if (hw_marks_has(&b->marks, thread->regs[i]))
            hw_roots_ref(&b->roots, thread->regs[i], label_make(HW_LABEL_WORD, 0));
    hw_addr start = thread->sp & ~(hw_addr)7;
    hw_addr end = segment ? segment->end : start;
    /* Mappings that touch look like one: a thread's own memory ends where its descriptor is. */
    if (thread->tls > start && thread->tls < end)
        end = thread->tls;
    if (end - start > STACK_MAX_BYTES)
        end = start + STACK_MAX_BYTES;
    const unsigned char *p = end > start ? hw_image_at(b->image, start, end - start) : NULL;
    for (hw_addr at = start; p && at + 8 <= end; at += 8, p += 8) {
        hw_addr word = load64(p);
        if (word && hw_marks_has(&b->marks, word))
            hw_roots_ref(&b->roots, word, label_make(HW_LABEL_WORD, at - start));
    }
    return true;
}

static bool add_static_types(struct hw_builder *b)
{
    if (hw_roots_add(&b->roots,
                     (struct hw_synthetic){
                         .kind = HW_SYN_STATIC_TYPES, .name = "static types", .file = ""},
                     HW_NONE) == HW_NONE)
        return hw_err_no_memory(b->err);
    uint32_t label = hw_label_named(&b->py, HW_LABEL_ROOT, "type");
    for (uint32_t i = 0; i < b->py.type_count; i++)
        if (!b->py.types[i]->is_heap && hw_marks_has(&b->marks, b->py.types[i]->addr))
            hw_roots_ref(&b->roots, b->py.types[i]->addr, label);
    return true;
}

bool hw_build_native_roots(struct hw_builder *b)
{
    if (!add_static_types(b) || !add_globals(b))
        return false;
    for (size_t i = 0; i < b->image->thread_count; i++)
        if (b->image->threads[i].has_regs && !add_stack(b, &b->image->threads[i]))
            return false;
    return !b->roots.refs.failed || hw_err_no_memory(b->err);
}

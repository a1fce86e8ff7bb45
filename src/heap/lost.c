/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/lost.h"

#include "base/err.h"
#include "base/vec.h"

#include <stdlib.h>

/*
 * Objects that nothing leads to, and where C code's own memory points. Each block in use of an
 * allocator is one of
 *
 *     known   an object of the graph, or memory that belongs to one: the keys of a dict
 *     object  of a type that we know, and count, size and shape are sane; all it lacks is a holder
 *     raw     C code's own: a structure, an array, a buffer; its words are looked at
 *
 * All objects become part of the graph. One that a word of C data or of raw memory points at is held,
 * and so is what it leads to; how many words of raw memory point at it is recorded, as a word may be
 * stale. The rest is lost.
 */

enum {
    SCAN_BLOCK_MAX_BYTES = 16 << 20, /* larger blocks are data */
    SCAN_ALL_MAX_BYTES = 256 << 20,
};

struct finder {
    struct hw_builder *b;
    hw_addr *stack; /* objects found to be held whose references were not followed yet */
    size_t depth, capacity;
    uint64_t scan_left;
    uint64_t visited; /* blocks */
};

static const char stage[] = "looking for what nobody holds";

static void mark_known(void *ctx, hw_addr pool, uint64_t *bits)
{
    const struct finder *f = ctx;
    hw_marks_add_to(&f->b->marks, pool, HW_PYMALLOC_POOL_BLOCKS_MAX / 64, bits);
    hw_marks_add_to(&f->b->outside, pool, HW_PYMALLOC_POOL_BLOCKS_MAX / 64, bits);
}

static bool is_known(struct hw_builder *b, const struct hw_block *block)
{
    hw_addr end = block->addr + block->bytes;
    return hw_marks_any(&b->marks, block->addr, end) || hw_marks_any(&b->outside, block->addr, end);
}

/* It is not lost. */
static bool reach(struct finder *f, hw_addr addr)
{
    struct hw_builder *b = f->b;
    if (!hw_marks_has(&b->lost, addr))
        return true;
    hw_addr *stack = hw_vec_grow(f->stack, &f->capacity, f->depth + 1, sizeof(*stack));
    if (!stack)
        return hw_err_no_memory(b->err);
    f->stack = stack;
    hw_marks_clear(&b->lost, addr);
    if (hw_marks_set(&b->marks, addr) > 0)
        f->stack[f->depth++] = addr;
    return true;
}

/* A word points at it, which no edge will tell. */
static bool hold(struct finder *f, hw_addr addr)
{
    struct hw_builder *b = f->b;
    if (!hw_marks_has(&b->marks, addr) && !hw_marks_has(&b->lost, addr))
        return true;
    hw_addr *held = hw_vec_grow(b->held, &b->held_capacity, b->held_count + 1, sizeof(*held));
    if (!held)
        return hw_err_no_memory(b->err);
    b->held = held;
    b->held[b->held_count++] = addr;
    return reach(f, addr);
}

/* The table of interned strings does not count its references: each value is its key. Up to 3.11 it
 * hangs from a variable of C. It stays out of the graph. */
static bool is_interned_table(const struct hw_refs *refs)
{
    enum { STRINGS_LEAST = 64 };
    if (refs->count < STRINGS_LEAST)
        return false;
    for (size_t i = 0; i < refs->count; i++) {
        enum hw_label_kind kind = hw_label_kind(refs->label[i]);
        bool pair = i % 2 ? kind == HW_LABEL_VALUE && refs->to[i] == refs->to[i - 1]
                          : kind == HW_LABEL_KEY;
        if (!pair)
            return false;
    }
    return true;
}

static bool follow_held(struct finder *f)
{
    struct hw_builder *b = f->b;
    struct hw_py *py = &b->py;
    while (f->depth) {
        hw_build_trim(b);
        hw_addr addr = f->stack[--f->depth];
        const struct hw_pytype *type = hw_pytype_of(py, addr);
        py->refs.count = 0;
        if (type)
            hw_decode(py, addr, type);
        if (py->refs.failed)
            return hw_err_no_memory(b->err);
        if (!type || is_interned_table(&py->refs)) {
            hw_marks_clear(&b->marks, addr);
            continue;
        }
        b->edge_bound += py->refs.count;
        for (size_t i = 0; i < py->refs.count; i++)
            if (!reach(f, py->refs.to[i]))
                return false;
    }
    return true;
}

static bool is_text(struct hw_builder *b, hw_addr addr)
{
    if (!hw_marks_has(&b->lost, addr) && !hw_marks_has(&b->marks, addr))
        return false;
    const struct hw_pytype *type = hw_pytype_of(&b->py, addr);
    enum hw_family family = type ? type->solid->family : HW_FAMILY_PLAIN;
    return family == HW_FAMILY_STR || family == HW_FAMILY_BYTES;
}

/* C code that keeps a text as a C string keeps the str or bytes that it is a part of: add_docstring() of
 * numpy does (PyUnicode_AsUTF8(), PyBytes_AS_STRING()). */
static bool hold_text(struct finder *f, hw_addr text)
{
    struct hw_py *py = &f->b->py;
    const hw_addr heads[] = {PY_SIZE(py, PyASCIIObject), PY_SIZE(py, PyCompactUnicodeObject),
                             PY_OFF(py, PyBytesObject_ob_sval)};
    for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
        if (is_text(f->b, text - heads[i]) && !hold(f, text - heads[i]))
            return false;
    return true;
}

/* wanted: NULL, or which of the objects that are known anyway count. */
static bool scan(struct finder *f, hw_addr start, hw_addr end,
                 bool (*wanted)(struct hw_builder *b, hw_addr addr))
{
    struct hw_builder *b = f->b;
    start = (start + 7) & ~(hw_addr)7;
    const unsigned char *p = end > start ? hw_image_at(b->image, start, end - start) : NULL;
    for (hw_addr at = start; p && at + 8 <= end; at += 8, p += 8) {
        hw_addr word = load64(p);
        if (word % 8 || word < 4096)
            continue;
        if (((!wanted || wanted(b, word)) && !hold(f, word)) || !hold_text(f, word))
            return false;
    }
    return true;
}

static bool find_object(void *ctx, const struct hw_block *block, bool *ret_again)
{
    struct finder *f = ctx;
    struct hw_builder *b = f->b;
    *ret_again = false;
    if (!hw_build_tick(b, stage, ++f->visited, 0))
        return false;
    if (is_known(b, block))
        return true;
    hw_addr object = hw_lost_object(b, block);
    if (object)
        hw_marks_set(&b->lost, object);
    else
        *ret_again = true;
    return true;
}

/* An entry of tracemalloc's table of blocks: the hash of an address, and the address. It names every block that is
 * in use, and holds none. */
static bool is_trace_entry(struct hw_builder *b, const struct hw_block *block)
{
    enum { ENTRY_BYTES = 32, ENTRY_CHUNK_MAX = 64 };
    const unsigned char *p =
        b->tracemalloc.state == HW_TRACING_ON && block->bytes <= ENTRY_CHUNK_MAX
            ? hw_image_at(b->image, block->addr, ENTRY_BYTES)
            : NULL;
    return p && hw_trace_is_entry(&b->py, p);
}

static bool scan_raw(void *ctx, const struct hw_block *block, bool *ret_again)
{
    struct finder *f = ctx;
    struct hw_builder *b = f->b;
    hw_addr end = block->addr + block->bytes;
    *ret_again = false;
    if (!hw_build_tick(b, stage, ++f->visited, 0))
        return false;
    if (is_known(b, block) || hw_lost_object(b, block) || hw_lost_is_dead(b, block) ||
        is_trace_entry(b, block))
        return true;
    if (block->bytes > SCAN_BLOCK_MAX_BYTES || block->bytes > f->scan_left) {
        b->unscanned_bytes += block->bytes;
        return true;
    }
    f->scan_left -= block->bytes;
    return scan(f, block->addr, end, NULL);
}

/* What C variables hold becomes an edge as well, but for words inside of static objects:
 * hw_build_native_roots(). */
static bool is_lost(struct hw_builder *b, hw_addr addr)
{
    return hw_marks_has(&b->lost, addr);
}

/* The interpreter's own state holds classes that no field of a layout row names; its caches of
 * functions and of names hold none. */
static bool is_class(struct hw_builder *b, hw_addr addr)
{
    const struct hw_pytype *type =
        hw_marks_has(&b->marks, addr) ? hw_pytype_of(&b->py, addr) : NULL;
    return type && type->solid->family == HW_FAMILY_TYPE;
}

static bool hold_interned(struct finder *f, hw_addr interpreter)
{
    struct hw_py *py = &f->b->py;
    struct hw_field at = py->layout->f[HW_F_PyInterpreterState_cached_objects_interned_strings];
    return !at.width || hold(f, hw_py_word(py, interpreter + at.offset));
}

static bool scan_runtime(struct finder *f)
{
    struct hw_builder *b = f->b;
    const struct hw_runtime *rt = b->runtime;
    static const enum hw_field_id read[] = {
        HW_F_PyInterpreterState_ast, HW_F_PyInterpreterState_types,
        HW_F_PyInterpreterState_type_cache, HW_F_PyInterpreterState_exc_state_PyExc_ExceptionGroup,
        HW_F_PyInterpreterState_cached_objects};
    for (size_t n = 0; n < rt->interpreter_count; n++) {
        hw_addr at = rt->interpreters[n], end = at + PY_SIZE(&b->py, PyInterpreterState);
        if (!hold_interned(f, at))
            return false;
        while (at < end) {
            hw_addr stop = end, next = end;
            for (size_t i = 0; i < sizeof(read) / sizeof(*read); i++) {
                struct hw_field field = b->py.layout->f[read[i]];
                hw_addr start = rt->interpreters[n] + field.offset;
                if (field.width && start >= at && start < stop) {
                    stop = start;
                    next = start + field.width;
                }
            }
            if (!scan(f, at, stop, is_class))
                return false;
            at = next;
        }
    }
    return true;
}

/* The interpreter's state is left out: it is read field by field, and the arrays of its free lists keep
 * addresses of what was handed out again. */
static bool scan_data(struct finder *f, hw_addr start, hw_addr end)
{
    hw_addr from = f->b->runtime->addr, to = from + f->b->runtime->bytes;
    if (to <= start || from >= end)
        return scan(f, start, end, is_lost);
    return scan(f, start, from > start ? from : start, is_lost) &&
           scan(f, to < end ? to : end, end, is_lost);
}

static bool scan_globals(struct finder *f)
{
    struct hw_builder *b = f->b;
    for (size_t m = 0; m < b->module_count; m++)
        for (size_t i = 0; i < b->image->segment_count; i++) {
            const struct hw_segment *s = &b->image->segments[i];
            hw_addr start = s->start > b->modules[m].start ? s->start : b->modules[m].start;
            hw_addr end = s->end < b->modules[m].end ? s->end : b->modules[m].end;
            if (start < end && s->prot & HW_PROT_WRITE && !(s->prot & HW_PROT_SHARED) &&
                !scan_data(f, start, end))
                return false;
        }
    return true;
}

/* What belongs to objects found in blocks is not raw either. */
static void note_outside(struct hw_builder *b)
{
    hw_build_note_outside(b, true);
    for (hw_addr addr = hw_marks_next(&b->lost, 0); addr;
         addr = hw_marks_next(&b->lost, addr + 8)) {
        hw_build_trim(b);
        const struct hw_pytype *type = hw_pytype_of(&b->py, addr);
        if (type)
            hw_decode(&b->py, addr, type);
    }
    hw_build_note_outside(b, false);
}

/* What the interpreter's state points at are caches, free lists, thread states: those of them that hold
 * references are read field by field, and the others hold stale ones. */
static void note_runtime(struct hw_builder *b)
{
    hw_addr at = b->runtime->addr, end = at + b->runtime->bytes;
    const unsigned char *p = hw_image_at(b->image, at, b->runtime->bytes);
    for (; p && at + 8 <= end; at += 8, p += 8) {
        hw_addr word = load64(p);
        if (word && word % 16 == 0 && !hw_marks_has(&b->lost, word))
            hw_marks_set(&b->outside, word);
    }
}

/* They become objects of the graph. */
static bool mark_lost(struct hw_builder *b)
{
    for (hw_addr addr = hw_marks_next(&b->lost, 0); addr;
         addr = hw_marks_next(&b->lost, addr + 8)) {
        hw_build_trim(b);
        const struct hw_pytype *type = hw_pytype_of(&b->py, addr);
        if (!type || hw_marks_set(&b->marks, addr) < 0) {
            hw_marks_clear(&b->lost, addr);
            continue;
        }
        hw_decode(&b->py, addr, type);
        if (b->py.refs.failed)
            return hw_err_no_memory(b->err);
        b->edge_bound += b->py.refs.count;
    }
    return true;
}

bool hw_build_find_lost(struct hw_builder *b)
{
    struct finder f = {.b = b, .scan_left = SCAN_ALL_MAX_BYTES};
    struct hw_blocks blocks;
    if (!hw_blocks_init(&blocks, b->image, b->runtime, b->modules, b->module_count, b->err))
        return false;
    struct hw_block_visitor finds = {find_object, mark_known, &f};
    struct hw_block_visitor scans = {scan_raw, mark_known, &f};
    bool ok = hw_blocks_walk(&blocks, &finds);
    if (ok) {
        note_outside(b);
        note_runtime(b);
    }
    ok = ok && scan_globals(&f) && hw_blocks_walk_again(&blocks, &scans) &&
         scan_runtime(&f) && follow_held(&f) && mark_lost(b);
    hw_blocks_deinit(&blocks);
    free(f.stack);
    return ok;
}

static int by_address(const void *a, const void *b)
{
    hw_addr x = *(const hw_addr *)a, y = *(const hw_addr *)b;
    return (x > y) - (x < y);
}

bool hw_build_record_held(struct hw_builder *b)
{
    struct hw_graph *g = b->graph;
    size_t n = 0;
    if (!b->held_count)
        return true;
    qsort(b->held, b->held_count, sizeof(*b->held), by_address);
    g->held = malloc(b->held_count * sizeof(*g->held));
    if (!g->held)
        return hw_err_no_memory(b->err);
    for (size_t i = 0; i < b->held_count; i++) {
        hw_id id = hw_marks_id(&b->marks, b->held[i]);
        if (id == HW_NONE)
            continue;
        if (n && g->held[n - 1].id == id)
            g->held[n - 1].bytes++;
        else
            g->held[n++] = (struct hw_big_size){id, 1};
    }
    g->held_count = n;
    return true;
}

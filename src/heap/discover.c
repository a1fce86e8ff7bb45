/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "heap/build-internal.h"

#include <stdlib.h>

enum { GC_NEXT = 0, GC_PREV = 8 };
static const char stage[] = "finding objects";
#define GC_POINTER_MASK (~(hw_addr)3) /* the low bits of the links are the collector's */

static bool stack_push(struct hw_builder *b, hw_addr addr)
{
    if (b->stack_count == b->stack_capacity) {
        size_t capacity = b->stack_capacity ? b->stack_capacity * 2 : 4096;
        hw_addr *stack = realloc(b->stack, capacity * sizeof(*stack));
        if (!stack)
            return hw_err_no_memory(b->err);
        b->stack = stack;
        b->stack_capacity = capacity;
    }
    b->stack[b->stack_count++] = addr;
    return true;
}

static bool holds_nothing(const struct hw_pytype *type)
{
    switch (type->solid->family) {
    case HW_FAMILY_LEAF:
    case HW_FAMILY_STR:
    case HW_FAMILY_INT:
    case HW_FAMILY_FLOAT:
    case HW_FAMILY_BYTES:
        return !type->is_heap;
    default:
        return false;
    }
}

const unsigned char *hw_build_gc_head(struct hw_builder *b, hw_addr addr,
                                      const struct hw_pytype *type)
{
    if (!type->is_gc)
        return NULL;
    /* Static types have no collector's head in front of them. */
    if (type->solid->family == HW_FAMILY_TYPE) {
        const struct hw_pytype *self = hw_pytype_get(&b->py, addr);
        if (!self || !self->is_heap)
            return NULL;
    }
    return hw_image_at(b->image, addr - HW_GC_HEAD_BYTES, HW_GC_HEAD_BYTES);
}

static bool is_tracked(struct hw_builder *b, hw_addr addr, const struct hw_pytype *type)
{
    const unsigned char *head = hw_build_gc_head(b, addr, type);
    return head && load64(head);
}

/* Marks the object at addr if there is one. What holds something is decoded when its list comes to
 * it, or soon when it is on none. False only when memory ran out. */
static bool discover_mark(struct hw_builder *b, hw_addr addr)
{
    /* Most references are to what is known; then its memory need not be looked at. */
    if (hw_marks_has(&b->marks, addr))
        return true;
    struct hw_pytype *type = hw_pytype_of(&b->py, addr);
    int set = type ? hw_marks_set(&b->marks, addr) : -1;
    if (set < 0)
        b->py.bad_pointers++;
    if (set <= 0)
        return true;
    if (!type->marked) {
        type->marked = true;
        type->is_own = hw_build_is_own(b, type);
        if (!discover_mark(b, type->addr))
            return false;
    }
    bool tracked = is_tracked(b, addr, type);
    b->tracked += tracked;
    if (!holds_nothing(type) && (b->cursor ? addr >= b->cursor : !tracked))
        return stack_push(b, addr);
    return true;
}

static bool discover_decode(struct hw_builder *b, hw_addr addr)
{
    const struct hw_pytype *type = hw_pytype_of(&b->py, addr);
    if (!type || holds_nothing(type))
        return true;
    hw_decode(&b->py, addr, type);
    if (b->py.refs.failed)
        return hw_err_no_memory(b->err);
    if (type->is_own && !hw_build_add_own(b, addr))
        return false;
    b->edge_bound += b->py.refs.count;
    for (size_t i = 0; i < b->py.refs.count; i++) {
        /* What a large container holds may lie anywhere. */
        hw_build_trim(b);
        if (!discover_mark(b, b->py.refs.to[i]))
            return false;
    }
    return true;
}

static bool discover_drain(struct hw_builder *b)
{
    while (b->stack_count) {
        hw_addr addr = b->stack[--b->stack_count];
        if (!discover_decode(b, addr) || !hw_build_tick(b, stage, ++b->decoded, 0))
            return false;
    }
    return true;
}

/* Follows one list in one direction. *ret_closed: it came back to its head. A damaged list may run
 * in a ring without its head: the place where we were at the last power of two comes by again.
 * Forwards, after a break, the order of what is met is not known. */
static bool list_walk(struct hw_builder *b, hw_addr head, unsigned link, enum hw_mark_age age,
                      bool *ret_closed)
{
    hw_addr at = hw_py_word(&b->py, head + link) & GC_POINTER_MASK;
    hw_addr passed = 0;
    *ret_closed = false;
    for (uint64_t i = 1; at && at != passed; i++) {
        if (at == head) {
            *ret_closed = true;
            return true;
        }
        if (!(i & (i - 1)))
            passed = at;
        hw_addr object = at + HW_GC_HEAD_BYTES;
        if (!discover_mark(b, object))
            return false;
        if (!hw_marks_has(&b->marks, object))
            return true;
        hw_marks_set_age(&b->marks, object, age);
        if (link == GC_PREV)
            hw_order_add(&b->order, object);
        b->listed++;
        if (!discover_decode(b, object) || !discover_drain(b) ||
            !hw_build_tick(b, stage, ++b->decoded, 0))
            return false;
        at = hw_py_word(&b->py, at + link) & GC_POINTER_MASK;
    }
    return true;
}

static bool discover_lists(struct hw_builder *b)
{
    static const enum hw_mark_age ages[4] = {HW_AGE_YOUNGEST, HW_AGE_MIDDLE, HW_AGE_OLDEST,
                                             HW_AGE_PERMANENT};
    for (size_t i = 0; i < b->runtime->interpreter_count; i++) {
        hw_addr heads[4];
        b->order.interpreter = i;
        if (!hw_runtime_gc_heads(b->image, b->runtime, b->runtime->interpreters[i], heads)) {
            b->lists_broken++;
            continue;
        }
        for (unsigned list = 0; list < 4; list++) {
            bool closed;
            uint64_t before = b->listed;
            /* Backwards: an object being made is linked from behind before it is from the front. */
            if (!list_walk(b, heads[list], GC_PREV, ages[list], &closed))
                return false;
            if (!closed) {
                b->lists_broken++;
                if (!list_walk(b, heads[list], GC_NEXT, ages[list], &closed))
                    return false;
            }
            if (!i)
                b->list_counts[list] = b->listed - before;
        }
    }
    return true;
}

/* Decodes every object, downwards; those that turn up behind us by way of the stack. */
static bool discover_all(struct hw_builder *b)
{
    for (hw_addr addr = hw_marks_before(&b->marks, UINT64_MAX); addr;
         addr = hw_marks_before(&b->marks, addr)) {
        b->cursor = addr;
        if (!discover_decode(b, addr) || !discover_drain(b) ||
            !hw_build_tick(b, stage, ++b->decoded, 0))
            return false;
    }
    return true;
}

static void note_outside(void *ctx, hw_addr addr)
{
    struct hw_builder *b = ctx;
    hw_marks_set(&b->outside, addr & ~(hw_addr)15);
}

void hw_build_note_outside(struct hw_builder *b, bool on)
{
    b->py.outside = on ? note_outside : NULL;
    b->py.outside_ctx = b;
}

static bool discover_everything(struct hw_builder *b)
{
    for (size_t i = 0; i < b->roots.refs.count; i++)
        if (!discover_mark(b, b->roots.refs.to[i]))
            return false;
    b->edge_bound += b->roots.refs.count;
    if (!discover_drain(b) || !discover_lists(b))
        return false;
    /* In a torn image a tracked object may be on no list that we can follow. */
    if (b->lists_broken || b->listed != b->tracked)
        return discover_all(b);
    return true;
}

bool hw_build_discover(struct hw_builder *b)
{
    hw_build_note_outside(b, true);
    bool ok = discover_everything(b);
    hw_build_note_outside(b, false);
    return ok;
}

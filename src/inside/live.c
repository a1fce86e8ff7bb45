/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/live.h"

#include "inside/own.h"
#include "inside/size.h"

static int live_add(PyObject *object, void *ctx)
{
    return hw_bits_add(((struct hw_live *)ctx)->all, object) < 0 ? -1 : 0;
}

static int holder_add(PyObject *object, void *ctx)
{
    struct hw_live *live = ctx;
    if (hw_bits_add(live->all, object) < 0)
        return -1;
    bool leads_on = PyType_IS_GC(Py_TYPE(object)) || PyCode_Check(object);
    return leads_on && hw_bits_add(live->holders, object) < 0 ? -1 : 0;
}

int hw_live_hide_own(struct hw_live *live)
{
    struct hw_bits *own = hw_bits_create();
    int result = own ? hw_own_mark(own) : -1;
    if (!result)
        result = hw_bits_combine(live->all, own, HW_BITS_MINUS);
    if (!result && live->holders)
        result = hw_bits_combine(live->holders, own, HW_BITS_MINUS);
    hw_bits_destroy(own);
    return result;
}

int hw_live_init(struct hw_live *live, unsigned flags)
{
    *live = (struct hw_live){hw_bits_create(), flags & HW_LIVE_HOLDERS ? hw_bits_create() : NULL, 0};
    live->paused = hw_collector_pause();
    if (live->paused < 0 || !live->all || (flags & HW_LIVE_HOLDERS && !live->holders))
        return -1;
    int result = hw_heap_visit(flags & HW_LIVE_HOLDERS ? holder_add : live_add, live);
    return result || flags & HW_LIVE_OWN ? result : hw_live_hide_own(live);
}

void hw_live_deinit(struct hw_live *live)
{
    hw_bits_destroy(live->all);
    hw_bits_destroy(live->holders);
    hw_collector_resume(live->paused);
    *live = (struct hw_live){0};
}

int hw_members_visit(const struct hw_bits *bits, hw_object_fn fn, void *ctx)
{
    int result = 0;
    for (void *at = hw_bits_next(bits, NULL); at && !result; at = hw_bits_next(bits, (char *)at + 1))
        result = fn(at, ctx);
    return result;
}

struct sizes {
    struct hw_class_table table;
    struct hw_stack late; /* strong references */
    hw_sized_fn fn;
    void *ctx;
};

static int member_size(PyObject *member, void *arg)
{
    struct sizes *sizes = arg;
    struct hw_class *row = hw_class_of(&sizes->table, member);
    Py_ssize_t bytes = row ? hw_size_of(row, member) : 0;
    if (!row)
        return -1;
    if (bytes != HW_SIZE_PYTHON)
        return sizes->fn(member, bytes, sizes->ctx);
    if (hw_stack_push(&sizes->late, member) < 0)
        return -1;
    Py_INCREF(member);
    return 0;
}

int hw_member_sizes_visit(const struct hw_bits *members, hw_sized_fn fn, void *ctx)
{
    struct sizes sizes = {.fn = fn, .ctx = ctx};
    int result = hw_members_visit(members, member_size, &sizes);
    for (size_t i = 0; !result && i < sizes.late.count; i++) {
        bool failed = false;
        Py_ssize_t bytes = hw_size_ask(sizes.late.items[i], &failed);
        result = fn(sizes.late.items[i], bytes, ctx);
    }
    for (size_t i = 0; i < sizes.late.count; i++)
        Py_DECREF(sizes.late.items[i]);
    hw_stack_deinit(&sizes.late);
    hw_class_table_deinit(&sizes.table);
    return result;
}

struct hw_bits *hw_bits_copy(const struct hw_bits *bits)
{
    struct hw_bits *copy = hw_bits_create();
    if (copy && hw_bits_combine(copy, bits, HW_BITS_OR) < 0) {
        hw_bits_destroy(copy);
        return NULL;
    }
    return copy;
}

struct hw_bits *hw_bits_common(const struct hw_bits *a, const struct hw_bits *b)
{
    struct hw_bits *common = hw_bits_copy(a);
    if (common && hw_bits_combine(common, b, HW_BITS_AND) < 0) {
        hw_bits_destroy(common);
        return NULL;
    }
    return common;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/sizes.h"

#include "inside/live.h"
#include "inside/size.h"

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

int hw_sizes_visit(const struct hw_bits *members, hw_sized_fn fn, void *ctx)
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

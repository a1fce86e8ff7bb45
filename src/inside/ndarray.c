/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/ndarray.h"

#include <string.h>

struct array {
    PyObject_HEAD
    char *data;
    int dimension_count;
    Py_ssize_t *dimensions, *strides;
    PyObject *base;
    struct descriptor *descriptor;
    int flags;
};

struct descriptor {
    PyObject_HEAD
    PyTypeObject *scalar;
    char kind, letter, order, old_flags;
    int type_number;
};

enum { OWNS_DATA = 0x0004, TYPE_OBJECT = 17, MAX_DIMENSIONS = 64 };

bool hw_array_is(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    if (!type->tp_as_mapping || !type->tp_as_buffer || type->tp_basicsize < (Py_ssize_t)sizeof(struct array))
        return false;
    for (; type; type = type->tp_base)
        if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE) && !strcmp(type->tp_name, "numpy.ndarray"))
            return true;
    return false;
}

static Py_ssize_t item_count(const struct array *array)
{
    Py_ssize_t count = 1;
    if (array->dimension_count < 0 || array->dimension_count > MAX_DIMENSIONS)
        return 0;
    for (int i = 0; i < array->dimension_count; i++)
        count *= array->dimensions[i];
    return count;
}

/* An array that owns its data has it in one piece. */
static int items_visit(const struct array *array, hw_object_fn fn, void *ctx)
{
    PyObject **items = (PyObject **)(void *)array->data;
    int result = 0;
    for (Py_ssize_t i = 0, count = item_count(array); !result && i < count; i++)
        result = items[i] ? fn(items[i], ctx) : 0;
    return result;
}

int hw_array_visit(PyObject *object, hw_object_fn fn, void *ctx)
{
    const struct array *array = (const struct array *)object;
    int result = array->base ? fn(array->base, ctx) : 0;
    bool has_items = array->flags & OWNS_DATA && array->data && array->descriptor &&
                     array->descriptor->type_number == TYPE_OBJECT;
    return result || !has_items ? result : items_visit(array, fn, ctx);
}

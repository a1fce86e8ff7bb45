/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/census.h"

#include "inside/own.h"

#include <stdlib.h>

const char hw_census_doc[] =
    "census(objects=None, *, tracked=False, sizes=True, own=False)\n--\n\n"
    "[(type, count, bytes), ...] of everything that is alive, largest first.\n\n"
    "objects  a list to count instead\n"
    "tracked  only what the collector tracks: as gc.get_objects()\n"
    "sizes    False: bytes are 0, and no __sizeof__ of Python code is called\n"
    "own      with heapwhy's own objects; those of a list always count\n\n"
    "Bytes are as sys.getsizeof() gives them. No collection runs. Objects are not kept alive.";

int hw_counting_add(struct hw_counting *census, PyObject *object)
{
    if (census->own && hw_bits_has(census->own, object))
        return 0;
    struct hw_class *row = hw_class_of(&census->table, object);
    if (!row)
        return -1;
    row->count++;
    Py_ssize_t bytes = census->sizes ? hw_size_of(row, object) : 0;
    if (bytes == HW_SIZE_PYTHON) {
        if (hw_stack_push(&census->late, object) < 0)
            return -1;
        Py_INCREF(object);
    } else {
        row->bytes += (size_t)bytes;
    }
    return 0;
}

/* After the walk, when the user's code may run. */
static int late_sizes(struct hw_counting *census)
{
    for (size_t i = 0; i < census->late.count; i++) {
        bool failed = false;
        Py_ssize_t bytes = hw_size_ask(census->late.items[i], &failed);
        struct hw_class *row = hw_class_of(&census->table, census->late.items[i]);
        if (!row)
            return -1;
        row->bytes += (size_t)bytes;
    }
    return 0;
}

static int rows_compare(const void *a, const void *b)
{
    const struct hw_class *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return (x->count < y->count) - (x->count > y->count);
}

static PyObject *rows_list(struct hw_class_table *table)
{
    if (table->count)
        qsort(table->rows, table->count, sizeof(*table->rows), rows_compare);
    PyObject *list = PyList_New((Py_ssize_t)table->count);
    for (size_t i = 0; list && i < table->count; i++) {
        const struct hw_class *row = &table->rows[i];
        PyObject *item = Py_BuildValue("(Onn)", row->type, (Py_ssize_t)row->count, (Py_ssize_t)row->bytes);
        if (!item) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)i, item);
    }
    return list;
}

PyObject *hw_counting_end(struct hw_counting *census, int result)
{
    if (!result)
        result = late_sizes(census);
    PyObject *list = result ? NULL : rows_list(&census->table);
    for (size_t i = 0; i < census->late.count; i++)
        Py_DECREF(census->late.items[i]);
    hw_stack_deinit(&census->late);
    hw_bits_destroy(census->own);
    hw_class_table_deinit(&census->table);
    return list;
}

static int object_count(PyObject *object, void *ctx)
{
    return hw_counting_add(ctx, object);
}

static int listed_visit(PyObject *objects, struct hw_counting *census)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(objects); i++)
        if (hw_counting_add(census, PyList_GET_ITEM(objects, i)) < 0)
            return -1;
    return 0;
}

static int objects_count(struct hw_counting *census, PyObject *objects, bool tracked, bool hides)
{
    if (hides && (!(census->own = hw_bits_create()) || hw_own_mark(census->own) < 0))
        return -1;
    return objects != Py_None ? listed_visit(objects, census)
           : tracked          ? hw_tracked_visit(object_count, census)
                              : hw_heap_visit(object_count, census);
}

/* A __sizeof__ in C may make objects, and these may make the collector begin. */
static int paused_count(struct hw_counting *census, PyObject *objects, bool tracked, bool hides)
{
    int paused = hw_collector_pause();
    int result = paused < 0 ? -1 : objects_count(census, objects, tracked, hides);
    hw_collector_resume(paused);
    return result;
}

PyObject *hw_census(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"objects", "tracked", "sizes", "own", NULL};
    PyObject *objects = Py_None;
    int tracked = 0, sizes = 1, own = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O$ppp:census", names, &objects, &tracked, &sizes, &own))
        return NULL;
    if (objects != Py_None && !PyList_Check(objects)) {
        PyErr_SetString(PyExc_TypeError, "census() counts a list of objects, or with None all that is alive");
        return NULL;
    }
    struct hw_counting census = {.sizes = sizes};
    bool hides = objects == Py_None && !own;
    return hw_counting_end(&census, paused_count(&census, objects, tracked, hides));
}

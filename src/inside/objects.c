/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/objects.h"

#include "inside/version.h"
#include "inside/walk.h"

#include <stdlib.h>

const char hw_objects_doc[] =
    "objects(*, tracked=False, frames=True)\n--\n\n"
    "A list of everything that is alive, each object once.\n\n"
    "tracked  only what the collector tracks: as gc.get_objects(), without frozen objects\n"
    "frames   False: no frames; a list in a variable of its own frame would be a cycle\n\n"
    "The list itself is not in it, nor that of the last call. It keeps all of them alive: delete it soon. No\n"
    "collection runs.";

const char hw_unique_doc[] = "unique(list, /)\n--\n\nThe members of a list, each object once, in order.";

const char hw_missing_doc[] =
    "missing(left, right, /)\n--\n\nThe members of the list left that are not, as the same objects, in right.";

/* The list that objects() gave last, by its address: in a loop it is still alive when the next one is made,
 * which would keep it, and so each the one before. */
static struct {
    const PyObject *list;
    Py_ssize_t size;
} last_given;

static bool was_given(PyObject *object)
{
    return object == last_given.list && PyList_CheckExact(object) && Py_SIZE(object) == last_given.size;
}

/* A list that fills. The collector does not see it before it is ready; it has its room from the
 * beginning, as making a list may start a collection. */
struct filling {
    PyObject *list;
    size_t room;
    bool frames;
};

static int object_note(PyObject *object, void *ctx)
{
    struct filling *filling = ctx;
    filling->room += filling->frames || !Py_IS_TYPE(object, &PyFrame_Type);
    return 0;
}

static int object_put(PyObject *object, void *ctx)
{
    struct filling *filling = ctx;
    Py_ssize_t at = Py_SIZE(filling->list);
    if (was_given(object) || (!filling->frames && Py_IS_TYPE(object, &PyFrame_Type)))
        return 0;
    if ((size_t)at == filling->room)
        return 1; /* what appeared in between: the collector's own list */
    Py_INCREF(object);
    PyList_SET_ITEM(filling->list, at, object);
    Py_SET_SIZE(filling->list, at + 1);
    return 0;
}

typedef int walk_fn(hw_object_fn fn, void *ctx);

/* Counted first: a list that grows would be copied when memory is short already. */
static PyObject *walk_list(walk_fn *walk, bool frames)
{
    struct filling filling = {.frames = frames};
    if (walk(object_note, &filling) < 0)
        return NULL;
    filling.list = PyList_New((Py_ssize_t)filling.room);
    if (!filling.list)
        return NULL;
    PyObject_GC_UnTrack(filling.list);
    Py_SET_SIZE(filling.list, 0);
    int result = walk(object_put, &filling);
    PyObject_GC_Track(filling.list);
    if (result < 0)
        Py_CLEAR(filling.list);
    return filling.list;
}

PyObject *hw_objects(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"tracked", "frames", NULL};
    int tracked = 0, frames = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$pp:objects", names, &tracked, &frames))
        return NULL;
    PyObject *list = walk_list(tracked ? hw_tracked_visit : hw_heap_visit, frames);
    last_given.list = list;
    last_given.size = list ? Py_SIZE(list) : 0;
    return list;
}

/* The members of a list that are new to a set, which has them then. */
static PyObject *new_list(PyObject *list, struct hw_bits *bits)
{
    PyObject *result = PyList_New(0);
    for (Py_ssize_t i = 0; result && i < PyList_GET_SIZE(list); i++) {
        PyObject *item = PyList_GET_ITEM(list, i);
        int is_new = hw_bits_add(bits, item);
        if (is_new < 0 || (is_new && PyList_Append(result, item) < 0))
            Py_CLEAR(result);
    }
    return result;
}

static int lists_check(PyObject *left, PyObject *right)
{
    if (PyList_Check(left) && PyList_Check(right))
        return 0;
    PyErr_SetString(PyExc_TypeError, "expected a list of objects");
    return -1;
}

PyObject *hw_unique(PyObject *module, PyObject *list)
{
    if (lists_check(list, list) < 0)
        return NULL;
    struct hw_bits *bits = hw_bits_create();
    PyObject *result = bits ? new_list(list, bits) : NULL;
    hw_bits_destroy(bits);
    return result;
}

PyObject *hw_missing(PyObject *module, PyObject *args)
{
    PyObject *left, *right;
    if (!PyArg_ParseTuple(args, "OO:missing", &left, &right) || lists_check(left, right) < 0)
        return NULL;
    struct hw_bits *bits = hw_bits_create();
    int result = bits ? 0 : -1;
    for (Py_ssize_t i = 0; result >= 0 && i < PyList_GET_SIZE(right); i++)
        result = hw_bits_add(bits, PyList_GET_ITEM(right, i));
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list && result >= 0 && i < PyList_GET_SIZE(left); i++) {
        PyObject *item = PyList_GET_ITEM(left, i);
        if (!hw_bits_has(bits, item))
            result = PyList_Append(list, item);
    }
    if (result < 0)
        Py_CLEAR(list);
    hw_bits_destroy(bits);
    return list;
}

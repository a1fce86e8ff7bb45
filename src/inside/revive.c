/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/revive.h"

#include "inside/walk.h"

const char hw_objects_at_doc[] =
    "objects_at(addresses)\n--\n\n"
    "The live object at each address, None where there is none: [object, ...].\n\n"
    "addresses  a list of ints\n\n"
    "An address is believed only when the object at it is met by walking the heap. What was freed and made\n"
    "anew there is another object. Costs one walk, until all are met: 30 ms for a million objects.";

struct search {
    struct hw_bits *wanted;
    size_t left;
    struct hw_stack found; /* strong references */
};

static int object_meet(PyObject *object, void *ctx)
{
    struct search *search = ctx;
    if (!hw_bits_has(search->wanted, object))
        return 0;
    if (hw_stack_push(&search->found, object) < 0)
        return -1;
    Py_INCREF(object);
    hw_bits_remove(search->wanted, object);
    return --search->left ? 0 : 1;
}

static int wanted_fill(struct search *search, PyObject *addresses)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(addresses); i++) {
        void *address = PyLong_AsVoidPtr(PyList_GET_ITEM(addresses, i));
        if (!address && PyErr_Occurred())
            return -1;
        int is_new = address && (uintptr_t)address % sizeof(void *) == 0
                         ? hw_bits_add(search->wanted, address)
                         : 0;
        if (is_new < 0)
            return -1;
        search->left += (size_t)is_new;
    }
    return 0;
}

static PyObject *found_at(const struct search *search, PyObject *address)
{
    void *wanted = PyLong_AsVoidPtr(address);
    for (size_t i = 0; i < search->found.count; i++)
        if (search->found.items[i] == wanted)
            return search->found.items[i];
    return Py_None;
}

static PyObject *found_list(const struct search *search, PyObject *addresses)
{
    PyObject *list = PyList_New(PyList_GET_SIZE(addresses));
    for (Py_ssize_t i = 0; list && i < PyList_GET_SIZE(addresses); i++) {
        PyObject *object = found_at(search, PyList_GET_ITEM(addresses, i));
        Py_INCREF(object);
        PyList_SET_ITEM(list, i, object);
    }
    return list;
}

PyObject *hw_objects_at(PyObject *module, PyObject *args)
{
    PyObject *addresses, *list = NULL;
    if (!PyArg_ParseTuple(args, "O!:objects_at", &PyList_Type, &addresses))
        return NULL;
    struct search search = {.wanted = hw_bits_create()};
    if (search.wanted && wanted_fill(&search, addresses) == 0 &&
        (!search.left || hw_heap_visit(object_meet, &search) >= 0))
        list = found_list(&search, addresses);
    for (size_t i = 0; i < search.found.count; i++)
        Py_DECREF(search.found.items[i]);
    hw_stack_deinit(&search.found);
    hw_bits_destroy(search.wanted);
    return list;
}

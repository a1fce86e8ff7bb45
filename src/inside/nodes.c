/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/nodes.h"

#include "inside/graph.h"

#include <stdlib.h>
#include <string.h>

enum { VALUE_BYTES = 256 };

struct hw_nodes {
    PyObject_HEAD
    PyObject *owner;        /* the Graph */
    struct hw_graph *graph; /* shared */
    hw_id *ids;
    size_t count;
};

static PyTypeObject *nodes_type;

static void nodes_dealloc(PyObject *object)
{
    struct hw_nodes *self = (struct hw_nodes *)object;
    PyTypeObject *type = Py_TYPE(object);
    free(self->ids);
    hw_graph_destroy(self->graph);
    Py_XDECREF(self->owner);
    type->tp_free(object);
    Py_DECREF(type);
}

/* ---- rows and columns ---- */

static Py_ssize_t nodes_length(PyObject *object)
{
    return (Py_ssize_t)((struct hw_nodes *)object)->count;
}

/* (addr, type, size, native_bytes, refcount, value) */
static PyObject *nodes_item(PyObject *object, Py_ssize_t index)
{
    struct hw_nodes *self = (struct hw_nodes *)object;
    char value[VALUE_BYTES];
    if (index < 0 || (size_t)index >= self->count) {
        PyErr_SetString(PyExc_IndexError, "no such object");
        return NULL;
    }
    PyThreadState *state = hw_ask_begin(&self->owner, 1);
    if (!state)
        return NULL;
    hw_id id = self->ids[index];
    const struct hw_graph *graph = self->graph;
    size_t bytes = hw_graph_value(graph, id, value, sizeof(value));
    hw_ask_end(state, &self->owner, 1);
    PyObject *text = PyUnicode_DecodeUTF8(value, (Py_ssize_t)bytes, "replace");
    return !text ? NULL
                 : Py_BuildValue("(KsKKkN)", (unsigned long long)hw_graph_addr(graph, id),
                                 hw_graph_type(graph, hw_graph_type_index(graph, id))->name,
                                 (unsigned long long)hw_graph_size(graph, id),
                                 (unsigned long long)hw_graph_native(graph, id),
                                 (unsigned long)hw_graph_refcount(graph, id), text);
}

static uint64_t value_of(const struct hw_graph *graph, hw_id id, char column)
{
    switch (column) {
    case 'a':
        return hw_graph_addr(graph, id);
    case 's':
        return hw_graph_size(graph, id);
    default:
        return hw_graph_native(graph, id);
    }
}

static PyObject *nodes_column(PyObject *object, PyObject *args)
{
    struct hw_nodes *self = (struct hw_nodes *)object;
    const char *name;
    if (!PyArg_ParseTuple(args, "s:column", &name))
        return NULL;
    if (strcmp(name, "addr") && strcmp(name, "size") && strcmp(name, "native_bytes"))
        return PyErr_Format(PyExc_ValueError, "there is no column %s", name);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(self->count * sizeof(uint64_t)));
    if (!bytes)
        return NULL;
    char *to = PyBytes_AS_STRING(bytes);
    for (size_t i = 0; i < self->count; i++) {
        uint64_t value = value_of(self->graph, self->ids[i], *name);
        memcpy(to + i * sizeof(value), &value, sizeof(value));
    }
    return bytes;
}

/* Neighbours are mostly of one type, and then share its name. */
static PyObject *nodes_types(PyObject *object, PyObject *unused)
{
    struct hw_nodes *self = (struct hw_nodes *)object;
    PyObject *list = PyList_New((Py_ssize_t)self->count), *name = NULL;
    const char *last = NULL;
    for (size_t i = 0; list && i < self->count; i++) {
        const char *text = hw_graph_type(self->graph, hw_graph_type_index(self->graph, self->ids[i]))->name;
        if (text != last)
            Py_XSETREF(name, PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace"));
        last = text;
        if (!name) {
            Py_CLEAR(list);
            break;
        }
        Py_INCREF(name);
        PyList_SET_ITEM(list, (Py_ssize_t)i, name);
    }
    Py_XDECREF(name);
    return list;
}

/* ---- making them ---- */

const char hw_nodes_doc[] =
    "nodes(graph, word)\n--\n\n"
    "All objects that word fits, as the program takes it: a type, an expression, an address.";

static bool find(const struct hw_graph *graph, const char *word, struct hw_nodes *self,
                 struct hw_err *err)
{
    size_t count = 0;
    if (!hw_object_resolve(graph, word, NULL, 0, &count, err))
        return false;
    self->ids = calloc(count + 1, sizeof(*self->ids));
    if (!self->ids) {
        err->code = HW_ERR_NO_MEMORY;
        return false;
    }
    return hw_object_resolve(graph, word, self->ids, count, &self->count, err);
}

PyObject *hw_nodes(PyObject *module, PyObject *args)
{
    PyObject *owner;
    const char *word;
    struct hw_err err = HW_ERR_INIT;
    if (!PyArg_ParseTuple(args, "O!s:nodes", hw_graph_type_object, &owner, &word))
        return NULL;
    struct hw_graph *graph = hw_py_graph_share(owner);
    struct hw_nodes *self =
        graph ? (struct hw_nodes *)nodes_type->tp_alloc(nodes_type, 0) : NULL;
    if (!self) {
        hw_graph_destroy(graph);
        return NULL;
    }
    self->graph = graph;
    self->owner = owner;
    Py_INCREF(owner);
    PyThreadState *state = hw_ask_begin(&owner, 1);
    bool ok = state && find(graph, word, self, &err);
    if (state)
        hw_ask_end(state, &owner, 1);
    if (ok)
        return (PyObject *)self;
    Py_DECREF(self);
    return state ? hw_raise(&err) : NULL;
}

/* ---- the type ---- */

static PyMethodDef methods[] = {
    {"column", nodes_column, METH_VARARGS,
     "column(name)\n--\n\nOne uint64 for each object, as bytes: addr, size or native_bytes."},
    {"types", nodes_types, METH_NOARGS, "types()\n--\n\nThe name of each object's type: [str, ...]."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_dealloc, nodes_dealloc},
    {Py_tp_methods, methods},
    {Py_sq_length, nodes_length},
    {Py_sq_item, nodes_item},
    {Py_tp_doc, "Objects of a graph. Made by nodes()."},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "heapwhy._heapwhy.Nodes",
    .basicsize = sizeof(struct hw_nodes),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

int hw_nodes_init(PyObject *module)
{
    nodes_type = (PyTypeObject *)PyType_FromSpec(&spec);
    if (!nodes_type)
        return -1;
    nodes_type->tp_new = NULL;
    return hw_type_add(module, nodes_type);
}

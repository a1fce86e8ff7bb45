/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/edges.h"

#include "inside/edge.h"
#include "inside/walk.h"

const char hw_edges_doc[] =
    "edges(source, target, /)\n--\n\n"
    "[(kind, name), ...]: every way in which source refers to target that has a name: 'attribute', 'key',\n"
    "'as key', 'index', 'element' or 'local'. A dict that has target under two keys gives two.\n"
    "Empty: there is none, or the layout of that C type is not known.";

const char hw_edges_from_doc[] =
    "edges_from(source, /)\n--\n\n"
    "[(target, kind, name), ...]: edges() of source to whatever it refers to, in one pass over it.";

struct edges {
    PyObject *list;
    PyObject *target; /* NULL: any */
    PyObject *met;    /* the target of the edge at hand */
};

static int edge_add(struct edges *edges, const char *kind, PyObject *name)
{
    PyObject *edge = edges->target ? Py_BuildValue("(sO)", kind, name)
                                   : Py_BuildValue("(OsO)", edges->met, kind, name);
    int result = edge ? PyList_Append(edges->list, edge) : -1;
    Py_XDECREF(edge);
    return result;
}

/* name is new, and taken over. */
static int edge_give(struct edges *edges, const char *kind, PyObject *name)
{
    int result = name ? edge_add(edges, kind, name) : -1;
    Py_XDECREF(name);
    return result;
}

/* Once for each name: a slot may hide one of a base class. */
static int attribute_add(struct edges *edges, const struct hw_reference *reference)
{
    PyObject *name = reference->name ? reference->name : PyUnicode_FromString(reference->member);
    if (reference->name)
        Py_INCREF(name);
    for (Py_ssize_t i = 0; name && i < PyList_GET_SIZE(edges->list); i++) {
        PyObject *edge = PyList_GET_ITEM(edges->list, i);
        PyObject *told = PyTuple_GET_ITEM(edge, PyTuple_GET_SIZE(edge) - 1);
        if (PyUnicode_Check(told) && PyUnicode_Compare(told, name) == 0) {
            Py_DECREF(name);
            return 0;
        }
    }
    return edge_give(edges, HW_EDGE_ATTRIBUTE, name);
}

static int reference_test(const struct hw_reference *reference, void *arg)
{
    struct edges *edges = arg;
    if (edges->target && reference->referent != edges->target)
        return 0;
    edges->met = reference->referent;
    switch (reference->kind) {
    case HW_REFERENCE_ATTRIBUTE:
        return attribute_add(edges, reference);
    case HW_REFERENCE_INDEX:
        return edge_give(edges, HW_EDGE_INDEX, PyLong_FromSsize_t(reference->index));
    case HW_REFERENCE_VALUE:
        return edge_add(edges, HW_EDGE_KEY, reference->name);
    case HW_REFERENCE_KEY:
        return edge_add(edges, HW_EDGE_AS_KEY, reference->name);
    case HW_REFERENCE_MEMBER:
        return edge_add(edges, HW_EDGE_ELEMENT, Py_None);
    case HW_REFERENCE_LOCAL:
        return reference->name ? edge_add(edges, HW_EDGE_LOCAL, reference->name) : 0;
    case HW_REFERENCE_HIDDEN:
        break;
    }
    return 0;
}

static PyObject *edges_list(PyObject *source, PyObject *target)
{
    struct edges edges = {PyList_New(0), target, NULL};
    int paused = edges.list ? hw_collector_pause() : -1;
    if (paused < 0 || hw_named_references_visit(source, reference_test, &edges) < 0)
        Py_CLEAR(edges.list);
    hw_collector_resume(paused);
    return edges.list;
}

PyObject *hw_edges_from(PyObject *module, PyObject *source)
{
    return edges_list(source, NULL);
}

PyObject *hw_edges(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "edges() takes a source and a target");
        return NULL;
    }
    return edges_list(args[0], args[1]);
}

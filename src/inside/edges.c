/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/edges.h"

#include "inside/places.h"

#include <stdint.h>
#include <structmember.h>

const char hw_edges_doc[] =
    "edges(source, target, /)\n--\n\n"
    "[(kind, name), ...]: every way in which source refers to target that has a name: 'attribute', 'key',\n"
    "'as key', 'index', 'element' or 'local'. A dict that has target under two keys gives two.\n"
    "Empty: there is none, or the layout of that C type is not known.";

struct edges {
    PyObject *list;
    PyObject *target;
};

static int edge_add(struct edges *edges, const char *kind, PyObject *name)
{
    PyObject *edge = Py_BuildValue("(sO)", kind, name);
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

/* Once for each name: some are told by more than one table. */
static int attribute_test(struct edges *edges, const PyObject *value, const char *name)
{
    if (value != edges->target)
        return 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(edges->list); i++) {
        PyObject *told = PyTuple_GET_ITEM(PyList_GET_ITEM(edges->list, i), 1);
        if (PyUnicode_Check(told) && PyUnicode_CompareWithASCIIString(told, name) == 0)
            return 0;
    }
    return edge_give(edges, HW_EDGE_ATTRIBUTE, PyUnicode_FromString(name));
}

static int items_edges(struct edges *edges, PyObject *const *items, Py_ssize_t count)
{
    int result = 0;
    for (Py_ssize_t i = 0; !result && i < count; i++)
        if (items[i] == edges->target)
            result = edge_give(edges, HW_EDGE_INDEX, PyLong_FromSsize_t(i));
    return result;
}

static int dict_edges(struct edges *edges, PyObject *dict)
{
    Py_ssize_t at = 0;
    PyObject *key, *value;
    int result = 0;
    while (!result && PyDict_Next(dict, &at, &key, &value)) {
        if (value == edges->target)
            result = edge_add(edges, HW_EDGE_KEY, key);
        if (!result && key == edges->target)
            result = edge_add(edges, HW_EDGE_AS_KEY, key);
    }
    return result;
}

static int element_test(PyObject *element, void *edges)
{
    return element == ((struct edges *)edges)->target;
}

static int set_edges(struct edges *edges, PyObject *set)
{
    traverseproc elements = (PyFrozenSet_Check(set) ? &PyFrozenSet_Type : &PySet_Type)->tp_traverse;
    return elements(set, element_test, edges) ? edge_add(edges, HW_EDGE_ELEMENT, Py_None) : 0;
}

static int container_edges(struct edges *edges, PyObject *source)
{
    if (PyDict_Check(source))
        return dict_edges(edges, source);
    if (PyList_Check(source))
        return items_edges(edges, ((PyListObject *)source)->ob_item, PyList_GET_SIZE(source));
    if (PyTuple_Check(source))
        return items_edges(edges, ((PyTupleObject *)source)->ob_item, PyTuple_GET_SIZE(source));
    if (PyAnySet_Check(source))
        return set_edges(edges, source);
    return 0;
}

/* __slots__, and the members that types of C code tell of. */
static int member_edges(struct edges *edges, PyObject *source)
{
    int result = 0;
    for (PyTypeObject *type = Py_TYPE(source); type && !result; type = type->tp_base) {
        for (const PyMemberDef *member = type->tp_members; member && member->name && !result; member++) {
            if (member->type != T_OBJECT && member->type != T_OBJECT_EX)
                continue;
            PyObject *value = *(PyObject **)((char *)source + member->offset);
            result = attribute_test(edges, value, member->name);
        }
    }
    return result;
}

/* Attributes of an instance, in its dict or in the values that stand for one. */
static int instance_edges(struct edges *edges, PyObject *source)
{
    if (attribute_test(edges, hw_instance_dict(source), "__dict__") < 0)
        return -1;
    struct hw_values values = hw_instance_values(source);
    int result = 0;
    for (Py_ssize_t i = 0; !result && i < values.count; i++)
        if (values.values[i] == edges->target)
            result = edge_add(edges, HW_EDGE_ATTRIBUTE, hw_values_name(&values, i));
    return result;
}

/* What the builtin types have in fields that are no members (Include/ of 3.9 to 3.14). */
static const struct field {
    PyTypeObject *type;
    size_t offset;
    const char *name;
} fields[] = {
    {&PyFunction_Type, offsetof(PyFunctionObject, func_code), "__code__"},
    {&PyFunction_Type, offsetof(PyFunctionObject, func_defaults), "__defaults__"},
    {&PyFunction_Type, offsetof(PyFunctionObject, func_kwdefaults), "__kwdefaults__"},
    {&PyFunction_Type, offsetof(PyFunctionObject, func_annotations), "__annotations__"},
    {&PyFunction_Type, offsetof(PyFunctionObject, func_name), "__name__"},
    {&PyFunction_Type, offsetof(PyFunctionObject, func_qualname), "__qualname__"},
    {&PyCFunction_Type, offsetof(PyCFunctionObject, m_self), "__self__"},
    {&PyCFunction_Type, offsetof(PyCFunctionObject, m_module), "__module__"},
    {&PyCell_Type, offsetof(PyCellObject, ob_ref), "cell_contents"},
    {&PyType_Type, offsetof(PyTypeObject, tp_dict), "__dict__"},
    {&PyType_Type, offsetof(PyTypeObject, tp_bases), "__bases__"},
    {&PyType_Type, offsetof(PyTypeObject, tp_mro), "__mro__"},
    {&PyTraceBack_Type, offsetof(PyTracebackObject, tb_next), "tb_next"},
    {&PyTraceBack_Type, offsetof(PyTracebackObject, tb_frame), "tb_frame"},
};

static int field_edges(struct edges *edges, PyObject *source)
{
    int result = 0;
    for (size_t i = 0; !result && i < sizeof(fields) / sizeof(*fields); i++) {
        const struct field *field = &fields[i];
        if (PyObject_TypeCheck(source, field->type))
            result = attribute_test(edges, *(PyObject **)((char *)source + field->offset), field->name);
    }
    return result;
}

static int exception_edges(struct edges *edges, PyObject *source)
{
    if (!PyExceptionInstance_Check(source))
        return 0;
    const PyBaseExceptionObject *error = (PyBaseExceptionObject *)source;
    if (attribute_test(edges, error->args, "args") < 0 ||
        attribute_test(edges, error->traceback, "__traceback__") < 0 ||
        attribute_test(edges, error->context, "__context__") < 0)
        return -1;
    return attribute_test(edges, error->cause, "__cause__");
}

static int frame_edges(struct edges *edges, PyObject *source)
{
    struct hw_locals locals;
    if (!hw_locals_of(source, &locals))
        return 0;
    int result = 0;
    for (Py_ssize_t i = 0; !result && i < locals.count; i++)
        if (hw_locals_value(&locals, i) == edges->target)
            result = edge_give(edges, HW_EDGE_LOCAL, hw_locals_name(&locals, i));
    return result;
}

static int class_edge(struct edges *edges, PyObject *source)
{
    PyTypeObject *type = Py_TYPE(source);
    bool owned = PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE);
    return owned ? attribute_test(edges, (PyObject *)type, "__class__") : 0;
}

PyObject *hw_edges(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "edges() takes a source and a target");
        return NULL;
    }
    static int (*const steps[])(struct edges *, PyObject *) = {
        container_edges, instance_edges,  member_edges, field_edges,
        frame_edges,     exception_edges, class_edge,
    };
    struct edges edges = {PyList_New(0), args[1]};
    int result = edges.list ? 0 : -1;
    for (size_t i = 0; !result && i < sizeof(steps) / sizeof(*steps); i++)
        result = steps[i](&edges, args[0]);
    if (result)
        Py_CLEAR(edges.list);
    return edges.list;
}

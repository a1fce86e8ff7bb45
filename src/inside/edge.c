/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/edge.h"

#include "inside/innards.h"
#include "inside/version.h"
#include "inside/walk.h"

#include <string.h>
#include <structmember.h>

/* Names first, then the type's own visit tells what is left: a referent that was named as often as it
 * is visited is not told again. */
enum { NAMED_MAX = 256 };

struct edge_visit {
    PyObject *holder;
    hw_reference_fn fn;
    void *ctx;
    PyObject *named[NAMED_MAX];
    int named_count;
    Py_ssize_t visited;
    bool is_deque;
};

static int edge_tell(struct edge_visit *visit, struct hw_reference edge)
{
    if (!edge.referent)
        return 0;
    edge.holder = visit->holder;
    if (visit->named_count < NAMED_MAX)
        visit->named[visit->named_count++] = edge.referent;
    return visit->fn(&edge, visit->ctx);
}

static int items_tell(struct edge_visit *visit, PyObject **items, Py_ssize_t count)
{
    struct hw_reference edge = {.kind = HW_REFERENCE_INDEX, .holder = visit->holder};
    int result = 0;
    for (; !result && edge.index < count; edge.index++)
        if ((edge.referent = items[edge.index]))
            result = visit->fn(&edge, visit->ctx);
    return result;
}

static int dict_tell(struct edge_visit *visit, PyObject *dict)
{
    Py_ssize_t at = 0;
    struct hw_reference edge = {.holder = visit->holder};
    int result = 0;
    while (!result && PyDict_Next(dict, &at, &edge.name, &edge.referent)) {
        edge.kind = HW_REFERENCE_VALUE;
        result = visit->fn(&edge, visit->ctx);
        edge.kind = HW_REFERENCE_KEY;
        edge.referent = edge.name;
        if (!result)
            result = visit->fn(&edge, visit->ctx);
    }
    return result;
}

static int set_member_tell(PyObject *member, void *arg)
{
    struct edge_visit *visit = arg;
    struct hw_reference edge = {.kind = HW_REFERENCE_MEMBER, .holder = visit->holder, .referent = member};
    return visit->fn(&edge, visit->ctx);
}

static int attribute_tell(PyObject *name, PyObject *value, void *arg)
{
    return edge_tell(arg, (struct hw_reference){.kind = HW_REFERENCE_ATTRIBUTE, .referent = value, .name = name});
}

static int local_tell(PyObject *name, PyObject *value, void *arg)
{
    return edge_tell(arg, (struct hw_reference){.kind = HW_REFERENCE_LOCAL, .referent = value, .name = name});
}

static int member_tell(struct edge_visit *visit, const char *name, PyObject *value)
{
    return edge_tell(visit, (struct hw_reference){.kind = HW_REFERENCE_ATTRIBUTE, .referent = value, .member = name});
}

static bool is_reference(const PyMemberDef *member)
{
    bool is_dict = !strcmp(member->name, "__dict__"); /* told already */
    return (member->type == T_OBJECT || member->type == T_OBJECT_EX) && member->offset > 0 && !is_dict;
}

/* The members that the type and its bases declare: slots, and what C types show. */
static int members_tell(struct edge_visit *visit)
{
    int result = 0;
    for (PyTypeObject *type = Py_TYPE(visit->holder); type && !result; type = type->tp_base) {
        const PyMemberDef *member = type->tp_members;
        if (type->tp_base && member == type->tp_base->tp_members)
            continue;
        for (; member && member->name && !result; member++)
            if (is_reference(member))
                result = member_tell(visit, member->name, *(PyObject **)((char *)visit->holder + member->offset));
    }
    return result;
}

/* What builtin types hold and show by a getter only (Include/ of 3.9 to 3.14). */
static const struct getter {
    PyTypeObject *type;
    size_t offset;
    const char *name;
} getters[] = {
    {&PyFunction_Type, offsetof(PyFunctionObject, func_code), "__code__"},
    {&PyFunction_Type, offsetof(PyFunctionObject, func_defaults), "__defaults__"},
    {&PyFunction_Type, offsetof(PyFunctionObject, func_kwdefaults), "__kwdefaults__"},
    {&PyFunction_Type, offsetof(PyFunctionObject, func_annotations), "__annotations__"},
    {&PyFunction_Type, offsetof(PyFunctionObject, func_name), "__name__"},
    {&PyFunction_Type, offsetof(PyFunctionObject, func_qualname), "__qualname__"},
    {&PyCFunction_Type, offsetof(PyCFunctionObject, m_self), "__self__"},
    {&PyCell_Type, offsetof(PyCellObject, ob_ref), "cell_contents"},
    {&PyType_Type, offsetof(PyTypeObject, tp_bases), "__bases__"},
    {&PyTraceBack_Type, offsetof(PyTracebackObject, tb_next), "tb_next"},
};

static int exception_tell(struct edge_visit *visit)
{
    const PyBaseExceptionObject *error = (PyBaseExceptionObject *)visit->holder;
    const struct { const char *name; PyObject *value; } rows[] = {
        {"args", error->args}, {"__traceback__", error->traceback},
        {"__context__", error->context}, {"__cause__", error->cause}};
    int result = 0;
    for (size_t i = 0; !result && i < sizeof(rows) / sizeof(*rows); i++)
        result = member_tell(visit, rows[i].name, rows[i].value);
    return result;
}

static int getters_tell(struct edge_visit *visit)
{
    int result = 0;
    for (size_t i = 0; !result && i < sizeof(getters) / sizeof(*getters); i++)
        if (PyObject_TypeCheck(visit->holder, getters[i].type))
            result = member_tell(visit, getters[i].name, *(PyObject **)((char *)visit->holder + getters[i].offset));
    return result || !PyExceptionInstance_Check(visit->holder) ? result : exception_tell(visit);
}

static int frame_tell(struct edge_visit *visit)
{
    struct hw_frame frame;
    return hw_frame_of(visit->holder, &frame) ? hw_frame_locals_visit(&frame, local_tell, visit) : 0;
}

static int rest_tell(PyObject *referent, void *arg)
{
    struct edge_visit *visit = arg;
    for (int i = 0; i < visit->named_count; i++) {
        if (visit->named[i] == referent) {
            visit->named[i] = visit->named[--visit->named_count];
            return 0;
        }
    }
    enum hw_reference_kind kind = visit->is_deque ? HW_REFERENCE_INDEX : HW_REFERENCE_HIDDEN;
    struct hw_reference edge = {kind, visit->holder, referent, NULL, NULL, visit->visited++};
    return visit->fn(&edge, visit->ctx);
}

/* The collector does not visit code objects. */
static int code_tell(struct edge_visit *visit)
{
    PyObject *parts[HW_CODE_PARTS];
    int count = hw_code_parts((PyCodeObject *)visit->holder, parts), result = members_tell(visit);
    for (int i = 0; !result && i < count; i++)
        result = parts[i] ? rest_tell(parts[i], visit) : 0;
    return result;
}

/* Containers are told by their items: what the type's own visit would add is the same again. */
static int container_tell(struct edge_visit *visit, bool *ret_is_container)
{
    PyObject *holder = visit->holder;
    *ret_is_container = true;
    if (PyTuple_Check(holder))
        return items_tell(visit, ((PyTupleObject *)holder)->ob_item, Py_SIZE(holder));
    if (PyList_Check(holder))
        return items_tell(visit, ((PyListObject *)holder)->ob_item, Py_SIZE(holder));
    if (PyDict_Check(holder))
        return dict_tell(visit, holder);
    if (PyAnySet_Check(holder))
        return PySet_Type.tp_traverse(holder, set_member_tell, visit); /* frozensets, too */
    *ret_is_container = false;
    return 0;
}

static bool is_plain_container(PyObject *holder)
{
    return PyTuple_CheckExact(holder) || PyList_CheckExact(holder) || PyDict_CheckExact(holder) ||
           PyAnySet_CheckExact(holder);
}

static int type_tell(struct edge_visit *visit)
{
    PyTypeObject *type = Py_TYPE(visit->holder);
    return type->tp_flags & Py_TPFLAGS_HEAPTYPE ? member_tell(visit, "__class__", (PyObject *)type) : 0;
}

/* What the collector does not track: types that C code defined, and small objects with members. */
static int untracked_tell(struct edge_visit *visit)
{
    int result = PyType_Check(visit->holder) ? member_tell(visit, "__dict__", hw_object_dict(visit->holder)) : 0;
    if (!result)
        result = members_tell(visit);
    return result ? result : getters_tell(visit);
}

int hw_named_references_visit(PyObject *holder, hw_reference_fn fn, void *ctx)
{
    struct edge_visit visit = {.holder = holder, .fn = fn, .ctx = ctx};
    bool is_container;
    int result = container_tell(&visit, &is_container);
    if (result || is_plain_container(holder))
        return result;
    if (PyCode_Check(holder))
        return code_tell(&visit);
    if (!hw_object_is_gc(holder))
        return untracked_tell(&visit);
    static int (*const parts[])(struct edge_visit *) = {members_tell, getters_tell, frame_tell, type_tell};
    result = hw_inline_attributes_visit(holder, attribute_tell, &visit);
    if (!result)
        result = member_tell(&visit, "__dict__", hw_object_dict(holder));
    for (size_t i = 0; !result && i < sizeof(parts) / sizeof(*parts); i++)
        result = parts[i](&visit);
    visit.is_deque = !strcmp(Py_TYPE(holder)->tp_name, "collections.deque");
    if (!result && !is_container && Py_TYPE(holder)->tp_traverse)
        result = Py_TYPE(holder)->tp_traverse(holder, rest_tell, &visit);
    return result;
}

static PyObject *key_label(PyObject *key)
{
    if (PyUnicode_CheckExact(key) || PyLong_CheckExact(key) || PyFloat_CheckExact(key) || PyBytes_CheckExact(key) ||
        PyBool_Check(key) || key == Py_None)
        return PyUnicode_FromFormat("[%R]", key);
    return PyUnicode_FromFormat("[<%s at %p>]", Py_TYPE(key)->tp_name, (void *)key);
}

PyObject *hw_reference_label(const struct hw_reference *edge)
{
    switch (edge->kind) {
    case HW_REFERENCE_ATTRIBUTE:
        return edge->name ? PyUnicode_FromFormat(".%U", edge->name) : PyUnicode_FromFormat(".%s", edge->member);
    case HW_REFERENCE_INDEX:
        return PyUnicode_FromFormat("[%zd]", edge->index);
    case HW_REFERENCE_VALUE:
        return key_label(edge->name);
    case HW_REFERENCE_KEY:
        return PyUnicode_FromString("<key>");
    case HW_REFERENCE_MEMBER:
        return PyUnicode_FromString("<member>");
    case HW_REFERENCE_LOCAL:
        return edge->name ? PyUnicode_FromFormat("<local %U>", edge->name) : PyUnicode_FromString("<stack>");
    case HW_REFERENCE_HIDDEN:
        break;
    }
    return PyUnicode_FromFormat("<hidden %zd>", edge->index);
}

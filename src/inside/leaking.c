/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/leaking.h"

#include "inside/bits.h"
#include "inside/version.h"
#include "inside/walk.h"

const char hw_unreferred_doc[] =
    "unreferred(objects, /)\n--\n\n"
    "Those of a list of objects, or with None of all tracked ones, that no tracked or frozen object, no\n"
    "function's code and no type refers to, in their order. The list itself does not count. With None also\n"
    "without the tuples and dicts that the next collection would stop tracking.\n\n"
    "The bitmap for it takes a 64th of the memory that the objects span. No Python code is called.";

struct search {
    struct hw_bits *referred; /* addresses that somebody refers to */
    PyObject *asking;         /* the list of candidates: no holder */
    struct hw_stack found;    /* strong references */
};

static int mark(PyObject *object, void *arg)
{
    struct search *search = arg;
    return hw_bits_add(search->referred, object) < 0 ? -1 : 0;
}

/* Code objects are not tracked, and nest. */
static int code_mark(PyCodeObject *code, struct search *search)
{
    int is_new = hw_bits_add(search->referred, code);
    if (is_new <= 0)
        return is_new;
    PyObject *consts = code->co_consts;
    int result = hw_referents_visit((PyObject *)code, mark, search);
    for (Py_ssize_t i = 0; !result && consts && i < PyTuple_GET_SIZE(consts); i++) {
        PyObject *item = PyTuple_GET_ITEM(consts, i);
        if (PyCode_Check(item))
            result = code_mark((PyCodeObject *)item, search);
    }
    return result;
}

static int source_mark(PyObject *source, void *arg)
{
    struct search *search = arg;
    if (source == search->asking)
        return 0;
    if (PyFunction_Check(source) &&
        code_mark((PyCodeObject *)((PyFunctionObject *)source)->func_code, search) < 0)
        return -1;
    return hw_referents_visit(source, mark, search);
}

static bool may_be_tracked(PyObject *object)
{
    return hw_object_is_gc(object) && (!PyTuple_CheckExact(object) || PyObject_GC_IsTracked(object));
}

/* Young tuples and dicts of things that can't refer to anything: a collection would take them from its
 * lists (untrack_tuples() in Modules/gcmodule.c), and code objects and types hold many such tuples. */
static bool soon_untracked(PyObject *object)
{
    PyObject *key, *value;
    if (PyTuple_CheckExact(object)) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(object); i++)
            if (may_be_tracked(PyTuple_GET_ITEM(object, i)))
                return false;
        return true;
    }
    if (!PyDict_CheckExact(object))
        return false;
    for (Py_ssize_t at = 0; PyDict_Next(object, &at, &key, &value);)
        if (may_be_tracked(key) || may_be_tracked(value))
            return false;
    return true;
}

/* A type's subclasses: {address: weak reference to the type there}. From 3.12 on those of builtin types are
 * in PyInterpreterState. */
static bool is_subclass_table(PyObject *object)
{
    Py_ssize_t at = 0;
    PyObject *key, *value;
    if (!PyDict_CheckExact(object) || !PyDict_Next(object, &at, &key, &value))
        return false;
    if (!PyLong_CheckExact(key) || !PyWeakref_CheckRefExact(value))
        return false;
    void *address = PyLong_AsVoidPtr(key);
    PyErr_Clear();
    return address == ((PyWeakReference *)value)->wr_object && PyType_Check((PyObject *)address);
}

static int unreferred_keep(PyObject *object, void *arg)
{
    struct search *search = arg;
    if (hw_bits_has(search->referred, object) || is_subclass_table(object) ||
        (!search->asking && soon_untracked(object)))
        return 0;
    return hw_stack_keep(&search->found, object);
}

/* What a type holds and does not tell the collector of: all, if it is a static one; of a heap type its slots
 * and its subclasses (type_dealloc() and type_traverse() in Objects/typeobject.c). */
static int type_mark(PyTypeObject *type, struct search *search)
{
    bool heap = PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE);
    PyObject *parts[] = {
        hw_type_subclasses(type),
        heap ? ((PyHeapTypeObject *)type)->ht_slots : hw_type_dict(type),
        heap ? NULL : type->tp_bases,
        heap ? NULL : type->tp_mro,
        heap ? NULL : type->tp_cache,
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (parts[i] && mark(parts[i], search) < 0)
            return -1;
    return 0;
}

/* All types, from object on. Makes lists: called after the walk. */
static int types_mark(struct search *search)
{
    struct hw_stack types = {0};
    struct hw_bits *met = hw_bits_create();
    int result = met ? hw_stack_push(&types, (PyObject *)&PyBaseObject_Type) : -1;
    while (!result && types.count) {
        PyTypeObject *type = (PyTypeObject *)types.items[--types.count];
        result = type_mark(type, search);
        PyObject *children =
            result ? NULL : PyObject_CallMethod((PyObject *)&PyType_Type, "__subclasses__", "O", type);
        if (!children)
            result = -1;
        for (Py_ssize_t i = 0; !result && i < PyList_GET_SIZE(children); i++) {
            int is_new = hw_bits_add(met, PyList_GET_ITEM(children, i));
            result = is_new > 0 ? hw_stack_push(&types, PyList_GET_ITEM(children, i)) : is_new;
        }
        Py_XDECREF(children);
    }
    hw_stack_deinit(&types);
    hw_bits_destroy(met);
    return result;
}

static int candidates_keep(struct search *search)
{
    PyObject *objects = search->asking;
    if (!objects)
        return hw_tracked_visit(unreferred_keep, search);
    int result = 0;
    for (Py_ssize_t i = 0; !result && i < PyList_GET_SIZE(objects); i++)
        result = unreferred_keep(PyList_GET_ITEM(objects, i), search);
    return result;
}

/* Gives the references to a list; of those that are still unreferred. */
static PyObject *found_list(struct search *search, int result)
{
    PyObject *list = result ? NULL : PyList_New(0);
    for (size_t i = 0; i < search->found.count; i++) {
        PyObject *object = search->found.items[i];
        if (list && !hw_bits_has(search->referred, object) && PyList_Append(list, object) < 0)
            Py_CLEAR(list);
        Py_DECREF(object);
    }
    hw_stack_deinit(&search->found);
    return list;
}

PyObject *hw_unreferred(PyObject *module, PyObject *objects)
{
    (void)module;
    if (objects != Py_None && !PyList_Check(objects)) {
        PyErr_SetString(PyExc_TypeError, "unreferred() takes a list of objects, or None");
        return NULL;
    }
    struct search search = {.referred = hw_bits_create(), .asking = objects == Py_None ? NULL : objects};
    int result = search.referred ? 0 : -1;
    for (int list = HW_GC_YOUNG; !result && list < HW_GC_LIST_COUNT; list++)
        result = hw_gc_list_visit((enum hw_gc_list)list, source_mark, &search);
    if (!result)
        result = candidates_keep(&search);
    if (!result && search.found.count)
        result = types_mark(&search);
    PyObject *found = found_list(&search, result);
    hw_bits_destroy(search.referred);
    return found;
}

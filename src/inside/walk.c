/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/walk.h"

#include "inside/grow.h"
#include "inside/innards.h"
#include "inside/ndarray.h"
#include "inside/version.h"

#include <stdlib.h>

void *hw_address_of(PyObject *number)
{
    enum { ADDRESS_BITS = 48 };
    void *address = PyLong_Check(number) ? PyLong_AsVoidPtr(number) : NULL;
    PyErr_Clear();
    bool possible = (uintptr_t)address % sizeof(void *) == 0 && (uintptr_t)address >> ADDRESS_BITS == 0;
    return possible ? address : NULL;
}

int hw_stack_push(struct hw_stack *stack, PyObject *object)
{
    PyObject **items = hw_grow(stack->items, &stack->capacity, stack->count + 1, sizeof(*items));
    if (!items)
        return -1;
    stack->items = items;
    stack->items[stack->count++] = object;
    return 0;
}

void hw_stack_deinit(struct hw_stack *stack)
{
    free(stack->items);
    *stack = (struct hw_stack){0};
}

int hw_stack_keep(struct hw_stack *stack, PyObject *object)
{
    if (hw_stack_push(stack, object) < 0)
        return -1;
    Py_INCREF(object);
    return 0;
}

PyObject *hw_stack_list(struct hw_stack *stack, int result)
{
    PyObject *list = result ? NULL : PyList_New((Py_ssize_t)stack->count);
    for (size_t i = 0; i < stack->count; i++) {
        if (list)
            PyList_SET_ITEM(list, (Py_ssize_t)i, stack->items[i]);
        else
            Py_DECREF(stack->items[i]);
    }
    hw_stack_deinit(stack);
    return list;
}

bool hw_object_is_gc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    return PyType_IS_GC(type) && (!type->tp_is_gc || type->tp_is_gc(object));
}

int hw_tracked_visit(hw_object_fn fn, void *ctx)
{
    int result = 0;
    for (enum hw_gc_list list = HW_GC_YOUNG; !result && list <= HW_GC_OLD; list++)
        result = hw_gc_list_visit(list, fn, ctx);
    return result;
}

static int items_visit(PyObject **items, Py_ssize_t count, hw_object_fn fn, void *ctx)
{
    int result = 0;
    for (Py_ssize_t i = 0; !result && i < count; i++)
        result = items[i] ? fn(items[i], ctx) : 0;
    return result;
}

static int dict_visit(PyObject *dict, hw_object_fn fn, void *ctx)
{
    Py_ssize_t at = 0;
    PyObject *key, *value;
    int result = 0;
    if (dict == hw_interned_strings)
        return 0;
    while (!result && PyDict_Next(dict, &at, &key, &value)) {
        result = fn(key, ctx);
        if (!result)
            result = fn(value, ctx);
    }
    return result;
}

/* dict_traverse() leaves out keys that are strings, as these can't be part of a cycle
 * (Objects/dictobject.c). */
static int keys_visit(PyObject *dict, hw_object_fn fn, void *ctx)
{
    Py_ssize_t at = 0;
    PyObject *key, *value;
    int result = 0;
    while (!result && PyDict_Next(dict, &at, &key, &value))
        if (PyUnicode_CheckExact(key))
            result = fn(key, ctx);
    return result;
}

/* What a type that C code defined holds: the collector must not ask it (type_traverse()). */
static int static_type_visit(PyTypeObject *type, hw_object_fn fn, void *ctx)
{
    PyObject *parts[] = {hw_type_dict(type), type->tp_bases, type->tp_mro, (PyObject *)type->tp_base};
    return items_visit(parts, sizeof(parts) / sizeof(*parts), fn, ctx);
}

/* The common containers without the detour through tp_traverse. */
int hw_referents_visit(PyObject *object, hw_object_fn fn, void *ctx)
{
    PyTypeObject *type = Py_TYPE(object);
    if (type == &PyTuple_Type)
        return items_visit(((PyTupleObject *)object)->ob_item, Py_SIZE(object), fn, ctx);
    if (type == &PyList_Type)
        return items_visit(((PyListObject *)object)->ob_item, Py_SIZE(object), fn, ctx);
    if (type == &PyDict_Type)
        return dict_visit(object, fn, ctx);
    if (type == &PyCode_Type) {
        PyObject *parts[HW_CODE_PARTS];
        return items_visit(parts, hw_code_parts((PyCodeObject *)object, parts), fn, ctx);
    }
    if (PyType_Check(object) && !hw_object_is_gc(object))
        return static_type_visit((PyTypeObject *)object, fn, ctx);
    int result = PyDict_Check(object)     ? keys_visit(object, fn, ctx)
                 : hw_array_is(object) ? hw_array_visit(object, fn, ctx)
                                       : 0;
    if (result || !hw_object_is_gc(object) || !type->tp_traverse)
        return result;
    result = type->tp_traverse(object, fn, ctx);
    PyObject *dict = result ? NULL : hw_shared_dict(object);
    return dict ? fn(dict, ctx) : result;
}

int hw_references_visit(PyObject *object, hw_object_fn fn, void *ctx)
{
    bool shares_keys = PyDict_CheckExact(object) && ((PyDictObject *)object)->ma_values;
    bool is_derived = PyDict_Check(object) && !PyDict_CheckExact(object);
    return shares_keys || is_derived ? Py_TYPE(object)->tp_traverse(object, fn, ctx)
                                     : hw_referents_visit(object, fn, ctx);
}

bool hw_object_leads_on(PyObject *object)
{
    return hw_object_is_gc(object) || PyCode_Check(object) || PyType_Check(object) || hw_array_is(object);
}

/* Of the whole heap. Tracked objects come by themselves, from the lists; so only what is not tracked
 * must be remembered. Where the list of frozen objects can't be had, and while there are some, every
 * object is remembered, and the modules are a place to begin at. */
struct heap_visit {
    hw_object_fn fn;
    void *ctx;
    struct hw_bits *seen;
    struct hw_stack stack;
    bool remembers_all;
};

static int referent_meet(PyObject *object, void *arg)
{
    struct heap_visit *visit = arg;
    if (!visit->remembers_all && hw_object_is_tracked(object))
        return 0;
    int is_new = hw_bits_add(visit->seen, object);
    if (is_new <= 0)
        return is_new;
    int result = visit->fn(object, visit->ctx);
    return result || !hw_object_leads_on(object) ? result : hw_stack_push(&visit->stack, object);
}

static int stack_empty(struct heap_visit *visit)
{
    int result = 0;
    while (!result && visit->stack.count)
        result = hw_referents_visit(visit->stack.items[--visit->stack.count], referent_meet, visit);
    return result;
}

static int tracked_meet(PyObject *object, void *arg)
{
    struct heap_visit *visit = arg;
    int result = 0;
    if (visit->remembers_all) {
        result = referent_meet(object, visit);
    } else {
        result = visit->fn(object, visit->ctx);
        if (!result)
            result = hw_referents_visit(object, referent_meet, visit);
    }
    return result ? result : stack_empty(visit);
}

static int variable_meet(PyObject *name, PyObject *value, void *visit)
{
    return referent_meet(value, visit);
}

static int frame_meet(const struct hw_frame *frame, void *visit)
{
    return hw_frame_locals_visit(frame, variable_meet, visit);
}

int hw_heap_visit(hw_object_fn fn, void *ctx)
{
    Py_ssize_t frozen = 0;
    if (!hw_gc_frozen_known() && (frozen = hw_gc_frozen_count()) < 0)
        return -1;
    struct heap_visit visit = {fn, ctx, hw_bits_create(), {0}, frozen > 0};
    if (!visit.seen)
        return -1;
    int result = hw_tracked_visit(tracked_meet, &visit);
    if (!result)
        result = hw_gc_list_visit(HW_GC_FROZEN, tracked_meet, &visit);
    if (!result && frozen)
        result = tracked_meet(PyImport_GetModuleDict(), &visit);
    if (!result)
        result = hw_frames_visit(frame_meet, &visit);
    if (!result)
        result = stack_empty(&visit);
    hw_stack_deinit(&visit.stack);
    hw_bits_destroy(visit.seen);
    return result;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/deep.h"

#include "inside/ndarray.h"
#include "inside/version.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum kind {
    KIND_UNKNOWN,
    KIND_DATA,
    KIND_TYPE,
    KIND_CODE,
    KIND_BUILTIN,
    KIND_FRAME,
    KIND_MODULE,
    KIND_WEAK,
    KIND_MAPPING,
};

static enum kind kind_of(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    if (PyType_Check(object))
        return KIND_TYPE;
    if (type == &PyFunction_Type || type == &PyCode_Type || type == &PyMethod_Type || type == &PyStaticMethod_Type ||
        type == &PyClassMethod_Type)
        return KIND_CODE;
    if (PyCFunction_Check(object))
        return KIND_BUILTIN;
    if (type == &PyFrame_Type)
        return KIND_FRAME;
    if (PyModule_Check(object))
        return KIND_MODULE;
    if (PyWeakref_CheckRef(object))
        return KIND_WEAK;
    return strcmp(type->tp_name, "mmap.mmap") ? KIND_DATA : KIND_MAPPING;
}

static struct hw_class *class_of(struct hw_deep *deep, PyObject *object)
{
    struct hw_class *row = hw_class_of(&deep->table, object);
    if (row && row->mark == KIND_UNKNOWN)
        row->mark = kind_of(object);
    return row;
}

enum rule { LEAVE_OUT, FLAT, FOLLOW };

static enum rule rule_of(const struct hw_deep *deep, const struct hw_class *row, PyObject *object, bool given)
{
    const struct hw_deep_rules *rules = &deep->rules;
    if (given && rules->given)
        return FOLLOW;
    switch ((enum kind)row->mark) {
    case KIND_TYPE:
        if (!(((PyTypeObject *)object)->tp_flags & Py_TPFLAGS_HEAPTYPE) && !rules->builtins)
            return LEAVE_OUT;
        return rules->code ? FOLLOW : LEAVE_OUT;
    case KIND_CODE:
        return rules->code ? FOLLOW : LEAVE_OUT;
    case KIND_BUILTIN:
        return rules->code && rules->builtins ? FOLLOW : LEAVE_OUT;
    case KIND_FRAME:
        return rules->frames ? FOLLOW : LEAVE_OUT;
    case KIND_MODULE:
        return given || rules->modules ? FOLLOW : rules->flat_modules ? FLAT : LEAVE_OUT;
    default:
        return FOLLOW;
    }
}

static Py_ssize_t mapped_bytes(const struct hw_deep *deep, PyObject *mapping)
{
    Py_ssize_t length = PyObject_Size(mapping), page = sysconf(_SC_PAGESIZE);
    if (length < 0)
        PyErr_Clear(); /* closed */
    Py_ssize_t bytes = length > 0 ? (Py_ssize_t)((double)length * deep->rules.mapped) : 0;
    return (bytes + page - 1) / page * page;
}

static Py_ssize_t aligned(const struct hw_deep *deep, Py_ssize_t bytes)
{
    Py_ssize_t mask = (Py_ssize_t)deep->rules.align - 1;
    return (bytes + mask) & ~mask;
}

static Py_ssize_t flat_bytes(const struct hw_deep *deep, const struct hw_class *row, PyObject *object)
{
    Py_ssize_t bytes = hw_size_plain(row, object);
    return aligned(deep, row->mark == KIND_MAPPING ? bytes + mapped_bytes(deep, object) : bytes);
}

Py_ssize_t hw_deep_values(const struct hw_deep *deep, PyObject *object)
{
    return aligned(deep, hw_values_bytes(object));
}

int hw_deep_init(struct hw_deep *deep, const struct hw_deep_rules *rules, bool counts)
{
    *deep = (struct hw_deep){.rules = *rules, .seen = hw_bits_create()};
    if (deep->seen && counts)
        deep->again = hw_bits_create();
    if (deep->seen && (!counts || deep->again))
        return 0;
    hw_deep_deinit(deep);
    return -1;
}

void hw_deep_deinit(struct hw_deep *deep)
{
    hw_class_table_deinit(&deep->table);
    hw_bits_destroy(deep->seen);
    hw_bits_destroy(deep->again);
    hw_bits_destroy(deep->held);
    hw_stack_deinit(&deep->stack);
    *deep = (struct hw_deep){0};
}

int hw_deep_exclude(struct hw_deep *deep, PyObject *object)
{
    int is_new = hw_bits_add(deep->seen, object);
    if (is_new > 0 && deep->again) /* never a duplicate either */
        is_new = hw_bits_add(deep->again, object);
    return is_new < 0 ? -1 : 0;
}

int hw_deep_hold(struct hw_deep *deep, PyObject *object)
{
    if (hw_bits_has(deep->seen, object))
        return 0;
    if (!deep->held && !(deep->held = hw_bits_create()))
        return -1;
    return hw_bits_add(deep->held, object) < 0 ? -1 : 0;
}

int hw_deep_meet(struct hw_deep *deep, PyObject *object, bool given)
{
    if (deep->held && hw_bits_has(deep->held, object)) {
        if (!given)
            return 0;
        hw_bits_remove(deep->held, object);
    }
    int is_new = hw_bits_add(deep->seen, object);
    if (!deep->again || is_new < 0)
        return is_new;
    deep->met_count++;
    if (!is_new) {
        int is_second = hw_bits_add(deep->again, object);
        if (is_second < 0)
            return -1;
        deep->duplicate_count += (size_t)is_second;
    }
    return is_new;
}

Py_ssize_t hw_deep_flat(struct hw_deep *deep, PyObject *object, bool given)
{
    struct hw_class *row = class_of(deep, object);
    if (!row)
        return -1;
    return rule_of(deep, row, object, given) == LEAVE_OUT ? 0 : flat_bytes(deep, row, object);
}

/* A function's globals, a class's module are not its own. */
struct own_visit {
    hw_object_fn fn;
    void *ctx;
    PyObject *globals[2];
};

static int own_visit(PyObject *object, void *arg)
{
    struct own_visit *visit = arg;
    bool foreign = object == visit->globals[0] || object == visit->globals[1];
    return foreign ? 0 : visit->fn(object, visit->ctx);
}

static int own_referents_visit(PyObject *object, hw_object_fn fn, void *ctx)
{
    struct own_visit visit = {.fn = fn, .ctx = ctx};
    hw_globals_of(object, visit.globals);
    return hw_referents_visit(object, own_visit, &visit);
}

static int weak_visit(PyObject *object, hw_object_fn fn, void *ctx)
{
    PyObject *target = ((PyWeakReference *)object)->wr_object;
    int result = target != Py_None && Py_REFCNT(target) > 0 ? fn(target, ctx) : 0;
    return result ? result : hw_referents_visit(object, fn, ctx);
}

/* Of an object that the rules follow. */
static int followed_visit(const struct hw_deep *deep, const struct hw_class *row, PyObject *object, hw_object_fn fn,
                          void *ctx)
{
    switch ((enum kind)row->mark) {
    case KIND_CODE:
    case KIND_FRAME:
        return own_referents_visit(object, fn, ctx);
    case KIND_WEAK:
        if (deep->rules.weak)
            return weak_visit(object, fn, ctx);
        break;
    default:
        break;
    }
    return hw_referents_visit(object, fn, ctx);
}

int hw_deep_visit(struct hw_deep *deep, PyObject *object, bool given, hw_object_fn fn, void *ctx)
{
    struct hw_class *row = class_of(deep, object);
    if (!row)
        return -1;
    return rule_of(deep, row, object, given) == FOLLOW ? followed_visit(deep, row, object, fn, ctx) : 0;
}

static int object_count(struct hw_deep *deep, PyObject *object, bool given)
{
    struct hw_class *row = class_of(deep, object);
    if (!row)
        return -1;
    enum rule rule = rule_of(deep, row, object, given);
    if (rule == LEAVE_OUT)
        return 0;
    deep->bytes += (size_t)flat_bytes(deep, row, object);
    deep->sized_count++;
    if (rule == FLAT || !hw_object_leads_on(object))
        return 0;
    return hw_stack_push(&deep->stack, object);
}

static int referent_meet(PyObject *object, void *arg)
{
    struct hw_deep *deep = arg;
    int is_new = hw_deep_meet(deep, object, false);
    return is_new > 0 ? object_count(deep, object, false) : is_new;
}

/* What is on the stack is followed by the rules. */
static int pushed_visit(struct hw_deep *deep, PyObject *object)
{
    struct hw_class *row = class_of(deep, object);
    if (!row)
        return -1;
    deep->bytes += (size_t)hw_deep_values(deep, object);
    return followed_visit(deep, row, object, referent_meet, deep);
}

/* Depth first: then memory is read nearly in the order in which it was made. */
static int stack_follow(struct hw_deep *deep)
{
    int result = 0;
    while (!result && deep->stack.count)
        result = pushed_visit(deep, deep->stack.items[--deep->stack.count]);
    return result;
}

/* Attributes outside of a dict are as far away as they would be in one: an instance waits for a second turn,
 * which a bit of its pointer tells. */
static int level_visit(struct hw_deep *deep, PyObject *pushed)
{
    const uintptr_t second = 1;
    PyObject *object = (PyObject *)((uintptr_t)pushed & ~second);
    if (pushed != object)
        return hw_referents_visit(object, referent_meet, deep);
    Py_ssize_t bytes = hw_deep_values(deep, object);
    if (!bytes)
        return pushed_visit(deep, object);
    deep->bytes += (size_t)bytes;
    return hw_stack_push(&deep->stack, (PyObject *)((uintptr_t)object | second));
}

/* Breadth first: so a limit is one of distance, whatever the order. */
static int levels_follow(struct hw_deep *deep, Py_ssize_t limit)
{
    int result = 0;
    for (Py_ssize_t level = 0; !result && deep->stack.count && level < limit; level++) {
        struct hw_stack now = deep->stack;
        deep->stack = (struct hw_stack){0};
        for (size_t i = 0; !result && i < now.count; i++)
            result = level_visit(deep, now.items[i]);
        hw_stack_deinit(&now);
    }
    return result;
}

static int all_follow(struct hw_deep *deep, Py_ssize_t limit)
{
    int result = limit == HW_DEEP_ALL ? stack_follow(deep) : levels_follow(deep, limit);
    deep->stack.count = 0;
    return result;
}

int hw_deep_add(struct hw_deep *deep, PyObject *object, Py_ssize_t limit)
{
    int is_new = hw_deep_meet(deep, object, true);
    if (is_new <= 0)
        return is_new;
    int result = object_count(deep, object, true);
    return result ? result : all_follow(deep, limit);
}

int hw_deep_add_below(struct hw_deep *deep, PyObject *object, Py_ssize_t limit)
{
    struct hw_class *row = class_of(deep, object);
    if (!row)
        return -1;
    if (rule_of(deep, row, object, true) != FOLLOW || hw_stack_push(&deep->stack, object) < 0)
        return PyErr_Occurred() ? -1 : 0;
    return all_follow(deep, limit);
}

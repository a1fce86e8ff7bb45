/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/own.h"

#include "inside/walk.h"

#include <stdlib.h>
#include <string.h>

PyTypeObject *hw_result_type;
static struct hw_result *results; /* all that are alive, newest first */

void hw_result_link(PyObject *object)
{
    struct hw_result *result = (struct hw_result *)object;
    result->previous = NULL;
    result->next = results;
    if (results)
        results->previous = result;
    results = result;
}

void hw_result_unlink(PyObject *object)
{
    struct hw_result *result = (struct hw_result *)object;
    if (result->previous)
        result->previous->next = result->next;
    else
        results = result->next;
    if (result->next)
        result->next->previous = result->previous;
}

static PyObject *result_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *result = type->tp_alloc(type, 0);
    if (result)
        hw_result_link(result);
    return result;
}

static void result_dealloc(PyObject *result)
{
    PyTypeObject *type = Py_TYPE(result);
    hw_result_unlink(result);
    type->tp_free(result);
    Py_DECREF(type);
}

static PyType_Slot result_slots[] = {
    {Py_tp_doc, "Base of what heapwhy hands out: not counted in its answers."},
    {Py_tp_new, result_new},
    {Py_tp_dealloc, result_dealloc},
    {0, NULL},
};
static PyType_Spec result_spec = {
    .name = "heapwhy._heapwhy.Result",
    .basicsize = sizeof(struct hw_result),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = result_slots,
};

int hw_own_init(PyObject *module)
{
    hw_result_type = (PyTypeObject *)PyType_FromSpec(&result_spec);
    return hw_type_add(module, hw_result_type);
}

/*
 * What only own objects refer to: an object is own when as many references to it were met, coming from
 * own objects, as it counts. Types and functions of ours are own from the start, as frames that run, and
 * cycles through themselves, hold them too.
 */
struct claim {
    PyObject *object;
    Py_ssize_t met;
};

struct own_search {
    struct hw_bits *own;
    struct hw_stack stack; /* own, to be visited */
    struct claim *claims;  /* open addressing by address */
    size_t claim_count, capacity;
};

static struct claim *claim_slot(const struct own_search *search, PyObject *object)
{
    size_t mask = search->capacity - 1;
    size_t at = ((uintptr_t)object >> 4) * (size_t)0x9E3779B97F4A7C15u >> 24 & mask;
    while (search->claims[at].object && search->claims[at].object != object)
        at = (at + 1) & mask;
    return &search->claims[at];
}

static int claims_grow(struct own_search *search)
{
    struct own_search larger = *search;
    larger.capacity = search->capacity ? search->capacity * 2 : 4096;
    larger.claims = calloc(larger.capacity, sizeof(*larger.claims));
    if (!larger.claims) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < search->capacity; i++)
        if (search->claims[i].object)
            *claim_slot(&larger, search->claims[i].object) = search->claims[i];
    free(search->claims);
    *search = larger;
    return 0;
}

static int own_add(struct own_search *search, PyObject *object)
{
    int is_new = hw_bits_add(search->own, object);
    return is_new > 0 ? hw_stack_push(&search->stack, object) : is_new;
}

static bool name_is_ours(PyObject *name)
{
    const char *text = name && PyUnicode_CheckExact(name) ? PyUnicode_AsUTF8(name) : NULL;
    if (!text)
        PyErr_Clear();
    return text && !strncmp(text, "heapwhy", 7) && (!text[7] || text[7] == '.');
}

/* Types by their __module__, functions by their globals. */
static bool is_ours(const struct own_search *search, PyObject *object)
{
    if (PyFunction_Check(object))
        return hw_bits_has(search->own, PyFunction_GET_GLOBALS(object));
    if (!PyType_Check(object) || !(((PyTypeObject *)object)->tp_flags & Py_TPFLAGS_HEAPTYPE))
        return false;
    PyObject *dict = ((PyTypeObject *)object)->tp_dict;
    PyObject *name = dict ? PyDict_GetItemString(dict, "__module__") : NULL;
    return name_is_ours(name);
}

static int referent_claim(PyObject *referent, void *arg)
{
    struct own_search *search = arg;
    if (hw_bits_has(search->own, referent))
        return 0;
    if (is_ours(search, referent))
        return own_add(search, referent);
    if (search->claim_count * 2 >= search->capacity && claims_grow(search) < 0)
        return -1;
    struct claim *claim = claim_slot(search, referent);
    search->claim_count += !claim->object;
    claim->object = referent;
    return ++claim->met == Py_REFCNT(referent) ? own_add(search, referent) : 0;
}

static int code_claim(struct own_search *search, PyObject *function)
{
    return PyFunction_Check(function) ? own_add(search, PyFunction_GET_CODE(function)) : 0;
}

/* The dict of a module first, so that its functions are known by it. */
static int module_claim(struct own_search *search, PyObject *module)
{
    PyObject *dict = PyModule_Check(module) ? PyModule_GetDict(module) : NULL;
    if (!dict)
        return 0;
    return own_add(search, dict) < 0 ? -1 : own_add(search, module);
}

static int roots_claim(struct own_search *search)
{
    PyObject *modules = PyImport_GetModuleDict(), *name, *module;
    Py_ssize_t at = 0;
    while (modules && PyDict_Check(modules) && PyDict_Next(modules, &at, &name, &module))
        if (name_is_ours(name) && module_claim(search, module) < 0)
            return -1;
    for (struct hw_result *result = results; result; result = result->next)
        if (own_add(search, (PyObject *)result) < 0)
            return -1;
    return 0;
}

int hw_own_mark(struct hw_bits *bits)
{
    struct own_search search = {.own = bits};
    int result = roots_claim(&search);
    while (!result && search.stack.count) {
        PyObject *object = search.stack.items[--search.stack.count];
        result = code_claim(&search, object);
        if (!result)
            result = hw_references_visit(object, referent_claim, &search);
    }
    hw_stack_deinit(&search.stack);
    free(search.claims);
    return result;
}

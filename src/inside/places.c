/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/places.h"

#include <frameobject.h>
#include <string.h>

#define VALUES_BEFORE (PY_VERSION_HEX >= 0x030b0000 && PY_VERSION_HEX < 0x030c0000) /* at object - 32 */
#define VALUES_TAGGED (PY_VERSION_HEX >= 0x030c0000 && PY_VERSION_HEX < 0x030d0000) /* at object - 24 */
#define VALUES_BEHIND (PY_VERSION_HEX >= 0x030d0000)                                /* after the object */

#if PY_VERSION_HEX >= 0x030b0000
/* The word before the collector's header: a dict, or from 3.12 on maybe values, marked by the low bit. */
static uintptr_t managed_word(PyObject *object)
{
    return ((uintptr_t *)object)[-3];
}
#endif

PyObject *hw_instance_dict(PyObject *object)
{
#if PY_VERSION_HEX >= 0x030b0000
    if (PyType_HasFeature(Py_TYPE(object), Py_TPFLAGS_MANAGED_DICT)) {
        uintptr_t word = managed_word(object);
        return VALUES_TAGGED && word & 1 ? NULL : (PyObject *)word;
    }
#endif
    PyObject **place = _PyObject_GetDictPtr(object);
    return place ? *place : NULL;
}

#if PY_VERSION_HEX >= 0x030b0000

static PyObject **values_of(PyObject *object)
{
#if VALUES_BEFORE
    return ((PyObject ***)object)[-4];
#elif VALUES_TAGGED
    uintptr_t word = managed_word(object);
    return word & 1 ? (PyObject **)(word + 1) : NULL;
#else
    enum { VALID = 3, FIRST = 8 }; /* capacity, size, embedded, valid: a byte each; then the values */
    char *values = (char *)object + Py_TYPE(object)->tp_basicsize;
    bool has_values = PyType_HasFeature(Py_TYPE(object), Py_TPFLAGS_INLINE_VALUES);
    return has_values && values[VALID] ? (PyObject **)(values + FIRST) : NULL;
#endif
}

struct hw_values hw_instance_values(PyObject *object)
{
    enum { LOG2_INDEX_BYTES = 9, ENTRY_COUNT = 24, INDICES = 32 }; /* struct _dictkeysobject */
    if (!PyType_HasFeature(Py_TYPE(object), Py_TPFLAGS_MANAGED_DICT))
        return (struct hw_values){0};
    PyObject **values = values_of(object);
    const char *keys = (const char *)((PyHeapTypeObject *)Py_TYPE(object))->ht_cached_keys;
    if (!values || !keys)
        return (struct hw_values){0};
    Py_ssize_t count;
    memcpy(&count, keys + ENTRY_COUNT, sizeof(count));
    return (struct hw_values){values, count, keys + INDICES + ((size_t)1 << (uint8_t)keys[LOG2_INDEX_BYTES])};
}

#else

struct hw_values hw_instance_values(PyObject *object)
{
    (void)object;
    return (struct hw_values){0};
}

#endif

PyObject *hw_values_name(const struct hw_values *values, Py_ssize_t i)
{
    PyObject *name;
    memcpy(&name, values->entries + (size_t)i * 2 * sizeof(name), sizeof(name)); /* {key, value} */
    return name;
}

#if PY_VERSION_HEX >= 0x030b0000

/* struct _PyInterpreterFrame: where the words for the code and for the first local variable are. */
enum {
    FRAME_CODE = PY_VERSION_HEX >= 0x030c0000 ? 0 : 4,
    FRAME_LOCALS = PY_VERSION_HEX >= 0x030e0000 ? 10 : 9,
};

static const uintptr_t *frame_words(PyObject *object)
{
    enum { FRAME_OBJECT_FRAME = 3 }; /* struct _frame: head, f_back, f_frame */
    if (PyFrame_Check(object))
        return ((const uintptr_t *const *)object)[FRAME_OBJECT_FRAME];
#if PY_VERSION_HEX < 0x030e0000
    if (PyGen_Check(object) || PyCoro_CheckExact(object) || PyAsyncGen_CheckExact(object)) {
        enum { COMPLETED = 1 }; /* and more: cleared; less: created, suspended or executing */
        const PyGenObject *generator = (const PyGenObject *)object;
        return generator->gi_frame_state < COMPLETED ? (const uintptr_t *)generator->gi_iframe : NULL;
    }
#endif
    return NULL;
}

bool hw_locals_of(PyObject *object, struct hw_locals *ret_locals)
{
    const uintptr_t *words = frame_words(object);
    PyObject *code = words ? (PyObject *)(words[FRAME_CODE] & ~(uintptr_t)3) : NULL;
    if (!code || !PyCode_Check(code))
        return false;
    *ret_locals = (struct hw_locals){words + FRAME_LOCALS, ((PyCodeObject *)code)->co_nlocalsplus,
                                     (PyCodeObject *)code};
    return true;
}

PyObject *hw_locals_name(const struct hw_locals *locals, Py_ssize_t i)
{
    return PySequence_GetItem(locals->code->co_localsplusnames, i);
}

#else

bool hw_locals_of(PyObject *object, struct hw_locals *ret_locals)
{
    if (!PyFrame_Check(object))
        return false;
    PyFrameObject *frame = (PyFrameObject *)object;
    PyCodeObject *code = frame->f_code;
    Py_ssize_t count = code->co_nlocals + PyTuple_GET_SIZE(code->co_cellvars) +
                       PyTuple_GET_SIZE(code->co_freevars);
    *ret_locals = (struct hw_locals){(const uintptr_t *)frame->f_localsplus, count, code};
    return true;
}

PyObject *hw_locals_name(const struct hw_locals *locals, Py_ssize_t i)
{
    PyObject *parts[] = {locals->code->co_varnames, locals->code->co_cellvars, locals->code->co_freevars};
    size_t part = 0;
    while (part < 2 && i >= PyTuple_GET_SIZE(parts[part]))
        i -= PyTuple_GET_SIZE(parts[part++]);
    return PySequence_GetItem(parts[part], i);
}

#endif

/* From 3.14 on the low bits of a word tell whether it owns its reference, and 1 is none. */
PyObject *hw_locals_value(const struct hw_locals *locals, Py_ssize_t i)
{
    uintptr_t word = locals->words[i];
    return (word & 3) == 3 ? NULL : (PyObject *)(word & ~(uintptr_t)3);
}

/* SPDX-License-Identifier: Apache-2.0 */
#define Py_BUILD_CORE 1
#include "inside/innards.h"

#include "inside/version.h"

#include <frameobject.h>

/*
 * Sources: Include/internal/pycore_frame.h (3.14: pycore_interpframe.h, pycore_stackref.h, too),
 * pycore_object.h, pycore_dict.h of each version; Include/cpython/frameobject.h and pystate.h of 3.9 and 3.10.
 */
#if PY_VERSION_HEX >= 0x030b0000
#include <internal/pycore_dict.h>
#include <internal/pycore_frame.h>
#include <internal/pycore_object.h>
#endif
#if PY_VERSION_HEX >= 0x030e0000
#include <internal/pycore_genobject.h>
#include <internal/pycore_interpframe.h>
#include <internal/pycore_stackref.h>
#endif

static PyObject *plain_dict(PyObject *object)
{
    if (PyType_Check(object))
        return hw_type_dict((PyTypeObject *)object);
    PyObject **slot = Py_TYPE(object)->tp_dictoffset ? _PyObject_GetDictPtr(object) : NULL;
    return slot ? *slot : NULL;
}

#if PY_VERSION_HEX >= 0x030d0000

PyObject *hw_object_dict(PyObject *object)
{
    if (!(Py_TYPE(object)->tp_flags & Py_TPFLAGS_MANAGED_DICT))
        return plain_dict(object);
    return (PyObject *)_PyObject_ManagedDictPointer(object)->dict;
}

static PyDictValues *inline_values(PyObject *object)
{
    if (!(Py_TYPE(object)->tp_flags & Py_TPFLAGS_INLINE_VALUES))
        return NULL; /* a dict may share them; the instance holds them (PyObject_VisitManagedDict()) */
    PyDictValues *values = _PyObject_InlineValues(object);
    return values->valid ? values : NULL;
}

#elif PY_VERSION_HEX >= 0x030c0000

PyObject *hw_object_dict(PyObject *object)
{
    if (!(Py_TYPE(object)->tp_flags & Py_TPFLAGS_MANAGED_DICT))
        return plain_dict(object);
    PyDictOrValues either = *_PyObject_DictOrValuesPointer(object);
    return _PyDictOrValues_IsValues(either) ? NULL : _PyDictOrValues_GetDict(either);
}

static PyDictValues *inline_values(PyObject *object)
{
    if (!(Py_TYPE(object)->tp_flags & Py_TPFLAGS_MANAGED_DICT))
        return NULL;
    PyDictOrValues either = *_PyObject_DictOrValuesPointer(object);
    return _PyDictOrValues_IsValues(either) ? _PyDictOrValues_GetValues(either) : NULL;
}

#elif PY_VERSION_HEX >= 0x030b0000

PyObject *hw_object_dict(PyObject *object)
{
    if (!(Py_TYPE(object)->tp_flags & Py_TPFLAGS_MANAGED_DICT))
        return plain_dict(object);
    return *_PyObject_ManagedDictPointer(object);
}

static PyDictValues *inline_values(PyObject *object)
{
    if (!(Py_TYPE(object)->tp_flags & Py_TPFLAGS_MANAGED_DICT))
        return NULL;
    return *_PyObject_ValuesPointer(object);
}

#else

PyObject *hw_object_dict(PyObject *object)
{
    return plain_dict(object);
}

#endif

#if PY_VERSION_HEX >= 0x030b0000

int hw_inline_attributes_visit(PyObject *object, hw_named_fn fn, void *ctx)
{
    PyDictValues *values = inline_values(object);
    PyDictKeysObject *keys = values ? ((PyHeapTypeObject *)Py_TYPE(object))->ht_cached_keys : NULL;
    int result = 0;
    for (Py_ssize_t i = 0; keys && !result && i < keys->dk_nentries; i++)
        if (values->values[i])
            result = fn(DK_UNICODE_ENTRIES(keys)[i].me_key, values->values[i], ctx);
    return result;
}

#else

int hw_inline_attributes_visit(PyObject *object, hw_named_fn fn, void *ctx)
{
    return 0;
}

#endif

#if PY_VERSION_HEX >= 0x030b0000

typedef _PyInterpreterFrame raw_frame;

#if PY_VERSION_HEX >= 0x030e0000
/* Iterating, the evaluation stack has numbers on it that are no objects. */
static PyObject *object_of(_PyStackRef slot)
{
    return PyStackRef_IsNullOrInt(slot) ? NULL : PyStackRef_AsPyObjectBorrow(slot);
}
#endif

#if PY_VERSION_HEX >= 0x030e0000
#define CODE_OF(frame) _PyFrame_GetCode(frame)
#define VALUE_AT(frame, i) object_of((frame)->localsplus[i])
#define STACK_END(frame) ((frame)->stackpointer ? (frame)->stackpointer - (frame)->localsplus : 0)
#elif PY_VERSION_HEX >= 0x030d0000
#define CODE_OF(frame) _PyFrame_GetCode(frame)
#define VALUE_AT(frame, i) ((frame)->localsplus[i])
#define STACK_END(frame) ((frame)->stacktop)
#else
#define CODE_OF(frame) ((frame)->f_code)
#define VALUE_AT(frame, i) ((frame)->localsplus[i])
#define STACK_END(frame) ((frame)->stacktop)
#endif

static raw_frame *innermost(PyThreadState *thread)
{
#if PY_VERSION_HEX >= 0x030d0000
    return thread->current_frame;
#else
    return thread->cframe->current_frame;
#endif
}

static raw_frame *outer(raw_frame *frame)
{
    return frame->previous;
}

static bool is_complete(raw_frame *frame)
{
    return !_PyFrame_IsIncomplete(frame);
}

static raw_frame *owned_frame(PyObject *owner)
{
    if (PyFrame_Check(owner)) {
        raw_frame *frame = ((PyFrameObject *)owner)->f_frame;
        return frame->owner == FRAME_OWNED_BY_FRAME_OBJECT ? frame : NULL;
    }
    PyGenObject *generator = (PyGenObject *)owner;
    if (generator->gi_frame_state >= FRAME_COMPLETED)
        return NULL;
    return (raw_frame *)&generator->gi_iframe;
}

static Py_ssize_t named_count(raw_frame *frame)
{
    return CODE_OF(frame)->co_nlocalsplus;
}

static PyObject *name_at(PyCodeObject *code, Py_ssize_t i)
{
    return PyTuple_GET_ITEM(code->co_localsplusnames, i);
}

#else

typedef PyFrameObject raw_frame;

#define CODE_OF(frame) ((frame)->f_code)
#define VALUE_AT(frame, i) ((frame)->f_localsplus[i])
#if PY_VERSION_HEX >= 0x030a0000
#define STACK_END(frame) (named_count(frame) + (frame)->f_stackdepth)
#else
#define STACK_END(frame) ((frame)->f_stacktop ? (frame)->f_stacktop - (frame)->f_localsplus : 0)
#endif

static raw_frame *innermost(PyThreadState *thread)
{
    return thread->frame;
}

static raw_frame *outer(raw_frame *frame)
{
    return frame->f_back;
}

static bool is_complete(raw_frame *frame)
{
    return true;
}

static raw_frame *owned_frame(PyObject *owner)
{
    return PyFrame_Check(owner) ? (raw_frame *)owner : NULL; /* a generator's frame is an object */
}

static Py_ssize_t named_count(raw_frame *frame)
{
    PyCodeObject *code = frame->f_code;
    return code->co_nlocals + PyTuple_GET_SIZE(code->co_cellvars) + PyTuple_GET_SIZE(code->co_freevars);
}

static PyObject *name_at(PyCodeObject *code, Py_ssize_t i)
{
    Py_ssize_t cells = code->co_nlocals, frees = cells + PyTuple_GET_SIZE(code->co_cellvars);
    return i < cells   ? PyTuple_GET_ITEM(code->co_varnames, i)
           : i < frees ? PyTuple_GET_ITEM(code->co_cellvars, i - cells)
                       : PyTuple_GET_ITEM(code->co_freevars, i - frees);
}

#endif

int hw_frames_visit(hw_frame_fn fn, void *ctx)
{
    int result = 0;
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    for (; thread && !result; thread = PyThreadState_Next(thread))
        for (raw_frame *frame = innermost(thread); frame && !result; frame = outer(frame))
            if (is_complete(frame))
                result = fn(&(struct hw_frame){frame, CODE_OF(frame), thread->thread_id}, ctx);
    return result;
}

bool hw_frame_of(PyObject *owner, struct hw_frame *ret_frame)
{
    if (!PyFrame_Check(owner) && !PyGen_Check(owner) && !PyCoro_CheckExact(owner) && !PyAsyncGen_CheckExact(owner))
        return false;
    raw_frame *frame = owned_frame(owner);
    if (!frame)
        return false;
    *ret_frame = (struct hw_frame){frame, CODE_OF(frame), 0};
    return true;
}

int hw_frame_locals_visit(const struct hw_frame *frame, hw_named_fn fn, void *ctx)
{
    raw_frame *raw = frame->raw;
    Py_ssize_t named = named_count(raw), end = STACK_END(raw);
    int result = 0;
    for (Py_ssize_t i = 0; !result && i < (end > named ? end : named); i++) {
        PyObject *value = VALUE_AT(raw, i);
        if (value)
            result = fn(i < named ? name_at(frame->code, i) : NULL, value, ctx);
    }
    return result;
}

/* The first releases of 3.11 look for an instance's block where its type has no pointers before the
 * collector's header, and find nothing (Modules/_tracemalloc.c). */
PyObject *hw_object_traceback(PyObject *ask, PyObject *object)
{
#if PY_VERSION_HEX >= 0x030b0000 && PY_VERSION_HEX < 0x030c0000
    PyTypeObject *type = Py_TYPE(object);
    size_t before = (PyType_IS_GC(type) ? sizeof(PyGC_Head) : 0) +
                    (type->tp_flags & Py_TPFLAGS_MANAGED_DICT ? 2 * sizeof(PyObject *) : 0);
    return _PyTraceMalloc_GetTraceback(0, (uintptr_t)object - before);
#else
    return PyObject_CallFunctionObjArgs(ask, object, NULL);
#endif
}

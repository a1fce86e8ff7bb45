/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_VERSION_H
#define HW_INSIDE_VERSION_H

/*
 * What differs between the versions of CPython that the extension is built for, 3.9 to 3.14; only
 * innards.c asks for the version, too. Source: Include/ of each version.
 */

#include "inside/inside.h"

#include <frameobject.h>

#ifdef Py_GIL_DISABLED
#define HW_FREE_THREADED 1
#else
#define HW_FREE_THREADED 0
#endif

/* Further slots of the module (PEP 489): whatever interpreter loads it, we come to refuse it in our own
 * words (module.c). */
#if PY_VERSION_HEX >= 0x030d0000
#define HW_MODULE_SLOTS {Py_mod_gil, Py_MOD_GIL_NOT_USED}, {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#elif PY_VERSION_HEX >= 0x030c0000
#define HW_MODULE_SLOTS {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#else
#define HW_MODULE_SLOTS
#endif

/* From 3.12 on the collector's lists can be visited without making a list of them; but not those
 * of gc.freeze() (Python/gc.c, PyUnstable_GC_VisitObjects). */
#define HW_VISITS_LISTS (PY_VERSION_HEX >= 0x030c0000)

/* Whether gc.freeze()'s list follows right behind the three others (gclists.h). */
#define HW_GC_FROZEN_FOLLOWS (PY_VERSION_HEX >= 0x030e0000 && PY_VERSION_HEX < 0x030f0000)

/* From 3.14 on every dict is tracked from its beginning, also that of the interned strings. */
#define HW_TRACKS_INTERNED (PY_VERSION_HEX >= 0x030e0000)

/* Switches the collector on or off. Whether it was on, or -1 with an exception; one that is set already
 * stays. */
static inline int hw_gc_switch(PyObject *gc_module, int on)
{
#if PY_VERSION_HEX >= 0x030a0000
    (void)gc_module;
    return on ? PyGC_Enable() : PyGC_Disable();
#else
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyObject *was = PyObject_CallMethod(gc_module, "isenabled", NULL);
    PyObject *done = was ? PyObject_CallMethod(gc_module, on ? "enable" : "disable", NULL) : NULL;
    int result = done ? was == Py_True : -1;
    if (type)
        PyErr_Restore(type, value, trace);
    Py_XDECREF(was);
    Py_XDECREF(done);
    return result;
#endif
}

/* The global variables of a frame; borrowed, NULL where they are no dict. */
static inline PyObject *hw_frame_globals(PyFrameObject *frame)
{
#if PY_VERSION_HEX >= 0x030b0000
    PyObject *globals = PyFrame_GetGlobals(frame);
    Py_XDECREF(globals); /* the frame has one, too */
#else
    PyObject *globals = frame->f_globals;
#endif
    return globals && PyDict_Check(globals) ? globals : NULL;
}

/* Whether the reference count of an object means nothing. */
static inline bool hw_object_immortal(PyObject *object)
{
#if PY_VERSION_HEX >= 0x030c0000
    return _Py_IsImmortal(object);
#else
    (void)object;
    return false;
#endif
}

/* The dict of a type; borrowed, or NULL. From 3.12 on that of a builtin type is not in the type. */
static inline PyObject *hw_type_dict(PyTypeObject *type)
{
#if PY_VERSION_HEX >= 0x030c0000
    PyObject *dict = PyType_GetDict(type);
    Py_XDECREF(dict);
    return dict;
#else
    return type->tp_dict;
#endif
}

/* The dict that a static type has its subclasses in; borrowed, or NULL where it is no object of the
 * type's: from 3.12 on an index stands there for builtin types. */
static inline PyObject *hw_type_subclasses(PyTypeObject *type)
{
#if PY_VERSION_HEX >= 0x030c0000
    return (uintptr_t)type->tp_subclasses > 0x10000 ? (PyObject *)type->tp_subclasses : NULL;
#else
    return type->tp_subclasses;
#endif
}

/* The objects that a code object holds: what code_dealloc() (Objects/codeobject.c) lets go. Returns how
 * many were written to to[HW_CODE_PARTS]; some may be NULL. */
enum { HW_CODE_PARTS = 12 };
static inline int hw_code_parts(PyCodeObject *code, PyObject **to)
{
    int n = 0;
    to[n++] = code->co_consts;
    to[n++] = code->co_names;
    to[n++] = code->co_filename;
    to[n++] = code->co_name;
#if PY_VERSION_HEX >= 0x030b0000
    to[n++] = code->co_qualname;
    to[n++] = code->co_linetable;
    to[n++] = code->co_exceptiontable;
    to[n++] = code->co_localsplusnames;
    to[n++] = code->co_localspluskinds;
#else
    to[n++] = code->co_code;
    to[n++] = code->co_varnames;
    to[n++] = code->co_freevars;
    to[n++] = code->co_cellvars;
#if PY_VERSION_HEX >= 0x030a0000
    to[n++] = code->co_linetable;
#else
    to[n++] = code->co_lnotab;
#endif
#endif
    return n;
}

/* int.__sizeof__() of an exact int, or 0 where the header does not tell (Objects/longobject.c). */
static inline size_t hw_int_bytes(PyObject *number)
{
#if PY_VERSION_HEX >= 0x030c0000
    return PyUnstable_Long_IsCompact((PyLongObject *)number)
               ? offsetof(PyLongObject, long_value.ob_digit) + sizeof(digit)
               : 0;
#else
    Py_ssize_t digits = Py_SIZE(number);
    if (digits == 0)
        return 0; /* 24 bytes or 28, as the version likes */
    return offsetof(PyLongObject, ob_digit) + (size_t)(digits < 0 ? -digits : digits) * sizeof(digit);
#endif
}

/* What sys.getsizeof() adds to __sizeof__(): the collector's header, and what lies before that
 * (Python/sysmodule.c, _PySys_GetSizeOf()). */
static inline Py_ssize_t hw_header_bytes(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    bool is_gc = PyType_IS_GC(type) && (!type->tp_is_gc || type->tp_is_gc(object));
    Py_ssize_t bytes = is_gc ? 2 * (Py_ssize_t)sizeof(void *) : 0;
#if PY_VERSION_HEX >= 0x030c0000
    if (PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT | Py_TPFLAGS_MANAGED_WEAKREF))
        bytes += 2 * (Py_ssize_t)sizeof(void *);
#elif PY_VERSION_HEX >= 0x030b0000
    if (PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT))
        bytes += 2 * (Py_ssize_t)sizeof(void *);
#endif
    return bytes;
}

/* The dict of an instance that somebody asked for __dict__, where tp_traverse may not visit it: in 3.13 it
 * visits the values that the dict shares with the instance instead. NULL: no such. Source:
 * Objects/dictobject.c, PyObject_VisitManagedDict(). */
static inline PyObject *hw_shared_dict(PyObject *object)
{
#if PY_VERSION_HEX >= 0x030d0000
    enum { VALID = 3 }; /* after capacity, size, embedded */
    PyTypeObject *type = Py_TYPE(object);
    if (PyType_HasFeature(type, Py_TPFLAGS_INLINE_VALUES) && ((char *)object)[type->tp_basicsize + VALID])
        return ((PyObject **)object)[-3];
#endif
    (void)object;
    return NULL;
}

/* The memory of an instance's attributes that no sys.getsizeof() tells: from 3.11 on they lie in an array
 * of the instance's own, and a dict is made only for who asks for __dict__. 0 where there is none.
 * Source: Objects/dictobject.c, new_values(); Include/internal/pycore_dict.h of each version. */
#if PY_VERSION_HEX >= 0x030d0000

static inline Py_ssize_t hw_values_bytes(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    if (!PyType_HasFeature(type, Py_TPFLAGS_INLINE_VALUES))
        return 0;
    /* capacity, and as many bytes of insertion order after the values, rounded up */
    Py_ssize_t capacity = *((unsigned char *)object + type->tp_basicsize), word = sizeof(void *);
    Py_ssize_t bytes = (capacity + word - 1) / word * word + (capacity + 1) * word;
    /* sys.getsizeof() of a dict that shares the values tells of them. */
    return hw_shared_dict(object) ? bytes - capacity * word : bytes;
}

#elif PY_VERSION_HEX >= 0x030b0000

/* Of the class: how many attributes its instances make room for now. Its first members are
 * dk_refcnt, four small ones in a word, dk_usable, dk_nentries. */
static inline Py_ssize_t hw_keys_capacity(PyTypeObject *type)
{
    const Py_ssize_t *keys = (const Py_ssize_t *)((PyHeapTypeObject *)type)->ht_cached_keys;
    return keys ? keys[2] + keys[3] : 0;
}

static inline Py_ssize_t hw_values_bytes(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    if (!PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT))
        return 0;
#if PY_VERSION_HEX >= 0x030c0000
    uintptr_t word = ((uintptr_t *)object)[-3];
    const unsigned char *values = word & 1 ? (const unsigned char *)(word + 1) : NULL;
#else
    const unsigned char *values = ((const unsigned char **)object)[-4];
#endif
    if (!values)
        return 0;
    /* The byte before the values: that of the part before them, capacity + 2 rounded up. The first
     * instances of a class got a little more room than later ones get. */
    Py_ssize_t prefix = values[-1], capacity = hw_keys_capacity(type);
    Py_ssize_t least = prefix - 9 > 1 ? prefix - 9 : 1;
    capacity = capacity < least ? least : capacity > prefix - 2 ? prefix - 2 : capacity;
    return prefix + capacity * (Py_ssize_t)sizeof(void *);
}

#else

static inline Py_ssize_t hw_values_bytes(PyObject *object)
{
    (void)object;
    return 0;
}

#endif

/* What functions and frames hold that belongs to their module, not to them; NULL: nothing such. */
static inline void hw_globals_of(PyObject *object, PyObject *to[2])
{
    to[0] = to[1] = NULL;
    if (PyFunction_Check(object)) {
        to[0] = ((PyFunctionObject *)object)->func_globals;
#if PY_VERSION_HEX >= 0x030a0000
        to[1] = ((PyFunctionObject *)object)->func_builtins;
#endif
    }
#if PY_VERSION_HEX < 0x030b0000
    if (PyFrame_Check(object)) {
        to[0] = ((PyFrameObject *)object)->f_globals;
        to[1] = ((PyFrameObject *)object)->f_builtins;
    }
#endif
}

/* The size, and alignment, of a pool of pymalloc: POOL_SIZE in Objects/obmalloc.c (3.9, before the radix
 * tree of 3.10), 16 KiB since. */
enum { HW_POOL_BYTES = PY_VERSION_HEX >= 0x030a0000 ? 16384 : 4096 };

/* Whether PYTHONMALLOC=mimalloc was asked for (3.13 and later), which has no function that tells sizes. */
static inline bool hw_has_mimalloc(void)
{
#if PY_VERSION_HEX >= 0x030d0000
    const char *wanted = Py_GETENV("PYTHONMALLOC");
    return wanted && strncmp(wanted, "mimalloc", 8) == 0;
#else
    return false;
#endif
}

/* What sys.settrace() or PyEval_SetTrace() has set in this thread; borrowed, may be NULL. */
static inline Py_tracefunc hw_trace_function(PyObject **ret_arg)
{
    PyThreadState *thread = PyThreadState_Get();
    *ret_arg = thread->c_traceobj;
    return thread->c_tracefunc;
}

#endif

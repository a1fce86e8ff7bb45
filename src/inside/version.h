/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_VERSION_H
#define HW_INSIDE_VERSION_H

/*
 * What differs between the versions of CPython that the extension is built for, 3.9 to 3.14; no other
 * file here asks for the version. Source: Include/ of each version.
 */

#include "inside/inside.h"

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
    return offsetof(PyLongObject, ob_digit) + (size_t)(digits < 0 ? -digits : digits) * sizeof(digit);
#endif
}

#endif

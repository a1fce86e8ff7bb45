/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CPYTHON_PYTYPE_H
#define HW_CPYTHON_PYTYPE_H

/*
 * What is known about one type of the target: read once, checked once, then used for every
 * instance.
 *
 * An instance is decoded in parts. The C part belongs to the nearest type in the tp_base chain
 * whose structure we know (`family`, or `row` when all its references lie at fixed offsets); behind
 * it lie the slots that classes added, then the instance's attributes.
 *
 *     object -> ... -> solid base (C struct) | __slots__ | dict, weakref list pointers | inline
 * values
 */

#include "cpython/py.h"

enum hw_family {
    HW_FAMILY_PLAIN,   /* object itself: nothing but attributes */
    HW_FAMILY_ROW,     /* references at fixed offsets */
    HW_FAMILY_UNKNOWN, /* scanned word by word */
    HW_FAMILY_LEAF,    /* holds nothing: a C structure without references */
    HW_FAMILY_STR,
    HW_FAMILY_INT,
    HW_FAMILY_FLOAT,
    HW_FAMILY_BYTES,
    HW_FAMILY_BYTEARRAY,
    HW_FAMILY_TUPLE,
    HW_FAMILY_LIST,
    HW_FAMILY_DICT,
    HW_FAMILY_ODICT,
    HW_FAMILY_DEFAULTDICT,
    HW_FAMILY_SET,
    HW_FAMILY_DEQUE,
    HW_FAMILY_FUNCTION,
    HW_FAMILY_CODE,
    HW_FAMILY_FRAME,
    HW_FAMILY_GENERATOR, /* generator, coroutine, asynchronous generator */
    HW_FAMILY_TYPE,
    HW_FAMILY_MODULE,
    HW_FAMILY_SIDE,   /* references in side buffers: decode-side.c */
    HW_FAMILY_NATIVE, /* a structure of an extension: native.h */
};

/* An object pointer that a class's __slots__ or an extension's member table put into instances. */
struct hw_slot {
    uint32_t offset, label;
    bool visited; /* the collector sees it */
};

struct hw_side;
struct hw_named_size;
struct hw_native;

struct hw_pytype {
    hw_addr addr;
    uint32_t index; /* its number */
    uint32_t flags; /* enum hw_type_flag */
    uint64_t tp_flags;
    const char *tp_name; /* as in the type object */
    const char *name;    /* module-qualified */
    const char *module;  /* "" when not known */
    uint32_t basicsize, itemsize;
    int64_t dictoffset, weaklistoffset;
    enum hw_family family;
    const struct hw_struct_row *row; /* of the solid base, for HW_FAMILY_ROW; maybe for _SIDE */
    const struct hw_named_size *named_size; /* of a C type */
    const struct hw_side *side;             /* of the solid base, for HW_FAMILY_SIDE */
    const struct hw_native *native;         /* of a C type; native.h */
    const struct hw_pytype *solid;          /* the type that owns the C part; itself when it is C */
    const struct hw_pytype *base;           /* NULL for object */
    struct hw_slot *slots;
    uint32_t slot_count;
    uint32_t scan_from;  /* UNKNOWN: first byte that is not understood */
    uint32_t read_bytes; /* fixed part that must be readable */
    bool is_gc, is_heap, managed_dict, managed_weakref, inline_values;
    hw_addr cached_keys; /* ht_cached_keys: names of inline values */
    uint32_t *key_names; /* their name numbers */
    uint32_t key_count;
    bool marked, is_own; /* used by the graph builder */
};

enum { /* tp_flags, CPython Include/object.h; bits that mean the same in 3.8 to 3.15 */
       HW_TPFLAG_INLINE_VALUES = 1 << 2,   /* 3.13 */
       HW_TPFLAG_MANAGED_WEAKREF = 1 << 3, /* 3.12 */
       HW_TPFLAG_MANAGED_DICT = 1 << 4,    /* 3.11 */
       HW_TPFLAG_HEAPTYPE = 1 << 9,
       HW_TPFLAG_READY = 1 << 12,
       HW_TPFLAG_HAVE_GC = 1 << 14,
       HW_TPFLAG_INT_SUBCLASS = 1 << 24,
       HW_TPFLAG_LIST_SUBCLASS = 1 << 25,
       HW_TPFLAG_TUPLE_SUBCLASS = 1 << 26,
       HW_TPFLAG_BYTES_SUBCLASS = 1 << 27,
       HW_TPFLAG_STR_SUBCLASS = 1 << 28,
       HW_TPFLAG_DICT_SUBCLASS = 1 << 29,
       HW_TPFLAG_EXC_SUBCLASS = 1 << 30,
};
#define HW_TPFLAG_TYPE_SUBCLASS ((uint64_t)1 << 31)

/* The type at addr, or NULL when there is none: its own type must be a metatype, its sizes sane,
 * its name readable. Refusals are remembered. */
struct hw_pytype *hw_pytype_get(struct hw_py *py, hw_addr addr);

/* The type of the object at addr, or NULL when no object can be there. */
struct hw_pytype *hw_pytype_of(struct hw_py *py, hw_addr object);

#endif

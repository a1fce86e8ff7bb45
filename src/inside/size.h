/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_SIZE_H
#define HW_INSIDE_SIZE_H

/*
 * sys.getsizeof() in a few nanoseconds: how objects of a type are measured is found out once for each
 * type, and the first object's size is compared with what sys.getsizeof() says.
 *
 * Also the table in which types get numbers: counting by type is adding to a row.
 */

#include "inside/inside.h"

enum hw_sizing {
    HW_SIZING_GENERIC, /* object.__sizeof__: basicsize + items * itemsize */
    HW_SIZING_LIST,
    HW_SIZING_STR,
    HW_SIZING_INT,
    HW_SIZING_METHOD,  /* a __sizeof__ in C without arguments */
    HW_SIZING_PYTHON,  /* a __sizeof__ in Python, or an odd one: only code of the user's can tell */
};

struct hw_class {
    PyTypeObject *type; /* held: while an answer is made a collection, or code of the user's, may free it */
    enum hw_sizing sizing;
    Py_ssize_t header;  /* what sys.getsizeof() adds: collector's header, managed dict */
    PyCFunction method; /* of HW_SIZING_METHOD */
    size_t count, bytes; /* for who counts */
    int mark;            /* for who sorts types into kinds; 0 at first */
};

struct hw_class_table {
    struct hw_class *rows;
    size_t count, capacity;
    uint32_t *slots; /* open addressing: row + 1, 0 = free */
    size_t slot_count;
    PyTypeObject *last_type;
    size_t last_row;
};

void hw_class_table_deinit(struct hw_class_table *table);

/* The row of an object's type, made when first met. Valid until the next call. NULL with an exception. */
struct hw_class *hw_class_of(struct hw_class_table *table, PyObject *object);

/* As sys.getsizeof(). HW_SIZE_PYTHON: that would run Python code; use hw_size_ask() when that is
 * allowed. Never sets an exception: a size in C that fails counts as the generic one. */
#define HW_SIZE_PYTHON (-2)
Py_ssize_t hw_size_of(const struct hw_class *row, PyObject *object);

/* As hw_size_of(), but a __sizeof__ in Python is not asked: the size is what object.__sizeof__() tells.
 * For who adds up all that an object leads to, as such methods mostly do themselves. */
Py_ssize_t hw_size_plain(const struct hw_class *row, PyObject *object);

/* The same by all means: runs the user's __sizeof__. What that raises, or a negative size, counts as the
 * generic size, and *ret_failed becomes true. */
Py_ssize_t hw_size_ask(PyObject *object, bool *ret_failed);

#endif

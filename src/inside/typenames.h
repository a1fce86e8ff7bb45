/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_TYPENAMES_H
#define HW_INSIDE_TYPENAMES_H

/*
 * Names of types, numbered from 0 in the order of first appearance, in C memory: a name is no Python object.
 */

#include "inside/inside.h"

struct hw_type_names {
    char **items;
    size_t count, capacity;
    uint32_t *slots; /* open addressing: number + 1, 0 = free */
    size_t slot_count;
};

/* The number of a type's name, or -1 with MemoryError. Runs no Python code. */
Py_ssize_t hw_type_names_add(struct hw_type_names *names, PyTypeObject *type);
/* The number of a name that is there already, or -1 without an exception. */
Py_ssize_t hw_type_names_find(const struct hw_type_names *names, const char *name);
void hw_type_names_deinit(struct hw_type_names *names);

/* "module.qualname", without the module where it is builtins; cut to size. */
void hw_type_name_format(PyTypeObject *type, char *to, size_t size);

#endif

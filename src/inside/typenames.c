/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/typenames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 512 };

/* The text of a str without making one; NULL for what is none. An encoded form may be cached in the str, as by
 * any other caller. */
static const char *text_of(PyObject *object)
{
    const char *text = object && PyUnicode_Check(object) ? PyUnicode_AsUTF8(object) : NULL;
    if (!text)
        PyErr_Clear();
    return text;
}

/* What tp_name of a heap type leaves out: the module, and the names around (Objects/typeobject.c,
 * type_module() and type_qualname()). */
void hw_type_name_format(PyTypeObject *type, char *to, size_t size)
{
    static PyObject *key;
    if (!key)
        key = PyUnicode_InternFromString("__module__");
    const char *name = type->tp_name, *module = NULL;
    if (key && type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        const char *longer = text_of(((PyHeapTypeObject *)type)->ht_qualname);
        name = longer ? longer : name;
        module = text_of(PyDict_GetItem(type->tp_dict, key));
    }
    if (module && strcmp(module, "builtins") != 0)
        snprintf(to, size, "%s.%s", module, name);
    else
        snprintf(to, size, "%s", name);
}

static uint64_t text_hash(const char *text)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return hash;
}

static size_t slot_of(const struct hw_type_names *names, const char *name)
{
    size_t mask = names->slot_count - 1, slot = text_hash(name) & mask;
    while (names->slots[slot] && strcmp(names->items[names->slots[slot] - 1], name) != 0)
        slot = (slot + 1) & mask;
    return slot;
}

static int names_grow(struct hw_type_names *names)
{
    size_t capacity = names->capacity ? names->capacity * 2 : 1024;
    char **items = realloc(names->items, capacity * sizeof(*items));
    if (items)
        names->items = items;
    uint32_t *slots = items ? calloc(capacity * 2, sizeof(*slots)) : NULL;
    if (!slots) {
        PyErr_NoMemory();
        return -1;
    }
    free(names->slots);
    names->slots = slots;
    names->capacity = capacity;
    names->slot_count = capacity * 2;
    for (size_t i = 0; i < names->count; i++)
        slots[slot_of(names, items[i])] = (uint32_t)i + 1;
    return 0;
}

Py_ssize_t hw_type_names_find(const struct hw_type_names *names, const char *name)
{
    size_t slot = names->count ? slot_of(names, name) : 0;
    return names->count && names->slots[slot] ? (Py_ssize_t)names->slots[slot] - 1 : -1;
}

Py_ssize_t hw_type_names_add(struct hw_type_names *names, PyTypeObject *type)
{
    char name[NAME_BYTES];
    hw_type_name_format(type, name, sizeof(name));
    if (names->count == names->capacity && names_grow(names) < 0)
        return -1;
    size_t slot = slot_of(names, name);
    if (!names->slots[slot]) {
        char *copy = strdup(name);
        if (!copy) {
            PyErr_NoMemory();
            return -1;
        }
        names->items[names->count++] = copy;
        names->slots[slot] = (uint32_t)names->count;
    }
    return (Py_ssize_t)names->slots[slot] - 1;
}

void hw_type_names_deinit(struct hw_type_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
    free(names->slots);
    *names = (struct hw_type_names){0};
}

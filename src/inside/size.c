/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/size.h"

#include "inside/version.h"

#include <stdlib.h>

static Py_ssize_t generic_bytes(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    Py_ssize_t bytes = type->tp_basicsize;
    if (type->tp_itemsize > 0 && type != &PyLong_Type && !PyLong_Check(object))
        bytes += Py_SIZE(object) * type->tp_itemsize;
    return bytes;
}

static Py_ssize_t str_bytes(PyObject *text)
{
    if (PyUnicode_IS_COMPACT_ASCII(text))
        return (Py_ssize_t)sizeof(PyASCIIObject) + PyUnicode_GET_LENGTH(text) + 1;
    return -1; /* a cached UTF-8 form, or none: only the method knows */
}

static Py_ssize_t method_bytes(PyCFunction method, PyObject *object)
{
    PyObject *answer = method(object, NULL);
    Py_ssize_t bytes = answer ? PyLong_AsSsize_t(answer) : -1;
    Py_XDECREF(answer);
    if (bytes < 0) {
        PyErr_Clear();
        return generic_bytes(object);
    }
    return bytes;
}

Py_ssize_t hw_size_of(const struct hw_class *row, PyObject *object)
{
    Py_ssize_t bytes = -1;
    switch (row->sizing) {
    case HW_SIZING_GENERIC:
        return row->header + generic_bytes(object);
    case HW_SIZING_LIST:
        return row->header + (Py_ssize_t)sizeof(PyListObject) +
               ((PyListObject *)object)->allocated * (Py_ssize_t)sizeof(PyObject *);
    case HW_SIZING_STR:
        bytes = str_bytes(object);
        break;
    case HW_SIZING_INT:
        bytes = (Py_ssize_t)hw_int_bytes(object);
        break;
    case HW_SIZING_METHOD:
        break;
    case HW_SIZING_PYTHON:
        return HW_SIZE_PYTHON;
    }
    return row->header + (bytes > 0 ? bytes : method_bytes(row->method, object));
}

Py_ssize_t hw_size_plain(const struct hw_class *row, PyObject *object)
{
    Py_ssize_t bytes = hw_size_of(row, object);
    return bytes == HW_SIZE_PYTHON ? hw_header_bytes(object) + generic_bytes(object) : bytes;
}

Py_ssize_t hw_size_ask(PyObject *object, bool *ret_failed)
{
    PyObject *ask = PySys_GetObject("getsizeof");
    PyObject *answer = ask ? PyObject_CallFunctionObjArgs(ask, object, NULL) : NULL;
    Py_ssize_t bytes = answer ? PyLong_AsSsize_t(answer) : -1;
    Py_XDECREF(answer);
    if (bytes >= 0)
        return bytes;
    PyErr_Clear();
    *ret_failed = true;
    return generic_bytes(object);
}

/* The attribute of the type's own, looked up without calling anybody; borrowed. */
static PyObject *sizeof_find(PyTypeObject *type)
{
    static PyObject *name;
    if (!name)
        name = PyUnicode_InternFromString("__sizeof__");
    return name ? _PyType_Lookup(type, name) : NULL;
}

static void row_choose(struct hw_class *row, PyObject *object)
{
    PyTypeObject *type = row->type;
    PyObject *found = sizeof_find(type);
    row->sizing = HW_SIZING_PYTHON;
    if (!found || !Py_IS_TYPE(found, &PyMethodDescr_Type))
        return;
    PyMethodDef *method = ((PyMethodDescrObject *)found)->d_method;
    if (!(method->ml_flags & METH_NOARGS))
        return;
    row->method = method->ml_meth;
    row->sizing = HW_SIZING_METHOD;
    if (found == sizeof_find(&PyBaseObject_Type))
        row->sizing = HW_SIZING_GENERIC;
    else if (type == &PyList_Type)
        row->sizing = HW_SIZING_LIST;
    else if (type == &PyUnicode_Type)
        row->sizing = HW_SIZING_STR;
    else if (type == &PyLong_Type)
        row->sizing = HW_SIZING_INT;
    bool failed = false;
    Py_ssize_t told = hw_size_ask(object, &failed), counted = hw_size_of(row, object);
    row->header = failed ? 0 : told - counted;
}

static size_t slot_of(const struct hw_class_table *table, const PyTypeObject *type)
{
    size_t mask = table->slot_count - 1;
    size_t slot = ((uintptr_t)type >> 4) * (size_t)0x9E3779B97F4A7C15u >> 20 & mask;
    while (table->slots[slot] && table->rows[table->slots[slot] - 1].type != type)
        slot = (slot + 1) & mask;
    return slot;
}

static int table_grow(struct hw_class_table *table)
{
    size_t capacity = table->capacity ? table->capacity * 2 : 512;
    struct hw_class *rows = realloc(table->rows, capacity * sizeof(*rows));
    if (rows)
        table->rows = rows;
    uint32_t *slots = rows ? calloc(capacity * 2, sizeof(*slots)) : NULL;
    if (!slots) {
        PyErr_NoMemory();
        return -1;
    }
    free(table->slots);
    table->capacity = capacity;
    table->slots = slots;
    table->slot_count = capacity * 2;
    for (size_t i = 0; i < table->count; i++)
        slots[slot_of(table, rows[i].type)] = (uint32_t)i + 1;
    return 0;
}

struct hw_class *hw_class_of(struct hw_class_table *table, PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    if (type == table->last_type)
        return &table->rows[table->last_row];
    if (table->count == table->capacity && table_grow(table) < 0)
        return NULL;
    size_t slot = slot_of(table, type);
    if (!table->slots[slot]) {
        struct hw_class *row = &table->rows[table->count++];
        *row = (struct hw_class){.type = type};
        Py_INCREF(type);
        row_choose(row, object);
        table->slots[slot] = (uint32_t)table->count;
    }
    table->last_type = type;
    table->last_row = table->slots[slot] - 1;
    return &table->rows[table->last_row];
}

void hw_class_table_deinit(struct hw_class_table *table)
{
    struct hw_class_table gone = *table;
    *table = (struct hw_class_table){0};
    for (size_t i = 0; i < gone.count; i++)
        Py_DECREF(gone.rows[i].type);
    free(gone.rows);
    free(gone.slots);
}

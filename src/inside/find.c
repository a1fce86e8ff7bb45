/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/find.h"

#include "inside/bits.h"
#include "inside/size.h"
#include "inside/walk.h"

#include <stdlib.h>
#include <string.h>

const char hw_type_counts_doc[] =
    "type_counts(objects, /)\n--\n\n"
    "[(type, count), ...] of a list, or with None of what the collector tracks, in the order in which\n"
    "types are first met. No Python code is called.";

const char hw_instances_doc[] =
    "instances(types, /)\n--\n\n"
    "The tracked objects whose type is one of a list of types, in the order of gc.get_objects().\n"
    "Subclasses don't count.";

const char hw_tracked_at_doc[] =
    "tracked_at(addresses, /)\n--\n\n"
    "The tracked objects at these addresses: a list, in the order of gc.get_objects(). Any container of\n"
    "int will do. An address where no tracked object begins is passed over.";

const char hw_addresses_doc[] =
    "addresses()\n--\n\n"
    "[(type, addresses), ...] of all tracked objects, in the order in which types are first met. The\n"
    "addresses of a type are a bytes object of sorted unsigned 64 bit words: 8 bytes for an object.";

const char hw_addresses_minus_doc[] =
    "addresses_minus(some, others, /)\n--\n\n"
    "The set of those of some that are not among others; both as addresses() gives them.";

static int object_count(PyObject *object, void *table)
{
    struct hw_class *row = hw_class_of(table, object);
    if (!row)
        return -1;
    row->count++;
    return 0;
}

static PyObject *counts_list(const struct hw_class_table *table)
{
    PyObject *list = PyList_New((Py_ssize_t)table->count);
    for (size_t i = 0; list && i < table->count; i++) {
        PyObject *item = Py_BuildValue("(On)", table->rows[i].type, (Py_ssize_t)table->rows[i].count);
        if (!item) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)i, item);
    }
    return list;
}

PyObject *hw_type_counts(PyObject *module, PyObject *objects)
{
    (void)module;
    if (objects != Py_None && !PyList_Check(objects)) {
        PyErr_SetString(PyExc_TypeError, "type_counts() counts a list, or with None what is tracked");
        return NULL;
    }
    struct hw_class_table table = {0};
    int result = 0;
    if (objects == Py_None)
        result = hw_tracked_visit(object_count, &table);
    for (Py_ssize_t i = 0; objects != Py_None && !result && i < PyList_GET_SIZE(objects); i++)
        result = object_count(PyList_GET_ITEM(objects, i), &table);
    PyObject *list = result ? NULL : counts_list(&table);
    hw_class_table_deinit(&table);
    return list;
}

struct wanted {
    struct hw_bits *addresses; /* of types, or of objects */
    struct hw_stack found;
    size_t left;
};

static int instance_find(PyObject *object, void *arg)
{
    struct wanted *wanted = arg;
    return hw_bits_has(wanted->addresses, Py_TYPE(object)) ? hw_stack_keep(&wanted->found, object) : 0;
}

static int address_find(PyObject *object, void *arg)
{
    struct wanted *wanted = arg;
    if (!hw_bits_has(wanted->addresses, object))
        return 0;
    if (hw_stack_keep(&wanted->found, object) < 0)
        return -1;
    return --wanted->left == 0;
}

PyObject *hw_instances(PyObject *module, PyObject *types)
{
    (void)module;
    if (!PyList_Check(types)) {
        PyErr_SetString(PyExc_TypeError, "instances() takes a list of types");
        return NULL;
    }
    struct wanted wanted = {.addresses = hw_bits_create()};
    int result = wanted.addresses ? 0 : -1;
    for (Py_ssize_t i = 0; !result && i < PyList_GET_SIZE(types); i++)
        result = hw_bits_add(wanted.addresses, PyList_GET_ITEM(types, i)) < 0 ? -1 : 0;
    if (!result)
        result = hw_tracked_visit(instance_find, &wanted);
    hw_bits_destroy(wanted.addresses);
    return hw_stack_list(&wanted.found, result);
}

PyObject *hw_tracked_at(PyObject *module, PyObject *addresses)
{
    (void)module;
    PyObject *words = PySequence_List(addresses);
    struct wanted wanted = {.addresses = words ? hw_bits_create() : NULL};
    int result = wanted.addresses ? 0 : -1;
    for (Py_ssize_t i = 0; !result && i < PyList_GET_SIZE(words); i++) {
        void *at = hw_address_of(PyList_GET_ITEM(words, i));
        int is_new = at ? hw_bits_add(wanted.addresses, at) : 0;
        wanted.left += is_new > 0;
        result = is_new < 0 ? -1 : 0;
    }
    Py_XDECREF(words);
    if (!result && wanted.left)
        result = hw_tracked_visit(address_find, &wanted);
    hw_bits_destroy(wanted.addresses);
    return hw_stack_list(&wanted.found, result < 0 ? result : 0);
}

static int words_compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Of addresses(): a first walk counts, which tells the sizes of the columns, and a second one fills them. */
struct columns {
    struct hw_class_table table;
    uint64_t **words;
    size_t *filled;
    size_t count;
};

static int address_note(PyObject *object, void *arg)
{
    struct columns *columns = arg;
    struct hw_class *row = hw_class_of(&columns->table, object);
    if (!row)
        return -1;
    size_t i = (size_t)(row - columns->table.rows);
    if (i < columns->count && columns->filled[i] < row->count)
        columns->words[i][columns->filled[i]++] = (uintptr_t)object;
    return 0;
}

static int columns_fill(struct columns *columns)
{
    columns->count = columns->table.count;
    columns->words = calloc(columns->count + 1, sizeof(*columns->words));
    columns->filled = calloc(columns->count + 1, sizeof(*columns->filled));
    bool enough = columns->words && columns->filled;
    for (size_t i = 0; enough && i < columns->count; i++) {
        columns->words[i] = malloc(columns->table.rows[i].count * sizeof(**columns->words));
        enough = columns->words[i];
    }
    if (!enough) {
        PyErr_NoMemory();
        return -1;
    }
    return hw_tracked_visit(address_note, columns);
}

static PyObject *columns_list(const struct columns *columns)
{
    PyObject *list = PyList_New((Py_ssize_t)columns->count);
    for (size_t i = 0; list && i < columns->count; i++) {
        uint64_t *words = columns->words[i];
        qsort(words, columns->filled[i], sizeof(*words), words_compare);
        PyObject *item = Py_BuildValue("(Oy#)", columns->table.rows[i].type, (char *)words,
                                       (Py_ssize_t)(columns->filled[i] * sizeof(*words)));
        if (!item) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)i, item);
    }
    return list;
}

PyObject *hw_addresses(PyObject *module, PyObject *none)
{
    (void)module;
    (void)none;
    struct columns columns = {0};
    int result = hw_tracked_visit(object_count, &columns.table);
    if (!result)
        result = columns_fill(&columns);
    PyObject *list = result ? NULL : columns_list(&columns);
    for (size_t i = 0; columns.words && i < columns.count; i++)
        free(columns.words[i]);
    free(columns.words);
    free(columns.filled);
    hw_class_table_deinit(&columns.table);
    return list;
}

static uint64_t word_at(const Py_buffer *words, Py_ssize_t i)
{
    uint64_t word;
    memcpy(&word, (const char *)words->buf + (size_t)i * sizeof(word), sizeof(word));
    return word;
}

PyObject *hw_addresses_minus(PyObject *module, PyObject *args)
{
    (void)module;
    Py_buffer some, others;
    if (!PyArg_ParseTuple(args, "y*y*:addresses_minus", &some, &others))
        return NULL;
    PyObject *set = PySet_New(NULL);
    Py_ssize_t count = some.len / 8, other_count = others.len / 8;
    for (Py_ssize_t i = 0, j = 0; set && i < count; i++) {
        uint64_t word = word_at(&some, i);
        while (j < other_count && word_at(&others, j) < word)
            j++;
        if (j < other_count && word_at(&others, j) == word)
            continue;
        PyObject *address = PyLong_FromUnsignedLongLong(word);
        if (!address || PySet_Add(set, address) < 0)
            Py_CLEAR(set);
        Py_XDECREF(address);
    }
    PyBuffer_Release(&some);
    PyBuffer_Release(&others);
    return set;
}

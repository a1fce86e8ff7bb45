/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/partition.h"

#include <stdlib.h>
#include <string.h>

const char hw_partition_doc[] =
    "partition(set, by, own=False)\n--\n\n"
    "The parts of a heap set. by: type, class, module, size, referrers, via, site, id, unity.";

struct partition {
    struct hw_result head;
    struct hw_bits *members;
    struct hw_column *column;
    PyObject *rows; /* [(number, key, count, bytes), ...] */
};
static PyTypeObject *partition_type;

struct part {
    size_t count, bytes;
};

struct tally {
    struct hw_column *column;
    struct part *parts; /* [group number] */
    size_t part_count;
};

static int part_find(struct tally *tally, uint32_t number)
{
    if (number < tally->part_count)
        return 0;
    size_t wanted = (size_t)number * 2 + 256;
    struct part *parts = realloc(tally->parts, wanted * sizeof(*parts));
    if (!parts) {
        PyErr_NoMemory();
        return -1;
    }
    memset(parts + tally->part_count, 0, (wanted - tally->part_count) * sizeof(*parts));
    tally->parts = parts;
    tally->part_count = wanted;
    return 0;
}

static int member_count(PyObject *member, Py_ssize_t bytes, void *arg)
{
    struct tally *tally = arg;
    uint32_t number = hw_column_get(tally->column, hw_column_place(tally->column, member));
    if (part_find(tally, number) < 0)
        return -1;
    tally->parts[number].count++;
    tally->parts[number].bytes += (size_t)bytes;
    return 0;
}

static PyObject *row_make(const struct hw_grouping *grouping, uint32_t number, struct part part)
{
    PyObject *key = hw_grouping_key(grouping, number);
    return key ? Py_BuildValue("(kNnn)", (unsigned long)number, key, (Py_ssize_t)part.count, (Py_ssize_t)part.bytes)
               : NULL;
}

/* The collector is paused: making tuples frees nothing. */
static PyObject *rows_make(const struct hw_grouping *grouping, const struct tally *tally)
{
    PyObject *rows = PyList_New(0);
    for (size_t number = 0; rows && number < tally->part_count; number++) {
        if (!tally->parts[number].count)
            continue;
        PyObject *row = row_make(grouping, (uint32_t)number, tally->parts[number]);
        if (!row || PyList_Append(rows, row) < 0)
            Py_CLEAR(rows);
        Py_XDECREF(row);
    }
    return rows;
}

/* Types are held from before Python code runs until they are in the rows. */
static int types_hold(const struct hw_grouping *grouping, PyObject *held)
{
    const struct hw_keys *keys = grouping->by == HW_BY_TYPE ? &grouping->keys : &grouping->kinds.keys;
    for (size_t i = 0; i < keys->count; i++) {
        PyObject *type = (PyObject *)(uintptr_t)(keys->keys[i] & ~(uint64_t)7);
        if (type && PyList_Append(held, type) < 0)
            return -1;
    }
    return 0;
}

static PyObject *partition_rows(struct hw_grouping *grouping)
{
    struct tally tally = {.column = grouping->column};
    PyObject *held = PyList_New(0), *rows = NULL;
    if (held && types_hold(grouping, held) == 0 && hw_member_sizes_visit(grouping->members, member_count, &tally) == 0)
        rows = rows_make(grouping, &tally);
    Py_XDECREF(held);
    free(tally.parts);
    return rows;
}

static PyObject *partition_wrap(struct hw_bits *members, struct hw_column *column, PyObject *rows)
{
    struct partition *partition = (struct partition *)partition_type->tp_alloc(partition_type, 0);
    if (!partition) {
        hw_bits_destroy(members);
        hw_column_destroy(column);
        Py_DECREF(rows);
        return NULL;
    }
    hw_result_link((PyObject *)partition);
    partition->members = members;
    partition->column = column;
    partition->rows = rows;
    return (PyObject *)partition;
}

static int by_find(const char *name)
{
    for (int by = 0; by < HW_BY_COUNT; by++)
        if (!strcmp(hw_by_names[by], name))
            return by;
    return -1;
}

static unsigned live_flags(enum hw_by by, bool own)
{
    bool by_holders = by == HW_BY_CLASS || by == HW_BY_REFERRERS || by == HW_BY_VIA;
    return (by_holders ? HW_LIVE_HOLDERS : 0u) | (own ? HW_LIVE_OWN : 0u);
}

static PyObject *partition_make(const struct hw_heap_set *set, enum hw_by by, bool own)
{
    struct hw_live live;
    struct hw_bits *members = NULL;
    struct hw_grouping grouping = {0};
    PyObject *rows = NULL;
    int result = hw_heap_set_members(set, &live, live_flags(by, own), &members);
    if (!result && !live.holders) { /* nothing asks for it any more */
        hw_bits_destroy(live.all);
        live.all = NULL;
    }
    if (!result && hw_grouping_init(&grouping, by, &live, members) == 0)
        rows = partition_rows(&grouping);
    struct hw_column *column = rows ? grouping.column : NULL;
    if (rows)
        grouping.column = NULL;
    hw_grouping_deinit(&grouping);
    hw_live_deinit(&live);
    if (rows)
        return partition_wrap(members, column, rows);
    hw_bits_destroy(members);
    return NULL;
}

PyObject *hw_partition(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"set", "by", "own", NULL};
    PyObject *set;
    const char *name;
    int own = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!s|p:partition", names, hw_heap_set_type, &set, &name, &own))
        return NULL;
    int by = by_find(name);
    if (by < 0)
        return PyErr_Format(PyExc_ValueError, "no partition by '%s'", name);
    return partition_make((struct hw_heap_set *)set, (enum hw_by)by, own);
}

/* Which numbers are wanted, as bytes by number. */
static PyObject *wanted_numbers(PyObject *numbers, size_t *ret_count)
{
    size_t count = 1;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(numbers); i++) {
        size_t number = PyLong_AsSize_t(PyTuple_GET_ITEM(numbers, i));
        if (PyErr_Occurred() || number > UINT32_MAX)
            return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "no such part");
        count = number + 1 > count ? number + 1 : count;
    }
    PyObject *wanted = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)count);
    if (!wanted)
        return NULL;
    memset(PyBytes_AS_STRING(wanted), 0, count);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(numbers); i++)
        PyBytes_AS_STRING(wanted)[PyLong_AsSize_t(PyTuple_GET_ITEM(numbers, i))] = 1;
    *ret_count = count;
    return wanted;
}

static PyObject *partition_select(PyObject *self, PyObject *args)
{
    struct partition *partition = (struct partition *)self;
    PyObject *numbers, *type;
    size_t wanted_count = 0, place = 0;
    if (!PyArg_ParseTuple(args, "O!O!:select", &PyType_Type, &type, &PyTuple_Type, &numbers))
        return NULL;
    PyObject *wanted = wanted_numbers(numbers, &wanted_count);
    struct hw_bits *bits = wanted ? hw_bits_create() : NULL;
    const struct hw_bits *members = partition->members;
    for (void *at = bits ? hw_bits_next(members, NULL) : NULL; at; at = hw_bits_next(members, (char *)at + 1)) {
        size_t number = hw_column_get(partition->column, place++);
        if (number < wanted_count && PyBytes_AS_STRING(wanted)[number] && hw_bits_add(bits, at) < 0) {
            hw_bits_destroy(bits);
            bits = NULL;
            break;
        }
    }
    Py_XDECREF(wanted);
    return hw_heap_set_wrap((PyTypeObject *)type, bits);
}

static PyObject *partition_get_rows(PyObject *self, void *closure)
{
    PyObject *rows = ((struct partition *)self)->rows;
    Py_INCREF(rows);
    return rows;
}

static int partition_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((struct partition *)self)->rows);
    return 0;
}

static int partition_clear(PyObject *self)
{
    Py_CLEAR(((struct partition *)self)->rows);
    return 0;
}

static void partition_dealloc(PyObject *self)
{
    struct partition *partition = (struct partition *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    hw_result_unlink(self);
    hw_column_destroy(partition->column);
    hw_bits_destroy(partition->members);
    Py_XDECREF(partition->rows);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef partition_methods[] = {
    {"select", partition_select, METH_VARARGS,
     "select(type, numbers)\n--\n\nThe members of these parts, as a set of that type."},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef partition_getters[] = {
    {"rows", partition_get_rows, NULL, "[(number, key, count, bytes), ...]", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyObject *partition_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return PyErr_Format(PyExc_TypeError, "a partition is made by partition()");
}
static PyType_Slot partition_slots[] = {
    {Py_tp_new, partition_new},         {Py_tp_dealloc, partition_dealloc},   {Py_tp_traverse, partition_traverse},
    {Py_tp_clear, partition_clear},     {Py_tp_methods, partition_methods},   {Py_tp_getset, partition_getters},
    {0, NULL},
};
static PyType_Spec partition_spec = {
    .name = "heapwhy._heapwhy.Partition",
    .basicsize = sizeof(struct partition),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = partition_slots,
};

int hw_partition_init(PyObject *module)
{
    PyObject *bases = PyTuple_Pack(1, hw_result_type);
    partition_type = bases ? (PyTypeObject *)PyType_FromSpecWithBases(&partition_spec, bases) : NULL;
    Py_XDECREF(bases);
    return hw_type_add(module, partition_type);
}

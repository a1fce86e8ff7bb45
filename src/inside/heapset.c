/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/heapset.h"

#include "inside/reach.h"

#include <stdlib.h>

PyTypeObject *hw_heap_set_type;

static struct hw_bits *bits_of(PyObject *set)
{
    return ((struct hw_heap_set *)set)->bits;
}

PyObject *hw_heap_set_wrap(PyTypeObject *type, struct hw_bits *bits)
{
    PyObject *set = bits ? type->tp_alloc(type, 0) : NULL;
    if (!set) {
        hw_bits_destroy(bits);
        return NULL;
    }
    hw_result_link(set);
    ((struct hw_heap_set *)set)->bits = bits;
    return set;
}

int hw_heap_set_members(const struct hw_heap_set *set, struct hw_live *live, unsigned flags,
                        struct hw_bits **ret_members)
{
    int result = hw_live_init(live, flags | HW_LIVE_OWN);
    if (result)
        return result;
    *ret_members = hw_bits_common(set->bits, live->all);
    if (!*ret_members)
        return -1;
    return flags & HW_LIVE_OWN ? 0 : hw_live_hide_own(live);
}

static int listed_add(struct hw_bits *bits, PyObject *objects)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(objects); i++)
        if (hw_bits_add(bits, PyList_GET_ITEM(objects, i)) < 0)
            return -1;
    return 0;
}

static PyObject *set_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *objects = NULL;
    if ((kwargs && PyDict_GET_SIZE(kwargs)) || !PyArg_ParseTuple(args, "|O:HeapSet", &objects))
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "HeapSet() takes no keywords");
    PyObject *list = objects ? PySequence_List(objects) : NULL;
    if (objects && !list)
        return NULL;
    struct hw_bits *bits = hw_bits_create();
    if (bits && list && listed_add(bits, list) < 0) {
        hw_bits_destroy(bits);
        bits = NULL;
    }
    Py_XDECREF(list);
    return hw_heap_set_wrap(type, bits);
}

static void set_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    hw_result_unlink(self);
    hw_bits_destroy(bits_of(self));
    type->tp_free(self);
    Py_DECREF(type);
}

static bool are_sets(PyObject *a, PyObject *b)
{
    return PyObject_TypeCheck(a, hw_heap_set_type) && PyObject_TypeCheck(b, hw_heap_set_type);
}

static struct hw_bits *combined(PyObject *a, PyObject *b, enum hw_bits_op op)
{
    struct hw_bits *bits = hw_bits_copy(bits_of(a));
    if (bits && hw_bits_combine(bits, bits_of(b), op) < 0) {
        hw_bits_destroy(bits);
        return NULL;
    }
    return bits;
}

static PyObject *set_combine(PyObject *a, PyObject *b, enum hw_bits_op op)
{
    if (!are_sets(a, b))
        Py_RETURN_NOTIMPLEMENTED;
    return hw_heap_set_wrap(Py_TYPE(a), combined(a, b, op));
}

static PyObject *set_and(PyObject *a, PyObject *b)
{
    return set_combine(a, b, HW_BITS_AND);
}

static PyObject *set_or(PyObject *a, PyObject *b)
{
    return set_combine(a, b, HW_BITS_OR);
}

static PyObject *set_minus(PyObject *a, PyObject *b)
{
    return set_combine(a, b, HW_BITS_MINUS);
}

static PyObject *set_xor(PyObject *a, PyObject *b)
{
    return set_combine(a, b, HW_BITS_XOR);
}

/* Whether a has members that b has not: 1, 0, or -1 with MemoryError. */
static int exceeds(PyObject *a, PyObject *b)
{
    struct hw_bits *rest = combined(a, b, HW_BITS_MINUS);
    int result = rest ? hw_bits_next(rest, NULL) != NULL : -1;
    hw_bits_destroy(rest);
    return result;
}

static PyObject *set_compare(PyObject *a, PyObject *b, int op)
{
    if (!are_sets(a, b))
        Py_RETURN_NOTIMPLEMENTED;
    int more = exceeds(a, b), less = more < 0 ? -1 : exceeds(b, a);
    if (less < 0)
        return NULL;
    bool answer = op == Py_EQ   ? !more && !less
                  : op == Py_NE ? more || less
                  : op == Py_LE ? !more
                  : op == Py_LT ? !more && less
                  : op == Py_GE ? !less
                                : !less && more;
    return PyBool_FromLong(answer);
}

static Py_ssize_t set_len(PyObject *self)
{
    return (Py_ssize_t)hw_bits_count(bits_of(self));
}

static int set_bool(PyObject *self)
{
    return hw_bits_next(bits_of(self), NULL) != NULL;
}

static int set_contains(PyObject *self, PyObject *object)
{
    return hw_bits_has(bits_of(self), object);
}

static PyObject *set_heap(PyObject *cls, PyObject *args)
{
    PyObject *since;
    int own;
    if (!PyArg_ParseTuple(args, "Op:_heap", &since, &own))
        return NULL;
    if (since != Py_None && !PyObject_TypeCheck(since, hw_heap_set_type))
        return PyErr_Format(PyExc_TypeError, "since must be a HeapSet, not %s", Py_TYPE(since)->tp_name);
    struct hw_live live;
    struct hw_bits *bits = NULL;
    int result = hw_live_init(&live, own ? HW_LIVE_OWN : 0);
    if (!result && since != Py_None)
        result = hw_bits_combine(live.all, bits_of(since), HW_BITS_MINUS);
    if (!result) {
        bits = live.all;
        live.all = NULL;
    }
    hw_live_deinit(&live);
    return hw_heap_set_wrap((PyTypeObject *)cls, bits);
}

static int bytes_add(PyObject *member, Py_ssize_t bytes, void *sum)
{
    *(size_t *)sum += (size_t)bytes;
    return 0;
}

/* (members alive, their bytes); or of what would be freed with them */
static PyObject *set_weigh(PyObject *self, PyObject *args)
{
    struct hw_live live;
    struct hw_bits *members = NULL;
    size_t bytes = 0;
    int with_dominated = 0;
    if (!PyArg_ParseTuple(args, "|p:_weigh", &with_dominated))
        return NULL;
    int result = hw_heap_set_members((struct hw_heap_set *)self, &live, HW_LIVE_OWN, &members);
    if (!result && with_dominated) {
        struct hw_bits *dominated = hw_reach_dominated(members);
        hw_bits_destroy(members);
        members = dominated;
        result = dominated ? 0 : -1;
    }
    if (!result)
        result = hw_member_sizes_visit(members, bytes_add, &bytes);
    size_t count = result ? 0 : hw_bits_count(members);
    hw_bits_destroy(members);
    hw_live_deinit(&live);
    return result ? NULL : Py_BuildValue("(nn)", (Py_ssize_t)count, (Py_ssize_t)bytes);
}

static int object_append(PyObject *member, void *arg)
{
    return PyList_Append(arg, member);
}

/* The live members from an address on, at most so many. */
static PyObject *set_objects(PyObject *self, PyObject *args)
{
    Py_ssize_t limit;
    unsigned long long from;
    if (!PyArg_ParseTuple(args, "Kn:_objects", &from, &limit))
        return NULL;
    struct hw_live live;
    struct hw_bits *members = NULL;
    PyObject *objects = PyList_New(0);
    int result = objects ? hw_heap_set_members((struct hw_heap_set *)self, &live, HW_LIVE_OWN, &members) : -1;
    void *at = result ? NULL : hw_bits_next(members, (void *)(uintptr_t)from);
    for (; at && !result && limit-- > 0; at = hw_bits_next(members, (char *)at + 1))
        result = object_append(at, objects);
    hw_bits_destroy(members);
    if (objects)
        hw_live_deinit(&live);
    if (result)
        Py_CLEAR(objects);
    return objects;
}

/* The first addresses from one on, whether alive or not. */
static PyObject *set_addresses(PyObject *self, PyObject *args)
{
    Py_ssize_t limit;
    unsigned long long from;
    if (!PyArg_ParseTuple(args, "Kn:_addresses", &from, &limit))
        return NULL;
    PyObject *addresses = PyList_New(0);
    void *at = hw_bits_next(bits_of(self), (void *)(uintptr_t)from);
    for (; at && addresses && limit-- > 0; at = hw_bits_next(bits_of(self), (char *)at + 1)) {
        PyObject *address = PyLong_FromVoidPtr(at);
        if (!address || PyList_Append(addresses, address) < 0)
            Py_CLEAR(addresses);
        Py_XDECREF(address);
    }
    return addresses;
}

static PyObject *set_from_addresses(PyObject *cls, PyObject *addresses)
{
    PyObject *list = PySequence_List(addresses);
    struct hw_bits *bits = list ? hw_bits_create() : NULL;
    for (Py_ssize_t i = 0; bits && i < PyList_GET_SIZE(list); i++) {
        void *address = PyLong_AsVoidPtr(PyList_GET_ITEM(list, i));
        if ((!address && PyErr_Occurred()) || hw_bits_add(bits, address) < 0) {
            hw_bits_destroy(bits);
            bits = NULL;
        }
    }
    Py_XDECREF(list);
    return hw_heap_set_wrap((PyTypeObject *)cls, bits);
}

static struct hw_bits *without(struct hw_bits *bits, const struct hw_bits *other, enum hw_bits_op op)
{
    if (bits && hw_bits_combine(bits, other, op) < 0) {
        hw_bits_destroy(bits);
        return NULL;
    }
    return bits;
}

static struct hw_bits *nearest_dominators(const struct hw_live *live, const struct hw_bits *members)
{
    struct hw_bits *referrers = hw_reach_referrers(live, members);
    struct hw_bits *reached = referrers ? hw_reach_from_roots(referrers) : NULL;
    struct hw_bits *both = reached ? hw_bits_common(referrers, reached) : NULL;
    hw_bits_destroy(referrers);
    hw_bits_destroy(reached);
    return both;
}

static struct hw_bits *not_reached(const struct hw_live *live, const struct hw_bits *members)
{
    struct hw_bits *reached = hw_reach_from_interpreter(live);
    struct hw_bits *rest = reached ? without(hw_bits_copy(members), reached, HW_BITS_MINUS) : NULL;
    hw_bits_destroy(reached);
    return rest;
}

static struct hw_bits *referents(const struct hw_live *live, const struct hw_bits *members)
{
    return without(hw_reach_referents(members), live->all, HW_BITS_AND);
}

static struct hw_bits *reachable(const struct hw_live *live, const struct hw_bits *members)
{
    return without(hw_reach_from(members, NULL), live->all, HW_BITS_AND);
}

static struct hw_bits *freed(const struct hw_live *live, const struct hw_bits *members)
{
    return hw_reach_dominated(members);
}

static struct hw_bits *alive(const struct hw_live *live, const struct hw_bits *members)
{
    return hw_bits_copy(members);
}

/* What follows from the members that are alive. */
typedef struct hw_bits *(*follow_fn)(const struct hw_live *live, const struct hw_bits *members);

static PyObject *set_follow(PyObject *self, PyObject *args, unsigned flags, follow_fn fn)
{
    int own = 0;
    if (!PyArg_ParseTuple(args, "|p", &own))
        return NULL;
    struct hw_live live;
    struct hw_bits *members = NULL;
    int result = hw_heap_set_members((struct hw_heap_set *)self, &live, flags | (own ? HW_LIVE_OWN : 0), &members);
    struct hw_bits *bits = result ? NULL : fn(&live, members);
    hw_bits_destroy(members);
    hw_live_deinit(&live);
    return hw_heap_set_wrap(Py_TYPE(self), bits);
}

#define FOLLOW(name, flags)                                                                                       \
    static PyObject *set_##name(PyObject *self, PyObject *args)                                                   \
    {                                                                                                             \
        return set_follow(self, args, flags, name);                                                               \
    }
FOLLOW(alive, HW_LIVE_OWN)
FOLLOW(reachable, 0)
FOLLOW(referents, 0)
FOLLOW(freed, HW_LIVE_OWN)
FOLLOW(not_reached, HW_LIVE_OWN)
FOLLOW(nearest_dominators, HW_LIVE_HOLDERS)

static PyObject *set_referrers(PyObject *self, PyObject *args)
{
    return set_follow(self, args, HW_LIVE_HOLDERS, hw_reach_referrers);
}

static PyObject *set_owners(PyObject *self, PyObject *args)
{
    return set_follow(self, args, HW_LIVE_HOLDERS, hw_reach_owners);
}

static PyMethodDef set_methods[] = {
    {"_heap", set_heap, METH_VARARGS | METH_CLASS, "_heap(since, own)"},
    {"_from_addresses", set_from_addresses, METH_O | METH_CLASS, "A set of these addresses."},
    {"_weigh", set_weigh, METH_VARARGS, "_weigh(dominated=False): (members alive, their bytes), of all they dominate"},
    {"_objects", set_objects, METH_VARARGS, "_objects(from_address, limit): members that are alive"},
    {"_addresses", set_addresses, METH_VARARGS, "_addresses(from_address, limit): alive or not"},
    {"_alive", set_alive, METH_VARARGS, "Members that are alive."},
    {"_reachable", set_reachable, METH_VARARGS, "What a way leads to from members."},
    {"_referents", set_referents, METH_VARARGS, "To what members refer."},
    {"_referrers", set_referrers, METH_VARARGS, "What refers to members."},
    {"_owners", set_owners, METH_VARARGS, "Whose attributes the members hold."},
    {"_dominated", set_freed, METH_VARARGS, "What would be freed with the members."},
    {"_unreachable", set_not_reached, METH_VARARGS, "Members that no root leads to."},
    {"_immediate_dominators", set_nearest_dominators, METH_VARARGS,
     "Referrers that roots lead to past other referrers."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot set_slots[] = {
    {Py_tp_doc, "HeapSet(objects=())\n--\n\nA set of addresses."},
    {Py_tp_new, set_new},
    {Py_tp_dealloc, set_dealloc},
    {Py_tp_richcompare, set_compare},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_methods, set_methods},
    {Py_nb_and, set_and},
    {Py_nb_or, set_or},
    {Py_nb_subtract, set_minus},
    {Py_nb_xor, set_xor},
    {Py_nb_bool, set_bool},
    {Py_sq_length, set_len},
    {Py_sq_contains, set_contains},
    {0, NULL},
};
static PyType_Spec set_spec = {
    .name = "heapwhy._heapwhy.HeapSet",
    .basicsize = sizeof(struct hw_heap_set),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = set_slots,
};

int hw_heap_set_init(PyObject *module)
{
    PyObject *bases = PyTuple_Pack(1, hw_result_type);
    hw_heap_set_type = bases ? (PyTypeObject *)PyType_FromSpecWithBases(&set_spec, bases) : NULL;
    Py_XDECREF(bases);
    return hw_type_add(module, hw_heap_set_type);
}

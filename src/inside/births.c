/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/births.h"

#include "inside/grow.h"
#include "inside/typenames.h"
#include "inside/size.h"
#include "inside/walk.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_BITS = 20 };
#define MAX_NAMES ((Py_ssize_t)1 << NAME_BITS)

struct totals {
    Py_ssize_t objects, bytes, items;
};

struct words {
    uint64_t *items;
    size_t count, capacity;
};

/* A container that may grow in place: what it had at the baseline. */
struct holding {
    uint64_t word;
    Py_ssize_t items;
};
struct holdings {
    struct holding *items;
    size_t count, capacity;
};

typedef struct {
    PyObject_HEAD
    struct hw_type_names names;
    struct totals *last; /* of the last look, by name */
    size_t last_count;
    struct totals *least; /* growth that every look has seen, by name */
    size_t least_count, looks;
    struct words alive;        /* at the baseline, ascending */
    struct holdings containers; /* at the baseline, ascending by word */
} Births;

/* ---- the items of containers that grow in place ---- */

enum container { NO_CONTAINER, A_LIST, A_DICT, A_SET, A_BYTEARRAY, A_DEQUE };

static enum container container_of(PyTypeObject *type)
{
    if (PyType_FastSubclass(type, Py_TPFLAGS_LIST_SUBCLASS))
        return A_LIST;
    if (PyType_FastSubclass(type, Py_TPFLAGS_DICT_SUBCLASS))
        return A_DICT;
    if (type == &PySet_Type || PyType_IsSubtype(type, &PySet_Type))
        return A_SET;
    if (type == &PyByteArray_Type || PyType_IsSubtype(type, &PyByteArray_Type))
        return A_BYTEARRAY;
    /* its length is where that of all objects of variable size is: Modules/_collectionsmodule.c */
    return strcmp(type->tp_name, "collections.deque") == 0 ? A_DEQUE : NO_CONTAINER;
}

static Py_ssize_t items_of(enum container kind, PyObject *object)
{
    switch (kind) {
    case A_DICT:
        return ((PyDictObject *)object)->ma_used;
    case A_SET:
        return ((PySetObject *)object)->used;
    case A_LIST:
    case A_BYTEARRAY:
    case A_DEQUE:
        return Py_SIZE(object);
    case NO_CONTAINER:
        break;
    }
    return 0;
}

/* ---- one look at all that is alive ---- */

struct look_type {
    uint32_t name;
    enum container container;
};

struct look {
    Births *births;
    struct hw_class_table classes; /* alive as long as nothing is freed: one look */
    struct look_type *types;       /* by row of classes */
    size_t type_count, type_capacity;
    struct totals *now;            /* by name */
    size_t now_capacity;
    bool keeps;                    /* makes the baseline */
    struct words *wanted_born;     /* or NULL */
};

static int type_add(struct look *look, PyTypeObject *type)
{
    struct look_type *types = hw_grow(look->types, &look->type_capacity, look->type_count + 1, sizeof(*types));
    if (!types)
        return -1;
    look->types = types;
    Py_ssize_t name = hw_type_names_add(&look->births->names, type);
    if (name < 0)
        return -1;
    /* more names than a word can tell apart share the last */
    name = name < MAX_NAMES ? name : MAX_NAMES - 1;
    look->types[look->type_count++] = (struct look_type){(uint32_t)name, container_of(type)};
    return 0;
}

static int now_reserve(struct look *look, size_t name)
{
    if (name < look->now_capacity)
        return 0;
    size_t capacity = (name + 1) * 2;
    struct totals *now = realloc(look->now, capacity * sizeof(*now));
    if (!now) {
        PyErr_NoMemory();
        return -1;
    }
    memset(now + look->now_capacity, 0, (capacity - look->now_capacity) * sizeof(*now));
    look->now = now;
    look->now_capacity = capacity;
    return 0;
}

/* The row of the object's type; its number of row and name with it. NULL with an exception. */
static struct hw_class *class_meet(struct look *look, PyObject *object, const struct look_type **ret_type)
{
    struct hw_class *row = hw_class_of(&look->classes, object);
    size_t at = row ? (size_t)(row - look->classes.rows) : 0;
    if (!row || (at == look->type_count && type_add(look, Py_TYPE(object)) < 0))
        return NULL;
    *ret_type = &look->types[at];
    return now_reserve(look, look->types[at].name) < 0 ? NULL : row;
}

static uint64_t word_of(const PyObject *object, uint32_t name)
{
    return (uint64_t)(uintptr_t)object >> 3 << NAME_BITS | name;
}

static int word_push(struct words *words, uint64_t word)
{
    uint64_t *items = hw_grow(words->items, &words->capacity, words->count + 1, sizeof(*items));
    if (!items)
        return -1;
    words->items = items;
    words->items[words->count++] = word;
    return 0;
}

static int holding_push(struct holdings *holdings, uint64_t word, Py_ssize_t count)
{
    struct holding *items = hw_grow(holdings->items, &holdings->capacity, holdings->count + 1, sizeof(*items));
    if (!items)
        return -1;
    holdings->items = items;
    holdings->items[holdings->count++] = (struct holding){word, count};
    return 0;
}

static int object_look(PyObject *object, void *ctx)
{
    struct look *look = ctx;
    if (object == (PyObject *)look->births)
        return 0;
    const struct look_type *type;
    struct hw_class *row = class_meet(look, object, &type);
    if (!row)
        return -1;
    struct totals *now = &look->now[type->name];
    Py_ssize_t bytes = hw_size_of(row, object), items = items_of(type->container, object);
    now->objects++;
    now->bytes += bytes > 0 ? bytes : Py_TYPE(object)->tp_basicsize;
    now->items += items;
    if (!look->keeps)
        return 0;
    uint64_t word = word_of(object, type->name);
    if (type->container && holding_push(&look->births->containers, word, items) < 0)
        return -1;
    return word_push(&look->births->alive, word);
}

static void look_deinit(struct look *look)
{
    hw_class_table_deinit(&look->classes);
    free(look->types);
    free(look->now);
}

/* ---- order ---- */

/* By bytes, least first; those in which all words agree are passed over. */
static int words_sort(struct words *words)
{
    uint64_t *from = words->items, *to = malloc(words->count * sizeof(*to) + 1);
    if (!to) {
        PyErr_NoMemory();
        return -1;
    }
    for (int shift = 0; shift < 64; shift += 8) {
        size_t starts[257] = {0};
        for (size_t i = 0; i < words->count; i++)
            starts[(from[i] >> shift & 255) + 1]++;
        if (words->count && starts[(from[0] >> shift & 255) + 1] == words->count)
            continue;
        for (int i = 0; i < 256; i++)
            starts[i + 1] += starts[i];
        for (size_t i = 0; i < words->count; i++)
            to[starts[from[i] >> shift & 255]++] = from[i];
        uint64_t *other = from;
        from = to;
        to = other;
    }
    free(to);
    words->items = from;
    words->capacity = words->count;
    return 0;
}

static bool words_have(const struct words *words, uint64_t word)
{
    size_t low = 0, high = words->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (words->items[middle] < word)
            low = middle + 1;
        else
            high = middle;
    }
    return low < words->count && words->items[low] == word;
}

static int holding_compare(const void *a, const void *b)
{
    const struct holding *x = a, *y = b;
    return (x->word > y->word) - (x->word < y->word);
}

/* ---- the object ---- */

static void births_clear(Births *self)
{
    hw_type_names_deinit(&self->names);
    free(self->last);
    free(self->least);
    free(self->alive.items);
    free(self->containers.items);
    self->last = self->least = NULL;
    self->last_count = self->least_count = 0;
    self->alive = (struct words){0};
    self->containers = (struct holdings){0};
}

static void births_dealloc(PyObject *object)
{
    births_clear((Births *)object);
    Py_TYPE(object)->tp_free(object);
}

/* Takes the look's totals for the next to compare with. */
static void totals_keep(Births *self, struct look *look)
{
    free(self->last);
    self->last = look->now;
    self->last_count = look->now_capacity;
    look->now = NULL;
}

static PyObject *births_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, ":Births", names))
        return NULL;
    Births *self = (Births *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    struct look look = {.births = self, .keeps = true};
    int result = hw_heap_visit(object_look, &look);
    if (!result)
        result = words_sort(&self->alive);
    if (!result) {
        qsort(self->containers.items, self->containers.count, sizeof(*self->containers.items), holding_compare);
        totals_keep(self, &look);
    }
    look_deinit(&look);
    if (result)
        Py_CLEAR(self);
    return (PyObject *)self;
}

/* By how much a type differs from the look before. */
static struct totals difference_of(const Births *self, const struct look *look, size_t name)
{
    struct totals before = name < self->last_count ? self->last[name] : (struct totals){0};
    struct totals now = name < look->now_capacity ? look->now[name] : (struct totals){0};
    return (struct totals){now.objects - before.objects, now.bytes - before.bytes, now.items - before.items};
}

/* For each of the repeats, to the nearest: a cache that let one go meanwhile must not hide what grows. */
static Py_ssize_t share_of(Py_ssize_t growth, Py_ssize_t repeats)
{
    return growth > 0 ? (growth + repeats / 2) / repeats : 0;
}

static Py_ssize_t lesser(Py_ssize_t a, Py_ssize_t b)
{
    return a < b ? a : b;
}

/* Lowers to what this look has seen, too. What appears after the first look did not grow in all. */
static int least_fold(Births *self, const struct look *look, Py_ssize_t repeats)
{
    if (!self->looks) {
        self->least = calloc(self->names.count + 1, sizeof(*self->least));
        if (!self->least) {
            PyErr_NoMemory();
            return -1;
        }
        self->least_count = self->names.count;
    }
    for (size_t i = 0; i < self->least_count; i++) {
        struct totals *least = &self->least[i], more = difference_of(self, look, i);
        struct totals share = {share_of(more.objects, repeats), share_of(more.bytes, repeats),
                               share_of(more.items, repeats)};
        *least = !self->looks ? share
                              : (struct totals){lesser(least->objects, share.objects), lesser(least->bytes, share.bytes),
                                                lesser(least->items, share.items)};
    }
    self->looks++;
    return 0;
}

static bool grows(const struct totals *totals)
{
    return totals->objects > 0 || totals->bytes > 0 || totals->items > 0;
}

static PyObject *births_look(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"repeats", NULL};
    Births *self = (Births *)object;
    Py_ssize_t repeats = 1;
    size_t growing = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|n:look", names, &repeats))
        return NULL;
    struct look look = {.births = self};
    int result = hw_heap_visit(object_look, &look);
    if (!result)
        result = least_fold(self, &look, repeats > 0 ? repeats : 1);
    if (!result)
        totals_keep(self, &look);
    look_deinit(&look);
    for (size_t i = 0; i < self->least_count; i++)
        growing += grows(&self->least[i]);
    return result ? NULL : PyLong_FromSize_t(growing);
}

static PyObject *births_growing(PyObject *object, PyObject *none)
{
    Births *self = (Births *)object;
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < self->least_count; i++) {
        const struct totals *least = &self->least[i];
        if (!grows(least))
            continue;
        PyObject *row = Py_BuildValue("(snnn)", self->names.items[i], least->objects, least->bytes, least->items);
        if (!row || PyList_Append(list, row) < 0)
            Py_CLEAR(list);
        Py_XDECREF(row);
    }
    return list;
}

/* ---- who was born ---- */

struct born_search {
    struct look look;
    Py_ssize_t name; /* -1: any */
    size_t limit;
    struct hw_stack found; /* strong references */
};

static int born_meet(PyObject *object, void *ctx)
{
    struct born_search *search = ctx;
    Births *self = search->look.births;
    const struct look_type *type;
    if (object == (PyObject *)self)
        return 0;
    if (!class_meet(&search->look, object, &type))
        return -1;
    if ((search->name >= 0 && type->name != (uint32_t)search->name) ||
        words_have(&self->alive, word_of(object, type->name)))
        return 0;
    return hw_stack_keep(&search->found, object) < 0 ? -1 : search->found.count == search->limit;
}

static PyObject *births_born(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"name", "limit", NULL};
    Births *self = (Births *)object;
    const char *name = NULL;
    Py_ssize_t limit = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|zn:born", names, &name, &limit))
        return NULL;
    struct born_search search = {.look = {.births = self}, .name = -1, .limit = limit > 0 ? (size_t)limit : 0};
    if (name && (search.name = hw_type_names_find(&self->names, name)) < 0)
        return PyList_New(0);
    int result = hw_heap_visit(born_meet, &search);
    look_deinit(&search.look);
    return hw_stack_list(&search.found, result < 0);
}

/* ---- which containers have more than at the baseline ---- */

static int grown_meet(PyObject *object, void *ctx)
{
    struct born_search *search = ctx;
    Births *self = search->look.births;
    const struct look_type *type;
    if (object == (PyObject *)self || !self->containers.count)
        return 0;
    if (!class_meet(&search->look, object, &type))
        return -1;
    if (!type->container)
        return 0;
    struct holding key = {word_of(object, type->name), 0};
    const struct holding *before = bsearch(&key, self->containers.items, self->containers.count, sizeof(key),
                                           holding_compare);
    if (!before || items_of(type->container, object) <= before->items)
        return 0;
    return hw_stack_keep(&search->found, object);
}

/* [(container, items more), ...] of the list; takes it over. */
static PyObject *grown_rows(Births *self, struct hw_stack *found)
{
    PyObject *list = PyList_New((Py_ssize_t)found->count);
    for (size_t i = 0; i < found->count; i++) {
        PyObject *object = found->items[i];
        struct holding key = {word_of(object, 0), 0};
        enum container kind = container_of(Py_TYPE(object));
        Py_ssize_t name = hw_type_names_add(&self->names, Py_TYPE(object));
        key.word |= (uint64_t)(name < 0 ? 0 : name);
        const struct holding *before = bsearch(&key, self->containers.items, self->containers.count, sizeof(key),
                                               holding_compare);
        Py_ssize_t more = items_of(kind, object) - (before ? before->items : 0);
        PyObject *row = list && name >= 0 ? Py_BuildValue("(On)", object, more) : NULL;
        Py_DECREF(object);
        if (row)
            PyList_SET_ITEM(list, (Py_ssize_t)i, row);
        else
            Py_CLEAR(list);
    }
    hw_stack_deinit(found);
    return list;
}

static PyObject *births_grown(PyObject *object, PyObject *none)
{
    Births *self = (Births *)object;
    struct born_search search = {.look = {.births = self}, .name = -1};
    int result = hw_heap_visit(grown_meet, &search);
    look_deinit(&search.look);
    return result < 0 ? hw_stack_list(&search.found, result) : grown_rows(self, &search.found);
}

/* ---- the type ---- */

static const char births_doc[] =
    "Births()\n--\n\n"
    "Remembers who is alive now: 8 bytes for each object, 16 more for each list, dict, set, deque and bytearray.\n\n"
    "No object is kept alive, no collection runs; the Births object itself is never counted.";
static const char look_doc[] =
    "look(repeats=1)\n--\n\n"
    "Compares all that is alive with the look before, the first time with the baseline, and returns how many types\n"
    "have grown in every look so far. repeats: how often what is tested ran meanwhile; growth is for each of them.\n"
    "Nothing that a look finds is kept in objects, so that looks do not see each other.";
static const char growing_doc[] =
    "growing()\n--\n\n"
    "[(type name, objects, bytes, items), ...]: what every look has seen grow, and by how much at least for each\n"
    "repeat. Bytes are as sys.getsizeof() gives them, items those in lists, dicts, sets, deques, bytearrays. Objects\n"
    "that the collector does not track count, too.";
static const char born_doc[] =
    "born(name=None, limit=0)\n--\n\n"
    "A list of the objects of that type name (as growing() tells it) that are alive and were not at the baseline.\n"
    "limit: at most so many; 0: all.";
static const char grown_doc[] =
    "grown()\n--\n\n"
    "[(container, items), ...]: the lists, dicts, sets, deques and bytearrays that were there at the baseline and have\n"
    "more items now, and how many more.";

static PyMethodDef births_methods[] = {
    {"look", (PyCFunction)(void (*)(void))births_look, METH_VARARGS | METH_KEYWORDS, look_doc},
    {"growing", births_growing, METH_NOARGS, growing_doc},
    {"born", (PyCFunction)(void (*)(void))births_born, METH_VARARGS | METH_KEYWORDS, born_doc},
    {"grown", births_grown, METH_NOARGS, grown_doc},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject births_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "heapwhy._heapwhy.Births",
    .tp_basicsize = sizeof(Births),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = births_doc,
    .tp_new = births_new,
    .tp_dealloc = births_dealloc,
    .tp_methods = births_methods,
};

int hw_births_init(PyObject *module)
{
    return hw_type_add(module, &births_type);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/garbage.h"

#include "inside/walk.h"

#include <stdlib.h>
#include <string.h>

const char hw_garbage_doc[] =
    "garbage(count=False)\n--\n\n"
    "What the collector would find unreachable now, without collecting: (cycles, others).\n\n"
    "cycles  a list of tuples of objects; each tuple is one strongly connected component, larger than one object or\n"
    "        an object that refers to itself\n"
    "others  a list of the objects that are garbage only because a cycle refers to them\n"
    "count   True: only (how many cycles, how many objects), which keeps nothing alive\n\n"
    "Only objects that the collector tracks; not those of gc.freeze(). As long as the result\n"
    "lives, its objects are reachable: let it go before you ask again.";

enum { OUTSIDE = 0, GARBAGE = 1 };
#define NONE UINT32_MAX

/* Columns by number of the object, which is its place in the collector's lists. */
struct heap {
    struct hw_stack objects; /* borrowed: nothing is freed while this is computed */
    uint32_t *slots;         /* open addressing by address: number + 1, 0 = free */
    size_t slot_count;
    Py_ssize_t *counts;      /* references that no tracked object accounts for */
    uint8_t *state;
    struct hw_stack work;    /* reached from outside, whose referents are not yet */
};

static int object_take(PyObject *object, void *ctx)
{
    return hw_stack_push(ctx, object);
}

static size_t slot_of(const struct heap *heap, const PyObject *object)
{
    size_t mask = heap->slot_count - 1;
    size_t slot = ((uintptr_t)object >> 4) * (size_t)0x9E3779B97F4A7C15u >> 16 & mask;
    while (heap->slots[slot] && heap->objects.items[heap->slots[slot] - 1] != object)
        slot = (slot + 1) & mask;
    return slot;
}

static uint32_t number_of(const struct heap *heap, PyObject *object)
{
    if (!hw_object_is_tracked(object))
        return NONE;
    return heap->slots[slot_of(heap, object)] - 1; /* 0 - 1 is NONE */
}

static int heap_index(struct heap *heap)
{
    size_t count = heap->objects.count;
    heap->slot_count = 1024;
    while (heap->slot_count < count * 2)
        heap->slot_count *= 2;
    heap->slots = calloc(heap->slot_count, sizeof(*heap->slots));
    heap->counts = malloc((count + 1) * sizeof(*heap->counts));
    heap->state = calloc(count + 1, 1);
    if (!heap->slots || !heap->counts || !heap->state || count >= NONE) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        heap->slots[slot_of(heap, heap->objects.items[i])] = (uint32_t)i + 1;
        heap->counts[i] = Py_REFCNT(heap->objects.items[i]);
        heap->state[i] = GARBAGE;
    }
    return 0;
}

static void heap_deinit(struct heap *heap)
{
    hw_stack_deinit(&heap->objects);
    hw_stack_deinit(&heap->work);
    free(heap->slots);
    free(heap->counts);
    free(heap->state);
}

/* The collector's own view of references: tp_traverse alone. */
static int traverse(PyObject *object, visitproc fn, void *ctx)
{
    traverseproc tp = Py_TYPE(object)->tp_traverse;
    return tp ? tp(object, fn, ctx) : 0;
}

static int reference_subtract(PyObject *object, void *ctx)
{
    struct heap *heap = ctx;
    uint32_t number = number_of(heap, object);
    if (number != NONE)
        heap->counts[number]--;
    return 0;
}

static int reachable_meet(PyObject *object, void *ctx)
{
    struct heap *heap = ctx;
    uint32_t number = number_of(heap, object);
    if (number == NONE || heap->state[number] == OUTSIDE)
        return 0;
    heap->state[number] = OUTSIDE;
    return hw_stack_push(&heap->work, object);
}

static int garbage_find(struct heap *heap)
{
    for (size_t i = 0; i < heap->objects.count; i++)
        traverse(heap->objects.items[i], reference_subtract, heap);
    for (size_t i = 0; i < heap->objects.count; i++) {
        if (heap->counts[i] <= 0)
            continue;
        if (reachable_meet(heap->objects.items[i], heap) < 0)
            return -1;
        while (heap->work.count)
            if (traverse(heap->work.items[--heap->work.count], reachable_meet, heap) < 0)
                return -1;
    }
    return 0;
}

/* ---- cycles: strongly connected components of the garbage (Tarjan), without recursion ---- */

struct edges {
    uint32_t *starts; /* by member; one more at the end */
    uint32_t *targets;
    size_t count, capacity;
};

/* Garbage has numbers of its own: members. */
struct components {
    const struct heap *heap;
    uint32_t *members; /* -> object */
    uint32_t *member_of; /* object -> member, NONE for what is outside */
    uint32_t count;
    struct edges edges;
    uint32_t *order, *low, *component, *next;
    uint32_t *path, *stack;
    uint32_t component_count;
    bool *is_loop; /* by member: refers to itself */
};

struct edge_visit {
    struct components *all;
    uint32_t from;
};

static int edge_add(PyObject *object, void *ctx)
{
    struct edge_visit *visit = ctx;
    struct components *all = visit->all;
    uint32_t number = number_of(all->heap, object);
    uint32_t to = number == NONE ? NONE : all->member_of[number];
    if (to == NONE)
        return 0;
    if (to == visit->from)
        all->is_loop[to] = true;
    struct edges *edges = &all->edges;
    if (edges->count == edges->capacity) {
        size_t capacity = edges->capacity ? edges->capacity * 2 : 1024;
        uint32_t *targets = capacity < NONE ? realloc(edges->targets, capacity * sizeof(*targets)) : NULL;
        if (!targets) {
            PyErr_NoMemory();
            return -1;
        }
        edges->targets = targets;
        edges->capacity = capacity;
    }
    edges->targets[edges->count++] = to;
    return 0;
}

static int members_number(struct components *all)
{
    const struct heap *heap = all->heap;
    for (size_t i = 0; i < heap->objects.count; i++)
        all->count += heap->state[i] == GARBAGE;
    size_t bytes = ((size_t)all->count + 1) * sizeof(uint32_t);
    uint32_t **columns[] = {&all->members, &all->edges.starts, &all->order,     &all->low,
                            &all->component, &all->next, &all->path, &all->stack};
    bool ok = true;
    for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
        ok = (*columns[i] = calloc(1, bytes)) && ok;
    all->member_of = malloc((heap->objects.count + 1) * sizeof(uint32_t));
    all->is_loop = calloc((size_t)all->count + 1, sizeof(*all->is_loop));
    if (!ok || !all->member_of || !all->is_loop) {
        PyErr_NoMemory();
        return -1;
    }
    uint32_t member = 0;
    for (size_t i = 0; i < heap->objects.count; i++) {
        bool is_member = heap->state[i] == GARBAGE;
        all->member_of[i] = is_member ? member : NONE;
        if (is_member)
            all->members[member++] = (uint32_t)i;
    }
    return 0;
}

static int edges_find(struct components *all)
{
    for (uint32_t i = 0; i < all->count; i++) {
        struct edge_visit visit = {all, i};
        all->edges.starts[i] = (uint32_t)all->edges.count;
        if (traverse(all->heap->objects.items[all->members[i]], edge_add, &visit) < 0)
            return -1;
    }
    all->edges.starts[all->count] = (uint32_t)all->edges.count;
    return 0;
}

static void component_close(struct components *all, uint32_t root, uint32_t *stacked)
{
    uint32_t member;
    do {
        member = all->stack[--*stacked];
        all->component[member] = all->component_count;
    } while (member != root);
    all->component_count++;
}

/* order is 1 + the number of the visit; component NONE as long as the member is on the stack. */
static void component_visit(struct components *all, uint32_t first, uint32_t *visits)
{
    uint32_t depth = 0, stacked = 0;
    all->path[depth++] = first;
    while (depth) {
        uint32_t at = all->path[depth - 1];
        if (!all->order[at]) {
            all->order[at] = all->low[at] = ++*visits;
            all->component[at] = NONE;
            all->next[at] = all->edges.starts[at];
            all->stack[stacked++] = at;
        }
        bool goes_down = false;
        while (!goes_down && all->next[at] < all->edges.starts[at + 1]) {
            uint32_t to = all->edges.targets[all->next[at]];
            if (!all->order[to]) {
                all->path[depth++] = to; /* the same edge again when it comes back */
                goes_down = true;
                break;
            }
            if (all->component[to] == NONE && all->low[to] < all->low[at])
                all->low[at] = all->low[to];
            all->next[at]++;
        }
        if (goes_down)
            continue;
        if (all->low[at] == all->order[at])
            component_close(all, at, &stacked);
        depth--;
    }
}

static void components_deinit(struct components *all)
{
    uint32_t *columns[] = {all->members, all->member_of, all->edges.starts, all->edges.targets, all->order, all->low,
                           all->component, all->next, all->path, all->stack};
    for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
        free(columns[i]);
    free(all->is_loop);
}

static int components_find(struct components *all)
{
    if (members_number(all) < 0 || edges_find(all) < 0)
        return -1;
    uint32_t visits = 0;
    for (uint32_t i = 0; i < all->count; i++)
        if (!all->order[i])
            component_visit(all, i, &visits);
    return 0;
}

/* ---- the result ---- */

/* Members by component, each component's together; sizes by component. order and low are free by now. */
static void components_group(struct components *all)
{
    uint32_t *sizes = all->low, *places = all->order;
    memset(sizes, 0, ((size_t)all->count + 1) * sizeof(*sizes));
    for (uint32_t i = 0; i < all->count; i++)
        sizes[all->component[i]]++;
    uint32_t at = 0;
    for (uint32_t i = 0; i < all->component_count; i++) {
        places[i] = at;
        at += sizes[i];
    }
    for (uint32_t i = 0; i < all->count; i++)
        all->path[places[all->component[i]]++] = i;
}

static PyObject *cycle_tuple(const struct components *all, const uint32_t *members, uint32_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (uint32_t i = 0; tuple && i < count; i++) {
        PyObject *object = all->heap->objects.items[all->members[members[i]]];
        Py_INCREF(object);
        PyTuple_SET_ITEM(tuple, i, object);
    }
    return tuple;
}

static int append_stolen(PyObject *list, PyObject *item)
{
    int result = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return result;
}

static int lists_fill(const struct components *all, PyObject *cycles, PyObject *others)
{
    const uint32_t *sizes = all->low;
    for (uint32_t i = 0, at = 0; i < all->component_count; at += sizes[i++]) {
        uint32_t member = all->path[at];
        bool is_cycle = sizes[i] > 1 || all->is_loop[member];
        PyObject *object = all->heap->objects.items[all->members[member]];
        if (is_cycle ? append_stolen(cycles, cycle_tuple(all, &all->path[at], sizes[i])) < 0
                     : PyList_Append(others, object) < 0)
            return -1;
    }
    return 0;
}

static PyObject *count_make(const struct components *all)
{
    Py_ssize_t cycles = 0;
    for (uint32_t i = 0, at = 0; i < all->component_count; at += all->low[i++])
        cycles += all->low[i] > 1 || all->is_loop[all->path[at]];
    return Py_BuildValue("(nn)", cycles, (Py_ssize_t)all->count);
}

static PyObject *lists_make(const struct components *all)
{
    PyObject *cycles = PyList_New(0), *others = PyList_New(0);
    bool ok = cycles && others && lists_fill(all, cycles, others) == 0;
    PyObject *result = ok ? Py_BuildValue("(OO)", cycles, others) : NULL;
    Py_XDECREF(cycles);
    Py_XDECREF(others);
    return result;
}

/* Making lists may start a collection. What we hold a reference to, it does not free. */
static PyObject *result_make(struct components *all, bool counts_only)
{
    components_group(all);
    if (counts_only)
        return count_make(all);
    for (uint32_t i = 0; i < all->count; i++)
        Py_INCREF(all->heap->objects.items[all->members[i]]);
    PyObject *result = lists_make(all);
    for (uint32_t i = 0; i < all->count; i++)
        Py_DECREF(all->heap->objects.items[all->members[i]]);
    return result;
}

PyObject *hw_garbage(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"count", NULL};
    int counts_only = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|p:garbage", names, &counts_only))
        return NULL;
    struct heap heap = {0};
    struct components all = {.heap = &heap};
    int result = hw_tracked_visit(object_take, &heap.objects);
    if (!result)
        result = heap_index(&heap);
    if (!result)
        result = garbage_find(&heap);
    if (!result)
        result = components_find(&all);
    PyObject *told = result ? NULL : result_make(&all, counts_only);
    components_deinit(&all);
    heap_deinit(&heap);
    return told;
}

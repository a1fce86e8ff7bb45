/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/pattern.h"

#include "inside/grouping.h"
#include "inside/roots.h"

#include <frameobject.h>
#include <stdlib.h>

const char hw_reference_pattern_doc[] =
    "reference_pattern(set, depth=7, width=10, nodes=200, own=False)\n--\n\n"
    "[(parent, depth, key, count, state, set), ...]: the number of the parent's row or -1, a kind as\n"
    "partition() by class tells it, how many, '' or why there is nothing below: 'stop' at modules, classes,\n"
    "frames and variables, 'cycle' when all of it was seen nearer to the beginning, 'depth', 'more' for the\n"
    "kinds that width leaves out. set has the type of the set that was given; None for variables and more.";

struct node {
    int parent, depth;
    uint32_t kind;         /* 0: more kinds */
    size_t count;
    const char *state;
    struct hw_bits *bits;  /* NULL: none */
    struct hw_bits *found; /* referrers, while the next level is made */
    size_t variables;      /* roots that refer to it */
};

struct pattern {
    struct hw_live live;
    struct hw_kinds kinds;
    struct node *nodes;
    int count, max, width, depth;
    int level_start, level_end; /* the nodes being looked at */
    struct hw_bits *any;        /* their members, all together */
};

static void node_add(struct pattern *pattern, struct node node)
{
    if (pattern->count < pattern->max)
        pattern->nodes[pattern->count++] = node;
    else
        hw_bits_destroy(node.bits);
}

/* How many of a set are of each kind. */
struct census {
    struct pattern *pattern;
    size_t *counts; /* [kind] */
    size_t capacity;
    uint32_t wanted; /* while a set is made */
    struct hw_bits *bits;
};

static int kind_count(PyObject *object, void *arg)
{
    struct census *census = arg;
    uint32_t kind = hw_kinds_number(&census->pattern->kinds, object);
    if (kind && kind >= census->capacity) {
        size_t capacity = kind * 2 + 64;
        size_t *counts = realloc(census->counts, capacity * sizeof(*counts));
        if (!counts) {
            PyErr_NoMemory();
            return -1;
        }
        for (size_t i = census->capacity; i < capacity; i++)
            counts[i] = 0;
        census->counts = counts;
        census->capacity = capacity;
    }
    if (kind)
        census->counts[kind]++;
    return kind ? 0 : -1;
}

static int kind_pick(PyObject *object, void *arg)
{
    struct census *census = arg;
    uint32_t kind = hw_kinds_number(&census->pattern->kinds, object);
    return kind == census->wanted && hw_bits_add(census->bits, object) < 0 ? -1 : 0;
}

static uint32_t most_frequent(const struct census *census)
{
    uint32_t best = 0;
    for (size_t kind = 1; kind < census->capacity; kind++)
        if (census->counts[kind] && (!best || census->counts[kind] > census->counts[best]))
            best = (uint32_t)kind;
    return best;
}

static PyTypeObject *kind_type(const struct pattern *pattern, uint32_t kind)
{
    uint64_t key = pattern->kinds.keys.keys[kind - 1] & ~(uint64_t)7;
    return (PyTypeObject *)(uintptr_t)key;
}

static bool is_seen_above(const struct pattern *pattern, int parent, const struct hw_bits *bits)
{
    for (; parent >= 0; parent = pattern->nodes[parent].parent) {
        const struct hw_bits *above = pattern->nodes[parent].bits;
        void *at = hw_bits_next(bits, NULL);
        while (at && hw_bits_has(above, at))
            at = hw_bits_next(bits, (char *)at + 1);
        if (!at)
            return true;
    }
    return false;
}

static const char *state_of(const struct pattern *pattern, int parent, int depth, uint32_t kind,
                            const struct hw_bits *bits)
{
    PyTypeObject *type = kind_type(pattern, kind);
    if (type && (type == &PyModule_Type || type == &PyFrame_Type || PyType_IsSubtype(type, &PyType_Type)))
        return "stop";
    return is_seen_above(pattern, parent, bits) ? "cycle" : depth == pattern->depth ? "depth" : "";
}

/* The children of a node, or the first level: a set by kind, most frequent first. */
static int children_add(struct pattern *pattern, int parent, const struct hw_bits *bits)
{
    struct census census = {.pattern = pattern};
    int depth = parent < 0 ? 0 : pattern->nodes[parent].depth + 1;
    int result = hw_members_visit(bits, kind_count, &census);
    uint32_t kind;
    for (int i = 0; !result && i < pattern->width && (kind = most_frequent(&census)); i++) {
        census.wanted = kind;
        census.bits = hw_bits_create();
        result = census.bits ? hw_members_visit(bits, kind_pick, &census) : -1;
        if (result) {
            hw_bits_destroy(census.bits);
            break;
        }
        const char *state = state_of(pattern, parent, depth, kind, census.bits);
        node_add(pattern, (struct node){parent, depth, kind, census.counts[kind], state, census.bits, NULL, 0});
        census.counts[kind] = 0;
    }
    size_t rest = 0;
    for (size_t i = 0; i < census.capacity; i++)
        rest += census.counts[i];
    if (!result && rest)
        node_add(pattern, (struct node){parent, depth, 0, rest, "more", NULL, NULL, 0});
    free(census.counts);
    return result;
}

struct referrer {
    struct pattern *pattern;
    PyObject *holder;
};

static int referent_look(PyObject *referent, void *arg)
{
    struct referrer *referrer = arg;
    struct pattern *pattern = referrer->pattern;
    if (!hw_bits_has(pattern->any, referent))
        return 0;
    for (int i = pattern->level_start; i < pattern->level_end; i++) {
        struct node *node = &pattern->nodes[i];
        if (node->found && hw_bits_has(node->bits, referent) && hw_bits_add(node->found, referrer->holder) < 0)
            return -1;
    }
    return 0;
}

static int holder_look(PyObject *holder, void *pattern)
{
    struct referrer referrer = {pattern, holder};
    return hw_referents_visit(holder, referent_look, &referrer);
}

static int root_look(const struct hw_root *root, void *arg)
{
    struct pattern *pattern = arg;
    for (int i = pattern->level_start; i < pattern->level_end; i++) {
        struct node *node = &pattern->nodes[i];
        node->variables += node->found && hw_bits_has(node->bits, root->object);
    }
    return 0;
}

static int level_prepare(struct pattern *pattern)
{
    hw_bits_destroy(pattern->any);
    pattern->any = hw_bits_create();
    int result = pattern->any ? 0 : -1;
    for (int i = pattern->level_start; !result && i < pattern->level_end; i++) {
        struct node *node = &pattern->nodes[i];
        if (*node->state)
            continue;
        node->found = hw_bits_create();
        result = node->found ? hw_bits_combine(pattern->any, node->bits, HW_BITS_OR) : -1;
    }
    return result;
}

static int level_split(struct pattern *pattern)
{
    int result = 0;
    for (int i = pattern->level_start; !result && i < pattern->level_end; i++) {
        if (!pattern->nodes[i].found)
            continue;
        size_t variables = pattern->nodes[i].variables;
        result = children_add(pattern, i, pattern->nodes[i].found);
        if (!result && variables)
            node_add(pattern, (struct node){i, pattern->nodes[i].depth + 1, hw_kinds_root(&pattern->kinds), variables,
                                            "stop", NULL, NULL, 0});
        hw_bits_destroy(pattern->nodes[i].found);
        pattern->nodes[i].found = NULL;
    }
    return result;
}

static int levels_make(struct pattern *pattern)
{
    int result = 0;
    while (!result && pattern->level_end < pattern->count) {
        pattern->level_start = pattern->level_end;
        pattern->level_end = pattern->count;
        result = level_prepare(pattern);
        if (!result && hw_bits_next(pattern->any, NULL))
            result = hw_members_visit(pattern->live.holders, holder_look, pattern);
        if (!result)
            result = hw_roots_visit(root_look, pattern);
        if (!result)
            result = level_split(pattern);
    }
    return result;
}

static PyObject *node_row(const struct pattern *pattern, struct node *node, PyTypeObject *type)
{
    PyObject *key = node->kind ? hw_kinds_key(&pattern->kinds, node->kind) : PyUnicode_FromString("<more>");
    PyObject *set = Py_None;
    if (node->bits) {
        set = hw_heap_set_wrap(type, node->bits);
        node->bits = NULL;
    } else {
        Py_INCREF(set);
    }
    if (!key || !set) {
        Py_XDECREF(key);
        Py_XDECREF(set);
        return NULL;
    }
    return Py_BuildValue("(iiNnsN)", node->parent, node->depth, key, (Py_ssize_t)node->count, node->state, set);
}

static PyObject *pattern_rows(struct pattern *pattern, PyTypeObject *type)
{
    PyObject *rows = PyList_New(0);
    for (int i = 0; rows && i < pattern->count; i++) {
        PyObject *row = node_row(pattern, &pattern->nodes[i], type);
        if (!row || PyList_Append(rows, row) < 0)
            Py_CLEAR(rows);
        Py_XDECREF(row);
    }
    return rows;
}

static PyObject *pattern_run(struct pattern *pattern, const struct hw_heap_set *set, bool own)
{
    struct hw_bits *members = NULL;
    PyObject *rows = NULL;
    int result = hw_heap_set_members(set, &pattern->live, HW_LIVE_HOLDERS | (own ? HW_LIVE_OWN : 0u), &members);
    pattern->nodes = calloc((size_t)pattern->max, sizeof(*pattern->nodes));
    if (!result && pattern->nodes && hw_kinds_init(&pattern->kinds, &pattern->live) == 0 &&
        children_add(pattern, -1, members) == 0 && levels_make(pattern) == 0)
        rows = pattern_rows(pattern, Py_TYPE(set));
    else if (!PyErr_Occurred())
        PyErr_NoMemory();
    for (int i = 0; pattern->nodes && i < pattern->count; i++) {
        hw_bits_destroy(pattern->nodes[i].bits);
        hw_bits_destroy(pattern->nodes[i].found);
    }
    free(pattern->nodes);
    hw_bits_destroy(pattern->any);
    hw_bits_destroy(members);
    hw_kinds_deinit(&pattern->kinds);
    hw_live_deinit(&pattern->live);
    return rows;
}

PyObject *hw_reference_pattern(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"set", "depth", "width", "nodes", "own", NULL};
    PyObject *set;
    int own = 0;
    struct pattern pattern = {.depth = 7, .width = 10, .max = 200};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!|iiip:reference_pattern", names, hw_heap_set_type, &set,
                                     &pattern.depth, &pattern.width, &pattern.max, &own))
        return NULL;
    if (pattern.depth < 0 || pattern.width < 1 || pattern.max < 1)
        return PyErr_Format(PyExc_ValueError, "depth must not be negative, width and nodes must be 1 or more");
    return pattern_run(&pattern, (struct hw_heap_set *)set, own);
}

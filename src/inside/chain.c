/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/chain.h"

#include "inside/referrers.h"
#include "inside/walk.h"

#include <stdlib.h>

const char hw_find_chain_doc[] =
    "find_chain(obj, predicate, max_depth, ignore, backward, /)\n--\n\n"
    "A list that begins with obj and ends with the nearest object for which predicate(object) is true,\n"
    "each element referring to the one before it (backward) or the one behind it; None: there is none\n"
    "within max_depth steps.\n\n"
    "predicate  a function; None: is_module()\n"
    "ignore     ids of objects that the chain may not go through\n\n"
    "The predicate is called between passes over the heap, for each object once, and may do anything: what\n"
    "was found is held meanwhile. MemoryError; whatever the predicate raises.";

const char hw_is_module_doc[] =
    "is_module(object, /)\n--\n\n"
    "Whether an object is a module of sys.modules, under its own name.";

/* What was reached, level after level. */
struct node {
    PyObject *object; /* strong reference */
    uint32_t parent;
};

struct chain {
    PyObject *predicate; /* NULL: is_module() */
    struct hw_bits *seen; /* and ignored */
    struct node *nodes;
    size_t count, capacity;
    size_t level; /* where the last one begins */
    uint32_t parent; /* of what a walk forward meets */
};

static bool module_is_proper(PyObject *object)
{
    if (!PyModule_Check(object))
        return false;
    PyObject *globals = PyModule_GetDict(object);
    PyObject *name = globals ? PyDict_GetItemString(globals, "__name__") : NULL;
    return name && PyUnicode_Check(name) && PyDict_GetItem(PyImport_GetModuleDict(), name) == object;
}

PyObject *hw_is_module(PyObject *module, PyObject *object)
{
    (void)module;
    return PyBool_FromLong(module_is_proper(object));
}

static int node_add(struct chain *chain, PyObject *object, uint32_t parent)
{
    int is_new = hw_bits_add(chain->seen, object);
    if (is_new <= 0)
        return is_new;
    if (chain->count == chain->capacity) {
        size_t capacity = chain->capacity ? chain->capacity * 2 : 64;
        struct node *nodes = capacity <= UINT32_MAX ? realloc(chain->nodes, capacity * sizeof(*nodes)) : NULL;
        if (!nodes) {
            PyErr_NoMemory();
            return -1;
        }
        chain->nodes = nodes;
        chain->capacity = capacity;
    }
    Py_INCREF(object);
    chain->nodes[chain->count++] = (struct node){object, parent};
    return 0;
}

static void chain_deinit(struct chain *chain)
{
    hw_bits_destroy(chain->seen);
    for (size_t i = 0; i < chain->count; i++)
        Py_DECREF(chain->nodes[i].object);
    free(chain->nodes);
}

static int predicate_ask(const struct chain *chain, PyObject *object)
{
    if (!chain->predicate)
        return module_is_proper(object);
    PyObject *answer = PyObject_CallFunctionObjArgs(chain->predicate, object, NULL);
    int is_true = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    return is_true;
}

static int referent_meet(PyObject *object, void *arg)
{
    struct chain *chain = arg;
    return node_add(chain, object, chain->parent);
}

/* Asks tp_traverse itself, whose order gc.get_referents() has: that of lists is from the end. */
static int forward(struct chain *chain)
{
    size_t end = chain->count;
    int result = 0;
    for (size_t i = chain->level; !result && i < end; i++) {
        PyObject *object = chain->nodes[i].object;
        chain->parent = (uint32_t)i;
        if (hw_object_is_gc(object) && Py_TYPE(object)->tp_traverse)
            result = Py_TYPE(object)->tp_traverse(object, referent_meet, chain);
        else
            result = hw_referents_visit(object, referent_meet, chain);
    }
    chain->level = end;
    return result;
}

static PyObject **level_targets(const struct chain *chain)
{
    size_t count = chain->count - chain->level;
    PyObject **targets = malloc(count * sizeof(*targets) + 1);
    for (size_t i = 0; targets && i < count; i++)
        targets[i] = chain->nodes[chain->level + i].object;
    if (!targets)
        PyErr_NoMemory();
    return targets;
}

static int backward(struct chain *chain)
{
    size_t end = chain->count;
    PyObject **targets = level_targets(chain);
    struct hw_referrer_search search = {.targets = targets,
                                        .target_count = end - chain->level,
                                        .own_references = 1,
                                        .skip = chain->seen,
                                        .first_only = true};
    int result = targets ? hw_referrers_search(&search) : -1;
    for (size_t i = 0; !result && i < search.found_count; i++)
        result = node_add(chain, search.found[i].object, (uint32_t)chain->level + search.found[i].target);
    hw_referrer_search_deinit(&search);
    free(targets);
    chain->level = end;
    return result;
}

/* A short cut when modules are looked for: they are few, so they are asked before the heap is. The next
 * level would begin with the referrers of the first target that has any; the module to be met first is
 * the one that refers to the earliest target. When two refer to the same, their order on the lists
 * decides, and the heap must be asked. */
struct module_search {
    const struct chain *chain;
    uint32_t first; /* of the module looked at */
};

static int module_reference(PyObject *object, void *arg)
{
    struct module_search *search = arg;
    for (size_t i = search->chain->level; i < search->first; i++)
        if (search->chain->nodes[i].object == object)
            search->first = (uint32_t)i;
    return 0;
}

/* The module that a pass over the heap would meet first, with its parent; NULL: none, or not known. */
static PyObject *module_ahead(const struct chain *chain, uint32_t *ret_parent)
{
    enum { LEVEL_MAX = 64 }; /* each reference of each module is compared with the whole level */
    if (chain->count - chain->level > LEVEL_MAX)
        return NULL;
    PyObject *best = NULL, *modules = PyImport_GetModuleDict(), *name, *module;
    uint32_t best_at = (uint32_t)chain->count;
    bool tie = false;
    for (Py_ssize_t at = 0; PyDict_Next(modules, &at, &name, &module);) {
        if (!module_is_proper(module) || hw_bits_has(chain->seen, module) || !hw_object_is_tracked(module))
            continue;
        struct module_search search = {chain, (uint32_t)chain->count};
        hw_referents_visit(module, module_reference, &search);
        tie = search.first == best_at ? module != best : tie;
        if (search.first < best_at) {
            best = module;
            best_at = search.first;
            tie = false;
        }
    }
    if (!best || tie)
        return NULL;
    *ret_parent = best_at;
    return best;
}

static int backward_to_module(struct chain *chain)
{
    uint32_t parent = 0;
    PyObject *module = chain->predicate ? NULL : module_ahead(chain, &parent);
    if (!module)
        return backward(chain);
    chain->level = chain->count;
    return node_add(chain, module, parent);
}

/* The first node of the last level that the predicate likes: its number + 1; 0: none; -1. */
static Py_ssize_t level_ask(const struct chain *chain)
{
    for (size_t i = chain->level; i < chain->count; i++) {
        int likes = predicate_ask(chain, chain->nodes[i].object);
        if (likes < 0)
            return -1;
        if (likes)
            return (Py_ssize_t)i + 1;
    }
    return 0;
}

static Py_ssize_t chain_search(struct chain *chain, Py_ssize_t max_depth, bool is_backward)
{
    for (Py_ssize_t depth = 0; chain->level < chain->count; depth++) {
        Py_ssize_t hit = level_ask(chain);
        if (hit || depth >= max_depth)
            return hit;
        if ((is_backward ? backward_to_module(chain) : forward(chain)) < 0)
            return -1;
    }
    return 0;
}

static PyObject *chain_list(const struct chain *chain, size_t last)
{
    size_t length = 1;
    for (size_t at = last; at != 0; at = chain->nodes[at].parent)
        length++;
    PyObject *list = PyList_New((Py_ssize_t)length);
    for (size_t at = last; list && length-- > 0; at = chain->nodes[at].parent) {
        Py_INCREF(chain->nodes[at].object);
        PyList_SET_ITEM(list, (Py_ssize_t)length, chain->nodes[at].object);
    }
    return list;
}

PyObject *hw_find_chain(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count != 5) {
        PyErr_SetString(PyExc_TypeError, "find_chain() takes 5 arguments");
        return NULL;
    }
    Py_ssize_t max_depth = PyNumber_AsSsize_t(args[2], NULL);
    int is_backward = PyObject_IsTrue(args[4]);
    if ((max_depth == -1 && PyErr_Occurred()) || is_backward < 0)
        return NULL;
    struct chain chain = {.predicate = args[1] == Py_None ? NULL : args[1], .seen = hw_bits_create()};
    Py_ssize_t hit = chain.seen ? node_add(&chain, args[0], 0) : -1;
    if (!hit)
        hit = hw_ignore_add(chain.seen, args[3]);
    if (!hit)
        hit = chain_search(&chain, max_depth, is_backward);
    PyObject *list = hit > 0 ? chain_list(&chain, (size_t)hit - 1) : NULL;
    chain_deinit(&chain);
    if (!hit)
        Py_RETURN_NONE;
    return list;
}

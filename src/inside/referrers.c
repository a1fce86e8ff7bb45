/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/referrers.h"

#include "inside/asker.h"
#include "inside/grow.h"
#include "inside/version.h"
#include "inside/walk.h"

#include <stdlib.h>

const char hw_referrers_doc[] =
    "referrers(objects, ignore=(), /)\n--\n\n"
    "[[referrer, ...], ...]: for each of a list of objects those that refer to it, each once, in the order\n"
    "of gc.get_referrers(), then frozen ones. Of objects that the collector does not track, untracked\n"
    "referrers and code objects follow. One pass over the heap answers for all.\n\n"
    "Left out: the list `objects`, what ignore has the ids of, the frame that asks. Weak references are\n"
    "none. No Python code is called.";

const char hw_referents_doc[] =
    "referents(obj, /)\n--\n\n"
    "What obj refers to, each object once: as gc.get_referents(), and what a code object holds.";

#define ORDER_UNTRACKED ((uint64_t)HW_GC_LIST_COUNT << 56)
#define NO_TARGET UINT32_MAX

/* What the pass knows of a target. */
struct target {
    PyObject *object;
    Py_ssize_t left;    /* references not met yet; PY_SSIZE_T_MAX: nobody can tell */
    PyObject *referrer; /* the last one met */
};

struct pass {
    struct hw_referrer_search *search;
    struct target *targets;
    size_t open; /* targets with references left */
    struct hw_bits *bits;
    uintptr_t low, span; /* targets lie within */
    uint32_t *slots;     /* open addressing: target + 1, 0 = free */
    size_t slot_mask;
    PyObject *source;      /* whose references are looked at */
    uint32_t first_target; /* of it, while first_only */
    uint64_t order;
    bool all_tracked; /* targets */
    bool failed;
};

static size_t slot_of(const struct pass *pass, const PyObject *object)
{
    size_t slot = ((uintptr_t)object >> 3) * (size_t)0x9E3779B97F4A7C15u >> 24 & pass->slot_mask;
    while (pass->slots[slot] && pass->targets[pass->slots[slot] - 1].object != object)
        slot = (slot + 1) & pass->slot_mask;
    return slot;
}

static bool is_target(const struct pass *pass, const PyObject *object)
{
    return (uintptr_t)object - pass->low <= pass->span && hw_bits_has(pass->bits, object);
}

static int found_add(struct pass *pass, uint32_t target)
{
    struct hw_referrer_search *search = pass->search;
    struct hw_referrer *found = hw_grow(search->found, &search->found_capacity, search->found_count + 1, sizeof(*found));
    if (!found) {
        pass->failed = true;
        return -1;
    }
    search->found = found;
    Py_INCREF(pass->source);
    search->found[search->found_count++] = (struct hw_referrer){pass->source, target, pass->order};
    return 0;
}

static int target_met(struct pass *pass, const PyObject *object)
{
    uint32_t at = pass->slots[slot_of(pass, object)] - 1;
    struct target *target = &pass->targets[at];
    if (target->left != PY_SSIZE_T_MAX && --target->left == 0)
        pass->open--;
    if (pass->search->first_only) {
        if (at < pass->first_target)
            pass->first_target = at;
        return 0;
    }
    if (target->referrer == pass->source)
        return 0;
    target->referrer = pass->source;
    return found_add(pass, at);
}

static int reference_look(PyObject *object, void *arg)
{
    struct pass *pass = arg;
    return is_target(pass, object) ? target_met(pass, object) : 0;
}

static int items_look(struct pass *pass, PyObject **items, Py_ssize_t count)
{
    int result = 0;
    for (Py_ssize_t i = 0; !result && i < count; i++)
        if (items[i] && is_target(pass, items[i]))
            result = target_met(pass, items[i]);
    return result;
}

/* As the collector visits it: from 3.13 on values may lie in an instance, which then is who has them. Keys
 * that are str it does not visit. */
static int dict_look(struct pass *pass, PyObject *dict)
{
    Py_ssize_t at = 0;
    PyObject *key;
    int result = PyDict_Type.tp_traverse(dict, reference_look, pass);
    while (!result && !pass->all_tracked && PyDict_Next(dict, &at, &key, NULL))
        if (PyUnicode_Check(key) && is_target(pass, key))
            result = target_met(pass, key);
    return result;
}

static int source_look(struct pass *pass, PyObject *source)
{
    if (pass->search->skip && hw_bits_has(pass->search->skip, source))
        return 0;
    pass->source = source;
    pass->first_target = NO_TARGET;
    pass->order++;
    int result = 0;
    if (PyList_CheckExact(source))
        result = items_look(pass, ((PyListObject *)source)->ob_item, PyList_GET_SIZE(source));
    else if (PyTuple_CheckExact(source))
        result = items_look(pass, ((PyTupleObject *)source)->ob_item, PyTuple_GET_SIZE(source));
    else if (PyDict_CheckExact(source))
        result = dict_look(pass, source);
    else
        result = hw_referents_visit(source, reference_look, pass);
    if (!result && pass->first_target != NO_TARGET)
        result = found_add(pass, pass->first_target);
    return pass->failed ? -1 : 0;
}

static int tracked_look(PyObject *source, void *arg)
{
    struct pass *pass = arg;
    if (source_look(pass, source) < 0)
        return -1;
    return pass->open == 0;
}

static int untracked_look(PyObject *source, void *arg)
{
    bool refers = PyCode_Check(source) || (hw_object_is_gc(source) && !hw_object_is_tracked(source));
    return refers ? source_look(arg, source) : 0;
}

/* What a target's references can be told by: its count, unless that never changes. Of what is not tracked,
 * dicts that share their keys show one reference many times. */
static Py_ssize_t references_of(PyObject *object, Py_ssize_t own)
{
    Py_ssize_t count = Py_REFCNT(object);
    if (hw_object_immortal(object) || !hw_object_is_tracked(object) || count <= own)
        return PY_SSIZE_T_MAX;
    return count - own;
}

static int pass_init(struct pass *pass, struct hw_referrer_search *search)
{
    *pass = (struct pass){
        .search = search, .open = search->target_count, .low = UINTPTR_MAX, .all_tracked = true};
    size_t slots = 16;
    while (slots < 2 * search->target_count)
        slots *= 2;
    pass->slot_mask = slots - 1;
    pass->slots = calloc(slots, sizeof(*pass->slots));
    pass->targets = calloc(search->target_count + 1, sizeof(*pass->targets));
    pass->bits = hw_bits_create();
    if (!pass->slots || !pass->targets || !pass->bits) {
        PyErr_NoMemory();
        return -1;
    }
    uintptr_t high = 0;
    for (size_t i = 0; i < search->target_count; i++) {
        PyObject *object = search->targets[i];
        size_t slot = slot_of(pass, object);
        if (!pass->slots[slot])
            pass->slots[slot] = (uint32_t)i + 1;
        pass->targets[i] = (struct target){object, references_of(object, search->own_references), NULL};
        if (hw_bits_add(pass->bits, object) < 0)
            return -1;
        pass->all_tracked &= hw_object_is_tracked(object);
        pass->low = (uintptr_t)object < pass->low ? (uintptr_t)object : pass->low;
        high = (uintptr_t)object > high ? (uintptr_t)object : high;
    }
    pass->span = search->target_count ? high - pass->low : 0;
    return 0;
}

static void pass_deinit(struct pass *pass)
{
    free(pass->slots);
    free(pass->targets);
    hw_bits_destroy(pass->bits);
}

static int pass_run(struct pass *pass)
{
    int result = 0;
    for (int list = HW_GC_FROZEN; !result && list >= HW_GC_YOUNG; list--) {
        pass->order = (uint64_t)list << 56;
        result = hw_gc_list_visit((enum hw_gc_list)list, tracked_look, pass);
    }
    if (result || pass->all_tracked)
        return result;
    pass->order = ORDER_UNTRACKED;
    return hw_heap_visit(untracked_look, pass);
}

static int found_compare(const void *a, const void *b)
{
    const struct hw_referrer *x = a, *y = b;
    if (x->target != y->target)
        return x->target < y->target ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* Drops the frames of the asking code. */
static int frames_drop(struct hw_referrer_search *search)
{
    bool has_frames = false;
    for (size_t i = 0; i < search->found_count; i++)
        has_frames |= PyFrame_Check(search->found[i].object);
    if (!has_frames)
        return 0;
    struct hw_bits *own = hw_bits_create();
    int result = own ? hw_asker_frames(own) : -1;
    size_t kept = 0;
    for (size_t i = 0; !result && i < search->found_count; i++) {
        if (hw_bits_has(own, search->found[i].object))
            Py_DECREF(search->found[i].object);
        else
            search->found[kept++] = search->found[i];
    }
    if (!result)
        search->found_count = kept;
    hw_bits_destroy(own);
    return result;
}

int hw_referrers_search(struct hw_referrer_search *search)
{
    struct pass pass;
    int result = pass_init(&pass, search);
    if (!result && search->target_count)
        result = pass_run(&pass);
    pass_deinit(&pass);
    if (result < 0 || frames_drop(search) < 0)
        return -1;
    if (search->found_count)
        qsort(search->found, search->found_count, sizeof(*search->found), found_compare);
    return 0;
}

void hw_referrer_search_deinit(struct hw_referrer_search *search)
{
    for (size_t i = 0; i < search->found_count; i++)
        Py_DECREF(search->found[i].object);
    free(search->found);
    search->found = NULL;
    search->found_count = search->found_capacity = 0;
}

int hw_ignore_add(struct hw_bits *ignore, PyObject *ids)
{
    if (hw_bits_add(ignore, ids) < 0)
        return -1;
    PyObject *words = PySequence_List(ids);
    int result = words ? 0 : -1;
    for (Py_ssize_t i = 0; !result && i < PyList_GET_SIZE(words); i++) {
        void *at = hw_address_of(PyList_GET_ITEM(words, i));
        result = at && hw_bits_add(ignore, at) < 0 ? -1 : 0;
    }
    Py_XDECREF(words);
    return result;
}

/* The lists are made after the walk; a target that occurs twice has its referrers at its first place. */
static PyObject *lists_of(const struct hw_referrer_search *search)
{
    PyObject *all = PyList_New((Py_ssize_t)search->target_count);
    size_t at = 0;
    for (size_t i = 0; all && i < search->target_count; i++) {
        size_t end = at;
        while (end < search->found_count && search->found[end].target == i)
            end++;
        PyObject *some = PyList_New((Py_ssize_t)(end - at));
        if (!some) {
            Py_CLEAR(all);
            break;
        }
        for (Py_ssize_t j = 0; at < end; at++, j++) {
            Py_INCREF(search->found[at].object);
            PyList_SET_ITEM(some, j, search->found[at].object);
        }
        PyList_SET_ITEM(all, (Py_ssize_t)i, some);
    }
    return all;
}

PyObject *hw_referrers(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count < 1 || count > 2 || !PyList_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "referrers() takes a list of objects, and ids to ignore");
        return NULL;
    }
    struct hw_bits *ignore = hw_bits_create();
    int result = ignore ? hw_bits_add(ignore, args[0]) : -1;
    if (result >= 0 && count == 2)
        result = hw_ignore_add(ignore, args[1]);
    struct hw_referrer_search search = {.targets = ((PyListObject *)args[0])->ob_item,
                                        .target_count = (size_t)PyList_GET_SIZE(args[0]),
                                        .own_references = 1, /* the list's */
                                        .skip = ignore};
    PyObject *lists = NULL;
    if (result >= 0 && hw_referrers_search(&search) == 0)
        lists = lists_of(&search);
    hw_referrer_search_deinit(&search);
    hw_bits_destroy(ignore);
    return lists;
}

struct referents {
    struct hw_bits *met;
    struct hw_stack stack; /* strong references */
};

static int referent_note(PyObject *object, void *arg)
{
    struct referents *referents = arg;
    int is_new = hw_bits_add(referents->met, object);
    return is_new > 0 ? hw_stack_keep(&referents->stack, object) : is_new;
}

PyObject *hw_referents(PyObject *module, PyObject *object)
{
    (void)module;
    struct referents referents = {.met = hw_bits_create()};
    int result = referents.met ? hw_referents_visit(object, referent_note, &referents) : -1;
    hw_bits_destroy(referents.met);
    return hw_stack_list(&referents.stack, result);
}

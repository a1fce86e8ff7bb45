/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/summary.h"

#include "inside/census.h"
#include "inside/version.h"

#include <stdlib.h>

const char hw_summary_doc[] =
    "summary(objects, apart, hide, /)\n--\n\n"
    "([(type, count, bytes), ...], objects of the types in apart).\n\n"
    "objects  a list to count, or None: all that is alive, without frames\n"
    "apart    a tuple of types whose objects are listed and not counted\n"
    "hide     a tuple of objects that do not count, nor what only they hold\n\n"
    "No collection runs.";

/* References seen so far to objects that hidden ones hold: open addressing, never more than half full. */
struct tally {
    struct tally_slot {
        PyObject *object;
        Py_ssize_t count;
    } *slots;
    size_t used, capacity;
};

static struct tally_slot *slot_of(const struct tally *tally, const PyObject *object)
{
    size_t mask = tally->capacity - 1, at = ((uintptr_t)object >> 4) * (size_t)0x9E3779B97F4A7C15u >> 20 & mask;
    while (tally->slots[at].object && tally->slots[at].object != object)
        at = (at + 1) & mask;
    return &tally->slots[at];
}

static int tally_grow(struct tally *tally)
{
    struct tally larger = {.capacity = tally->capacity ? tally->capacity * 2 : 1024, .used = tally->used};
    larger.slots = calloc(larger.capacity, sizeof(*larger.slots));
    if (!larger.slots) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < tally->capacity; i++)
        if (tally->slots[i].object)
            *slot_of(&larger, tally->slots[i].object) = tally->slots[i];
    free(tally->slots);
    *tally = larger;
    return 0;
}

struct hiding {
    struct hw_bits *hidden;
    struct hw_stack stack;
    struct tally tally;
};

static int object_hide(struct hiding *hiding, PyObject *object)
{
    int is_new = hw_bits_add(hiding->hidden, object);
    return is_new > 0 ? hw_stack_push(&hiding->stack, object) : is_new;
}

/* An object all of whose references come from hidden ones is hidden, too. */
static int held_meet(PyObject *object, void *ctx)
{
    struct hiding *hiding = ctx;
    if (hiding->tally.used * 2 >= hiding->tally.capacity && tally_grow(&hiding->tally) < 0)
        return -1;
    struct tally_slot *slot = slot_of(&hiding->tally, object);
    if (!slot->object) {
        slot->object = object;
        hiding->tally.used++;
    }
    return ++slot->count == Py_REFCNT(object) ? object_hide(hiding, object) : 0;
}

static int all_hide(struct hiding *hiding, PyObject *objects)
{
    int result = hw_bits_add(hiding->hidden, objects);
    for (Py_ssize_t i = 0; result >= 0 && i < PyTuple_GET_SIZE(objects); i++)
        result = object_hide(hiding, PyTuple_GET_ITEM(objects, i));
    while (result >= 0 && hiding->stack.count)
        result = hw_referents_visit(hiding->stack.items[--hiding->stack.count], held_meet, hiding);
    hw_stack_deinit(&hiding->stack);
    free(hiding->tally.slots);
    return result < 0 ? -1 : 0;
}

struct summary {
    struct hw_counting counting;
    struct hw_bits *hidden;
    struct hw_stack apart; /* strong references */
    PyObject *types;
    PyTypeObject *last_type; /* and whether it is among types */
    bool last_is_apart, frames;
};

static bool is_apart(struct summary *summary, PyTypeObject *type)
{
    if (type == summary->last_type)
        return summary->last_is_apart;
    bool found = false;
    for (Py_ssize_t i = 0; !found && i < PyTuple_GET_SIZE(summary->types); i++)
        found = PyTuple_GET_ITEM(summary->types, i) == (PyObject *)type;
    summary->last_type = type;
    summary->last_is_apart = found;
    return found;
}

static int object_sum(PyObject *object, void *ctx)
{
    struct summary *summary = ctx;
    if (hw_bits_has(summary->hidden, object) || (!summary->frames && Py_IS_TYPE(object, &PyFrame_Type)))
        return 0;
    if (!is_apart(summary, Py_TYPE(object)))
        return hw_counting_add(&summary->counting, object);
    return hw_stack_keep(&summary->apart, object);
}

static int objects_sum(struct summary *summary, PyObject *objects)
{
    if (objects == Py_None)
        return hw_heap_visit(object_sum, summary);
    summary->frames = true;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(objects); i++)
        if (object_sum(PyList_GET_ITEM(objects, i), summary) < 0)
            return -1;
    return 0;
}

PyObject *hw_summary(PyObject *module, PyObject *args)
{
    PyObject *objects, *apart, *hide;
    if (!PyArg_ParseTuple(args, "OO!O!:summary", &objects, &PyTuple_Type, &apart, &PyTuple_Type, &hide))
        return NULL;
    if (objects != Py_None && !PyList_Check(objects)) {
        PyErr_SetString(PyExc_TypeError, "summary() counts a list of objects, or with None all that is alive");
        return NULL;
    }
    struct summary summary = {.counting = {.sizes = true}, .types = apart, .hidden = hw_bits_create()};
    if (!summary.hidden)
        return NULL;
    struct hiding hiding = {.hidden = summary.hidden};
    int result = hw_bits_add(summary.hidden, args) < 0 ? -1 : all_hide(&hiding, hide);
    if (!result)
        result = objects_sum(&summary, objects);
    hw_bits_destroy(summary.hidden);
    PyObject *rows = hw_counting_end(&summary.counting, result);
    PyObject *rest = hw_stack_list(&summary.apart, rows ? 0 : -1);
    if (rows && rest)
        return Py_BuildValue("(NN)", rows, rest);
    Py_XDECREF(rows);
    Py_XDECREF(rest);
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/trace.h"

#include "inside/edge.h"
#include "inside/grow.h"
#include "inside/roots.h"

#include <stdlib.h>

const char hw_shortest_paths_doc[] =
    "shortest_paths(targets, start=None, avoid=None, limit=10000, own=False)\n--\n\n"
    "(starts, references, lengths, cut): [(level, address, type, label), ...], [(level, holder, referent, type of\n"
    "the referent, label), ...], {target: (level, references from the start)}, whether there are more\n"
    "references than limit. start and avoid are heap sets; without start the ways begin at the roots.";

/* Paths are longer only where something like a linked list is: the ways there are cut. */
enum { LEVELS_MAX = 1 << 20 };

struct target {
    PyObject *object;
    uint32_t level;
};

struct trace {
    const struct hw_bits *targets, *start;
    size_t targets_left;
    struct hw_bits *seen; /* reached, or to be avoided */
    struct hw_stack queue; /* holders reached, level by level */
    size_t *level_ends;    /* [level]: where it ends in the queue */
    uint32_t level_count;
    size_t level_capacity;
    uint32_t variables_level; /* from here on the ways begin at variables */
    bool at_variables;        /* roots of which kind are looked at */
    struct target *found;
    size_t found_count, found_capacity;
    /* on the way back */
    struct hw_bits *wanted; /* at the level beyond */
    struct hw_bits *passed; /* at this level */
    uint32_t level;
    size_t limit;
    bool is_cut;
    PyObject *starts, *references, *lengths;
};

static int target_note(struct trace *trace, PyObject *object)
{
    struct target *found = hw_grow(trace->found, &trace->found_capacity, trace->found_count + 1, sizeof(*found));
    if (!found)
        return -1;
    trace->found = found;
    trace->found[trace->found_count++] = (struct target){object, trace->level_count};
    return --trace->targets_left ? 0 : 1;
}

static int object_reach(PyObject *object, void *arg)
{
    struct trace *trace = arg;
    int is_new = hw_bits_add(trace->seen, object);
    if (is_new <= 0)
        return is_new;
    bool leads_on = PyType_IS_GC(Py_TYPE(object)) || PyCode_Check(object);
    if (leads_on && hw_stack_push(&trace->queue, object) < 0)
        return -1;
    return hw_bits_has(trace->targets, object) ? target_note(trace, object) : 0;
}

static int root_reach(const struct hw_root *root, void *arg)
{
    struct trace *trace = arg;
    return hw_root_is_lasting(root) == !trace->at_variables ? object_reach(root->object, trace) : 0;
}

static int level_end(struct trace *trace)
{
    size_t *ends = hw_grow(trace->level_ends, &trace->level_capacity, trace->level_count + 1, sizeof(*ends));
    if (!ends)
        return -1;
    trace->level_ends = ends;
    trace->level_ends[trace->level_count++] = trace->queue.count;
    return 0;
}

/* 1: all targets were met; 0: there is nothing more to look at. */
static int levels_reach(struct trace *trace, size_t at)
{
    int result = 0;
    while (!result && at < trace->queue.count && trace->level_count < LEVELS_MAX) {
        if (level_end(trace) < 0)
            return -1;
        for (size_t end = trace->queue.count; !result && at < end; at++)
            result = hw_referents_visit(trace->queue.items[at], object_reach, trace);
    }
    return result;
}

/* What modules lead to was seen when the variables' turn comes: no way of theirs goes through it. */
static int ways_reach(struct trace *trace)
{
    int result = trace->start ? hw_members_visit(trace->start, object_reach, trace)
                              : hw_roots_visit(root_reach, trace);
    if (!result)
        result = levels_reach(trace, 0);
    if (result || trace->start)
        return result;
    size_t at = trace->queue.count;
    if (level_end(trace) < 0)
        return -1;
    trace->variables_level = trace->level_count;
    trace->at_variables = true;
    result = hw_roots_visit(root_reach, trace);
    return result ? result : levels_reach(trace, at);
}

static bool is_full(struct trace *trace)
{
    bool full = (size_t)PyList_GET_SIZE(trace->references) >= trace->limit;
    trace->is_cut |= full;
    return full;
}

/* Takes the item over. */
static int list_add(PyObject *list, PyObject *item)
{
    int result = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return result;
}

static int reference_emit(const struct hw_reference *reference, void *arg)
{
    struct trace *trace = arg;
    if (!hw_bits_has(trace->wanted, reference->referent))
        return 0;
    if (is_full(trace))
        return 1;
    PyObject *label = hw_reference_label(reference);
    if (!label)
        return -1;
    return list_add(trace->references,
                    Py_BuildValue("(IKKON)", trace->level, (unsigned long long)(uintptr_t)reference->holder,
                                  (unsigned long long)(uintptr_t)reference->referent,
                                  Py_TYPE(reference->referent), label));
}

static int is_wanted(PyObject *object, void *trace)
{
    return hw_bits_has(((struct trace *)trace)->wanted, object);
}

/* The holders of one level that refer to what is wanted at the next. */
static int level_return(struct trace *trace)
{
    size_t start = trace->level ? trace->level_ends[trace->level - 1] : 0, end = trace->level_ends[trace->level];
    int result = 0;
    for (size_t i = start; result >= 0 && i < end && !is_full(trace); i++) {
        PyObject *holder = trace->queue.items[i];
        if (!hw_referents_visit(holder, is_wanted, trace))
            continue;
        result = hw_bits_add(trace->passed, holder) < 0 ? -1 : hw_named_references_visit(holder, reference_emit, trace);
    }
    return result < 0 ? -1 : 0;
}

static int root_emit(const struct hw_root *root, void *arg)
{
    struct trace *trace = arg;
    if (!hw_bits_has(trace->wanted, root->object) || hw_root_is_lasting(root) != !trace->at_variables)
        return 0;
    return list_add(trace->starts, Py_BuildValue("(IKON)", trace->level, (unsigned long long)(uintptr_t)root->object,
                                                 Py_TYPE(root->object), hw_root_label(root)));
}

static int start_emit(PyObject *object, void *arg)
{
    struct trace *trace = arg;
    if (!hw_bits_has(trace->wanted, object))
        return 0;
    PyObject *label = PyUnicode_FromFormat("<%s at %p>", Py_TYPE(object)->tp_name, (void *)object);
    return list_add(trace->starts,
                    Py_BuildValue("(IKON)", 0u, (unsigned long long)(uintptr_t)object, Py_TYPE(object), label));
}

static int starts_emit(struct trace *trace)
{
    return trace->start ? hw_members_visit(trace->start, start_emit, trace) : hw_roots_visit(root_emit, trace);
}

/* Targets of this level are wanted, too. */
static int targets_want(struct trace *trace, uint32_t level)
{
    for (size_t i = 0; i < trace->found_count; i++) {
        const struct target *target = &trace->found[i];
        if (target->level == level && hw_bits_add(trace->passed, target->object) < 0)
            return -1;
    }
    return 0;
}

static int levels_return(struct trace *trace)
{
    uint32_t last = trace->found_count ? trace->found[trace->found_count - 1].level : 0;
    for (trace->level = last;; trace->level--) {
        if (trace->level < last && level_return(trace) < 0)
            return -1;
        if (targets_want(trace, trace->level) < 0)
            return -1;
        hw_bits_destroy(trace->wanted);
        trace->wanted = trace->passed;
        trace->passed = hw_bits_create();
        if (!trace->passed)
            return -1;
        trace->at_variables = trace->variables_level && trace->level == trace->variables_level;
        if ((!trace->level || trace->at_variables) && starts_emit(trace) < 0)
            return -1;
        if (!trace->level)
            return 0;
    }
}

static uint32_t way_start(const struct trace *trace, uint32_t level)
{
    return trace->variables_level && level >= trace->variables_level ? trace->variables_level : 0;
}

static int lengths_note(struct trace *trace)
{
    for (size_t i = 0; i < trace->found_count; i++) {
        PyObject *address = PyLong_FromVoidPtr(trace->found[i].object);
        uint32_t level = trace->found[i].level, length_here = level - way_start(trace, level);
        PyObject *length = Py_BuildValue("(II)", level, length_here);
        int result = address && length ? PyDict_SetItem(trace->lengths, address, length) : -1;
        Py_XDECREF(address);
        Py_XDECREF(length);
        if (result < 0)
            return -1;
    }
    return 0;
}

static PyObject *trace_run(struct trace *trace, const struct hw_bits *avoid, bool own)
{
    trace->seen = avoid ? hw_bits_copy(avoid) : hw_bits_create();
    trace->passed = hw_bits_create();
    trace->targets_left = hw_bits_count(trace->targets);
    if (!trace->seen || !trace->passed || !trace->starts || !trace->references || !trace->lengths ||
        (!own && hw_own_mark(trace->seen) < 0))
        return NULL;
    if (trace->targets_left && (ways_reach(trace) < 0 || levels_return(trace) < 0 || lengths_note(trace) < 0))
        return NULL;
    return Py_BuildValue("(OOOO)", trace->starts, trace->references, trace->lengths,
                         trace->is_cut ? Py_True : Py_False);
}

static void trace_deinit(struct trace *trace)
{
    hw_bits_destroy(trace->seen);
    hw_bits_destroy(trace->wanted);
    hw_bits_destroy(trace->passed);
    hw_stack_deinit(&trace->queue);
    free(trace->level_ends);
    free(trace->found);
    Py_XDECREF(trace->starts);
    Py_XDECREF(trace->references);
    Py_XDECREF(trace->lengths);
}

static PyObject *trace_paused(struct trace *trace, PyObject *start, const struct hw_bits *avoid, bool own)
{
    struct hw_bits *members = NULL;
    struct hw_live live = {0};
    PyObject *answer = NULL;
    int paused = hw_collector_pause();
    int result = paused < 0 ? -1 : 0;
    if (!result && start != Py_None)
        result = hw_heap_set_members((struct hw_heap_set *)start, &live, HW_LIVE_OWN, &members);
    trace->start = members;
    if (!result)
        answer = trace_run(trace, avoid, own);
    trace_deinit(trace);
    hw_bits_destroy(members);
    hw_live_deinit(&live);
    hw_collector_resume(paused);
    return answer;
}

static bool is_set_or_none(PyObject *object, const char *name)
{
    if (object == Py_None || PyObject_TypeCheck(object, hw_heap_set_type))
        return true;
    PyErr_Format(PyExc_TypeError, "%s must be a HeapSet or None, not %s", name, Py_TYPE(object)->tp_name);
    return false;
}

PyObject *hw_shortest_paths(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"targets", "start", "avoid", "limit", "own", NULL};
    PyObject *targets, *start = Py_None, *avoid = Py_None;
    Py_ssize_t limit = 10000;
    int own = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!|OOnp:shortest_paths", names, hw_heap_set_type, &targets,
                                     &start, &avoid, &limit, &own) ||
        !is_set_or_none(start, "start") || !is_set_or_none(avoid, "avoid"))
        return NULL;
    struct trace trace = {
        .targets = ((struct hw_heap_set *)targets)->bits,
        .limit = limit < 0 ? 0 : (size_t)limit,
        .starts = PyList_New(0),
        .references = PyList_New(0),
        .lengths = PyDict_New(),
    };
    return trace_paused(&trace, start, avoid == Py_None ? NULL : ((struct hw_heap_set *)avoid)->bits, own);
}

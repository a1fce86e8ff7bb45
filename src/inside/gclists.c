/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/gclists.h"

#include "inside/version.h"

#include <string.h>

/* PyGC_Head. In PyInterpreterState of 3.13.5 and later it is aligned to 4 bytes only. The two low bits
 * of both words are flags. */
struct link {
    uintptr_t next, prev;
} __attribute__((packed, aligned(4)));

enum {
    LINK_FLAGS = 3,
    HEAD_STRIDE = sizeof(struct link) + 2 * sizeof(int),
    INTERPRETER_BYTES_MAX = 1 << 20, /* none is larger */
};

static struct link *heads[HW_GC_LIST_COUNT]; /* NULL: not known */
static PyObject *gc_module; /* the walk's */

static struct link *link_at(uintptr_t word)
{
    return (struct link *)(word & ~(uintptr_t)LINK_FLAGS);
}

static struct link *link_of(PyObject *object)
{
    return (struct link *)object - 1;
}

static bool head_sound(struct link *head)
{
    struct link *next = link_at(head->next), *prev = link_at(head->prev);
    return next && prev && link_at(next->prev) == head && link_at(prev->next) == head;
}

static struct link *young_find(void)
{
    PyObject *fresh = PyList_New(0);
    if (!fresh)
        return NULL;
    struct link *head = link_at(link_of(fresh)->next);
    uintptr_t interpreter = (uintptr_t)PyInterpreterState_Get();
    bool inside = (uintptr_t)head > interpreter && (uintptr_t)head - interpreter < INTERPRETER_BYTES_MAX;
    if (!inside || !head_sound(head))
        head = NULL;
    Py_DECREF(fresh);
    return head;
}

/* Behind the three heads lies a pointer to the first, aligned to 8 bytes, where there is one. */
static struct link *frozen_find(struct link *young)
{
    char *end = (char *)young + 3 * HEAD_STRIDE;
    if (HW_GC_FROZEN_FOLLOWS)
        return (struct link *)end;
    for (int gap = 0; gap <= 4; gap += 4) {
        struct link *told;
        memcpy(&told, end + gap, sizeof(told));
        if (told == young)
            return (struct link *)(end + gap + sizeof(told));
    }
    return NULL;
}

PyObject *hw_interned_strings;

static int interned_meet(PyObject *object, void *fresh)
{
    if (!PyDict_CheckExact(object) || PyDict_GetItemWithError(object, fresh) != fresh)
        return PyErr_Occurred() ? -1 : 0;
    hw_interned_strings = object;
    return 1;
}

/* It alone has a string that nobody else has seen. */
static int interned_find(void)
{
    PyObject *fresh = HW_TRACKS_INTERNED ? PyUnicode_FromFormat("heapwhy: a string at %p", &hw_interned_strings) : NULL;
    int result = HW_TRACKS_INTERNED && !fresh ? -1 : 0;
    if (fresh)
        PyUnicode_InternInPlace(&fresh);
    for (enum hw_gc_list list = HW_GC_YOUNG; fresh && !result && list <= HW_GC_OLD; list++)
        result = hw_gc_list_visit(list, interned_meet, fresh);
    Py_XDECREF(fresh);
    return result < 0 ? -1 : 0;
}

static int heads_find(void)
{
    struct link *young = young_find();
    if (!young)
        return PyErr_Occurred() ? -1 : 0;
    for (int i = HW_GC_YOUNG; i <= HW_GC_OLD; i++) {
        struct link *head = (struct link *)((char *)young + i * HEAD_STRIDE);
        if (!head_sound(head))
            return 0;
        heads[i] = head;
    }
    heads[HW_GC_FROZEN] = frozen_find(young);
    if (heads[HW_GC_FROZEN] && !head_sound(heads[HW_GC_FROZEN]))
        heads[HW_GC_FROZEN] = NULL;
    return 0;
}

int hw_gc_lists_init(PyObject *module)
{
    if (!gc_module && !(gc_module = PyImport_ImportModule("gc")))
        return -1;
    return heads_find() < 0 ? -1 : interned_find();
}

int hw_collector_pause(void)
{
    return hw_gc_switch(gc_module, 0);
}

void hw_collector_resume(int paused)
{
    bool is_set = PyErr_Occurred();
    if (paused > 0 && hw_gc_switch(gc_module, 1) < 0 && !is_set)
        PyErr_WriteUnraisable(gc_module);
}

bool hw_gc_frozen_known(void)
{
    return heads[HW_GC_FROZEN];
}

Py_ssize_t hw_gc_frozen_count(void)
{
    PyObject *count = PyObject_CallMethod(gc_module, "get_freeze_count", NULL);
    Py_ssize_t number = count ? PyLong_AsSsize_t(count) : -1;
    Py_XDECREF(count);
    return number;
}

/* The next object is fetched while the visitor looks at this one. */
static int links_visit(struct link *head, hw_object_fn fn, void *ctx)
{
    int result = 0;
    struct link *at = link_at(head->next);
    while (!result && at != head) {
        __builtin_prefetch(link_at(at->next) + 1);
        result = fn((PyObject *)(at + 1), ctx);
        at = link_at(at->next);
    }
    return result;
}

#if HW_VISITS_LISTS

struct list_visit {
    hw_object_fn fn;
    void *ctx;
    int result;
};

static int listed_object(PyObject *object, void *arg)
{
    struct list_visit *visit = arg;
    visit->result = visit->fn(object, visit->ctx);
    return visit->result == 0;
}

static int all_visit(hw_object_fn fn, void *ctx)
{
    struct list_visit visit = {fn, ctx, 0};
    PyUnstable_GC_VisitObjects(listed_object, &visit);
    return visit.result;
}

#else

static int all_visit(hw_object_fn fn, void *ctx)
{
    PyObject *objects = PyObject_CallMethod(gc_module, "get_objects", NULL);
    if (!objects)
        return -1;
    int result = 0;
    for (Py_ssize_t i = 0; !result && i < PyList_GET_SIZE(objects); i++)
        result = fn(PyList_GET_ITEM(objects, i), ctx);
    Py_DECREF(objects);
    return result;
}

#endif

int hw_gc_list_visit(enum hw_gc_list list, hw_object_fn fn, void *ctx)
{
    if (!heads[HW_GC_YOUNG])
        return list == HW_GC_YOUNG ? all_visit(fn, ctx) : 0;
    if (!heads[list])
        return 0;
    int paused = hw_collector_pause();
    int result = paused < 0 ? -1 : links_visit(heads[list], fn, ctx);
    hw_collector_resume(paused);
    return result;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_REFERRERS_H
#define HW_INSIDE_REFERRERS_H

/*
 * Who refers to these objects: gc.get_referrers() for many objects in one pass over the heap.
 *
 * Whoever holds an object that the collector tracks is tracked or frozen itself (the collector does not
 * untrack a tuple or dict otherwise), so one pass over the lists finds all. What is not tracked, a str
 * say, may be held by an untracked tuple or by a code object, too: then everything alive is looked at.
 *
 * The pass begins with the oldest objects and ends when it has met as many references to each tracked
 * target as its reference count says there can be.
 */

#include "inside/bits.h"

/* One that refers to a target. */
struct hw_referrer {
    PyObject *object; /* a strong reference */
    uint32_t target;  /* which target */
    uint64_t order;   /* of gc.get_objects(); frozen objects follow, then untracked ones */
};

struct hw_referrer_search {
    PyObject **targets; /* alive until the search ends */
    size_t target_count;
    /* How many references to each target the asking code itself has, which nothing on the heap shows. A
     * number too small only means that the pass does not end early. */
    Py_ssize_t own_references;
    struct hw_bits *skip; /* addresses of objects that do not count as referrers; NULL: none */
    bool first_only;      /* one record for each referrer, of the first target that it refers to */

    struct hw_referrer *found; /* by target, then by order; each referrer of a target once */
    size_t found_count, found_capacity;
};

/* 0, or -1. Frames of the asking code (own.h) are not found. The caller deinits in both cases. */
int hw_referrers_search(struct hw_referrer_search *search);
void hw_referrer_search_deinit(struct hw_referrer_search *search); /* lets the references go */

/* referrers(objects, ignore, /) -> [[object, ...], ...]: of each, in the order of gc.get_referrers() */
PyObject *hw_referrers(PyObject *module, PyObject *const *args, Py_ssize_t count);
extern const char hw_referrers_doc[];

/* referents(obj, /) -> [object, ...] */
PyObject *hw_referents(PyObject *module, PyObject *object);
extern const char hw_referents_doc[];

/* Adds the ids of a sequence to a set, and the address of the sequence: it is the asking code's. 0, or
 * -1; what is no address is passed over. */
int hw_ignore_add(struct hw_bits *ignore, PyObject *ids);

#endif

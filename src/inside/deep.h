/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_DEEP_H
#define HW_INSIDE_DEEP_H

/*
 * Deep sizes: how much memory objects take with all that they lead to, each object once.
 *
 * The flat size of an object is what sys.getsizeof() says, except that a __sizeof__ written in Python is
 * not asked: what it would add up is reached anyway. Where the attributes of an instance lie outside of a
 * dict, their array counts when the instance is looked into (hw_values_bytes()). Keys that instances share
 * belong to their class. No Python code runs, no dict is made, nothing recurses: a bit for each 8 bytes of the heap
 * remembers what was seen, a stack what was not yet looked into.
 */

#include "inside/bits.h"
#include "inside/size.h"
#include "inside/walk.h"

/* What is counted beyond data. Objects of a kind that is left out count nothing and lead nowhere; but
 * deepsizeof() (given) always looks into what it was asked about. */
struct hw_deep_rules {
    bool code;       /* classes, functions, methods, code: all but those of static C types */
    bool builtins;   /* with code: those of static C types, and functions in C, too */
    bool frames;     /* frames: their variables */
    bool modules;    /* modules and what they hold; else those that were not given count nothing */
    bool flat_modules; /* without modules: they count their flat size */
    bool weak;       /* what weak references refer to */
    bool given;      /* objects that were given count whatever kind they are */
    double mapped;   /* the part of a mapped file that counts as memory, 0 to 1 */
    size_t align;    /* each flat size is rounded up to a multiple; a power of 2 */
};

struct hw_deep {
    struct hw_deep_rules rules;
    struct hw_class_table table;
    struct hw_bits *seen;
    struct hw_bits *again; /* met more than once; NULL: not of interest */
    struct hw_bits *held;  /* to be counted only when given; NULL: none */
    struct hw_stack stack;
    size_t bytes;                 /* of all that was counted */
    size_t sized_count;           /* objects counted */
    size_t met_count, duplicate_count; /* with again: meetings, objects met more than once */
};

/* No limit of the distance from the object that was given. */
#define HW_DEEP_ALL PY_SSIZE_T_MAX

/* 0, or -1 with MemoryError. counts: keep met_count and duplicate_count. */
int hw_deep_init(struct hw_deep *deep, const struct hw_deep_rules *rules, bool counts);
void hw_deep_deinit(struct hw_deep *deep);

/* From now on an object counts nothing; or only when it is given. 0, or -1. */
int hw_deep_exclude(struct hw_deep *deep, PyObject *object);
int hw_deep_hold(struct hw_deep *deep, PyObject *object);

/* Meets an object. 1: for the first time, so it is to be counted; 0: not; -1: exception. */
int hw_deep_meet(struct hw_deep *deep, PyObject *object, bool given);
/* Its flat size, aligned; 0 for what is left out; -1: exception. */
Py_ssize_t hw_deep_flat(struct hw_deep *deep, PyObject *object, bool given);
/* The array of its attributes, aligned; 0 where there is none. */
Py_ssize_t hw_deep_values(const struct hw_deep *deep, PyObject *object);
/* Visits what an object leads to by the rules, also what is left out or was seen. As the visitor says. */
int hw_deep_visit(struct hw_deep *deep, PyObject *object, bool given, hw_object_fn fn, void *ctx);

/* Counts an object that is given and all it leads to, up to limit steps away; or only the latter.
 * 0, or -1 with an exception, and what was counted so far. */
int hw_deep_add(struct hw_deep *deep, PyObject *object, Py_ssize_t limit);
int hw_deep_add_below(struct hw_deep *deep, PyObject *object, Py_ssize_t limit);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WHY_RULES_H
#define HW_WHY_RULES_H

/*
 * What we know about leaks, as tables: which types stand for something outside the heap, which
 * containers are bounded by the library that owns them, how a leak is ended.
 */

#include "ask/rules.h"
#include "heap/graph.h"

/* Types that stand for something outside the heap: a descriptor, a thread, work that waits. */
struct hw_resource_rule {
    const char *type; /* may end in '*' */
    const char *noun; /* as in "122 sockets" */
    const char *cure; /* what ends one, as an order */
};
extern const struct hw_resource_rule hw_resource_rules[];
extern const size_t hw_resource_rule_count;
/* The rule for a type of the graph or the nearest of its base classes; NULL: none. */
const struct hw_resource_rule *hw_resource_of(const struct hw_graph *graph, uint32_t type);

/* Types that are called: who holds them keeps what they captured. */
bool hw_type_is_callback(const struct hw_type *type);

/* Caches of the standard library that have a bound of their own, or fill once: by path. */
struct hw_known_cache {
    const char *path; /* may end in '*' */
    const char *reason;
};
extern const struct hw_known_cache hw_known_caches[];
extern const size_t hw_known_cache_count;

/* Classes that keep records of a run of tests until it ends, however long it takes. */
struct hw_session_rule {
    const char *owner; /* type, may end in '*' */
    const char *runner;
};
/* The rule for the type; NULL: none. */
const struct hw_session_rule *hw_session_rule_of(const char *type);

/* What {bound} stands for, by whether weak references to the values would do. */
#define HW_FIX_BOUND ", or bound how many it keeps."
#define HW_FIX_BOUND_OR_WEAK \
    ", bound the number of entries, or use weakref.WeakValueDictionary if others own the values."

/* Names that take something out of a container; NULL at the end: */
extern const char *const hw_undoing_words[];  /* of them, those that name which one goes */
extern const char *const hw_choosing_words[]; /* code that looks for one to take out */
extern const char *const hw_removal_words[];
extern const char
    *const hw_clock_words[]; /* beside a removal: what is old goes, what is new stays */

/* Methods that ask a container for a member, and that put one in. */
extern const char *const hw_lookup_words[];
extern const char *const hw_addition_words[];

/* Of all these, functions that get the container as an argument. */
extern const char *const hw_function_words[];

#endif

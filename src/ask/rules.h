/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ASK_RULES_H
#define HW_ASK_RULES_H

/*
 * What we know about Python programs, as tables: which references say little about ownership, which
 * types stand for something outside the heap. One row is one piece of knowledge and carries its
 * reason; the code that reads the tables knows none of it.
 */

#include "heapwhy.h"

/* Cost of one plain hop: an attribute, an entry, an element, a local variable. */
enum { HW_COST_HOP = 4, HW_COST_MAX = 250 };

/*
 * What a reference costs when best paths are looked for. All conditions that are given must hold;
 * the first row that fits counts. A name that ends in '*' matches what begins so.
 */
struct hw_hop_rule {
    uint32_t kinds;        /* bits 1 << enum hw_label_kind; 0: any */
    uint32_t holder_flags; /* any of enum hw_type_flag; 0: any holder */
    const char *holder;    /* name of the holder's type, or NULL */
    const char *edge;      /* the label's string, or NULL */
    uint32_t cost;
    const char *reason;
};
extern const struct hw_hop_rule hw_hop_rules[];
extern const uint32_t hw_hop_rule_count; /* at most 64 */

/* What it costs to enter a synthetic node, by enum hw_synthetic_kind. */
extern const uint32_t hw_synthetic_costs[];

/* What a module costs as a place where things are kept. */
enum {
    HW_COST_MODULE_MAIN = 4,
    HW_COST_MODULE = 5,
    HW_COST_MODULE_STDLIB = 44,
    HW_COST_IMPORTED = 2,      /* on top: the object's class says that it is from elsewhere */
    HW_COST_MODULE_ALIAS = 80, /* on top: a module in another module's namespace */
    HW_COST_FRAME_STDLIB = 60, /* on top: a frame of the standard library */
};

/* For targets without sys.stdlib_module_names (before 3.10): some top-level names. NULL at the end.
 */
extern const char *const hw_stdlib_names[];

/* ---- what leaks ---- */

/* Types that stand for something outside the heap: a descriptor, a thread, work that waits. */
struct hw_resource_rule {
    const char *type; /* may end in '*' */
    const char *noun; /* as in "122 sockets" */
    const char *cure; /* what ends one, as an order */
};
extern const struct hw_resource_rule hw_resource_rules[];
extern const size_t hw_resource_rule_count;
const struct hw_resource_rule *hw_resource_find(const char *type);

/* Types that are called: who holds them keeps what they captured. */
bool hw_type_is_callback(const struct hw_type *type);

/* Caches of the standard library that have a bound of their own, or fill once: by path. */
struct hw_known_cache {
    const char *path; /* may end in '*' */
    const char *reason;
};
extern const struct hw_known_cache hw_known_caches[];
extern const size_t hw_known_cache_count;

/* The cure for a holder, by pattern and the holder's type; first match counts. {holder}, {type},
 * {cure} and {bound} stand for the user's own names. */
struct hw_fix_rule {
    enum hw_pattern pattern;
    const char *holder; /* type of the holder, may end in '*'; NULL: any */
    const char *type;   /* what leaks; likewise */
    const char *text;
};
extern const struct hw_fix_rule hw_fix_rules[];
extern const size_t hw_fix_rule_count;

/* What {bound} stands for, by whether the values can be weakly referenced. */
#define HW_FIX_BOUND ", or bound the number of entries."
#define HW_FIX_BOUND_OR_WEAK \
    ", bound the number of entries, or use weakref.WeakValueDictionary if others own the values."

/* Parts of names that say "at most", and names that take something out of a container. */
extern const char *const hw_bound_words[];   /* NULL at the end */
extern const char *const hw_removal_words[]; /* likewise */

bool hw_name_matches(const char *pattern, const char *name);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ASK_RULES_H
#define HW_ASK_RULES_H

/*
 * What we know about ownership in Python programs, as tables: which references say little about it.
 * One row is one piece of knowledge and carries its reason; the code that reads the tables knows
 * none of it.
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
    HW_COST_FRAME_CALLS = 40,  /* at most, on top of that: 1 for each frame that it was called by */
    HW_COST_CROWD = 60,        /* on top: from a running frame to one thread of a crowd */
};

/* So many running threads of one class are a crowd: where they are listed says more than the frame
 * in which each of them holds itself. */
enum { HW_CROWD_MIN = 10 };

/* For targets without sys.stdlib_module_names (before 3.10): some top-level names. NULL at the end.
 */
extern const char *const hw_stdlib_names[];

/* One '*' in the pattern stands for anything: abc*, *abc, a*c, *abc*. */
bool hw_name_matches(const char *pattern, const char *name);

#endif

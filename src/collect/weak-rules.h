/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_COLLECT_WEAK_RULES_H
#define HW_COLLECT_WEAK_RULES_H

/*
 * Which references of a cycle a programmer would give up, as a table: the first row that fits says
 * how gladly. All conditions that are given must hold.
 */

#include "heapwhy.h"

enum { HW_WEAK_NEVER = 100 }; /* belongs to the interpreter's own workings */

struct hw_weak_rule {
    uint32_t kinds;        /* bits 1 << enum hw_label_kind; 0: any */
    uint32_t holder_flags; /* any of enum hw_type_flag; 0: any */
    uint32_t target_flags; /* likewise */
    const char *name;      /* of the attribute, entry or local; '*' as in ask/rules.h; NULL: any */
    uint32_t cost;         /* less is better */
    const char *advice;    /* NULL: a matter of the target, see hw_weak_advice */
    const char *reason;
};
extern const struct hw_weak_rule hw_weak_rules[];
extern const size_t hw_weak_rule_count;

/* What is left when an attribute is not known by its name: how to drop a reference to such an
 * object. The first row whose flags fit counts; the last has none. */
struct hw_weak_advice {
    uint32_t target_flags;
    const char *advice;
};
extern const struct hw_weak_advice hw_weak_advices[];

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_GROUPING_H
#define HW_INSIDE_GROUPING_H

/*
 * Which group each member of a set belongs to, by one of the relations of partition.h: a column of
 * group numbers, and for each number the key that tells what the group is.
 */

#include "inside/column.h"
#include "inside/keys.h"
#include "inside/live.h"

enum hw_by {
    HW_BY_TYPE,
    HW_BY_CLASS,
    HW_BY_MODULE,
    HW_BY_SIZE,
    HW_BY_REFERRERS,
    HW_BY_VIA,
    HW_BY_SITE,
    HW_BY_ID,
    HW_BY_UNITY,
    HW_BY_COUNT,
};
extern const char *const hw_by_names[HW_BY_COUNT];

/* Objects of the same class; dicts by whose attributes they hold. */
struct hw_kinds {
    struct hw_keys keys; /* address of the type; + 1: dict of it; 2: dict without owner; 3: a root */
    struct hw_bits *owned;   /* dicts that hold attributes; NULL: not looked for */
    struct hw_column *owner; /* of these, the kind */
};
/* Finds the owners of the heap's dicts. 0, or -1 with MemoryError. To be deinitialized in both cases. */
int hw_kinds_init(struct hw_kinds *kinds, const struct hw_live *live);
void hw_kinds_deinit(struct hw_kinds *kinds);
uint32_t hw_kinds_number(struct hw_kinds *kinds, PyObject *object); /* 0 with MemoryError */
uint32_t hw_kinds_root(struct hw_kinds *kinds);
/* A new reference: as CLASS of partition.h; "<variable>". */
PyObject *hw_kinds_key(const struct hw_kinds *kinds, uint32_t number);

struct hw_grouping {
    enum hw_by by;
    const struct hw_live *live;
    const struct hw_bits *members;
    struct hw_column *column;
    struct hw_keys keys;
    struct hw_kinds kinds;
    struct hw_sets sets;
    PyObject *texts, *text_numbers; /* list of str; dict of the same to its number */
    PyObject *ask_site;             /* _tracemalloc._get_object_traceback */
    PyObject *notes;                /* bytearray: the text's number for each of the keys */
};

/* Fills the column. 0, or -1 with an exception. To be deinitialized in both cases; the column is the
 * caller's to take before. SITE: UnsupportedError when tracemalloc does not run. */
int hw_grouping_init(struct hw_grouping *grouping, enum hw_by by, const struct hw_live *live,
                     const struct hw_bits *members);
void hw_grouping_deinit(struct hw_grouping *grouping);

/* A new reference to the key of a group number that is in the column. */
PyObject *hw_grouping_key(const struct hw_grouping *grouping, uint32_t number);

#endif

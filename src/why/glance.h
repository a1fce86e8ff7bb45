/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WHY_GLANCE_H
#define HW_WHY_GLANCE_H

/*
 * What one snapshot can tell: where memory is concentrated, and what keeps arriving. Growth it does
 * not show, so its suspects are never called leaks.
 *
 * Concentration is Eclipse MAT's idea: what the program's modules and frames own directly and what
 * retains more than a tenth of the heap is a suspect; from there the way leads down the dominator
 * tree, always to the largest part, until a part is clearly smaller than the whole: the
 * accumulation point. What is small alone but not together is grouped by type, and the place that
 * most of a group hang from is found on the merged best paths.
 *
 * Arrival is told by the collector's lists, which are about in order of age (hw_graph_age): a
 * container whose members are spread over all ages up to the youngest, some of them among the very
 * newest objects of all, gets new ones all the time.
 */

#include "ask/tree.h"

enum { HW_GLANCE_MAX = 10 };

struct hw_glance_ages {
    uint32_t known;         /* members whose age is known */
    uint32_t young;         /* of them, those among the youngest tenth of all objects */
    uint8_t oldest, newest; /* 1..255 */
    bool keeps_arriving;    /* spread over all ages from the oldest on */
};

struct hw_glance {
    hw_id node;       /* the accumulation point */
    hw_id owner;      /* the top of what retains so much; HW_NONE for a group */
    uint32_t type;    /* most frequent type of the members; of the group */
    uint64_t members; /* direct members; of a group, how many objects hang from node */
    uint64_t bytes;   /* retained by node; by a group together */
    uint64_t objects; /* retained likewise */
    struct hw_glance_ages ages;
    bool is_group;
};

struct hw_glances {
    struct hw_glance rows[HW_GLANCE_MAX]; /* by bytes, largest first; what keeps arriving first */
    size_t count;
    uint64_t total; /* bytes that roots reach */
};

/* *ret_tree are the best paths of the graph. Fails when memory runs out. */
bool hw_glances_find(const struct hw_graph *graph, struct hw_tree *ret_tree,
                     struct hw_glances *ret_glances, struct hw_err *err);

/* The diagnosis of one snapshot: suspects, what is ignored, verdict and answer, all in arena.
 * options may be NULL. */
bool hw_glances_tell(const struct hw_series *series, const struct hw_diagnose_options *options,
                     struct hw_arena *arena, struct hw_diagnosis *diagnosis, struct hw_err *err);

#endif

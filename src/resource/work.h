/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_RESOURCE_WORK_H
#define HW_RESOURCE_WORK_H

/* hw_resources_ask() while it works. Its steps, in this order; each is false when memory runs out:
 *
 *     descriptors.c   a row for each, with its owner
 *     candidates.c    where the numbers of those stand that nobody owns
 *     threads.c, children.c, tasks.c, databases.c
 *     wanted.c        paths to what they wait for
 *     problems.c      what should have been closed
 *     groups.c        rows brought together
 */

#include "ask/garbage.h"
#include "ask/shape.h"
#include "resource/owned.h"

struct hw_resources_result {
    struct hw_resources resources;
    struct hw_arena arena;
};

/* An object that stands before another one: a text file before its buffer. */
struct hw_wrap {
    hw_id inner, outer;
};

/* A path that is asked for, and where it goes. */
struct hw_wanted {
    hw_id node;
    const char **slot;
};

struct hw_resource_work {
    const struct hw_graph *graph;
    struct hw_resources_result *result;
    struct hw_lineage lineage;
    struct hw_owned owned;
    struct hw_tree tree;
    struct hw_shapes *shapes;
    struct hw_wrap *wraps; /* by inner */
    size_t wrap_count;
    struct hw_wanted *wanted;
    size_t wanted_count, wanted_capacity;
    struct hw_garbage garbage; /* made when first needed */
    bool has_garbage;
    char stdlib[256]; /* folder of the standard library, with its slash; "" */
    struct hw_err *err;
};

bool hw_work_add_descriptors(struct hw_resource_work *work);
bool hw_work_add_candidates(struct hw_resource_work *work);
bool hw_work_add_threads(struct hw_resource_work *work);
bool hw_work_add_children(struct hw_resource_work *work);
bool hw_work_add_tasks(struct hw_resource_work *work);
bool hw_work_add_databases(struct hw_resource_work *work);
bool hw_work_add_problems(struct hw_resource_work *work);
bool hw_work_add_groups(struct hw_resource_work *work);

/* ---- stand-in.c ---- */

bool hw_wraps_init(struct hw_resource_work *work);

/* The outermost object before node that stands for the same: the asyncio transport of a socket, the
 * text file of a raw one; node itself. */
hw_id hw_wrap_outermost(const struct hw_resource_work *work, hw_id node);

/* Fills *stand_in for node, which may be HW_NONE. */
bool hw_stand_in_fill(struct hw_resource_work *work, hw_id node, struct hw_stand_in *stand_in);

/* Path and shape of any node, in the result's arena; NULL: memory is out. */
const char *hw_work_path(struct hw_resource_work *work, hw_id node);
const char *hw_work_shape(struct hw_resource_work *work, hw_id node);

/* ---- wanted.c ---- */

/* *slot will be the path to node, if there is one besides those through frames and coroutines. */
bool hw_work_want_path(struct hw_resource_work *work, hw_id node, const char **slot);
bool hw_work_spell_wanted(struct hw_resource_work *work);

/* ---- places.c ---- */

void hw_stdlib_find(struct hw_resource_work *work);
/* Whether the file, plain or as a literal, is of a library: of the standard one, or installed. */
bool hw_file_is_library(const struct hw_resource_work *work, const char *file);

/* A copy of a buffer's text in the result's arena; deinits it. NULL: memory is out. */
const char *hw_work_keep(struct hw_resource_work *work, struct hw_buf *text);

/* Texts brought together: for each distinct key the first row that has it and how many have it, by
 * count. keys[i] may be NULL: left out. The caller frees *ret_rows. */
struct hw_key_row {
    const char *key;
    size_t first;
    uint64_t count;
};
bool hw_keys_count(const char *const *keys, size_t count, struct hw_key_row **ret_rows,
                   size_t *ret_count, struct hw_err *err);

#endif

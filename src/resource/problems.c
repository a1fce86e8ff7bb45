/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/look.h"
#include "ask/lookup.h"
#include "base/err.h"
#include "resource/work.h"

#include <stdlib.h>
#include <string.h>

/* What should have been closed, by evidence of its own: each is one fact that was seen. */

enum { PARENTS_MAX = 64, TO_CHILD_MAX = 4 };

/* By reference counts: what only C code holds, as while it runs, is not reached, but no garbage. */
static bool owner_is_garbage(struct hw_resource_work *work, hw_id owner, bool *ret_garbage)
{
    if (!work->has_garbage && !hw_garbage_init(&work->garbage, work->graph, work->err))
        return false;
    work->has_garbage = true;
    *ret_garbage = work->garbage.is_garbage[owner];
    return true;
}

/* The best path avoids tracebacks where there is another way. */
static bool is_held_by_traceback(const struct hw_resource_work *work, hw_id node)
{
    for (unsigned i = 0; node != HW_NONE && i < PARENTS_MAX; i++) {
        if (node < work->graph->object_count && type_has(work->graph, node, HW_TYPE_TRACEBACK))
            return true;
        node = work->tree.parent[node];
    }
    return false;
}

/* A pipe to a child whose exit status is known. */
static bool child_has_ended(const struct hw_resource_work *work, hw_id node)
{
    const struct hw_graph *graph = work->graph;
    for (unsigned i = 0; node != HW_NONE && i < TO_CHILD_MAX; i++) {
        if (hw_look_is(graph, node, "subprocess.Popen"))
            return !hw_look_is_none(graph, hw_look_attr(graph, node, "returncode"));
        node = work->tree.parent[node];
    }
    return false;
}

static bool find_problem(struct hw_resource_work *work, struct hw_descriptor *d)
{
    hw_id owner = d->owner.node;
    bool garbage;
    if (strcmp(d->state, "CLOSE_WAIT") == 0)
        d->problem = "its peer has closed the connection";
    if (owner == HW_NONE)
        return true;
    if (!tree_has(&work->tree, owner)) {
        if (!owner_is_garbage(work, owner, &garbage))
            return false;
        if (garbage)
            d->problem = "only reference cycles keep what would close it";
    } else if (is_held_by_traceback(work, owner)) {
        d->problem = "only a traceback holds what would close it";
    } else if (d->kind == HW_DESCRIPTOR_PIPE && child_has_ended(work, owner)) {
        d->problem = "it leads to a child process that has ended";
    }
    return true;
}

/* "what\nwhere": one kind of problem at places of one shape. */
static const char *key_of_problem(struct hw_resource_work *work, const char *problem,
                                  const struct hw_stand_in *owner)
{
    const char *where = *owner->shape ? owner->shape : owner->type;
    return hw_arena_printf(&work->result->arena, "%s\n%s", problem, where);
}

static bool list_keys(struct hw_resource_work *work, const char **keys, size_t *ret_count)
{
    struct hw_resources *r = &work->result->resources;
    size_t n = 0;
    for (size_t i = 0; i < r->descriptor_count; i++, n++) {
        struct hw_descriptor *d = &r->descriptors[i];
        if (d->steady && !find_problem(work, d))
            return false;
        keys[n] = d->problem ? key_of_problem(work, d->problem, &d->owner) : NULL;
        if (d->problem && !keys[n])
            return hw_err_no_memory(work->err);
    }
    for (size_t i = 0; i < r->child_count; i++, n++) {
        const struct hw_child_info *c = &r->children[i];
        keys[n] = c->problem ? key_of_problem(work, c->problem, &c->object) : NULL;
        if (c->problem && !keys[n])
            return hw_err_no_memory(work->err);
    }
    *ret_count = n;
    return true;
}

static bool tell_problems(struct hw_resource_work *work, const struct hw_key_row *rows,
                          size_t count)
{
    struct hw_resources *r = &work->result->resources;
    r->problems = hw_arena_array(&work->result->arena, count + 1, sizeof(*r->problems));
    if (!r->problems)
        return hw_err_no_memory(work->err);
    for (size_t i = 0; i < count; i++) {
        bool is_fd = rows[i].first < r->descriptor_count;
        const char *what =
            is_fd ? r->descriptors[rows[i].first].problem
                  : r->children[rows[i].first - r->descriptor_count].problem;
        r->problems[i] = (struct hw_problem){.what = what,
                                             .where = strchr(rows[i].key, '\n') + 1,
                                             .count = rows[i].count,
                                             .fd = is_fd ? r->descriptors[rows[i].first].fd : -1};
    }
    r->problem_count = count;
    return true;
}

bool hw_work_add_problems(struct hw_resource_work *work)
{
    struct hw_resources *r = &work->result->resources;
    const char **keys = calloc(r->descriptor_count + r->child_count + 1, sizeof(*keys));
    struct hw_key_row *rows = NULL;
    size_t count = 0, row_count = 0;
    bool ok = keys || hw_err_no_memory(work->err);
    ok = ok && list_keys(work, keys, &count) &&
         hw_keys_count(keys, count, &rows, &row_count, work->err) &&
         tell_problems(work, rows, row_count);
    free(keys);
    free(rows);
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/lookup.h"
#include "ask/spell.h"
#include "base/err.h"
#include "base/vec.h"
#include "weigh/rows.h"
#include "weigh/top.h"

#include <stdlib.h>

enum { BRANCHES_MAX = 1000000 };

struct branch_result {
    struct hw_branch branch;
    struct hw_arena arena;
};

/* A branch whose children are still to be found. */
struct bud {
    struct hw_branch *branch;
    uint32_t at; /* in the dominators' order */
    size_t depth;
};

struct work {
    const struct hw_graph *graph;
    const struct hw_branch_options *options;
    struct hw_rows rows;
    const hw_id *order;
    uint64_t least_bytes;
    struct bud *buds;
    size_t bud_count, bud_capacity;
    struct hw_err *err;
};

static bool add_bud(struct work *work, struct bud bud)
{
    if (work->bud_count == BRANCHES_MAX)
        return hw_err_set(work->err, HW_ERR_LIMIT,
                          "the tree has more than a million branches: use a smaller --depth or "
                          "--limit");
    struct bud *buds =
        hw_vec_grow(work->buds, &work->bud_capacity, work->bud_count + 1, sizeof(*buds));
    if (!buds)
        return hw_err_no_memory(work->err);
    work->buds = buds;
    work->buds[work->bud_count++] = bud;
    return true;
}

/* The type that more than half of the children have, if there is one: each child speaks for its
 * type or against another one, and who is left standing is the only candidate. */
struct vote {
    uint32_t type;
    uint64_t lead;
};

static void cast(struct vote *vote, uint32_t type)
{
    if (!vote->lead)
        vote->type = type;
    if (vote->type == type)
        vote->lead++;
    else
        vote->lead--;
}

static uint32_t next_child(const struct work *work, uint32_t at)
{
    return at + hw_dominators_count(work->rows.dominators, work->order[at]);
}

/* Sums up all children into the rest; the places of the largest ones go to top. */
static bool choose(struct work *work, const struct bud *bud, struct hw_top *top)
{
    struct hw_branch *branch = bud->branch;
    const uint32_t *type = work->graph->type;
    uint32_t end = next_child(work, bud->at);
    struct vote vote = {0};
    for (uint32_t at = bud->at + 1; at < end; at = next_child(work, at)) {
        uint64_t bytes = hw_dominators_retained(work->rows.dominators, work->order[at]);
        if (bytes >= work->least_bytes && !hw_top_add(top, bytes, at))
            return false;
        cast(&vote, type[work->order[at]]);
        branch->rest_count++;
    }
    for (uint32_t at = bud->at + 1; at < end; at = next_child(work, at))
        branch->rest_type_count += type[work->order[at]] == vote.type;
    branch->rest_bytes = branch->object.retained_bytes - branch->object.bytes;
    branch->rest_objects =
        branch->object.retained_objects - (branch->object.step.node < work->graph->object_count);
    hw_top_sort(top);
    for (size_t i = 0; i < top->count; i++)
        branch->rest_type_count -= type[work->order[top->rows[i].id]] == vote.type;
    branch->rest_type = hw_arena_strdup(work->rows.arena, work->graph->types[vote.type].name);
    return branch->rest_type != NULL;
}

static int by_to(const void *a, const void *b)
{
    const struct hw_hop *x = a, *y = b;
    return x->to < y->to ? -1 : x->to > y->to;
}

/* How a node holds each of the children that are shown, by child. */
static struct hw_hop *find_hops(const struct work *work, hw_id from, const struct hw_top *top)
{
    const struct hw_graph *graph = work->graph;
    struct hw_hop *hops = calloc(top->count + 1, sizeof(*hops));
    if (!hops)
        return NULL;
    for (size_t i = 0; i < top->count; i++)
        hops[i] = (struct hw_hop){from, work->order[top->rows[i].id], HW_NO_EDGE};
    qsort(hops, top->count, sizeof(*hops), by_to);
    for (uint32_t e = graph->edge_start[from]; e < graph->edge_start[from + 1]; e++) {
        struct hw_hop key = {.to = graph->edge_to[e]};
        struct hw_hop *hop = bsearch(&key, hops, top->count, sizeof(key), by_to);
        if (hop && hop->edge == HW_NO_EDGE)
            hop->edge = e;
    }
    return hops;
}

static bool add_child(struct work *work, const struct bud *bud, const struct hw_hop *hop,
                      uint32_t at)
{
    struct hw_branch *branch = bud->branch, *child = &branch->children[branch->child_count++];
    if (!hw_rows_weigh(&work->rows, hop, &child->object))
        return hw_err_no_memory(work->err);
    branch->rest_count--;
    branch->rest_bytes -= child->object.retained_bytes;
    branch->rest_objects -= child->object.retained_objects;
    return add_bud(work, (struct bud){child, at, bud->depth + 1});
}

static bool add_children(struct work *work, const struct bud *bud, const struct hw_top *top)
{
    struct hw_branch *branch = bud->branch;
    branch->children = hw_arena_array(work->rows.arena, top->count + 1, sizeof(*branch->children));
    struct hw_hop *hops = find_hops(work, branch->object.step.node, top);
    bool ok = (branch->children && hops) || hw_err_no_memory(work->err);
    for (size_t i = 0; ok && i < top->count; i++) {
        struct hw_hop key = {.to = work->order[top->rows[i].id]};
        ok = add_child(work, bud, bsearch(&key, hops, top->count, sizeof(key), by_to),
                       top->rows[i].id);
    }
    free(hops);
    return ok;
}

/* Level by level: a branch's children wait behind it. */
static bool grow_all(struct work *work)
{
    for (size_t i = 0; i < work->bud_count; i++) {
        struct bud bud = work->buds[i];
        struct hw_top top = {.max = work->options->limit};
        if (bud.depth >= work->options->depth)
            continue;
        bool ok = (choose(work, &bud, &top) || hw_err_no_memory(work->err)) &&
                  add_children(work, &bud, &top);
        hw_top_deinit(&top);
        if (!ok)
            return false;
    }
    return true;
}

static bool fill(struct work *work, struct hw_branch *branch, hw_id id)
{
    uint32_t count, at = hw_dominators_position(work->rows.dominators, id);
    if (at == HW_NONE)
        return hw_err_set(work->err, HW_ERR_USAGE,
                          "no root reaches the object at 0x%llx: it is in no tree",
                          (unsigned long long)hw_graph_addr(work->graph, id));
    work->order = hw_dominators_order(work->rows.dominators, &count);
    struct hw_hop hop = hw_rows_hop(&work->rows, id);
    if (!hw_rows_weigh(&work->rows, &hop, &branch->object))
        return hw_err_no_memory(work->err);
    double share = work->options->least_share;
    work->least_bytes = (uint64_t)(share * (double)branch->object.retained_bytes);
    return add_bud(work, (struct bud){branch, at, 0}) && grow_all(work);
}

static bool fill_path(const struct hw_graph *graph, struct branch_result *result,
                      struct hw_err *err)
{
    struct hw_namer namer;
    if (!hw_namer_init(&namer, graph, &result->arena, err))
        return false;
    bool ok = hw_namer_find(&namer, &result->branch.object);
    hw_namer_deinit(&namer);
    return ok || hw_err_no_memory(err);
}

bool hw_branch_ask(const struct hw_graph *graph, hw_id id, const struct hw_branch_options *options,
                   struct hw_branch **ret_branch, struct hw_err *err)
{
    if (id == HW_NONE)
        id = graph->node_count - 1;
    if (id >= graph->node_count)
        return hw_err_set(err, HW_ERR_USAGE, "node %u is not in the graph", id);
    struct branch_result *result = calloc(1, sizeof(*result));
    if (!result)
        return hw_err_no_memory(err);
    struct work work = {.graph = graph, .options = options, .err = err};
    bool ok = hw_rows_init(&work.rows, graph, &result->arena, err);
    if (ok) {
        ok = fill(&work, &result->branch, id);
        hw_rows_deinit(&work.rows);
    }
    free(work.buds);
    ok = ok && fill_path(graph, result, err);
    if (!ok) {
        hw_branch_destroy(&result->branch);
        return false;
    }
    *ret_branch = &result->branch;
    return true;
}

void hw_branch_destroy(struct hw_branch *branch)
{
    if (!branch)
        return;
    struct branch_result *result = (struct branch_result *)branch;
    hw_arena_deinit(&result->arena);
    free(result);
}

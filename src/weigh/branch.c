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
    struct hw_dominators *dominators;
    const hw_id *order;
    struct hw_arena *arena;
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

/* Sums up all children into the rest; the places of the largest ones go to top. */
static bool choose(struct work *work, const struct bud *bud, struct hw_top *top)
{
    struct hw_branch *branch = bud->branch;
    uint32_t end = bud->at + hw_dominators_count(work->dominators, work->order[bud->at]);
    for (uint32_t at = bud->at + 1; at < end;) {
        uint64_t bytes = hw_dominators_retained(work->dominators, work->order[at]);
        if (bytes >= work->least_bytes && !hw_top_add(top, bytes, at))
            return false;
        at += hw_dominators_count(work->dominators, work->order[at]);
        branch->rest_count++;
    }
    branch->rest_bytes = branch->object.retained_bytes - branch->object.bytes;
    branch->rest_objects =
        branch->object.retained_objects - (branch->object.step.node < work->graph->object_count);
    hw_top_sort(top);
    return true;
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
    if (!hw_row_weigh(work->dominators, work->graph, hop, work->arena, &child->object))
        return hw_err_no_memory(work->err);
    branch->rest_count--;
    branch->rest_bytes -= child->object.retained_bytes;
    branch->rest_objects -= child->object.retained_objects;
    return add_bud(work, (struct bud){child, at, bud->depth + 1});
}

static bool add_children(struct work *work, const struct bud *bud, const struct hw_top *top)
{
    struct hw_branch *branch = bud->branch;
    branch->children = hw_arena_array(work->arena, top->count + 1, sizeof(*branch->children));
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
    uint32_t count;
    if (!hw_dominators_create(&work->dominators, work->graph, work->err))
        return false;
    uint32_t at = hw_dominators_position(work->dominators, id);
    if (at == HW_NONE)
        return hw_err_set(work->err, HW_ERR_USAGE,
                          "no root reaches the object at 0x%llx: it is in no tree",
                          (unsigned long long)hw_graph_addr(work->graph, id));
    work->order = hw_dominators_order(work->dominators, &count);
    hw_id owner = hw_dominators_owner(work->dominators, id);
    struct hw_hop hop = {owner, id, hw_owner_edge(work->graph, owner, id)};
    if (!hw_row_weigh(work->dominators, work->graph, &hop, work->arena, &branch->object))
        return hw_err_no_memory(work->err);
    double share = work->options->least_share;
    work->least_bytes = (uint64_t)(share * (double)branch->object.retained_bytes);
    return add_bud(work, (struct bud){branch, at, 0}) && grow_all(work);
}

static bool fill_path(struct work *work, struct hw_branch *branch)
{
    struct hw_tree tree;
    if (!hw_tree_init(&tree, work->graph, work->err))
        return false;
    bool ok = hw_row_find_path(work->graph, &tree, work->arena, &branch->object);
    hw_tree_deinit(&tree);
    return ok || hw_err_no_memory(work->err);
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
    struct work work = {.graph = graph, .options = options, .arena = &result->arena, .err = err};
    bool ok = fill(&work, &result->branch, id);
    hw_dominators_destroy(work.dominators);
    free(work.buds);
    ok = ok && fill_path(&work, &result->branch);
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

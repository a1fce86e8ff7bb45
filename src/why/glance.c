/* SPDX-License-Identifier: Apache-2.0 */
#include "why/glance.h"

#include "ask/lookup.h"
#include "ask/spell.h"
#include "ask/tree.h"
#include "base/err.h"
#include "grow/series.h"
#include "weigh/dominators.h"
#include "why/bound.h"
#include "why/rules.h"

#include <stdlib.h>
#include <string.h>

enum {
    SHARE = 10,          /* a tenth of the heap is a suspect (MAT's leak report) */
    SMALL = 1024 * 1024, /* less than that troubles nobody */
    LEVELS_MAX = 1000,   /* down the dominator tree (MAT) */
    MEMBERS_MIN = 20,    /* fewer members tell nothing about arrival */
    ARRIVING_SMALL = 4 * 1024,
    ARRIVING_SHARE = 10000, /* what keeps arriving may still be small */
    BANDS = 10,             /* fewer where there are not so many ages */
    BAND_SHARE = 50,        /* each band of ages has at least so small a part of the members */
    YOUNG_AGE = 230,        /* the youngest tenth */
    BEGUN_AGE = 245,        /* of a container: it has just been made */
    SPREAD_MIN = 4,         /* of 255: a band of ages narrower than that is one burst */
    SINCE_SHARE = 2,        /* members are there from the first half of their container's life on */
    KNOWN_SHARE = 2,        /* half of the members must have an age */
};
#define BIG_DROP 0.7  /* a largest part below that is clearly smaller than the whole (MAT) */
#define AGREEMENT 0.8 /* of a group's members, so many must take the same way (MAT) */

struct work {
    const struct hw_graph *graph;
    const struct hw_dominators *dominators;
    uint8_t *is_frame;  /* by node: modules and what is above them, which hold but do not own */
    const hw_id *order; /* of the dominator tree */
    uint32_t reached;
    uint8_t *in_group; /* by node: number of its group, from 1 */
    struct hw_glances *glances;
};

/* ---- what stands above the program's objects ---- */

static void mark_frame(struct work *work)
{
    const struct hw_graph *graph = work->graph;
    hw_id modules = hw_modules_dict(graph);
    memset(work->is_frame + graph->object_count, 1, graph->node_count - graph->object_count);
    if (modules != HW_NONE)
        work->is_frame[modules] = 1;
    for (hw_id id = 0; id < graph->object_count; id++) {
        if (!type_has(graph, id, HW_TYPE_MODULE))
            continue;
        hw_id space = hw_namespace_of(graph, id);
        work->is_frame[id] = 1;
        if (space != HW_NONE)
            work->is_frame[space] = 1;
    }
}

/* Owned by a module or a frame directly. */
static bool is_top(const struct work *work, hw_id id)
{
    hw_id owner = hw_dominators_owner(work->dominators, id);
    return owner != HW_NONE && !work->is_frame[id] && work->is_frame[owner];
}

/* ---- concentration ---- */

/* Down to the largest part, as long as it is nearly the whole. */
static uint32_t accumulation_point(const struct work *work, uint32_t at)
{
    const struct hw_dominators *dominators = work->dominators;
    for (int level = 0; level < LEVELS_MAX; level++) {
        uint32_t end = at + hw_dominators_count(dominators, work->order[at]), largest = at;
        uint64_t whole = hw_dominators_retained(dominators, work->order[at]), most = 0;
        for (uint32_t part = at + 1; part < end;
             part += hw_dominators_count(dominators, work->order[part])) {
            uint64_t bytes = hw_dominators_retained(dominators, work->order[part]);
            if (bytes > most) {
                most = bytes;
                largest = part;
            }
        }
        if ((double)most < BIG_DROP * (double)whole)
            break;
        at = largest;
    }
    return at;
}

/* Where the way ends at a namespace or at a single large leaf, what Python names is above. */
static hw_id leave_details(const struct work *work, hw_id top, hw_id node)
{
    const struct hw_graph *graph = work->graph;
    while (node != top && graph_degree(graph, node) <= 1)
        node = hw_dominators_owner(work->dominators, node);
    return node;
}

static int by_bytes(const void *a, const void *b)
{
    const struct hw_glance *x = a, *y = b;
    if (x->ages.keeps_arriving != y->ages.keeps_arriving)
        return x->ages.keeps_arriving ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x->node < y->node ? -1 : x->node > y->node;
}

/* Keeps the largest. */
static void add(struct hw_glances *glances, struct hw_glance row)
{
    for (size_t i = 0; i < glances->count; i++)
        if (glances->rows[i].node == row.node)
            return;
    if (glances->count < HW_GLANCE_MAX) {
        glances->rows[glances->count++] = row;
        return;
    }
    size_t least = 0;
    for (size_t i = 1; i < glances->count; i++)
        if (by_bytes(&glances->rows[i], &glances->rows[least]) > 0)
            least = i;
    if (by_bytes(&row, &glances->rows[least]) < 0)
        glances->rows[least] = row;
}

static bool is_much(const struct work *work, uint64_t bytes, uint64_t share)
{
    return bytes >= SMALL && bytes * share >= work->glances->total;
}

static void add_single(struct work *work, uint32_t at)
{
    hw_id top = work->order[at], node = work->order[accumulation_point(work, at)];
    node = leave_details(work, top, node);
    add(work->glances, (struct hw_glance){.node = node,
                                          .owner = top,
                                          .bytes = hw_dominators_retained(work->dominators, node),
                                          .objects = hw_dominators_count(work->dominators, node)});
}

/* ---- groups: many alike, none of them large ---- */

static bool may_group(const struct hw_type *type)
{
    const uint32_t code =
        HW_TYPE_TYPE | HW_TYPE_MODULE | HW_TYPE_FUNCTION | HW_TYPE_CODE | HW_TYPE_SYNTHETIC;
    return !(type->flags & code);
}

struct weight {
    uint64_t bytes, objects;
};

static void add_weight(struct weight *weight, const struct hw_dominators *dominators, hw_id id)
{
    weight->bytes += hw_dominators_retained(dominators, id);
    weight->objects += hw_dominators_count(dominators, id);
}

/* Marks the members of groups that are much together; their rows get a node later. */
static bool add_groups(struct work *work)
{
    const struct hw_graph *graph = work->graph;
    struct weight *weights = calloc(graph->type_count + 1, sizeof(*weights));
    uint8_t *number = calloc(graph->type_count + 1, 1);
    bool ok = weights && number;
    for (hw_id id = 0; ok && id < graph->object_count; id++)
        if (is_top(work, id) && may_group(type_of(graph, id)) &&
            !is_much(work, hw_dominators_retained(work->dominators, id), SHARE))
            add_weight(&weights[graph->type[id]], work->dominators, id);
    for (uint32_t t = 0; ok && t < graph->type_count; t++) {
        if (!is_much(work, weights[t].bytes, SHARE) || work->glances->count == HW_GLANCE_MAX)
            continue;
        /* No node yet: a number that no other row has. */
        add(work->glances, (struct hw_glance){.node = graph->node_count + t,
                                              .owner = HW_NONE,
                                              .type = t,
                                              .bytes = weights[t].bytes,
                                              .objects = weights[t].objects,
                                              .is_group = true});
        number[t] = (uint8_t)work->glances->count;
    }
    for (hw_id id = 0; ok && id < graph->object_count; id++)
        if (number[graph->type[id]] && is_top(work, id))
            work->in_group[id] = number[graph->type[id]];
    free(weights);
    free(number);
    return ok;
}

/* Down the merged best paths of a group, as long as most of its members take the same branch. */
static bool place_group(const struct work *work, const struct hw_tree *tree, struct hw_glance *row,
                        uint8_t number)
{
    const struct hw_graph *graph = work->graph;
    uint32_t *passing = calloc(graph->node_count, sizeof(*passing));
    if (!passing)
        return false;
    uint32_t all = 0;
    for (hw_id id = 0; id < graph->object_count; id++)
        if (work->in_group[id] == number && tree_has(tree, id)) {
            passing[id]++;
            all++;
        }
    row->node = HW_NONE;
    row->members = all;
    for (uint32_t i = tree->count; i-- > 1;) {
        hw_id id = tree->order[i], parent = tree->parent[id];
        /* Children come first: the first that most pass is the deepest. */
        if (row->node == HW_NONE && work->in_group[id] != number &&
            passing[id] > AGREEMENT * (double)all)
            row->node = id;
        passing[parent] += passing[id];
    }
    free(passing);
    if (row->node != HW_NONE && work->is_frame[row->node])
        row->node = HW_NONE;
    return true;
}

/* ---- arrival ---- */

struct member_ages {
    uint32_t count, newest, bands[256];
};

static void read_ages(const struct hw_graph *graph, hw_id node, struct member_ages *ages)
{
    memset(ages, 0, sizeof(*ages));
    for (uint32_t e = graph->edge_start[node]; e < graph->edge_start[node + 1]; e++) {
        if (!hw_edge_is_member(graph, e))
            continue;
        ages->count++;
        ages->newest += (graph->flags[graph->edge_to[e]] & HW_NODE_NEWEST) != 0;
        ages->bands[hw_graph_age(graph, graph->edge_to[e])]++;
    }
}

/* Of what only passes through, nothing is nearly as old as the container; a container that is young
 * itself is a batch that has just begun. */
static bool reaches_back(unsigned container, const struct hw_glance_ages *ages)
{
    if (container >= BEGUN_AGE)
        return false;
    return !container || ages->oldest <= container ||
           (unsigned)(ages->oldest - container) * SINCE_SHARE <=
               (unsigned)(ages->newest - container);
}

static bool spreads_evenly(const struct member_ages *members, const struct hw_glance_ages *ages)
{
    uint32_t bands[BANDS] = {0};
    unsigned span = ages->newest - ages->oldest + 1u, count = span < BANDS ? span : BANDS;
    for (unsigned age = ages->oldest; age <= ages->newest; age++)
        bands[(age - ages->oldest) * count / span] += members->bands[age];
    for (unsigned i = 0; i < count; i++)
        if ((uint64_t)bands[i] * BAND_SHARE < ages->known)
            return false;
    return true;
}

static struct hw_glance_ages judge_ages(const struct member_ages *members, unsigned container)
{
    struct hw_glance_ages ages = {.known = members->count - members->bands[0]};
    for (unsigned age = 1; age < 256; age++) {
        if (!members->bands[age])
            continue;
        ages.oldest = ages.oldest ? ages.oldest : (uint8_t)age;
        ages.newest = (uint8_t)age;
        ages.young += age >= YOUNG_AGE ? members->bands[age] : 0;
    }
    ages.keeps_arriving = members->newest && ages.known >= MEMBERS_MIN &&
                          ages.known * KNOWN_SHARE >= members->count && ages.newest >= YOUNG_AGE &&
                          ages.newest - ages.oldest >= SPREAD_MIN &&
                          reaches_back(container, &ages) && spreads_evenly(members, &ages);
    return ages;
}

/* The interpreter's own registries, which let go by themselves. */
static bool is_registry(const struct hw_graph *graph, const struct hw_tree *tree, hw_id id)
{
    struct hw_buf path = {0};
    bool is_known = false;
    hw_path_spell(graph, tree, id, &path);
    for (size_t i = 0; i < hw_known_cache_count; i++)
        is_known |= hw_name_matches(hw_known_caches[i].path, hw_buf_str(&path));
    hw_buf_deinit(&path);
    return is_known;
}

/* A container that C code bounds lets go of the oldest when it is full. */
static bool is_bounded(const struct hw_graph *graph, hw_id id)
{
    const struct hw_site site = {.box = id, .name = id};
    return hw_bound_stated(graph, &site).value != 0;
}

/* Namespaces and what the interpreter keeps for itself are no containers of the program's. */
static bool may_gather(const struct work *work, hw_id id)
{
    const uint32_t kinds =
        HW_TYPE_DICT | HW_TYPE_LIST | HW_TYPE_TUPLE | HW_TYPE_SET | HW_TYPE_DEQUE;
    return graph_degree(work->graph, id) >= MEMBERS_MIN && !work->is_frame[id] &&
           type_has(work->graph, id, kinds);
}

static void add_arrivals(struct work *work)
{
    const struct hw_graph *graph = work->graph;
    struct member_ages members;
    for (hw_id id = 0; id < graph->object_count; id++) {
        uint64_t bytes = hw_dominators_retained(work->dominators, id);
        if (!may_gather(work, id) || bytes < ARRIVING_SMALL ||
            bytes * ARRIVING_SHARE < work->glances->total)
            continue;
        read_ages(graph, id, &members);
        struct hw_glance_ages ages = judge_ages(&members, hw_graph_age(graph, id));
        if (ages.keeps_arriving && !is_bounded(graph, id))
            add(work->glances,
                (struct hw_glance){.node = id,
                                   .owner = id,
                                   .bytes = bytes,
                                   .objects = hw_dominators_count(work->dominators, id)});
    }
}

/* ---- what is told about each ---- */

static bool count_members(const struct hw_graph *graph, struct hw_glance *row)
{
    uint32_t *types = calloc(graph->type_count + 1, sizeof(*types));
    struct member_ages members;
    if (!types)
        return false;
    uint32_t best = graph->type[row->node];
    for (uint32_t e = graph->edge_start[row->node]; e < graph->edge_start[row->node + 1]; e++) {
        uint32_t type = graph->type[graph->edge_to[e]];
        if (!hw_edge_is_member(graph, e))
            continue;
        row->members++;
        if (++types[type] > types[best])
            best = type;
    }
    row->type = best;
    read_ages(graph, row->node, &members);
    row->ages = judge_ages(&members, hw_graph_age(graph, row->node));
    row->ages.keeps_arriving &= !is_bounded(graph, row->node);
    free(types);
    return true;
}

/* With the best paths, which are made when the dominators are gone. */
static bool finish(struct work *work, const struct hw_tree *tree)
{
    struct hw_glances *glances = work->glances;
    size_t kept = 0;
    for (size_t i = 0; i < glances->count; i++) {
        struct hw_glance row = glances->rows[i];
        if (row.is_group ? !place_group(work, tree, &row, (uint8_t)(i + 1))
                         : !count_members(work->graph, &row))
            return false;
        if (row.node != HW_NONE && tree_has(tree, row.node) &&
            !is_registry(work->graph, tree, row.node))
            glances->rows[kept++] = row;
    }
    glances->count = kept;
    qsort(glances->rows, kept, sizeof(glances->rows[0]), by_bytes);
    return true;
}

static bool find_points(struct work *work)
{
    hw_id root = work->graph->node_count - 1;
    work->glances->total = hw_dominators_retained(work->dominators, root);
    mark_frame(work);
    for (uint32_t at = 0; at < work->reached; at++)
        if (is_top(work, work->order[at]) &&
            is_much(work, hw_dominators_retained(work->dominators, work->order[at]), SHARE))
            add_single(work, at);
    bool ok = add_groups(work);
    add_arrivals(work);
    return ok;
}

bool hw_glances_find(const struct hw_graph *graph, struct hw_tree *ret_tree,
                     struct hw_glances *ret_glances, struct hw_err *err)
{
    struct hw_dominators *dominators = NULL;
    if (!hw_dominators_create(&dominators, graph, err))
        return false;
    struct work work = {.graph = graph, .dominators = dominators, .glances = ret_glances};
    *ret_glances = (struct hw_glances){0};
    work.is_frame = calloc(graph->node_count, 1);
    work.in_group = calloc(graph->node_count, 1);
    work.order = hw_dominators_order(dominators, &work.reached);
    bool ok = work.is_frame && work.in_group && find_points(&work);
    ok = ok || hw_err_no_memory(err);
    hw_dominators_destroy(dominators);
    bool has_tree = ok && hw_tree_init(ret_tree, graph, err);
    ok = has_tree && (finish(&work, ret_tree) || hw_err_no_memory(err));
    if (has_tree && !ok)
        hw_tree_deinit(ret_tree);
    free(work.is_frame);
    free(work.in_group);
    return ok;
}

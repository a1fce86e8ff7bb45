/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/weak.h"

#include "ask/lookup.h"
#include "ask/rules.h"
#include "base/err.h"
#include "collect/components.h"
#include "collect/intern.h"
#include "collect/weak-rules.h"

#include <stdlib.h>
#include <string.h>

enum {
    NEST_MAX = 4,         /* containers in containers, until the place is just "in a list" */
    BACK_BONUS = 2,       /* for an attribute that leads from an element to its container's owner */
    WORK_MAX = 100000000, /* edges looked at while testing places */
};

struct finder {
    const struct hw_part *part;
    uint32_t
        *holder;    /* by local node: for namespaces and containers, the local edge that holds it */
    uint32_t *from; /* by local edge: the node it leaves */
    uint32_t *place; /* by local edge */
    uint8_t *cut;    /* by local edge */
    struct hw_intern places;
    uint64_t work;
    struct hw_err *err;
};

static hw_id node_of(const struct finder *finder, uint32_t local)
{
    return finder->part->ids[local];
}

static bool is_plain_container(const struct hw_graph *graph, hw_id id)
{
    const uint32_t kinds =
        HW_TYPE_DICT | HW_TYPE_LIST | HW_TYPE_TUPLE | HW_TYPE_SET | HW_TYPE_DEQUE;
    return type_has(graph, id, kinds) && !type_has(graph, id, HW_TYPE_PYTHON);
}

/* What is a part of another object's place in the program: containers, bound methods, cells,
 * weak references with their callback. */
static bool is_carried(const struct hw_graph *graph, hw_id id)
{
    return is_plain_container(graph, id) ||
           type_has(graph, id, HW_TYPE_METHOD | HW_TYPE_CELL | HW_TYPE_WEAKREF);
}

static bool is_dict_of_object(const struct finder *finder, uint32_t edge)
{
    const struct hw_graph *graph = finder->part->graph;
    return edge_kind(graph, finder->part->edge[edge]) == HW_LABEL_ATTR &&
           strcmp(edge_string(graph, finder->part->edge[edge]), "__dict__") == 0;
}

/* An object that refers to a container, before others. */
static void find_holders(struct finder *finder)
{
    const struct hw_part *part = finder->part;
    for (uint32_t n = 0; n < part->count; n++) {
        for (uint32_t e = part->start[n]; e < part->start[n + 1]; e++) {
            uint32_t to = part->to[e];
            finder->from[e] = n;
            if (to == n || !is_carried(part->graph, node_of(finder, to)))
                continue;
            if (finder->holder[to] == HW_NO_EDGE || is_dict_of_object(finder, e))
                finder->holder[to] = e;
        }
    }
}

static bool is_namespace(const struct finder *finder, uint32_t local)
{
    return finder->holder[local] != HW_NO_EDGE && is_dict_of_object(finder, finder->holder[local]);
}

/* The name in an edge out of a namespace or an object; "" for elements. */
static const char *name_of(const struct finder *finder, uint32_t edge, struct hw_buf *text)
{
    const struct hw_graph *graph = finder->part->graph;
    uint32_t e = finder->part->edge[edge];
    char value[HW_VALUE_MAX_BYTES + 16];
    hw_buf_clear(text);
    switch (edge_kind(graph, e)) {
    case HW_LABEL_ATTR:
    case HW_LABEL_NAMED:
    case HW_LABEL_LOCAL:
    case HW_LABEL_INTERNAL:
        return edge_string(graph, e);
    case HW_LABEL_VALUE:
        if (is_namespace(finder, finder->from[edge]) &&
            hw_graph_value(graph, key_of(graph, e), value, sizeof(value)) &&
            hw_literal_text(value, text))
            return hw_buf_str(text);
        return "";
    default:
        return "";
    }
}

/* A class; but functions, suspended ones and frames each by their own code. */
static uint64_t owner_key(const struct finder *finder, uint32_t local)
{
    const struct hw_graph *graph = finder->part->graph;
    hw_id id = node_of(finder, local);
    uint64_t key = hw_text_hash(type_of(graph, id)->name);
    char value[HW_VALUE_MAX_BYTES + 16];
    if (type_has(graph, id, HW_TYPE_FRAME)) {
        uint32_t code = hw_edge_find(graph, id, HW_LABEL_ATTR, "f_code");
        return code == HW_NO_EDGE ? key : key + graph->edge_to[code];
    }
    if (type_has(graph, id, HW_TYPE_FUNCTION | HW_TYPE_GENERATOR) &&
        hw_graph_value(graph, id, value, sizeof(value)))
        key += hw_text_hash(value);
    return key;
}

/* The same for all edges that the same words of a program make. */
static uint64_t place_key(const struct finder *finder, uint32_t edge, int depth,
                          struct hw_buf *text)
{
    const struct hw_graph *graph = finder->part->graph;
    uint32_t from = finder->from[edge], holder = finder->holder[from];
    uint32_t label = edge_kind(graph, finder->part->edge[edge]);
    uint64_t type = owner_key(finder, from);
    uint64_t name = hw_text_hash(name_of(finder, edge, text));
    if (is_namespace(finder, from)) {
        type = owner_key(finder, finder->from[holder]);
        label = HW_LABEL_ATTR;
    } else if (holder != HW_NO_EDGE && depth < NEST_MAX) {
        type = place_key(finder, holder, depth + 1, text);
    }
    return hw_mix(hw_mix(type) + label) + name;
}

static bool find_places(struct finder *finder)
{
    struct hw_buf text = {0};
    bool ok = true;
    for (uint32_t e = 0; ok && e < finder->part->edge_count; e++) {
        finder->place[e] = hw_intern_number(&finder->places, place_key(finder, e, 0, &text));
        ok = finder->place[e] != UINT32_MAX;
    }
    hw_buf_deinit(&text);
    return ok;
}

/* ---- which places may be proposed ---- */

static const struct hw_weak_rule *rule_of(const struct finder *finder, uint32_t edge)
{
    const struct hw_graph *graph = finder->part->graph;
    uint32_t kind = edge_kind(graph, finder->part->edge[edge]);
    uint32_t from = finder->from[edge];
    if (is_namespace(finder, from))
        from = finder->from[finder->holder[from]];
    uint32_t holder = type_of(graph, node_of(finder, from))->flags;
    uint32_t target = type_of(graph, node_of(finder, finder->part->to[edge]))->flags;
    struct hw_buf text = {0};
    const char *name = name_of(finder, edge, &text);
    size_t i = 0;
    for (; i + 1 < hw_weak_rule_count; i++) {
        const struct hw_weak_rule *rule = &hw_weak_rules[i];
        if ((!rule->kinds || rule->kinds >> kind & 1) &&
            (!rule->holder_flags || rule->holder_flags & holder) &&
            (!rule->target_flags || rule->target_flags & target) &&
            (!rule->name || (*name && hw_name_matches(rule->name, name))))
            break;
    }
    hw_buf_deinit(&text);
    return &hw_weak_rules[i];
}

static bool is_item(const struct finder *finder, uint32_t edge)
{
    uint32_t from = finder->from[edge];
    return is_plain_container(finder->part->graph, node_of(finder, from)) &&
           !is_namespace(finder, from);
}

/* An attribute of something that a container holds, which leads back to a single object: many
 * point to one, as lines to their order. */
static bool is_many_to_one(const struct finder *finder, const struct hw_cycle *cycle, size_t at)
{
    if (is_item(finder, cycle->edges[at]) || cycle->count < 2)
        return false;
    size_t before = (at + cycle->count - 1) % cycle->count;
    if (is_namespace(finder, finder->from[cycle->edges[at]]))
        before = (before + cycle->count - 1) % cycle->count;
    return is_item(finder, cycle->edges[before]);
}

static uint32_t cost_of(const struct finder *finder, const struct hw_cycle *cycle, size_t at)
{
    uint32_t cost = rule_of(finder, cycle->edges[at])->cost * 4;
    if (cost >= HW_WEAK_NEVER * 4)
        return cost;
    if (is_many_to_one(finder, cycle, at))
        cost = cost > BACK_BONUS * 4 ? cost - BACK_BONUS * 4 : 0;
    return cost + is_item(finder, cycle->edges[at]) * 2;
}

/* ---- trying ---- */

static void cut_place(struct finder *finder, uint32_t place, uint8_t cut)
{
    for (uint32_t e = 0; e < finder->part->edge_count; e++)
        if (finder->place[e] == place)
            finder->cut[e] = cut;
}

/* Nodes still in cycles; UINT32_MAX: no memory. */
static uint32_t count_left(struct finder *finder)
{
    struct hw_components left;
    if (!hw_components_init(&left, finder->part, finder->cut, finder->err))
        return UINT32_MAX;
    uint32_t count = left.in_cycles;
    hw_components_deinit(&left);
    finder->work += finder->part->edge_count + finder->part->count;
    return count;
}

struct choice {
    size_t at; /* hop of the cycle */
    uint32_t edge, left, cost;
};

/* Where nothing speaks for one of them the answer is still the same in every run. */
static int compare_names(const struct finder *finder, uint32_t a, uint32_t b)
{
    const uint32_t edges[2] = {a, b};
    struct hw_buf texts[2] = {{0}, {0}};
    const char *types[2], *names[2];
    for (int i = 0; i < 2; i++) {
        uint32_t from = finder->from[edges[i]];
        if (is_namespace(finder, from))
            from = finder->from[finder->holder[from]];
        types[i] = type_of(finder->part->graph, node_of(finder, from))->name;
        names[i] = name_of(finder, edges[i], &texts[i]);
    }
    int order = strcmp(types[0], types[1]);
    order = order ? order : strcmp(names[0], names[1]);
    hw_buf_deinit(&texts[0]);
    hw_buf_deinit(&texts[1]);
    return order;
}

/* A place that ends all cycles comes first, then the one that a programmer gives up most gladly. */
static bool is_better(const struct finder *finder, const struct choice *a, const struct choice *b)
{
    if (!a->left != !b->left)
        return !a->left;
    if (a->cost != b->cost)
        return a->cost < b->cost;
    if (a->left != b->left)
        return a->left < b->left;
    return compare_names(finder, a->edge, b->edge) < 0;
}

static bool choose(struct finder *finder, const struct hw_cycle *cycle, struct choice *ret_choice)
{
    struct choice best = {.at = SIZE_MAX};
    for (size_t i = 0; i < cycle->count; i++) {
        struct choice choice = {i, cycle->edges[i], 0, cost_of(finder, cycle, i)};
        if (choice.cost >= HW_WEAK_NEVER * 4)
            continue;
        cut_place(finder, finder->place[cycle->edges[i]], 1);
        choice.left = finder->work < WORK_MAX ? count_left(finder) : UINT32_MAX - 1;
        cut_place(finder, finder->place[cycle->edges[i]], 0);
        if (choice.left == UINT32_MAX)
            return false;
        if (best.at == SIZE_MAX || is_better(finder, &choice, &best))
            best = choice;
    }
    *ret_choice = best;
    return true;
}

static const char *advice_for(const struct finder *finder, uint32_t edge)
{
    const struct hw_graph *graph = finder->part->graph;
    const char *advice = rule_of(finder, edge)->advice;
    uint32_t target = type_of(graph, node_of(finder, finder->part->to[edge]))->flags;
    const struct hw_weak_advice *row = hw_weak_advices;
    while (row->target_flags && !(row->target_flags & target))
        row++;
    return advice ? advice : row->advice;
}

static void add_place(struct finder *finder, struct hw_weak *weak, uint32_t edge)
{
    const struct hw_part *part = finder->part;
    struct hw_weak_place *place = &weak->places[weak->count++];
    struct hw_hop hops[HW_WEAK_HOPS];
    size_t n = 0;
    *place = (struct hw_weak_place){.advice = advice_for(finder, edge)};
    for (uint32_t e = edge; e != HW_NO_EDGE && n < HW_WEAK_HOPS;
         e = finder->holder[finder->from[e]])
        hops[n++] = (struct hw_hop){node_of(finder, finder->from[e]), node_of(finder, part->to[e]),
                                    part->edge[e]};
    for (size_t i = 0; i < n; i++)
        place->hops[i] = hops[n - 1 - i];
    place->hop_count = n;
    for (uint32_t e = 0; e < part->edge_count; e++)
        place->edges += finder->place[e] == finder->place[edge];
}

/* Drops places that the later ones made needless. */
static bool drop_needless(struct finder *finder, uint32_t *edges, struct hw_weak *weak)
{
    for (size_t i = 0; i + 1 < weak->count;) {
        cut_place(finder, finder->place[edges[i]], 0);
        uint32_t left = count_left(finder);
        if (left == UINT32_MAX)
            return false;
        if (left) {
            cut_place(finder, finder->place[edges[i++]], 1);
            continue;
        }
        weak->count--;
        memmove(&edges[i], &edges[i + 1], (weak->count - i) * sizeof(*edges));
        memmove(&weak->places[i], &weak->places[i + 1], (weak->count - i) * sizeof(*weak->places));
    }
    return true;
}

static bool find(struct finder *finder, struct hw_cycle *cycle, struct hw_weak *weak)
{
    uint32_t edges[HW_WEAK_MAX];
    struct hw_cycle now = *cycle;
    while (now.count && weak->count < HW_WEAK_MAX) {
        struct choice choice;
        if (!choose(finder, &now, &choice))
            return false;
        if (choice.at == SIZE_MAX)
            return true;
        edges[weak->count] = choice.edge;
        add_place(finder, weak, choice.edge);
        if (weak->count == 1)
            hw_cycle_rotate(cycle, choice.at);
        cut_place(finder, finder->place[choice.edge], 1);
        weak->complete = !choice.left;
        if (weak->complete)
            return drop_needless(finder, edges, weak);
        if (!hw_cycle_shortest(finder->part, finder->cut, &now, finder->err))
            return false;
    }
    return true;
}

bool hw_weak_find(const struct hw_part *part, struct hw_cycle *cycle, struct hw_weak *ret_weak,
                  struct hw_err *err)
{
    size_t n = part->count + 1u, m = part->edge_count + 1u;
    struct hw_weak weak = {.count = 0};
    struct finder finder = {.part = part,
                            .err = err,
                            .holder = malloc(n * sizeof(uint32_t)),
                            .from = malloc(m * sizeof(uint32_t)),
                            .place = malloc(m * sizeof(uint32_t)),
                            .cut = calloc(m, 1)};
    bool ok = finder.holder && finder.from && finder.place && finder.cut;
    if (ok) {
        memset(finder.holder, 0xff, n * sizeof(uint32_t));
        find_holders(&finder);
        ok = find_places(&finder);
    }
    ok = ok ? find(&finder, cycle, &weak) : hw_err_no_memory(err);
    free(finder.holder);
    free(finder.from);
    free(finder.place);
    free(finder.cut);
    hw_intern_deinit(&finder.places);
    if (ok)
        *ret_weak = weak;
    return ok;
}

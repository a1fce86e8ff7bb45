/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/ended.h"
#include "why/kind.h"

#include "ask/lookup.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

enum {
    SAMPLE_MAX = 1000, /* members looked at */
    VISIT_MAX = 48,    /* objects looked at below one member */
    DEPTH_MAX = 5,
};

enum { RULE_UNKNOWN, RULE_NONE, RULE_FIRST };

/* What was found below the sampled members. */
struct sample {
    uint32_t members;
    uint32_t *direct;  /* by type: the members themselves */
    uint32_t *inside;  /* by type: instances of the program's classes, behind plain wrappers only */
    uint32_t *behind;  /* by type: the same, behind whatever is called, too */
    uint32_t *in_keys; /* by type: the same, of them below keys */
    bool at_key;
    uint32_t frames;     /* members that keep a frame, a traceback or a suspended function */
    uint32_t *resources; /* by rule: members that keep one */
    uint8_t *rules;      /* by type: RULE_UNKNOWN, RULE_NONE, or RULE_FIRST and a number */
    struct {
        hw_id node;
        int depth;
        bool wrapped; /* so far only wrappers were passed */
        bool carried; /* only wrappers and what is called */
    } stack[VISIT_MAX];
};

/* Shapes that carry things rather than being the thing. */
static bool is_wrapper(const struct hw_type *type)
{
    const uint32_t kinds =
        HW_TYPE_TUPLE | HW_TYPE_LIST | HW_TYPE_DICT | HW_TYPE_SET | HW_TYPE_CELL | HW_TYPE_DEQUE;
    return (type->flags & kinds) && !(type->flags & HW_TYPE_PYTHON);
}

static bool is_program_class(const struct hw_type *type)
{
    return (type->flags & HW_TYPE_PYTHON) && !(type->flags & (HW_TYPE_TYPE | HW_TYPE_MODULE));
}

/* A suspended function that has come to its end has none any more. */
static bool keeps_frame(const struct hw_graph *graph, hw_id node)
{
    return type_has(graph, node, HW_TYPE_FRAME | HW_TYPE_TRACEBACK) ||
           (type_has(graph, node, HW_TYPE_GENERATOR) && !hw_has_ended(graph, node));
}

/* Remembered, since it may have to look through the base classes. */
static const struct hw_resource_rule *rule_of(struct sample *sample, const struct hw_graph *graph,
                                              uint32_t type)
{
    uint8_t *known = &sample->rules[type];
    if (*known == RULE_UNKNOWN) {
        const struct hw_resource_rule *rule = hw_resource_of(graph, type);
        *known = rule ? (uint8_t)(RULE_FIRST + (rule - hw_resource_rules)) : RULE_NONE;
    }
    return *known == RULE_NONE ? NULL : &hw_resource_rules[*known - RULE_FIRST];
}

/* Looks at what hangs from one member, new objects only. */
static void look_below(struct sample *sample, const struct hw_growth *growth, hw_id member)
{
    const struct hw_graph *graph = growth->graph;
    bool frame = false;
    uint64_t resources = 0;
    int depth = 0, visited = 0;
    sample->stack[depth].node = member;
    sample->stack[depth].depth = 0;
    sample->stack[depth].carried = true;
    sample->stack[depth++].wrapped = true;
    while (depth) {
        hw_id node = sample->stack[--depth].node;
        int level = sample->stack[depth].depth;
        bool wrapped = sample->stack[depth].wrapped, carried = sample->stack[depth].carried;
        const struct hw_type *type = type_of(graph, node);
        const struct hw_resource_rule *rule = rule_of(sample, graph, graph->type[node]);
        frame |= keeps_frame(graph, node);
        if (rule && !hw_has_ended(graph, node))
            resources |= (uint64_t)1 << (rule - hw_resource_rules);
        if (wrapped && is_program_class(type)) {
            sample->inside[graph->type[node]]++;
            sample->in_keys[graph->type[node]] += sample->at_key;
        }
        sample->behind[graph->type[node]] += carried && is_program_class(type);
        wrapped &= is_wrapper(type);
        carried &= is_wrapper(type) || hw_type_is_callback(type);
        for (uint32_t e = graph->edge_start[node];
             level < DEPTH_MAX && e < graph->edge_start[node + 1]; e++) {
            hw_id to = graph->edge_to[e];
            if (growth->tree.edge[to] != e || !is_new(growth, to) || visited >= VISIT_MAX ||
                depth >= VISIT_MAX)
                continue;
            visited++;
            sample->stack[depth].node = to;
            sample->stack[depth].depth = level + 1;
            sample->stack[depth].carried = carried;
            sample->stack[depth++].wrapped = wrapped;
        }
    }
    sample->frames += frame;
    for (size_t i = 0; i < hw_resource_rule_count; i++)
        sample->resources[i] += resources >> i & 1;
}

static bool add_member(void *ctx, const struct hw_growth *growth, uint32_t edge)
{
    struct sample *sample = ctx;
    const struct hw_graph *graph = growth->graph;
    hw_id member = graph->edge_to[edge];
    sample->direct[graph->type[member]]++;
    look_below(sample, growth, member);
    /* A dict may keep more by its keys than by its values: caches of methods. */
    if (edge_kind(graph, edge) == HW_LABEL_VALUE && is_new(growth, key_of(graph, edge)) &&
        is_wrapper(type_of(graph, key_of(graph, edge)))) {
        sample->at_key = true;
        look_below(sample, growth, key_of(graph, edge));
        sample->at_key = false;
    }
    return ++sample->members < SAMPLE_MAX;
}

static uint32_t most_frequent(const uint32_t *counts, uint32_t n)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < n; i++)
        if (counts[i] && (best == UINT32_MAX || counts[i] > counts[best]))
            best = i;
    return best;
}

/* A plain wrapper, or plain data under a key that is one, is named by the object that it carries,
 * if each carries about one. */
static uint32_t telling_type(const struct sample *sample, const struct hw_graph *graph,
                             uint32_t member_type)
{
    const struct hw_type *type = &graph->types[member_type];
    const uint32_t plain = HW_TYPE_STR | HW_TYPE_INT | HW_TYPE_FLOAT | HW_TYPE_BYTES;
    uint32_t inside = most_frequent(sample->inside, graph->type_count);
    bool may_stand_for = is_wrapper(type) || (type->flags & plain && !is_program_class(type)) ||
                         strcmp(type->name, "NoneType") == 0;
    if (!may_stand_for || inside == UINT32_MAX)
        return member_type;
    uint64_t each = sample->inside[inside];
    return each * 2 >= sample->members && each * 2 <= (uint64_t)sample->members * 3 ? inside
                                                                                    : member_type;
}

/* The class that tells the reader of his program what a method, function or tuple does not. */
static const char *carried_class(const struct sample *sample, const struct hw_graph *graph,
                                 uint32_t type)
{
    const struct hw_type *own = &graph->types[type];
    uint32_t most = most_frequent(sample->behind, graph->type_count);
    bool is_nameless = hw_type_is_callback(own) || own->flags & (HW_TYPE_TUPLE | HW_TYPE_CELL);
    if (!is_nameless || is_program_class(own) || most == UINT32_MAX ||
        (uint64_t)sample->behind[most] * 2 < sample->members)
        return NULL;
    return graph->types[most].name;
}

static bool is_half(uint32_t part, uint32_t whole)
{
    return part && part * 2 >= whole;
}

static void decide(struct sample *sample, const struct hw_graph *graph, struct hw_kind *kind)
{
    const struct hw_type *type = &graph->types[kind->member_type];
    const struct hw_resource_rule *direct = rule_of(sample, graph, kind->type);
    uint32_t held = most_frequent(sample->resources, (uint32_t)hw_resource_rule_count);
    kind->pattern = HW_PATTERN_GROWING_CONTAINER;
    if (direct && is_half(sample->resources[direct - hw_resource_rules], sample->members)) {
        kind->pattern = HW_PATTERN_UNCLOSED_RESOURCE;
        kind->resource = direct;
    } else if (hw_type_is_callback(type)) {
        kind->pattern = HW_PATTERN_CLOSURE;
    } else if (is_half(sample->frames, sample->members)) {
        kind->pattern = HW_PATTERN_FRAME;
    } else if (held != UINT32_MAX && is_half(sample->resources[held], sample->members)) {
        kind->pattern = HW_PATTERN_UNCLOSED_RESOURCE;
        kind->resource = &hw_resource_rules[held];
    }
}

/* Where there is no container, as in linked lists, the first object stands for all. */
static uint32_t chain_type(const struct hw_growth *growth, const struct hw_site *site)
{
    const struct hw_graph *graph = growth->graph;
    uint32_t type = graph->type[site->box];
    if (site->is_container || site->box >= graph->object_count ||
        graph->types[type].flags & (HW_TYPE_TYPE | HW_TYPE_MODULE | HW_TYPE_DICT))
        return UINT32_MAX;
    return graph->types[type].flags & (HW_TYPE_PYTHON | HW_TYPE_EXCEPTION | HW_TYPE_TUPLE)
               ? type
               : UINT32_MAX;
}

bool hw_kind_dominant(const struct hw_graph *graph, const uint8_t *marks, uint32_t *ret_type,
                      struct hw_err *err)
{
    uint64_t *counts = calloc(graph->type_count + 1, sizeof(*counts));
    uint64_t *bytes = calloc(graph->type_count + 1, sizeof(*bytes));
    if (!counts || !bytes) {
        free(counts);
        free(bytes);
        return hw_err_no_memory(err);
    }
    for (hw_id id = 0; id < graph->object_count; id++) {
        if (!marks[id])
            continue;
        counts[graph->type[id]]++;
        bytes[graph->type[id]] += hw_graph_weight(graph, id);
    }
    uint32_t best = UINT32_MAX;
    int best_rank = -1;
    for (uint32_t t = 0; t < graph->type_count; t++) {
        const struct hw_type *type = &graph->types[t];
        int rank = is_program_class(type) ? 2 : (type->flags & HW_TYPE_GC) != 0;
        if (!counts[t] || rank < best_rank)
            continue;
        if (rank > best_rank || counts[t] > counts[best] ||
            (counts[t] == counts[best] && bytes[t] > bytes[best])) {
            best = t;
            best_rank = rank;
        }
    }
    free(counts);
    free(bytes);
    *ret_type = best;
    return true;
}

/* The type that dominates everything new below a site. */
static bool type_below(const struct hw_growth *growth, const struct hw_site *site,
                       uint32_t *ret_type, struct hw_err *err)
{
    const struct hw_graph *graph = growth->graph;
    uint32_t number = (uint32_t)(site - growth->sites);
    uint8_t *marks = calloc(graph->node_count, 1);
    if (!marks)
        return hw_err_no_memory(err);
    for (hw_id id = 0; id < graph->object_count; id++)
        marks[id] = growth->under[id] == number;
    bool ok = hw_kind_dominant(graph, marks, ret_type, err);
    free(marks);
    return ok;
}

static bool find_kind(struct sample *sample, const struct hw_growth *growth,
                      const struct hw_site *site, struct hw_kind *kind, struct hw_err *err)
{
    const struct hw_graph *graph = growth->graph;
    hw_site_members(growth, site, add_member, sample);
    uint32_t chain = chain_type(growth, site);
    kind->sampled = sample->members;
    kind->member_type =
        chain != UINT32_MAX ? chain : most_frequent(sample->direct, graph->type_count);
    if (kind->member_type == UINT32_MAX || (!site->is_container && chain == UINT32_MAX)) {
        if (!type_below(growth, site, &kind->member_type, err))
            return false;
        if (kind->member_type == UINT32_MAX)
            kind->member_type = graph->type[site->box];
    }
    kind->type = telling_type(sample, graph, kind->member_type);
    if (sample->direct[kind->type] * 2 >= sample->inside[kind->type])
        kind->member_type = kind->type; /* they stand beside plain data, not in it */
    kind->direct = chain == UINT32_MAX ? sample->direct[kind->member_type] : 0;
    kind->carriers = sample->inside[kind->type];
    kind->in_key = kind->type != kind->member_type &&
                   sample->in_keys[kind->type] * 2 > sample->inside[kind->type];
    kind->carries = carried_class(sample, graph, kind->type);
    decide(sample, graph, kind);
    return true;
}

bool hw_kind_find(const struct hw_growth *growth, const struct hw_site *site,
                  struct hw_kind *ret_kind, struct hw_err *err)
{
    size_t types = growth->graph->type_count + 1;
    struct sample *sample = calloc(1, sizeof(*sample));
    struct hw_kind kind = {0};
    bool ok = sample != NULL;
    if (ok) {
        sample->direct = calloc(types, sizeof(*sample->direct));
        sample->behind = calloc(types, sizeof(*sample->behind));
        sample->inside = calloc(types, sizeof(*sample->inside));
        sample->in_keys = calloc(types, sizeof(*sample->in_keys));
        sample->resources = calloc(hw_resource_rule_count, sizeof(*sample->resources));
        sample->rules = calloc(types, sizeof(*sample->rules));
        ok = sample->direct && sample->behind && sample->inside && sample->in_keys &&
             sample->resources && sample->rules;
    }
    ok = ok ? find_kind(sample, growth, site, &kind, err) : hw_err_no_memory(err);
    if (sample) {
        free(sample->direct);
        free(sample->behind);
        free(sample->inside);
        free(sample->in_keys);
        free(sample->resources);
        free(sample->rules);
    }
    free(sample);
    if (ok)
        *ret_kind = kind;
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "why/members.h"

#include "ask/lookup.h"
#include "grow/series.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    ATTRIBUTES_MAX = 12, /* looked at in each member */
    NUMBERS_MAX = 40,    /* values are packed: reading few is enough */
    TEXTS_MAX = 400,
    MRO_MAX = 64,
};

/* ---- the sample ---- */

static uint64_t count_members(const struct hw_graph *graph, const struct hw_site *site)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < site->front_count; i++)
        for (uint32_t e = graph->edge_start[site->fronts[i]];
             e < graph->edge_start[site->fronts[i] + 1]; e++)
            total += hw_edge_is_member(graph, e);
    return total;
}

struct hw_members hw_members_of(struct hw_case *c)
{
    const struct hw_graph *graph = c->graph;
    const struct hw_site *site = c->candidate->site;
    struct hw_members members = {0};
    if (!site || site->is_rooted)
        return members;
    members.total = count_members(graph, site);
    uint64_t room = members.total < HW_MEMBERS_MAX ? members.total : HW_MEMBERS_MAX;
    uint64_t skip_from = room / 2, skip_to = members.total - (room - room / 2), at = 0;
    members.edges = hw_arena_array(c->arena, room + 1, sizeof(*members.edges));
    if (!members.edges) {
        c->no_memory = true;
        return (struct hw_members){0};
    }
    for (uint32_t i = 0; i < site->front_count; i++)
        for (uint32_t e = graph->edge_start[site->fronts[i]];
             e < graph->edge_start[site->fronts[i] + 1]; e++) {
            if (!hw_edge_is_member(graph, e))
                continue;
            if (at < skip_from || at >= skip_to)
                members.edges[members.count++] = e;
            at++;
        }
    return members;
}

const struct hw_code_report *hw_case_report(struct hw_case *c)
{
    if (!c->report)
        c->report = hw_arena_alloc(c->arena, sizeof(*c->report));
    else
        return c->report;
    if (c->report)
        *c->report = hw_code_report(c->code, c->candidate->site->box);
    c->no_memory |= !c->report;
    return c->report;
}

static hw_id member(const struct hw_case *c, const struct hw_members *members, uint32_t i)
{
    return c->graph->edge_to[members->edges[i]];
}

hw_id hw_member_key(const struct hw_case *c, uint32_t edge)
{
    return edge_kind(c->graph, edge) == HW_LABEL_VALUE ? key_of(c->graph, edge) : HW_NONE;
}

/* ---- empty ones ---- */

static bool is_empty(const struct hw_graph *graph, hw_id node)
{
    const uint32_t containers =
        HW_TYPE_DICT | HW_TYPE_LIST | HW_TYPE_TUPLE | HW_TYPE_SET | HW_TYPE_DEQUE;
    const struct hw_type *type = type_of(graph, node);
    char value[8];
    if (type->flags & HW_TYPE_INT)
        return hw_graph_value(graph, node, value, sizeof(value)) == 1 && value[0] == '0';
    if (!(type->flags & containers))
        return false;
    for (uint32_t e = graph->edge_start[node]; e < graph->edge_start[node + 1]; e++)
        if (hw_edge_is_member(graph, e))
            return false;
    return true;
}

uint32_t hw_members_empty(const struct hw_case *c, const struct hw_members *members)
{
    uint32_t empty = 0;
    for (uint32_t i = 0; i < members->count; i++)
        empty += is_empty(c->graph, member(c, members, i));
    return empty;
}

/* ---- attributes ---- */

/* An attribute of an instance: where it lies in the node, or in its __dict__. */
struct attribute {
    const char *name;
    hw_id value;
};

static size_t add_attributes(const struct hw_graph *graph, hw_id node, struct attribute *attributes,
                             size_t count)
{
    for (uint32_t e = graph->edge_start[node];
         e < graph->edge_start[node + 1] && count < ATTRIBUTES_MAX; e++) {
        enum hw_label_kind kind = edge_kind(graph, e);
        if ((kind == HW_LABEL_ATTR || kind == HW_LABEL_NAMED) && edge_string(graph, e)[0] &&
            strcmp(edge_string(graph, e), "__dict__") != 0)
            attributes[count++] = (struct attribute){edge_string(graph, e), graph->edge_to[e]};
    }
    return count;
}

static size_t read_attributes(const struct hw_graph *graph, hw_id node,
                              struct attribute *attributes)
{
    size_t count = 0;
    if (!(type_of(graph, node)->flags & HW_TYPE_PYTHON))
        return 0;
    count = add_attributes(graph, node, attributes, count);
    hw_id space = hw_namespace_of(graph, node);
    return space == HW_NONE ? count : add_attributes(graph, space, attributes, count);
}

static hw_id find_attribute(const struct hw_graph *graph, hw_id node, const char *name)
{
    uint32_t edge = hw_attr_find(graph, node, name);
    return edge == HW_NO_EDGE ? HW_NONE : graph->edge_to[edge];
}

bool hw_members_common(const struct hw_case *c, const struct hw_members *members,
                       hw_common_visit *visit, void *ctx)
{
    struct attribute attributes[ATTRIBUTES_MAX];
    if (members->count < 2)
        return false;
    size_t n = read_attributes(c->graph, member(c, members, 0), attributes);
    for (size_t a = 0; a < n; a++) {
        const char *type = type_of(c->graph, attributes[a].value)->name;
        bool same = strcmp(type, "bool") == 0 || strcmp(type, "NoneType") == 0;
        for (uint32_t i = 1; same && i < members->count; i++)
            same = find_attribute(c->graph, member(c, members, i), attributes[a].name) ==
                   attributes[a].value;
        if (same && visit(ctx, attributes[a].name, attributes[a].value))
            return true;
    }
    return false;
}

/* ---- what rises ---- */

static bool read_number(const struct hw_graph *graph, hw_id node, double *ret_value)
{
    char value[64], *end;
    if (node == HW_NONE || !(type_of(graph, node)->flags & (HW_TYPE_INT | HW_TYPE_FLOAT)) ||
        strcmp(type_of(graph, node)->name, "bool") == 0 ||
        !hw_graph_value(graph, node, value, sizeof(value)))
        return false;
    *ret_value = strtod(value, &end);
    return !*end;
}

static hw_id element(const struct hw_graph *graph, hw_id tuple, uint32_t position)
{
    uint32_t seen = 0;
    for (uint32_t e = graph->edge_start[tuple]; e < graph->edge_start[tuple + 1]; e++)
        if (edge_kind(graph, e) == HW_LABEL_INDEX && seen++ == position)
            return graph->edge_to[e];
    return HW_NONE;
}

static bool is_tuple(const struct hw_graph *graph, hw_id node)
{
    return type_has(graph, node, HW_TYPE_TUPLE);
}

/* name NULL: the element at a position. */
static bool rises(const struct hw_case *c, const struct hw_members *members, const char *name,
                  uint32_t position)
{
    double before = 0, now;
    uint32_t seen = 0, step = members->count / NUMBERS_MAX + 1;
    for (uint32_t i = 0; i < members->count; i += step, before = now, seen++) {
        hw_id node = member(c, members, i);
        hw_id value = name                       ? find_attribute(c->graph, node, name)
                      : is_tuple(c->graph, node) ? element(c->graph, node, position)
                                                 : node;
        if (!read_number(c->graph, value, &now) || (seen && now <= before))
            return false;
    }
    return seen >= 3;
}

const char *hw_members_rising(struct hw_case *c, const struct hw_members *members)
{
    struct attribute attributes[ATTRIBUTES_MAX];
    if (members->count < 3)
        return NULL;
    hw_id first = member(c, members, 0);
    size_t n = read_attributes(c->graph, first, attributes);
    double number;
    for (size_t a = 0; a < n; a++)
        if (read_number(c->graph, attributes[a].value, &number) &&
            rises(c, members, attributes[a].name, 0))
            return attributes[a].name;
    for (uint32_t p = 0; is_tuple(c->graph, first) && p < ATTRIBUTES_MAX; p++) {
        hw_id value = element(c->graph, first, p);
        if (value == HW_NONE)
            break;
        if (!read_number(c->graph, value, &number) || !rises(c, members, NULL, p))
            continue;
        const char *text = hw_arena_printf(c->arena, "[%u]", p);
        c->no_memory |= !text;
        return text;
    }
    return NULL;
}

/* ---- keys ---- */

bool hw_members_tuple_keys(const struct hw_case *c, const struct hw_members *members,
                           uint32_t *ret_length)
{
    uint32_t length = 0;
    for (uint32_t i = 0; i < members->count; i++) {
        hw_id key = hw_member_key(c, members->edges[i]);
        if (key == HW_NONE || !is_tuple(c->graph, key))
            return false;
        uint32_t n = 0;
        while (element(c->graph, key, n) != HW_NONE && n < ATTRIBUTES_MAX)
            n++;
        if (!n || (i && n != length))
            return false;
        length = n;
    }
    *ret_length = length;
    return members->count > 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

uint32_t hw_members_looked(const struct hw_members *members)
{
    return members->count < TEXTS_MAX ? members->count : TEXTS_MAX;
}

uint32_t hw_members_distinct(const struct hw_case *c, const struct hw_members *members,
                             uint32_t position)
{
    uint32_t count = hw_members_looked(members), distinct = 0, n = 0;
    struct hw_arena arena = {0};
    const char **texts = hw_arena_array(&arena, count + 1, sizeof(*texts));
    for (uint32_t i = 0; texts && i < count; i++) {
        char value[HW_VALUE_MAX_BYTES + 16] = "";
        hw_id key = hw_member_key(c, members->edges[i]);
        if (key != HW_NONE && position != UINT32_MAX)
            key = element(c->graph, key, position);
        if (key == HW_NONE || !hw_graph_value(c->graph, key, value, sizeof(value)))
            continue;
        texts[n] = hw_arena_strdup(&arena, value);
        n += texts[n] != NULL;
    }
    if (n)
        qsort(texts, n, sizeof(*texts), by_text);
    for (uint32_t i = 0; i < n; i++)
        distinct += !i || strcmp(texts[i], texts[i - 1]) != 0;
    hw_arena_deinit(&arena);
    return distinct;
}

/* ---- classes ---- */

static const struct hw_type *type_at(const struct hw_graph *graph, hw_id node)
{
    for (uint32_t t = 0; t < graph->type_count; t++)
        if (graph->types[t].node == node)
            return &graph->types[t];
    return NULL;
}

bool hw_is_instance(const struct hw_graph *graph, hw_id id, const char *pattern)
{
    const struct hw_type *type = id < graph->object_count ? type_of(graph, id) : NULL;
    if (!type)
        return false;
    if (hw_name_matches(pattern, type->name))
        return true;
    uint32_t mro = type->node == HW_NONE
                       ? HW_NO_EDGE
                       : hw_edge_find(graph, type->node, HW_LABEL_ATTR, "__mro__");
    hw_id tuple = mro == HW_NO_EDGE ? HW_NONE : graph->edge_to[mro];
    for (uint32_t i = 1; tuple != HW_NONE && i < MRO_MAX; i++) {
        hw_id base = element(graph, tuple, i);
        const struct hw_type *at = base == HW_NONE ? NULL : type_at(graph, base);
        if (base == HW_NONE)
            return false;
        if (at && hw_name_matches(pattern, at->name))
            return true;
    }
    return false;
}

bool hw_is_class_or_base(const struct hw_graph *graph, hw_id type, hw_id base)
{
    uint32_t mro =
        type == HW_NONE ? HW_NO_EDGE : hw_edge_find(graph, type, HW_LABEL_ATTR, "__mro__");
    if (type == base || mro == HW_NO_EDGE)
        return type == base;
    hw_id tuple = graph->edge_to[mro];
    for (uint32_t e = graph->edge_start[tuple]; e < graph->edge_start[tuple + 1]; e++)
        if (edge_kind(graph, e) == HW_LABEL_INDEX && graph->edge_to[e] == base)
            return true;
    return false;
}

bool hw_holder_is(const struct hw_case *c, const char *owner, const char *name)
{
    if (!c->candidate->site)
        return false;
    struct hw_code_place place = hw_code_place(c->growth, c->candidate->site->name);
    if (name && !hw_name_matches(name, place.name))
        return false;
    return !owner || (place.owner != HW_NONE && hw_is_instance(c->graph, place.owner, owner));
}

uint64_t hw_count_instances(const struct hw_graph *graph, uint32_t type)
{
    uint64_t count = 0;
    for (hw_id id = 0; id < graph->object_count; id++)
        count += graph->type[id] == type;
    return count;
}

const char *hw_share_text(struct hw_arena *arena, uint64_t part, uint64_t whole)
{
    return part == whole ? hw_arena_printf(arena, "all %" PRIu64, whole)
                         : hw_arena_printf(arena, "%" PRIu64 " of %" PRIu64, part, whole);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/groups.h"

#include "ask/lookup.h"
#include "base/err.h"
#include "base/vec.h"
#include "collect/intern.h"

#include <stdlib.h>

struct maker {
    const struct hw_part *part;
    const struct hw_components *components;
    const uint8_t *apart;
    uint64_t *types;         /* hash of each type's name */
    uint64_t *strings;       /* hash of each label's string */
    struct hw_intern shapes; /* references by what they look like */
    uint32_t *seen_in;       /* by shape: the last component that has it, + 1 */
    size_t seen_capacity;
    struct hw_intern signatures;
    size_t row_capacity;
    struct hw_intern counts;
    size_t count_capacity;
    struct hw_groups *out;
};

static bool hash_names(struct maker *maker)
{
    const struct hw_graph *graph = maker->part->graph;
    maker->types = malloc((graph->type_count + 1u) * sizeof(*maker->types));
    maker->strings = malloc((graph->string_count + 1u) * sizeof(*maker->strings));
    if (!maker->types || !maker->strings)
        return false;
    for (uint32_t t = 0; t < graph->type_count; t++)
        maker->types[t] = hw_text_hash(graph->types[t].name);
    for (uint32_t i = 0; i < graph->string_count; i++)
        maker->strings[i] = hw_text_hash(graph->strings[i]);
    return true;
}

static uint64_t label_hash(const struct maker *maker, uint32_t label)
{
    const uint32_t named =
        1u << HW_LABEL_ATTR | 1u << HW_LABEL_NAMED | 1u << HW_LABEL_LOCAL | 1u << HW_LABEL_INTERNAL;
    uint32_t kind = hw_label_kind(label), payload = hw_label_payload(label);
    if (!(named >> kind & 1) || payload >= maker->part->graph->string_count)
        return kind;
    return maker->strings[payload] + kind;
}

/* What the reference looks like, whichever objects it joins. */
static uint64_t shape_of(const struct maker *maker, uint32_t from, uint32_t local_edge)
{
    const struct hw_part *part = maker->part;
    const struct hw_graph *graph = part->graph;
    uint64_t hash = maker->types[graph->type[part->ids[from]]];
    hash = hw_mix(hash) + label_hash(maker, graph->edge_label[part->edge[local_edge]]);
    return hw_mix(hash) + maker->types[graph->type[part->ids[part->to[local_edge]]]];
}

/* Whether the component is met for the first time with this shape; false too without memory. */
static bool is_first(struct maker *maker, uint64_t shape, uint32_t component, bool *ok)
{
    uint32_t before = maker->shapes.count, number = hw_intern_number(&maker->shapes, shape);
    uint32_t *seen = number == UINT32_MAX ? NULL
                                          : hw_vec_grow(maker->seen_in, &maker->seen_capacity,
                                                        number + 1u, sizeof(*seen));
    if (!seen) {
        *ok = false;
        return false;
    }
    maker->seen_in = seen;
    bool first = number >= before || seen[number] != component + 1;
    seen[number] = component + 1;
    return first;
}

static bool sign(struct maker *maker, uint32_t component, uint64_t *ret_signature)
{
    const struct hw_part *part = maker->part;
    const struct hw_components *all = maker->components;
    const uint32_t *members = all->order + all->first[component];
    uint64_t signature = 0;
    bool ok = true;
    for (uint32_t i = 0; i < all->size[component]; i++) {
        for (uint32_t e = part->start[members[i]]; e < part->start[members[i] + 1]; e++) {
            if (all->of[part->to[e]] != component)
                continue;
            uint64_t shape = shape_of(maker, members[i], e);
            if (is_first(maker, shape, component, &ok))
                signature += hw_mix(shape + 1);
        }
    }
    *ret_signature = signature;
    return ok;
}

static bool count_type(struct maker *maker, uint32_t group, uint32_t node)
{
    struct hw_groups *out = maker->out;
    const struct hw_graph *graph = maker->part->graph;
    hw_id id = maker->part->ids[node];
    uint32_t type = graph->type[id];
    uint32_t number = hw_intern_number(&maker->counts, maker->types[type] ^ hw_mix(group + 1u));
    struct hw_cycle_count *types =
        number == UINT32_MAX
            ? NULL
            : hw_vec_grow(out->types, &maker->count_capacity, number + 1u, sizeof(*types));
    if (!types)
        return false;
    out->types = types;
    if (number == out->type_count)
        types[out->type_count++] = (struct hw_cycle_count){group, type, 0, 0};
    types[number].count++;
    types[number].bytes += hw_graph_weight(graph, id);
    return true;
}

static bool has_callback(const struct hw_graph *graph, hw_id id)
{
    return type_has(graph, id, HW_TYPE_WEAKREF) &&
           hw_edge_find(graph, id, HW_LABEL_ATTR, "__callback__") != HW_NO_EDGE;
}

static bool add_members(struct maker *maker, uint32_t component, uint32_t group)
{
    const struct hw_graph *graph = maker->part->graph;
    const struct hw_components *all = maker->components;
    struct hw_cycle_row *row = &maker->out->rows[group];
    for (uint32_t i = 0; i < all->size[component]; i++) {
        uint32_t node = all->order[all->first[component] + i];
        hw_id id = maker->part->ids[node];
        bool finalized = graph->flags[id] & HW_NODE_FINALIZED;
        bool has_del = type_has(graph, id, HW_TYPE_HAS_DEL);
        row->bytes += hw_graph_weight(graph, id);
        row->finalizers += has_del && !finalized;
        row->finalized += has_del && finalized;
        row->legacy += type_has(graph, id, HW_TYPE_LEGACY_DEL);
        row->callbacks += has_callback(graph, id);
        if (!count_type(maker, group, node))
            return false;
    }
    row->objects += all->size[component];
    row->components++;
    if (all->size[component] > row->largest)
        row->largest = all->size[component];
    if (all->size[component] < all->size[row->example])
        row->example = component;
    return true;
}

static bool add_component(struct maker *maker, uint32_t component)
{
    struct hw_groups *out = maker->out;
    uint64_t signature;
    if (!sign(maker, component, &signature))
        return false;
    uint32_t first = maker->components->order[maker->components->first[component]];
    uint64_t key = signature + hw_mix(maker->apart ? maker->apart[first] : 0);
    uint32_t group = hw_intern_number(&maker->signatures, key);
    struct hw_cycle_row *rows = group == UINT32_MAX ? NULL
                                                    : hw_vec_grow(out->rows, &maker->row_capacity,
                                                                  group + 1u, sizeof(*rows));
    if (!rows)
        return false;
    out->rows = rows;
    if (group == out->count)
        rows[out->count++] = (struct hw_cycle_row){.signature = signature, .example = component};
    out->of[component] = group;
    return add_members(maker, component, group);
}

static int by_group(const void *a, const void *b)
{
    const struct hw_cycle_count *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return x->type < y->type ? -1 : x->type > y->type;
}

static void sort_types(struct hw_groups *out)
{
    if (out->type_count)
        qsort(out->types, out->type_count, sizeof(*out->types), by_group);
    for (uint32_t i = out->type_count; i-- > 0;) {
        out->rows[out->types[i].group].first_type = i;
        out->rows[out->types[i].group].type_count++;
    }
}

enum { OWNER_NONE = UINT32_MAX, OWNER_MANY = UINT32_MAX - 1 };

/* What no cycle contains belongs to the group that leads to it, when that is one. Referrers come
 * before what they refer to when `order` is read from its end. */
static bool share_out(struct maker *maker)
{
    const struct hw_part *part = maker->part;
    const struct hw_components *all = maker->components;
    struct hw_groups *out = maker->out;
    uint32_t *owner = malloc((part->count + 1u) * sizeof(*owner));
    if (!owner)
        return false;
    for (uint32_t i = 0; i < part->count; i++)
        owner[i] = all->of[i] == HW_NONE ? OWNER_NONE : out->of[all->of[i]];
    for (uint32_t i = part->count; i-- > 0;) {
        uint32_t node = all->order[i];
        for (uint32_t e = part->start[node]; e < part->start[node + 1]; e++) {
            uint32_t to = part->to[e];
            if (all->of[to] != HW_NONE || owner[node] == OWNER_NONE || owner[to] == owner[node])
                continue;
            owner[to] = owner[to] == OWNER_NONE ? owner[node] : OWNER_MANY;
        }
    }
    for (uint32_t i = 0; i < part->count; i++) {
        uint64_t bytes = hw_graph_weight(part->graph, part->ids[i]);
        if (all->of[i] != HW_NONE || owner[i] == OWNER_NONE)
            continue;
        bool shared = owner[i] == OWNER_MANY;
        *(shared ? &out->shared_objects : &out->rows[owner[i]].held_objects) += 1;
        *(shared ? &out->shared_bytes : &out->rows[owner[i]].held_bytes) += bytes;
    }
    free(owner);
    return true;
}

bool hw_groups_init(struct hw_groups *groups, const struct hw_part *part,
                    const struct hw_components *components, const uint8_t *apart,
                    struct hw_err *err)
{
    struct hw_groups made = {.of = malloc((components->count + 1u) * sizeof(*made.of))};
    struct maker maker = {.part = part, .components = components, .apart = apart, .out = &made};
    bool ok = made.of && hash_names(&maker);
    for (uint32_t c = 0; ok && c < components->count; c++)
        ok = add_component(&maker, c);
    ok = ok && share_out(&maker);
    if (ok)
        sort_types(&made);
    free(maker.types);
    free(maker.strings);
    free(maker.seen_in);
    hw_intern_deinit(&maker.shapes);
    hw_intern_deinit(&maker.signatures);
    hw_intern_deinit(&maker.counts);
    if (!ok) {
        hw_groups_deinit(&made);
        return hw_err_no_memory(err);
    }
    *groups = made;
    return true;
}

void hw_groups_deinit(struct hw_groups *groups)
{
    free(groups->rows);
    free(groups->of);
    free(groups->types);
    *groups = (struct hw_groups){0};
}

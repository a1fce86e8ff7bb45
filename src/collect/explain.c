/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/explain.h"

#include "ask/lookup.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

static void start_at_class(const struct hw_graph *graph, struct hw_cycle *cycle)
{
    for (size_t i = 0; i < cycle->count; i++) {
        if (!type_has(graph, cycle->hops[i].to, HW_TYPE_TYPE | HW_TYPE_MODULE))
            continue;
        hw_cycle_rotate(cycle, i);
        return;
    }
}

static bool explain(const struct hw_part *example, struct hw_explained *explained,
                    struct hw_err *err)
{
    const struct hw_graph *graph = example->graph;
    struct hw_cycle *cycle = &explained->cycle;
    if (!hw_cycle_shortest(example, NULL, cycle, err))
        return false;
    if (!cycle->count)
        return true;
    explained->kind = hw_cycle_kind_of(graph, cycle);
    if (explained->kind == HW_CYCLE_CLASS || explained->kind == HW_CYCLE_MODULE) {
        start_at_class(graph, cycle);
        return true;
    }
    if (!hw_weak_find(example, cycle, &explained->weak, err))
        return false;
    hw_cycle_begin(graph, cycle);
    return hw_cycle_first(example, cycle, err);
}

bool hw_explain_row(const struct hw_part *part, const struct hw_components *components,
                    const struct hw_cycle_row *row, uint32_t *slots,
                    struct hw_explained *ret_explained, struct hw_err *err)
{
    const uint32_t *members = components->order + components->first[row->example];
    struct hw_part example;
    struct hw_explained explained = {.kind = HW_CYCLE_OBJECTS};
    if (!hw_part_init_within(&example, part, members, components->size[row->example], slots, err))
        return false;
    bool ok = explain(&example, &explained, err);
    hw_part_deinit(&example);
    if (ok)
        *ret_explained = explained;
    return ok;
}

static bool has_type(const struct hw_groups *groups, const struct hw_cycle_row *row, uint32_t type)
{
    for (uint32_t i = 0; i < row->type_count; i++)
        if (groups->types[row->first_type + i].type == type)
            return true;
    return false;
}

/* NULL: there is no cycle. */
static const struct hw_cycle_row *heaviest(const struct hw_groups *groups, uint32_t type)
{
    const struct hw_cycle_row *best = NULL;
    bool best_has = false;
    for (uint32_t i = 0; i < groups->count; i++) {
        const struct hw_cycle_row *row = &groups->rows[i];
        bool has = has_type(groups, row, type);
        bool heavier = !best || row->bytes + row->held_bytes > best->bytes + best->held_bytes;
        if (best_has != has ? !has : !heavier)
            continue;
        best = row;
        best_has = has;
    }
    return best;
}

static bool explain_heaviest(const struct hw_part *part, const struct hw_components *components,
                             const struct hw_groups *groups, uint32_t type,
                             struct hw_explained *explained, struct hw_err *err)
{
    const struct hw_cycle_row *row = heaviest(groups, type);
    if (!row)
        return true;
    uint32_t *slots = malloc((part->count + 1u) * sizeof(*slots));
    if (!slots)
        return hw_err_no_memory(err);
    memset(slots, 0xff, (part->count + 1u) * sizeof(*slots));
    bool ok = hw_explain_row(part, components, row, slots, explained, err);
    free(slots);
    return ok;
}

bool hw_explain_marked(const struct hw_graph *graph, const uint8_t *marks, uint32_t type,
                       struct hw_explained *ret_explained, struct hw_err *err)
{
    struct hw_part part = {0};
    struct hw_components components = {0};
    struct hw_groups groups = {0};
    struct hw_explained explained = {.kind = HW_CYCLE_OBJECTS};
    bool ok = hw_part_init(&part, graph, marks, err) &&
              hw_components_init(&components, &part, NULL, err) &&
              hw_groups_init(&groups, &part, &components, NULL, err) &&
              explain_heaviest(&part, &components, &groups, type, &explained, err);
    hw_groups_deinit(&groups);
    hw_components_deinit(&components);
    hw_part_deinit(&part);
    if (ok)
        *ret_explained = explained;
    return ok;
}

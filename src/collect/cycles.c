/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/garbage.h"
#include "ask/lookup.h"
#include "ask/type-rows.h"
#include "base/err.h"
#include "collect/explain.h"

#include <stdlib.h>
#include <string.h>

struct cycles_result {
    struct hw_cycles cycles;
    struct hw_arena arena;
};

struct work {
    const struct hw_graph *graph;
    struct hw_garbage garbage, kept; /* kept: as if gc.garbage had been cleared */
    hw_id list;                      /* gc.garbage, or HW_NONE */
    struct hw_part part;
    struct hw_components components;
    struct hw_groups groups;
    uint32_t *slots;
    struct cycles_result *result;
    struct hw_err *err;
};

/* ---- gc.garbage ---- */

static bool find_garbage(struct work *work)
{
    if (!hw_garbage_init(&work->garbage, work->graph, work->err))
        return false;
    work->list = hw_gc_garbage_list(work->graph);
    if (work->list != HW_NONE && !graph_degree(work->graph, work->list))
        work->list = HW_NONE;
    return work->list == HW_NONE ||
           hw_garbage_init_without(&work->kept, work->graph, work->list, work->err);
}

static const uint8_t *marks_of(const struct work *work)
{
    return work->list == HW_NONE ? work->garbage.is_garbage : work->kept.is_garbage;
}

/* What only gc.garbage keeps, and what no collection frees, share no group with what is free to go.
 */
static uint8_t *mark_apart(const struct work *work)
{
    uint8_t *apart = malloc(work->part.count + 1u);
    for (uint32_t i = 0; apart && i < work->part.count; i++)
        apart[i] = work->garbage.is_garbage[work->part.ids[i]];
    return apart;
}

static bool find_groups(struct work *work)
{
    if (!hw_part_init(&work->part, work->graph, marks_of(work), work->err) ||
        !hw_components_init(&work->components, &work->part, NULL, work->err))
        return false;
    uint8_t *apart = mark_apart(work);
    bool ok = apart
                  ? hw_groups_init(&work->groups, &work->part, &work->components, apart, work->err)
                  : hw_err_no_memory(work->err);
    free(apart);
    return ok;
}

/* ---- types ---- */

/* Classes of the program first; the rows are sorted by bytes already. */
static void program_first(const struct hw_graph *graph, struct hw_type_row *rows, size_t count)
{
    size_t of_program = 0;
    for (size_t i = 0; i < count; i++) {
        struct hw_type_row row = rows[i];
        if (!(graph->types[row.type_index].flags & HW_TYPE_PYTHON))
            continue;
        memmove(&rows[of_program + 1], &rows[of_program], (i - of_program) * sizeof(*rows));
        rows[of_program++] = row;
    }
}

/* A row for each type, not counted yet. */
static struct hw_type_row *make_types(struct work *work)
{
    const struct hw_graph *graph = work->graph;
    struct hw_arena *arena = &work->result->arena;
    struct hw_type_row *rows = hw_arena_array(arena, graph->type_count + 1u, sizeof(*rows));
    for (uint32_t t = 0; rows && t < graph->type_count; t++) {
        rows[t].name = hw_arena_strdup(arena, graph->types[t].name);
        rows[t].type_index = t;
        if (!rows[t].name)
            return NULL;
    }
    return rows;
}

static void count_type(const struct hw_graph *graph, struct hw_type_row *rows, hw_id id)
{
    rows[graph->type[id]].count++;
    rows[graph->type[id]].bytes += hw_graph_weight(graph, id);
}

static bool tell_types(struct work *work)
{
    const struct hw_graph *graph = work->graph;
    struct hw_cycles *cycles = &work->result->cycles;
    cycles->types = make_types(work);
    cycles->kept_types = make_types(work);
    if (!cycles->types || !cycles->kept_types)
        return hw_err_no_memory(work->err);
    for (hw_id id = 0; id < graph->object_count; id++) {
        cycles->frozen += (graph->flags[id] & HW_NODE_FROZEN) != 0;
        if (!work->garbage.is_garbage[id])
            continue;
        count_type(graph, cycles->types, id);
        cycles->finalizers +=
            type_has(graph, id, HW_TYPE_HAS_DEL) && !(graph->flags[id] & HW_NODE_FINALIZED);
    }
    for (uint32_t i = 0; work->list != HW_NONE && i < graph_degree(graph, work->list); i++) {
        hw_id to = graph->edge_to[graph->edge_start[work->list] + i];
        if (edge_kind(graph, graph->edge_start[work->list] + i) != HW_LABEL_INDEX)
            continue;
        count_type(graph, cycles->kept_types, to);
        cycles->kept_legacy += type_has(graph, to, HW_TYPE_LEGACY_DEL);
        cycles->kept++;
    }
    cycles->type_count = hw_type_rows_settle(cycles->types, graph->type_count);
    cycles->kept_type_count = hw_type_rows_settle(cycles->kept_types, graph->type_count);
    return true;
}

static bool tell_group_types(struct work *work, const struct hw_cycle_row *row,
                             struct hw_cycle_group *group)
{
    struct hw_arena *arena = &work->result->arena;
    group->types = hw_arena_array(arena, row->type_count + 1u, sizeof(*group->types));
    if (!group->types)
        return hw_err_no_memory(work->err);
    for (uint32_t i = 0; i < row->type_count; i++) {
        const struct hw_cycle_count *count = &work->groups.types[row->first_type + i];
        const char *name = hw_arena_strdup(arena, work->graph->types[count->type].name);
        if (!name)
            return hw_err_no_memory(work->err);
        group->types[i] = (struct hw_type_row){
            .name = name, .count = count->count, .bytes = count->bytes, .type_index = count->type};
    }
    group->type_count = hw_type_rows_settle(group->types, row->type_count);
    program_first(work->graph, group->types, group->type_count);
    return true;
}

/* ---- groups ---- */

static bool tell_breaks(struct work *work, const struct hw_weak *weak, struct hw_cycle_group *group)
{
    group->breaks = hw_arena_array(&work->result->arena, weak->count + 1, sizeof(*group->breaks));
    if (!group->breaks)
        return hw_err_no_memory(work->err);
    for (size_t i = 0; i < weak->count; i++)
        if (!hw_break_words(work->graph, &weak->places[i], &work->result->arena,
                            &group->breaks[group->break_count++]))
            return hw_err_no_memory(work->err);
    group->breaks_all = weak->complete;
    return true;
}

static bool tell_cycle(struct work *work, const struct hw_cycle_row *row,
                       struct hw_cycle_group *group)
{
    struct hw_explained explained;
    struct hw_arena *arena = &work->result->arena;
    if (!hw_explain_row(&work->part, &work->components, row, work->slots, &explained, work->err))
        return false;
    group->closes = group->cycle.path = "";
    if (!explained.cycle.count)
        return true;
    group->kind = explained.kind;
    group->start = explained.cycle.hops[0].from;
    group->closes = group->cycle.path = hw_cycle_words(work->graph, &explained.cycle, arena);
    if (!group->closes || !hw_hops_steps(work->graph, explained.cycle.hops, explained.cycle.count,
                                         arena, &group->cycle))
        return hw_err_no_memory(work->err);
    return tell_breaks(work, &explained.weak, group);
}

static bool tell_group(struct work *work, uint32_t number, struct hw_cycle_group *group)
{
    const struct hw_cycle_row *row = &work->groups.rows[number];
    const struct hw_components *components = &work->components;
    const uint32_t *members = components->order + components->first[row->example];
    *group = (struct hw_cycle_group){
        .signature = row->signature,
        .kept = !work->garbage.is_garbage[work->part.ids[members[0]]],
        .uncollectable = work->garbage.is_garbage[work->part.ids[members[0]]] == HW_GARBAGE_STUCK,
        .components = row->components,
        .objects = row->objects,
        .bytes = row->bytes,
        .largest = row->largest,
        .held_objects = row->held_objects,
        .held_bytes = row->held_bytes,
        .finalizers = row->finalizers,
        .finalized = row->finalized,
        .legacy = row->legacy,
        .callbacks = row->callbacks,
        .start = work->part.ids[members[0]],
    };
    return tell_group_types(work, row, group) && tell_cycle(work, row, group);
}

struct ranked {
    uint64_t bytes, signature;
    uint32_t number;
};

static int by_weight(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x->signature < y->signature ? -1 : x->signature > y->signature;
}

static bool tell_ranked(struct work *work, struct ranked *ranked, size_t max)
{
    struct hw_cycles *cycles = &work->result->cycles;
    const struct hw_groups *groups = &work->groups;
    for (uint32_t g = 0; g < groups->count; g++)
        ranked[g] = (struct ranked){groups->rows[g].bytes + groups->rows[g].held_bytes,
                                    groups->rows[g].signature, g};
    qsort(ranked, groups->count, sizeof(*ranked), by_weight);
    size_t n = max && max < groups->count ? max : groups->count;
    cycles->group_total = groups->count;
    cycles->groups = hw_arena_array(&work->result->arena, n + 1, sizeof(*cycles->groups));
    if (!cycles->groups)
        return hw_err_no_memory(work->err);
    for (; cycles->group_count < n; cycles->group_count++)
        if (!tell_group(work, ranked[cycles->group_count].number,
                        &cycles->groups[cycles->group_count]))
            return false;
    return true;
}

static bool tell_groups(struct work *work, size_t max)
{
    size_t n = work->part.count + 1u;
    struct ranked *ranked = malloc((work->groups.count + 1u) * sizeof(*ranked));
    work->slots = malloc(n * sizeof(*work->slots));
    bool ok = ranked && work->slots;
    if (ok)
        memset(work->slots, 0xff, n * sizeof(*work->slots));
    ok = ok ? tell_ranked(work, ranked, max) : hw_err_no_memory(work->err);
    free(ranked);
    return ok;
}

/* ---- the whole ---- */

static void tell_totals(struct work *work)
{
    struct hw_cycles *cycles = &work->result->cycles;
    const struct hw_facts *facts = &work->graph->facts;
    cycles->objects = work->garbage.count - work->garbage.stuck;
    cycles->bytes = work->garbage.bytes - work->garbage.stuck_bytes;
    cycles->stuck_objects = work->garbage.stuck;
    cycles->stuck_bytes = work->garbage.stuck_bytes;
    cycles->tracked = work->garbage.tracked;
    cycles->components = work->components.count;
    cycles->shared_objects = work->groups.shared_objects;
    cycles->shared_bytes = work->groups.shared_bytes;
    cycles->collector_off = !facts->gc_enabled || !facts->gc_threshold[0];
    if (work->list != HW_NONE) {
        cycles->kept_objects = work->kept.count - work->garbage.count;
        cycles->kept_bytes = work->kept.bytes - work->garbage.bytes;
    }
    for (uint32_t i = 0; i < work->part.count; i++) {
        hw_id id = work->part.ids[i];
        if (work->components.of[i] == HW_NONE || work->garbage.is_garbage[id] != HW_GARBAGE_FREE)
            continue;
        cycles->cycle_objects++;
        cycles->cycle_bytes += hw_graph_weight(work->graph, id);
    }
}

static bool ask(struct work *work, size_t max_groups)
{
    if (!find_garbage(work) || !find_groups(work))
        return false;
    tell_totals(work);
    return tell_types(work) && tell_groups(work, max_groups);
}

bool hw_cycles_ask(const struct hw_graph *graph, size_t max_groups, struct hw_cycles **ret_cycles,
                   struct hw_err *err)
{
    struct work work = {.graph = graph, .list = HW_NONE, .err = err};
    work.result = calloc(1, sizeof(*work.result));
    bool ok = work.result ? ask(&work, max_groups) : hw_err_no_memory(err);
    hw_garbage_deinit(&work.garbage);
    hw_garbage_deinit(&work.kept);
    hw_groups_deinit(&work.groups);
    hw_components_deinit(&work.components);
    hw_part_deinit(&work.part);
    free(work.slots);
    if (!ok) {
        hw_cycles_destroy(work.result ? &work.result->cycles : NULL);
        return false;
    }
    *ret_cycles = &work.result->cycles;
    return true;
}

void hw_cycles_destroy(struct hw_cycles *cycles)
{
    if (!cycles)
        return;
    struct cycles_result *result = (struct cycles_result *)cycles;
    hw_arena_deinit(&result->arena);
    free(result);
}

static const struct hw_cycle_group *find_group(const struct hw_cycles *cycles,
                                               const struct hw_cycle_group *like)
{
    for (size_t i = 0; i < cycles->group_count; i++)
        if (cycles->groups[i].signature == like->signature && cycles->groups[i].kept == like->kept)
            return &cycles->groups[i];
    return NULL;
}

static uint64_t rise(uint64_t before, uint64_t now)
{
    return now > before ? now - before : 0;
}

size_t hw_cycles_compare(const struct hw_cycles *before, const struct hw_cycles *now,
                         struct hw_cycle_news *news)
{
    static const struct hw_cycle_group none;
    size_t count = 0;
    for (size_t i = 0; i < now->group_count; i++) {
        const struct hw_cycle_group *group = &now->groups[i];
        const struct hw_cycle_group *found = find_group(before, group);
        const struct hw_cycle_group *was = found ? found : &none;
        if (group->components <= was->components)
            continue;
        news[count++] = (struct hw_cycle_news){
            .group = group,
            .first = !found,
            .components = group->components - was->components,
            .objects = rise(was->objects + was->held_objects, group->objects + group->held_objects),
            .bytes = rise(was->bytes + was->held_bytes, group->bytes + group->held_bytes),
        };
    }
    return count;
}

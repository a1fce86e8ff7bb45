/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/words.h"

#include "ask/lookup.h"

#include <string.h>

/* Which kind a cycle is: the first row of which an object of the cycle has a flag. */
static const struct {
    uint32_t flags;
    enum hw_cycle_kind kind;
} by_member[] = {
    {HW_TYPE_MODULE, HW_CYCLE_MODULE},        {HW_TYPE_TYPE, HW_CYCLE_CLASS},
    {HW_TYPE_TRACEBACK, HW_CYCLE_EXCEPTION},  {HW_TYPE_GENERATOR, HW_CYCLE_GENERATOR},
    {HW_TYPE_METHOD, HW_CYCLE_BOUND_METHODS}, {HW_TYPE_CELL, HW_CYCLE_CLOSURE},
    {HW_TYPE_FRAME, HW_CYCLE_FRAME},
};

static const struct {
    const char *name, *sentence;
} kinds[] = {
    [HW_CYCLE_OBJECTS] = {"objects", "objects that refer to each other"},
    [HW_CYCLE_SELF] = {"self", "an object that refers to itself"},
    [HW_CYCLE_CONTAINER] = {"container", "a container that contains itself"},
    [HW_CYCLE_BOUND_METHODS] = {"bound-methods", "bound methods kept by their own object"},
    [HW_CYCLE_CLOSURE] = {"closure", "a function that its own closure holds"},
    [HW_CYCLE_EXCEPTION] = {"exception",
                            "an exception kept in a local of the frame that its traceback holds"},
    [HW_CYCLE_FRAME] = {"frame", "a frame kept by what its own locals hold"},
    [HW_CYCLE_GENERATOR] = {"generator", "a suspended function kept by what its own locals hold"},
    [HW_CYCLE_CLASS] = {"class", "a class that was dropped; a class always is a cycle"},
    [HW_CYCLE_MODULE] = {"module", "a module that was dropped, with its functions"},
};

const char *hw_cycle_kind_name(enum hw_cycle_kind kind)
{
    return kinds[kind].name;
}

const char *hw_cycle_kind_sentence(enum hw_cycle_kind kind)
{
    return kinds[kind].sentence;
}

enum hw_cycle_kind hw_cycle_kind_of(const struct hw_graph *graph, const struct hw_cycle *cycle)
{
    const uint32_t plain =
        HW_TYPE_DICT | HW_TYPE_LIST | HW_TYPE_TUPLE | HW_TYPE_SET | HW_TYPE_DEQUE;
    uint32_t any = 0;
    bool only_plain = true;
    for (size_t i = 0; i < cycle->count; i++) {
        uint32_t flags = type_of(graph, cycle->hops[i].from)->flags;
        any |= flags;
        only_plain &= (flags & plain) && !(flags & HW_TYPE_PYTHON);
    }
    for (size_t i = 0; i < sizeof(by_member) / sizeof(by_member[0]); i++)
        if (any & by_member[i].flags)
            return by_member[i].kind;
    size_t hops = cycle->count;
    for (size_t i = 0; i < cycle->count; i++)
        hops -= edge_kind(graph, cycle->hops[i].edge) == HW_LABEL_ATTR &&
                strcmp(edge_string(graph, cycle->hops[i].edge), "__dict__") == 0;
    return only_plain ? HW_CYCLE_CONTAINER : hops <= 1 ? HW_CYCLE_SELF : HW_CYCLE_OBJECTS;
}

/* The name of a class that is an object of the cycle. */
static const char *class_name(const struct hw_graph *graph, hw_id id)
{
    for (uint32_t t = 0; t < graph->type_count; t++)
        if (graph->types[t].node == id)
            return graph->types[t].name;
    return NULL;
}

/* app.Order; function retry() at app.py:12; class app.Plugin */
static void put_subject(const struct hw_graph *graph, hw_id id, struct hw_buf *out)
{
    const struct hw_type *type = type_of(graph, id);
    const char *class = type->flags & HW_TYPE_TYPE ? class_name(graph, id) : NULL;
    struct hw_buf what = {0};
    if (class) {
        hw_buf_printf(out, "class %s", class);
        return;
    }
    if (type->flags & (HW_TYPE_FUNCTION | HW_TYPE_GENERATOR | HW_TYPE_MODULE))
        hw_node_describe(graph, id, &what);
    hw_buf_printf(out, what.len ? "<%s %s>" : "%s", type->name, hw_buf_str(&what));
    hw_buf_deinit(&what);
}

const char *hw_cycle_words(const struct hw_graph *graph, const struct hw_cycle *cycle,
                           struct hw_arena *arena)
{
    struct hw_buf text = {0};
    hw_id start = cycle->hops[0].from;
    put_subject(graph, start, &text);
    hw_hops_spell(graph, cycle->hops, cycle->count, &text);
    const char *class = type_has(graph, start, HW_TYPE_TYPE) ? class_name(graph, start) : NULL;
    hw_buf_printf(&text, " is the same %s", class ? class : type_of(graph, start)->name);
    const char *copy = hw_buf_ok(&text) ? hw_arena_strdup(arena, hw_buf_str(&text)) : NULL;
    hw_buf_deinit(&text);
    return copy;
}

/* find() at app.py:12: of a frame, a suspended function, a closure */
static void put_function(const struct hw_graph *graph, hw_id id, struct hw_buf *out)
{
    struct hw_buf what = {0};
    uint32_t code = hw_edge_find(graph, id, HW_LABEL_ATTR, "f_code");
    hw_node_describe(graph, code != HW_NO_EDGE ? graph->edge_to[code] : id, &what);
    hw_buf_puts(out, what.len ? hw_buf_str(&what) : type_of(graph, id)->name);
    hw_buf_deinit(&what);
}

/* A place that the reader finds in the source: elements lose their number, a method's own object is
 * the place where the method is kept, a cell's is the function that sees it, a local stands before
 * its function. */
static void put_place(const struct hw_graph *graph, const struct hw_weak_place *place,
                      struct hw_buf *out)
{
    const uint32_t items =
        1u << HW_LABEL_INDEX | 1u << HW_LABEL_KEY | 1u << HW_LABEL_VALUE | 1u << HW_LABEL_MEMBER;
    size_t n = place->hop_count;
    const struct hw_hop *last = &place->hops[n - 1];
    if (n > 1 && type_has(graph, last->from, HW_TYPE_METHOD))
        last = &place->hops[--n - 1];
    if (edge_kind(graph, last->edge) == HW_LABEL_LOCAL) {
        hw_buf_printf(out, "%s of ", edge_string(graph, last->edge));
        put_function(graph, last->from, out);
        return;
    }
    if (n > 1 && type_has(graph, last->from, HW_TYPE_CELL)) {
        put_function(graph, place->hops[0].from, out);
        return;
    }
    bool is_namespace = n > 1 && edge_kind(graph, place->hops[n - 2].edge) == HW_LABEL_ATTR &&
                        strcmp(edge_string(graph, place->hops[n - 2].edge), "__dict__") == 0;
    bool is_item = !is_namespace && !type_has(graph, last->from, HW_TYPE_PYTHON) &&
                   items >> edge_kind(graph, last->edge) & 1;
    put_subject(graph, place->hops[0].from, out);
    hw_hops_spell(graph, place->hops, n - is_item, out);
    hw_buf_puts(out, is_item ? "[...]" : "");
}

static void put_advice(const char *advice, const char *place, struct hw_buf *out)
{
    const char *mark = strstr(advice, "{place}");
    if (!mark) {
        hw_buf_puts(out, advice);
        return;
    }
    hw_buf_put(out, advice, (size_t)(mark - advice));
    hw_buf_puts(out, place);
    hw_buf_puts(out, mark + strlen("{place}"));
}

bool hw_break_words(const struct hw_graph *graph, const struct hw_weak_place *place,
                    struct hw_arena *arena, struct hw_cycle_break *ret_break)
{
    struct hw_buf name = {0}, advice = {0};
    put_place(graph, place, &name);
    put_advice(place->advice, hw_buf_str(&name), &advice);
    *ret_break = (struct hw_cycle_break){
        .place = hw_arena_strdup(arena, hw_buf_str(&name)),
        .advice = hw_arena_strdup(arena, hw_buf_str(&advice)),
        .references = place->edges,
    };
    bool ok = hw_buf_ok(&name) && hw_buf_ok(&advice) && ret_break->place && ret_break->advice;
    hw_buf_deinit(&name);
    hw_buf_deinit(&advice);
    return ok;
}

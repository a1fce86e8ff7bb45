/* SPDX-License-Identifier: Apache-2.0 */
#include "weigh/places.h"

#include "ask/lookup.h"
#include "ask/spell.h"
#include "base/vec.h"

#include <stdlib.h>

static bool add_row(struct hw_places *places, enum hw_place_kind kind, const char *name, hw_id node)
{
    struct hw_place *rows =
        hw_vec_grow(places->rows, &places->row_capacity, places->count + 1, sizeof(*rows));
    if (!rows || !name)
        return false;
    places->rows = rows;
    places->rows[places->count++] = (struct hw_place){kind, name, node};
    return true;
}

/* The node belongs to the row added last; who comes first keeps a node. */
static bool add_node(struct hw_places *places, hw_id node)
{
    uint64_t *word = &places->is_place[node / HW_PLACE_WORD_BITS];
    uint64_t bit = (uint64_t)1 << node % HW_PLACE_WORD_BITS;
    if (*word & bit)
        return true;
    struct hw_place_node *nodes =
        hw_vec_grow(places->nodes, &places->node_capacity, places->node_count + 1, sizeof(*nodes));
    if (!nodes)
        return false;
    *word |= bit;
    places->nodes = nodes;
    places->nodes[places->node_count++] = (struct hw_place_node){node, places->count - 1};
    return true;
}

/* ---- modules ---- */

static bool add_module(struct hw_places *places, const struct hw_graph *graph, hw_id module,
                       const char *name)
{
    hw_id space = hw_namespace_of(graph, module);
    if (places_has(places, module))
        return true;
    return add_row(places, HW_PLACE_MODULE, name, module) && add_node(places, module) &&
           (space == HW_NONE || add_node(places, space));
}

/* The text of a str; "?" when it is not recorded. */
static const char *text_of(const struct hw_graph *graph, hw_id id, struct hw_arena *arena)
{
    char value[HW_VALUE_MAX_BYTES + 16];
    struct hw_buf text = {0};
    bool known = hw_graph_value(graph, id, value, sizeof(value)) && hw_literal_text(value, &text);
    const char *copy = hw_arena_strdup(arena, known ? hw_buf_str(&text) : "?");
    hw_buf_deinit(&text);
    return copy;
}

static bool add_listed_modules(struct hw_places *places, const struct hw_graph *graph,
                               struct hw_arena *arena)
{
    hw_id dict = hw_modules_dict(graph);
    if (dict == HW_NONE)
        return true;
    for (uint32_t e = graph->edge_start[dict]; e < graph->edge_start[dict + 1]; e++) {
        hw_id module = graph->edge_to[e];
        if (edge_kind(graph, e) != HW_LABEL_VALUE || module >= graph->object_count ||
            hw_is_literal(graph, module) || places_has(places, module))
            continue;
        if (!add_module(places, graph, module, text_of(graph, key_of(graph, e), arena)))
            return false;
    }
    return places_has(places, dict) ||
           (add_row(places, HW_PLACE_MODULES, "sys.modules", dict) && add_node(places, dict));
}

/* Modules that nobody finds by name any more. In a file many may claim one large namespace; so all
 * lookups together look at no more entries than there are. */
static bool add_other_modules(struct hw_places *places, const struct hw_graph *graph,
                              struct hw_arena *arena)
{
    uint64_t left = graph->edge_count;
    for (hw_id id = 0; id < graph->object_count; id++) {
        if (!type_has(graph, id, HW_TYPE_MODULE) || places_has(places, id))
            continue;
        hw_id space = hw_namespace_of(graph, id);
        uint32_t name = HW_NO_EDGE;
        if (space != HW_NONE && graph_degree(graph, space) <= left) {
            left -= graph_degree(graph, space);
            name = hw_entry_find(graph, space, "__name__");
        }
        const char *text = name == HW_NO_EDGE ? "?" : text_of(graph, graph->edge_to[name], arena);
        if (!add_module(places, graph, id, text))
            return false;
    }
    return true;
}

/* ---- synthetic nodes ---- */

static bool add_synthetic(struct hw_places *places, const struct hw_graph *graph,
                          struct hw_arena *arena)
{
    static const enum hw_place_kind kinds[] = {
        [HW_SYN_ROOT] = HW_PLACE_ROOT,
        [HW_SYN_INTERPRETER] = HW_PLACE_INTERPRETER,
        [HW_SYN_THREAD] = HW_PLACE_THREAD,
        [HW_SYN_FRAME] = HW_PLACE_FRAME,
        [HW_SYN_STATIC_TYPES] = HW_PLACE_STATIC_TYPES,
        [HW_SYN_C_GLOBALS] = HW_PLACE_C_GLOBALS,
        [HW_SYN_NATIVE_STACK] = HW_PLACE_NATIVE_STACK,
    };
    struct hw_buf text = {0};
    bool ok = true;
    for (hw_id id = graph->object_count; ok && id < graph->node_count; id++) {
        hw_buf_clear(&text);
        hw_node_describe(graph, id, &text);
        ok = hw_buf_ok(&text) &&
             add_row(places, kinds[graph->synthetic[id - graph->object_count].kind],
                     hw_arena_strdup(arena, hw_buf_str(&text)), id) &&
             add_node(places, id);
    }
    hw_buf_deinit(&text);
    return ok;
}

/* ---- */

static int by_node(const void *a, const void *b)
{
    const struct hw_place_node *x = a, *y = b;
    return x->node < y->node ? -1 : x->node > y->node;
}

bool hw_places_init(struct hw_places *places, const struct hw_graph *graph, struct hw_arena *arena)
{
    *places = (struct hw_places){0};
    places->is_place = calloc(graph->node_count / HW_PLACE_WORD_BITS + 1, sizeof(uint64_t));
    if (!places->is_place || !add_listed_modules(places, graph, arena) ||
        !add_other_modules(places, graph, arena) || !add_synthetic(places, graph, arena)) {
        hw_places_deinit(places);
        return false;
    }
    qsort(places->nodes, places->node_count, sizeof(*places->nodes), by_node);
    return true;
}

void hw_places_deinit(struct hw_places *places)
{
    free(places->rows);
    free(places->nodes);
    free(places->is_place);
    *places = (struct hw_places){0};
}

uint32_t hw_places_find(const struct hw_places *places, hw_id id)
{
    struct hw_place_node key = {.node = id};
    const struct hw_place_node *found =
        bsearch(&key, places->nodes, places->node_count, sizeof(key), by_node);
    return found->place;
}

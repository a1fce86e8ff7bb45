/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/lookup.h"
#include "ask/spell.h"
#include "why/look.h"

#include <string.h>

/* Places where nobody looks for a container: defaults, attributes of functions, thread-locals,
 * context variables, locals of a function that does not return. */

static hw_id holder_of(const struct hw_case *c)
{
    const struct hw_site *site = c->candidate->site;
    return site && !site->is_rooted ? site->name : HW_NONE;
}

static bool edge_is(const struct hw_graph *graph, uint32_t edge, const char *name)
{
    enum hw_label_kind kind = edge == HW_NONE ? HW_LABEL_WORD : edge_kind(graph, edge);
    return (kind == HW_LABEL_ATTR || kind == HW_LABEL_INTERNAL || kind == HW_LABEL_HIDDEN) &&
           strcmp(edge_string(graph, edge), name) == 0;
}

/* ---- functions ---- */

/* Container <- tuple or dict of defaults <- function. */
static bool fits_default(struct hw_case *c)
{
    const struct hw_tree *tree = &c->growth->tree;
    hw_id box = holder_of(c), defaults = box == HW_NONE ? HW_NONE : tree->parent[box];
    if (defaults == HW_NONE || defaults >= c->graph->object_count)
        return false;
    uint32_t edge = tree->edge[defaults];
    hw_id function = tree->parent[defaults];
    if ((!edge_is(c->graph, edge, "__defaults__") && !edge_is(c->graph, edge, "__kwdefaults__")) ||
        !type_has(c->graph, function, HW_TYPE_FUNCTION))
        return false;
    hw_case_word(c, "{function}", hw_look_function(c, function));
    hw_case_say(c, hw_arena_printf(c->arena,
                                   "the %s is a default argument of %s, which all calls "
                                   "share",
                                   c->holder, hw_look_function(c, function)));
    return true;
}

/* Container <- __dict__ <- function. */
static bool fits_function_attribute(struct hw_case *c)
{
    const struct hw_tree *tree = &c->growth->tree;
    hw_id box = holder_of(c), space = box == HW_NONE ? HW_NONE : tree->parent[box];
    if (space == HW_NONE || space >= c->graph->object_count ||
        !edge_is(c->graph, tree->edge[space], "__dict__") ||
        !type_has(c->graph, tree->parent[space], HW_TYPE_FUNCTION))
        return false;
    hw_case_word(c, "{function}", hw_look_function(c, tree->parent[space]));
    hw_case_say(c, hw_arena_printf(c->arena, "the %s is an attribute of the function %s", c->holder,
                                   hw_look_function(c, tree->parent[space])));
    return true;
}

/* ---- what belongs to a thread or a context ---- */

/* The thread-local, and how many threads' dicts it has. */
static bool fits_thread_local(struct hw_case *c)
{
    const struct hw_graph *graph = c->graph;
    const struct hw_tree *tree = &c->growth->tree;
    hw_id local = HW_NONE;
    for (hw_id at = holder_of(c); at != HW_NONE && at < graph->object_count; at = tree->parent[at])
        if (hw_name_matches("_thread.*local", type_of(graph, at)->name) ||
            edge_is(graph, tree->edge[at], "dummies")) {
            local = at;
            break;
        }
    if (local == HW_NONE)
        return false;
    hw_id dummies = hw_look_attr(graph, local, "dummies");
    uint32_t threads = dummies == HW_NONE ? 0 : graph_degree(graph, dummies) / 2;
    hw_case_say(c, threads ? hw_arena_printf(c->arena,
                                             "it belongs to one of %u thread%s that use "
                                             "the threading.local",
                                             threads, threads == 1 ? "" : "s")
                           : hw_arena_strdup(c->arena, "it belongs to a threading.local"));
    return true;
}

static bool fits_context_default(struct hw_case *c)
{
    char name[HW_LOOK_TEXT_MAX];
    hw_id box = holder_of(c);
    for (unsigned up = 0; up < 2 && box != HW_NONE && box < c->graph->object_count; up++) {
        if (hw_look_is(c->graph, box, "*ContextVar") &&
            hw_look_attr(c->graph, box, "var_default") != HW_NONE) {
            hw_id value = hw_look_attr(c->graph, box, "var_default");
            hw_look_value(c->graph, hw_look_attr(c->graph, box, "name"), name);
            hw_case_word(c, "{variable}", hw_arena_strdup(c->arena, name));
            hw_case_say(c, hw_arena_printf(c->arena,
                                           "the default value of the context variable %s "
                                           "is a %s, which all contexts share",
                                           name, type_of(c->graph, value)->name));
            return true;
        }
        box = c->growth->tree.parent[box];
    }
    return false;
}

/* ---- locals ---- */

/* The frame or suspended function that has the holder as a local variable. */
static hw_id local_of(const struct hw_case *c, const char **ret_local)
{
    hw_id box = holder_of(c);
    uint32_t edge = box == HW_NONE ? HW_NONE : c->growth->tree.edge[box];
    if (edge == HW_NONE || edge_kind(c->graph, edge) != HW_LABEL_LOCAL)
        return HW_NONE;
    *ret_local = edge_string(c->graph, edge);
    return c->growth->tree.parent[box];
}

static const char *progress_of(const struct hw_case *c, hw_id node)
{
    char text[HW_LOOK_TEXT_MAX];
    const char *line = hw_look_value(c->graph, node, text) ? strstr(text, "at line ") : NULL;
    return line ? hw_arena_printf(c->arena, ", now %s", line) : "";
}

static const char *spell_frame(const struct hw_case *c, hw_id frame)
{
    struct hw_buf text = {0};
    hw_base_spell(c->graph, frame, &text);
    size_t n = text.len;
    const char *copy = n > 2 ? hw_arena_strndup(c->arena, hw_buf_str(&text) + 1, n - 2) : "";
    hw_buf_deinit(&text);
    return copy;
}

static bool fits_local(struct hw_case *c, bool running)
{
    const char *local;
    hw_id frame = local_of(c, &local);
    if (frame == HW_NONE || (frame >= c->graph->object_count) != running ||
        (!running && !type_has(c->graph, frame, HW_TYPE_GENERATOR)))
        return false;
    hw_case_word(c, "{local}", hw_arena_strdup(c->arena, local));
    hw_case_word(c, "{function}", spell_frame(c, frame));
    hw_case_say(c, hw_arena_printf(c->arena, "%s is a local variable of %s%s", local,
                                   spell_frame(c, frame), progress_of(c, frame)));
    return true;
}

static bool fits_running(struct hw_case *c)
{
    return fits_local(c, true);
}

static bool fits_suspended(struct hw_case *c)
{
    return fits_local(c, false);
}

static const struct hw_cause rows[] = {
    {"mutable-default", 0, NULL, NULL, fits_default,
     "A default argument is made once, when the function is defined, and all calls share it.",
     "Write None as the default in {function} and make the container inside: what is in "
     "{holder} stays for ever."},
    {"function-attribute", 0, NULL, NULL, fits_function_attribute,
     "A function keeps what it has seen in an attribute of itself, and removes nothing.",
     "Bound {holder} or remove what is done; functools.lru_cache(maxsize=...) is such a store "
     "with a bound."},
    {"thread-local-grows", 0, NULL, NULL, fits_thread_local,
     "A thread-local lives as long as its thread, and a worker thread lives long.",
     "Clear {holder} when each piece of work is done: a thread-local is a global variable for "
     "whatever its thread does."},
    {"context-variable-default", 0, NULL, NULL, fits_context_default,
     "The default value of a context variable is one object that all contexts share.",
     "Give {variable} no mutable default: set() a new container where each context begins, and "
     "reset() it at the end."},
    {"local-of-running-function", 0, NULL, NULL, fits_running,
     "A function that does not return collects in a local variable.",
     "Hand over or drop what is in {local} whenever a piece of work is done, in {function}, or "
     "bound it: nothing is freed while the function runs."},
    {"local-of-suspended-function", 0, NULL, NULL, fits_suspended,
     "A coroutine or generator that does not end collects in a local variable.",
     "Hand over or drop what is in {local} whenever a piece of work is done, in {function}, or "
     "bound it: nothing is freed before it ends."},
};
const struct hw_cause_table hw_causes_place = HW_CAUSE_TABLE(rows);

/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/ended.h"
#include "ask/lookup.h"
#include "why/look.h"

#include <string.h>

/* Descriptors, connections and child processes: open and forgotten, or closed and kept. */

struct handles {
    uint32_t count, ended;
    const struct hw_resource_rule *rule;
};

/* What a member stands for: itself, or an object in the tuple that it is. */
static hw_id handle_of(const struct hw_case *c, hw_id member, const struct hw_resource_rule **rule)
{
    const struct hw_graph *graph = c->graph;
    *rule = hw_resource_of(graph, graph->type[member]);
    if (*rule || !type_has(graph, member, HW_TYPE_TUPLE))
        return *rule ? member : HW_NONE;
    for (uint32_t e = graph->edge_start[member]; e < graph->edge_start[member + 1]; e++) {
        *rule = hw_resource_of(graph, graph->type[graph->edge_to[e]]);
        if (*rule)
            return graph->edge_to[e];
    }
    return HW_NONE;
}

static bool find_handles(struct hw_case *c, struct handles *found)
{
    const struct hw_sample *members = hw_look_members(c);
    *found = (struct handles){0};
    for (uint32_t i = 0; i < members->count; i++) {
        const struct hw_resource_rule *rule;
        hw_id handle = handle_of(c, members->ids[i], &rule);
        if (handle == HW_NONE)
            continue;
        found->rule = rule;
        found->count++;
        found->ended += hw_has_ended(c->graph, handle);
    }
    return hw_look_most(found->count, members->count);
}

static bool is_child(const struct hw_case *c, hw_id member)
{
    return hw_look_is(c->graph, member, "subprocess.Popen");
}

static uint32_t count_children(struct hw_case *c)
{
    const struct hw_sample *members = hw_look_members(c);
    uint32_t children = 0;
    for (uint32_t i = 0; i < members->count; i++)
        children += is_child(c, members->ids[i]);
    return children;
}

static bool fits_kept_after_end(struct hw_case *c)
{
    struct handles found;
    if (!find_handles(c, &found) || !hw_look_most(found.ended, found.count))
        return false;
    hw_case_word(c, "{noun}", found.rule->noun);
    hw_case_say_new(c, hw_arena_printf(c->arena, "%u of %u are closed or ended already",
                                       found.ended, found.count));
    return true;
}

static bool fits_children(struct hw_case *c)
{
    struct handles found;
    if (!find_handles(c, &found) || count_children(c) != found.count ||
        found.ended * 2 >= found.count)
        return false;
    hw_case_say_new(c, hw_arena_printf(c->arena,
                                       "%u of %u child processes have no returncode: nobody "
                                       "asked for it with wait() or poll()",
                                       found.count - found.ended, found.count));
    return true;
}

/* ---- selectors ---- */

static bool fits_registrations(struct hw_case *c)
{
    const struct hw_graph *graph = c->graph;
    const struct hw_sample *members = hw_look_members(c);
    uint32_t keys = 0, closed = 0;
    for (uint32_t i = 0; i < members->count; i++) {
        if (!hw_look_is(graph, members->ids[i], "selectors.SelectorKey"))
            continue;
        const struct hw_resource_rule *rule;
        hw_id handle = handle_of(c, members->ids[i], &rule);
        keys++;
        closed += handle != HW_NONE && hw_has_ended(graph, handle);
    }
    if (!hw_look_most(keys, members->count))
        return false;
    hw_case_say_new(c, hw_arena_printf(c->arena,
                                       "%u registrations; of their files and sockets %u are "
                                       "closed",
                                       keys, closed));
    return true;
}

static bool fits_open(struct hw_case *c)
{
    struct handles found;
    if (!find_handles(c, &found))
        return false;
    if (found.ended)
        hw_case_say_new(c, hw_arena_printf(c->arena, "%u of %u are open", found.count - found.ended,
                                           found.count));
    return true;
}

static const struct hw_cause rows[] = {
    {"selector-registrations", 0, NULL, NULL, fits_registrations,
     "A selector keeps every file or socket that was registered and not unregistered.",
     "Call unregister() before close() when the peer is done: {holder} keeps the object and its "
     "data until then."},
    {"children-not-waited-for", 0, NULL, NULL, fits_children,
     "Child processes are started, and nobody waits for their end.",
     "wait() or poll() each one and take it out of {holder} then, or use subprocess.run(): a child "
     "that ended stays a zombie until somebody does."},
    {"kept-after-end", 0, NULL, NULL, fits_kept_after_end,
     "What was closed or has ended is kept: {noun} of which only the objects are left.",
     "Take each one out of {holder} when it is closed: closing alone does not free the object."},
    {"unclosed-resource", HW_FAMILY(UNCLOSED_RESOURCE), NULL, NULL, fits_open,
     "{holder} collects {noun} that nobody ends.",
     "End what {holder} collects: {cure}; and take it out of {holder} then."},
};
const struct hw_cause_table hw_causes_resource = HW_CAUSE_TABLE(rows);

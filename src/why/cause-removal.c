/* SPDX-License-Identifier: Apache-2.0 */
#include "why/cause.h"

#include "ask/lookup.h"
#include "why/members.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Containers that the program's code takes things out of, though not these; and the same objects in
 * two containers. */

enum { SIBLINGS_MAX = 24 };

static uint64_t length_now(const struct hw_case *c)
{
    return c->candidate->site->lengths[c->growth->series->count - 1];
}

/* ---- removals that are skipped ---- */

struct condition {
    const struct hw_case *c;
    hw_id removal;
    const char *name;
    hw_id value;
};

static hw_id method_code(const struct hw_graph *graph, hw_id type, const char *name)
{
    uint32_t edge = type == HW_NONE ? HW_NO_EDGE : hw_attr_find(graph, type, name);
    if (edge == HW_NO_EDGE || !type_has(graph, graph->edge_to[edge], HW_TYPE_FUNCTION))
        return HW_NONE;
    uint32_t code = hw_edge_find(graph, graph->edge_to[edge], HW_LABEL_ATTR, "__code__");
    return code == HW_NO_EDGE ? HW_NONE : graph->edge_to[code];
}

/* An attribute is a property of the member, not a state that the removal would have set, when
 * __init__ got it as an argument. */
static bool is_condition(void *ctx, const char *name, hw_id value)
{
    struct condition *condition = ctx;
    const struct hw_case *c = condition->c;
    hw_id type = c->graph->types[c->candidate->kind.member_type].node;
    hw_id init = method_code(c->graph, type, "__init__");
    if (!hw_code_has_name(c->code, condition->removal, name) || init == HW_NONE ||
        hw_code_has_name(c->code, init, name) < 2)
        return false;
    condition->name = name;
    condition->value = value;
    return true;
}

static bool returns_early(struct hw_case *c)
{
    const struct hw_code_report *report = hw_case_report(c);
    struct hw_members members = hw_members_of(c);
    char value[16] = "None";
    if (!report || report->takes_out == HW_NONE)
        return false;
    struct condition condition = {.c = c, .removal = report->takes_out};
    if (!hw_members_common(c, &members, is_condition, &condition))
        return false;
    hw_graph_value(c->graph, condition.value, value, sizeof(value));
    const char *function = hw_code_spell(c->graph, report->takes_out, c->arena);
    hw_case_word(c, "{removal}", function);
    hw_case_word(c, "{condition}", hw_arena_printf(c->arena, "%s=%s", condition.name, value));
    hw_case_say(c, function ? hw_arena_printf(c->arena,
                                              "%s takes entries out, yet %" PRIu64 " stayed: all "
                                              "of them have %s=%s, and it looks at .%s",
                                              function, length_now(c), condition.name, value,
                                              condition.name)
                            : NULL);
    return true;
}

/* Who puts in and takes out again by itself has run, so it was left in between. */
static bool leaves_between(struct hw_case *c)
{
    const struct hw_code_report *report = hw_case_report(c);
    if (!report || report->takes_back == HW_NONE)
        return false;
    const char *function = hw_code_spell(c->graph, report->takes_back, c->arena);
    hw_case_word(c, "{removal}", function);
    hw_case_say(c, function ? hw_arena_printf(c->arena,
                                              "%s puts them in and would take them out again, yet "
                                              "%" PRIu64 " stayed",
                                              function, length_now(c))
                            : NULL);
    return true;
}

static bool skips_removal_of(struct hw_case *c, enum hw_code_origin origin)
{
    const struct hw_code_report *report = hw_case_report(c);
    if (!report || report->takes_out == HW_NONE ||
        hw_code_origin(c->graph, report->takes_out) != origin ||
        (origin != HW_CODE_OF_PROGRAM && hw_code_is_private(c->graph, report->takes_out)))
        return false;
    const char *function = hw_code_spell(c->graph, report->takes_out, c->arena);
    hw_case_word(c, "{removal}", function);
    hw_case_say(c, function
                       ? hw_arena_printf(c->arena, "%s takes entries out, yet %" PRIu64 " stayed",
                                         function, length_now(c))
                       : NULL);
    return true;
}

static bool skips_removal(struct hw_case *c)
{
    return skips_removal_of(c, HW_CODE_OF_PROGRAM);
}

static bool skips_library(struct hw_case *c)
{
    return skips_removal_of(c, HW_CODE_OF_LIBRARY);
}

/* ---- the same objects in two containers ---- */

/* By node: whether it is a member. All are marked, for the sibling has only the newest, and these are
 * anywhere where there are several containers. The caller frees. */
static bool *members_mark(struct hw_case *c)
{
    const struct hw_graph *graph = c->graph;
    const struct hw_site *site = c->candidate->site;
    bool *marks = calloc(graph->node_count + 1, sizeof(*marks));
    c->no_memory |= !marks;
    for (uint32_t i = 0; marks && i < site->front_count; i++)
        for (uint32_t e = graph->edge_start[site->fronts[i]];
             e < graph->edge_start[site->fronts[i] + 1]; e++)
            marks[graph->edge_to[e]] |= hw_edge_is_member(graph, e);
    return marks;
}

/* Most of what is in the sibling is a member here. */
static bool shares_members(const struct hw_graph *graph, hw_id sibling, const bool *is_member)
{
    uint32_t seen = 0, shared = 0;
    for (uint32_t e = graph->edge_start[sibling];
         e < graph->edge_start[sibling + 1] && seen < HW_MEMBERS_MAX; e++) {
        if (!hw_edge_is_member(graph, e))
            continue;
        seen++;
        shared += is_member[graph->edge_to[e]];
    }
    return shared && shared * 2 >= seen;
}

/* A function takes from the sibling and does not name this container, and another fills both. */
static bool is_cleaned_alone(struct hw_case *c, const struct hw_code_report *own, hw_id sibling)
{
    struct hw_code_report other = hw_code_report(c->code, sibling);
    struct hw_code_use uses[HW_CODE_USES_MAX];
    size_t count = hw_code_uses(c->code, &other.place, uses);
    hw_id both = HW_NONE, alone = HW_NONE;
    for (size_t i = 0; i < count; i++) {
        bool names_own = hw_code_has_name(c->code, uses[i].code, own->place.name);
        if (names_own && both == HW_NONE && !hw_code_is_init(c->graph, uses[i].code))
            both = uses[i].code;
        if (!names_own && uses[i].takes_out && alone == HW_NONE)
            alone = uses[i].code;
    }
    if (both == HW_NONE || alone == HW_NONE)
        return false;
    const char *remover = hw_code_spell(c->graph, alone, c->arena);
    const char *filler = hw_code_spell(c->graph, both, c->arena);
    hw_case_word(c, "{removal}", remover);
    hw_case_word(c, "{other}", hw_arena_strdup(c->arena, other.place.name));
    hw_case_say(c, remover && filler
                       ? hw_arena_printf(c->arena,
                                         "%s takes them out of .%s, not out of here; %s names both",
                                         remover, other.place.name, filler)
                       : NULL);
    return true;
}

static bool is_container(const struct hw_graph *graph, hw_id node)
{
    return type_has(graph, node, HW_TYPE_DICT | HW_TYPE_LIST | HW_TYPE_SET | HW_TYPE_DEQUE);
}

static bool try_siblings(struct hw_case *c, const struct hw_code_report *own, hw_id space,
                         const bool *is_member)
{
    uint32_t tried = 0;
    for (uint32_t e = c->graph->edge_start[space];
         e < c->graph->edge_start[space + 1] && tried < SIBLINGS_MAX; e++) {
        hw_id to = c->graph->edge_to[e];
        if (to == own->place.box || !is_container(c->graph, to) ||
            edge_kind(c->graph, e) == HW_LABEL_KEY || c->growth->tree.edge[to] != e ||
            !shares_members(c->graph, to, is_member))
            continue;
        tried++;
        if (is_cleaned_alone(c, own, to))
            return true;
    }
    return false;
}

static bool is_second_index(struct hw_case *c)
{
    const struct hw_code_report *own = hw_case_report(c);
    if (!own || own->takes_out != HW_NONE || own->place.owner == HW_NONE || !own->place.name[0] ||
        c->candidate->site->is_rooted)
        return false;
    hw_id space = hw_namespace_of(c->graph, own->place.owner);
    bool *is_member = members_mark(c);
    bool found = is_member && (try_siblings(c, own, own->place.owner, is_member) ||
                               (space != HW_NONE && try_siblings(c, own, space, is_member)));
    free(is_member);
    return found;
}

static const struct hw_cause rows[] = {
    {"early-return", HW_FAMILY(GROWING_CONTAINER), NULL, NULL, returns_early,
     "Code takes entries out of {holder}, but leaves early for some of them.",
     "Let {removal} take out also those with {condition}: do it before any return, or in a finally "
     "block."},
    {"early-return", HW_FAMILY(GROWING_CONTAINER), NULL, NULL, leaves_between,
     "A function puts entries in and takes them out again, but seems to leave before that.",
     "Let {removal} take the entry out of {holder} in a finally block: a return or an exception "
     "in between skips it."},
    {"second-index", HW_FAMILY(GROWING_CONTAINER), NULL, NULL, is_second_index,
     "The same objects stand in two containers, and only one of them is cleaned.",
     "Let {removal} take them out of {holder} as well as out of .{other}."},
    {"skipped-removal", HW_FAMILY(GROWING_CONTAINER), NULL, NULL, skips_removal,
     "Code takes entries out of {holder}, but these stayed: it left early, failed, or was not "
     "called.",
     "See why {removal} does not reach these: take them out before any return and in a finally "
     "block, and call it for each."},
    {"kept-by-library", HW_FAMILY(GROWING_CONTAINER), NULL, NULL, skips_library,
     "A library keeps what it was given until it is told to let go.",
     "Call {removal} for each {type} when it is done: {holder} keeps it until then."},
};
const struct hw_cause_table hw_causes_removal = HW_CAUSE_TABLE(rows);

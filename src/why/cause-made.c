/* SPDX-License-Identifier: Apache-2.0 */
#include "why/cause.h"

#include "ask/lookup.h"
#include "why/members.h"

#include <inttypes.h>
#include <string.h>

/* What the program makes at run time, classes and functions, and structures without a container. */

enum { CHAIN_MAX = 1000000, CHAIN_MIN = 3, OWN_CODE_PERCENT = 90 };

static bool makes_classes(struct hw_case *c)
{
    uint64_t classes = 0;
    if (!(c->graph->types[c->candidate->kind.member_type].flags & HW_TYPE_TYPE))
        return false;
    for (hw_id id = 0; id < c->graph->object_count; id++)
        classes += type_has(c->graph, id, HW_TYPE_TYPE) && is_new(c->growth, id);
    if (!classes)
        return false;
    hw_case_say(c, hw_arena_printf(c->arena,
                                   "%" PRIu64 " classes were made while the process was watched",
                                   classes));
    return true;
}

static hw_id code_of(const struct hw_graph *graph, hw_id function)
{
    uint32_t edge = hw_edge_find(graph, function, HW_LABEL_ATTR, "__code__");
    return edge == HW_NO_EDGE ? HW_NONE : graph->edge_to[edge];
}

/* Functions made by one def share their code; those that exec() made do not. */
static bool makes_functions(struct hw_case *c)
{
    struct hw_members members = hw_members_of(c);
    uint32_t own = 0;
    if (!(c->graph->types[c->candidate->kind.member_type].flags & HW_TYPE_FUNCTION))
        return false;
    for (uint32_t i = 0; i < members.count; i++) {
        hw_id function = c->graph->edge_to[members.edges[i]];
        hw_id code =
            type_has(c->graph, function, HW_TYPE_FUNCTION) ? code_of(c->graph, function) : HW_NONE;
        own += code != HW_NONE && is_new(c->growth, code);
    }
    if (!own)
        return false;
    uint32_t fresh = 0;
    for (uint32_t i = 0; i < members.count; i++)
        fresh += is_new(c->growth, c->graph->edge_to[members.edges[i]]);
    if ((uint64_t)own * 100 < (uint64_t)fresh * OWN_CODE_PERCENT)
        return false;
    const char *share = hw_share_text(c->arena, own, fresh);
    hw_case_say(c, share ? hw_arena_printf(c->arena,
                                           "%s new functions came with new code: exec(), eval() or "
                                           "compile() made it",
                                           share)
                         : NULL);
    return true;
}

static bool makes_code(struct hw_case *c)
{
    return c->graph->types[c->candidate->kind.member_type].flags & HW_TYPE_CODE;
}

static bool makes_modules(struct hw_case *c)
{
    return c->graph->types[c->candidate->kind.member_type].flags & HW_TYPE_MODULE;
}

static bool is_tee(struct hw_case *c)
{
    uint64_t blocks = 0;
    for (hw_id id = 0; id < c->graph->object_count; id++)
        blocks += strcmp(type_of(c->graph, id)->name, "itertools._tee_dataobject") == 0;
    hw_case_say(c, hw_arena_printf(c->arena,
                                   "%" PRIu64 " blocks of items wait for iterators of tee() that "
                                   "have not read them",
                                   blocks));
    return blocks > 1;
}

/* ---- linked lists ---- */

/* The node of the same type that hangs from this one, and the attribute that holds it. */
static hw_id next_in(const struct hw_case *c, hw_id node, uint32_t type, const char **ret_name)
{
    const struct hw_graph *graph = c->graph;
    hw_id spaces[2] = {node, hw_namespace_of(graph, node)};
    for (int s = 0; s < 2 && spaces[s] != HW_NONE; s++)
        for (uint32_t e = graph->edge_start[spaces[s]]; e < graph->edge_start[spaces[s] + 1]; e++) {
            hw_id to = graph->edge_to[e];
            if (c->growth->tree.edge[to] != e || graph->type[to] != type)
                continue;
            enum hw_label_kind kind = edge_kind(graph, e);
            if (kind == HW_LABEL_ATTR || kind == HW_LABEL_NAMED)
                *ret_name = edge_string(graph, e);
            return to;
        }
    return HW_NONE;
}

static bool is_chain(struct hw_case *c)
{
    const struct hw_site *site = c->candidate->site;
    const char *name = NULL;
    uint64_t length = 1;
    if (!site || site->is_container || site->box >= c->graph->object_count)
        return false;
    uint32_t type = c->candidate->kind.member_type;
    hw_id node = site->box;
    if (c->graph->type[node] != type)
        node = next_in(c, node, type, &name);
    if (node == HW_NONE || !(c->graph->types[type].flags & HW_TYPE_PYTHON))
        return false;
    name = NULL;
    while (length < CHAIN_MAX && (node = next_in(c, node, type, &name)) != HW_NONE)
        length++;
    if (length < CHAIN_MIN || !name)
        return false;
    hw_case_word(c, "{next}", hw_arena_strdup(c->arena, name));
    hw_case_say(c, hw_arena_printf(c->arena,
                                   "a chain of %" PRIu64 " %s, each held by .%s of the "
                                   "one before",
                                   length, c->graph->types[type].name, name));
    return true;
}

static const struct hw_cause rows[] = {
    {"dynamic-classes", 0, NULL, NULL, makes_classes,
     "New classes are made again and again, and something keeps them.",
     "Make each class once and keep it by what it is made from: a class costs thousands of bytes, "
     "and {holder} keeps each."},
    {"dynamic-functions", 0, NULL, NULL, makes_functions,
     "New functions with code of their own are made again and again, and something keeps them.",
     "Compile once and pass what differs as arguments, or take each function out of {holder} when "
     "it is done."},
    {"dynamic-code", 0, NULL, NULL, makes_code,
     "Source text is compiled again and again, and the code is kept.",
     "Compile each different text once, and bound {holder}; pass what differs as variables."},
    {"dynamic-modules", 0, NULL, NULL, makes_modules,
     "New modules are made or imported again and again, and something keeps them.",
     "Load each module once under one name; take what was made for one use out of {holder}."},
    {"lagging-tee", 0, "itertools._tee*", NULL, is_tee,
     "itertools.tee() keeps all that one iterator has read and another has not.",
     "Read the iterators of tee() side by side, drop those that are not read to their end, or use "
     "a "
     "list: {holder} keeps what the slowest has not read."},
    {"uncut-linked-list", HW_FAMILY(GROWING_CONTAINER), NULL, NULL, is_chain,
     "A linked list gets longer and is never cut.",
     "Cut the chain: set .{next} to None where the rest is no longer needed, or keep the newest in "
     "collections.deque(maxlen=...) below {holder}."},
};
const struct hw_cause_table hw_causes_made = HW_CAUSE_TABLE(rows);

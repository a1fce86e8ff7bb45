/* SPDX-License-Identifier: Apache-2.0 */
#include "why/cause.h"

#include "ask/lookup.h"
#include "ask/spell.h"
#include "why/members.h"

#include <inttypes.h>
#include <string.h>

/* Containers that nothing is taken out of: where they hang, and why that is for ever. */

static void say_nobody_removes(struct hw_case *c, const struct hw_code_report *report)
{
    const char *file = hw_code_file(c->code, &report->place, c->arena);
    const char *filler =
        report->puts_in == HW_NONE ? NULL : hw_code_spell(c->graph, report->puts_in, c->arena);
    if (!file || !*file)
        file = "its module";
    if (filler)
        hw_case_say(c, hw_arena_printf(c->arena, "%s puts them in; no function of %s takes any out",
                                       filler, file));
    else
        hw_case_say(c, hw_arena_printf(c->arena, "no function of %s takes any out", file));
}

/* Caches of libraries that forget by themselves hold nothing for long. */
static bool forgets(const struct hw_case *c, hw_id node)
{
    struct hw_buf path = {0};
    bool known = false;
    hw_path_spell(c->graph, &c->growth->tree, node, &path);
    for (size_t i = 0; i < hw_known_cache_count; i++)
        known |= hw_name_matches(hw_known_caches[i].path, hw_buf_str(&path));
    hw_buf_deinit(&path);
    return known;
}

static bool is_held_twice(struct hw_case *c)
{
    if (!c->candidate->also_count)
        return false;
    struct hw_code_place place = hw_code_place(c->growth, c->candidate->also[0]);
    if (!place.name[0] || forgets(c, c->candidate->also[0]))
        return false;
    hw_case_word(c, "{other}", hw_arena_strdup(c->arena, place.name));
    hw_case_say(c, hw_arena_printf(c->arena,
                                   ".%s holds the same objects: emptying one of the two frees "
                                   "nothing",
                                   place.name));
    return true;
}

static bool is_registry_of_class(struct hw_case *c)
{
    struct hw_code_place place = hw_code_place(c->growth, c->candidate->site->name);
    hw_id owner = place.owner;
    if (owner == HW_NONE || !type_has(c->graph, owner, HW_TYPE_TYPE))
        return false;
    struct hw_members members = hw_members_of(c);
    uint32_t own = 0;
    for (uint32_t i = 0; i < members.count; i++) {
        hw_id member = c->graph->edge_to[members.edges[i]];
        own += hw_is_class_or_base(c->graph, type_of(c->graph, member)->node, owner);
    }
    if (!own || own < members.count)
        return false;
    bool has_keys = type_has(c->graph, c->candidate->site->box, HW_TYPE_DICT);
    hw_case_word(c, "{weak}", has_keys ? "weakref.WeakValueDictionary()" : "weakref.WeakSet()");
    hw_case_say(c, hw_arena_printf(c->arena, "all %u are instances of the class that holds them",
                                   members.count));
    return true;
}

static bool is_log(struct hw_case *c)
{
    const struct hw_code_report *report = hw_case_report(c);
    struct hw_members members = hw_members_of(c);
    if (!report || !type_has(c->graph, c->candidate->site->box, HW_TYPE_LIST | HW_TYPE_DEQUE) ||
        report->may_take_out || report->may_put_in == HW_NONE)
        return false;
    const char *rising = hw_members_rising(c, &members);
    if (!rising)
        return false;
    say_nobody_removes(c, report);
    hw_case_say(c, hw_arena_printf(c->arena, "their %s%s rises from the first to the last",
                                   *rising == '[' ? "" : ".", rising));
    return true;
}

/* What is replaced as a whole, or may have a bound of its own, has rows of its own. */
static bool is_plain(const struct hw_case *c)
{
    return type_has(c->graph, c->candidate->site->box, HW_TYPE_DICT | HW_TYPE_LIST | HW_TYPE_SET);
}

static bool is_singleton(struct hw_case *c)
{
    const struct hw_code_report *report = hw_case_report(c);
    hw_id owner = report ? report->place.owner : HW_NONE;
    if (!is_plain(c) || !report || !report->count || report->may_take_out || owner == HW_NONE)
        return false;
    const struct hw_type *type = type_of(c->graph, owner);
    if (!(type->flags & HW_TYPE_PYTHON) || type->flags & (HW_TYPE_TYPE | HW_TYPE_MODULE) ||
        report->place.module_space == HW_NONE ||
        hw_count_instances(c->graph, c->graph->type[owner]) != 1)
        return false;
    say_nobody_removes(c, report);
    hw_case_say(c, hw_arena_printf(c->arena,
                                   "its owner is the only %s, and lives as long as its module",
                                   type->name));
    return true;
}

static bool is_global(struct hw_case *c)
{
    const struct hw_code_report *report = hw_case_report(c);
    if (!is_plain(c) || !report || !report->count || report->may_take_out ||
        report->place.owner == HW_NONE || !type_has(c->graph, report->place.owner, HW_TYPE_MODULE))
        return false;
    say_nobody_removes(c, report);
    return true;
}

static const struct hw_cause rows[] = {
    {"two-indexes", HW_FAMILY(GROWING_CONTAINER), NULL, NULL, is_held_twice,
     "The same objects stand in two containers, and neither is cleaned.",
     "Take each {type} out of {holder} and of .{other} when it is done."},
    {"instances-on-class", 0, NULL, NULL, is_registry_of_class,
     "A class notes each of its instances, and so none of them dies.",
     "Let {holder} be a {weak} if it only looks at living instances; else take each "
     "out when it is done."},
    {"history-log", HW_FAMILY(GROWING_CONTAINER), NULL, NULL, is_log,
     "A history is appended to and never cut.",
     "Keep the newest only, {holder} = collections.deque(maxlen=...), or write the rest out."},
    {"singleton-manager", HW_FAMILY(GROWING_CONTAINER), NULL, NULL, is_singleton,
     "An object that exists once and lives for ever collects, and nothing takes out.",
     "Give its class a way to end each {type}: take it out of {holder} when it is done{bound}"},
    {"unreleased-global", HW_FAMILY(GROWING_CONTAINER), NULL, NULL, is_global,
     "A container of a module collects, and nothing takes out.",
     "Take each {type} out of {holder} when it is done{bound}"},
};
const struct hw_cause_table hw_causes_holder = HW_CAUSE_TABLE(rows);

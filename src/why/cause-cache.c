/* SPDX-License-Identifier: Apache-2.0 */
#include "why/cause.h"

#include "ask/lookup.h"
#include "why/members.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

/* Containers that remember what was asked for: caches, look-ups that store, counters by label. */

enum { EMPTY_PERCENT = 80, PLAIN_PERCENT = 90 };

static bool says(const char *text, const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        if (strcasestr(text, words[i]))
            return true;
    return false;
}

/* The last part of a qualified name. */
static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

/* Whether the container, its class or its owner's class has one of the words in its name. */
static bool is_called(const struct hw_case *c, const struct hw_code_place *place,
                      const char *const *words)
{
    if (says(place->name, words) || says(last_part(c->holder), words))
        return true;
    return place->owner != HW_NONE && !type_has(c->graph, place->owner, HW_TYPE_MODULE) &&
           says(last_part(type_of(c->graph, place->owner)->name), words);
}

/* ---- functools.lru_cache ---- */

/* The class in whose namespace the cache stands, or HW_NONE. */
static hw_id class_of_method(const struct hw_case *c)
{
    const struct hw_tree *tree = &c->growth->tree;
    hw_id up = tree->parent[c->candidate->site->name];
    for (int hops = 0; hops < 3 && up < c->graph->object_count; hops++, up = tree->parent[up])
        if (type_has(c->graph, up, HW_TYPE_TYPE))
            return up;
    return HW_NONE;
}

/* The first argument of a cached call: of a key that is a tuple, or stands for one. */
static hw_id first_argument(const struct hw_graph *graph, hw_id key)
{
    if (key == HW_NONE)
        return HW_NONE;
    for (uint32_t e = graph->edge_start[key]; e < graph->edge_start[key + 1]; e++)
        if (edge_kind(graph, e) == HW_LABEL_INDEX)
            return graph->edge_to[e];
    return HW_NONE;
}

static bool caches_method(struct hw_case *c)
{
    const struct hw_graph *graph = c->graph;
    hw_id owner = class_of_method(c);
    struct hw_members members = hw_members_of(c);
    uint32_t selves = 0, alone = 0;
    if (owner == HW_NONE)
        return false;
    for (uint32_t i = 0; i < members.count; i++) {
        hw_id self = first_argument(graph, hw_member_key(c, members.edges[i]));
        if (self == HW_NONE || !hw_is_class_or_base(graph, type_of(graph, self)->node, owner))
            continue;
        selves++;
        alone += graph->refcount[self] == 1;
    }
    if (!selves || selves * 10 < members.count * 9)
        return false;
    const char *share = hw_share_text(c->arena, selves, members.count);
    hw_case_say(c, share ? hw_arena_printf(c->arena,
                                           "%s keys begin with self; %u of these instances have "
                                           "no other holder",
                                           share, alone)
                         : NULL);
    return true;
}

/* ---- defaultdict ---- */

static bool holds_defaults(struct hw_case *c)
{
    struct hw_members members = hw_members_of(c);
    uint32_t empty = hw_members_empty(c, &members);
    if (members.count < 3 || (uint64_t)empty * 100 < (uint64_t)members.count * EMPTY_PERCENT)
        return false;
    const char *type = c->graph->types[c->candidate->kind.member_type].name;
    const char *share = hw_share_text(c->arena, empty, members.count);
    bool is_number = strcmp(type, "int") == 0 || strcmp(type, "float") == 0;
    hw_case_say(c, share ? hw_arena_printf(c->arena, "%s values are %s: nothing was put in", share,
                                           is_number ? "0" : "empty")
                         : NULL);
    return true;
}

/* ---- hand-made caches ---- */

static bool is_cache(struct hw_case *c)
{
    static const char *const words[] = {"cache", "memo", NULL};
    const struct hw_code_report *report = hw_case_report(c);
    if (!report || !type_has(c->graph, c->candidate->site->box, HW_TYPE_DICT) ||
        c->candidate->site->is_merged || report->may_take_out || !report->count)
        return false;
    if (report->looks_up == HW_NONE && !is_called(c, &report->place, words))
        return false;
    struct hw_members members = hw_members_of(c);
    const uint32_t filled = HW_TYPE_LIST | HW_TYPE_DICT | HW_TYPE_SET | HW_TYPE_DEQUE;
    bool is_result = !(c->graph->types[c->candidate->kind.member_type].flags & filled);
    hw_case_word(c, "{memo}", is_result ? "functools.lru_cache(maxsize=...), or drop" : "drop");
    if (report->looks_up != HW_NONE) {
        const char *function = hw_code_spell(c->graph, report->looks_up, c->arena);
        hw_case_say(c, function ? hw_arena_printf(c->arena,
                                                  "%s looks a key up and stores what is missing; "
                                                  "nothing takes an entry out",
                                                  function)
                                : NULL);
    } else {
        const char *file = hw_code_file(c->code, &report->place, c->arena);
        hw_case_say(c, file ? hw_arena_printf(c->arena,
                                              "it is called a cache, and no function of %s takes "
                                              "an entry out",
                                              *file ? file : "its module")
                            : NULL);
    }
    char key[60] = "";
    hw_id last = members.count ? hw_member_key(c, members.edges[members.count - 1]) : HW_NONE;
    if (last != HW_NONE && hw_graph_value(c->graph, last, key, sizeof(key)))
        hw_case_say(c, hw_arena_printf(c->arena, "the newest key is %s", key));
    return true;
}

static bool counts_keys(struct hw_case *c)
{
    struct hw_members members = hw_members_of(c);
    hw_case_say(c,
                hw_arena_printf(c->arena, "it counts %" PRIu64 " different keys", members.total));
    return members.total > 0;
}

/* ---- labelled metrics ---- */

static bool has_labels(struct hw_case *c)
{
    static const char *const words[] = {"metric", "counter", "gauge",    "histogram", "label",
                                        "series", "stats",   "children", "summary",   NULL};
    const struct hw_code_report *report = hw_case_report(c);
    struct hw_members members = hw_members_of(c);
    uint32_t length, widest = 0, most = 0, looked = hw_members_looked(&members);
    if (!report || !hw_members_tuple_keys(c, &members, &length) ||
        !is_called(c, &report->place, words))
        return false;
    for (uint32_t p = 0; p < length; p++) {
        uint32_t distinct = hw_members_distinct(c, &members, p);
        if (distinct > most) {
            most = distinct;
            widest = p;
        }
    }
    if (most < 10 || most * 2 < looked)
        return false;
    hw_case_say(c, hw_arena_printf(c->arena,
                                   "keys are tuples of %u labels; the one at [%u] has %u different "
                                   "values in %u keys",
                                   length, widest, most, looked));
    return true;
}

/* ---- sets of what was seen ---- */

static bool remembers_values(struct hw_case *c)
{
    const uint32_t plain =
        HW_TYPE_STR | HW_TYPE_INT | HW_TYPE_FLOAT | HW_TYPE_BYTES | HW_TYPE_TUPLE;
    const struct hw_code_report *report = hw_case_report(c);
    const struct hw_type *type = &c->graph->types[c->candidate->kind.member_type];
    if (!report || !type_has(c->graph, c->candidate->site->box, HW_TYPE_SET) ||
        !(type->flags & plain) || c->candidate->kind.type != c->candidate->kind.member_type ||
        report->may_take_out || report->may_put_in == HW_NONE)
        return false;
    const char *function = hw_code_spell(c->graph, report->may_put_in, c->arena);
    hw_case_say(c, function ? hw_arena_printf(c->arena,
                                              "%s asks it and adds to it; nothing takes any out",
                                              function)
                            : NULL);
    return true;
}

static const struct hw_cause rows[] = {
    {"lru-cache-on-method", 0, "functools._lru_cache_wrapper", NULL, caches_method,
     "The cache of a method keeps each instance that it was called on.",
     "Keep the cache on the instance, so that it dies with it: functools.cached_property, or a "
     "dict that __init__ makes; or give {holder} a bound, @functools.lru_cache(maxsize=...)."},
    {"defaultdict-lookups", 0, "collections.defaultdict", NULL, holds_defaults,
     "Reading a missing key of a defaultdict stores the default.",
     "Read with {holder}.get(key), or ask `key in` first: a defaultdict stores what it makes up."},
    {"labelled-metrics", 0, NULL, NULL, has_labels,
     "A metric has a child for each combination of labels, and a label has ever new values.",
     "Leave identifiers out of the labels, or put them into few classes: {holder} keeps a child "
     "for each value for ever."},
    {"compiled-patterns", 0, NULL, "re.Pattern", NULL, "Ever new patterns are compiled and kept.",
     "Compile one pattern and pass what differs as data, or bound {holder}: each entry keeps a "
     "compiled pattern."},
    {"compiled-patterns", 0, NULL, "*.Template", NULL, "Ever new templates are made and kept.",
     "Make one template and pass what differs as data, or bound {holder}."},
    {"unbounded-counter", 0, "collections.Counter", NULL, counts_keys,
     "A counter has an entry for each key it has ever seen.",
     "Count few kinds of things: clear {holder} after each report, or keep most_common(...) only."},
    {"unbounded-cache", HW_FAMILY(GROWING_CONTAINER), NULL, NULL, is_cache,
     "A cache has no bound: each new key adds an entry for ever.",
     "Bound {holder}: {memo} the oldest entry when it is full; "
     "leave out of the key what no two requests share."},
    {"seen-set", HW_FAMILY(GROWING_CONTAINER), NULL, NULL, remembers_values,
     "A set remembers all that was ever seen.",
     "Forget what is old: keep the newest keys of {holder} in an OrderedDict with a bound, or a "
     "set "
     "for each period that is dropped after it."},
};
const struct hw_cause_table hw_causes_cache = HW_CAUSE_TABLE(rows);

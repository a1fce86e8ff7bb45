/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/lookup.h"
#include "why/cause.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * Small objects that keep a lot of memory: a view and the buffer it shows a part of, a proxy and
 * the tree of C nodes it stands for. The mistake is made once for each member: each pins a buffer
 * or a tree of its own, which nothing else holds. Many views of one buffer, or many elements of one
 * document, pin nothing that is not wanted anyway.
 */

enum {
    HOPS_MAX = 32,          /* nodes looked at below one member */
    MEMBERS_MAX = 4096,     /* members looked at */
    PINNED_LEAST = 4096,    /* bytes, on average */
    PINNED_TIMES_SHOWN = 4, /* so much more is kept than shown */
};
#define MOST 0.6 /* of the members */

/* What one object pins. */
struct pin {
    hw_id small, large;
    uint64_t shown; /* bytes that the small one is wanted for; 0: not known */
};
typedef bool pin_find(const struct hw_graph *graph, hw_id id, struct pin *pin);

/* Where an attribute or C field of id leads; HW_NONE: it has none. */
static hw_id follow(const struct hw_graph *graph, hw_id id, enum hw_label_kind kind,
                    const char *name)
{
    uint32_t edge = hw_edge_find(graph, id, kind, name);
    return edge == HW_NO_EDGE ? HW_NONE : graph->edge_to[edge];
}

static uint64_t shown_bytes(const struct hw_graph *graph, hw_id id)
{
    static const char key[] = "nbytes=";
    char text[HW_VALUE_MAX_BYTES + 16];
    hw_graph_value(graph, id, text, sizeof(text));
    return strncmp(text, key, sizeof(key) - 1) ? 0 : strtoull(text + sizeof(key) - 1, NULL, 10);
}

/* From a memoryview to its exporter. */
static hw_id exporter_of(const struct hw_graph *graph, hw_id view)
{
    hw_id buffer = follow(graph, view, HW_LABEL_INTERNAL, "mbuf");
    return buffer == HW_NONE ? HW_NONE : follow(graph, buffer, HW_LABEL_INTERNAL, "obj");
}

/* An array is known by its fields, since classes may derive from it. */
static bool find_view(const struct hw_graph *graph, hw_id id, struct pin *pin)
{
    hw_id large = HW_NONE;
    if (strcmp(type_of(graph, id)->name, "memoryview") == 0)
        large = exporter_of(graph, id);
    else if (hw_edge_find(graph, id, HW_LABEL_ATTR, "dtype") != HW_NO_EDGE)
        large = follow(graph, id, HW_LABEL_ATTR, "base");
    if (large != HW_NONE && strcmp(type_of(graph, large)->name, "memoryview") == 0)
        large = exporter_of(graph, large);
    *pin = (struct pin){id, large, shown_bytes(graph, id)};
    return large != HW_NONE;
}

/* An element that is not the top of its document, which would be wanted as a whole. */
static bool find_element(const struct hw_graph *graph, hw_id id, struct pin *pin)
{
    char text[HW_VALUE_MAX_BYTES + 16];
    if (hw_edge_find(graph, id, HW_LABEL_INTERNAL, "_tag") == HW_NO_EDGE)
        return false;
    hw_id large = follow(graph, id, HW_LABEL_INTERNAL, "_doc");
    if (large == HW_NONE || strcmp(type_of(graph, large)->name, "lxml.etree._Document") != 0)
        return false;
    hw_graph_value(graph, id, text, sizeof(text));
    *pin = (struct pin){id, large, 0};
    return !strstr(text, ">, root");
}

/* Nobody else holds it: on the best paths it hangs from the small one, by C fields at most. */
static bool is_pinned_by(const struct hw_growth *growth, const struct pin *pin)
{
    hw_id at = pin->large;
    if (!is_new(growth, at))
        return false;
    for (int i = 0; i < 4 && at != HW_NONE; i++) {
        at = growth->tree.parent[at];
        if (at == pin->small)
            return true;
    }
    return false;
}

struct tally {
    pin_find *find;
    uint64_t members, pinning, pinned, shown;
    struct pin sample;
};

/* The first of what a member is or holds that pins something. */
static bool find_below(const struct hw_growth *growth, hw_id member, pin_find *find,
                       struct pin *pin)
{
    const struct hw_graph *graph = growth->graph;
    hw_id queue[HOPS_MAX] = {member};
    size_t count = 1;
    for (size_t i = 0; i < count; i++) {
        hw_id id = queue[i];
        if (id < graph->object_count && find(graph, id, pin))
            return true;
        for (uint32_t e = graph->edge_start[id]; e < graph->edge_start[id + 1]; e++)
            if (growth->tree.edge[graph->edge_to[e]] == e && count < HOPS_MAX)
                queue[count++] = graph->edge_to[e];
    }
    return false;
}

static bool tally_member(void *ctx, const struct hw_growth *growth, uint32_t edge)
{
    struct tally *tally = ctx;
    struct pin pin;
    tally->members++;
    if (find_below(growth, growth->graph->edge_to[edge], tally->find, &pin) &&
        is_pinned_by(growth, &pin)) {
        tally->sample = pin;
        tally->pinning++;
        tally->pinned += hw_graph_weight(growth->graph, pin.large);
        tally->shown += pin.shown;
    }
    return tally->members < MEMBERS_MAX;
}

static bool find_pins(struct hw_case *c, pin_find *find, struct tally *tally)
{
    *tally = (struct tally){.find = find};
    if (!c->candidate->site || c->candidate->sizes)
        return false;
    hw_site_members(c->growth, c->candidate->site, tally_member, tally);
    return tally->pinning && (double)tally->pinning >= MOST * (double)tally->members &&
           tally->pinned >= tally->pinning * PINNED_LEAST;
}

static void say_pins(struct hw_case *c, const struct tally *tally, const char *shows)
{
    const struct hw_graph *graph = c->graph;
    const char *small = type_of(graph, tally->sample.small)->name;
    const char *large = type_of(graph, tally->sample.large)->name;
    double pins = (double)tally->pinning;
    const char *bytes = hw_bytes_text(c->arena, (double)tally->pinned / pins);
    const char *shown = hw_bytes_text(c->arena, (double)tally->shown / pins);
    if (!bytes || !shown) {
        c->no_memory = true;
        return;
    }
    hw_case_say(c, *shows
                       ? hw_arena_printf(c->arena,
                                         "each %s %s %s, and keeps a %s of %s alive that nothing "
                                         "else holds (%" PRIu64 " of %" PRIu64 " looked at)",
                                         small, shows, shown, large, bytes, tally->pinning,
                                         tally->members)
                       : hw_arena_printf(c->arena,
                                         "each %s keeps a %s of %s alive that nothing else holds "
                                         "(%" PRIu64 " of %" PRIu64 " looked at)",
                                         small, large, bytes, tally->pinning, tally->members));
    hw_case_word(c, "{copy}", strcmp(small, "memoryview") == 0 ? "bytes(view)" : "part.copy()");
}

static bool view_pins(struct hw_case *c)
{
    struct tally tally;
    if (!find_pins(c, find_view, &tally) || tally.pinned < PINNED_TIMES_SHOWN * tally.shown)
        return false;
    say_pins(c, &tally, "shows");
    return true;
}

static bool element_pins(struct hw_case *c)
{
    struct tally tally;
    if (!find_pins(c, find_element, &tally))
        return false;
    say_pins(c, &tally, "");
    return true;
}

/* One object without members that becomes larger, or is replaced by larger ones. */
static bool is_swelling(struct hw_case *c)
{
    return c->candidate->sizes != NULL;
}

/* What was written to a StringIO of CPython 3.11 waits in lists inside of it
 * (Modules/_io/stringio.c, Objects/accu.c). */
static bool is_text_buffer(struct hw_case *c)
{
    const char *end = strstr(c->path, ".<accu.");
    if (!end)
        return false;
    hw_case_word(c, "{buffer}", hw_arena_printf(c->arena, "%.*s", (int)(end - c->path), c->path));
    hw_case_say(c, "these are the texts that were written to a StringIO");
    return true;
}

static const struct hw_cause rows[] = {
    {"view-pins-buffer", 0, NULL, NULL, view_pins,
     "{holder} keeps small views, and each of them keeps the whole buffer that it shows a part of.",
     "Keep a copy of the part in {holder}, {copy}, instead of a slice or view: that keeps the "
     "whole "
     "buffer alive as long as it lives."},
    {"proxy-pins-tree", 0, NULL, "lxml.etree._Element*Result", element_pins,
     "{holder} keeps results of xpath(), and each of them keeps its whole document.",
     "Keep plain text, str(...) of each result, in {holder}, or call xpath(..., "
     "smart_strings=False): a smart string knows its parent, and so keeps the document."},
    {"proxy-pins-tree", 0, NULL, NULL, element_pins,
     "{holder} keeps single elements, and each of them keeps its whole document.",
     "Keep what you need from the element in {holder}, its text and attributes "
     "(element.text, dict(element.attrib)), or copy.deepcopy(element), which makes a small "
     "document "
     "of its own: an element keeps the whole document alive that it was parsed with."},
    {"growing-buffer", 0, "list", NULL, is_text_buffer, "One buffer becomes larger and larger.",
     "Write out what {buffer} has gathered, then seek(0) and truncate() it, or bound its size."},
    {"growing-buffer", 0, NULL, NULL, is_swelling,
     "{holder} is one {type} to which more and more is added.",
     "Take out of {holder} what has been handled, write it to a file, or bound its size; where all "
     "of it is wanted, keep the parts in a list and join them at the end."},
};
const struct hw_cause_table hw_causes_native = HW_CAUSE_TABLE(rows);

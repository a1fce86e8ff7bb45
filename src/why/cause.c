/* SPDX-License-Identifier: Apache-2.0 */
#include "why/cause.h"

#include "ask/lookup.h"
#include "base/err.h"
#include "why/look.h"
#include "why/members.h"

#include <string.h>

const struct hw_cause_table *const hw_cause_tables[] = {
    &hw_causes_bound, &hw_causes_native,   &hw_causes_frame,   &hw_causes_library,
    &hw_causes_cycle, &hw_causes_async,    &hw_causes_thread,  &hw_causes_callback,
    &hw_causes_made,  &hw_causes_resource, &hw_causes_removal, &hw_causes_cache,
    &hw_causes_place, &hw_causes_holder,   &hw_causes_memory, &hw_causes_general, NULL,
};

void hw_case_say(struct hw_case *c, const char *sentence)
{
    if (!sentence)
        c->no_memory = true;
    else if (c->evidence_count < HW_CASE_EVIDENCE_MAX)
        c->evidence[c->evidence_count++] = sentence;
}

void hw_case_say_new(struct hw_case *c, const char *sentence)
{
    uint32_t count = hw_look_members(c)->count;
    if (!sentence)
        c->no_memory = true;
    else if (count < HW_LOOK_MAX)
        hw_case_say(c, hw_arena_printf(c->arena, "of the new ones, %s", sentence));
    else
        hw_case_say(c, hw_arena_printf(c->arena, "of %u new ones, %s", count, sentence));
}

void hw_case_word(struct hw_case *c, const char *word, const char *text)
{
    if (!text) {
        c->no_memory = true;
    } else if (c->word_count < HW_CASE_WORDS_MAX) {
        c->words[c->word_count][0] = word;
        c->words[c->word_count++][1] = text;
    }
}

/* Puts the user's own names into a row's text. */
static const char *expand(const struct hw_case *c, const char *text)
{
    struct hw_buf out = {0};
    while (*text) {
        size_t i = 0;
        while (i < c->word_count && strncmp(text, c->words[i][0], strlen(c->words[i][0])) != 0)
            i++;
        if (i < c->word_count) {
            hw_buf_puts(&out, c->words[i][1]);
            text += strlen(c->words[i][0]);
        } else {
            hw_buf_putc(&out, *text++);
        }
    }
    const char *copy = hw_buf_ok(&out) ? hw_arena_strdup(c->arena, hw_buf_str(&out)) : NULL;
    hw_buf_deinit(&out);
    return copy;
}

/* Whether instances have a place for weak references: a class that gives them one says so in its
 * namespace (CPython Objects/typeobject.c, type_new_descriptors); classes with __slots__ mostly do
 * not. */
static bool may_be_weak(const struct hw_graph *graph, const struct hw_type *type)
{
    uint32_t order = type->node == HW_NONE
                         ? HW_NO_EDGE
                         : hw_edge_find(graph, type->node, HW_LABEL_ATTR, "__mro__");
    if (!(type->flags & HW_TYPE_PYTHON) || order == HW_NO_EDGE)
        return false;
    hw_id mro = graph->edge_to[order];
    for (uint32_t e = graph->edge_start[mro]; e < graph->edge_start[mro + 1]; e++) {
        hw_id space = edge_kind(graph, e) == HW_LABEL_INDEX
                          ? hw_namespace_of(graph, graph->edge_to[e])
                          : HW_NONE;
        if (space != HW_NONE && hw_entry_find(graph, space, "__weakref__") != HW_NO_EDGE)
            return true;
    }
    return false;
}

/* Only a dict can become a dict of weak references; one that is a part of another container, or of
 * a weak dict, cannot. */
static const char *bound_of(const struct hw_case *c, const struct hw_type *member)
{
    const struct hw_site *site = c->candidate->site;
    if (!site || site->is_merged || !type_has(c->graph, site->box, HW_TYPE_DICT))
        return HW_FIX_BOUND;
    return may_be_weak(c->graph, member) && !hw_holder_is(c, "weakref.Weak*", NULL)
               ? HW_FIX_BOUND_OR_WEAK
               : HW_FIX_BOUND;
}

static const char *near_of(const struct hw_case *c)
{
    const struct hw_audit_row *native = c->candidate->native;
    return native && native->library_count
               ? hw_arena_printf(c->arena, " (%s is nearest)", native->libraries[0])
               : "";
}

/* The words that every row may use. */
static void begin(struct hw_case *c, const struct hw_suspect *suspect, const char *cycle)
{
    const struct hw_kind *kind = &c->candidate->kind;
    const struct hw_type *member = &c->graph->types[kind->member_type];
    c->word_count = c->evidence_count = 0;
    hw_case_word(c, "{holder}", c->path);
    hw_case_word(c, "{type}", suspect->type);
    hw_case_word(c, "{member}", member->name);
    hw_case_word(c, "{cycle}", cycle);
    hw_case_word(c, "{noun}", kind->resource ? kind->resource->noun : "");
    hw_case_word(c, "{cure}", kind->resource ? kind->resource->cure : "");
    bool disabled = !c->graph->facts.gc_enabled;
    hw_case_word(c, "{off}", disabled ? "is off" : "never runs, its threshold being 0");
    hw_case_word(c, "{enable}", disabled ? "gc.enable()" : "gc.set_threshold(700, 10, 10)");
    hw_case_word(c, "{bound}", bound_of(c, member));
    hw_case_word(c, "{near}", near_of(c));
}

static bool fits(struct hw_case *c, const struct hw_cause *cause)
{
    const struct hw_kind *kind = &c->candidate->kind;
    const struct hw_type *types = c->graph->types;
    if (cause->families ? !(cause->families >> kind->pattern & 1) : !c->candidate->site)
        return false;
    if (cause->holder && !hw_name_matches(cause->holder, c->holder))
        return false;
    if (cause->type && !hw_name_matches(cause->type, types[kind->member_type].name) &&
        !hw_name_matches(cause->type, types[kind->type].name))
        return false;
    return !cause->fits || cause->fits(c);
}

static const struct hw_cause *find(struct hw_case *c, const struct hw_suspect *suspect,
                                   const char *cycle)
{
    for (size_t t = 0; hw_cause_tables[t]; t++)
        for (size_t i = 0; i < hw_cause_tables[t]->count; i++) {
            begin(c, suspect, cycle);
            if (fits(c, &hw_cause_tables[t]->rows[i]))
                return &hw_cause_tables[t]->rows[i];
        }
    return NULL;
}

static void put_evidence(const struct hw_case *c, struct hw_suspect *suspect)
{
    size_t kept = suspect->evidence_count, most = HW_EVIDENCE_MAX - c->evidence_count;
    kept = kept < most ? kept : most;
    memmove(suspect->evidence + c->evidence_count, suspect->evidence,
            kept * sizeof(*suspect->evidence));
    memcpy(suspect->evidence, c->evidence, c->evidence_count * sizeof(*suspect->evidence));
    suspect->evidence_count = kept + c->evidence_count;
}

bool hw_cause_fill(const struct hw_code *code, const struct hw_candidate *candidate,
                   const char *cycle, struct hw_arena *arena, struct hw_suspect *suspect,
                   struct hw_err *err)
{
    const struct hw_growth *growth = code->growth;
    const struct hw_graph *graph = growth->graph;
    const struct hw_site *site = candidate->site;
    struct hw_case c = {.growth = growth,
                        .graph = graph,
                        .code = code,
                        .candidate = candidate,
                        .path = suspect->chain.path,
                        .holder = site ? graph->types[graph->type[site_holder(site)]].name : "",
                        .arena = arena};
    const struct hw_cause *cause = find(&c, suspect, cycle);
    if (c.no_memory)
        return hw_err_no_memory(err);
    suspect->cause = cause ? cause->name : hw_pattern_name(suspect->pattern);
    suspect->about = cause ? expand(&c, cause->about) : "";
    suspect->fix = cause ? expand(&c, cause->fix) : "";
    put_evidence(&c, suspect);
    return (suspect->about && suspect->fix) || hw_err_no_memory(err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/lookup.h"
#include "collect/gc-state.h"
#include "why/cause.h"

#include <inttypes.h>
#include <string.h>

/*
 * Mistakes of cycles: the collector is off and cycles pile up, each kind with its own cure; the
 * list gc.garbage that a debug flag fills; objects that their own __del__ brings back.
 */
enum {
    SAMPLE_MAX = 200,      /* members looked at */
    GC_DEBUG_SAVEALL = 32, /* CPython Modules/gcmodule.c, the same in all versions */
};

/* ---- what only cycles hold ---- */

/* {break}: how to break the cycle, in the user's names. */
static void put_words(struct hw_case *c)
{
    const struct hw_explained *found = c->candidate->cycle;
    const char *text = NULL;
    for (size_t i = 0; i < found->weak.count; i++) {
        struct hw_cycle_break row;
        if (!hw_break_words(c->graph, &found->weak.places[i], c->arena, &row)) {
            c->no_memory = true;
            return;
        }
        text = text ? hw_arena_printf(c->arena, "%s; and %s", text, row.advice) : row.advice;
    }
    hw_case_word(c, "{break}", text ? text : "set one of these references to None in the end");
}

static bool is_kind(struct hw_case *c, enum hw_cycle_kind kind)
{
    const struct hw_explained *found = c->candidate->cycle;
    if (!found || !found->cycle.count || found->kind != kind)
        return false;
    put_words(c);
    return true;
}

/* The collector is on, and comes to the young only. */
static bool is_never_full(struct hw_case *c)
{
    if (!c->candidate->cycle || hw_gc_condition_of(&c->graph->facts) != HW_GC_RARE)
        return false;
    put_words(c);
    return true;
}

static bool is_exception(struct hw_case *c)
{
    return is_kind(c, HW_CYCLE_EXCEPTION);
}

static bool is_frame(struct hw_case *c)
{
    return is_kind(c, HW_CYCLE_FRAME);
}

static bool is_generator(struct hw_case *c)
{
    return is_kind(c, HW_CYCLE_GENERATOR);
}

static bool is_bound_methods(struct hw_case *c)
{
    return is_kind(c, HW_CYCLE_BOUND_METHODS);
}

static bool is_closure(struct hw_case *c)
{
    return is_kind(c, HW_CYCLE_CLOSURE);
}

static bool is_container(struct hw_case *c)
{
    return is_kind(c, HW_CYCLE_CONTAINER);
}

static bool is_class(struct hw_case *c)
{
    return is_kind(c, HW_CYCLE_CLASS);
}

/* An object of the cycle has a __del__. */
static bool has_finalizer(struct hw_case *c)
{
    const struct hw_explained *found = c->candidate->cycle;
    for (size_t i = 0; found && i < found->cycle.count; i++) {
        hw_id id = found->cycle.hops[i].to;
        if (!type_has(c->graph, id, HW_TYPE_HAS_DEL))
            continue;
        hw_case_word(c, "{finalized}", type_of(c->graph, id)->name);
        put_words(c);
        return true;
    }
    return false;
}

static bool is_objects(struct hw_case *c)
{
    return is_kind(c, HW_CYCLE_OBJECTS) || is_kind(c, HW_CYCLE_SELF);
}

/* ---- what the collector's own list holds ---- */

static bool is_gc_garbage(struct hw_case *c)
{
    const struct hw_site *site = c->candidate->site;
    if (!site || site->box != hw_gc_garbage_list(c->graph))
        return false;
    if (c->graph->facts.gc_debug & GC_DEBUG_SAVEALL)
        hw_case_say(c, "gc.get_debug() has DEBUG_SAVEALL: everything that the collector finds is "
                       "kept");
    return true;
}

/* ---- what came back to life ---- */

struct returned {
    uint32_t members, finalized;
};

static bool count_returned(void *ctx, const struct hw_growth *growth, uint32_t edge)
{
    struct returned *returned = ctx;
    hw_id to = growth->graph->edge_to[edge];
    returned->members++;
    returned->finalized += type_has(growth->graph, to, HW_TYPE_HAS_DEL) &&
                           growth->graph->flags[to] & HW_NODE_FINALIZED;
    return returned->members < SAMPLE_MAX;
}

/* Most of what is new in the container has been finalized already, and yet it is there. */
static bool is_resurrected(struct hw_case *c)
{
    struct returned returned = {0};
    if (!c->candidate->site)
        return false;
    hw_site_members(c->growth, c->candidate->site, count_returned, &returned);
    if (!returned.finalized || returned.finalized * 2 < returned.members)
        return false;
    hw_case_say(c, hw_arena_printf(c->arena,
                                   "of %" PRIu32 " new members looked at, the __del__ of "
                                   "%" PRIu32 " has run already",
                                   returned.members, returned.finalized));
    return true;
}

#define CYCLE HW_FAMILY(REFERENCE_CYCLE)
#define OFF " The collector that would free them {off}."
#define OR_ENABLE "; or call {enable}."

static const struct hw_cause rows[] = {
    {"full-collection-never-comes", CYCLE, NULL, NULL, is_never_full,
     "Cycles live until only a collection of the whole heap would find them, and the collector's "
     "thresholds put that off for ever.",
     "Break the cycle: {break}; or lower the numbers in gc.set_threshold(), or call gc.collect() "
     "now and then."},
    {"exception-in-own-frame", CYCLE, NULL, NULL, is_exception,
     "An exception is kept in a local of the frame that its traceback holds, so that they hold "
     "each "
     "other." OFF,
     "Break the cycle: {break}" OR_ENABLE},
    {"generator-in-own-local", CYCLE, NULL, NULL, is_generator,
     "A suspended generator or coroutine is kept by what its own locals hold." OFF,
     "Break the cycle: {break}" OR_ENABLE},
    {"frame-in-own-local", CYCLE, NULL, NULL, is_frame,
     "A frame is kept by what its own locals hold." OFF, "Break the cycle: {break}" OR_ENABLE},
    {"finalizer-in-cycle", CYCLE, NULL, NULL, has_finalizer,
     "Objects in cycles have a __del__, which only a collection would call." OFF,
     "Break the cycle: {break}; then {finalized}.__del__ runs as soon as the object is done. Or "
     "give it a close() or a with statement instead of __del__, and call {enable}."},
    {"bound-methods-on-self", CYCLE, NULL, NULL, is_bound_methods,
     "Objects keep their own bound methods, and each of these keeps its object." OFF,
     "Break the cycle: {break}" OR_ENABLE},
    {"closure-of-itself", CYCLE, NULL, NULL, is_closure,
     "A function that is made anew each time sees itself through its closure." OFF,
     "Break the cycle: {break}" OR_ENABLE},
    {"container-in-itself", CYCLE, NULL, NULL, is_container, "Containers contain themselves." OFF,
     "Break the cycle: {break}" OR_ENABLE},
    {"dropped-classes", CYCLE, NULL, NULL, is_class,
     "Classes are made again and again and dropped; a class always is a cycle." OFF,
     "Make the class once, or keep the ones made in a dict by their parameters; or call "
     "{enable}."},
    {"objects-in-cycles", CYCLE, NULL, NULL, is_objects,
     "Objects refer to each other in cycles." OFF, "Break the cycle: {break}" OR_ENABLE},
    {"gc-garbage-grows", 0, NULL, NULL, is_gc_garbage,
     "gc.garbage keeps what the collector finds, instead of freeing it.",
     "Call gc.set_debug(0), since DEBUG_SAVEALL and DEBUG_LEAK fill gc.garbage, and "
     "gc.garbage.clear(); and break the cycles that it shows (heapwhy cycles)."},
    {"resurrecting-del", 0, NULL, NULL, is_resurrected,
     "{type}.__del__ brings its object back: it is finalized, and {holder} holds it again.",
     "Let {type}.__del__ not store self; keep in {holder} what is needed of it, and not the object "
     "itself, or hand the object back by an explicit release() before the last reference goes."},
};
const struct hw_cause_table hw_causes_cycle = HW_CAUSE_TABLE(rows);

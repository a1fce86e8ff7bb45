/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/lookup.h"
#include "why/look.h"

#include <stdlib.h>
#include <string.h>

/* Frames that outlive their call: held by tracebacks, by suspended functions, or by themselves. */

enum { CHAIN_MAX = 100000, DEEP = 8, FRAMES_MAX = 64 };

/* ---- what a frame keeps ---- */

/* The local variable with the largest new value. */
static bool largest_local(const struct hw_case *c, hw_id frame, const char **ret_name,
                          hw_id *ret_value)
{
    const struct hw_graph *graph = c->graph;
    uint64_t most = 0;
    for (uint32_t e = graph->edge_start[frame]; e < graph->edge_start[frame + 1]; e++) {
        hw_id value = graph->edge_to[e];
        if (edge_kind(graph, e) != HW_LABEL_LOCAL || !is_new(c->growth, value) ||
            type_has(graph, value, HW_TYPE_EXCEPTION | HW_TYPE_FRAME | HW_TYPE_TRACEBACK))
            continue;
        uint64_t bytes = hw_look_bytes(c, value);
        if (bytes <= most)
            continue;
        most = bytes;
        *ret_name = edge_string(graph, e);
        *ret_value = value;
    }
    return most > 0;
}

struct frames {
    struct hw_tally functions; /* of the frames */
    hw_id one;                 /* the frame with the largest local so far */
    const char *local;
    hw_id value;
    uint64_t bytes;
};

static void note_frame(struct hw_case *c, hw_id frame, struct frames *frames)
{
    const char *local = NULL;
    hw_id value = HW_NONE;
    hw_tally_add(&frames->functions, hw_look_function(c, frame));
    if (!largest_local(c, frame, &local, &value))
        return;
    uint64_t bytes = hw_look_bytes(c, value);
    if (bytes <= frames->bytes)
        return;
    frames->one = frame;
    frames->local = local;
    frames->value = value;
    frames->bytes = bytes;
}

/* "the largest local variable is basket of check_out() at app.py:36, a Basket: 1.2 kB" */
static void say_local(struct hw_case *c, const struct frames *frames)
{
    hw_case_word(c, "{local}", frames->local ? hw_arena_strdup(c->arena, frames->local) : "all");
    if (frames->local)
        hw_case_say(c, hw_arena_printf(c->arena,
                                       "the largest local variable kept is %s of %s, a %s: %s each",
                                       frames->local, hw_look_function(c, frames->one),
                                       type_of(c->graph, frames->value)->name,
                                       hw_bytes_text(c->arena, (double)frames->bytes)));
}

/* ---- tracebacks ---- */

/* Notes the frames of a traceback; returns its length. */
static uint32_t walk_traceback(struct hw_case *c, hw_id traceback, struct frames *frames)
{
    uint32_t length = 0;
    for (; traceback != HW_NONE && type_has(c->graph, traceback, HW_TYPE_TRACEBACK) &&
           length < CHAIN_MAX;
         length++) {
        hw_id frame = hw_look_attr(c->graph, traceback, "tb_frame");
        if (frame != HW_NONE && length < FRAMES_MAX && is_new(c->growth, frame))
            note_frame(c, frame, frames);
        traceback = hw_look_attr(c->graph, traceback, "tb_next");
    }
    return length;
}

static hw_id traceback_of(const struct hw_graph *graph, hw_id exception)
{
    hw_id traceback = hw_look_attr(graph, exception, "__traceback__");
    return hw_look_is_none(graph, traceback) ? HW_NONE : traceback;
}

/* Where the holder is an exception that was there before, or its traceback: the exception. */
static hw_id lasting_exception(const struct hw_case *c)
{
    const struct hw_site *site = c->candidate->site;
    hw_id at = site ? site->name : HW_NONE;
    for (unsigned up = 0; up < 4 && at < c->graph->object_count; up++) {
        if (type_has(c->graph, at, HW_TYPE_EXCEPTION))
            return is_new(c->growth, at) ? HW_NONE : at;
        if (!type_has(c->graph, at, HW_TYPE_TRACEBACK | HW_TYPE_FRAME))
            return HW_NONE;
        at = c->growth->tree.parent[at];
    }
    return HW_NONE;
}

static bool fits_raised_again(struct hw_case *c)
{
    hw_id exception = lasting_exception(c);
    struct frames frames = {0};
    hw_id traceback = exception == HW_NONE ? HW_NONE : traceback_of(c->graph, exception);
    uint32_t length = walk_traceback(c, traceback, &frames);
    if (length < DEEP)
        return false;
    hw_case_word(c, "{exception}", hw_arena_strdup(c->arena, type_of(c->graph, exception)->name));
    hw_case_say(c, hw_arena_printf(c->arena, "the traceback of one %s has %u entries: %s",
                                   type_of(c->graph, exception)->name, length,
                                   hw_tally_names(&frames.functions, c, 2)));
    say_local(c, &frames);
    return true;
}

/* ---- exceptions that are held by exceptions ---- */

static bool fits_chain(struct hw_case *c)
{
    const struct hw_graph *graph = c->graph;
    const struct hw_site *site = c->candidate->site;
    const struct hw_sample *members = hw_look_members(c);
    struct frames frames = {0};
    uint32_t length = 0, causes = 0;
    if (!site || site->box >= graph->object_count)
        return false;
    hw_id at = type_has(graph, site->box, HW_TYPE_EXCEPTION) ? site->box
               : members->count == 1 ? hw_look_inside(c, members->ids[0], HW_TYPE_EXCEPTION)
                                     : HW_NONE;
    for (; at != HW_NONE && type_has(graph, at, HW_TYPE_EXCEPTION) && length < CHAIN_MAX;
         length++) {
        hw_id cause = hw_look_attr(graph, at, "__cause__");
        if (length < FRAMES_MAX)
            walk_traceback(c, traceback_of(graph, at), &frames);
        causes += cause != HW_NONE;
        at = cause != HW_NONE ? cause : hw_look_attr(graph, at, "__context__");
    }
    if (length < DEEP)
        return false;
    const char *link = causes * 2 >= length ? "__cause__" : "__context__";
    hw_case_word(c, "{link}", link);
    hw_case_say(c, hw_arena_printf(c->arena, "a chain of %u exceptions, each the %s of the next",
                                   length, link));
    if (frames.functions.total)
        hw_case_say(c, hw_arena_printf(c->arena, "their tracebacks keep the frames of %s",
                                       hw_tally_names(&frames.functions, c, 2)));
    return true;
}

/* ---- exceptions, log records and frames in containers ---- */

static bool fits_exceptions(struct hw_case *c)
{
    const struct hw_sample *members = hw_look_members(c);
    struct frames frames = {0};
    uint32_t with = 0;
    for (uint32_t i = 0; i < members->count; i++) {
        hw_id exception = hw_look_inside(c, members->ids[i], HW_TYPE_EXCEPTION);
        with += exception != HW_NONE &&
                walk_traceback(c, traceback_of(c->graph, exception), &frames) > 0;
    }
    if (!with || with * 2 < members->count)
        return false;
    hw_case_say_new(c,
                    hw_arena_printf(c->arena,
                                    "%u of %u exceptions have a traceback; it keeps the "
                                    "frames of %s",
                                    with, members->count, hw_tally_names(&frames.functions, c, 2)));
    say_local(c, &frames);
    return true;
}

/* exc_info is (type, exception, traceback). */
static bool fits_log_records(struct hw_case *c)
{
    const struct hw_sample *members = hw_look_members(c);
    struct frames frames = {0};
    uint32_t with = 0;
    for (uint32_t i = 0; i < members->count; i++) {
        hw_id info = hw_look_is(c->graph, members->ids[i], "logging.LogRecord")
                         ? hw_look_attr(c->graph, members->ids[i], "exc_info")
                         : HW_NONE;
        hw_id traceback = info == HW_NONE ? HW_NONE : hw_look_inside(c, info, HW_TYPE_TRACEBACK);
        with += traceback != HW_NONE && walk_traceback(c, traceback, &frames) > 0;
    }
    if (!with || with * 2 < members->count)
        return false;
    hw_case_say_new(c,
                    hw_arena_printf(c->arena,
                                    "%u of %u log records have exc_info; its traceback "
                                    "keeps the frames of %s",
                                    with, members->count, hw_tally_names(&frames.functions, c, 2)));
    say_local(c, &frames);
    return true;
}

static bool fits_frames(struct hw_case *c)
{
    const struct hw_sample *members = hw_look_members(c);
    struct frames frames = {0};
    for (uint32_t i = 0; i < members->count; i++) {
        hw_id frame = hw_look_inside(c, members->ids[i], HW_TYPE_FRAME);
        if (frame != HW_NONE)
            note_frame(c, frame, &frames);
    }
    if (!hw_look_most(frames.functions.total, members->count))
        return false;
    hw_case_say_new(c, hw_arena_printf(c->arena, "%u frames of %s", frames.functions.total,
                                       hw_tally_names(&frames.functions, c, 2)));
    say_local(c, &frames);
    return true;
}

/* ---- suspended functions ---- */

struct suspended {
    struct frames frames;
    struct hw_tally said;
    uint32_t count, unstarted;
};

/* "read_rows() at app.py:3, at line 7" */
static const char *describe(struct hw_case *c, hw_id node, const char **ret_progress)
{
    char text[HW_LOOK_TEXT_MAX];
    const char *progress = "";
    if (hw_look_value(c->graph, node, text))
        for (const char *at = text; (at = strstr(at, "; ")); at++)
            progress = at + 2;
    *ret_progress = hw_arena_strdup(c->arena, progress);
    return hw_arena_printf(c->arena, "%s%s%s", hw_look_function(c, node), *progress ? ", " : "",
                           progress);
}

static bool find_suspended(struct hw_case *c, const char *type, struct suspended *found)
{
    const struct hw_sample *members = hw_look_members(c);
    *found = (struct suspended){0};
    for (uint32_t i = 0; i < members->count; i++) {
        const char *progress;
        hw_id node = hw_look_inside(c, members->ids[i], HW_TYPE_GENERATOR);
        if (node == HW_NONE || !hw_look_is(c->graph, node, type))
            continue;
        hw_tally_add(&found->said, describe(c, node, &progress));
        found->count++;
        found->unstarted += progress && strcmp(progress, "not started") == 0;
        if (found->count < FRAMES_MAX)
            note_frame(c, node, &found->frames);
    }
    hw_case_word(c, "{function}", found->count ? hw_tally_top(&found->frames.functions, NULL) : "");
    return hw_look_most(found->count, members->count);
}

static bool fits_generators(struct hw_case *c)
{
    struct suspended found;
    if (!find_suspended(c, "*generator", &found))
        return false;
    hw_case_say_new(c, hw_arena_printf(c->arena, "%u stand still: %s", found.count,
                                       hw_tally_spell(&found.said, c, 2)));
    say_local(c, &found.frames);
    return true;
}

static bool fits_unawaited(struct hw_case *c)
{
    struct suspended found;
    if (!find_suspended(c, "coroutine", &found) || !hw_look_most(found.unstarted, found.count))
        return false;
    hw_case_say_new(c, hw_arena_printf(c->arena, "%u of %u coroutines have not begun: %s",
                                       found.unstarted, found.count,
                                       hw_tally_spell(&found.frames.functions, c, 2)));
    say_local(c, &found.frames);
    return true;
}

static bool fits_coroutines(struct hw_case *c)
{
    struct suspended found;
    if (!find_suspended(c, "coroutine", &found))
        return false;
    hw_case_say_new(c, hw_arena_printf(c->arena, "%u wait: %s", found.count,
                                       hw_tally_spell(&found.said, c, 2)));
    say_local(c, &found.frames);
    return true;
}

static const struct hw_cause rows[] = {
    {"reraised-exception", 0, NULL, NULL, fits_raised_again,
     "One exception object is raised again and again, and each raise makes its traceback longer.",
     "Make a new exception for each raise, raise {exception}(...), or raise "
     "{exception}.with_traceback(None): a traceback keeps every frame that it has ever passed."},
    {"exception-chain", 0, NULL, NULL, fits_chain, "Each exception keeps the one before it.",
     "Clear {link} of the exception that is kept, or keep its text: {holder} holds all before it."},
    {"kept-exceptions", 0, NULL, NULL, fits_exceptions,
     "Exceptions are kept; their tracebacks keep frames with all of their local variables.",
     "Keep str(error) or traceback.format_exception(error) in {holder} instead of the exception, "
     "or clear error.__traceback__: it keeps {local} and every other local variable."},
    {"log-records-with-tracebacks", 0, NULL, NULL, fits_log_records,
     "Log records are kept; their exc_info keeps frames with all of their local variables.",
     "Format the record when it comes, set record.exc_text and then record.exc_info = None, and "
     "bound {holder}: a traceback keeps {local} and every other local variable."},
    {"kept-frames", 0, NULL, NULL, fits_frames,
     "Frames are kept with all of their local variables, and those of their callers.",
     "Keep the function's name and line in {holder} instead of the frame: it keeps {local} and "
     "every other local variable."},
    {"suspended-generators", 0, NULL, NULL, fits_generators,
     "Generators are kept that were never read to their end.",
     "close() (aclose()) each {function} that is not read to its end, and take it out of "
     "{holder}: a suspended generator keeps all of its local variables."},
    {"coroutines-never-awaited", 0, NULL, NULL, fits_unawaited,
     "Coroutines are made and kept, but nobody awaits them.",
     "Await each {function} or make a task of it, and take it out of {holder}: a coroutine keeps "
     "its arguments until it has run or close() was called."},
    {"suspended-coroutines", HW_FAMILY(FRAME), NULL, NULL, fits_coroutines,
     "Coroutines are kept that never came to their end.",
     "Await or close() each {function}, and take it out of {holder}: a suspended coroutine keeps "
     "all of its local variables."},
};
const struct hw_cause_table hw_causes_frame = HW_CAUSE_TABLE(rows);

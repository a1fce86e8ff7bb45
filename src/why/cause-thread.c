/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/ended.h"
#include "ask/lookup.h"
#include "why/look.h"

#include <stdio.h>
#include <string.h>

/* Threads and pools of threads. What a thread does is told by its running frames. */

/* ---- where a thread is ---- */

static bool in_library(const char *file)
{
    static const char *const names[] = {"/threading.py",     "/queue.py",     "/socket.py",
                                        "/selectors.py",     "/asyncio/",     "/concurrent/",
                                        "/multiprocessing/", "/subprocess.py"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strstr(file, names[i]))
            return true;
    return false;
}

/* The line that a frame has come to; where it begins when that is not known. */
static uint32_t line_of(const struct hw_graph *graph, hw_id frame, const struct hw_synthetic *s)
{
    char text[HW_LOOK_TEXT_MAX];
    unsigned line;
    return hw_look_value(graph, frame, text) && sscanf(text, "at line %u", &line) == 1 ? line
                                                                                       : s->line;
}

/* "watch() at app.py:18 in Event.wait()": the innermost frame of the program, and where that waits.
 * Frames of one thread lie in a row, the innermost first. */
static const char *spell_place(const struct hw_case *c, int32_t tid)
{
    const struct hw_graph *graph = c->graph;
    const struct hw_synthetic *inner = NULL;
    for (hw_id id = graph->object_count; id < graph->node_count; id++) {
        const struct hw_synthetic *s = &graph->synthetic[id - graph->object_count];
        if (s->kind != HW_SYN_FRAME || s->tid != tid)
            continue;
        if (in_library(s->file) && strcmp(s->name, "Thread.run") != 0 &&
            strcmp(s->name, "Thread._bootstrap_inner") != 0) {
            inner = s;
            continue;
        }
        bool is_own = !in_library(s->file);
        const struct hw_synthetic *at = is_own || !inner ? s : inner;
        uint32_t line = at == s ? line_of(graph, id, s) : at->line;
        return hw_arena_printf(c->arena, "%s() at %s:%u%s%s%s", at->name, hw_file_base(at->file),
                               line, is_own && inner ? " for " : "",
                               is_own && inner ? inner->name : "", is_own && inner ? "()" : "");
    }
    return "";
}

/* ---- members ---- */

static bool is_thread(const struct hw_graph *graph, hw_id node)
{
    return type_has(graph, node, HW_TYPE_PYTHON) &&
           hw_look_attr(graph, node, "_native_id") != HW_NONE &&
           hw_look_attr(graph, node, "_started") != HW_NONE;
}

struct threads {
    uint32_t count, alive, ended, timers;
    struct hw_tally places, functions;
};

static void note_thread(struct hw_case *c, hw_id thread, struct threads *found)
{
    const struct hw_graph *graph = c->graph;
    hw_id target = hw_look_attr(graph, thread, "_target");
    hw_id function = hw_look_attr(graph, thread, "function"); /* of a Timer */
    bool alive = hw_thread_is_alive(graph, thread);
    found->count++;
    found->alive += alive;
    found->ended += !alive && hw_thread_tid(graph, thread);
    if (function != HW_NONE && hw_look_attr(graph, thread, "interval") != HW_NONE) {
        found->timers++;
        target = function;
    }
    if (!hw_look_is_none(graph, target))
        hw_tally_add(&found->functions, hw_look_function(c, target));
    else if (strncmp(type_of(graph, thread)->name, "threading.", 10) != 0)
        hw_tally_add(&found->functions,
                     hw_arena_printf(c->arena, "%s.run()", type_of(graph, thread)->name));
    if (alive)
        hw_tally_add(&found->places, spell_place(c, hw_thread_tid(graph, thread)));
}

static bool find_threads(struct hw_case *c, struct threads *found)
{
    const struct hw_sample *members = hw_look_members(c);
    *found = (struct threads){0};
    for (uint32_t i = 0; i < members->count; i++)
        if (is_thread(c->graph, members->ids[i]))
            note_thread(c, members->ids[i], found);
    hw_case_word(c, "{function}",
                 found->functions.total ? hw_tally_top(&found->functions, NULL) : "its function");
    return hw_look_most(found->count, members->count);
}

static void say_functions(struct hw_case *c, const struct threads *found, const char *what)
{
    if (found->functions.total)
        hw_case_say_new(c, hw_arena_printf(c->arena, "%u threads %s %s", found->functions.total,
                                           what, hw_tally_spell(&found->functions, c, 2)));
}

static bool fits_finished(struct hw_case *c)
{
    struct threads found;
    if (!find_threads(c, &found) || !hw_look_most(found.ended, found.count))
        return false;
    hw_case_say_new(
        c, hw_arena_printf(c->arena, "%u of %u threads have ended", found.ended, found.count));
    return true;
}

static bool fits_timers(struct hw_case *c)
{
    struct threads found;
    if (!find_threads(c, &found) || !hw_look_most(found.timers, found.count) ||
        found.alive * 2 < found.count)
        return false;
    say_functions(c, &found, "wait for their time to call");
    return true;
}

static bool fits_threads(struct hw_case *c)
{
    struct threads found;
    if (!find_threads(c, &found) || found.alive * 2 < found.count)
        return false;
    say_functions(c, &found, "run");
    hw_case_say_new(c, hw_arena_printf(c->arena, "%u wait in %s", found.alive,
                                       hw_tally_spell(&found.places, c, 2)));
    return true;
}

/* ---- pools ---- */

static bool fits_executors(struct hw_case *c)
{
    const struct hw_sample *members = hw_look_members(c);
    uint32_t pools = 0, open = 0, threads = 0;
    for (uint32_t i = 0; i < members->count; i++) {
        hw_id own = hw_look_attr(c->graph, members->ids[i], "_threads");
        if (!hw_look_is(c->graph, members->ids[i], "concurrent.futures.*PoolExecutor"))
            continue;
        pools++;
        open += !hw_has_ended(c->graph, members->ids[i]);
        for (uint32_t e = own == HW_NONE ? 0 : c->graph->edge_start[own];
             own != HW_NONE && e < c->graph->edge_start[own + 1]; e++)
            threads += is_thread(c->graph, c->graph->edge_to[e]);
    }
    if (!hw_look_most(pools, members->count) || open * 2 < pools)
        return false;
    hw_case_say_new(c, hw_arena_printf(c->arena,
                                       "%u of %u pools were not shut down; they have %u "
                                       "threads",
                                       open, pools, threads));
    return true;
}

static const struct hw_cause rows[] = {
    {"finished-threads-kept", 0, NULL, NULL, fits_finished,
     "Thread objects are kept after the threads have ended.",
     "Take each thread out of {holder} when it has ended, after join(); or keep none of them."},
    {"timer-threads", 0, NULL, NULL, fits_timers,
     "Each timer is a thread that sleeps until its time, with what it will call.",
     "cancel() each timer when its work is done, or let one thread serve all timers: each keeps "
     "{function} and a thread."},
    {"threads-never-end", HW_FAMILY(UNCLOSED_RESOURCE), NULL, NULL, fits_threads,
     "Threads are started that never come to their end.",
     "Let {function} return when its work is done, and wake it for that, or use a pool with a "
     "bound: a thread keeps all of its local variables."},
    {"executors-not-shut-down", 0, NULL, NULL, fits_executors,
     "Pools are made again and again, and their threads wait for work for ever.",
     "Make one pool and use it again, or shutdown() each one, with concurrent.futures...: and take "
     "it out of {holder} then."},
};
const struct hw_cause_table hw_causes_thread = HW_CAUSE_TABLE(rows);

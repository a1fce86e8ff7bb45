/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/await.h"
#include "ask/ended.h"
#include "ask/lookup.h"
#include "why/look.h"

#include <string.h>

/* Tasks, futures, timers and queues: what waits, where, and for what. */

/* ---- who waits where ---- */

/* The file of a suspended function's code. */
static bool in_library(const struct hw_graph *graph, hw_id node)
{
    char file[HW_LOOK_TEXT_MAX];
    return hw_await_file(graph, node, file) &&
           (strstr(file, "/asyncio/") || strstr(file, "/concurrent/"));
}

/* "push_to() at app.py:24 for Queue.get()": the innermost function of the program, and what it
 * waits for. */
static const char *spell_wait(struct hw_case *c, hw_id coroutine)
{
    const struct hw_graph *graph = c->graph;
    hw_id own = coroutine, inner = HW_NONE;
    struct hw_buf text = {0};
    for (unsigned i = 0; i < HW_AWAIT_DEPTH_MAX; i++) {
        hw_id next = hw_await_next(graph, own);
        if (next == HW_NONE || in_library(graph, next)) {
            inner = next;
            break;
        }
        own = next;
    }
    hw_await_place(graph, own, &text);
    if (inner != HW_NONE) {
        hw_buf_puts(&text, " for ");
        hw_await_name(graph, inner, &text);
    }
    const char *copy = hw_buf_ok(&text) ? hw_arena_strdup(c->arena, hw_buf_str(&text)) : NULL;
    hw_buf_deinit(&text);
    return copy;
}

static bool is_future(const struct hw_graph *graph, hw_id node)
{
    return hw_look_is(graph, node, "_asyncio.Future") ||
           hw_look_is(graph, node, "asyncio.futures.Future") ||
           hw_look_is(graph, node, "concurrent.futures._base.Future");
}

/* The task that is woken when the future is done: a method of it is the future's first callback. */
static hw_id task_behind(const struct hw_graph *graph, hw_id future)
{
    hw_id callback = hw_look_attr(graph, future, "callback0");
    hw_id task = callback == HW_NONE ? HW_NONE : hw_look_attr(graph, callback, "__self__");
    return hw_is_task(graph, task) ? task : HW_NONE;
}

/* ---- members ---- */

struct waiting {
    uint32_t count, ended;
    struct hw_tally places;
};

typedef bool is_wanted(const struct hw_graph *graph, hw_id node);

/* Counts the members, or what is in them, that are wanted, and where those wait that have not
 * ended. */
static bool find_waiting(struct hw_case *c, is_wanted *wanted, struct waiting *found)
{
    const struct hw_graph *graph = c->graph;
    const struct hw_sample *members = hw_look_members(c);
    *found = (struct waiting){0};
    for (uint32_t i = 0; i < members->count; i++) {
        hw_id node = members->ids[i];
        if (!wanted(graph, node))
            continue;
        found->count++;
        if (hw_has_ended(graph, node)) {
            found->ended++;
            continue;
        }
        hw_id task = hw_is_task(graph, node) ? node : task_behind(graph, node);
        hw_id coroutine = task == HW_NONE ? HW_NONE : hw_task_coroutine(graph, task);
        if (coroutine != HW_NONE)
            hw_tally_add(&found->places, spell_wait(c, coroutine));
    }
    return hw_look_most(found->count, members->count);
}

static void say_waits(struct hw_case *c, const struct waiting *found)
{
    const char *top = hw_tally_top(&found->places, NULL);
    const char *wanted = top ? strstr(top, " for ") : NULL;
    hw_case_word(c, "{wait}", hw_arena_strdup(c->arena, wanted ? wanted + 5 : "what it awaits"));
    if (top)
        hw_case_say_new(c, hw_arena_printf(c->arena, "%u tasks wait in %s", found->places.total,
                                           hw_tally_spell(&found->places, c, 2)));
}

static bool fits_finished_tasks(struct hw_case *c)
{
    struct waiting found;
    if (!find_waiting(c, hw_is_task, &found) || !hw_look_most(found.ended, found.count))
        return false;
    hw_case_say_new(c,
                    hw_arena_printf(c->arena, "%u of %u tasks are done", found.ended, found.count));
    return true;
}

static bool fits_tasks(struct hw_case *c)
{
    struct waiting found;
    if (!find_waiting(c, hw_is_task, &found) || found.ended * 2 >= found.count)
        return false;
    say_waits(c, &found);
    return true;
}

static bool fits_finished_futures(struct hw_case *c)
{
    struct waiting found;
    if (!find_waiting(c, is_future, &found) || !hw_look_most(found.ended, found.count))
        return false;
    hw_case_say_new(c, hw_arena_printf(c->arena, "%u of %u futures are done and keep their results",
                                       found.ended, found.count));
    return true;
}

static bool fits_futures(struct hw_case *c)
{
    struct waiting found;
    if (!find_waiting(c, is_future, &found) || found.ended * 2 >= found.count)
        return false;
    hw_case_say_new(c, hw_arena_printf(c->arena, "%u of %u futures are pending",
                                       found.count - found.ended, found.count));
    say_waits(c, &found);
    return true;
}

/* ---- timers ---- */

static bool is_timer(const struct hw_graph *graph, hw_id node)
{
    return hw_look_is(graph, node, "asyncio.events.TimerHandle");
}

static bool fits_timers(struct hw_case *c)
{
    struct waiting found;
    struct hw_tally callbacks = {0};
    const struct hw_sample *members = hw_look_members(c);
    if (!find_waiting(c, is_timer, &found))
        return false;
    for (uint32_t i = 0; i < members->count; i++) {
        hw_id callback = hw_look_attr(c->graph, members->ids[i], "_callback");
        if (is_timer(c->graph, members->ids[i]) && !hw_look_is_none(c->graph, callback))
            hw_tally_add(&callbacks, hw_look_function(c, callback));
    }
    hw_case_say_new(c, hw_arena_printf(c->arena, "%u timers are not due, and %u of them cancelled",
                                       found.count, found.ended));
    if (callbacks.total)
        hw_case_say(
            c, hw_arena_printf(c->arena, "they will call %s", hw_tally_spell(&callbacks, c, 2)));
    hw_case_word(c, "{function}", callbacks.total ? hw_tally_top(&callbacks, NULL) : "a function");
    return true;
}

/* ---- callbacks and waiters of one long-lived object ---- */

/* The object whose attribute the container is, if it is called so; else HW_NONE. */
static hw_id owner_by(const struct hw_case *c, const char *attribute)
{
    const struct hw_graph *graph = c->graph;
    const struct hw_site *site = c->candidate->site;
    hw_id box = site ? site->name : HW_NONE;
    uint32_t edge = box == HW_NONE ? HW_NONE : c->growth->tree.edge[box];
    if (edge == HW_NONE)
        return HW_NONE;
    hw_id parent = c->growth->tree.parent[box];
    bool named =
        (edge_kind(graph, edge) == HW_LABEL_ATTR || edge_kind(graph, edge) == HW_LABEL_NAMED) &&
        strcmp(edge_string(graph, edge), attribute) == 0;
    char key[HW_LOOK_TEXT_MAX];
    if (edge_kind(graph, edge) == HW_LABEL_VALUE && hw_look_value(graph, key_of(graph, edge), key))
        named = strlen(key) == strlen(attribute) + 2 &&
                strncmp(key + 1, attribute, strlen(attribute)) == 0;
    if (!named)
        return HW_NONE;
    uint32_t up = c->growth->tree.edge[parent];
    bool is_space = up != HW_NONE && edge_kind(graph, up) == HW_LABEL_ATTR &&
                    strcmp(edge_string(graph, up), "__dict__") == 0;
    return is_space ? c->growth->tree.parent[parent] : parent;
}

static bool fits_done_callbacks(struct hw_case *c)
{
    hw_id future = owner_by(c, "_callbacks");
    const struct hw_sample *members = hw_look_members(c);
    struct hw_tally said = {0};
    if (future == HW_NONE)
        future = owner_by(c, "_done_callbacks");
    if (future == HW_NONE || !(is_future(c->graph, future) || hw_is_task(c->graph, future)) ||
        hw_has_ended(c->graph, future))
        return false;
    for (uint32_t i = 0; i < members->count; i++) {
        hw_id callback = hw_look_inside(c, members->ids[i], 0);
        if (callback != HW_NONE)
            hw_tally_add(&said, hw_look_function(c, callback));
    }
    hw_case_word(c, "{function}", said.total ? hw_tally_top(&said, NULL) : "the function");
    hw_case_say(c, hw_arena_printf(c->arena, "the future is pending%s%s",
                                   said.total ? ", and would call " : "",
                                   said.total ? hw_tally_spell(&said, c, 2) : ""));
    return true;
}

/* Events, conditions, semaphores and queues keep a future for each who waits. */
static bool fits_waiters(struct hw_case *c)
{
    static const char *const names[] = {"_waiters", "_getters", "_putters"};
    struct waiting found;
    hw_id owner = HW_NONE;
    for (size_t i = 0; owner == HW_NONE && i < sizeof(names) / sizeof(names[0]); i++)
        owner = owner_by(c, names[i]);
    if (owner == HW_NONE || !hw_look_is(c->graph, owner, "asyncio.*") ||
        !find_waiting(c, is_future, &found) || found.ended * 2 >= found.count)
        return false;
    hw_case_word(c, "{object}", hw_arena_strdup(c->arena, type_of(c->graph, owner)->name));
    hw_case_say_new(c, hw_arena_printf(c->arena, "%u futures wait for one %s", found.count,
                                       type_of(c->graph, owner)->name));
    say_waits(c, &found);
    return true;
}

/* ---- queues ---- */

static bool is_queue(const struct hw_graph *graph, hw_id node)
{
    return hw_look_is(graph, node, "queue.*Queue") ||
           hw_look_is(graph, node, "asyncio.queues.*Queue");
}

/* Some thread is inside get() of this very queue. */
static bool has_reader(const struct hw_graph *graph, hw_id queue)
{
    for (hw_id id = graph->object_count; id < graph->node_count; id++) {
        const struct hw_synthetic *s = &graph->synthetic[id - graph->object_count];
        if (s->kind != HW_SYN_FRAME || strcmp(s->name, "Queue.get") != 0)
            continue;
        uint32_t edge = hw_edge_find(graph, id, HW_LABEL_LOCAL, "self");
        if (edge != HW_NO_EDGE && graph->edge_to[edge] == queue)
            return true;
    }
    return false;
}

static bool fits_queue(struct hw_case *c)
{
    hw_id queue = owner_by(c, "queue");
    if (queue == HW_NONE)
        queue = owner_by(c, "_queue");
    if (queue == HW_NONE || !is_queue(c->graph, queue) || has_reader(c->graph, queue))
        return false;
    hw_id getters = hw_look_attr(c->graph, queue, "_getters");
    uint64_t taken = hw_site_deaths(c->growth, c->candidate->site);
    if (taken || (getters != HW_NONE && graph_degree(c->graph, getters) > 1))
        return false;
    hw_id most = hw_look_attr(c->graph, queue, "_maxsize");
    if (most == HW_NONE)
        most = hw_look_attr(c->graph, queue, "maxsize");
    bool endless = most != HW_NONE && hw_look_says(c->graph, most, "0");
    hw_case_say(c, hw_arena_printf(c->arena,
                                   "nothing was taken out of the %s, and nobody waits "
                                   "in its get()%s",
                                   type_of(c->graph, queue)->name,
                                   endless ? "; its maxsize is 0, without bound" : ""));
    return true;
}

/* ---- contexts ---- */

enum { HAMT_NODES_MAX = 64 };

/* Notes the names of the variables in a context: keys in a tree of arrays. */
static void note_variables(struct hw_case *c, hw_id context, struct hw_tally *said)
{
    const struct hw_graph *graph = c->graph;
    hw_id todo[HAMT_NODES_MAX] = {hw_look_attr(graph, context, "ctx_vars")};
    unsigned count = todo[0] != HW_NONE;
    for (unsigned at = 0; at < count; at++)
        for (uint32_t e = graph->edge_start[todo[at]]; e < graph->edge_start[todo[at] + 1]; e++) {
            hw_id to = graph->edge_to[e];
            char name[HW_LOOK_TEXT_MAX];
            if (hw_look_is(graph, to, "*ContextVar") &&
                hw_look_value(graph, hw_look_attr(graph, to, "name"), name))
                hw_tally_add(said, hw_arena_strdup(c->arena, name));
            else if (hw_look_is(graph, to, "hamt*") && count < HAMT_NODES_MAX)
                todo[count++] = to;
        }
}

static bool fits_contexts(struct hw_case *c)
{
    const struct hw_sample *members = hw_look_members(c);
    struct hw_tally said = {0};
    uint32_t contexts = 0;
    for (uint32_t i = 0; i < members->count; i++) {
        if (!hw_look_is(c->graph, members->ids[i], "*Context") ||
            hw_look_attr(c->graph, members->ids[i], "ctx_vars") == HW_NONE)
            continue;
        contexts++;
        note_variables(c, members->ids[i], &said);
    }
    if (!hw_look_most(contexts, members->count))
        return false;
    hw_case_word(c, "{variable}", said.total ? hw_tally_top(&said, NULL) : "its variables");
    hw_case_say_new(c,
                    hw_arena_printf(c->arena, "%u contexts keep the values of %s", contexts,
                                    said.total ? hw_tally_spell(&said, c, 2) : "their variables"));
    return true;
}

static const struct hw_cause rows[] = {
    {"waiters-of-one-object", 0, NULL, NULL, fits_waiters,
     "More and more tasks wait for the same object, which lets none of them go.",
     "Set or release what they wait for, or cancel() each task when its work is done; "
     "asyncio.timeout() bounds a wait: {holder} keeps each of them."},
    {"finished-tasks-kept", 0, NULL, NULL, fits_finished_tasks,
     "Tasks are kept after their end, with their results.",
     "Take each task out of {holder} when it is done: "
     "task.add_done_callback({holder}.discard) does that for a set."},
    {"tasks-never-end", HW_FAMILY(UNCLOSED_RESOURCE), NULL, NULL, fits_tasks,
     "Tasks are started that wait and never come to their end.",
     "cancel() each task when its work is done, or bound the wait for {wait} with "
     "asyncio.timeout(); and take it out of {holder} then."},
    {"finished-futures-kept", 0, NULL, NULL, fits_finished_futures,
     "Futures are kept after they are done, with their results.",
     "Take each future out of {holder} when its result was read, or keep the result only."},
    {"callbacks-on-pending-future", 0, NULL, NULL, fits_done_callbacks,
     "Callbacks are added to one future that outlives all who wait for it.",
     "Call remove_done_callback() when the one who waits is done: {holder} keeps {function} until "
     "the future ends."},
    {"futures-never-resolved", HW_FAMILY(UNCLOSED_RESOURCE), NULL, NULL, fits_futures,
     "Futures are made that nobody resolves.",
     "Set a result, or cancel() each future when its time is over, asyncio.wait_for(), and take it "
     "out of {holder} then."},
    {"timers-pending", 0, NULL, NULL, fits_timers,
     "Timers are started for a late hour, and each keeps what it will call.",
     "cancel() the handle that call_later() returned when the time limit is no longer needed, or "
     "let one timer serve all: the event loop keeps {function} until then."},
    {"queue-without-consumer", 0, NULL, NULL, fits_queue,
     "A queue is filled, and nobody takes anything out.",
     "Start or restart the consumer of {holder}, and give the queue a maxsize, so that a producer "
     "notices."},
    {"kept-contexts", 0, NULL, NULL, fits_contexts,
     "Copies of the context are kept, and each keeps the value of every context variable.",
     "Take each context out of {holder} when it has been used, or set {variable} to something "
     "small before it is copied: a copy keeps the values of its time."},
};
const struct hw_cause_table hw_causes_async = HW_CAUSE_TABLE(rows);

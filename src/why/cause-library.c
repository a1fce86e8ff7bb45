/* SPDX-License-Identifier: Apache-2.0 */
#include "why/cause.h"

#include "ask/lookup.h"
#include "why/members.h"

#include <inttypes.h>
#include <string.h>

/* Places in the standard library, and shapes of other libraries, that are known to collect. */

static uint64_t length_now(const struct hw_case *c)
{
    return c->candidate->site->lengths[c->growth->series->count - 1];
}

static hw_id attribute_of(const struct hw_case *c, const char *name)
{
    struct hw_code_place place = hw_code_place(c->growth, c->candidate->site->name);
    uint32_t edge = place.owner == HW_NONE ? HW_NO_EDGE : hw_attr_find(c->graph, place.owner, name);
    return edge == HW_NO_EDGE ? HW_NONE : c->graph->edge_to[edge];
}

static bool value_of(const struct hw_case *c, const char *name, char *value, size_t bytes)
{
    hw_id node = attribute_of(c, name);
    return node != HW_NONE && hw_graph_value(c->graph, node, value, bytes);
}

static bool has_handlers(struct hw_case *c)
{
    char name[HW_VALUE_MAX_BYTES + 16];
    if (!hw_holder_is(c, "logging.Logger", "handlers") || !value_of(c, "name", name, sizeof(name)))
        return false;
    hw_case_say(c, hw_arena_printf(c->arena,
                                   "the logger %.80s has %" PRIu64 " of them, and hands every "
                                   "record to each",
                                   name, length_now(c)));
    return true;
}

static bool has_loggers(struct hw_case *c)
{
    struct hw_members members = hw_members_of(c);
    char last[100] = "";
    if (!hw_holder_is(c, "logging.Manager", "loggerDict") || !members.count)
        return false;
    hw_graph_value(c->graph, hw_member_key(c, members.edges[members.count - 1]), last,
                   sizeof(last));
    hw_case_say(c, hw_arena_printf(c->arena, "the newest of them is called %s", last));
    return true;
}

/* A queue of the standard library counts what was put and not yet reported as done. */
static bool has_unfinished(struct hw_case *c)
{
    char tasks[32], most[32];
    if (!hw_holder_is(c, "queue.Queue", "queue") &&
        !hw_holder_is(c, "asyncio.queues.Queue", "_queue"))
        return false;
    bool counted = value_of(c, "unfinished_tasks", tasks, sizeof(tasks)) ||
                   value_of(c, "_unfinished_tasks", tasks, sizeof(tasks));
    bool unbounded = (value_of(c, "maxsize", most, sizeof(most)) ||
                      value_of(c, "_maxsize", most, sizeof(most))) &&
                     strcmp(most, "0") == 0;
    if (!unbounded)
        return false;
    if (counted)
        hw_case_say(c, hw_arena_printf(c->arena,
                                       "%" PRIu64 " wait in it, unfinished_tasks is %s, and "
                                       "maxsize 0 lets it grow",
                                       length_now(c), tasks));
    else
        hw_case_say(c, hw_arena_printf(c->arena, "%" PRIu64 " wait in it, and it has no bound",
                                       length_now(c)));
    return true;
}

static bool has_calls(struct hw_case *c)
{
    if (!hw_holder_is(c, "unittest.mock.NonCallableMock", NULL) &&
        strcmp(c->holder, "unittest.mock._CallList") != 0)
        return false;
    hw_case_say(c, hw_arena_printf(c->arena, "it remembers %" PRIu64 " calls", length_now(c)));
    return true;
}

/* Keys are pairs of a class and an identity. */
static bool has_identities(struct hw_case *c)
{
    struct hw_members members = hw_members_of(c);
    uint32_t length, classes = 0;
    if (!hw_members_tuple_keys(c, &members, &length) || length < 2)
        return false;
    for (uint32_t i = 0; i < members.count; i++) {
        hw_id key = hw_member_key(c, members.edges[i]);
        classes +=
            type_has(c->graph, c->graph->edge_to[c->graph->edge_start[key]], HW_TYPE_TYPE) ||
            (graph_degree(c->graph, key) > 1 &&
             type_has(c->graph, c->graph->edge_to[c->graph->edge_start[key] + 1], HW_TYPE_TYPE));
    }
    if (classes < members.count)
        return false;
    hw_case_say(c, hw_arena_printf(c->arena,
                                   "%s keys are a class and an identity, as an identity map has "
                                   "them",
                                   hw_share_text(c->arena, classes, members.count)));
    return true;
}

static bool is_exit_stack(struct hw_case *c)
{
    return hw_holder_is(c, "contextlib._BaseExitStack", "_exit_callbacks");
}

static bool is_warnings_registry(struct hw_case *c)
{
    return hw_holder_is(c, NULL, "__warningregistry__");
}

static bool is_import_path(struct hw_case *c)
{
    return strcmp(c->path, "sys.path") == 0 || strcmp(c->path, "sys.modules['sys'].path") == 0;
}

static bool is_memo(struct hw_case *c)
{
    return hw_holder_is(c, "pickle._Pickler", "memo");
}

static bool is_pointer_cache(struct hw_case *c)
{
    return hw_holder_is(c, "module", "_pointer_type_cache");
}

static bool is_unflushed(struct hw_case *c)
{
    if (!hw_holder_is(c, "sqlalchemy.orm.session.Session", "_new"))
        return false;
    hw_case_say(c, hw_arena_printf(c->arena,
                                   "%" PRIu64 " objects were added to the session and not "
                                   "yet written",
                                   length_now(c)));
    return true;
}

static bool has_filters(struct hw_case *c)
{
    return hw_holder_is(c, "logging.Filterer", "filters");
}

static bool is_weak_key_dict(struct hw_case *c)
{
    return hw_holder_is(c, "weakref.WeakKeyDictionary", "data");
}

static bool is_backlog(struct hw_case *c)
{
    if (!hw_holder_is(c, "concurrent.futures.*Executor", "_work_queue") &&
        !hw_holder_is(c, "concurrent.futures.*Executor", "_pending_work_items"))
        return false;
    hw_case_say(c, hw_arena_printf(c->arena, "%" PRIu64 " submitted calls wait", length_now(c)));
    return true;
}

static bool has_sqlalchemy_listeners(struct hw_case *c)
{
    return hw_name_matches("sys.modules['sqlalchemy.event.registry'].*", c->path);
}

static bool has_receivers(struct hw_case *c)
{
    return hw_holder_is(c, "django.dispatch.dispatcher.Signal", "receivers");
}

/* A short walk through the arguments of a timer. */
static bool leads_to(const struct hw_graph *graph, hw_id node, const char *type, int depth)
{
    enum { EDGES_MAX = 8 };
    if (strcmp(type_of(graph, node)->name, type) == 0)
        return true;
    for (uint32_t e = graph->edge_start[node];
         depth && e < graph->edge_start[node + 1] && e < graph->edge_start[node] + EDGES_MAX; e++)
        if (graph->edge_to[e] < graph->object_count &&
            leads_to(graph, graph->edge_to[e], type, depth - 1))
            return true;
    return false;
}

static bool has_periodic_callbacks(struct hw_case *c)
{
    enum { ARGUMENTS_DEPTH = 4 }; /* tuple, partial, method, PeriodicCallback */
    struct hw_members members = hw_members_of(c);
    uint32_t periodic = 0;
    if (!members.count || !hw_holder_is(c, "asyncio.base_events.BaseEventLoop", "_scheduled"))
        return false;
    for (uint32_t i = 0; i < members.count; i++)
        periodic += leads_to(c->graph, c->graph->edge_to[members.edges[i]],
                             "tornado.ioloop.PeriodicCallback", ARGUMENTS_DEPTH);
    if (periodic * 2 < members.count)
        return false;
    const char *share = hw_share_text(c->arena, periodic, members.count);
    hw_case_say(c, share ? hw_arena_printf(c->arena, "%s timers are of a PeriodicCallback", share)
                         : NULL);
    return true;
}

static bool has_locks(struct hw_case *c)
{
    static const char *const locks[] = {"asyncio.locks.Lock", "asyncio.locks.Semaphore",
                                        "_thread.lock", "_thread.RLock"};
    const char *type = c->graph->types[c->candidate->kind.member_type].name;
    for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++)
        if (strcmp(type, locks[i]) == 0)
            return type_has(c->graph, c->candidate->site->box, HW_TYPE_DICT);
    return false;
}

static const struct hw_cause rows[] = {
    {"logging-filters", 0, NULL, NULL, has_filters,
     "A logger or handler gets one more filter again and again, and none is removed.",
     "Add the filter once, where the program starts; or call removeFilter() when what it was added "
     "for is done: {holder} lives as long as its logger."},
    {"weak-keys-held", 0, NULL, NULL, is_weak_key_dict,
     "A WeakKeyDictionary gets entries whose keys do not die.",
     "See what holds the keys: where a {type} refers to its own key, let it hold a weakref.ref() "
     "to "
     "it; else take the entry out when the key is done."},
    {"executor-backlog", 0, NULL, NULL, is_backlog,
     "More calls are submitted to an executor than its workers finish.",
     "Let those who submit wait: take a threading.BoundedSemaphore before submit() and release it "
     "in add_done_callback(), or wait for the futures; or give it more workers."},
    {"sqlalchemy-listeners", 0, NULL, NULL, has_sqlalchemy_listeners,
     "Listeners of SQLAlchemy events are added again and again, and none is removed.",
     "Call event.listen() once, where the program starts, or event.remove() with the same target, "
     "name and function when the listener is done."},
    {"signal-receivers", 0, NULL, NULL, has_receivers,
     "A Django signal gets one more receiver again and again, and none is disconnected.",
     "Connect the receiver once, with a dispatch_uid, or call disconnect() when it is done: with "
     "weak=False {holder} keeps it and all that it refers to."},
    {"periodic-callbacks", 0, NULL, NULL, has_periodic_callbacks,
     "Periodic callbacks of tornado are started and never stopped.",
     "Call stop() of each PeriodicCallback when its object is done: until then it starts itself "
     "anew, and the event loop keeps it."},
    {"locks-per-key", HW_FAMILY(GROWING_CONTAINER), NULL, NULL, has_locks,
     "Each new key gets a lock of its own, and none is dropped.",
     "Keep a fixed number of locks and choose one by hash(key), or take the lock out of {holder} "
     "when nobody holds or awaits it."},
    {"logging-handlers", 0, NULL, NULL, has_handlers,
     "A logger gets one more handler again and again, and none is removed.",
     "Add the handler once, where the program starts; or call removeHandler() and close() when "
     "what it was added for is done: {holder} lives as long as the process."},
    {"loggers-by-name", 0, NULL, NULL, has_loggers,
     "logging never forgets a logger: each new name stays for ever.",
     "Use one logger per module, and put what differs into the message, extra= or a "
     "logging.LoggerAdapter: {holder} keeps every name."},
    {"kept-log-records", HW_FAMILY(GROWING_CONTAINER), NULL, "logging.LogRecord", NULL,
     "Log records are kept, with their arguments and exceptions.",
     "Write the records out and clear {holder}, or bound it, collections.deque(maxlen=...): each "
     "record keeps its arguments and exc_info."},
    {"queue-without-consumer", 0, NULL, NULL, has_unfinished,
     "A queue without a bound gets more than is taken out.",
     "Give the queue a bound, maxsize=..., so that those who put must wait; and see why nobody "
     "takes from {holder} as fast as it is filled."},
    {"queue-without-consumer", 0, "_queue.SimpleQueue", NULL, NULL,
     "A queue without a bound gets more than is taken out.",
     "Use queue.Queue(maxsize=...), so that those who put must wait; and see why nobody takes from "
     "{holder} as fast as it is filled."},
    {"long-lived-exit-stack", 0, NULL, NULL, is_exit_stack,
     "An exit stack that is never left gathers what it would end.",
     "Enter each resource in a with statement or an ExitStack of its own: what is in {holder} "
     "lives until the stack is closed."},
    {"mock-calls", 0, NULL, NULL, has_calls, "A mock remembers each call with its arguments.",
     "Call reset_mock() between uses, or put a plain function in its place: {holder} keeps the "
     "arguments of every call."},
    {"warnings-registry", 0, NULL, NULL, is_warnings_registry,
     "Each warning with a new text is remembered, so that it is shown once.",
     "Give warnings.warn() a constant text, or set a filter 'always' or 'ignore' for it: {holder} "
     "keeps every different text."},
    {"growing-import-path", 0, "list", NULL, is_import_path,
     "sys.path gets an entry again and again, and each import searches them all.",
     "Insert the folder once, when it is not in {holder} yet."},
    {"pickler-memo", 0, NULL, NULL, is_memo,
     "A pickler that is used again and again remembers every object it has written.",
     "Make a new pickler for each message, or call clear_memo() between them: {holder} keeps "
     "every object."},
    {"pointer-types", 0, NULL, NULL, is_pointer_cache,
     "ctypes keeps a pointer type for each type it was asked for, arrays of each length too.",
     "Use ctypes.POINTER() of one element type and cast, not of arrays of ever new lengths: "
     "{holder} keeps each type."},
    {"unflushed-session", 0, NULL, NULL, is_unflushed,
     "Objects are added to a database session that is never flushed.",
     "Commit the session, or expunge() what shall not be written, and make a session for each "
     "unit of work: {holder} keeps every object until then."},
    {"identity-map", 0, NULL, NULL, has_identities,
     "A session's identity map keeps each object that was loaded through it.",
     "Use a session for each unit of work and close it, or call expunge() on what is done: "
     "{holder} keeps every object that was loaded."},
};
const struct hw_cause_table hw_causes_library = HW_CAUSE_TABLE(rows);

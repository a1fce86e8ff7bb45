/* SPDX-License-Identifier: Apache-2.0 */
#include "why/rules.h"

#include "ask/lookup.h"

#include <string.h>

const struct hw_resource_rule hw_resource_rules[] = {
    {"socket.socket", "sockets", "close() each one when its peer is done, or use with"},
    {"_socket.socket", "sockets", "close() each one when its peer is done, or use with"},
    {"ssl.SSLSocket", "sockets", "close() each one when its peer is done, or use with"},
    {"ssl.SSLObject", "TLS connections", "close() their transports"},
    {"_ssl.*", "TLS objects", "share one context and close the connections"},
    {"_io.TextIOWrapper", "open files", "close() each one, or use with"},
    {"_io.Buffered*", "open files", "close() each one, or use with"},
    {"_io.FileIO", "open files", "close() each one, or use with"},
    {"tempfile.*", "temporary files", "close() each one, or use with"},
    {"mmap.mmap", "memory maps", "close() each one"},
    {"sqlite3.Connection", "database connections", "close() each one, or use one again"},
    {"sqlite3.Cursor", "database cursors", "close() each one"},
    {"subprocess.Popen", "child processes", "wait() for each one"},
    {"multiprocessing.*", "processes and their pipes", "join() and close() each one"},
    {"threading.Thread", "threads", "let each one end, and join() it"},
    {"threading.Timer", "timers", "cancel() and join() each one"},
    {"_asyncio.Task", "tasks that wait", "cancel() each one, or await it with a time limit"},
    {"asyncio.tasks.Task", "tasks that wait", "cancel() each one, or await it with a time limit"},
    {"_asyncio.Future", "futures that wait", "resolve or cancel() each one"},
    {"asyncio.futures.Future", "futures that wait", "resolve or cancel() each one"},
    {"asyncio.events.TimerHandle", "timers", "cancel() each one"},
    {"asyncio.selector_events.*", "transports", "close() each one"},
    {"select.epoll", "epoll objects", "close() each one"},
    {"selectors.*Selector", "selectors", "close() each one"},
    {"concurrent.futures.thread.ThreadPoolExecutor", "thread pools", "shutdown() each one"},
    {"http.client.HTTP*Connection", "HTTP connections", "close() each one"},
};
const size_t hw_resource_rule_count = sizeof(hw_resource_rules) / sizeof(hw_resource_rules[0]);

static const struct hw_resource_rule *find_resource(const char *type)
{
    for (size_t i = 0; i < hw_resource_rule_count; i++)
        if (hw_name_matches(hw_resource_rules[i].type, type))
            return &hw_resource_rules[i];
    return NULL;
}

/* A type object is described by its name. */
const struct hw_resource_rule *hw_resource_of(const struct hw_graph *graph, uint32_t type)
{
    enum { BASES_MAX = 16 };
    const struct hw_resource_rule *rule = find_resource(graph->types[type].name);
    hw_id at = graph->types[type].flags & HW_TYPE_PYTHON ? graph->types[type].node : HW_NONE;
    for (unsigned i = 0; !rule && at != HW_NONE && i < BASES_MAX; i++) {
        char name[HW_VALUE_MAX_BYTES + 16];
        uint32_t base = hw_edge_find(graph, at, HW_LABEL_ATTR, "__base__");
        at = base == HW_NO_EDGE ? HW_NONE : graph->edge_to[base];
        if (at != HW_NONE && hw_graph_value(graph, at, name, sizeof(name)))
            rule = find_resource(name);
    }
    return rule;
}

bool hw_type_is_callback(const struct hw_type *type)
{
    static const char *const names[] = {"functools.partial",          "functools.partialmethod",
                                        "builtin_function_or_method", "method-wrapper",
                                        "weakref.WeakMethod",         "weakref.finalize"};
    if (type->flags & (HW_TYPE_FUNCTION | HW_TYPE_METHOD))
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(type->name, names[i]) == 0)
            return true;
    return false;
}

const struct hw_known_cache hw_known_caches[] = {
    {"sys.modules['re']._cache*", "re keeps at most 512 compiled patterns"},
    {"sys.modules['sre_compile']*", "re keeps at most 512 compiled patterns"},
    {"sys.modules['fnmatch']*", "fnmatch keeps a bounded number of patterns"},
    {"sys.modules['linecache'].cache*", "one entry for each source file of a traceback"},
    {"sys.modules['tokenize']*", "filled once"},
    {"sys.modules['_strptime']*", "at most five formats"},
    {"sys.modules['struct']*", "at most 100 formats"},
    {"sys.modules['typing']*", "bounded by functools.lru_cache"},
    {"sys.modules['urllib.parse']*", "bounded by functools.lru_cache"},
    {"sys.modules['encodings']._cache*", "one entry for each codec"},
    {"sys.modules['importlib*", "one entry for each directory or module"},
    {"sys.modules['_frozen_importlib*", "one entry for each directory or module"},
    {"sys.modules['copyreg']*", "one entry for each class"},
    {"sys.modules['_asyncio']._all_tasks*", "weak references: the tasks are held elsewhere"},
    {"sys.modules['_asyncio']._scheduled_tasks*", "weak references, since 3.12"},
    {"sys.modules['asyncio.tasks']._all_tasks*", "weak references: the tasks are held elsewhere"},
    {"sys.modules['asyncio.tasks']._scheduled_tasks*", "weak references, since 3.12"},
    {"*.<tp_subclasses>", "weak references: the classes are held elsewhere"},
};
const size_t hw_known_cache_count = sizeof(hw_known_caches) / sizeof(hw_known_caches[0]);

static const struct hw_session_rule session_rules[] = {
    {"_pytest.*", "pytest"},
    {"unittest.result.*", "unittest"},
    {"unittest.runner.*", "unittest"},
};

const struct hw_session_rule *hw_session_rule_of(const char *type)
{
    for (size_t i = 0; i < sizeof(session_rules) / sizeof(session_rules[0]); i++)
        if (hw_name_matches(session_rules[i].owner, type))
            return &session_rules[i];
    return NULL;
}

const char *const hw_removal_words[] = {"pop",    "popitem", "popleft", "clear",
                                        "remove", "discard", "next",    NULL};
const char *const hw_function_words[] = {"len", "next", "heappush", NULL};
const char *const hw_clock_words[] = {
    "time",    "monotonic", "perf_counter", "now",     "utcnow",   "ttl", "max_age",
    "expires", "expiry",    "expire",       "timeout", "deadline", NULL};
const char *const hw_undoing_words[] = {"remove", "discard", "pop", NULL};
const char *const hw_choosing_words[] = {"len",  "next",  "iter", "min",    "popitem", "popleft",
                                         "list", "items", "keys", "values", "sorted",  NULL};
const char *const hw_lookup_words[] = {"get", "setdefault", NULL};
const char *const hw_addition_words[] = {"append", "appendleft", "add",      "extend", "insert",
                                         "update", "put",        "heappush", NULL};

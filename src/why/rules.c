/* SPDX-License-Identifier: Apache-2.0 */
#include "why/rules.h"

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

const struct hw_resource_rule *hw_resource_find(const char *type)
{
    for (size_t i = 0; i < hw_resource_rule_count; i++)
        if (hw_name_matches(hw_resource_rules[i].type, type))
            return &hw_resource_rules[i];
    return NULL;
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
    {"*.<tp_subclasses>", "weak references: the classes are held elsewhere"},
    {"sys.modules['gc'].garbage*", "the collector's own list"},
};
const size_t hw_known_cache_count = sizeof(hw_known_caches) / sizeof(hw_known_caches[0]);

const struct hw_fix_rule hw_fix_rules[] = {
    {HW_PATTERN_UNCLOSED_RESOURCE, NULL, NULL,
     "End what {holder} collects: {cure}; and take it out of {holder} then."},
    {HW_PATTERN_CLOSURE, NULL, "method",
     "Remove each method from {holder} when its object is done, or keep weakref.WeakMethod(...) "
     "there instead: a bound method keeps its object alive."},
    {HW_PATTERN_CLOSURE, NULL, NULL,
     "Remove each callback from {holder} when it is no longer needed, and let it capture no more "
     "than it uses: everything it captured lives as long as it does."},
    {HW_PATTERN_FRAME, NULL, "*Error",
     "Keep str(error) or traceback.format_exception(error) in {holder} instead of the exception, "
     "or "
     "clear error.__traceback__: a traceback keeps every frame and all of its local variables."},
    {HW_PATTERN_FRAME, NULL, "generator",
     "close() each generator that is not read to its end, and take it out of {holder}: a suspended "
     "generator keeps all of its local variables."},
    {HW_PATTERN_FRAME, NULL, "*coroutine*",
     "Await or close() each coroutine, and take it out of {holder}: a suspended coroutine keeps "
     "all "
     "of its local variables."},
    {HW_PATTERN_FRAME, NULL, NULL,
     "Keep text instead of exceptions in {holder}, or clear their __traceback__: a traceback keeps "
     "every frame and all of its local variables."},
    {HW_PATTERN_REFERENCE_CYCLE, NULL, NULL,
     "Break the cycle: make {cycle} a weakref.ref, or set it to None when the object is done; or "
     "call gc.enable()."},
    {HW_PATTERN_UNEXPLAINED, NULL, NULL,
     "Look for a missing Py_DECREF in the extension that makes or receives {type}."},
    {HW_PATTERN_GROWING_CONTAINER, NULL, "weakref.finalize*",
     "Let the callback and the arguments given to weakref.finalize() not refer to the object whose "
     "end they wait for, or call detach(): {holder} keeps them until then."},
    {HW_PATTERN_GROWING_CONTAINER, "functools._lru_cache_wrapper", NULL,
     "Give {holder} a bound, @functools.lru_cache(maxsize=...); on a method, keep the cache on the "
     "instance, so that it dies with it."},
    {HW_PATTERN_GROWING_CONTAINER, "collections.deque", NULL,
     "Give {holder} a bound, collections.deque(maxlen=...), or take out what has been handled."},
    {HW_PATTERN_GROWING_CONTAINER, "collections.defaultdict", NULL,
     "Look up with {holder}.get(key) where only reading is meant, since defaultdict stores what it "
     "makes up; remove entries when they are done, or bound their number."},
    {HW_PATTERN_GROWING_CONTAINER, "dict", NULL,
     "Remove the entry from {holder} when its {type} is done{bound}"},
    {HW_PATTERN_GROWING_CONTAINER, "set", NULL,
     "Remove each {type} from {holder} when it is done, or bound the set."},
    {HW_PATTERN_GROWING_CONTAINER, "list", NULL,
     "Remove each {type} from {holder} when it is done, or bound it: "
     "collections.deque(maxlen=...)."},
    {HW_PATTERN_GROWING_CONTAINER, "tuple", NULL,
     "Cut {holder} to the newest items whenever it is replaced by a longer one."},
    {HW_PATTERN_GROWING_CONTAINER, "bytearray", NULL,
     "Write out what {holder} has gathered and clear it, del {holder}[:], or bound its size."},
    {HW_PATTERN_GROWING_CONTAINER, "_io.*IO", NULL,
     "Write out what {holder} has gathered, then seek(0) and truncate() it, or bound its size."},
    {HW_PATTERN_GROWING_CONTAINER, NULL, NULL,
     "Let go of each {type} below {holder} when it is done, or bound how many are kept."},
};
const size_t hw_fix_rule_count = sizeof(hw_fix_rules) / sizeof(hw_fix_rules[0]);

const char *const hw_bound_words[] = {"max", "limit", "capacity", "bound", "size", "most", NULL};
const char *const hw_removal_words[] = {"pop",    "popitem", "popleft", "clear",
                                        "remove", "discard", "next",    NULL};

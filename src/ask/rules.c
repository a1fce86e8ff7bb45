/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/rules.h"

#include <string.h>

#define KIND(name) (1u << HW_LABEL_##name)
#define ANY_ENTRY (KIND(VALUE) | KIND(NAMED) | KIND(INDEX) | KIND(MEMBER))

const struct hw_hop_rule hw_hop_rules[] = {
    {KIND(WORD), 0, NULL, NULL, 200, "found by scanning words: maybe no reference at all"},

    /* structure, not a place of its own */
    {KIND(ATTR), 0, NULL, "__dict__", 0, "an object and its namespace are one thing"},
    {KIND(ROOT), 0, NULL, "sys.modules", 0, "where programs begin"},
    {KIND(ATTR), HW_TYPE_CELL, NULL, "cell_contents", 2, "a cell is a variable"},

    /* what runs is named by its frame; what the frame needs to run is not its possession */
    {KIND(STACK), 0, NULL, NULL, 40, "an operand, gone with the next instruction"},
    {KIND(ATTR) | KIND(INTERNAL), HW_TYPE_SYNTHETIC, NULL, NULL, 90,
     "a frame's code and globals belong to the module"},
    {KIND(TYPE), 0, NULL, NULL, 100, "an instance does not own its class"},
    {KIND(ATTR), HW_TYPE_TYPE, NULL, "__mro__", 80, "a class does not own its ancestors"},
    {KIND(ATTR), HW_TYPE_TYPE, NULL, "__base__", 80, "a class does not own its ancestors"},
    {KIND(ATTR), HW_TYPE_TYPE, NULL, "__bases__", 80, "a class does not own its ancestors"},
    {KIND(ATTR) | KIND(INTERNAL), HW_TYPE_TYPE, NULL, NULL, 80, "the machinery of classes"},
    {0, HW_TYPE_FUNCTION, NULL, "__globals__", 80, "functions only look into their module"},
    {0, HW_TYPE_FUNCTION, NULL, "__builtins__", 90, "everybody refers to the builtins"},
    {0, HW_TYPE_FUNCTION, NULL, "__code__", 20, "code is shared and constant"},
    {0, HW_TYPE_CODE, NULL, NULL, 20, "code is shared and constant"},
    {KIND(INTERNAL), HW_TYPE_GENERATOR, NULL, NULL, 80, "a suspended frame's code and globals"},
    {KIND(ATTR), HW_TYPE_GENERATOR, NULL, "*_code", 80, "a suspended frame's code"},
    {KIND(ATTR), HW_TYPE_GENERATOR, NULL, "__name__", 80, "a name"},
    {KIND(ATTR), HW_TYPE_GENERATOR, NULL, "__qualname__", 80, "a name"},

    /* errors on their way keep what they touched */
    {KIND(ATTR), HW_TYPE_EXCEPTION, NULL, "__traceback__", 40, "a traceback keeps, but owns not"},
    {KIND(ATTR), HW_TYPE_EXCEPTION, NULL, "__context__", 30, "the error before the error"},
    {KIND(ATTR), HW_TYPE_EXCEPTION, NULL, "__cause__", 30, "the error before the error"},
    {0, HW_TYPE_TRACEBACK, NULL, NULL, 20, "a traceback keeps, but owns not"},
    {KIND(ATTR) | KIND(INTERNAL), HW_TYPE_FRAME, NULL, NULL, 60,
     "a frame's caller, code and globals are not its possession"},
    {KIND(LOCAL), HW_TYPE_FRAME, NULL, NULL, 12, "a frame that no longer runs"},

    /* caches and registries remember what others own */
    {0, 0, "functools._lru_cache_wrapper", "__wrapped__", HW_COST_HOP, "the function itself"},
    {0, 0, "functools._lru_cache_wrapper", "__dict__", 0, "the function itself"},
    {0, 0, "functools._lru_cache_wrapper", NULL, 16, "a cache remembers what others own"},
    {0, HW_TYPE_WEAKREF, NULL, NULL, 30, "a weak reference's callback"},
    {0, 0, "_abc._abc_data", NULL, 60, "caches of isinstance()"},
    {KIND(ATTR), 0, NULL, "_ready", 16, "the event loop's queue: due soon"},
    {KIND(ATTR), 0, NULL, "_scheduled", 16, "the event loop's timers"},
    {KIND(ATTR), 0, NULL, "_selector", 16, "the event loop's list of files"},
    {KIND(ATTR), 0, NULL, "_source_traceback", 60, "where a task was made"},
    {KIND(NAMED) | KIND(ATTR), 0, NULL, "__builtins__", 90, "everybody refers to the builtins"},

    {KIND(INTERNAL), 0, NULL, NULL, 24, "no Python expression says so"},
    {KIND(ROOT), 0, NULL, "asyncgen*", 130, "the event loop; the frame that runs it says more"},
    {KIND(ROOT), 0, NULL, NULL, 60, "the interpreter's own state"},
    {KIND(KEY), 0, NULL, NULL, 6, "a value says more than its key"},
};
const uint32_t hw_hop_rule_count = sizeof(hw_hop_rules) / sizeof(hw_hop_rules[0]);
_Static_assert(sizeof(hw_hop_rules) / sizeof(hw_hop_rules[0]) <= 64, "rules are bits of 64");

const uint32_t hw_synthetic_costs[] = {
    [HW_SYN_ROOT] = 0,           [HW_SYN_INTERPRETER] = 0, [HW_SYN_THREAD] = 2,
    [HW_SYN_FRAME] = 7,          /* a module says more than the self of a method that runs */
    [HW_SYN_STATIC_TYPES] = 120, /* each is also found in a module */
    [HW_SYN_C_GLOBALS] = 200,    /* a word in C data */
    [HW_SYN_NATIVE_STACK] = 220  /* a word on a C stack, maybe long dead */
};

const char *const hw_stdlib_names[] = {
    "abc",           "argparse",   "ast",          "asyncio",      "atexit",      "base64",
    "bisect",        "builtins",   "bz2",          "calendar",     "cmd",         "codecs",
    "collections",   "concurrent", "configparser", "contextlib",   "contextvars", "copy",
    "copyreg",       "csv",        "ctypes",       "dataclasses",  "datetime",    "decimal",
    "dis",           "email",      "encodings",    "enum",         "errno",       "faulthandler",
    "fnmatch",       "fractions",  "functools",    "gc",           "genericpath", "getpass",
    "gettext",       "glob",       "gzip",         "hashlib",      "heapq",       "hmac",
    "html",          "http",       "importlib",    "inspect",      "io",          "ipaddress",
    "itertools",     "json",       "keyword",      "linecache",    "locale",      "logging",
    "lzma",          "marshal",    "math",         "mimetypes",    "mmap",        "multiprocessing",
    "numbers",       "opcode",     "operator",     "os",           "pathlib",     "pickle",
    "pkgutil",       "platform",   "posix",        "posixpath",    "pprint",      "pwd",
    "queue",         "quopri",     "random",       "re",           "reprlib",     "resource",
    "runpy",         "secrets",    "select",       "selectors",    "shlex",       "shutil",
    "signal",        "site",       "socket",       "socketserver", "sqlite3",     "sre_compile",
    "sre_constants", "sre_parse",  "ssl",          "stat",         "string",      "stringprep",
    "struct",        "subprocess", "sys",          "sysconfig",    "tarfile",     "tempfile",
    "textwrap",      "threading",  "time",         "token",        "tokenize",    "traceback",
    "tracemalloc",   "types",      "typing",       "unicodedata",  "unittest",    "urllib",
    "uuid",          "warnings",   "weakref",      "xml",          "zipfile",     "zipimport",
    "zlib",          NULL};

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

/* One '*' stands for anything: abc*, *abc, a*c, *abc*. */
bool hw_name_matches(const char *pattern, const char *name)
{
    const char *star = strchr(pattern, '*');
    if (!star)
        return strcmp(pattern, name) == 0;
    size_t before = (size_t)(star - pattern), after = strlen(star + 1), length = strlen(name);
    if (after && star[after] == '*' && !before) {
        char middle[64];
        if (after >= sizeof(middle))
            return false;
        memcpy(middle, star + 1, after - 1);
        middle[after - 1] = 0;
        return strstr(name, middle) != NULL;
    }
    return length >= before + after && strncmp(pattern, name, before) == 0 &&
           strcmp(star + 1, name + length - after) == 0;
}

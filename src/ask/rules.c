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
    {0, 0, "functools._lru_cache_wrapper", NULL, 40, "a cache remembers what others own"},
    {KIND(INTERNAL), 0, "*CFunctionType", NULL, 40, "what C may call belongs to who made it"},
    {KIND(NAMED) | KIND(ATTR), 0, NULL, "_mock_call*", 40, "a mock remembers how it was called"},
    {KIND(NAMED) | KIND(ATTR), 0, NULL, "_mock_mock_calls", 40, "a mock remembers how it was called"},
    {KIND(NAMED) | KIND(ATTR), 0, NULL, "_fd_to_key", 24, "a selector's files, and who waits"},
    {0, HW_TYPE_WEAKREF, NULL, NULL, 30, "a weak reference's callback"},
    {0, 0, "_abc._abc_data", NULL, 60, "caches of isinstance()"},
    {KIND(ATTR), 0, NULL, "_ready", 16, "the event loop's queue: due soon"},
    {KIND(ATTR), 0, NULL, "_scheduled", 16, "the event loop's timers"},
    {KIND(ATTR), 0, NULL, "_selector", 16, "the event loop's list of files"},
    {KIND(ATTR), 0, NULL, "_source_traceback", 60, "where a task was made"},
    {KIND(NAMED) | KIND(ATTR), 0, NULL, "__builtins__", 90, "everybody refers to the builtins"},

    {KIND(INTERNAL), 0, NULL, NULL, 24, "no Python expression says so"},
    {KIND(ROOT), 0, NULL, "asyncgen*", 130, "the event loop; the frame that runs it says more"},
    {KIND(ROOT), 0, NULL, "running *", 130, "the event loop, or its task: the same"},
    {KIND(ROOT), 0, NULL, "signal handler*", 130, "whom a signal wakes; often the event loop"},
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

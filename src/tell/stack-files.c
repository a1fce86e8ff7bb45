/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/stacks.h"

#include <string.h>

/*
 * What a file's path says: whose code it is, which package it belongs to, and how it is called in
 * few words.
 *
 *     /usr/lib/python3.11/asyncio/events.py             standard  asyncio  asyncio/events.py
 *     /srv/venv/lib/python3.13/site-packages/rx/hub.py  library   rx       rx/hub.py
 *     /srv/app/main.py, /srv/app/models/user.py         own       main, models
 *     /usr/lib/x86_64-linux-gnu/libxml2.so.2            native    libxml2
 *     ../Modules/_sqlite/cursor.c, of a function called f (_sqlite3.so)
 *                                                       native    _sqlite3  cursor.c
 *     <frozen importlib._bootstrap>                     standard  importlib
 */

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

/* What stands behind the last `folder` in path; NULL: it is not in it. */
static const char *behind_last(const char *path, const char *folder)
{
    const char *found = NULL;
    for (const char *at = path; (at = strstr(at, folder)); at++)
        found = at + strlen(folder);
    return found;
}

/* What stands behind ".../lib/python3.N/" or ".../python3N.zip/". */
static const char *behind_standard(const char *path)
{
    for (const char *at = path; (at = strstr(at, "/python3")); at++) {
        const char *end = at + 8 + strspn(at + 8, ".0123456789t");
        if (strncmp(end, ".zip/", 5) == 0)
            return end + 5;
        if (*end == '/' && end > at + 8 && at >= path + 4 && strncmp(at - 4, "/lib", 4) == 0)
            return end + 1;
    }
    return NULL;
}

/* Libraries, and what debug information calls the sources of C code. */
static bool is_native_file(const char *path)
{
    static const char *const ends[] = {".c",   ".h",  ".cc", ".cpp", ".cxx",
                                       ".hpp", ".rs", ".s",  ".S",   ".so"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        if (ends_with(path, ends[i]))
            return true;
    return strstr(path, ".so.") != NULL;
}

/* A program needs no ending; but what has a whole path and none is most likely an executable. */
static bool is_python_file(const char *path)
{
    return ends_with(path, ".py") || ends_with(path, ".pyx") || ends_with(path, ".pyc") ||
           (*path != '/' && !is_native_file(path));
}

/* The kind of a file, and where the part of its path begins that tells it apart. */
static enum hw_file_kind kind_of(const char *path, bool is_native, const char **ret_rest)
{
    const char *slash = strrchr(path, '/'), *standard = behind_standard(path);
    const char *library = behind_last(path, "/site-packages/");
    if (!library)
        library = behind_last(path, "/dist-packages/");
    *ret_rest = path;
    if (!*path || strcmp(path, "<unknown>") == 0) /* tracemalloc's word */
        return HW_FILE_UNKNOWN;
    if (strncmp(path, "<frozen ", 8) == 0)
        return HW_FILE_STANDARD;
    if (is_native || !is_python_file(path)) {
        *ret_rest = slash ? slash + 1 : path;
        return HW_FILE_NATIVE;
    }
    if (!library && !standard)
        return HW_FILE_OWN;
    *ret_rest = library ? library : standard;
    return library ? HW_FILE_LIBRARY : HW_FILE_STANDARD;
}

/* Of the label: its first folder, or its name without what follows the first dot. */
static uint32_t package_of(struct hw_stacks *stacks, const char *label)
{
    if (strncmp(label, "<frozen ", 8) == 0)
        label += 8;
    size_t bytes = strcspn(label + (*label == '/'), "/") + (*label == '/');
    if (!label[bytes] && *label != '<')
        bytes = strcspn(label + (*label == '.'), ".>") + (*label == '.');
    return hw_names_intern(&stacks->texts, label, bytes);
}

/* How many bytes two paths have in common, up to the last slash. */
static size_t common_bytes(const char *a, const char *b, size_t most)
{
    size_t slash = 0;
    for (size_t i = 0; i < most && a[i] && a[i] == b[i]; i++)
        if (a[i] == '/')
            slash = i + 1;
    return slash;
}

/* The length of the folder in which all of the program's own files are. */
static size_t own_folder(const struct hw_stacks *stacks)
{
    const char *first = NULL, *rest;
    size_t bytes = 0;
    for (size_t i = 0; i < stacks->function_count; i++) {
        const struct hw_stack_function *function = &stacks->functions[i];
        const char *path = hw_stacks_text(stacks, function->file);
        if (kind_of(path, function->is_native, &rest) != HW_FILE_OWN || *path == '<')
            continue;
        bytes = first ? common_bytes(first, path, bytes) : common_bytes(path, path, strlen(path));
        first = first ? first : path;
    }
    return bytes > 1 ? bytes : 0; /* "/" says nothing of a program */
}

/* Of C code the library, which follows the function's name where the file is a source; else the
 * label's. */
static uint32_t package_of_function(struct hw_stacks *stacks,
                                    const struct hw_stack_function *function, const char *label)
{
    const char *library = strrchr(hw_stacks_text(stacks, function->name), '(');
    if (function->kind != HW_FILE_NATIVE || !library || !ends_with(library, ")"))
        library = NULL;
    return package_of(stacks, library ? library + 1 : label);
}

bool hw_stacks_name_files(struct hw_stacks *stacks)
{
    size_t folder = own_folder(stacks);
    for (size_t i = 0; i < stacks->function_count; i++) {
        struct hw_stack_function *function = &stacks->functions[i];
        const char *path = hw_stacks_text(stacks, function->file), *rest;
        function->kind = kind_of(path, function->is_native, &rest);
        if (function->kind == HW_FILE_OWN && *path != '<')
            rest = path + folder;
        function->label = hw_names_intern(&stacks->texts, rest, strlen(rest));
        function->package = package_of_function(stacks, function, rest);
    }
    return !stacks->texts.failed;
}

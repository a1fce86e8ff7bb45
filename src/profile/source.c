/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Where functions begin and end in Python source. No parser: a function ends before the next line
 * that is not indented deeper than its def. For that it must be known which lines begin a
 * statement, so strings, brackets, comments and backslashes at the end of a line are followed.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"
#include "heapwhy.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCOPES_MAX = 100, TAB = 8 }; /* Python itself allows 100 levels of indentation */

struct source_result {
    struct hw_source source; /* first: destroy finds the rest by it */
    struct hw_arena arena;
};

struct scope {
    uint32_t indent;
    bool is_function; /* else a class */
    size_t function;  /* that is open here; SIZE_MAX: this is within another, or a class */
    const char *name;
};
struct scan {
    struct source_result *result;
    size_t capacity;
    struct scope scopes[SCOPES_MAX];
    size_t scope_count;
    char quote; /* of the string in which a line begins: ' or "; 0: in none */
    unsigned brackets;
    bool goes_on;       /* the line before ended with a backslash */
    uint32_t decorated; /* line of the first decorator before this one; 0: none */
    uint32_t last_full; /* line that is not empty */
};

/* ---- lines that begin a statement ---- */

static bool is_triple(const char *at)
{
    return at[1] == *at && at[2] == *at;
}

/* Behind the string whose first quote is at; at the line's end when it goes on. */
static const char *skip_string(struct scan *scan, const char *at, char quote, bool is_triple_one)
{
    for (; *at; at++) {
        if (*at == '\\' && at[1])
            at++;
        else if (*at == quote && (!is_triple_one || is_triple(at)))
            return at + (is_triple_one ? 3 : 1);
    }
    scan->quote = is_triple_one ? quote : 0;
    return at;
}

static void skip_line(struct scan *scan, const char *at)
{
    scan->goes_on = false;
    if (scan->quote) {
        char quote = scan->quote;
        scan->quote = 0;
        at = skip_string(scan, at, quote, true);
    }
    while (*at && *at != '#') {
        char c = *at;
        if (c == '\'' || c == '"') {
            bool three = is_triple(at);
            at = skip_string(scan, at + (three ? 3 : 1), c, three);
            continue;
        }
        if (strchr("([{", c))
            scan->brackets++;
        else if (strchr(")]}", c) && scan->brackets)
            scan->brackets--;
        scan->goes_on = c == '\\' && !at[1];
        at++;
    }
}

/* ---- functions ---- */

static const char *keyword(const char *at, const char *word)
{
    size_t n = strlen(word);
    if (strncmp(at, word, n) != 0 || at[n] != ' ')
        return NULL;
    return at + n + strspn(at + n, " ");
}

static void close_scopes(struct scan *scan, uint32_t indent)
{
    struct hw_source *source = &scan->result->source;
    while (scan->scope_count && scan->scopes[scan->scope_count - 1].indent >= indent) {
        const struct scope *scope = &scan->scopes[--scan->scope_count];
        if (scope->function != SIZE_MAX)
            source->functions[scope->function].last = scan->last_full;
    }
}

/* A class's name, or a function's, with those around it. */
static const char *full_name(struct scan *scan, const char *at)
{
    struct hw_arena *arena = &scan->result->arena;
    size_t n = 0;
    while (at[n] == '_' || isalnum((unsigned char)at[n]) || (unsigned char)at[n] >= 0x80)
        n++;
    if (!scan->scope_count)
        return hw_arena_strndup(arena, at, n);
    return hw_arena_printf(arena, "%s.%.*s", scan->scopes[scan->scope_count - 1].name, (int)n, at);
}

static bool open_scope(struct scan *scan, const char *name, bool is_function, uint32_t indent,
                       uint32_t line)
{
    struct hw_source *source = &scan->result->source;
    bool is_inner = scan->scope_count && scan->scopes[scan->scope_count - 1].is_function;
    if (scan->scope_count == SCOPES_MAX)
        return true;
    struct scope *scope = &scan->scopes[scan->scope_count];
    *scope = (struct scope){indent, is_function || is_inner, SIZE_MAX, full_name(scan, name)};
    if (!scope->name)
        return false;
    scan->scope_count++;
    if (!is_function || is_inner)
        return true;
    struct hw_source_function *functions = hw_vec_grow(
        source->functions, &scan->capacity, source->function_count + 1, sizeof(*functions));
    if (!functions)
        return false;
    source->functions = functions;
    scope->function = source->function_count++;
    functions[scope->function] =
        (struct hw_source_function){scope->name, scan->decorated ? scan->decorated : line, line};
    return true;
}

static bool begin_statement(struct scan *scan, const char *text, uint32_t line)
{
    uint32_t indent = (uint32_t)strspn(text, " \f");
    const char *at = text + indent, *name;
    if (!*at || *at == '#')
        return true;
    close_scopes(scan, indent);
    scan->last_full = line;
    if (*at == '@') {
        scan->decorated = scan->decorated ? scan->decorated : line;
        return true;
    }
    bool ok = true;
    const char *async = keyword(at, "async");
    if ((name = keyword(async ? async : at, "def")))
        ok = open_scope(scan, name, true, indent, line);
    else if ((name = keyword(at, "class")))
        ok = open_scope(scan, name, false, indent, line);
    scan->decorated = 0;
    return ok;
}

static bool find_functions(struct source_result *result)
{
    struct scan scan = {.result = result};
    bool ok = true;
    for (uint32_t i = 0; ok && i < result->source.line_count; i++) {
        const char *text = result->source.lines[i];
        if (!scan.quote && !scan.brackets && !scan.goes_on)
            ok = begin_statement(&scan, text, i + 1);
        else if (text[strspn(text, " ")])
            scan.last_full = i + 1;
        skip_line(&scan, text);
    }
    close_scopes(&scan, 0);
    return ok;
}

/* ---- the file ---- */

static const char *copy_line(struct hw_arena *arena, const char *text, size_t bytes)
{
    struct hw_buf buf = {0};
    for (size_t i = 0, column = 0; i < bytes; i++) {
        size_t blanks = text[i] == '\t' ? TAB - column % TAB : 0;
        if (text[i] == '\r' && i + 1 == bytes)
            break;
        for (column += blanks ? blanks : 1; blanks; blanks--)
            hw_buf_putc(&buf, ' ');
        if (text[i] != '\t')
            hw_buf_putc(&buf, text[i] ? text[i] : ' ');
    }
    const char *copy = hw_buf_ok(&buf) ? hw_arena_strdup(arena, hw_buf_str(&buf)) : NULL;
    hw_buf_deinit(&buf);
    return copy;
}

static bool split(struct source_result *result, const char *text, size_t bytes)
{
    uint32_t count = bytes && text[bytes - 1] != '\n';
    for (size_t i = 0; i < bytes; i++)
        count += text[i] == '\n';
    result->source.lines = hw_arena_array(&result->arena, count + 1, sizeof(*result->source.lines));
    if (!result->source.lines)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const char *end = memchr(text, '\n', bytes);
        size_t length = end ? (size_t)(end - text) : bytes;
        result->source.lines[i] = copy_line(&result->arena, text, length);
        if (!result->source.lines[i])
            return false;
        text += length + 1;
        bytes -= end ? length + 1 : length;
    }
    result->source.line_count = count;
    return true;
}

/* *ret_text: the caller frees it. */
static bool read_text(const char *path, char **ret_text, size_t *ret_bytes, struct stat *st,
                      struct hw_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return hw_err_sys(err, HW_ERR_NOT_FOUND, errno, "cannot read %s", path);
    bool is_file = fstat(fd, st) == 0 && S_ISREG(st->st_mode),
         fits = st->st_size <= HW_SOURCE_MAX_BYTES;
    char *text = is_file && fits ? malloc((size_t)st->st_size + 1) : NULL;
    ssize_t n = 0;
    size_t bytes = 0;
    while (text && bytes < (size_t)st->st_size &&
           (n = read(fd, text + bytes, (size_t)st->st_size - bytes)) > 0)
        bytes += (size_t)n;
    close(fd);
    if (!is_file)
        return hw_err_set(err, HW_ERR_NOT_FOUND, "%s is no file", path);
    if (!fits)
        return hw_err_set(err, HW_ERR_LIMIT, "%s is larger than source can be", path);
    if (!text)
        return hw_err_no_memory(err);
    *ret_text = text;
    *ret_bytes = bytes;
    return true;
}

bool hw_source_read(const char *path, struct hw_source **ret_source, struct hw_err *err)
{
    struct stat st;
    char *text = NULL;
    size_t bytes = 0;
    if (!read_text(path, &text, &bytes, &st, err))
        return false;
    struct source_result *result = calloc(1, sizeof(*result));
    bool ok = result && split(result, text, bytes) && find_functions(result);
    free(text);
    if (!ok) {
        hw_source_destroy(&result->source);
        return hw_err_no_memory(err);
    }
    result->source.changed_at_ns = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
    *ret_source = &result->source;
    return true;
}

void hw_source_destroy(struct hw_source *source)
{
    if (!source)
        return;
    struct source_result *result = (struct source_result *)source;
    free(source->functions);
    hw_arena_deinit(&result->arena);
    free(result);
}

/* SPDX-License-Identifier: Apache-2.0 */

/* The user's rules, docs/rules.md: one a line, `ignore WHAT because REASON`. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FILE_MAX = 1024 * 1024,
    LINE_MAX_BYTES = 4096,
    WORD_SHOWN = 40, /* of a word that is not known */
};

struct rules_result {
    struct hw_rules rules;
    size_t capacity;
    struct hw_arena arena;
};

struct place {
    const char *path;
    unsigned line;
    struct hw_err *err;
};

static bool wrong(const struct place *place, const char *what)
{
    return hw_err_set(place->err, HW_ERR_USAGE, "%.300s:%u: %s", place->path, place->line, what);
}

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t n = strlen(text);
    while (n && strchr(" \t\r", text[n - 1]))
        text[--n] = 0;
    return text;
}

/* Cuts the first word off and returns what follows it. */
static char *cut_word(char *text)
{
    char *end = text + strcspn(text, " \t");
    if (!*end)
        return end;
    *end = 0;
    return trim(end + 1);
}

static char *find_because(char *text)
{
    static const char word[] = "because";
    const size_t n = sizeof(word) - 1;
    for (char *at = strstr(text, word); at; at = strstr(at + 1, word)) {
        bool begins = at == text || strchr(" \t", at[-1]);
        if (begins && (!at[n] || strchr(" \t", at[n])))
            return at;
    }
    return NULL;
}

static bool add_rule(struct rules_result *result, const struct place *place, const char *what,
                     const char *reason)
{
    struct hw_rules *rules = &result->rules;
    struct hw_ignore *ignores =
        hw_vec_grow(rules->ignores, &result->capacity, rules->ignore_count + 1, sizeof(*ignores));
    if (!ignores)
        return hw_err_no_memory(place->err);
    rules->ignores = ignores;
    struct hw_ignore *rule = &ignores[rules->ignore_count++];
    *rule = (struct hw_ignore){
        .what = hw_arena_strdup(&result->arena, what),
        .reason = hw_arena_strdup(&result->arena, reason),
        .source = hw_arena_printf(&result->arena, "%s:%u", place->path, place->line)};
    return (rule->what && rule->reason && rule->source) || hw_err_no_memory(place->err);
}

static bool read_line(struct rules_result *result, const struct place *place, char *line)
{
    line = trim(line);
    if (!*line || *line == '#')
        return true;
    char *rest = cut_word(line);
    if (strcmp(line, "ignore") != 0)
        return hw_err_set(place->err, HW_ERR_USAGE,
                          "%.300s:%u: unknown word '%.*s'; a rule reads: "
                          "ignore WHAT because REASON",
                          place->path, place->line, WORD_SHOWN, line);
    char *because = find_because(rest);
    if (!because)
        return wrong(place, *rest ? "'because' and a reason are missing: a rule reads: ignore WHAT "
                                    "because REASON"
                                  : "what to ignore is missing: a fingerprint, a type or a path");
    *because = 0;
    char *what = trim(rest), *reason = trim(because + strlen("because"));
    if (!*what)
        return wrong(place, "what to ignore is missing: a fingerprint, a type or a path");
    if (!*reason)
        return wrong(place, "the reason is missing behind 'because'");
    return add_rule(result, place, what, reason);
}

/* A NUL in the text would end it early; other control characters are no text either. */
static bool is_text(const char *line, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)line[i] < ' ' && line[i] != '\t' && line[i] != '\r')
            return false;
    return true;
}

static bool read_lines(struct rules_result *result, struct place *place, char *text, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        char *end = memchr(text + at, '\n', bytes - at);
        size_t n = end ? (size_t)(end - text) - at : bytes - at;
        place->line++;
        if (!is_text(text + at, n))
            return wrong(place, "this is no text");
        if (n > LINE_MAX_BYTES)
            return wrong(place, "the line is longer than 4096 bytes");
        text[at + n] = 0;
        if (!read_line(result, place, text + at))
            return false;
        at += n + 1;
    }
    return true;
}

/* Reads at most one byte more than may be, so that nothing endless is read to its end. */
static bool read_file(int fd, struct hw_buf *text)
{
    ssize_t n = 1;
    while (n && text->len <= FILE_MAX) {
        unsigned char *to = hw_buf_reserve(text, 64 * 1024);
        n = to ? read(fd, to, 64 * 1024) : -1;
        if (n < 0 && (!to || errno != EINTR))
            return false;
        text->len += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool load(struct rules_result *result, const char *path, struct hw_buf *text,
                 struct hw_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && read_file(fd, text);
    int why = errno;
    if (fd >= 0)
        close(fd);
    if (!hw_buf_ok(text))
        return hw_err_no_memory(err);
    if (!ok)
        return hw_err_sys(err, why == ENOENT ? HW_ERR_NOT_FOUND : HW_ERR_IO, why,
                          "cannot read the rules in %.300s", path);
    struct place place = {.path = path, .err = err};
    bool is_large = text->len > FILE_MAX;
    hw_buf_putc(text, '\n'); /* also where a terminator may go */
    if (!hw_buf_ok(text))
        return hw_err_no_memory(err);
    if (!read_lines(result, &place, (char *)text->data, text->len - 1))
        return false;
    return !is_large ||
           hw_err_set(err, HW_ERR_USAGE, "%.300s: more than a megabyte is no file of rules", path);
}

bool hw_rules_load(const char *path, struct hw_rules **ret_rules, struct hw_err *err)
{
    struct rules_result *result = calloc(1, sizeof(*result));
    struct hw_buf text = {0};
    bool ok = result ? load(result, path, &text, err) : hw_err_no_memory(err);
    hw_buf_deinit(&text);
    if (!ok) {
        hw_rules_destroy(result ? &result->rules : NULL);
        return false;
    }
    *ret_rules = &result->rules;
    return true;
}

void hw_rules_destroy(struct hw_rules *rules)
{
    if (!rules)
        return;
    struct rules_result *result = (struct rules_result *)rules;
    free(rules->ignores);
    hw_arena_deinit(&result->arena);
    free(result);
}

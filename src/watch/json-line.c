/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/json-line.h"

#include "heapwhy.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DEPTH_MAX = 32 };

static char *skip_blanks(char *at)
{
    return at + strspn(at, " \t\r\n");
}

static bool hex4(const char *at, unsigned *ret)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        if (!isxdigit((unsigned char)c))
            return false;
        value = value * 16 + (unsigned)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    *ret = value;
    return true;
}

/* At most three bytes for an escape of six; halves of pairs and NUL become U+FFFD. */
static char *put_utf8(char *to, unsigned c)
{
    if (!c || (c >= 0xd800 && c < 0xe000))
        c = 0xfffd;
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3f));
    } else {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    return to;
}

/* at: behind the opening quote. Returns what is behind the closing one; NULL: no string. */
static char *string_end(char *at)
{
    static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char *to = at;
    while (*at && *at != '"') {
        unsigned c;
        const char *known;
        if (*at != '\\') {
            *to++ = *at++;
        } else if (at[1] == 'u' && hex4(at + 2, &c)) {
            to = put_utf8(to, c);
            at += 6;
        } else if (at[1] && (known = strchr(escapes, at[1]))) {
            *to++ = meant[known - escapes];
            at += 2;
        } else {
            return NULL;
        }
    }
    if (*at != '"')
        return NULL;
    *to = 0;
    return at + 1;
}

/* Passes over an object or array that begins at `at`; NULL: it does not end, or is too deep. */
static char *nested_end(char *at)
{
    for (int depth = 0; *at && depth <= DEPTH_MAX;) {
        char c = *at++;
        if (c == '"' && !(at = string_end(at)))
            return NULL;
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        if (!depth)
            return at;
    }
    return NULL;
}

/* Parses the value at `at`; *ret_next: behind it. False: there is none. */
static bool value_parse(char *at, struct hw_json_member *member, char **ret_next, char *ret_after)
{
    char *end;
    member->is_string = *at == '"';
    member->text = member->is_string ? at + 1 : at;
    if (*at == '{' || *at == '[') {
        member->text = "";
        end = nested_end(at);
    } else if (*at == '"') {
        end = string_end(at + 1);
    } else {
        size_t length = strcspn(at, ",} \t\r\n");
        end = length ? at + length : NULL;
    }
    if (!end)
        return false;
    *ret_next = skip_blanks(end);
    *ret_after = **ret_next;
    *end = 0;
    return true;
}

bool hw_json_line_parse(char *line, struct hw_json_line *ret_line)
{
    char *at = skip_blanks(line), after = ',';
    ret_line->count = 0;
    if (*at != '{')
        return false;
    while (after == ',') {
        struct hw_json_member member;
        at = skip_blanks(at + 1);
        if (*at == '}' && !ret_line->count)
            return true;
        if (*at != '"')
            return false;
        member.key = at + 1;
        if (!(at = string_end(at + 1)) || *(at = skip_blanks(at)) != ':' ||
            !value_parse(skip_blanks(at + 1), &member, &at, &after))
            return false;
        if (ret_line->count < HW_JSON_LINE_MEMBERS)
            ret_line->members[ret_line->count++] = member;
    }
    return after == '}';
}

static const struct hw_json_member *find(const struct hw_json_line *line, const char *key)
{
    for (size_t i = 0; i < line->count; i++)
        if (strcmp(line->members[i].key, key) == 0)
            return &line->members[i];
    return NULL;
}

const char *hw_json_line_string(const struct hw_json_line *line, const char *key)
{
    const struct hw_json_member *member = find(line, key);
    return member && member->is_string ? member->text : NULL;
}

uint64_t hw_json_line_u64(const struct hw_json_line *line, const char *key)
{
    const struct hw_json_member *member = find(line, key);
    if (!member || member->is_string || !isdigit((unsigned char)member->text[0]))
        return HW_UNKNOWN;
    errno = 0;
    unsigned long long n = strtoull(member->text, NULL, 10);
    return errno ? HW_UNKNOWN : n;
}

int64_t hw_json_line_time(const struct hw_json_line *line, const char *key)
{
    const char *text = hw_json_line_string(line, key);
    struct tm tm = {0};
    unsigned ms = 0;
    if (!text || strlen(text) > 32 ||
        sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3u", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ms) < 6)
        return 0;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    time_t seconds = timegm(&tm);
    /* what an int64_t of nanoseconds holds */
    if (seconds < 0 || seconds > INT64_C(9000000000))
        return 0;
    return (int64_t)seconds * 1000000000 + ms * INT64_C(1000000);
}

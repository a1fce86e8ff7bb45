/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/json-writer.h"

#include "tell/text.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

void hw_json_init(struct hw_json *json, struct hw_out *out, bool compact)
{
    *json = (struct hw_json){.out = out, .compact = compact};
}

static void put_line(struct hw_json *json)
{
    static const char blanks[2 * HW_JSON_DEPTH + 1] =
        "                                                                ";
    if (json->compact)
        return;
    hw_out_puts(json->out, "\n");
    hw_out_put(json->out, blanks, 2 * (size_t)json->depth);
}

/* Characters that some readers take for the end of a line are written as numbers, too. */
static void put_string(struct hw_out *out, const char *s, bool in_page)
{
    hw_out_puts(out, "\"");
    while (*s) {
        size_t plain = 0;
        while (s[plain] >= 0x20 && s[plain] < 0x7f && s[plain] != '"' && s[plain] != '\\' &&
               !(in_page && s[plain] == '<'))
            plain++;
        hw_out_put(out, s, plain);
        s += plain;
        if (!*s)
            break;
        uint32_t c;
        size_t n = hw_utf8_decode(s, &c);
        if (!n)
            hw_out_puts(out, "\\ufffd");
        else if (c == '"' || c == '\\')
            hw_out_printf(out, "\\%c", (char)c);
        else if (c < 0x20 || c == '<' || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029)
            hw_out_printf(out, "\\u%04x", (unsigned)c);
        else
            hw_out_put(out, s, n);
        s += n ? n : 1;
    }
    hw_out_puts(out, "\"");
}

/* Everything that stands before a value: comma, line, key. */
static void begin(struct hw_json *json, const char *key)
{
    uint32_t level = 1u << json->depth;
    assert(!key == (json->depth == 0 || (json->is_array & level) != 0));
    if (json->depth) {
        if (json->has_members & level)
            hw_out_puts(json->out, ",");
        put_line(json);
        json->has_members |= level;
    }
    if (key) { /* ours: nothing in it needs escaping */
        hw_out_puts(json->out, "\"");
        hw_out_puts(json->out, key);
        hw_out_puts(json->out, json->compact ? "\":" : "\": ");
    }
}

static void open_level(struct hw_json *json, const char *key, bool is_array)
{
    begin(json, key);
    hw_out_puts(json->out, is_array ? "[" : "{");
    assert(json->depth + 1 < HW_JSON_DEPTH);
    json->depth++;
    uint32_t level = 1u << json->depth;
    json->has_members &= ~level;
    json->is_array = is_array ? json->is_array | level : json->is_array & ~level;
}

void hw_json_object(struct hw_json *json, const char *key)
{
    open_level(json, key, false);
}

void hw_json_array(struct hw_json *json, const char *key)
{
    open_level(json, key, true);
}

void hw_json_end(struct hw_json *json)
{
    uint32_t level = 1u << json->depth;
    bool is_array = json->is_array & level, has_members = json->has_members & level;
    assert(json->depth > 0);
    json->depth--;
    if (has_members)
        put_line(json);
    hw_out_puts(json->out, is_array ? "]" : "}");
    if (!json->depth)
        hw_out_puts(json->out, "\n");
}

void hw_json_string(struct hw_json *json, const char *key, const char *s)
{
    begin(json, key);
    put_string(json->out, s, json->in_page);
}

/* Called for every edge of every object, where printf would take half of the time. */
void hw_json_u64(struct hw_json *json, const char *key, uint64_t n)
{
    char digits[20];
    size_t at = sizeof(digits);
    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    begin(json, key);
    hw_out_put(json->out, digits + at, sizeof(digits) - at);
}

void hw_json_i64(struct hw_json *json, const char *key, int64_t n)
{
    begin(json, key);
    hw_out_printf(json->out, "%" PRId64, n);
}

void hw_json_double(struct hw_json *json, const char *key, double n)
{
    begin(json, key);
    if (isfinite(n))
        hw_out_printf(json->out, "%.3f", n);
    else
        hw_out_puts(json->out, "null");
}

void hw_json_bool(struct hw_json *json, const char *key, bool b)
{
    begin(json, key);
    hw_out_puts(json->out, b ? "true" : "false");
}

void hw_json_addr(struct hw_json *json, const char *key, uint64_t addr)
{
    begin(json, key);
    if (addr)
        hw_out_printf(json->out, "\"0x%" PRIx64 "\"", addr);
    else
        hw_out_puts(json->out, "null");
}

void hw_json_time(struct hw_json *json, const char *key, int64_t ns_since_1970)
{
    time_t seconds = (time_t)(ns_since_1970 / 1000000000);
    struct tm tm = {0};
    char day[32] = "";
    if (gmtime_r(&seconds, &tm))
        strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
    begin(json, key);
    hw_out_printf(json->out, "\"%s.%03dZ\"", day, (int)(ns_since_1970 / 1000000 % 1000));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

size_t hw_utf8_decode(const char *s, uint32_t *ret_char)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)s;
    if (p[0] == 0)
        return 0;
    if (p[0] < 0x80) {
        *ret_char = p[0];
        return 1;
    }
    size_t n = p[0] >= 0xf8 ? 0 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc0 ? 2 : 0;
    if (!n)
        return 0;
    uint32_t c = p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *ret_char = c;
    return n;
}

/* Characters that act on the display instead of standing in it. */
static bool is_acting(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
           (c >= 0xe0000 && c <= 0xe007f);
}

static void put_escaped(struct hw_buf *buf, uint32_t c)
{
    if (c == '\n')
        hw_buf_puts(buf, "\\n");
    else if (c == '\t')
        hw_buf_puts(buf, "\\t");
    else if (c == '\r')
        hw_buf_puts(buf, "\\r");
    else if (c < 0x100)
        hw_buf_printf(buf, "\\x%02x", (unsigned)c);
    else if (c < 0x10000)
        hw_buf_printf(buf, "\\u%04x", (unsigned)c);
    else
        hw_buf_printf(buf, "\\U%08x", (unsigned)c);
}

void hw_text_escape(struct hw_buf *buf, const char *s)
{
    while (*s) {
        size_t plain = 0;
        while (s[plain] >= 0x20 && s[plain] < 0x7f)
            plain++;
        hw_buf_put(buf, s, plain);
        s += plain;
        if (!*s)
            break;
        uint32_t c;
        size_t n = hw_utf8_decode(s, &c);
        if (n && !is_acting(c))
            hw_buf_put(buf, s, n);
        else
            put_escaped(buf, n ? c : (unsigned char)*s);
        s += n ? n : 1;
    }
}

static size_t char_width(uint32_t c)
{
    int width = c < 0x80 ? 1 : wcwidth((wchar_t)c);
    return width < 0 ? 1 : (size_t)width;
}

/* Bytes of the next character, at least one; its columns in *ret_width. */
static size_t char_next(const char *s, size_t *ret_width)
{
    uint32_t c;
    size_t n = hw_utf8_decode(s, &c);
    *ret_width = n ? char_width(c) : 1;
    return n ? n : 1;
}

size_t hw_text_width(const char *s)
{
    size_t columns = 0, width;
    for (; *s; columns += width)
        s += char_next(s, &width);
    return columns;
}

/* Bytes at the start of s that take at most columns. */
static size_t head_bytes(const char *s, size_t columns)
{
    size_t at = 0, used = 0, width;
    while (s[at]) {
        size_t n = char_next(s + at, &width);
        if (used + width > columns)
            break;
        used += width;
        at += n;
    }
    return at;
}

void hw_text_cut(struct hw_buf *buf, const char *s, size_t columns)
{
    size_t width = hw_text_width(s);
    if (width <= columns) {
        hw_buf_puts(buf, s);
        return;
    }
    size_t kept = columns > 3 ? columns - 3 : 0;
    size_t tail = kept / 2, head = kept - tail;
    hw_buf_put(buf, s, head_bytes(s, head));
    hw_buf_puts(buf, columns >= 3 ? "..." : "");
    size_t skip = head_bytes(s, width - tail);
    /* A wide character on the border may leave one column too many. */
    size_t w;
    while (s[skip] && hw_text_width(s + skip) > tail)
        skip += char_next(s + skip, &w);
    hw_buf_puts(buf, s + skip);
}

void hw_text_cut_end(struct hw_buf *buf, const char *s, size_t columns)
{
    if (hw_text_width(s) <= columns || columns < 3) {
        hw_text_cut(buf, s, columns);
        return;
    }
    hw_buf_put(buf, s, head_bytes(s, columns - 3));
    hw_buf_puts(buf, "...");
}

void hw_text_bytes(struct hw_buf *buf, double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    size_t unit = 0;
    double size = fabs(bytes);
    /* 999.95 would print as 1000.0 */
    while (size >= (unit ? 999.95 : 999.5) && unit + 1 < sizeof(units) / sizeof(*units)) {
        size /= 1000;
        unit++;
    }
    hw_buf_printf(buf, "%s%.*f %s", bytes < 0 ? "-" : "", unit ? 1 : 0, size, units[unit]);
}

void hw_text_count(struct hw_buf *buf, uint64_t count)
{
    char digits[32];
    int n = snprintf(digits, sizeof(digits), "%" PRIu64, count);
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            hw_buf_putc(buf, ',');
        hw_buf_putc(buf, digits[i]);
    }
}

static uint64_t magnitude(int64_t n)
{
    return n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
}

static void put_sign(struct hw_buf *buf, int64_t n)
{
    hw_buf_puts(buf, n < 0 ? "-" : n > 0 ? "+" : "");
}

void hw_text_delta(struct hw_buf *buf, int64_t count)
{
    put_sign(buf, count);
    hw_text_count(buf, magnitude(count));
}

void hw_text_delta_bytes(struct hw_buf *buf, int64_t bytes)
{
    put_sign(buf, bytes);
    hw_text_bytes(buf, (double)magnitude(bytes));
}

void hw_text_rate(struct hw_buf *buf, double per_second)
{
    double size = fabs(per_second);
    if (size >= 99.95 && size < 1e15) {
        hw_buf_puts(buf, per_second < 0 ? "-" : "");
        hw_text_count(buf, (uint64_t)llround(size));
    } else {
        hw_buf_printf(buf, "%.*f", size < 0.0005 ? 0 : size < 1 ? 2 : 1, per_second);
    }
}

void hw_text_duration(struct hw_buf *buf, int64_t ns)
{
    double ms = (double)ns / 1e6;
    if (ms < 10)
        hw_buf_printf(buf, "%.1f ms", ms);
    else if (ms < 999.5)
        hw_buf_printf(buf, "%.0f ms", ms);
    else
        hw_buf_printf(buf, "%.1f s", ms / 1000);
}

void hw_text_python(struct hw_buf *buf, uint32_t version_hex)
{
    static const char *const levels[16] = {[0xa] = "a", [0xb] = "b", [0xc] = "rc"};
    hw_buf_printf(buf, "%u.%u.%u", version_hex >> 24, version_hex >> 16 & 0xff,
                  version_hex >> 8 & 0xff);
    const char *level = levels[version_hex >> 4 & 0xf];
    if (level)
        hw_buf_printf(buf, "%s%u", level, version_hex & 0xf);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool hw_buf_ok(const struct hw_buf *buf)
{
    return !buf->failed;
}

unsigned char *hw_buf_reserve(struct hw_buf *buf, size_t bytes)
{
    size_t need;
    if (buf->failed)
        return NULL;
    if (__builtin_add_overflow(buf->len, bytes, &need) ||
        (buf->max_bytes && need > buf->max_bytes)) {
        buf->failed = true;
        return NULL;
    }
    if (need > buf->capacity) {
        size_t capacity = buf->capacity + buf->capacity / 2;
        if (capacity < need)
            capacity = need < 256 ? 256 : need;
        unsigned char *data = realloc(buf->data, capacity);
        if (!data) {
            buf->failed = true;
            return NULL;
        }
        buf->data = data;
        buf->capacity = capacity;
    }
    return buf->data + buf->len;
}

void hw_buf_put(struct hw_buf *buf, const void *data, size_t bytes)
{
    unsigned char *to = hw_buf_reserve(buf, bytes);
    if (to && bytes) {
        memcpy(to, data, bytes);
        buf->len += bytes;
    }
}

void hw_buf_puts(struct hw_buf *buf, const char *s)
{
    hw_buf_put(buf, s, strlen(s));
}

void hw_buf_putc(struct hw_buf *buf, char c)
{
    hw_buf_put(buf, &c, 1);
}

void hw_buf_printf(struct hw_buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    unsigned char *to = n < 0 ? NULL : hw_buf_reserve(buf, (size_t)n + 1);
    if (to) {
        vsnprintf((char *)to, (size_t)n + 1, format, again);
        buf->len += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

const char *hw_buf_str(struct hw_buf *buf)
{
    unsigned char *end = hw_buf_reserve(buf, 1);
    if (!end)
        return "";
    *end = 0;
    return (const char *)buf->data;
}

void hw_buf_clear(struct hw_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

void hw_buf_deinit(struct hw_buf *buf)
{
    free(buf->data);
    *buf = (struct hw_buf){.max_bytes = buf->max_bytes};
}

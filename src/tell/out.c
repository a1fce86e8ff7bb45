/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/out.h"

#include "tell/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void fail(struct hw_out *out, int errno_value)
{
    if (!out->sys_errno)
        out->sys_errno = errno_value;
    hw_buf_clear(&out->buf);
}

static void flush(struct hw_out *out)
{
    const unsigned char *at = out->buf.data;
    size_t left = out->buf.len;
    while (left && !out->sys_errno) {
        ssize_t n = write(out->fd, at, left);
        if (n < 0 && errno == EINTR && !(out->cancel && *out->cancel))
            continue;
        if (n < 0)
            fail(out, errno == EINTR ? ECANCELED : errno);
        else
            at += n, left -= (size_t)n;
    }
    hw_buf_clear(&out->buf);
}

/* After every append: a full buffer is written, an error is kept. */
static void settle(struct hw_out *out)
{
    if (!hw_buf_ok(&out->buf))
        fail(out, ENOMEM);
    else if (out->sys_errno)
        hw_buf_clear(&out->buf);
    else if (out->fd >= 0 && out->buf.len >= HW_OUT_FLUSH_BYTES)
        flush(out);
}

void hw_out_no_memory(struct hw_out *out)
{
    fail(out, ENOMEM);
}

bool hw_out_ok(struct hw_out *out)
{
    if (out->cancel && *out->cancel)
        fail(out, ECANCELED);
    return !out->sys_errno;
}

bool hw_out_finish(struct hw_out *out)
{
    if (hw_out_ok(out) && out->fd >= 0)
        flush(out);
    if (out->fd >= 0)
        hw_out_deinit(out);
    return !out->sys_errno;
}

void hw_out_deinit(struct hw_out *out)
{
    hw_buf_deinit(&out->buf);
}

void hw_out_put_slowly(struct hw_out *out, const void *data, size_t bytes)
{
    hw_buf_put(&out->buf, data, bytes);
    settle(out);
}

void hw_out_printf(struct hw_out *out, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    unsigned char *to = n < 0 ? NULL : hw_buf_reserve(&out->buf, (size_t)n + 1);
    if (to) {
        vsnprintf((char *)to, (size_t)n + 1, format, again);
        out->buf.len += (size_t)n;
    }
    va_end(again);
    va_end(args);
    settle(out);
}

void hw_out_text(struct hw_out *out, const char *s)
{
    hw_text_escape(&out->buf, s);
    settle(out);
}

void hw_out_style(struct hw_out *out, enum hw_style style)
{
    static const char *const codes[] = {
        [HW_STYLE_PLAIN] = "0",  [HW_STYLE_TITLE] = "1",   [HW_STYLE_KEY] = "1;36",
        [HW_STYLE_BAD] = "1;31", [HW_STYLE_GOOD] = "1;32", [HW_STYLE_UNSURE] = "1;33",
        [HW_STYLE_FAINT] = "2",
    };
    if (out->color)
        hw_out_printf(out, "\033[%sm", codes[style]);
}

static void new_line(struct hw_out *out, size_t indent)
{
    hw_out_printf(out, "\n%*s", (int)indent, "");
}

static void wrap_words(struct hw_out *out, size_t column, size_t indent, char *words)
{
    bool first = true;
    char *save = NULL;
    for (char *word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        size_t width = hw_text_width(word);
        if (!first && column + 1 + width > out->width) {
            new_line(out, indent);
            column = indent;
        } else if (!first) {
            hw_out_puts(out, " ");
            column++;
        }
        hw_out_puts(out, word);
        column += width;
        first = false;
    }
    hw_out_puts(out, "\n");
}

void hw_out_wrap(struct hw_out *out, size_t column, size_t indent, const char *s)
{
    struct hw_buf words = {0};
    hw_text_escape(&words, s);
    hw_buf_putc(&words, 0);
    if (hw_buf_ok(&words))
        wrap_words(out, column, indent, (char *)words.data);
    else
        fail(out, ENOMEM);
    hw_buf_deinit(&words);
}

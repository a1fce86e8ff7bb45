/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TELL_OUT_H
#define HW_TELL_OUT_H

/*
 * Where views write. Collects and writes in large pieces; the first error sticks, later writes do
 * nothing, and the caller asks once, at the end.
 *
 *     struct hw_out out = {.fd = STDOUT_FILENO, .width = 80};
 *     hw_out_text(&out, name);
 *     if (!hw_out_finish(&out))
 *         ... out.sys_errno ...
 */

#include "base/buf.h"

#include <string.h>

enum { HW_OUT_WIDTH = 80, HW_OUT_FLUSH_BYTES = 128 * 1024 };

struct hw_out {
    int fd;    /* -1: everything stays in buf */
    bool json; /* views write JSON instead of text */
    bool color;
    bool terminal;              /* or as wide as one: long names are cut to fit */
    unsigned width;             /* columns for wrapping and cutting */
    const volatile int *cancel; /* may be NULL; non-zero: stop writing */
    struct hw_buf buf;
    int sys_errno; /* of the first failure; ECANCELED after a cancel */
};

/* What a piece of text means; how it looks is decided in out.c. */
enum hw_style {
    HW_STYLE_PLAIN,
    HW_STYLE_TITLE, /* headings */
    HW_STYLE_KEY,   /* the one line the reader looks for */
    HW_STYLE_BAD,
    HW_STYLE_GOOD,
    HW_STYLE_UNSURE,
    HW_STYLE_FAINT,
};

void hw_out_put_slowly(struct hw_out *out, const void *data, size_t bytes); /* may write */

/* Bytes as they are. Here because JSON of large heaps consists of billions of short pieces. */
static inline void hw_out_put(struct hw_out *out, const void *data, size_t bytes)
{
    size_t end = out->buf.len + bytes;
    if (end >= out->buf.capacity || end >= HW_OUT_FLUSH_BYTES) {
        hw_out_put_slowly(out, data, bytes);
        return;
    }
    memcpy(out->buf.data + out->buf.len, data, bytes);
    out->buf.len = end;
}
static inline void hw_out_puts(struct hw_out *out, const char *s) /* our own text, as it is */
{
    hw_out_put(out, s, strlen(s));
}
void hw_out_printf(struct hw_out *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void hw_out_text(struct hw_out *out, const char *s); /* text of a target: escaped */
void hw_out_style(struct hw_out *out, enum hw_style style);

/* Writes s, escaped, broken at blanks so that lines end within the width. The cursor stands in
 * column; further lines begin at column indent. Ends with a newline. */
void hw_out_wrap(struct hw_out *out, size_t column, size_t indent, const char *s);

void hw_out_no_memory(struct hw_out *out); /* a view ran out of memory: the output fails */
bool hw_out_ok(struct hw_out *out);        /* false: stop, nothing more will be written */
bool hw_out_finish(struct hw_out *out);    /* writes what is left; releases the memory if fd >= 0 */
void hw_out_deinit(struct hw_out *out);

#endif

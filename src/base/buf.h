/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_BASE_BUF_H
#define HW_BASE_BUF_H

/*
 * A growing array of bytes with a stated maximum. Errors stick: after the first one (out of memory,
 * or more than max_bytes) further writes do nothing, and hw_buf_ok() says false; so a writer checks
 * once, at the end.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hw_buf {
    unsigned char *data;
    size_t len, capacity;
    size_t max_bytes; /* 0: no limit */
    bool failed;
};

bool hw_buf_ok(const struct hw_buf *buf);
/* Room for bytes more at data + len; len is not moved. NULL on failure. */
unsigned char *hw_buf_reserve(struct hw_buf *buf, size_t bytes);
void hw_buf_put(struct hw_buf *buf, const void *data, size_t bytes);
void hw_buf_puts(struct hw_buf *buf, const char *s);
void hw_buf_putc(struct hw_buf *buf, char c);
void hw_buf_printf(struct hw_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *hw_buf_str(struct hw_buf *buf); /* terminated; "" after a failure */
void hw_buf_clear(struct hw_buf *buf);      /* empty, keeps the memory, forgets the failure */
void hw_buf_deinit(struct hw_buf *buf);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TELL_TEXT_H
#define HW_TELL_TEXT_H

/*
 * Text that came from a process under study, made safe to show: nothing in it can move the cursor,
 * change colours or turn the direction of writing. And numbers as people read them.
 */

#include "base/buf.h"

/* Decodes one character of a terminated UTF-8 string. Returns how many bytes it takes; 0 when they
 * are not valid UTF-8 (overlong forms and surrogates included) or the string ends here. */
size_t hw_utf8_decode(const char *s, uint32_t *ret_char);

/* Appends s. Control, formatting and direction characters become \n, \x1b, \u202e; bytes that are
 * no UTF-8 become \xff. A backslash stays as it is. */
void hw_text_escape(struct hw_buf *buf, const char *s);

/* Columns that s takes on a terminal. */
size_t hw_text_width(const char *s);

/* Appends s; where it is wider than columns, its middle is left out: "sys.modules...subscribers".
 */
void hw_text_cut(struct hw_buf *buf, const char *s, size_t columns);

void hw_text_cut_end(struct hw_buf *buf, const char *s, size_t columns); /* "    return hub.get(na..." */

void hw_text_bytes(struct hw_buf *buf, double bytes);          /* 512 B, 1.9 MB; powers of 1000 */
void hw_text_count(struct hw_buf *buf, uint64_t count);        /* 1,234,567 */
void hw_text_delta(struct hw_buf *buf, int64_t count);         /* +1,234 */
void hw_text_delta_bytes(struct hw_buf *buf, int64_t bytes);   /* +1.9 MB */
void hw_text_rate(struct hw_buf *buf, double per_second);      /* 412, 3.2, 0.05 */
void hw_text_duration(struct hw_buf *buf, int64_t ns);         /* 14 ms, 2.3 s */
void hw_text_python(struct hw_buf *buf, uint32_t version_hex); /* 3.11.2, 3.13.0rc1 */

#endif

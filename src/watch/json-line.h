/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WATCH_JSON_LINE_H
#define HW_WATCH_JSON_LINE_H

/*
 * Reads one line that holds one JSON object (RFC 8259), for files of samples. What is nested is
 * passed over; so are members beyond the first HW_JSON_LINE_MEMBERS. The line is written to:
 * strings are unescaped in their places.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HW_JSON_LINE_MEMBERS = 32 };

struct hw_json_member {
    const char *key;
    const char *text; /* a string's characters, or a number, true, false, null as written */
    bool is_string;
};
struct hw_json_line {
    struct hw_json_member members[HW_JSON_LINE_MEMBERS];
    size_t count;
};

bool hw_json_line_parse(char *line, struct hw_json_line *ret_line); /* false: it is no such line */

/* A string; NULL: there is none. */
const char *hw_json_line_string(const struct hw_json_line *line, const char *key);
/* A whole number of at least 0; HW_UNKNOWN: there is none. */
uint64_t hw_json_line_u64(const struct hw_json_line *line, const char *key);
/* An ISO 8601 time in UTC, "2025-11-20T11:00:00.123Z", in ns since 1970; 0: there is none. */
int64_t hw_json_line_time(const struct hw_json_line *line, const char *key);

#endif

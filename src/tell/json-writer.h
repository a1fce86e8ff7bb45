/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TELL_JSON_WRITER_H
#define HW_TELL_JSON_WRITER_H

/*
 * Writes JSON as it goes: no tree, so that a line for each of many millions of objects costs no
 * memory. Every function takes the member's key, NULL inside arrays and at the top. Text is UTF-8;
 * bytes that are none become U+FFFD.
 *
 *     struct hw_json json;
 *     hw_json_init(&json, out, false);
 *     hw_json_object(&json, NULL);
 *     hw_json_string(&json, "verdict", "leak");
 *     hw_json_end(&json);
 */

#include "tell/out.h"

enum { HW_JSON_DEPTH = 32 };

struct hw_json {
    struct hw_out *out;
    bool compact; /* one line; the outermost end writes a newline in both forms */
    bool in_page; /* to be set after init: for a <script> of HTML, < is written as a number */
    unsigned depth;
    uint32_t is_array; /* one bit for each open level */
    uint32_t has_members;
};

void hw_json_init(struct hw_json *json, struct hw_out *out, bool compact);
void hw_json_object(struct hw_json *json, const char *key);
void hw_json_array(struct hw_json *json, const char *key);
void hw_json_end(struct hw_json *json); /* of the innermost object or array */
void hw_json_string(struct hw_json *json, const char *key, const char *s);
void hw_json_u64(struct hw_json *json, const char *key, uint64_t n);
void hw_json_i64(struct hw_json *json, const char *key, int64_t n);
void hw_json_double(struct hw_json *json, const char *key, double n); /* three decimals */
void hw_json_bool(struct hw_json *json, const char *key, bool b);

/* What several views say in the same way. */
void hw_json_addr(struct hw_json *json, const char *key, uint64_t addr); /* "0x7f00", null if 0 */
void hw_json_time(struct hw_json *json, const char *key, int64_t ns_since_1970);

#endif

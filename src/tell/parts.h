/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TELL_PARTS_H
#define HW_TELL_PARTS_H

/* Pieces that several views share. */

#include "heapwhy.h"
#include "tell/json-writer.h"

enum { HW_VALUE_BYTES = 256 }; /* buffers for hw_graph_value */

/* "process 41233, Python 3.11.2, app.py, 12:00:05 UTC, paused 14 ms" and the doubts that the
 * capture left: a line for each. */
void hw_parts_facts(struct hw_out *out, const struct hw_facts *facts);
void hw_parts_facts_json(struct hw_json *json, const char *key, const struct hw_facts *facts);

/* "2025-11-20 14:04:05 UTC" */
void hw_parts_time(struct hw_buf *buf, int64_t ns_since_1970);

/* The path on a line of its own, then the steps, one a line. */
void hw_parts_chain(struct hw_out *out, const struct hw_chain *chain, size_t indent);
void hw_parts_chain_json(struct hw_json *json, const struct hw_chain *chain); /* path, steps */

/* "app.Session 0x7f00 'value'" */
void hw_parts_object(struct hw_out *out, const struct hw_graph *graph, hw_id id);
void hw_parts_object_json(struct hw_json *json, const struct hw_graph *graph, hw_id id);

/* Says how many of the matches are told, when not all. */
struct hw_match;
void hw_parts_match(struct hw_out *out, const struct hw_match *match);
/* Opens the object with snapshot, question, matches and its array objects; the caller ends both. */
void hw_parts_match_json(struct hw_json *json, const struct hw_graph *graph,
                         const struct hw_match *match);

/* "app.Session 'value'"; of a frame or thread what it is. */
void hw_parts_retained_name(struct hw_buf *buf, const struct hw_retained_object *object);
/* Members type, addr, what, bytes, retained_bytes, retained_objects. */
void hw_parts_retained_json(struct hw_json *json, const struct hw_retained_object *object);
void hw_parts_retained_type_json(struct hw_json *json, const struct hw_retained_type *row,
                                 bool with_retained);

/* "app.py:88 in serve"; the members file, line, function, and callers, innermost first. */
void hw_parts_site_frame(struct hw_buf *buf, const struct hw_site_frame *frame);
/* A line for each frame, "from" before all but the first; depth: frames that there were. */
void hw_parts_site_stack(struct hw_out *out, const struct hw_site_frame *frame, uint32_t depth);
void hw_parts_site_json(struct hw_json *json, const struct hw_site_frame *frame);

/* "and 12 more" under a list of which only some are shown. */
void hw_parts_more(struct hw_out *out, size_t indent, uint64_t shown, uint64_t total);

static inline size_t hw_parts_limit(size_t count, size_t limit)
{
    return limit && limit < count ? limit : count;
}

#endif

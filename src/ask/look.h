/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ASK_LOOK_H
#define HW_ASK_LOOK_H

/* Single attributes and values of objects, for those who recognise what objects stand for. */

#include "base/buf.h"
#include "heap/graph.h"

enum { HW_LOOK_TEXT_MAX = 256 };

/* The target of node's own attribute, of one of its class, or of an edge of that name that only C
 * knows; HW_NONE: there is none. */
hw_id hw_look_attr(const struct hw_graph *graph, hw_id node, const char *name);

/* Reads node's value; false when nothing is recorded. */
bool hw_look_value(const struct hw_graph *graph, hw_id node, char text[HW_LOOK_TEXT_MAX]);
bool hw_look_says(const struct hw_graph *graph, hw_id node, const char *value);
bool hw_look_is_none(const struct hw_graph *graph, hw_id node); /* HW_NONE is none, too */

/* The name of node's type, and whether it matches; HW_NONE matches nothing. */
bool hw_look_is(const struct hw_graph *graph, hw_id node, const char *type);

/* "retry() at app.py:33" for what can be called, for suspended functions, frames and code; the
 * function of a method or a partial. Nothing when it is none of them, as for HW_NONE. */
void hw_function_spell(const struct hw_graph *graph, hw_id callable, struct hw_buf *out);

#endif

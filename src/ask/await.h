/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ASK_AWAIT_H
#define HW_ASK_AWAIT_H

/* What suspended functions wait for: the chain of coroutines that a task consists of. */

#include "ask/look.h"

enum { HW_AWAIT_DEPTH_MAX = 64 };

bool hw_is_task(const struct hw_graph *graph, hw_id node); /* of asyncio, in C or in Python */

/* A task's own coroutine, the outermost; HW_NONE. */
hw_id hw_task_coroutine(const struct hw_graph *graph, hw_id task);

/* What a suspended function awaits: the last thing on its operand stack; HW_NONE. */
hw_id hw_awaited(const struct hw_graph *graph, hw_id node);

/* The coroutine or generator that it awaits; HW_NONE where it awaits something else. */
hw_id hw_await_next(const struct hw_graph *graph, hw_id node);

/* The file of its code, as a Python literal. */
bool hw_await_file(const struct hw_graph *graph, hw_id node, char file[HW_LOOK_TEXT_MAX]);

/* "push_to() at app.py:24", 24 being the line that waits where it is known. */
void hw_await_place(const struct hw_graph *graph, hw_id node, struct hw_buf *out);
/* "push_to()" */
void hw_await_name(const struct hw_graph *graph, hw_id node, struct hw_buf *out);

#endif

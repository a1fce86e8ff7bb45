/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ASK_ENDED_H
#define HW_ASK_ENDED_H

/* Whether what an object stands for is over: a file that was closed, a task that is done, a thread
 * that has ended. Then nothing is open any more, and only the object is left. */

#include "heap/graph.h"

/* False also where that cannot be seen. */
bool hw_has_ended(const struct hw_graph *graph, hw_id node);

/* Whether a threading.Thread runs now; false before start() and after its end. */
bool hw_thread_is_alive(const struct hw_graph *graph, hw_id thread);

/* The kernel's id of a threading.Thread, 0: it never began. */
int32_t hw_thread_tid(const struct hw_graph *graph, hw_id thread);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TESTS_SAMPLE_SYSTEM_H
#define HW_TESTS_SAMPLE_SYSTEM_H

/* What the kernel keeps for a process, made up. */

#include "heap/graph.h"

/* Gives graph one descriptor of every kind, a set that watches two of them, threads and children.
 * False: no memory. */
bool sample_system_fill(struct hw_graph *graph);

/* sample_graph_small() with it; NULL: no memory. */
struct hw_graph *sample_graph_open(void);

/* Adds one descriptor behind the others, whose numbers are lower. */
struct hw_system_fd *sample_system_add_fd(struct hw_graph *graph, int32_t fd,
                                          enum hw_descriptor_kind kind);
struct hw_system_task *sample_system_add_task(struct hw_graph *graph, int32_t id,
                                              enum hw_system_task_kind kind, char state);

/* The first difference, in words, or NULL when both hold the same. */
const char *sample_system_difference(const struct hw_graph *a, const struct hw_graph *b);

#endif

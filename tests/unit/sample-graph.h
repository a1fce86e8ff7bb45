/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TESTS_SAMPLE_GRAPH_H
#define HW_TESTS_SAMPLE_GRAPH_H

/* Graphs for tests and benchmarks. All are sound, reproducible, and the caller's to destroy; NULL
 * when memory runs out. */

#include "heap/graph.h"

/* A root and nothing else. */
struct hw_graph *sample_graph_root(void);

/* A dozen objects with one of everything that a snapshot can hold: golden-1.hwsnap is this one. */
struct hw_graph *sample_graph_small(void);
/* Adds allocation sites to it. */
bool sample_graph_trace(struct hw_graph *graph);

/* What a service full of sessions looks like: `instances` objects, each with a dict of six keys, a
 * str, a float, a list and two ints, in pools of 16 KiB by size class, which take turns in memory.
 * 7 objects and 16 edges an instance. With disorder, made in random order. */
struct hw_graph *sample_graph_service(uint32_t instances, bool disorder);

/* The first difference, in words, or NULL when both hold the same. */
const char *sample_graph_difference(struct hw_graph *a, struct hw_graph *b);

#endif

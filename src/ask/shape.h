/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ASK_SHAPE_H
#define HW_ASK_SHAPE_H

/*
 * The shape of a best path: the path with everything taken out that differs from one object to the
 * next, so that thousands of objects share it, in one process and in others:
 *
 *     sys.modules['app'].hub._subscribers['user-8812'].conn   a path
 *     sys.modules['app'].hub._subscribers[*].conn             its shape
 *     <main() at app.py>.head.next+                           any number of .next
 *     sys.modules['app'].top(.parts[*])+.name                 any number of .parts[*]
 *     sys.modules['app'].tree.root.*+                         attributes that lead from a type to
 *                                                             itself: left and right of a tree
 *     <coroutine serve() at app.py>.peers                     no line, no thread
 *     sys.modules['app'].deep.er.and...                       deeper than HW_SHAPE_DEPTH
 *
 * Indices, keys, places in sets, stacks and unknown memory are left out; names stay: of modules,
 * attributes, local variables, keys that dicts of one class share. Attributes read alike whether
 * the object has a __dict__ or keeps its values itself.
 *
 * Shapes are numbers: equal paths have equal numbers. A shape is a step behind another shape, kept
 * once; each node on the way to one asked for is looked at once, however many objects are asked
 * for.
 */

#include "ask/tree.h"
#include "base/buf.h"

enum { HW_SHAPE_DEPTH = 64 };
#define HW_SHAPE_NONE 0 /* not reached by the tree, or memory is out (hw_shapes_ok) */

struct hw_shapes;
/* Keeps pointers to graph and tree. */
bool hw_shapes_create(struct hw_shapes **ret_shapes, const struct hw_graph *graph,
                      const struct hw_tree *tree, struct hw_err *err);
void hw_shapes_destroy(struct hw_shapes *shapes);

/* The shape of the tree's path to node. */
uint32_t hw_shape_of(struct hw_shapes *shapes, hw_id node);
bool hw_shapes_ok(const struct hw_shapes *shapes); /* false: memory ran out meanwhile */

/* Shapes off the tree's paths: where one begins, by a text of the caller's; by a synthetic node, or
 * a suspended function; and what an edge of from adds to one. */
uint32_t hw_shape_begin(struct hw_shapes *shapes, const char *text);
uint32_t hw_shape_begin_at(struct hw_shapes *shapes, hw_id node);
uint32_t hw_shape_extend(struct hw_shapes *shapes, uint32_t shape, hw_id from, uint32_t edge);

/* Every shape given out so far is below this. */
uint32_t hw_shapes_count(const struct hw_shapes *shapes);

void hw_shape_spell(const struct hw_shapes *shapes, uint32_t shape, struct hw_buf *out);

#endif

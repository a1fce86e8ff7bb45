/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ASK_SPELL_H
#define HW_ASK_SPELL_H

/*
 * Edges and chains as Python expressions. What no expression reaches is spelled in angle brackets,
 * so that every spelling is unique at its place and expr.c can read it back:
 *
 *     .name  ['key']  [3]  [<app.Key at 0x7f00>]     as in Python
 *     .<key 'k'>  .<member 'm'>  .<stack 2>  .<word 16>  .<cache>  .<local .0>
 *     .<ht_cached_keys 4>                     the fifth reference of an object that has several
 *     <static types>.dict  .<type array.array>              types that only C holds
 *     <main() at app.py:41 in MainThread>.sessions          a running frame's local variable
 *     <coroutine serve() at app.py:30>.sessions             a suspended one's
 *     <globals of libfoo.so>.<word 8>                       what only C knows
 *     <app.Node at 0x7f00>.next                             the end of a chain too long to spell
 */

#include "ask/tree.h"
#include "base/buf.h"

struct hw_hop {
    hw_id from, to;
    uint32_t edge;
};

/* The value of code, a function, a frame or a suspended function, in its pieces. Of "serve
 * dir/app.py:30; at line 33" the name is "serve", the place "dir/app.py:30" ("" where none is
 * told), and the notes are what follows: where it stands, what it compares with lengths. Cuts
 * value. */
struct hw_function_text {
    const char *name, *place, *notes;
};
struct hw_function_text hw_function_text_cut(char *value);

const char *hw_file_base(const char *file); /* without its folders */

/* How the edge continues an expression for node `from`. */
void hw_edge_spell(const struct hw_graph *graph, hw_id from, uint32_t edge, struct hw_buf *out);

/* How an expression begins at a synthetic node or at a generator: <main() at app.py:41 in T>. */
void hw_base_spell(const struct hw_graph *graph, hw_id node, struct hw_buf *out);

/* <app.Node at 0x7f00> */
void hw_address_spell(const struct hw_graph *graph, hw_id node, struct hw_buf *out);

/* One line about node, bounded, no line breaks: its value, its function and line; "" for most. */
void hw_node_describe(const struct hw_graph *graph, hw_id node, struct hw_buf *out);

/* Its type's name; for synthetic nodes what they are: running frame, thread, ... Lives as long as
 * the graph. */
const char *hw_node_type_name(const struct hw_graph *graph, hw_id node);

/* The expression for node along the tree; "" when the tree does not reach it. */
void hw_path_spell(const struct hw_graph *graph, const struct hw_tree *tree, hw_id node,
                   struct hw_buf *out);

/* The whole chain to node, whose last hop is `edge` from `from` instead of the tree's when from is
 * not HW_NONE. Everything is allocated in arena. */
bool hw_chain_spell(const struct hw_graph *graph, const struct hw_tree *tree, hw_id from,
                    uint32_t edge, hw_id node, struct hw_arena *arena, struct hw_chain *ret_chain,
                    struct hw_err *err);

/* One step, in arena. Where no single reference leads to hop->to, hop->edge is HW_NO_EDGE, and the
 * step's edge becomes "". */
bool hw_step_spell(const struct hw_graph *graph, const struct hw_hop *hop, struct hw_arena *arena,
                   struct hw_step *step);

/* Any hops, each from where the one before led: the suffixes of an expression, and steps. */
void hw_hops_spell(const struct hw_graph *graph, const struct hw_hop *hops, size_t count,
                   struct hw_buf *out);
bool hw_hops_steps(const struct hw_graph *graph, const struct hw_hop *hops, size_t count,
                   struct hw_arena *arena, struct hw_chain *chain);

#endif

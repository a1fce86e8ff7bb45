/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TESTS_GRAPH_TEXT_H
#define HW_TESTS_GRAPH_TEXT_H

/*
 * Heap graphs written by hand. One line says one thing; leading blanks are free, '#' begins a
 * comment line.
 *
 *     fact gc_enabled=0                 any number of struct hw_facts, or executable=, main_script=
 *     type app.Hub python heap node=0x900   flags of a type where its name does not tell them
 *     @0x1000 app.Hub size=48 native=4096 rc=2 held=1 age=9 flags=tracked,gen2 value=rest of the line
 *     $f frame "main" "app.py" 10 tid=5 depth=0
 *         kinds: interpreter thread frame static c_globals stack (name, file, line may be left out)
 *
 * Lines that follow a node are its edges, in this order:
 *
 *     .name -> X      ATTR              local name -> X     LOCAL
 *     [3] -> X        INDEX             stack 2 -> X        STACK
 *     ['k'] -> X      KEY and VALUE     type -> X           TYPE
 *     [0x50] -> X     the same, the key is an object; [3] in a dict is the key 3
 *     ~['k'] -> X     NAMED             internal name -> X  INTERNAL
 *     {7} -> X        MEMBER            word 16 -> X        WORD
 *     root name -> X  ROOT
 *
 * A name with blanks stands in double quotes. X is 0x1000, $f, or a literal ('text', 42, 3.5, None, True): a leaf that is made when first met
 * and has the same address in every graph. The root is made by itself; it holds every synthetic
 * node that nobody else holds. Without size= an object has 64 bytes, without native= none outside,
 * without held= no word of C code's memory points at it,
 * without rc= as many references as edges lead to it, without flags= it is tracked unless it is a
 * leaf, without age= its age is not known.
 * Addresses are multiples of 8 below 0x100000000. A mistake in the text ends the test program.
 */

#include "heap/graph.h"

struct hw_graph *graph_from_text(const char *text);

/* The node at addr; ends the test program when there is none. */
hw_id node_at(const struct hw_graph *graph, hw_addr addr);

#endif

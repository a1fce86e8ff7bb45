/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WHY_VARIABLE_H
#define HW_WHY_VARIABLE_H

/*
 * The names of a code object's local variables, numbered: arguments first, then other locals and
 * cells, free variables (those of an enclosing function) last. From 3.11 on co_localsplusnames is
 * this list; before, it is what co_varnames, co_cellvars and co_freevars make one after the other,
 * where an argument that is a cell appears twice (CPython's Objects/codeobject.c).
 */

#include "heap/graph.h"

uint32_t hw_variable_count(const struct hw_graph *graph, hw_id code);

/* The str that is the name of the variable with that number, or HW_NONE. */
hw_id hw_variable_at(const struct hw_graph *graph, hw_id code, uint32_t number);

/* The first variable with that name; UINT32_MAX: none. */
uint32_t hw_variable_find(const struct hw_graph *graph, hw_id code, const char *name);

/* The name of the free variable whose cell is the one with number at, of `of` cells in the closure
 * of a function with that code. HW_NONE: the code has fewer. */
hw_id hw_variable_free(const struct hw_graph *graph, hw_id code, uint64_t at, uint64_t of);

#endif

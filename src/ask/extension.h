/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ASK_EXTENSION_H
#define HW_ASK_EXTENSION_H

/*
 * Extension modules: shared libraries that the process maps and Python imports. Those of the standard
 * library lie in lib-dynload and count as Python's own. They are known by their file names, since a
 * graph holds each mapped library with its C variables.
 */

#include "heap/graph.h"

/* File names of all extension modules that are not Python's own. */
bool hw_extensions_list(const struct hw_graph *graph, struct hw_arena *arena,
                        const char ***ret_names, size_t *ret_count, struct hw_err *err);

/* Sets libraries of row: modules whose C variables point at objects of this type that are marked, or at
 * the type, and the module that the type's name says. Built-in types are everybody's. */
bool hw_extensions_near(const struct hw_graph *graph, uint32_t type, const uint32_t *marked,
                        struct hw_arena *arena, struct hw_audit_row *row, struct hw_err *err);

#endif

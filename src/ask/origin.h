/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ASK_ORIGIN_H
#define HW_ASK_ORIGIN_H

/*
 * Whose code something is. Built-in types and those of C extensions are nobody's: they are what
 * programs are made of.
 */

#include "ask/tree.h"

enum hw_origin {
    HW_ORIGIN_NOBODY,
    HW_ORIGIN_LIBRARY, /* the standard library, and what lies in site-packages or dist-packages */
    HW_ORIGIN_PROGRAM,
};

struct hw_origins;
bool hw_origins_create(struct hw_origins **ret_origins, const struct hw_graph *graph,
                       struct hw_err *err);
void hw_origins_destroy(struct hw_origins *origins);

/* Of the class that a type is. */
enum hw_origin hw_origin_of_type(const struct hw_origins *origins, uint32_t type);
/* Of app.hub and of all else whose name begins so: its package decides. */
enum hw_origin hw_origin_of_module(const struct hw_origins *origins, const char *name);
enum hw_origin hw_origin_of_file(const char *file);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_ROOTS_H
#define HW_INSIDE_ROOTS_H

/*
 * Where the ways to live objects begin: what the interpreter itself holds, and Python code can name.
 *
 *     sys.modules                       and through it every imported module
 *     <local x of f at app.py:12>       variables of the frames of all threads; 12 is the first line of f
 *     <context of thread 140…>          context variables, threading.local(), the exception in hand
 *
 * Not here: what only C code holds.
 */

#include "inside/innards.h"

struct hw_root {
    PyObject *object;             /* borrowed */
    const char *words;            /* "sys.modules", "context", ...; NULL: a variable */
    const struct hw_frame *frame; /* of a variable */
    PyObject *name;               /* of a variable; NULL: on the evaluation stack */
    unsigned long thread;         /* 0: of no thread */
};
/* Whether it is there for as long as the process is: not a variable, nor of a thread. */
static inline bool hw_root_is_lasting(const struct hw_root *root)
{
    return !root->frame && !root->thread;
}
typedef int (*hw_root_fn)(const struct hw_root *root, void *ctx);

/* Returns what fn ended with, else 0. Calls no Python code. */
int hw_roots_visit(hw_root_fn fn, void *ctx);
/* As above; a new str, NULL with an exception. */
PyObject *hw_root_label(const struct hw_root *root);

#endif

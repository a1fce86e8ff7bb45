/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_CAPTURE_H
#define HW_INSIDE_CAPTURE_H

/*
 * Taking a graph of this process, or of another. The interpreter is held while the process is copied,
 * and runs on while the copy is read. Signals are handled meanwhile: a handler that raises ends it.
 */

#include "inside/inside.h"

struct hw_capture_wish {
    pid_t pid;      /* 0: this process */
    bool own;       /* with heapwhy's own objects; of this process only */
    bool no_values;
    enum hw_freeze freeze;
};

/* The caller owns the graph. NULL with an exception. */
struct hw_graph *hw_capture_take(const struct hw_capture_wish *wish);

/* Likewise a file's. */
struct hw_graph *hw_capture_load(const char *path);

#endif

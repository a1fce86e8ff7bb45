/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CPYTHON_TRACEMALLOC_H
#define HW_CPYTHON_TRACEMALLOC_H

/*
 * What the tracemalloc module of a running interpreter has written down: for each block that Python's
 * allocators handed out since tracing began, its size and where the program was (CPython 3.9 to 3.11
 * Modules/_tracemalloc.c, 3.13 Python/tracemalloc.c; Python/hashtable.c).
 *
 *     traces    table: address of a block -> trace {size, traceback}
 *     domains   table: number of a domain -> table like traces
 *     traceback {nframe, total_nframe, frames {file name, line}, innermost first}
 *     table     {entries, buckets} -> bucket -> entry {next, hash, key, value} -> entry ...
 *
 * Since 3.12 _PyRuntime names the tables. Up to 3.11 they are variables of C that nothing exports; they are
 * found by their shape: a pointer in the data of the interpreter's file whose table has the functions
 * and the entries that such a table must have. Where two fit, neither is believed.
 *
 * Tables are as hostile as all memory: every step is bounded, every entry checked, and one that makes no sense
 * is left out and counted. Nothing here holds pointers into the image between calls.
 */

#include "cpython/runtime.h"

enum hw_tracing {
    HW_TRACING_OFF,
    HW_TRACING_ON,
    HW_TRACING_UNREADABLE, /* it is on, but its tables were not found or are damaged */
};

struct hw_tracemalloc {
    enum hw_tracing state;
    uint32_t frame_limit;    /* most frames of a traceback; 0: not known */
    hw_addr traces, domains; /* domains 0: there are none */
};
void hw_tracemalloc_find(struct hw_py *py, const struct hw_runtime *runtime,
                         struct hw_tracemalloc *ret_tracemalloc);

struct hw_trace {
    hw_addr block; /* as the program got it: of an object the collector's head is the beginning */
    uint64_t bytes;
    hw_addr traceback; /* equal ones are one: its address is an identity */
    uint32_t domain;   /* 0: Python's allocators */
};
/* Calls visit for each trace, in no order; false ends the walk. Returns false when visit did.
 * *ret_missed: how many the tables say that they have besides. */
typedef bool hw_trace_fn(void *ctx, const struct hw_trace *trace);
bool hw_tracemalloc_walk(struct hw_py *py, const struct hw_runtime *runtime,
                         const struct hw_tracemalloc *tracemalloc, hw_trace_fn *visit, void *ctx,
                         uint64_t *ret_missed);

/* Whether the bytes at p, 32 of them, look like an entry of a table of traces: an address beside its hash. */
bool hw_trace_is_entry(const struct hw_py *py, const unsigned char *p);

struct hw_traceback {
    hw_addr frames;
    uint32_t frame_count; /* that are kept: the innermost; at least 1 */
    uint32_t depth;       /* that there were */
};
bool hw_traceback_read(struct hw_py *py, hw_addr addr, struct hw_traceback *ret_traceback);
/* Frame n, 0 is the innermost: its file name, a str object, and its line, 0 when there is none. */
bool hw_traceback_frame(struct hw_py *py, const struct hw_traceback *traceback, uint32_t n,
                        hw_addr *ret_file, uint32_t *ret_line);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TELL_LINE_SORT_H
#define HW_TELL_LINE_SORT_H

/*
 * Sorts any number of lines by their bytes in bounded memory: what exceeds one run is sorted, put
 * aside in a temporary file without a name, and merged at the end.
 *
 *     add add add ... | run full: sort, write | add ... | run full: sort, write | ...
 *     merge: the least head of all runs, again and again
 *
 * Memory: the lines of one run, 8 bytes an entry for its index, 64 kB a run while merging.
 */

#include "heapwhy.h"
#include "tell/out.h"

enum { HW_LINE_SORT_RUN_BYTES = 64 * 1024 * 1024 };

struct hw_line_run {
    uint64_t offset, end; /* in the file */
};

struct hw_line_sort {
    size_t run_bytes;     /* set by init; tests make it small */
    struct hw_buf lines;  /* of the run that is being filled, each ended by a newline */
    struct hw_buf starts; /* uint32_t offsets into lines */
    int fd;               /* the temporary file; -1: not needed yet */
    uint64_t file_bytes;
    struct hw_buf runs; /* struct hw_line_run */
};

void hw_line_sort_init(struct hw_line_sort *sort);
void hw_line_sort_deinit(struct hw_line_sort *sort);
/* line has no newline in it; at most some kilobytes. */
bool hw_line_sort_add(struct hw_line_sort *sort, const char *line, size_t bytes,
                      struct hw_err *err);
/* Writes all lines in order. Stops early, and still returns true, when out has failed. */
bool hw_line_sort_finish(struct hw_line_sort *sort, struct hw_out *out, struct hw_err *err);

#endif

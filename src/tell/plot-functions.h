/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TELL_PLOT_FUNCTIONS_H
#define HW_TELL_PLOT_FUNCTIONS_H

/* Calls of functions that a recording tells of, by function. */

#include "heapwhy.h"
#include "tell/out.h"

struct hw_plot_function {
    const char *name; /* of the module and the function; the history's */
    size_t calls;
    double seconds;      /* in all */
    uint64_t peak_bytes; /* the most during its calls */
};

/* The first functions of the history, at most max. Returns how many; *ret_total: how many there
 * are, at most as many as a plot could show. */
size_t hw_plot_functions(const struct hw_memory_history *history,
                         struct hw_plot_function *functions, size_t max, size_t *ret_total);

/* "app.work: 3 calls, 1.2 s, peak 192.1 MB" */
void hw_plot_function_text(struct hw_buf *buf, const struct hw_plot_function *function);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WATCH_BUDGET_H
#define HW_WATCH_BUDGET_H

/*
 * Keeps work whose cost is not ours to say (page tables of any size, /proc with any number of
 * processes) below a fixed part of a processor: what took long is done again late.
 */

#include <stdbool.h>
#include <stdint.h>

/* A five-thousandth of a core, 0.02 %, for each such work. */
enum { HW_BUDGET_PARTS = 5000 };

struct hw_budget {
    int64_t due_ns, began_ns;
};

/* Time that passes also while the machine sleeps, and the processor time of this thread. */
int64_t hw_clock_now(void);
int64_t hw_clock_cpu(void);

bool hw_budget_begin(struct hw_budget *budget, int64_t now_ns); /* false: not due yet */
void hw_budget_end(struct hw_budget *budget, int64_t now_ns, int64_t least_pause_ns);

#endif

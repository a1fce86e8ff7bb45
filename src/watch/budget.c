/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/budget.h"

#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int64_t hw_clock_now(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

int64_t hw_clock_cpu(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

bool hw_budget_begin(struct hw_budget *budget, int64_t now_ns)
{
    budget->began_ns = hw_clock_cpu();
    return now_ns >= budget->due_ns;
}

void hw_budget_end(struct hw_budget *budget, int64_t now_ns, int64_t least_pause_ns)
{
    int64_t pause_ns = (hw_clock_cpu() - budget->began_ns) * HW_BUDGET_PARTS;
    budget->due_ns = now_ns + (pause_ns > least_pause_ns ? pause_ns : least_pause_ns);
}

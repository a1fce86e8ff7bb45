/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"

#include <stdlib.h>

/* heapwhy run sets it to the bytes for one sample; without it nothing is begun. */
#define VARIABLE "HEAPWHY_AGENT"
enum { RATE_MIN = 1024 };

/* Of a program that is started with it, before main(): no other thread runs, and Python is not yet
 * initialized. A program that is no Python is left alone; what it starts may be one. In a process that runs
 * already nothing is begun here: control.h. */
__attribute__((constructor)) static void start(void)
{
    const char *rate = getenv(VARIABLE);
    char *end;
    unsigned long long bytes = rate ? strtoull(rate, &end, 10) : 0;
    if (bytes >= RATE_MIN && !*end)
        hw_agent_begin(bytes);
    __atomic_store_n(&hw_agent_control.ready, 1, __ATOMIC_RELEASE);
}

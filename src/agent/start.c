/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"
#include "agent/next.h"
#include "agent/unwind.h"

#include <stdlib.h>

/* heapwhy run sets it to the bytes for one sample; without it nothing is begun. */
#define VARIABLE "HEAPWHY_AGENT"
enum { RATE_MIN = 1024 };

static void native_begin(void)
{
    hw_code_begin();
    hw_unwind_begin();
    hw_native_begin(hw_python_address());
    hw_mappings_begin();
}

/* Before main(): no other thread runs, and Python is not yet initialized. A program that is no
 * Python is left alone; what it starts may be one. */
__attribute__((constructor)) static void start(void)
{
    hw_next_find();
    const char *rate = getenv(VARIABLE);
    char *end;
    unsigned long long bytes = rate ? strtoull(rate, &end, 10) : 0;
    if (bytes < RATE_MIN || *end || !hw_frames_init())
        return;
    native_begin();
    if (!hw_store_init(bytes))
        return;
    hw_malloc_begin();
    hw_python_hook();
}

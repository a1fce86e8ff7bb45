/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"
#include "agent/next.h"
#include "agent/record.h"
#include "agent/unwind.h"

#include <stdlib.h>
#include <unistd.h>

/* What heapwhy run sets: the bytes for one sample, without which nothing is begun; the file to
 * record to, an absolute path; the process id that this name is for; "1": every event is recorded.
 */
#define RATE "HEAPWHY_AGENT"
#define FILE_NAME "HEAPWHY_AGENT_FILE"
#define FILE_PID "HEAPWHY_AGENT_PID"
#define EVERY "HEAPWHY_AGENT_EVERY"
enum { RATE_MIN = 1024 };

static void native_begin(bool every)
{
    hw_code_begin();
    hw_unwind_begin();
    hw_native_begin(hw_python_address(), every);
    hw_mappings_begin();
}

static bool begin_recording(const char *path, bool every)
{
    const char *pid = getenv(FILE_PID);
    return path && *path == '/' && hw_record_init(path, pid && atol(pid) == getpid(), every);
}

/* Before main(): no other thread runs, and Python is not yet initialized. A program that is no
 * Python is left alone; what it starts may be one. */
__attribute__((constructor)) static void start(void)
{
    hw_next_find();
    const char *rate = getenv(RATE), *every = getenv(EVERY);
    char *end;
    unsigned long long bytes = rate ? strtoull(rate, &end, 10) : 0;
    if (bytes < RATE_MIN || *end || !hw_frames_init() || !hw_store_init(bytes))
        return;
    bool all = every && *every == '1';
    all = begin_recording(getenv(FILE_NAME), all) && all;
    native_begin(all);
    hw_python_hook(all);
}

__attribute__((destructor)) static void finish(void)
{
    if (!hw_record_wanted)
        return;
    hw_thread.inside = true;
    hw_store_lock();
    hw_record_end();
    hw_store_unlock();
}

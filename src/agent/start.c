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

static bool begin_recording(const char *path, bool every)
{
    const char *pid = getenv(FILE_PID);
    return path && *path == '/' && hw_record_init(path, pid && atol(pid) == getpid(), every);
}

static bool before_hooks(void)
{
    const char *every = getenv(EVERY);
    bool all = every && *every == '1';
    all = begin_recording(getenv(FILE_NAME), all) && all;
    hw_code_begin();
    hw_unwind_begin();
    hw_native_begin(hw_python_address(), all);
    hw_mappings_begin();
    return all;
}

/* Of a program that is started with it, before main(): no other thread runs, and Python is not yet
 * initialized. A program that is no Python is left alone; what it starts may be one. In a process
 * that runs already nothing is begun here: control.h. */
__attribute__((constructor)) static void start(void)
{
    hw_next_find();
    const char *rate = getenv(RATE);
    char *end;
    unsigned long long bytes = rate ? strtoull(rate, &end, 10) : 0;
    if (bytes >= RATE_MIN && !*end)
        hw_agent_begin(bytes, before_hooks);
    __atomic_store_n(&hw_agent_control.ready, 1, __ATOMIC_RELEASE);
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"
#include "agent/record.h"

#include <time.h>

#define EXPORTED __attribute__((visibility("default")))

struct hw_agent_control hw_agent_control EXPORTED = {.magic = HW_AGENT_CONTROL_MAGIC};

/* Called from outside, in a thread that holds no lock of malloc or the loader. */
EXPORTED void hw_agent_obey(void);
/* Called by an interpreter that was asked to load the library as an extension module. */
EXPORTED void *PyInit_heapwhy_agent(void);

static uint64_t wall_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void hw_agent_clear(void)
{
    hw_store_lock();
    hw_store_clear();
    hw_live_clear();
    hw_frames_clear();
    hw_native_clear();
    hw_store_unlock();
}

static enum hw_agent_state begin(uint64_t rate_bytes, bool (*before_hooks)(void))
{
    if (!hw_frames_init())
        return HW_AGENT_NO_PYTHON;
    if (!hw_store_init(rate_bytes))
        return HW_AGENT_NO_MEMORY;
    bool every = before_hooks && before_hooks();
    hw_agent_is_on = true;
    if (!hw_python_hook(every, before_hooks != NULL)) {
        hw_agent_is_on = false;
        return HW_AGENT_NO_PYTHON;
    }
    hw_agent_control.passes = 0;
    return HW_AGENT_ON;
}

static void end(void)
{
    hw_agent_is_on = false;
    hw_agent_control.passes = !hw_python_unhook();
    hw_store_lock();
    hw_record_stop();
    hw_record_sampled = hw_native_every = false;
    hw_store_unlock();
    hw_agent_clear();
}

void hw_agent_begin(uint64_t rate_bytes, bool (*before_hooks)(void))
{
    hw_agent_control.began_unix_ns = wall_clock_ns();
    hw_agent_control.state = begin(rate_bytes, before_hooks);
}

void hw_agent_obey(void)
{
    static volatile bool busy;
    struct hw_agent_control *control = &hw_agent_control;
    if (__atomic_exchange_n(&busy, true, __ATOMIC_ACQUIRE))
        return;
    if (control->wish == HW_AGENT_BEGIN && control->state != HW_AGENT_ON) {
        hw_agent_clear(); /* of samples that were on their way at the end of an earlier time */
        hw_agent_begin(control->rate_bytes, NULL);
    }
    if (control->wish == HW_AGENT_END && control->state == HW_AGENT_ON) {
        end();
        control->state = HW_AGENT_OFF;
    }
    __atomic_store_n(&control->wish, HW_AGENT_NO_WISH, __ATOMIC_RELEASE);
    __atomic_store_n(&busy, false, __ATOMIC_RELEASE);
}

/* There is no such module: the interpreter raises, and whoever asked knows. */
void *PyInit_heapwhy_agent(void)
{
    hw_agent_obey();
    return NULL;
}

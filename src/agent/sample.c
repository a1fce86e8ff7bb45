/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"

#include <math.h>
#include <time.h>
#include <unistd.h>

bool hw_agent_is_on;
__thread struct hw_thread hw_thread __attribute__((tls_model("initial-exec")));

static uint64_t random_seed(const struct hw_thread *thread)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t seed = (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 32 ^ (uintptr_t)thread ^
                    (uint64_t)getpid() << 40;
    return seed ? seed : 1;
}

/* xorshift64*, Vigna 2014: its upper bits are the better ones. */
static uint64_t random_bits(struct hw_thread *thread)
{
    uint64_t x = thread->random ? thread->random : random_seed(thread);
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    thread->random = x;
    return x * 0x2545f4914f6cdd1du;
}

double hw_sample_random(struct hw_thread *thread)
{
    return ((double)(random_bits(thread) >> 11) + 1) / 9007199254740992.0;
}

/* ---- by bytes ---- */

void hw_sample_next(struct hw_thread *thread)
{
    thread->left = (int64_t)(-log(hw_sample_random(thread)) * (double)hw_agent_table.rate_bytes);
}

bool hw_sample_due(struct hw_thread *thread, size_t bytes)
{
    bool begins = !thread->has_left;
    thread->has_left = true;
    hw_sample_next(thread);
    if (!begins)
        return true;
    /* this thread's first block came before there was a distance */
    thread->left -= (int64_t)bytes;
    if (thread->left >= 0)
        return false;
    hw_sample_next(thread);
    return true;
}

/* ---- by number ---- */

/* The next period of this size: which of its blocks is the sample. */
static void stretch_next(struct hw_thread *thread, struct hw_stretch *stretch)
{
    uint64_t bytes = (uint64_t)(stretch - thread->small) * HW_AGENT_STEP_BYTES;
    uint32_t period = hw_agent_period(bytes, thread->rate);
    uint32_t at = (uint32_t)((random_bits(thread) >> 32) * period >> 32);
    stretch->left = stretch->rest + (int32_t)at;
    stretch->rest = (int32_t)(period - 1 - at);
}

/* All periods begin anew. The block that was due by the rate before has a chance that was higher.
 */
static bool stretches_begin(struct hw_thread *thread, size_t bytes)
{
    uint64_t before = thread->rate;
    thread->rate = hw_agent_table.rate_bytes;
    for (int i = 0; i < HW_SMALL_SIZES; i++) {
        thread->small[i].rest = 0;
        stretch_next(thread, &thread->small[i]);
    }
    if (!before)
        return hw_sample_counts(thread, bytes);
    return hw_sample_random(thread) * hw_agent_period(bytes, thread->rate) <=
           hw_agent_period(bytes, before);
}

bool hw_sample_small_due(struct hw_thread *thread, size_t bytes)
{
    if (thread->rate != hw_agent_table.rate_bytes)
        return stretches_begin(thread, bytes);
    stretch_next(thread, hw_thread_stretch(thread, bytes));
    return true;
}

/* ---- both ---- */

void hw_sample_add(void *block, size_t bytes, enum hw_agent_domain domain)
{
    struct hw_thread *thread = &hw_thread;
    if (!hw_agent_is_on)
        return;
    if (thread->inside) {
        __atomic_fetch_add(&hw_agent_table.missed, 1, __ATOMIC_RELAXED);
        return;
    }
    thread->inside = true;
    hw_store_lock();
    hw_live_put(&(struct hw_agent_block){(uintptr_t)block, bytes, hw_frames_find(domain != HW_AGENT_RAW), domain});
    hw_store_unlock();
    thread->inside = false;
}

void hw_sample_take(void *block, size_t bytes, enum hw_agent_domain domain)
{
    if (hw_sample_due(&hw_thread, bytes))
        hw_sample_add(block, bytes, domain);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"

#include <math.h>
#include <time.h>
#include <unistd.h>

__thread struct hw_thread hw_thread __attribute__((tls_model("initial-exec")));

static uint64_t random_seed(const struct hw_thread *thread)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t seed = (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 32 ^ (uintptr_t)thread ^
                    (uint64_t)getpid() << 40;
    return seed ? seed : 1;
}

/* xorshift64*, Vigna 2014: its upper bits. */
double hw_sample_random(struct hw_thread *thread)
{
    uint64_t x = thread->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    thread->random = x;
    return ((double)(x * 0x2545f4914f6cdd1du >> 11) + 1) / 9007199254740992.0;
}

void hw_sample_next(struct hw_thread *thread)
{
    thread->left = (int64_t)(-log(hw_sample_random(thread)) * (double)hw_agent_table.rate_bytes);
}

void hw_sample_take(void *block, size_t bytes, enum hw_agent_domain domain)
{
    struct hw_thread *thread = &hw_thread;
    bool begins = !thread->random;
    if (begins)
        thread->random = random_seed(thread);
    hw_sample_next(thread);
    if (begins) { /* this thread's first block came before there was a distance */
        thread->left -= (int64_t)bytes;
        if (thread->left >= 0)
            return;
        hw_sample_next(thread);
    }
    if (!hw_agent_is_on)
        return;
    if (thread->inside) {
        __atomic_fetch_add(&hw_agent_table.missed, 1, __ATOMIC_RELAXED);
        return;
    }
    thread->inside = true;
    const struct hw_agent_block sample = {(uintptr_t)block, bytes, hw_frames_site(), domain};
    hw_live_add(&sample);
    thread->inside = false;
}

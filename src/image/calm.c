/* SPDX-License-Identifier: Apache-2.0 */
#include "image/calm.h"

#include "image/tracee.h"

#include <sys/uio.h>

enum { LOOK_EVERY_US = 1000 };

bool hw_busy_words_are_zero(pid_t pid, const struct hw_busy_words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        int32_t word = 0;
        struct iovec here = {&word, sizeof(word)};
        struct iovec there = {(void *)(uintptr_t)words->addr[i], sizeof(word)};
        if (process_vm_readv(pid, &here, 1, &there, 1, 0) == sizeof(word) && word)
            return false;
    }
    return true;
}

void hw_busy_words_await(pid_t pid, const struct hw_busy_words *words, int64_t deadline_ns,
                         bool (*goes_on)(const void *ctx), const void *ctx)
{
    while (hw_clock_ns() < deadline_ns && !hw_busy_words_are_zero(pid, words) && goes_on(ctx))
        hw_sleep_us(LOOK_EVERY_US);
}

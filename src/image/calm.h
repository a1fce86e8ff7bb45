/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_IMAGE_CALM_H
#define HW_IMAGE_CALM_H

/*
 * Is this a good moment? Words of a process say so, and are read while it runs. Used by the guardian,
 * too, so nothing here allocates.
 */

#include "image/image.h"

/* A word that cannot be read counts as zero: nothing is gained by waiting for it. */
bool hw_busy_words_are_zero(pid_t pid, const struct hw_busy_words *words);

/* Waits until the words are zero, without stopping the process, or until deadline_ns
 * (CLOCK_MONOTONIC). goes_on() is asked now and then; false ends the wait. */
void hw_busy_words_await(pid_t pid, const struct hw_busy_words *words, int64_t deadline_ns,
                         bool (*goes_on)(const void *ctx), const void *ctx);

#endif

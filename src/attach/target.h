/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ATTACH_TARGET_H
#define HW_ATTACH_TARGET_H

/* Whether the kernel lets a process do what we want it to do. */

#include "heapwhy.h"

/* Refuses, with the reason: ourselves, processes that are stopped, frozen, traced, that filter
 * their system calls, and those whose returns the processor checks. */
bool hw_target_check(pid_t pid, const struct hw_attach_options *opts, struct hw_err *err);

bool hw_target_lives(pid_t pid);

/* Why what was asked of it is not done yet: completes a sentence. */
const char *hw_target_why_late(pid_t pid);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WATCH_LIMITS_H
#define HW_WATCH_LIMITS_H

/*
 * How much more a process can get: until its control group kills it (version 1 or 2, its own or one
 * above), until the machine has no memory left, until RLIMIT_AS or RLIMIT_DATA refuses it.
 */

#include "watch/sampler.h"

/* Sets alarm->limit: the one that has least left, and how long it lasts at the alarm's rate.
 * sampler: NULL when there is no process to ask. rss_limit: what the user said, 0: nothing. */
void hw_limits_set(struct hw_alarm *alarm, const struct hw_sampler *sampler, uint64_t rss_limit,
                   const struct hw_memory_sample *sample);

/* The tightest limit of the group and of all above it, by files below root. mount: where the
 * hierarchy is mounted; group: the group's path below it, "/a/b". is_v2: unified. False: no limit.
 */
bool hw_limits_of_group(const char *mount, const char *group, bool is_v2,
                        struct hw_memory_limit *limit);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_PRESSURE_H
#define HW_INSIDE_PRESSURE_H

/*
 * How near memory is to its limits, read without allocating: control groups by descriptors that were opened ahead,
 * RLIMIT_AS and RLIMIT_DATA by /proc/self/statm (proc(5)).
 */

#include <stdbool.h>
#include <stdint.h>

enum { HW_PRESSURE_GROUPS = 32 };

/* One control group of version 1 or 2. Of file pages that nobody used lately the kernel gets rid before it kills. */
struct hw_pressure_group {
    int usage, limit, stat;   /* descriptors; stat may be -1 */
    char cache_key[32];       /* "inactive_file " or "total_inactive_file " */
};

struct hw_pressure {
    struct hw_pressure_group groups[HW_PRESSURE_GROUPS];
    int group_count;
    int statm;
};

void hw_pressure_init(struct hw_pressure *pressure);
void hw_pressure_deinit(struct hw_pressure *pressure);
/* Opens the files of a group. False: one can't be read, or there are too many groups; errno. */
bool hw_pressure_add(struct hw_pressure *pressure, const char *usage, const char *limit, const char *stat,
                     const char *cache_key);

/* The limit that is used most: *ret_used of *ret_limit bytes. NULL: there is none; else its name, static. */
const char *hw_pressure_read(const struct hw_pressure *pressure, uint64_t *ret_used, uint64_t *ret_limit);

#endif

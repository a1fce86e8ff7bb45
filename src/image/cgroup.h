/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_IMAGE_CGROUP_H
#define HW_IMAGE_CGROUP_H

/*
 * What the control group of a process may use and uses (Documentation/admin-guide/cgroup-v2.rst,
 * and cgroup-v1/memory.rst). Inside a container the path that the kernel tells may be the one
 * outside; then the nearest that exists is taken, at last the root of what is mounted.
 */

#include "heapwhy.h"

struct hw_cgroup {
    char path[256];         /* "" when nothing is known */
    uint64_t current_bytes; /* of all processes in it */
    uint64_t limit_bytes;   /* the lowest from there up; 0: none */
};

void hw_cgroup_read(pid_t pid, struct hw_cgroup *ret_cgroup);

/* The same from files below another root than /, for tests. */
void hw_cgroup_read_below(const char *root, pid_t pid, struct hw_cgroup *ret_cgroup);

#endif

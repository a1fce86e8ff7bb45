/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WATCH_SAMPLER_H
#define HW_WATCH_SAMPLER_H

/*
 * The numbers of one process, from files of /proc/PID that stay open: they belong to that very
 * process, so that a later one of the same id is never taken for it.
 *
 * A sample is one read of status (proc(5)), which takes no lock of the process; RSS is as exact as
 * the kernel's counters, which since Linux 6.2 may lag behind by some pages for each processor. PSS
 * needs a walk over all page tables with the address space held against changes, so it is read by a
 * budget: see budget.h. Descriptors are the size of /proc/PID/fd since Linux 6.2, and counted one
 * by one, by a budget too, before.
 */

#include "heapwhy.h"
#include "watch/budget.h"

struct hw_sampler {
    int dir, status, fds;
    pid_t pid;
    struct hw_budget pss_budget, fds_budget;
    uint64_t fds_counted;
    uint64_t virtual_bytes, data_bytes; /* of the last sample: what RLIMIT_AS, RLIMIT_DATA limit */
};

/* False: there is no such process, or it cannot be opened; sys_errno then says why. */
bool hw_sampler_open(struct hw_sampler *sampler, pid_t pid, int *ret_errno);
void hw_sampler_close(struct hw_sampler *sampler);

/* at_ns is set from the clock. False: the process ended. now_ns: hw_clock_now(). */
bool hw_sampler_read(struct hw_sampler *sampler, int64_t now_ns,
                     struct hw_memory_sample *ret_sample);

/* When it began, since 1970; 0: not known. */
int64_t hw_sampler_started(const struct hw_sampler *sampler);

/* The name to show and to find it by: of the script or module when it is an interpreter. */
enum { HW_SAMPLER_NAME = 128 };
void hw_sampler_name(const struct hw_sampler *sampler, char name[HW_SAMPLER_NAME]);

#endif

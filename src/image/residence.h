/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_IMAGE_RESIDENCE_H
#define HW_IMAGE_RESIDENCE_H

/*
 * Which memory of a process is resident: /proc/PID/smaps by mapping, /proc/PID/pagemap by page
 * (Documentation/filesystems/proc.rst, admin-guide/mm/pagemap.rst, Linux 6.x).
 *
 * A twin has all private pages that its process had when it was frozen, but not the pages of files
 * that nobody wrote to: the kernel does not copy those when it forks. So the private ones are taken
 * from the twin, page by page; the others from the process, just before, as sums of mappings.
 */

#include "base/arena.h"
#include "image/cgroup.h"
#include "image/image.h"

struct hw_vma {
    hw_addr start, end;
    const char *path;    /* as in maps: "", "[heap]", "/lib/...", "[anon:...]" */
    uint64_t inode;      /* 0: anonymous */
    uint32_t prot;       /* enum hw_prot */
    uint64_t rss_bytes, swap_bytes;
    uint64_t huge_bytes; /* of rss_bytes, in huge pages */
    uint64_t hugetlb_bytes; /* of the pool of huge pages; no part of rss_bytes */
    uint64_t *present;   /* one bit a page; NULL: not known by page */
};

struct hw_residence {
    struct hw_vma *vmas; /* by address, not overlapping */
    size_t count, capacity;
    uint64_t kernel_rss_bytes; /* VmRSS: what the kernel counts, with its own delays */
    uint64_t page_table_bytes; /* VmPTE */
    struct hw_cgroup cgroup;
    struct hw_arena arena;     /* owns the paths */
};

/* Reads smaps and status of a running process. A process that has exited has no mappings. */
bool hw_residence_read(pid_t pid, struct hw_residence *ret_residence, struct hw_err *err);

/* Brings what was read before a freeze to the moment of the freeze. frozen: the twin, or the
 * process when it has none. Call it before the twin's memory is read. */
bool hw_residence_settle(struct hw_residence *residence, pid_t frozen, struct hw_err *err);

void hw_residence_deinit(struct hw_residence *residence);

/* The mapping that holds addr, or NULL. */
struct hw_vma *hw_residence_find(const struct hw_residence *residence, hw_addr addr);

/* How many of [addr, addr + bytes) are resident, in mappings that are known by page. */
uint64_t hw_residence_bytes(const struct hw_residence *residence, hw_addr addr, uint64_t bytes);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_IMAGE_PROC_H
#define HW_IMAGE_PROC_H

/*
 * What /proc says about a process, with bounds on everything (format: proc(5), Linux 6.x).
 */

#include "base/buf.h"
#include "image/image.h"

/* The whole of a /proc file, terminated. Returns 0 or the errno: EFBIG when it is longer than
 * max_bytes, ESRCH when it is empty. The caller deinits *ret_buf. */
int hw_proc_file_read(const char *path, size_t max_bytes, struct hw_buf *ret_buf);

struct hw_proc_status {
    char state; /* R S D T t Z X I */
    pid_t tgid, ppid, tracer;
    pid_t ns_pid; /* in its own innermost pid namespace */
    uid_t uid, euid, suid;
    gid_t gid, egid, sgid;
    unsigned seccomp; /* 0 off, 1 strict, 2 filter */
    bool has_memory;  /* kernel threads and zombies have none */
};

/* Reads /proc/PID/status; works for a thread's id too. False: there is no such process. */
bool hw_proc_status_read(pid_t pid, struct hw_proc_status *ret_status);

/* Fills *ret_segments (malloc'ed) with the readable mappings of /proc/PID/maps; their paths are
 * allocated from image's arena. */
bool hw_proc_maps_read(struct hw_image *image, pid_t pid, struct hw_segment **ret_segments,
                       size_t *ret_count, struct hw_err *err);

/* The address of a system call instruction in executable memory of the target, 0: none found. */
hw_addr hw_proc_syscall_find(struct hw_image *image);

/* Threads with their names, no registers. *ret_threads is malloc'ed. */
bool hw_proc_threads_list(pid_t pid, struct hw_thread **ret_threads, size_t *ret_count,
                          struct hw_err *err);

/* Fills err for a refused access to pid: which right is missing, and what to do about it. */
bool hw_proc_explain_denied(pid_t pid, int errno_value, struct hw_err *err);

#endif

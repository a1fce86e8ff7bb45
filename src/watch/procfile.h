/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WATCH_PROCFILE_H
#define HW_WATCH_PROCFILE_H

/*
 * Small files of /proc and of control groups, read into the caller's buffer: no allocation for each
 * look. What does not fit is cut off.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The file's text, terminated. Returns its length; -1: it cannot be read, or is empty. dir: as for
 * openat(2). */
ssize_t hw_procfile_read(int dir, const char *path, char *to, size_t max);
ssize_t hw_procfile_pread(int fd, char *to, size_t max); /* from the beginning of an open file */

/* The number after a line's beginning, "VmRSS:"; false: there is no such line, or no number. */
bool hw_procfile_number(const char *text, const char *key, uint64_t *ret);
uint64_t hw_procfile_kb(const char *text, const char *key); /* in bytes; 0 without one */

/* Of /proc/PID/stat, whose second field is a name in brackets that may contain anything. */
struct hw_procfile_stat {
    char name[32];
    char state;
    pid_t parent;
    uint64_t start_ticks; /* since boot */
};
bool hw_procfile_stat(int dir, const char *path, struct hw_procfile_stat *ret_stat);

#endif

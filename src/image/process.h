/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_IMAGE_PROCESS_H
#define HW_IMAGE_PROCESS_H

/*
 * The part that the sources reading a process's memory share: a descriptor of /proc/PID/mem.
 */

#include "image/image.h"

/* An open /proc/PID/mem; -1 with err filled when it is refused. */
int hw_process_memory_open(pid_t pid, struct hw_err *err);

/* pread() until everything is there or a page cannot be read. Sets image->lost when the process
 * behind fd has ended. */
size_t hw_process_memory_read(struct hw_image *image, int fd, hw_addr addr, void *to, size_t bytes);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_IMAGE_PROCESS_H
#define HW_IMAGE_PROCESS_H

/*
 * What the sources that read a process share: descriptors of /proc/PID/mem and pagemap.
 */

#include "image/image.h"

/* An open /proc/PID/mem; -1 with err filled when it is refused. */
int hw_process_memory_open(pid_t pid, struct hw_err *err);

/* Likewise of our own process. Where that may not be opened, as after giving up the rights of root, it is
 * HW_MEMORY_OWN: to be read by a system call, and not to be closed. */
enum { HW_MEMORY_OWN = -2 };
int hw_process_memory_open_own(void);
void hw_process_memory_close(int fd); /* any of these; -1: nothing */

/* pread() until everything is there or a page cannot be read. Sets image->lost when the process
 * behind fd has ended. */
size_t hw_process_memory_read(struct hw_image *image, int fd, hw_addr addr, void *to, size_t bytes);

/* An open /proc/PID/pagemap; -1: refused. */
int hw_process_pagemap_open(pid_t pid);

/* Whether any page of the chunk at start has ever been touched, for hw_image_pin(). Of what is not known
 * (a file's pages, pagemap -1) yes. */
bool hw_process_chunk_present(struct hw_image *image, int pagemap, hw_addr start);

/* Makes it the first to be killed when memory runs short. A courtesy: may be refused. */
void hw_process_make_expendable(pid_t pid);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_SYSTEM_READ_H
#define HW_SYSTEM_READ_H

/* The parts of hw_system_begin() and hw_system_finish(). Each is false only when memory runs out. */

#include "system/system.h"

/* Fills fds and watches, and protocol and ends of sockets as "". */
bool hw_system_read_fds(struct hw_system *system, pid_t pid, const struct hw_system_look *before,
                        uint64_t *ret_total);

/* What the sockets among fds are connected to. */
bool hw_system_read_sockets(struct hw_system *system, pid_t pid);

bool hw_system_read_tasks(struct hw_system *system, pid_t pid);

#endif

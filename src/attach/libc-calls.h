/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ATTACH_LIBC_CALLS_H
#define HW_ATTACH_LIBC_CALLS_H

/* Which functions of the C library a thread waits in without holding what malloc or the loader
 * need. */

#include <stdbool.h>

/* function: an exported name. */
bool hw_libc_call_waits(const char *function);

/* A system call that malloc makes with its locks held. */
bool hw_syscall_is_of_memory(long number);

#endif

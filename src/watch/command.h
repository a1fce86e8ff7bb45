/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WATCH_COMMAND_H
#define HW_WATCH_COMMAND_H

/* What a process is called: by the kernel, and by its command line. */

#include <stddef.h>

struct hw_command {
    char name[32];    /* of the kernel, at most 15 characters; may be "" */
    char script[128]; /* "app.py", or "-m http.server", "-c": what a Python interpreter runs, by its
                         command line; else the last part of argv[0]; "" without a command line */
};

/* dir: of /proc/PID. */
void hw_command_read(int dir, struct hw_command *ret_command);

/* The same from argv, as in /proc/PID/cmdline: strings, each with its end. */
void hw_command_script(const char *argv, size_t bytes, char *to, size_t max);

#endif

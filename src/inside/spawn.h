/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_SPAWN_H
#define HW_INSIDE_SPAWN_H

/*
 * Starting a program when there is no memory left: all that it needs is made ahead, and the start itself allocates
 * nothing. The program is no child that a wait() of the application's could meet:
 *
 *     this process ── clone(VM, VFORK, no signal) ──▶ helper ── clone(VM, VFORK) ──▶ program
 *                                                     exits, and the program becomes init's
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { HW_SPAWN_ARGS = 16, HW_SPAWN_SAID = 512 };

struct hw_spawn {
    char *stacks;                    /* for both clones; NULL: not ready */
    int said_read, said_write, null; /* descriptors; -1: closed */
    pid_t program;                   /* of the last start */
    int start_errno;                 /* why it did not start; 0: it did */
    char *const *args;               /* during a start */
};

/* 0, or -1 with errno. */
int hw_spawn_init(struct hw_spawn *spawn);
void hw_spawn_deinit(struct hw_spawn *spawn);

/*
 * Runs args[0] with args (NULL-terminated) and waits until it and its children have ended, at most timeout_ms; then it
 * is killed. What it wrote to its standard error is in said, terminated. It gets no standard input and output,
 * the hard limits of this process as soft ones, and is what the kernel kills first when memory runs out. False: it could
 * not be started, errno says why. Calls from several threads must exclude each other.
 */
bool hw_spawn_run(struct hw_spawn *spawn, char *const args[], int timeout_ms, char said[HW_SPAWN_SAID]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_IMAGE_SELF_H
#define HW_IMAGE_SELF_H

/*
 * Freezing our own process. Nobody stops it from outside: whoever calls holds what keeps the heap as
 * it is (the interpreter's lock), for as long as it takes.
 *
 *     hold() ── threads' stacks ── clone ── release() ── /proc/COPY/mem is read ── kill, reap
 *               |------------- the pause -----------|
 *
 * The copy is a process that only waits to be killed: by a raw clone without an exit signal, so that
 * neither a SIGCHLD nor wait() tells the program of it, nor fork handlers run. It has every signal
 * blocked, no descriptors, and dies with the thread that made it. Nothing is traced, so that it works in
 * containers without a right to trace.
 *
 * Threads that wait in the kernel are known by stack pointer and arguments (/proc/self/task/TID/syscall),
 * not by their other registers; of those that run nothing is known.
 */

#include "image/image.h"

struct hw_self_hold {
    void (*hold)(void *ctx);    /* may be NULL: it is held already */
    void (*release)(void *ctx); /* may be NULL */
    void *ctx;
};

/* As hw_image_freeze(), for an image of ourselves. With HW_FREEZE_STOP no copy is made: our memory is
 * copied into the mirrors before release() is called. Fails with HW_ERR_PERMISSION or HW_ERR_IO where no
 * process can be made or its memory can't be read; hold and release were called in pairs. */
bool hw_image_freeze_self(struct hw_image *live, const struct hw_freeze_options *opts,
                          const struct hw_self_hold *hold, struct hw_image **ret_image,
                          struct hw_freeze_result *ret_result, struct hw_err *err);

#endif

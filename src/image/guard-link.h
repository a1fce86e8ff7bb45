/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_IMAGE_GUARD_LINK_H
#define HW_IMAGE_GUARD_LINK_H

/*
 * The owner's end of a guardian: starting it, hearing from it, ending it.
 */

#include "image/guard.h"

struct hw_guard {
    struct hw_guard_shared *shared;
    pid_t pid;
    int socket;
};

/* A task without a process yet: fill guard->shared, then start it. */
bool hw_guard_init(struct hw_guard *guard, struct hw_err *err);
bool hw_guard_start(struct hw_guard *guard, struct hw_err *err);

/* The next message. A descriptor that comes along is put into *ret_fd (-1: none). Fails with
 * HW_ERR_INTERRUPTED when *cancel becomes non-zero, and with the guardian's error. */
bool hw_guard_receive(struct hw_guard *guard, const volatile int *cancel,
                      enum hw_guard_message *ret_message, int *ret_fd, struct hw_err *err);

void hw_guard_send(struct hw_guard *guard, enum hw_guard_message message);

/* Ends what it holds, waits until that is done, frees the link. */
void hw_guard_deinit(struct hw_guard *guard);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_IMAGE_TWIN_H
#define HW_IMAGE_TWIN_H

/*
 * Making the twin and ending it. Runs in the guardian, while all threads of the target stand still.
 *
 * The usual way: a thread of the target clones a helper that shares its memory (no page tables are
 * copied, exit signal 0, so that nobody is told of its end and no ordinary wait sees it); the
 * helper clones the twin; the helper exits, and the thread reaps it. The twin is then an orphan:
 * whoever reaps orphans there (init) will reap it.
 *
 * When the target itself reaps orphans (process 1 of a container, a subreaper) the twin would come
 * back to it as a child that ends with SIGCHLD. Then the thread clones the twin itself, exit signal
 * 0, and after the twin's end one thread is stopped again for a moment to reap it.
 */

#include "image/guard.h"

struct hw_twin {
    pid_t pid;           /* 0: none */
    pid_t pid_in_target; /* its number in the target's pid namespace */
    bool is_child;       /* of the target, which has to be made to reap it */
    hw_addr insn;
    bool resend_stop; /* a SIGSTOP to the target was held back */
};

/* All threads stand still before and after. */
bool hw_twin_make(const struct hw_guard_shared *shared, struct hw_twin *ret_twin,
                  struct hw_err *err);

/* Closes the twin's descriptors, so that it keeps no file, pipe or socket of the target open, and
 * makes it the first to be killed when memory runs short. The target runs already. */
void hw_twin_settle(struct hw_twin *twin);

/* Kills it and leaves no trace of it. */
void hw_twin_end(struct hw_twin *twin, pid_t target);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/run.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

/* Waiting is cut into pieces, so that a process that ends, or a signal that arrives between two
 * looks at the flag, is noticed soon. */
#define PIECE_NS INT64_C(200000000)
#define SECOND_NS INT64_C(1000000000)

int64_t hw_run_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static void sleep_until(int64_t ns)
{
    struct timespec until = {ns / SECOND_NS, ns % SECOND_NS};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static bool interrupted(const struct hw_run *run, struct hw_err *err)
{
    if (*run->cancel)
        hw_err_set(err, HW_ERR_INTERRUPTED, "interrupted");
    return *run->cancel;
}

bool hw_run_wait(struct hw_run *run, pid_t pid, int64_t deadline, const char *what,
                 struct hw_err *err)
{
    for (int64_t now = hw_run_now(); now < deadline; now = hw_run_now()) {
        char text[128];
        snprintf(text, sizeof(text), "waiting %" PRId64 " s for %s",
                 (deadline - now + SECOND_NS - 1) / SECOND_NS, what);
        hw_progress_prefix(&run->progress, "%s", "");
        hw_progress_stage(&run->progress, text);
        sleep_until(now + PIECE_NS < deadline ? now + PIECE_NS : deadline);
        if (interrupted(run, err))
            return false;
        if (kill(pid, 0) != 0 && errno == ESRCH)
            return hw_err_set(err, HW_ERR_GONE, "process %d exited", (int)pid);
    }
    return !interrupted(run, err);
}

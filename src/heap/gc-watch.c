/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The counters of a running collector. A few hundred bytes are read each time, from a process that
 * goes on meanwhile: each word is right, and a look that meets a list half way in or out is left to
 * the next one.
 */

#include "base/err.h"
#include "cpython/runtime.h"
#include "image/source.h"

#include <stdlib.h>
#include <time.h>

enum { MISSED_MOST = 100 };

struct hw_gc_watch {
    struct hw_image *live;
    struct hw_runtime runtime;
    struct hw_gc_state first, last;
    int64_t began_ns, looked_ns; /* monotonic clock */
    unsigned missed;             /* looks in a row that met no lists */
    int64_t before_ns[3];        /* when the last collection had not been counted yet; 0: none */
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

bool hw_gc_watch_create(pid_t pid, struct hw_gc_watch **ret_watch, struct hw_err *err)
{
    struct hw_gc_watch *watch = calloc(1, sizeof(*watch));
    if (!watch)
        return hw_err_no_memory(err);
    if (!hw_image_open_live(pid, &watch->live, err) ||
        !hw_runtime_find(watch->live, &watch->runtime, err)) {
        hw_gc_watch_destroy(watch);
        return false;
    }
    *ret_watch = watch;
    return true;
}

void hw_gc_watch_destroy(struct hw_gc_watch *watch)
{
    if (!watch)
        return;
    if (watch->live)
        hw_image_close(watch->live);
    free(watch);
}

static void compare(struct hw_gc_watch *watch, const struct hw_gc_state *state, int64_t now)
{
    if (!watch->began_ns) {
        watch->first = watch->last = *state;
        watch->began_ns = watch->looked_ns = now;
    }
    for (unsigned i = 0; i < 3; i++)
        if (state->stats[i].collections != watch->last.stats[i].collections)
            watch->before_ns[i] = watch->looked_ns;
    watch->last = *state;
    watch->looked_ns = now;
}

bool hw_gc_watch_look(struct hw_gc_watch *watch, struct hw_gc_watched *ret_watched,
                      struct hw_err *err)
{
    struct hw_gc_state state = {0};
    struct hw_gc_watched watched = {0};
    hw_image_forget(watch->live);
    /* Taken before the look: what is counted later was not there yet. */
    int64_t now = now_ns();
    watch->missed++;
    if (hw_runtime_gc_state(watch->live, &watch->runtime, &state)) {
        compare(watch, &state, now);
        watch->missed = 0;
    }
    if (watch->live->lost)
        return hw_err_set(err, HW_ERR_GONE, "process %d exited while it was watched",
                          (int)watch->live->pid);
    if (watch->missed > MISSED_MOST)
        return hw_err_set(err, HW_ERR_IO, "the collector of process %d is no longer where it was",
                          (int)watch->live->pid);
    now = now_ns();
    watched.watched_ns = watch->began_ns ? watch->looked_ns - watch->began_ns : 0;
    for (unsigned i = 0; i < 3; i++) {
        struct hw_gc_seen *seen = &watched.generations[i];
        seen->collections = watch->last.stats[i].collections - watch->first.stats[i].collections;
        seen->collected = watch->last.stats[i].collected - watch->first.stats[i].collected;
        seen->ago_ns = watch->before_ns[i] ? now - watch->before_ns[i] : -1;
    }
    *ret_watched = watched;
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/run.h"
#include "tell/tell.h"

#include <time.h>

enum { STANDARD_ROWS = 10 };

/* Between two looks: each is a few small reads, so they may be close. */
#define LOOK_NS INT64_C(20000000)

static bool look_until_done(struct hw_run *run, struct hw_gc_watch *watch,
                            struct hw_gc_watched *watched, struct hw_err *err)
{
    const struct timespec pause = {.tv_nsec = LOOK_NS};
    while (hw_gc_watch_look(watch, watched, err)) {
        if (watched->watched_ns >= run->args->watch_ns)
            return true;
        nanosleep(&pause, NULL);
        if (*run->cancel)
            return hw_err_set(err, HW_ERR_INTERRUPTED, "interrupted");
    }
    return false;
}

/* *ret_watched: NULL when it was not asked for. */
static bool watch(struct hw_run *run, struct hw_gc_watched *watched,
                  const struct hw_gc_watched **ret_watched, struct hw_err *err)
{
    struct hw_gc_watch *collector = NULL;
    struct hw_err no_pid = HW_ERR_INIT;
    pid_t pid;
    *ret_watched = NULL;
    if (!run->args->watch_ns)
        return true;
    if (!hw_run_pid(run->args->words[0], &pid, &no_pid)) {
        if (err)
            *err = no_pid;
        return no_pid.code == HW_ERR_USAGE
                   ? hw_err_set(err, HW_ERR_USAGE, "--watch wants a running process, not a file")
                   : false;
    }
    hw_progress_stage(&run->progress, "watching the collector");
    bool ok =
        hw_gc_watch_create(pid, &collector, err) && look_until_done(run, collector, watched, err);
    hw_gc_watch_destroy(collector);
    *ret_watched = watched;
    return ok;
}

bool hw_cmd_gc(struct hw_run *run, struct hw_err *err)
{
    struct hw_graph *graph = NULL;
    struct hw_gc *gc = NULL;
    struct hw_gc_watched storage;
    const struct hw_gc_watched *watched;
    bool done;
    if (!hw_run_watches_cycles(run, &done, err) || done)
        return done;
    bool ok = watch(run, &storage, &watched, err) &&
              hw_run_open(run, run->args->words[0], &graph, err) && hw_gc_ask(graph, &gc, err);
    hw_progress_clear(&run->progress);
    if (ok)
        hw_tell_gc(&run->out, hw_graph_facts(graph), gc, watched, hw_run_limit(run, STANDARD_ROWS));
    hw_gc_destroy(gc);
    hw_graph_destroy(graph);
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/run.h"
#include "tell/tell.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { GROUPS_MAX = 1000, EXIT_FOUND = 3 };

struct watch {
    struct hw_run *run;
    pid_t pid;
    struct hw_cycles *before;
    struct hw_facts facts; /* of the look before */
    uint64_t looks, found; /* new cycles in all */
};

static bool is_same_process(const struct hw_facts *a, const struct hw_facts *b)
{
    return a->pid == b->pid && a->start_time == b->start_time;
}

static bool tell_news(struct watch *watch, const struct hw_graph *graph,
                      const struct hw_cycles *now, struct hw_err *err)
{
    struct hw_cycle_news *news = calloc(now->group_count + 1, sizeof(*news));
    if (!news)
        return hw_err_no_memory(err);
    const struct hw_facts *facts = hw_graph_facts(graph);
    size_t count = hw_cycles_compare(watch->before, now, news);
    for (size_t i = 0; i < count; i++)
        watch->found += news[i].components;
    double seconds = (double)(facts->taken_at_ns - watch->facts.taken_at_ns) / 1e9;
    hw_tell_cycle_news(&watch->run->out, graph, watch->looks, seconds, news, count);
    free(news);
    return true;
}

/* Everything is written before the next wait. */
static bool tell_look(struct watch *watch, const struct hw_graph *graph,
                      const struct hw_cycles *now, struct hw_err *err)
{
    hw_progress_clear(&watch->run->progress);
    if (!watch->before)
        hw_tell_cycle_start(&watch->run->out, graph, now);
    else if (!tell_news(watch, graph, now, err))
        return false;
    return hw_out_finish(&watch->run->out) || hw_err_set(err, HW_ERR_INTERRUPTED, "interrupted");
}

static bool look(struct watch *watch, struct hw_err *err)
{
    struct hw_graph *graph = NULL;
    struct hw_cycles *now = NULL;
    bool ok = hw_capture(watch->pid, &watch->run->capture, &graph, err);
    if (ok && watch->looks && !is_same_process(hw_graph_facts(graph), &watch->facts))
        ok = hw_err_set(err, HW_ERR_GONE, "process %d exited", (int)watch->pid);
    watch->looks++;
    ok = ok && hw_cycles_ask(graph, GROUPS_MAX, &now, err) && tell_look(watch, graph, now, err);
    if (ok) {
        hw_cycles_destroy(watch->before);
        watch->before = now;
        watch->facts = *hw_graph_facts(graph);
    } else {
        hw_cycles_destroy(now);
    }
    hw_graph_destroy(graph);
    return ok;
}

static bool watch_on(struct watch *watch, struct hw_err *err)
{
    const struct hw_args *args = watch->run->args;
    int64_t start = hw_run_now();
    for (int64_t i = 0; !args->snapshots || i < args->snapshots; i++) {
        char what[64];
        snprintf(what, sizeof(what), "look %" PRId64, i + 1);
        if (!hw_run_wait(watch->run, watch->pid, start + i * args->interval_ns, what, err) ||
            !look(watch, err))
            return false;
    }
    return true;
}

static bool watch_to_the_end(struct hw_run *run, pid_t pid, struct hw_err *err)
{
    struct watch watch = {.run = run, .pid = pid};
    struct hw_err why = HW_ERR_INIT;
    bool ok = watch_on(&watch, &why), begun = watch.before != NULL;
    hw_cycles_destroy(watch.before);
    /* Being interrupted, and the end of what is watched, are the ends of watching. */
    bool is_end = begun && (why.code == HW_ERR_INTERRUPTED || why.code == HW_ERR_GONE ||
                            why.code == HW_ERR_NOT_FOUND);
    if (!ok && !is_end) {
        *err = why;
        return false;
    }
    run->out.cancel = NULL;
    if (run->args->exit_code && watch.found)
        run->status = EXIT_FOUND;
    return true;
}

bool hw_run_watches_cycles(struct hw_run *run, bool *ret_done, struct hw_err *err)
{
    const struct hw_args *args = run->args;
    pid_t pid;
    *ret_done = false;
    if (!args->watch_cycles && (args->snapshots || args->exit_code))
        return hw_err_set(err, HW_ERR_USAGE, "--%s goes with --watch-cycles",
                          args->snapshots ? "snapshots" : "exit-code");
    if (!args->watch_cycles)
        return true;
    if (!hw_run_is_pid(args->words[0]))
        return hw_err_set(err, HW_ERR_USAGE,
                          "--watch-cycles wants a running process, not a file");
    *ret_done = hw_run_pid(args->words[0], &pid, err) && watch_to_the_end(run, pid, err);
    return *ret_done;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/run.h"
#include "tell/tell.h"

#include <inttypes.h>
#include <stdio.h>

enum { STANDARD_ROWS = 20, EXIT_LEAK = 3 };

/* An audit that is made by looks, one after the other. Of a graph only what it says is kept. */
struct looks {
    struct hw_audit *audit; /* the last; NULL: none */
    struct hw_facts facts;  /* of its snapshot */
};

/* Takes ownership of graph. */
static bool look(struct hw_run *run, struct looks *looks, struct hw_graph *graph,
                 struct hw_err *err)
{
    struct hw_audit *audit = NULL;
    hw_progress_stage(&run->progress, "counting references");
    bool ok = hw_audit_ask(graph, looks->audit, &audit, err);
    if (ok) {
        hw_audit_destroy(looks->audit);
        looks->audit = audit;
        looks->facts = *hw_graph_facts(graph);
    }
    hw_graph_destroy(graph);
    return ok;
}

static bool look_at_process(struct hw_run *run, struct looks *looks, struct hw_err *err)
{
    pid_t pid;
    int64_t start = hw_run_now(), wanted = run->args->snapshots ? run->args->snapshots : 1;
    if (!hw_run_pid(run->args->words[0], &pid, err))
        return false;
    for (int64_t i = 0; i < wanted; i++) {
        struct hw_graph *graph = NULL;
        char what[64];
        snprintf(what, sizeof(what), "look %" PRId64 " of %" PRId64, i + 1, wanted);
        if (!hw_run_wait(run, pid, start + i * run->args->interval_ns, what, err) ||
            !hw_capture(pid, &run->capture, &graph, err) || !look(run, looks, graph, err))
            return false;
    }
    return true;
}

static bool look_at_words(struct hw_run *run, struct looks *looks, struct hw_err *err)
{
    for (size_t i = 0; i < run->args->word_count; i++) {
        struct hw_graph *graph = NULL;
        if (!hw_run_open(run, run->args->words[i], &graph, err) || !look(run, looks, graph, err))
            return false;
    }
    return true;
}

bool hw_cmd_audit(struct hw_run *run, struct hw_err *err)
{
    struct looks looks = {0};
    bool live = run->args->word_count == 1 && hw_run_is_pid(run->args->words[0]);
    if (run->args->snapshots && !live)
        return hw_err_set(err, HW_ERR_USAGE, "--snapshots wants one running process, and no files");
    bool ok = live ? look_at_process(run, &looks, err) : look_at_words(run, &looks, err);
    hw_progress_clear(&run->progress);
    if (ok) {
        hw_tell_audit(&run->out, &looks.facts, looks.audit, hw_run_limit(run, STANDARD_ROWS));
        if (run->args->exit_code && looks.audit->leaks)
            run->status = EXIT_LEAK;
    }
    hw_audit_destroy(looks.audit);
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/run.h"
#include "tell/tell.h"

#include <sys/stat.h>

static void tell(struct hw_run *run, const struct hw_graph *graph)
{
    struct stat file;
    uint64_t bytes = stat(run->args->output, &file) == 0 ? (uint64_t)file.st_size : 0;
    hw_progress_clear(&run->progress);
    hw_tell_snapshot(&run->out, graph, run->args->output, bytes);
}

bool hw_cmd_snapshot(struct hw_run *run, struct hw_err *err)
{
    struct hw_graph *graph = NULL;
    pid_t pid;
    if (!run->args->output)
        return hw_err_set(err, HW_ERR_USAGE, "snapshot wants -o FILE");
    bool ok =
        hw_run_pid(run->args->words[0], &pid, err) && hw_capture(pid, &run->capture, &graph, err);
    if (ok)
        hw_progress_stage(&run->progress, "writing");
    ok = ok && hw_snapshot_save(graph, run->args->output, err);
    if (ok)
        tell(run, graph);
    hw_graph_destroy(graph);
    return ok;
}

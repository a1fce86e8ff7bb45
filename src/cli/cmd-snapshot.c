/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/run.h"
#include "tell/tell.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void tell(struct hw_run *run, const struct hw_graph *graph)
{
    struct stat file;
    uint64_t bytes = stat(run->args->output, &file) == 0 ? (uint64_t)file.st_size : 0;
    hw_progress_clear(&run->progress);
    hw_tell_snapshot(&run->out, graph, run->args->output, bytes);
}

/* Before the process is touched. */
static bool check_output(const char *path, struct hw_err *err)
{
    struct stat file, out;
    if (!path)
        return hw_err_set(err, HW_ERR_USAGE, "snapshot wants -o FILE");
    if (strcmp(path, "-") == 0)
        return hw_err_set(err, HW_ERR_USAGE,
                          "a snapshot cannot be written to standard output; for a file of that "
                          "name write -o ./-");
    /* /dev/stdout is a name of the file to which it was redirected. */
    if (stat(path, &file) == 0 && fstat(STDOUT_FILENO, &out) == 0 && file.st_dev == out.st_dev &&
        file.st_ino == out.st_ino && S_ISREG(file.st_mode))
        return hw_err_set(err, HW_ERR_IO, "cannot write %s: it is the standard output", path);
    return true;
}

bool hw_cmd_snapshot(struct hw_run *run, struct hw_err *err)
{
    struct hw_graph *graph = NULL;
    pid_t pid;
    bool ok = check_output(run->args->output, err) && hw_run_pid(run->args->words[0], &pid, err) &&
              hw_capture(pid, &run->capture, &graph, err);
    if (ok)
        hw_progress_stage(&run->progress, "writing");
    ok = ok && hw_snapshot_save(graph, run->args->output, err);
    if (ok)
        tell(run, graph);
    hw_graph_destroy(graph);
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/run.h"
#include "tell/tell.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

enum { EXIT_LEAK = 3, STANDARD_SNAPSHOTS = 3, DIGITS_MIN = 3 };
enum { PATIENCE_PART = 4, PATIENCE_MAX_NS = 500 * 1000 * 1000 }; /* of an interval; at most */

static int64_t wanted(const struct hw_run *run)
{
    return run->args->snapshots ? run->args->snapshots : STANDARD_SNAPSHOTS;
}

/* Waits for the moment of snapshot number (from 1). */
static bool wait_for(struct hw_run *run, pid_t pid, int64_t deadline, int64_t number,
                     struct hw_err *err)
{
    char what[64];
    snprintf(what, sizeof(what), "snapshot %" PRId64 " of %" PRId64, number, wanted(run));
    return hw_run_wait(run, pid, deadline, what, err);
}

/* The number in a name that save() gave; 0: it is another's. */
static int64_t number_in(const char *name, pid_t pid)
{
    int of, end = 0;
    int64_t number;
    if (sscanf(name, "%9d-%9" SCNd64 ".hwsnap%n", &of, &number, &end) != 2 || !end || name[end])
        return 0;
    return of == (int)pid && number > 0 ? number : 0;
}

/* Snapshots that an earlier run saved there stay; the numbers go on after theirs. */
static bool count_saved(const char *directory, pid_t pid, int64_t *ret_last, struct hw_err *err)
{
    DIR *listing = opendir(directory);
    const struct dirent *entry;
    *ret_last = 0;
    if (!listing)
        return hw_err_sys(err, HW_ERR_IO, errno, "cannot read the directory %s", directory);
    while ((entry = readdir(listing))) {
        int64_t number = number_in(entry->d_name, pid);
        *ret_last = number > *ret_last ? number : *ret_last;
    }
    closedir(listing);
    return true;
}

/* Names sort as their numbers do. */
static int digits_of(int64_t number)
{
    int digits = snprintf(NULL, 0, "%" PRId64, number);
    return digits < DIGITS_MIN ? DIGITS_MIN : digits;
}

static bool save(struct hw_run *run, const struct hw_graph *graph, pid_t pid, int64_t number,
                 int64_t saved, struct hw_err *err)
{
    char path[4096];
    if (!run->args->save)
        return true;
    int n = snprintf(path, sizeof(path), "%s/%d-%0*" PRId64 ".hwsnap", run->args->save, (int)pid,
                     digits_of(saved + wanted(run)), saved + number);
    if (n >= (int)sizeof(path))
        return hw_err_set(err, HW_ERR_USAGE, "the name of the directory is too long");
    return hw_snapshot_save(graph, path, err);
}

static bool take(struct hw_run *run, struct hw_series *series, pid_t pid, int64_t number,
                 int64_t saved, struct hw_err *err)
{
    struct hw_graph *graph = NULL;
    hw_progress_prefix(&run->progress, "snapshot %" PRId64 " of %" PRId64 ": ", number,
                       wanted(run));
    if (!hw_capture(pid, &run->capture, &graph, err))
        return false;
    if (!save(run, graph, pid, number, saved, err)) {
        hw_graph_destroy(graph);
        return false;
    }
    return hw_series_add(series, graph, err);
}

/* After the first snapshot a missing process is one that has exited. One that differs from the one
 * before (another has its number by now, or it runs another program) is no wrong usage of ours. */
static bool explain_exit(pid_t pid, int64_t taken, int64_t wanted, struct hw_err *err)
{
    bool gone = err->code == HW_ERR_GONE || err->code == HW_ERR_NOT_FOUND;
    if (taken && err->code == HW_ERR_USAGE)
        err->code = HW_ERR_GONE;
    if (taken && gone)
        hw_err_set(err, HW_ERR_GONE,
                   "process %d exited after %" PRId64 " of %" PRId64
                   " snapshots; a shorter --interval may be quick enough",
                   (int)pid, taken, wanted);
    return false;
}

/* saved: the last number that an earlier run has used. */
static bool take_all(struct hw_run *run, struct hw_series *series, pid_t pid, int64_t saved,
                     struct hw_err *err)
{
    int64_t start = hw_run_now();
    for (int64_t i = 0; i < wanted(run); i++) {
        int64_t deadline = start + i * run->args->interval_ns;
        if (!wait_for(run, pid, deadline, i + 1, err) || !take(run, series, pid, i + 1, saved, err))
            return explain_exit(pid, i, wanted(run), err);
    }
    return true;
}

bool hw_run_make_directory(const char *path, struct hw_err *err)
{
    struct stat info;
    if (mkdir(path, 0700) == 0)
        return true;
    if (errno != EEXIST)
        return hw_err_sys(err, HW_ERR_IO, errno, "cannot make the directory %s", path);
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
        return hw_err_set(err, HW_ERR_IO, "%s is no directory", path);
    return true;
}

static void tell(struct hw_run *run, void *ctx, const struct hw_facts *facts,
                 const struct hw_diagnosis *diagnosis)
{
    (void)ctx;
    hw_tell_diagnosis(&run->out, facts, diagnosis);
    if (run->args->exit_code && diagnosis->verdict == HW_VERDICT_LEAK)
        run->status = EXIT_LEAK;
}

/* What a program has in hands while it works is no growth: the moments are chosen between. A period
 * of its own that fits ours would else have all snapshots fall into the same part of its work. */
static int64_t patience_of(const struct hw_run *run)
{
    int64_t share = run->args->interval_ns / PATIENCE_PART;
    return share < PATIENCE_MAX_NS ? share : PATIENCE_MAX_NS;
}

static bool watch(struct hw_run *run, struct hw_series *series, struct hw_err *err)
{
    pid_t pid;
    int64_t saved = 0;
    const char *directory = run->args->save;
    if (!hw_run_pid(run->args->words[0], &pid, err) ||
        (directory &&
         (!hw_run_make_directory(directory, err) || !count_saved(directory, pid, &saved, err))))
        return false;
    run->capture.patience_ns = patience_of(run);
    return take_all(run, series, pid, saved, err);
}

static bool diagnose(struct hw_run *run, const struct hw_ignores *ignores, hw_run_diagnosed *done,
                     void *ctx, struct hw_err *err)
{
    const struct hw_diagnose_options options = {.ignores = ignores->items,
                                                .ignore_count = ignores->count};
    struct hw_series *series = NULL;
    struct hw_diagnosis *diagnosis = NULL;
    bool live = hw_run_is_pid(run->args->words[0]);
    bool ok = hw_series_create(&series, err) &&
              (live ? watch(run, series, err) : hw_run_series(run, series, err));
    hw_progress_prefix(&run->progress, "%s", "");
    if (ok)
        hw_progress_stage(&run->progress, "looking for the leak");
    ok = ok && hw_diagnose_ask(series, &options, &diagnosis, err);
    hw_progress_clear(&run->progress);
    if (ok)
        done(run, ctx, hw_graph_facts(hw_series_last(series)), diagnosis);
    hw_diagnosis_destroy(diagnosis);
    hw_series_destroy(series);
    return ok;
}

bool hw_run_diagnose(struct hw_run *run, hw_run_diagnosed *done, void *ctx, struct hw_err *err)
{
    struct hw_ignores ignores;
    if (hw_run_is_pid(run->args->words[0]) && run->args->word_count > 1)
        return hw_err_set(err, HW_ERR_USAGE, "diagnose takes one process, or snapshot files");
    if (!hw_ignores_init(&ignores, run->args, err))
        return false;
    bool ok = diagnose(run, &ignores, done, ctx, err);
    hw_ignores_deinit(&ignores);
    return ok;
}

bool hw_cmd_diagnose(struct hw_run *run, struct hw_err *err)
{
    return hw_run_diagnose(run, tell, NULL, err);
}

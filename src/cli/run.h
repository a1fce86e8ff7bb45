/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CLI_RUN_H
#define HW_CLI_RUN_H

/* What every command gets, and what several of them do. */

#include "cli/options.h"
#include "cli/progress.h"
#include "tell/out.h"

#include <limits.h>

struct hw_run {
    const struct hw_args *args;
    struct hw_out out; /* standard output */
    struct hw_progress progress;
    struct hw_capture_options capture;
    const volatile int *cancel; /* the signal that asked us to stop; 0: none */
    int status; /* to exit with; 0: success, or 1 when the command fails */
};

/* A command returns false and fills err, or true; write errors stay in run->out. */
bool hw_cmd_diagnose(struct hw_run *run, struct hw_err *err);
bool hw_cmd_snapshot(struct hw_run *run, struct hw_err *err);
bool hw_cmd_types(struct hw_run *run, struct hw_err *err);
bool hw_cmd_diff(struct hw_run *run, struct hw_err *err);
bool hw_cmd_holders(struct hw_run *run, struct hw_err *err);
bool hw_cmd_owners(struct hw_run *run, struct hw_err *err);
bool hw_cmd_paths(struct hw_run *run, struct hw_err *err);
bool hw_cmd_show(struct hw_run *run, struct hw_err *err);
bool hw_cmd_memory(struct hw_run *run, struct hw_err *err);
bool hw_cmd_gc(struct hw_run *run, struct hw_err *err);
bool hw_cmd_retained(struct hw_run *run, struct hw_err *err);
bool hw_cmd_tree(struct hw_run *run, struct hw_err *err);
bool hw_cmd_cycles(struct hw_run *run, struct hw_err *err);
bool hw_cmd_resources(struct hw_run *run, struct hw_err *err);
bool hw_cmd_audit(struct hw_run *run, struct hw_err *err);
bool hw_cmd_sites(struct hw_run *run, struct hw_err *err);
bool hw_cmd_allocations(struct hw_run *run, struct hw_err *err);
bool hw_cmd_lines(struct hw_run *run, struct hw_err *err);
/* Becomes the program: returns only when that fails. */
bool hw_cmd_run(struct hw_run *run, struct hw_err *err);
bool hw_cmd_attach(struct hw_run *run, struct hw_err *err);
bool hw_cmd_detach(struct hw_run *run, struct hw_err *err);
bool hw_cmd_flame(struct hw_run *run, struct hw_err *err);
bool hw_cmd_export(struct hw_run *run, struct hw_err *err);
bool hw_cmd_text(struct hw_run *run, struct hw_err *err);
bool hw_cmd_watch(struct hw_run *run, struct hw_err *err);
bool hw_cmd_plot(struct hw_run *run, struct hw_err *err);
bool hw_cmd_check(struct hw_run *run, struct hw_err *err);

/* What the command line and the file of rules say is to be ignored; the file's rules come first,
 * since they carry a reason. */
struct hw_ignores {
    struct hw_ignore *items;
    size_t count;
    struct hw_rules *rules; /* owns the file's texts; NULL: no file */
};
bool hw_ignores_init(struct hw_ignores *ignores, const struct hw_args *args, struct hw_err *err);
void hw_ignores_deinit(struct hw_ignores *ignores);

/* As hw_cmd_diagnose(), but what came of it is told to `done`. */
typedef void hw_run_diagnosed(struct hw_run *run, void *ctx, const struct hw_facts *facts,
                              const struct hw_diagnosis *diagnosis);
bool hw_run_diagnose(struct hw_run *run, hw_run_diagnosed *done, void *ctx, struct hw_err *err);

/* Makes a directory that only we can read; one that is there is as good. */
bool hw_run_make_directory(const char *path, struct hw_err *err);

/* Captures the process, or loads the file, that word names. */
bool hw_run_open(struct hw_run *run, const char *word, struct hw_graph **ret_graph,
                 struct hw_err *err);

/* All words of the command, each as a graph that take() owns: files by the time of their capture,
 * then processes. Fails with HW_ERR_USAGE when two files are the same snapshot. */
bool hw_run_each(struct hw_run *run,
                 bool (*take)(void *ctx, struct hw_graph *graph, struct hw_err *err), void *ctx,
                 struct hw_err *err);

/* All words of the command into series: as hw_run_each(). */
bool hw_run_series(struct hw_run *run, struct hw_series *series, struct hw_err *err);

/* Whether word means a process; as a process id. */
bool hw_run_is_pid(const char *word);
bool hw_run_pid(const char *word, pid_t *ret_pid, struct hw_err *err);

/* Waits until hw_run_now(), in ns, reaches deadline; tells that it waits for `what`. Fails when the
 * process exits or the user interrupts. */
int64_t hw_run_now(void);
bool hw_run_wait(struct hw_run *run, pid_t pid, int64_t deadline, const char *what,
                 struct hw_err *err);

/* For commands that have --watch-cycles: looks at the cycles of the process again and again,
 * --interval apart, until -n looks are done, the user interrupts or the process ends, and tells
 * what is new. *ret_done: that was asked for and is done; false: the command has its own work. */
bool hw_run_watches_cycles(struct hw_run *run, bool *ret_done, struct hw_err *err);

/* Where the agent's library is. */
bool hw_run_find_agent(char path[PATH_MAX], struct hw_err *err);
/* Whether pictures must be drawn in ASCII: asked for, or not a UTF-8 terminal. */
bool hw_run_wants_ascii(const struct hw_run *run);

/* The rows to show: as asked, or standard for text and all for JSON. 0: all. */
size_t hw_run_limit(const struct hw_run *run, size_t standard);

/* All objects that the command's OBJECT names, however many. The caller frees *ret_ids. */
bool hw_run_matches(struct hw_run *run, const struct hw_graph *graph, hw_id **ret_ids,
                    size_t *ret_count, struct hw_err *err);

/* Resolves the command's OBJECT: at most --objects ids, spread over those that match. The caller
 * frees *ret_ids. */
bool hw_run_objects(struct hw_run *run, const struct hw_graph *graph, hw_id **ret_ids,
                    size_t *ret_count, uint64_t *ret_total, struct hw_err *err);

#endif

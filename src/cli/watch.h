/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CLI_WATCH_H
#define HW_CLI_WATCH_H

/* What watch and plot share, and the parts of watch: its words, the command that an alarm starts,
 * and the evidence that it leaves. */

#include "cli/run.h"
#include "tell/tell.h"

#include <signal.h>

/* ---- words: process ids, names, or files ---- */

struct hw_watch_words {
    pid_t *pids;
    const char **names;
    size_t pid_count, name_count;
    const char *file; /* NULL: none; then there is nothing else */
};
bool hw_watch_words_init(struct hw_watch_words *words, const struct hw_args *args,
                         struct hw_err *err);
void hw_watch_words_deinit(struct hw_watch_words *words);
/* Whether a word means a file: "app.py" is a name even where such a file is. */
bool hw_watch_is_file(const char *word);
/* The words' and the command line's part of the options. */
struct hw_watch_options hw_watch_words_options(const struct hw_watch_words *words,
                                               const struct hw_args *args);

/* ---- a program of our own, and recordings ---- */

/* JSON lines for heapwhy plot, of everything that is seen. */
struct hw_watch_recording {
    struct hw_out out; /* fd -1: nothing is recorded */
    char path[4096];
    uint64_t samples, most; /* most: bytes of one process */
};
/* To --output, or for a program to a file that is named by the time. */
bool hw_watch_recording_open(struct hw_watch_recording *recording, const struct hw_args *args,
                             struct hw_err *err);
void hw_watch_recording_add(struct hw_watch_recording *recording,
                            const struct hw_watch_event *event);
bool hw_watch_recording_close(struct hw_watch_recording *recording, struct hw_err *err);
void hw_watch_recording_discard(struct hw_watch_recording *recording); /* and its file */

/* Starts a program, found in $PATH; $HEAPWHY_RECORDING tells it the recording's path. Fails when it
 * cannot be executed. */
bool hw_watch_program_start(char **argv, const struct hw_watch_recording *recording, pid_t *ret_pid,
                            struct hw_err *err);
/* Whether it has ended; its exit status, 128 and the signal's number as in a shell. wait: it has no
 * memory any more, so it ends at once. */
bool hw_watch_program_end(pid_t pid, bool wait, int *ret_status);

/* ---- waiting ---- */

/* Signals that end the watch are let in only while we wait, so that none is missed between a look
 * at the flag and the wait. */
struct hw_watch_wait {
    sigset_t outside;                  /* the mask while waiting, and of all that we start */
    int64_t next_ns, end_ns, every_ns; /* end_ns: 0 for none */
};
void hw_watch_wait_init(struct hw_watch_wait *wait, const struct hw_args *args, int64_t for_ns);
void hw_watch_wait_deinit(struct hw_watch_wait *wait);
/* Until the next look is due. False: it is time to end. */
bool hw_watch_wait_next(struct hw_watch_wait *wait, const struct hw_run *run);

/* ---- --exec ---- */

/* At most one command at a time. */
struct hw_watch_exec {
    const char *command; /* NULL: none */
    pid_t child;         /* 0: none runs */
    uint64_t skipped;
};
/* Starts it with the alarm in its environment. outside: the signal mask it gets. */
bool hw_watch_exec_start(struct hw_watch_exec *exec, const struct hw_watch_event *event,
                         const sigset_t *outside, struct hw_err *err);
/* Reaps it when it has ended; whether one still runs. status: of the one that ended, as from
 * waitpid(2), -1: none did. */
bool hw_watch_exec_poll(struct hw_watch_exec *exec, int *ret_status);

/* ---- --diagnose ---- */

/* One directory of files for each alarm: 20251120T110000-41233/diagnosis.txt, diagnosis.json,
 * alarm.json, 41233-001.hwsnap, ... The diagnosis runs in a process of its own, so that its memory
 * is gone afterwards, and so that we go on looking. */
enum { HW_EVIDENCE_PATH = 4096, HW_EVIDENCE_NAME = 128 };
struct hw_evidence {
    char root[HW_EVIDENCE_PATH];
    size_t keep;
    uint64_t keep_bytes;
    pid_t child;               /* 0: none runs */
    int pipe;                  /* its verdict and answer come from here */
    struct hw_watched process; /* of the diagnosis that runs */
    char name[HW_EVIDENCE_NAME], directory[HW_EVIDENCE_PATH];
    char said[1024]; /* "leak\nANSWER", "\nWHY NOT" */
    uint64_t skipped;
};
/* Finds the place and makes it. */
bool hw_evidence_init(struct hw_evidence *evidence, const struct hw_args *args, struct hw_err *err);
/* Makes the alarm's directory and starts the diagnosis. */
bool hw_evidence_start(struct hw_evidence *evidence, struct hw_run *run,
                       const struct hw_watch_event *event, const sigset_t *outside,
                       struct hw_err *err);
/* Whether one still runs. *ret_done: one has ended, its result is in ret_told, which points into
 * evidence; what is too much was removed. */
bool hw_evidence_poll(struct hw_evidence *evidence, bool *ret_done,
                      struct hw_watch_diagnosis *ret_told);
/* Ends the one that runs, and waits for it. */
void hw_evidence_stop(struct hw_evidence *evidence);
/* Removes the oldest until count and size are right; the newest stays. */
void hw_evidence_prune(const struct hw_evidence *evidence);

#endif

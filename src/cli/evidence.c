/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ENTRIES_MAX = 1 << 20, TIME_LENGTH = 15 };

/* ---- the place ---- */

static bool make_parents(const char *path, struct hw_err *err)
{
    char part[HW_EVIDENCE_PATH];
    snprintf(part, sizeof(part), "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (!hw_run_make_directory(part, err))
            return false;
        *slash = '/';
    }
    return hw_run_make_directory(part, err);
}

bool hw_evidence_init(struct hw_evidence *evidence, const struct hw_args *args, struct hw_err *err)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n;
    *evidence = (struct hw_evidence){
        .keep = (size_t)args->keep, .keep_bytes = (uint64_t)args->keep_bytes, .pipe = -1};
    if (args->save)
        n = snprintf(evidence->root, sizeof(evidence->root), "%s", args->save);
    else if (state && *state == '/')
        n = snprintf(evidence->root, sizeof(evidence->root), "%s/heapwhy", state);
    else if (home && *home == '/')
        n = snprintf(evidence->root, sizeof(evidence->root), "%s/.local/state/heapwhy", home);
    else
        return hw_err_set(err, HW_ERR_USAGE,
                          "there is no place for evidence: give --save DIR, or set HOME");
    if (n >= (int)sizeof(evidence->root) - 2 * HW_EVIDENCE_NAME)
        return hw_err_set(err, HW_ERR_USAGE, "the name of the directory is too long");
    return args->save ? hw_run_make_directory(evidence->root, err)
                      : make_parents(evidence->root, err);
}

/* ---- bounds ---- */

/* What we have made, and nothing else: 20251120T110000-41233. */
static bool is_ours(const char *name)
{
    size_t digits = strspn(name, "0123456789"), rest = 0;
    if (digits == 8 && name[8] == 'T')
        rest = strspn(name + 9, "0123456789");
    return rest == 6 && name[TIME_LENGTH] == '-' && name[TIME_LENGTH + 1] &&
           name[TIME_LENGTH + 1 + strspn(name + TIME_LENGTH + 1, "0123456789")] == 0;
}

static int only_ours(const struct dirent *entry)
{
    return is_ours(entry->d_name);
}

/* Calls visit for each file of a directory: ours have no directories in them. */
static void each_file(int root, const char *name,
                      void (*visit)(int dir, const char *file, void *ctx), void *ctx)
{
    int fd = openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            visit(fd, entry->d_name, ctx);
    closedir(dir);
}

static void add_size(int dir, const char *file, void *ctx)
{
    struct stat info;
    uint64_t *bytes = ctx;
    if (fstatat(dir, file, &info, AT_SYMLINK_NOFOLLOW) == 0)
        *bytes += (uint64_t)info.st_blocks * 512;
}

static void remove_file(int dir, const char *file, void *ctx)
{
    (void)ctx;
    unlinkat(dir, file, 0);
}

/* From the newest on: what is beyond the count or the size goes. */
static void prune(const struct hw_evidence *evidence, int root, struct dirent **entries, int count)
{
    uint64_t total = 0;
    for (int i = count - 1; i >= 0; i--) {
        const char *name = entries[i]->d_name;
        each_file(root, name, add_size, &total);
        size_t place = (size_t)(count - 1 - i);
        if (place == 0 || (place < evidence->keep && total <= evidence->keep_bytes))
            continue;
        each_file(root, name, remove_file, NULL);
        unlinkat(root, name, AT_REMOVEDIR);
    }
}

void hw_evidence_prune(const struct hw_evidence *evidence)
{
    struct dirent **entries = NULL;
    int root = open(evidence->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int count = root >= 0 ? scandirat(root, ".", &entries, only_ours, alphasort) : -1;
    if (count > 0)
        prune(evidence, root, entries, count);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    if (root >= 0)
        close(root);
}

/* ---- the diagnosis, in a process of its own ---- */

static int create_file(const char *directory, const char *name)
{
    char path[HW_EVIDENCE_PATH + HW_EVIDENCE_NAME];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static void write_diagnosis(const char *directory, const char *name, bool json,
                            const struct hw_facts *facts, const struct hw_diagnosis *diagnosis)
{
    struct hw_out out = {.fd = create_file(directory, name), .json = json, .width = HW_OUT_WIDTH};
    if (out.fd < 0)
        return;
    hw_tell_diagnosis(&out, facts, diagnosis);
    hw_out_finish(&out);
    close(out.fd);
}

static void say(int to, const char *verdict, const char *answer)
{
    char text[sizeof(((struct hw_evidence *)0)->said)];
    int n = snprintf(text, sizeof(text), "%s\n%s", verdict, answer);
    size_t length = n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1;
    if (write(to, text, length) < 0)
        _exit(EXIT_FAILURE);
}

static void diagnosed(struct hw_run *run, void *ctx, const struct hw_facts *facts,
                      const struct hw_diagnosis *diagnosis)
{
    const int *to = ctx;
    write_diagnosis(run->args->save, "diagnosis.txt", false, facts, diagnosis);
    write_diagnosis(run->args->save, "diagnosis.json", true, facts, diagnosis);
    say(*to, hw_verdict_name(diagnosis->verdict), diagnosis->answer);
}

static void be_diagnosis(const struct hw_evidence *evidence, const struct hw_run *run, pid_t pid,
                         int to, const sigset_t *outside)
{
    char word[16], *words[] = {word, NULL};
    struct hw_err err = HW_ERR_INIT;
    struct hw_args args = *run->args;
    struct hw_run mine = *run;
    snprintf(word, sizeof(word), "%d", (int)pid);
    args.words = words;
    args.word_count = 1;
    args.save = evidence->directory;
    mine.args = &args;
    mine.progress.on = false;
    mine.capture.progress = NULL;
    sigprocmask(SIG_SETMASK, outside, NULL);
    if (!hw_run_diagnose(&mine, diagnosed, &to, &err))
        say(to, "", err.msg);
    _exit(EXIT_SUCCESS);
}

static bool make_alarm_directory(struct hw_evidence *evidence, const struct hw_watch_event *event,
                                 struct hw_err *err)
{
    time_t seconds = (time_t)(event->at_ns / 1000000000);
    struct tm tm = {0};
    char moment[32] = "";
    gmtime_r(&seconds, &tm);
    strftime(moment, sizeof(moment), "%Y%m%dT%H%M%S", &tm);
    snprintf(evidence->directory, sizeof(evidence->directory), "%.*s/%s-%d",
             HW_EVIDENCE_PATH - HW_EVIDENCE_NAME, evidence->root, moment, (int)event->process->pid);
    if (!hw_run_make_directory(evidence->directory, err))
        return false;
    struct hw_out out = {.fd = create_file(evidence->directory, "alarm.json"), .json = true};
    if (out.fd < 0)
        return errno == EEXIST ||
               hw_err_sys(err, HW_ERR_IO, errno, "cannot write to %s", evidence->directory);
    hw_tell_watch_event(&out, event, 0);
    hw_out_finish(&out);
    close(out.fd);
    return true;
}

/* Our own copy: the process may be gone when its diagnosis is done. */
static void keep_process(struct hw_evidence *evidence, const struct hw_watched *process)
{
    snprintf(evidence->name, sizeof(evidence->name), "%s", process->name);
    evidence->process = *process;
    evidence->process.name = evidence->name;
}

bool hw_evidence_start(struct hw_evidence *evidence, struct hw_run *run,
                       const struct hw_watch_event *event, const sigset_t *outside,
                       struct hw_err *err)
{
    int ends[2];
    if (evidence->child) {
        evidence->skipped++;
        return true;
    }
    if (!make_alarm_directory(evidence, event, err))
        return false;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return hw_err_sys(err, HW_ERR_IO, errno, "cannot start the diagnosis");
    keep_process(evidence, event->process);
    pid_t child = fork();
    if (child == 0)
        be_diagnosis(evidence, run, event->process->pid, ends[1], outside);
    int error = errno;
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return hw_err_sys(err, HW_ERR_IO, error, "cannot start the diagnosis");
    }
    evidence->child = child;
    evidence->pipe = ends[0];
    return true;
}

static void take_result(struct hw_evidence *evidence, struct hw_watch_diagnosis *ret_told)
{
    struct timespec now;
    ssize_t n = read(evidence->pipe, evidence->said, sizeof(evidence->said) - 1);
    clock_gettime(CLOCK_REALTIME, &now);
    evidence->said[n > 0 ? n : 0] = 0;
    char *answer = strchr(evidence->said, '\n');
    if (answer)
        *answer++ = 0;
    *ret_told = (struct hw_watch_diagnosis){.at_ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec,
                                            .process = &evidence->process,
                                            .verdict = evidence->said,
                                            .answer = answer ? answer : "it was ended from outside",
                                            .directory = evidence->directory};
}

bool hw_evidence_poll(struct hw_evidence *evidence, bool *ret_done,
                      struct hw_watch_diagnosis *ret_told)
{
    *ret_done = false;
    if (!evidence->child)
        return false;
    if (waitpid(evidence->child, NULL, WNOHANG) == 0)
        return true;
    take_result(evidence, ret_told);
    close(evidence->pipe);
    evidence->pipe = -1;
    evidence->child = 0;
    hw_evidence_prune(evidence);
    *ret_done = true;
    return false;
}

void hw_evidence_stop(struct hw_evidence *evidence)
{
    if (!evidence->child)
        return;
    kill(evidence->child, SIGTERM);
    waitpid(evidence->child, NULL, 0);
    close(evidence->pipe);
    evidence->child = 0;
    evidence->pipe = -1;
}

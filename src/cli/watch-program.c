/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- the recording ---- */

/* "heapwhy-20261130T161619.jsonl" */
static void name_recording(char *to, size_t max)
{
    time_t now = time(NULL);
    struct tm tm = {0};
    char stamp[32];
    localtime_r(&now, &tm);
    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm);
    snprintf(to, max, "heapwhy-%s.jsonl", stamp);
}

bool hw_watch_recording_open(struct hw_watch_recording *recording, const struct hw_args *args,
                             struct hw_err *err)
{
    *recording = (struct hw_watch_recording){.out = {.fd = -1, .json = true}};
    if (!args->output && !args->program)
        return true;
    if (args->output && snprintf(recording->path, sizeof(recording->path), "%s", args->output) >=
                            (int)sizeof(recording->path))
        return hw_err_set(err, HW_ERR_USAGE, "the name of the file is too long");
    if (!args->output)
        name_recording(recording->path, sizeof(recording->path));
    recording->out.fd =
        open(recording->path, O_WRONLY | O_CREAT | O_APPEND | O_TRUNC | O_CLOEXEC, 0666);
    return recording->out.fd >= 0 ||
           hw_err_sys(err, HW_ERR_IO, errno, "cannot write %s", recording->path);
}

void hw_watch_recording_add(struct hw_watch_recording *recording,
                            const struct hw_watch_event *event)
{
    if (recording->out.fd < 0)
        return;
    hw_tell_watch_event(&recording->out, event, 0);
    hw_out_finish(&recording->out); /* whole lines: the program may add its own */
    recording->samples += event->kind == HW_WATCH_SAMPLE;
    uint64_t rss = event->sample ? event->sample->rss_bytes : 0;
    recording->most = rss > recording->most ? rss : recording->most;
}

bool hw_watch_recording_close(struct hw_watch_recording *recording, struct hw_err *err)
{
    int fd = recording->out.fd;
    if (fd < 0)
        return true;
    bool ok = hw_out_finish(&recording->out);
    int error = recording->out.sys_errno;
    recording->out.fd = -1;
    if (close(fd) != 0 && ok) {
        ok = false;
        error = errno;
    }
    return ok || hw_err_sys(err, HW_ERR_IO, error, "cannot write %s", recording->path);
}

void hw_watch_recording_discard(struct hw_watch_recording *recording)
{
    if (recording->out.fd < 0)
        return;
    hw_watch_recording_close(recording, NULL);
    unlink(recording->path);
}

/* ---- the program ---- */

/* How a program can add when its functions ran: python -m heapwhy.lines --timestamp. */
static void tell_recording(const struct hw_watch_recording *recording)
{
    char path[PATH_MAX];
    if (recording->out.fd >= 0 && realpath(recording->path, path))
        setenv("HEAPWHY_RECORDING", path, 1);
}

static void become_program(char **argv, const struct hw_watch_recording *recording, int tell)
{
    sigset_t none;
    sigemptyset(&none);
    tell_recording(recording);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(argv[0], argv);
    int error = errno;
    if (write(tell, &error, sizeof(error)) < 0)
        _exit(126);
    _exit(127);
}

bool hw_watch_program_start(char **argv, const struct hw_watch_recording *recording, pid_t *ret_pid,
                            struct hw_err *err)
{
    int pipe_ends[2], error = 0;
    if (pipe2(pipe_ends, O_CLOEXEC) != 0)
        return hw_err_sys(err, HW_ERR_IO, errno, "cannot start %s", argv[0]);
    pid_t pid = fork();
    if (pid == 0)
        become_program(argv, recording, pipe_ends[1]);
    if (pid < 0)
        error = errno;
    close(pipe_ends[1]);
    /* it closes when the program has begun */
    ssize_t n = pid > 0 ? read(pipe_ends[0], &error, sizeof(error)) : 0;
    close(pipe_ends[0]);
    if (n == sizeof(error))
        waitpid(pid, NULL, 0);
    if (error)
        return hw_err_sys(err, error == ENOENT ? HW_ERR_NOT_FOUND : HW_ERR_IO, error,
                          "cannot start %s", argv[0]);
    *ret_pid = pid;
    return true;
}

bool hw_watch_program_end(pid_t pid, bool wait, int *ret_status)
{
    int status;
    pid_t ended;
    do
        ended = waitpid(pid, &status, wait ? 0 : WNOHANG);
    while (ended < 0 && errno == EINTR);
    if (ended != pid)
        return false;
    *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
}

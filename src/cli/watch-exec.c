/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Texts of the process go into the environment alone: what the shell parses is what the user wrote.
 */
static void put_environment(const struct hw_watch_event *event)
{
    struct hw_buf answer = {0};
    char number[64];
    const struct hw_alarm *alarm = event->alarm;
    const struct {
        const char *name;
        double value;
        bool known;
    } numbers[] = {
        {"HEAPWHY_PID", event->process->pid, true},
        {"HEAPWHY_RSS_BYTES", (double)alarm->rss_bytes, true},
        {"HEAPWHY_BYTES_PER_SECOND", alarm->bytes_per_second, alarm->reason == HW_ALARM_GROWTH},
        {"HEAPWHY_LIMIT_SECONDS", alarm->limit.seconds, alarm->limit.seconds >= 0},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        snprintf(number, sizeof(number), numbers[i].known ? "%.0f" : "", numbers[i].value);
        setenv(numbers[i].name, number, 1);
    }
    hw_tell_alarm_answer(&answer, alarm);
    setenv("HEAPWHY_ANSWER", hw_buf_str(&answer), 1);
    setenv("HEAPWHY_NAME", event->process->name, 1);
    setenv("HEAPWHY_REASON", hw_alarm_reason_name(alarm->reason), 1);
    setenv("HEAPWHY_LIMIT", alarm->limit.name ? alarm->limit.name : "", 1);
    hw_buf_deinit(&answer);
}

/* Standard output is ours: JSON lines, maybe. */
static void become_command(const struct hw_watch_exec *exec, const struct hw_watch_event *event,
                           const sigset_t *outside)
{
    put_environment(event);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, outside, NULL);
    execl("/bin/sh", "sh", "-c", exec->command, (char *)NULL);
    _exit(127);
}

bool hw_watch_exec_start(struct hw_watch_exec *exec, const struct hw_watch_event *event,
                         const sigset_t *outside, struct hw_err *err)
{
    if (!exec->command)
        return true;
    if (exec->child) {
        exec->skipped++;
        return true;
    }
    pid_t child = fork();
    if (child < 0)
        return hw_err_sys(err, HW_ERR_IO, errno, "cannot start the command of --exec");
    if (child == 0)
        become_command(exec, event, outside);
    exec->child = child;
    return true;
}

bool hw_watch_exec_poll(struct hw_watch_exec *exec, int *ret_status)
{
    int status;
    *ret_status = -1;
    if (!exec->child)
        return false;
    pid_t ended = waitpid(exec->child, &status, WNOHANG);
    if (ended == 0)
        return true;
    if (ended > 0)
        *ret_status = status;
    exec->child = 0;
    return false;
}

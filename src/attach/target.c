/* SPDX-License-Identifier: Apache-2.0 */
#include "attach/target.h"

#include "base/buf.h"
#include "base/err.h"
#include "image/cgroup.h"
#include "image/proc.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 64 << 10, SECCOMP_STRICT = 1 };

static bool file_has(const char *path, const char *text)
{
    struct hw_buf buf;
    if (hw_proc_file_read(path, FILE_MAX_BYTES, &buf))
        return false;
    bool has = strstr(hw_buf_str(&buf), text) != NULL;
    hw_buf_deinit(&buf);
    return has;
}

/* By the freezer of control groups, version 2. */
static bool is_frozen(pid_t pid)
{
    struct hw_cgroup cgroup;
    char path[sizeof(cgroup.path) + 32];
    hw_cgroup_read(pid, &cgroup);
    snprintf(path, sizeof(path), "%s/cgroup.events", cgroup.path);
    return *cgroup.path && file_has(path, "frozen 1");
}

/* The return from a call that nobody made is an error to them (Documentation/arch/x86/shstk.rst).
 */
static bool has_shadow_stack(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    struct hw_buf buf;
    if (hw_proc_file_read(path, FILE_MAX_BYTES, &buf))
        return false;
    const char *line = strstr(hw_buf_str(&buf), "\nx86_Thread_features:");
    const char *end = line ? strchr(line + 1, '\n') : NULL;
    const char *found = line ? strstr(line, "shstk") : NULL;
    bool has = found && (!end || found < end);
    hw_buf_deinit(&buf);
    return has;
}

static bool check_stopped(pid_t pid, const struct hw_proc_status *status, struct hw_err *err)
{
    if (status->state == 'T')
        return hw_err_set(
            err, HW_ERR_UNSUPPORTED,
            "process %d is stopped by a signal, so no thread of it can load anything; try: "
            "kill -CONT %d",
            pid, pid);
    if (is_frozen(pid))
        return hw_err_set(
            err, HW_ERR_UNSUPPORTED,
            "the control group of process %d is frozen, so no thread of it can load anything", pid);
    return true;
}

/* What a filter lets through cannot be seen; a loader opens, reads and maps files. */
static bool check_seccomp(pid_t pid, const struct hw_proc_status *status,
                          const struct hw_attach_options *opts, struct hw_err *err)
{
    if (status->seccomp == SECCOMP_STRICT)
        return hw_err_set(err, HW_ERR_UNSUPPORTED,
                          "process %d may read and write and nothing else (strict seccomp)", pid);
    if (status->seccomp && !opts->allow_seccomp)
        return hw_err_set(
            err, HW_ERR_UNSUPPORTED,
            "process %d filters its system calls (seccomp), and may be killed for those that "
            "load a library (openat, read, mmap, mprotect). Where the filter is that of its "
            "container or service, which lets these pass: heapwhy attach --allow-seccomp %d",
            pid, pid);
    return true;
}

bool hw_target_check(pid_t pid, const struct hw_attach_options *opts, struct hw_err *err)
{
    struct hw_proc_status status;
    if (pid == getpid())
        return hw_err_set(err, HW_ERR_USAGE, "a process cannot attach to itself");
    if (!hw_proc_status_read(pid, &status) || status.state == 'Z' || status.state == 'X')
        return hw_err_set(err, HW_ERR_GONE, "process %d has exited", pid);
    if (has_shadow_stack(pid))
        return hw_err_set(err, HW_ERR_UNSUPPORTED,
                          "the processor checks the returns of process %d (shadow stack)", pid);
    return check_stopped(pid, &status, err) && check_seccomp(pid, &status, opts, err);
}

bool hw_target_lives(pid_t pid)
{
    struct hw_proc_status status;
    return hw_proc_status_read(pid, &status) && status.state != 'Z' && status.state != 'X';
}

const char *hw_target_why_late(pid_t pid)
{
    struct hw_proc_status status;
    if (hw_proc_status_read(pid, &status) && status.state == 'T')
        return "it has been stopped by a signal";
    if (is_frozen(pid))
        return "its control group has been frozen";
    return "the loader has refused the library, or waits for another thread";
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "system/system.h"

#include "base/buf.h"
#include "image/proc.h"
#include "system/parse.h"
#include "system/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMITS_MAX_BYTES = 64 << 10 };

static uint64_t read_limit(pid_t pid)
{
    char path[64];
    struct hw_buf buf;
    snprintf(path, sizeof(path), "/proc/%d/limits", pid);
    if (hw_proc_file_read(path, LIMITS_MAX_BYTES, &buf))
        return 0;
    uint64_t limit = hw_limits_parse(hw_buf_str(&buf));
    hw_buf_deinit(&buf);
    return limit;
}

void hw_system_begin(struct hw_system *ret_system, struct hw_system_look *ret_look, pid_t pid)
{
    *ret_system = (struct hw_system){0};
    hw_system_look_init(ret_look, pid);
    if (!hw_system_read_tasks(ret_system, pid))
        hw_system_deinit(ret_system);
}

void hw_system_finish(struct hw_system *system, pid_t pid, const struct hw_system_look *before,
                      uint64_t *ret_total, uint64_t *ret_limit)
{
    uint64_t total = 0;
    bool ok = hw_system_read_fds(system, pid, before, &total) &&
              hw_system_read_sockets(system, pid);
    if (!ok || !system->recorded)
        hw_system_deinit(system);
    *ret_total = system->recorded ? total : 0;
    *ret_limit = system->recorded ? read_limit(pid) : 0;
}

static bool is_reading(const struct hw_system_fd *fd, pid_t pid)
{
    static const char *const files[] = {"mem", "pagemap", "fd"};
    char path[64];
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
        if (strcmp(fd->name, path) == 0)
            return true;
    }
    return false;
}

void hw_system_forget_reading(struct hw_system *system, const pid_t *pids, size_t count,
                              uint64_t *total)
{
    size_t kept = 0;
    for (size_t i = 0; i < system->fd_count; i++) {
        bool forgets = false;
        for (size_t n = 0; n < count; n++)
            forgets |= is_reading(&system->fds[i], pids[n]);
        if (forgets)
            --*total;
        else
            system->fds[kept++] = system->fds[i];
    }
    system->fd_count = kept;
}

void hw_system_deinit(struct hw_system *system)
{
    free(system->fds);
    free(system->watches);
    free(system->tasks);
    hw_arena_deinit(&system->arena);
    memset(system, 0, sizeof(*system));
}

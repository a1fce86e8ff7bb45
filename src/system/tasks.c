/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/vec.h"
#include "image/proc.h"
#include "system/parse.h"
#include "system/read.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOLDER_MAX = 96, SMALL_MAX_BYTES = 64 << 10, CHILDREN_MAX_BYTES = 2 << 20 };

static bool add_task(struct hw_system *system, size_t *capacity, const struct hw_system_task *task)
{
    if (system->task_count == HW_SYSTEM_TASKS_MAX)
        return true;
    struct hw_system_task *tasks =
        hw_vec_grow(system->tasks, capacity, system->task_count + 1, sizeof(*tasks));
    if (!tasks)
        return false;
    system->tasks = tasks;
    tasks[system->task_count++] = *task;
    return true;
}

static const char *read_name(struct hw_system *system, const char *folder)
{
    char path[FOLDER_MAX + 16];
    struct hw_buf buf;
    snprintf(path, sizeof(path), "%.95s/comm", folder);
    if (hw_proc_file_read(path, SMALL_MAX_BYTES, &buf))
        return "";
    const char *text = hw_buf_str(&buf);
    const char *name = hw_arena_strndup(&system->arena, text, strcspn(text, "\n"));
    hw_buf_deinit(&buf);
    return name;
}

/* False: memory is out. Ended meanwhile: it is not added. */
static bool read_task(struct hw_system *system, size_t *capacity, pid_t id, const char *folder,
                      enum hw_system_task_kind kind)
{
    struct hw_proc_status status;
    struct hw_buf buf;
    char path[FOLDER_MAX + 16];
    if (!hw_proc_status_read(id, &status))
        return true;
    struct hw_system_task task = {.id = status.ns_pid ? status.ns_pid : id,
                                  .kind = (uint8_t)kind,
                                  .state = status.state,
                                  .call = HW_CALL_NONE,
                                  .name = read_name(system, folder)};
    snprintf(path, sizeof(path), "%.95s/syscall", folder);
    if (kind == HW_TASK_THREAD && !hw_proc_file_read(path, SMALL_MAX_BYTES, &buf)) {
        hw_syscall_parse(hw_buf_str(&buf), &task);
        hw_buf_deinit(&buf);
    }
    return task.name && add_task(system, capacity, &task);
}

/* Which thread started it does not matter. */
static bool read_children(struct hw_system *system, size_t *capacity, const char *folder)
{
    char path[FOLDER_MAX + 16], child[FOLDER_MAX], *end;
    struct hw_buf buf;
    bool ok = true;
    snprintf(path, sizeof(path), "%.95s/children", folder);
    if (hw_proc_file_read(path, CHILDREN_MAX_BYTES, &buf))
        return true;
    for (const char *at = hw_buf_str(&buf); ok; at = end) {
        long id = strtol(at, &end, 10);
        if (end == at)
            break;
        snprintf(child, sizeof(child), "/proc/%ld", id);
        ok = id <= 0 || read_task(system, capacity, (pid_t)id, child, HW_TASK_CHILD);
    }
    hw_buf_deinit(&buf);
    return ok;
}

bool hw_system_read_tasks(struct hw_system *system, pid_t pid)
{
    char path[64], folder[FOLDER_MAX];
    size_t capacity = 0;
    bool ok = true;
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *dir = opendir(path);
    if (!dir)
        return true;
    for (struct dirent *entry; ok && (entry = readdir(dir));) {
        pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (tid <= 0)
            continue;
        snprintf(folder, sizeof(folder), "%s/%d", path, tid);
        ok = read_task(system, &capacity, tid, folder, HW_TASK_THREAD) &&
             read_children(system, &capacity, folder);
    }
    closedir(dir);
    return ok;
}

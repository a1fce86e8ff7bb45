/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/find.h"

#include "base/err.h"
#include "base/vec.h"
#include "watch/command.h"
#include "watch/procfile.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROCESSES_MAX = 1 << 22 };
#define YOUNG_NS INT64_C(3000000000)
#define NEW_AGAIN_NS INT64_C(450000000)
#define ALL_AGAIN_NS INT64_C(60000000000)

static bool compile(struct hw_find *find, const char *name, struct hw_err *err)
{
    char why[128];
    regex_t *pattern = &find->patterns[find->pattern_count];
    int error = regcomp(pattern, name, REG_EXTENDED | REG_NOSUB);
    if (error) {
        regerror(error, pattern, why, sizeof(why));
        return hw_err_set(err, HW_ERR_USAGE,
                          "'%s' is neither a process id nor a regular expression: %s", name, why);
    }
    find->pattern_count++;
    return true;
}

bool hw_find_init(struct hw_find *find, const char *const *names, size_t name_count, bool children,
                  struct hw_err *err)
{
    *find = (struct hw_find){.children = children};
    find->patterns = calloc(name_count + 1, sizeof(*find->patterns));
    if (!find->patterns)
        return hw_err_no_memory(err);
    for (size_t i = 0; i < name_count; i++)
        if (!compile(find, names[i], err)) {
            hw_find_deinit(find);
            return false;
        }
    return true;
}

void hw_find_deinit(struct hw_find *find)
{
    for (size_t i = 0; i < find->pattern_count; i++)
        regfree(&find->patterns[i]);
    free(find->patterns);
    free(find->entries);
    free(find->next);
    *find = (struct hw_find){0};
}

static bool is_named(const struct hw_find *find, int dir)
{
    struct hw_command command;
    if (!find->pattern_count)
        return false;
    hw_command_read(dir, &command);
    for (size_t i = 0; i < find->pattern_count; i++)
        if (regexec(&find->patterns[i], command.name, 0, NULL, 0) == 0 ||
            (command.script[0] && regexec(&find->patterns[i], command.script, 0, NULL, 0) == 0))
            return true;
    return false;
}

/* One that has just begun may be about to become another program, or another's child. */
static bool is_young(const struct hw_procfile_stat *stat)
{
    int64_t ticks = sysconf(_SC_CLK_TCK), age_ns = hw_clock_now();
    if (ticks > 0)
        age_ns -= (int64_t)((double)stat->start_ticks / (double)ticks * 1e9);
    return age_ns < YOUNG_NS;
}

/* False: there is no need to look again soon. */
static bool look_at(const struct hw_find *find, pid_t pid, const struct hw_find_calls *calls)
{
    char path[32];
    struct hw_procfile_stat stat;
    bool again = false;
    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return false;
    if (hw_procfile_stat(dir, "stat", &stat) && stat.state != 'Z') {
        bool ours = pid == getpid() || stat.parent == getpid();
        if (is_named(find, dir) && !ours)
            calls->found(calls->ctx, pid, 0);
        else if (find->children && !ours && calls->is_watched(calls->ctx, stat.parent))
            calls->found(calls->ctx, pid, stat.parent);
        again = is_young(&stat);
    }
    close(dir);
    return again;
}

static bool add_next(struct hw_find *find, struct hw_find_entry entry)
{
    struct hw_find_entry *grown =
        hw_vec_grow(find->next, &find->next_capacity, find->next_count + 1, sizeof(*grown));
    if (!grown)
        return false;
    find->next = grown;
    find->next[find->next_count++] = entry;
    return true;
}

/* The kernel lists processes by rising id, so both lists are walked in step. Unknown ones are to be
 * looked at. */
static bool wants_look(const struct hw_find *find, size_t *at, pid_t pid)
{
    while (*at < find->count && find->entries[*at].pid < pid)
        ++*at;
    return *at == find->count || find->entries[*at].pid != pid || find->entries[*at].again;
}

static void swap_lists(struct hw_find *find)
{
    struct hw_find_entry *entries = find->entries;
    size_t capacity = find->capacity;
    find->entries = find->next;
    find->count = find->next_count;
    find->capacity = find->next_capacity;
    find->next = entries;
    find->next_capacity = capacity;
    find->next_count = 0;
}

static bool walk(struct hw_find *find, DIR *proc, bool all, const struct hw_find_calls *calls)
{
    size_t at = 0;
    for (const struct dirent *entry; (entry = readdir(proc)) && find->next_count < PROCESSES_MAX;) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid <= 0)
            continue;
        struct hw_find_entry known = {.pid = pid};
        if (wants_look(find, &at, pid) || all)
            known.again = look_at(find, pid, calls);
        if (!add_next(find, known))
            return false;
    }
    return true;
}

bool hw_find_look(struct hw_find *find, int64_t now_ns, const struct hw_find_calls *calls)
{
    if (!find->pattern_count && !find->children)
        return true;
    bool all = hw_budget_begin(&find->all_budget, now_ns);
    if (!hw_budget_begin(&find->new_budget, now_ns) && !all)
        return true;
    DIR *proc = opendir("/proc");
    if (!proc)
        return true;
    bool ok = walk(find, proc, all, calls);
    closedir(proc);
    swap_lists(find);
    if (all)
        hw_budget_end(&find->all_budget, now_ns, ALL_AGAIN_NS);
    else
        hw_budget_end(&find->new_budget, now_ns, NEW_AGAIN_NS);
    return ok;
}

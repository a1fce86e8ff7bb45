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

enum { LOOKS = 3, PROCESSES_MAX = 1 << 22 };
#define SECOND_NS INT64_C(1000000000)
#define ALL_AGAIN_NS (60 * SECOND_NS)

static bool compile(struct hw_find *find, const char *name, struct hw_err *err)
{
    char why[128];
    regex_t *pattern = &find->patterns[find->pattern_count];
    int error = regcomp(pattern, name, REG_EXTENDED | REG_NOSUB);
    if (error) {
        regerror(error, pattern, why, sizeof(why));
        return hw_err_set(err, HW_ERR_USAGE, "'%s' is neither a process id nor a regular expression: %s",
                          name, why);
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

static void look_at(const struct hw_find *find, pid_t pid, const struct hw_find_calls *calls)
{
    char path[32];
    struct hw_procfile_stat stat;
    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return;
    if (hw_procfile_stat(dir, "stat", &stat) && stat.state != 'Z') {
        bool ours = pid == getpid() || stat.parent == getpid();
        if (is_named(find, dir) && !ours)
            calls->found(calls->ctx, pid, 0);
        else if (find->children && !ours && calls->is_watched(calls->ctx, stat.parent))
            calls->found(calls->ctx, pid, stat.parent);
    }
    close(dir);
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

/* The kernel lists processes by rising id, so both lists are walked in step. */
static unsigned looks_before(const struct hw_find *find, size_t *at, pid_t pid)
{
    while (*at < find->count && find->entries[*at].pid < pid)
        ++*at;
    return *at < find->count && find->entries[*at].pid == pid ? find->entries[*at].looks : 0;
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
        struct hw_find_entry known = {pid, looks_before(find, &at, pid)};
        if (known.looks < LOOKS || all)
            look_at(find, pid, calls);
        known.looks += known.looks < LOOKS;
        if (!add_next(find, known))
            return false;
    }
    return true;
}

bool hw_find_look(struct hw_find *find, int64_t now_ns, const struct hw_find_calls *calls)
{
    if ((!find->pattern_count && !find->children) || !hw_budget_begin(&find->budget, now_ns))
        return true;
    DIR *proc = opendir("/proc");
    if (!proc)
        return true;
    bool all = now_ns >= find->all_again_ns;
    if (all)
        find->all_again_ns = now_ns + ALL_AGAIN_NS;
    bool ok = walk(find, proc, all, calls);
    closedir(proc);
    swap_lists(find);
    hw_budget_end(&find->budget, now_ns, SECOND_NS);
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "image/cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 1024 };
/* Version 1 says this, rounded to pages, where there is no limit. */
#define NO_LIMIT ((uint64_t)1 << 62)

/* One of the two ways in which memory is controlled. */
struct hierarchy {
    const char *mount, *current, *limit;
};
static const struct hierarchy version_1 = {"/sys/fs/cgroup/memory", "memory.usage_in_bytes",
                                           "memory.limit_in_bytes"};
static const struct hierarchy version_2 = {"/sys/fs/cgroup", "memory.current", "memory.max"};

/* False: there is no such file. "max" is 0. */
static bool number_read(const char *root, const struct hierarchy *h, const char *path,
                        const char *name, uint64_t *ret)
{
    char file_path[PATH_BYTES], text[64] = "";
    snprintf(file_path, sizeof(file_path), "%s%s%s/%s", root, h->mount, path, name);
    FILE *file = fopen(file_path, "re");
    if (!file)
        return false;
    bool ok = fgets(text, sizeof(text), file) != NULL;
    fclose(file);
    *ret = strtoull(text, NULL, 10);
    return ok;
}

/* "5:memory:/docker/abc" of version 1, "0::/user.slice" of version 2. */
static const struct hierarchy *line_parse(char *line, const char **ret_path)
{
    char *names = strchr(line, ':');
    char *path = names ? strchr(names + 1, ':') : NULL;
    if (!path)
        return NULL;
    *path++ = 0;
    path[strcspn(path, "\n")] = 0;
    *ret_path = strcmp(path, "/") == 0 ? "" : path;
    for (char *save, *name = strtok_r(names + 1, ",", &save); name;
         name = strtok_r(NULL, ",", &save))
        if (!strcmp(name, "memory"))
            return &version_1;
    return names[1] ? NULL : &version_2;
}

/* Drops leading names until the rest exists. */
static const char *path_find(const char *root, const struct hierarchy *h, const char *path)
{
    uint64_t number;
    while (*path && !number_read(root, h, path, h->current, &number)) {
        const char *next = strchr(path + 1, '/');
        path = next ? next : "";
    }
    return path;
}

static bool hierarchy_read(const char *root, const struct hierarchy *h, const char *told,
                           struct hw_cgroup *ret)
{
    struct hw_cgroup cgroup = {0};
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s", path_find(root, h, told));
    if (!number_read(root, h, path, h->current, &cgroup.current_bytes))
        return false;
    snprintf(cgroup.path, sizeof(cgroup.path), "%.250s", *path ? path : "/");
    for (char *end = path + strlen(path);; end = strrchr(path, '/')) {
        uint64_t limit = 0;
        *end = 0;
        if (number_read(root, h, path, h->limit, &limit) && limit && limit < NO_LIMIT &&
            (!cgroup.limit_bytes || limit < cgroup.limit_bytes))
            cgroup.limit_bytes = limit;
        if (!*path)
            break;
    }
    *ret = cgroup;
    return true;
}

void hw_cgroup_read_below(const char *root, pid_t pid, struct hw_cgroup *ret_cgroup)
{
    char path[PATH_BYTES], line[PATH_BYTES];
    *ret_cgroup = (struct hw_cgroup){0};
    snprintf(path, sizeof(path), "%s/proc/%d/cgroup", root, (int)pid);
    FILE *file = fopen(path, "re");
    bool found = false;
    while (file && !found && fgets(line, sizeof(line), file)) {
        const char *told;
        const struct hierarchy *h = line_parse(line, &told);
        found = h && hierarchy_read(root, h, told, ret_cgroup);
    }
    if (file)
        fclose(file);
}

void hw_cgroup_read(pid_t pid, struct hw_cgroup *ret_cgroup)
{
    hw_cgroup_read_below("", pid, ret_cgroup);
}

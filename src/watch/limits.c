/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/limits.h"

#include "watch/procfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 16 << 10, PATH_BYTES = 4096 };

static void keep_less(struct hw_memory_limit *best, const char *name, uint64_t limit, uint64_t used)
{
    uint64_t left = limit > used ? limit - used : 0;
    if (!best->name || left < best->left_bytes)
        *best = (struct hw_memory_limit){.name = name, .limit_bytes = limit, .left_bytes = left};
}

/* ---- control groups ---- */

/* Names of the same things in both versions: kernel, admin-guide/cgroup-v2.rst and
 * cgroup-v1/memory.rst. */
struct group_files {
    const char *limit, *usage, *cache_key;
};
static const struct group_files v1 = {"memory.limit_in_bytes", "memory.usage_in_bytes",
                                      "total_inactive_file "};
static const struct group_files v2 = {"memory.max", "memory.current", "inactive_file "};

static bool read_number(const char *directory, const char *name, uint64_t *ret)
{
    char path[PATH_BYTES + 64], text[64];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return hw_procfile_read(AT_FDCWD, path, text, sizeof(text)) > 0 &&
           hw_procfile_number(text, "", ret);
}

/* File pages that nobody used lately are given up before anybody is killed. */
static uint64_t read_cache(const char *directory, const char *key)
{
    char path[PATH_BYTES + 64], text[TEXT_BYTES];
    uint64_t bytes = 0;
    snprintf(path, sizeof(path), "%s/memory.stat", directory);
    if (hw_procfile_read(AT_FDCWD, path, text, sizeof(text)) > 0)
        hw_procfile_number(text, key, &bytes);
    return bytes;
}

static void group_look(const char *directory, const struct group_files *files,
                       struct hw_memory_limit *best)
{
    uint64_t limit, usage;
    /* "max", and in version 1 the largest multiple of a page, mean none */
    if (!read_number(directory, files->limit, &limit) || limit >= INT64_MAX / 4096 * 4096 ||
        !read_number(directory, files->usage, &usage))
        return;
    uint64_t cache = read_cache(directory, files->cache_key);
    keep_less(best, "cgroup", limit, usage > cache ? usage - cache : 0);
}

bool hw_limits_of_group(const char *mount, const char *group, bool is_v2,
                        struct hw_memory_limit *limit)
{
    char directory[PATH_BYTES];
    struct hw_memory_limit best = {0};
    size_t least = strlen(mount);
    int n = snprintf(directory, sizeof(directory), "%s%s", mount, group);
    if (n < 0 || n >= (int)sizeof(directory) || strstr(group, "/../"))
        return false;
    for (char *end = directory + n; end;) {
        *end = 0;
        group_look(directory, is_v2 ? &v2 : &v1, &best);
        end = strlen(directory) > least ? strrchr(directory, '/') : NULL;
    }
    if (best.name)
        *limit = best;
    return best.name != NULL;
}

/* The mount of the hierarchy and the group that its root stands for, as we see them. */
struct hierarchy {
    char mount[PATH_BYTES], root[PATH_BYTES];
    bool is_v2;
};

static bool has_word(const char *list, size_t bytes, const char *word)
{
    size_t length = strlen(word);
    for (size_t i = 0; i + length <= bytes; i++)
        if ((i == 0 || list[i - 1] == ',') && strncmp(list + i, word, length) == 0 &&
            (i + length == bytes || list[i + length] == ','))
            return true;
    return false;
}

/* A line of mountinfo: "36 35 0:32 ROOT MOUNT options... - cgroup cgroup rw,memory" (proc(5)). */
static bool mount_parse(const char *line, bool is_v2, struct hierarchy *ret)
{
    char type[32], options[512];
    const char *rest = strstr(line, " - ");
    if (!rest || sscanf(rest, " - %31s %*s %511s", type, options) != 2 ||
        sscanf(line, "%*s %*s %*s %4095s %4095s", ret->root, ret->mount) != 2)
        return false;
    ret->is_v2 = is_v2;
    return is_v2 ? strcmp(type, "cgroup2") == 0
                 : strcmp(type, "cgroup") == 0 && has_word(options, strlen(options), "memory");
}

static bool mount_find(bool is_v2, struct hierarchy *ret)
{
    char line[2 * PATH_BYTES];
    FILE *file = fopen("/proc/self/mountinfo", "re");
    bool found = false;
    while (file && !found && fgets(line, sizeof(line), file))
        found = mount_parse(line, is_v2, ret);
    if (file)
        fclose(file);
    return found;
}

/* The group's path in the hierarchy with the controller memory, which only one has: "4:memory:/a";
 * of version 2 "0::/a" (cgroups(7)). False: there is no such line. */
static bool group_find(char *text, bool is_v2, const char **ret_path)
{
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path)
            continue;
        size_t bytes = (size_t)(path - controllers - 1);
        if (is_v2 ? bytes == 0 : has_word(controllers + 1, bytes, "memory")) {
            *ret_path = path + 1;
            return true;
        }
    }
    return false;
}

static bool cgroup_limit(const struct hw_sampler *sampler, bool is_v2,
                         struct hw_memory_limit *limit)
{
    char text[TEXT_BYTES];
    const char *path;
    struct hierarchy hierarchy;
    if (hw_procfile_read(sampler->dir, "cgroup", text, sizeof(text)) < 0 ||
        !group_find(text, is_v2, &path) || !mount_find(is_v2, &hierarchy))
        return false;
    /* In a container the mount may show only the part of the hierarchy that is its own. */
    size_t length = strlen(hierarchy.root);
    if (length > 1 && strncmp(path, hierarchy.root, length) == 0)
        path += length;
    return hw_limits_of_group(hierarchy.mount, strcmp(path, "/") == 0 ? "" : path, is_v2, limit);
}

/* ---- the machine, and the process's own ---- */

static void machine_look(struct hw_memory_limit *best)
{
    char text[TEXT_BYTES];
    if (hw_procfile_read(AT_FDCWD, "/proc/meminfo", text, sizeof(text)) < 0)
        return;
    uint64_t total = hw_procfile_kb(text, "MemTotal:");
    uint64_t left = hw_procfile_kb(text, "MemAvailable:") + hw_procfile_kb(text, "SwapFree:");
    total += hw_procfile_kb(text, "SwapTotal:");
    if (total && left)
        keep_less(best, "machine", total, total > left ? total - left : 0);
}

static void rlimits_look(const struct hw_sampler *sampler, struct hw_memory_limit *best)
{
    char text[TEXT_BYTES];
    uint64_t limit;
    if (hw_procfile_read(sampler->dir, "limits", text, sizeof(text)) < 0)
        return;
    if (hw_procfile_number(text, "Max address space", &limit))
        keep_less(best, "RLIMIT_AS", limit, sampler->virtual_bytes);
    if (hw_procfile_number(text, "Max data size", &limit))
        keep_less(best, "RLIMIT_DATA", limit, sampler->data_bytes);
}

static void process_look(const struct hw_sampler *sampler, struct hw_memory_limit *best)
{
    struct hw_memory_limit group;
    for (int is_v2 = 0; is_v2 <= 1; is_v2++)
        if (cgroup_limit(sampler, is_v2, &group))
            keep_less(best, group.name, group.limit_bytes, group.limit_bytes - group.left_bytes);
    machine_look(best);
    rlimits_look(sampler, best);
}

void hw_limits_set(struct hw_alarm *alarm, const struct hw_sampler *sampler, uint64_t rss_limit,
                   const struct hw_memory_sample *sample)
{
    struct hw_memory_limit best = {0};
    if (rss_limit > sample->rss_bytes)
        keep_less(&best, "--rss", rss_limit, sample->rss_bytes);
    if (sampler)
        process_look(sampler, &best);
    best.seconds = best.name && alarm->bytes_per_second > 0
                       ? (double)best.left_bytes / alarm->bytes_per_second
                       : -1;
    alarm->limit = best;
}

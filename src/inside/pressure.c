/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/pressure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { TEXT_BYTES = 8 << 10 };
/* Version 1 says a number near this, rounded to pages, where there is no limit; version 2 "max". */
#define NO_LIMIT ((uint64_t)1 << 62)

struct most {
    const char *name;
    uint64_t used, limit;
};

void hw_pressure_init(struct hw_pressure *pressure)
{
    memset(pressure, 0, sizeof(*pressure));
    pressure->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

static void fd_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

void hw_pressure_deinit(struct hw_pressure *pressure)
{
    fd_close(pressure->statm);
    for (int i = 0; i < pressure->group_count; i++) {
        fd_close(pressure->groups[i].usage);
        fd_close(pressure->groups[i].limit);
        fd_close(pressure->groups[i].stat);
    }
    pressure->statm = -1;
    pressure->group_count = 0;
}

bool hw_pressure_add(struct hw_pressure *pressure, const char *usage, const char *limit, const char *stat,
                     const char *cache_key)
{
    if (pressure->group_count == HW_PRESSURE_GROUPS) {
        errno = E2BIG;
        return false;
    }
    struct hw_pressure_group group = {.usage = open(usage, O_RDONLY | O_CLOEXEC)};
    group.limit = group.usage < 0 ? -1 : open(limit, O_RDONLY | O_CLOEXEC);
    if (group.limit < 0) {
        int saved = errno;
        fd_close(group.usage);
        errno = saved;
        return false;
    }
    group.stat = open(stat, O_RDONLY | O_CLOEXEC);
    snprintf(group.cache_key, sizeof(group.cache_key), "%s", cache_key);
    pressure->groups[pressure->group_count++] = group;
    return true;
}

static bool text_read(int fd, char text[TEXT_BYTES])
{
    ssize_t got = fd < 0 ? -1 : pread(fd, text, TEXT_BYTES - 1, 0);
    text[got > 0 ? got : 0] = 0;
    return got > 0;
}

static bool number_read(int fd, uint64_t *ret)
{
    char text[TEXT_BYTES], *end;
    if (!text_read(fd, text))
        return false;
    *ret = strtoull(text, &end, 10);
    return end != text;
}

static uint64_t cache_read(const struct hw_pressure_group *group)
{
    char text[TEXT_BYTES];
    if (!text_read(group->stat, text))
        return 0;
    size_t length = strlen(group->cache_key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, group->cache_key, length) == 0)
            return strtoull(line + length, NULL, 10);
    }
    return 0;
}

static void most_keep(struct most *most, const char *name, uint64_t used, uint64_t limit)
{
    if (limit && (!most->name || (double)used / (double)limit > (double)most->used / (double)most->limit))
        *most = (struct most){name, used, limit};
}

static void group_look(struct most *most, const struct hw_pressure_group *group)
{
    uint64_t used, limit;
    if (!number_read(group->limit, &limit) || limit >= NO_LIMIT || !number_read(group->usage, &used))
        return;
    uint64_t cache = cache_read(group);
    most_keep(most, "the control group's limit", used > cache ? used - cache : 0, limit);
}

static void rlimit_look(struct most *most, int resource, const char *name, uint64_t used)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        most_keep(most, name, used, limit.rlim_cur);
}

const char *hw_pressure_read(const struct hw_pressure *pressure, uint64_t *ret_used, uint64_t *ret_limit)
{
    struct most most = {0};
    char text[TEXT_BYTES];
    unsigned long long pages, data_pages;
    for (int i = 0; i < pressure->group_count; i++)
        group_look(&most, &pressure->groups[i]);
    if (text_read(pressure->statm, text) && sscanf(text, "%llu %*u %*u %*u %*u %llu", &pages, &data_pages) == 2) {
        uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
        rlimit_look(&most, RLIMIT_AS, "RLIMIT_AS", pages * page);
        rlimit_look(&most, RLIMIT_DATA, "RLIMIT_DATA", data_pages * page);
    }
    *ret_used = most.used;
    *ret_limit = most.limit;
    return most.name;
}

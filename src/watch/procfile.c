/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/procfile.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

ssize_t hw_procfile_pread(int fd, char *to, size_t max)
{
    size_t used = 0;
    while (used + 1 < max) {
        ssize_t n = pread(fd, to + used, max - used - 1, (off_t)used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        used += (size_t)n;
    }
    to[used] = 0;
    return used ? (ssize_t)used : -1;
}

ssize_t hw_procfile_read(int dir, const char *path, char *to, size_t max)
{
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = hw_procfile_pread(fd, to, max);
    close(fd);
    return n;
}

bool hw_procfile_number(const char *text, const char *key, uint64_t *ret)
{
    size_t length = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) != 0)
            continue;
        const char *at = line + length + strspn(line + length, " \t");
        if (!isdigit((unsigned char)*at))
            return false;
        *ret = strtoull(at, NULL, 10);
        return true;
    }
    return false;
}

uint64_t hw_procfile_kb(const char *text, const char *key)
{
    uint64_t kb = 0;
    hw_procfile_number(text, key, &kb);
    return kb < UINT64_MAX / 1024 ? kb * 1024 : 0;
}

bool hw_procfile_stat(int dir, const char *path, struct hw_procfile_stat *ret_stat)
{
    char text[1024];
    struct hw_procfile_stat stat = {0};
    if (hw_procfile_read(dir, path, text, sizeof(text)) < 0)
        return false;
    const char *open = strchr(text, '('), *close = strrchr(text, ')');
    if (!open || !close || close < open)
        return false;
    snprintf(stat.name, sizeof(stat.name), "%.*s", (int)(close - open - 1), open + 1);
    /* state ppid, 17 fields of no interest, starttime: proc(5), fields 3, 4 and 22 */
    int parent;
    if (sscanf(
            close + 1,
            " %c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64,
            &stat.state, &parent, &stat.start_ticks) != 3)
        return false;
    stat.parent = parent;
    *ret_stat = stat;
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/record.h"
#include "agent/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    FD_LEAST = 100,    /* programs use and close the lower ones by number */
    SUFFIX_BYTES = 32, /* .PID, or .PID.N where that was there */
    SUFFIX_MAX = 100,
    COMMAND_MAX_BYTES = 4096
};

static struct {
    char base[PATH_MAX];                /* as asked for */
    char path[PATH_MAX + SUFFIX_BYTES]; /* the file of this process */
    bool is_first;                      /* this process is the one that the name is for */
    int fd;                             /* -1: not open */
    dev_t dev;
    ino_t ino;
    uint64_t bytes; /* written */
    int32_t parent_pid;
} file = {.fd = -1};

uint64_t hw_record_rate_began;

/* ---- the descriptor ---- */

/* A program may have closed it, and its number may be another file's by now. */
static bool is_ours(int fd)
{
    struct stat st;
    return fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == file.dev && st.st_ino == file.ino;
}

static int moved_up(int fd)
{
    int up = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, FD_LEAST);
    if (up < 0) /* RLIMIT_NOFILE is that low */
        return fd;
    close(fd);
    return up;
}

static bool reopen(void)
{
    file.fd = moved_up(open(file.path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
    if (is_ours(file.fd))
        return true;
    if (file.fd >= 0)
        close(file.fd);
    file.fd = -1;
    return false;
}

/* ---- writing ---- */

/* Beyond this limit the kernel would send a signal that ends the program. */
static bool is_within_limit(size_t bytes)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
           (limit.rlim_cur == RLIM_INFINITY || file.bytes + bytes <= limit.rlim_cur);
}

/* All or nothing, as far as it can be had: what a full disk took of it is cut off again. */
static bool append(const char *at, size_t bytes)
{
    if (!is_within_limit(bytes))
        return false;
    for (size_t done = 0; done < bytes;) {
        ssize_t n = write(file.fd, at + done, bytes - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return (void)!ftruncate(file.fd, (off_t)file.bytes), false;
        done += (size_t)n;
    }
    file.bytes += bytes;
    return true;
}

/* ---- a new file ---- */

static uint64_t unix_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static size_t read_command(char *to, size_t max)
{
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, to, max - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return 0;
    to[n] = 0; /* a longer one is cut */
    return to[n - 1] ? (size_t)n + 1 : (size_t)n;
}

static bool write_head(void)
{
    struct {
        struct hw_recording_head head;
        char command[COMMAND_MAX_BYTES];
    } begin = {{.magic = HW_RECORDING_MAGIC,
                .version = HW_RECORDING_VERSION,
                .rate_bytes = hw_record_rate_began,
                .began_unix_ns = unix_ns(),
                .pid = getpid(),
                .parent_pid = file.parent_pid,
                .python = hw_agent_table.python},
               ""};
    size_t bytes = sizeof(begin.head) + read_command(begin.command, sizeof(begin.command));
    begin.head.head_bytes = (uint32_t)bytes;
    return append((char *)&begin, bytes);
}

/* Only one that was not there: what another process writes is never touched. */
static int create(void)
{
    int fd = -1;
    errno = EEXIST;
    for (int i = file.is_first ? -1 : 0; fd < 0 && errno == EEXIST && i < SUFFIX_MAX; i++) {
        if (i < 0)
            snprintf(file.path, sizeof(file.path), "%s", file.base);
        else if (i == 0)
            snprintf(file.path, sizeof(file.path), "%s.%d", file.base, (int)getpid());
        else
            snprintf(file.path, sizeof(file.path), "%s.%d.%d", file.base, (int)getpid(), i);
        fd = open(file.path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    }
    return fd;
}

static bool file_make(void)
{
    struct stat st;
    int fd = create();
    if (fd < 0 || fstat(fd, &st) != 0)
        return false;
    file.dev = st.st_dev;
    file.ino = st.st_ino;
    file.fd = moved_up(fd);
    return write_head();
}

bool hw_record_file_append(const void *chunk, size_t bytes)
{
    int error = errno; /* the program's, who may not yet have looked at it */
    bool ok = file.ino ? is_ours(file.fd) || reopen() : file_make();
    ok = ok && append(chunk, bytes);
    errno = error;
    return ok;
}

bool hw_record_file_init(const char *path, bool is_first)
{
    size_t n = strlen(path);
    if (!n || n >= sizeof(file.base))
        return false;
    memcpy(file.base, path, n + 1);
    file.is_first = is_first;
    return !is_first || hw_record_file_append("", 0);
}

void hw_record_file_forked(int32_t parent_pid)
{
    int error = errno;
    if (is_ours(file.fd))
        close(file.fd);
    file.fd = -1;
    file.ino = 0;
    file.bytes = 0;
    file.is_first = false;
    file.parent_pid = parent_pid;
    errno = error;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/sampler.h"

#include "watch/command.h"
#include "watch/procfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { STATUS_BYTES = 4096, ROLLUP_BYTES = 2048 };
#define SECOND_NS INT64_C(1000000000)
#define PSS_PAUSE_NS (10 * SECOND_NS)
#define FDS_PAUSE_NS (5 * SECOND_NS)

bool hw_sampler_open(struct hw_sampler *sampler, pid_t pid, int *ret_errno)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    *sampler = (struct hw_sampler){
        .dir = -1, .status = -1, .fds = -1, .pid = pid, .fds_counted = HW_UNKNOWN};
    sampler->dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (sampler->dir >= 0)
        sampler->status = openat(sampler->dir, "status", O_RDONLY | O_CLOEXEC);
    if (sampler->status < 0) {
        *ret_errno = errno;
        hw_sampler_close(sampler);
        return false;
    }
    /* Other users' descriptors are not ours to see; the rest is. */
    sampler->fds = openat(sampler->dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return true;
}

void hw_sampler_close(struct hw_sampler *sampler)
{
    const int fds[] = {sampler->fds, sampler->status, sampler->dir};
    for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    sampler->fds = sampler->status = sampler->dir = -1;
}

static uint64_t read_pss(struct hw_sampler *sampler, int64_t now_ns)
{
    char text[ROLLUP_BYTES];
    uint64_t pss = HW_UNKNOWN;
    if (!hw_budget_begin(&sampler->pss_budget, now_ns))
        return HW_UNKNOWN;
    if (hw_procfile_read(sampler->dir, "smaps_rollup", text, sizeof(text)) > 0 &&
        hw_procfile_number(text, "Pss:", &pss))
        pss *= 1024;
    hw_budget_end(&sampler->pss_budget, now_ns, PSS_PAUSE_NS);
    return pss;
}

static uint64_t count_entries(int fd)
{
    uint64_t count = 0;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    if (!dir) {
        if (copy >= 0)
            close(copy);
        return HW_UNKNOWN;
    }
    rewinddir(dir);
    for (const struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static uint64_t read_fds(struct hw_sampler *sampler, int64_t now_ns)
{
    struct stat info;
    if (sampler->fds < 0 || fstat(sampler->fds, &info) != 0)
        return HW_UNKNOWN;
    if (info.st_size > 0)
        return (uint64_t)info.st_size;
    if (hw_budget_begin(&sampler->fds_budget, now_ns)) {
        sampler->fds_counted = count_entries(sampler->fds);
        hw_budget_end(&sampler->fds_budget, now_ns, FDS_PAUSE_NS);
    }
    return sampler->fds_counted;
}

bool hw_sampler_read(struct hw_sampler *sampler, int64_t now_ns,
                     struct hw_memory_sample *ret_sample)
{
    char text[STATUS_BYTES];
    struct timespec at;
    struct hw_memory_sample sample = {0};
    /* Zombies have no memory any more, and no lines about it. */
    if (hw_procfile_pread(sampler->status, text, sizeof(text)) < 0 || !strstr(text, "\nVmRSS:"))
        return false;
    clock_gettime(CLOCK_REALTIME, &at);
    sample.at_ns = at.tv_sec * SECOND_NS + at.tv_nsec;
    sample.rss_bytes = hw_procfile_kb(text, "VmRSS:");
    sample.peak_rss_bytes = hw_procfile_kb(text, "VmHWM:");
    sample.swap_bytes = hw_procfile_kb(text, "VmSwap:");
    sample.memory_bytes =
        hw_procfile_kb(text, "RssAnon:") + hw_procfile_kb(text, "RssShmem:") + sample.swap_bytes;
    if (!hw_procfile_number(text, "Threads:", &sample.threads))
        sample.threads = HW_UNKNOWN;
    sampler->virtual_bytes = hw_procfile_kb(text, "VmSize:");
    sampler->data_bytes = hw_procfile_kb(text, "VmData:");
    sample.fds = read_fds(sampler, now_ns);
    sample.pss_bytes = read_pss(sampler, now_ns);
    *ret_sample = sample;
    return true;
}

int64_t hw_sampler_started(const struct hw_sampler *sampler)
{
    struct hw_procfile_stat stat;
    struct timespec real, boot;
    long ticks = sysconf(_SC_CLK_TCK);
    if (ticks <= 0 || !hw_procfile_stat(sampler->dir, "stat", &stat) ||
        clock_gettime(CLOCK_REALTIME, &real) != 0 || clock_gettime(CLOCK_BOOTTIME, &boot) != 0)
        return 0;
    int64_t began_ns = (real.tv_sec - boot.tv_sec) * SECOND_NS + real.tv_nsec - boot.tv_nsec;
    return began_ns + (int64_t)((double)stat.start_ticks / (double)ticks * 1e9);
}

void hw_sampler_name(const struct hw_sampler *sampler, char name[HW_SAMPLER_NAME])
{
    struct hw_command command;
    hw_command_read(sampler->dir, &command);
    snprintf(name, HW_SAMPLER_NAME, "%s", command.script[0] ? command.script : command.name);
}

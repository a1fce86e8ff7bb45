/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { STACK_BYTES = 64 << 10 };

static int said_open(struct hw_spawn *spawn)
{
    int ends[2];
    if (spawn->said_read >= 0)
        return 0;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    spawn->said_read = ends[0];
    spawn->said_write = ends[1];
    return 0;
}

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int hw_spawn_init(struct hw_spawn *spawn)
{
    *spawn = (struct hw_spawn){.said_read = -1, .said_write = -1, .null = -1};
    spawn->null = open("/dev/null", O_RDWR | O_CLOEXEC);
    spawn->stacks = mmap(NULL, 2 * STACK_BYTES, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_POPULATE, -1, 0);
    if (spawn->stacks == MAP_FAILED)
        spawn->stacks = NULL;
    if (spawn->null < 0 || !spawn->stacks || said_open(spawn) < 0) {
        int saved = errno;
        hw_spawn_deinit(spawn);
        errno = saved;
        return -1;
    }
    return 0;
}

void hw_spawn_deinit(struct hw_spawn *spawn)
{
    if (spawn->stacks)
        munmap(spawn->stacks, 2 * STACK_BYTES);
    spawn->stacks = NULL;
    close_end(&spawn->null);
    close_end(&spawn->said_read);
    close_end(&spawn->said_write);
}

/* ---- in the new processes, which share our memory: system calls only ---- */

static void limit_raise(int resource)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(resource, &limit);
    }
}

static void sacrifice_offer(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t ignored = write(fd, "1000", 4);
        (void)ignored;
        close(fd);
    }
}

static int program_main(void *arg)
{
    struct hw_spawn *spawn = arg;
    sigset_t none;
    sigemptyset(&none);
    limit_raise(RLIMIT_AS);
    limit_raise(RLIMIT_DATA);
    sacrifice_offer();
    dup2(spawn->null, 0);
    dup2(spawn->null, 1);
    dup2(spawn->said_write, 2);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(spawn->args[0], spawn->args, environ);
    spawn->start_errno = errno;
    _exit(127);
}

static int helper_main(void *arg)
{
    struct hw_spawn *spawn = arg;
    spawn->program = clone(program_main, spawn->stacks + 2 * STACK_BYTES, CLONE_VM | CLONE_VFORK | SIGCHLD, spawn);
    if (spawn->program < 0)
        spawn->start_errno = errno;
    else if (spawn->start_errno)
        waitpid(spawn->program, NULL, 0);
    _exit(0);
}

/* ---- in ours ---- */

static bool start(struct hw_spawn *spawn)
{
    sigset_t all, before;
    spawn->start_errno = 0;
    spawn->program = -1;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t helper = clone(helper_main, spawn->stacks + STACK_BYTES, CLONE_VM | CLONE_VFORK, spawn);
    if (helper < 0)
        spawn->start_errno = errno;
    else
        while (waitpid(helper, NULL, __WALL) < 0 && errno == EINTR)
            continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return spawn->start_errno == 0;
}

static int left_ms(const struct timespec *until)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long ms = (until->tv_sec - now.tv_sec) * 1000LL + (until->tv_nsec - now.tv_nsec) / 1000000;
    return ms > 0 ? (int)ms : 0;
}

/* Until nobody has the other end any more. False: the time is over. */
static bool said_read_all(struct hw_spawn *spawn, int timeout_ms, char said[HW_SPAWN_SAID])
{
    struct timespec until;
    size_t length = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000L;
    for (;;) {
        char rest[256];
        struct pollfd poll_fd = {.fd = spawn->said_read, .events = POLLIN};
        int ready = poll(&poll_fd, 1, left_ms(&until));
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return false;
        size_t room = HW_SPAWN_SAID - 1 - length;
        ssize_t got = read(spawn->said_read, room ? said + length : rest, room ? room : sizeof(rest));
        if (got == 0 || (got < 0 && errno != EINTR))
            return true;
        if (got > 0 && room)
            said[length += (size_t)got] = 0;
    }
}

bool hw_spawn_run(struct hw_spawn *spawn, char *const args[], int timeout_ms, char said[HW_SPAWN_SAID])
{
    said[0] = 0;
    if (said_open(spawn) < 0)
        return false;
    spawn->args = args;
    /* Under Yama only a tracer that we name may look, and which process of the program's it is we can't know. */
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
    bool started = start(spawn);
    int failure = spawn->start_errno;
    close_end(&spawn->said_write);
    if (started && !said_read_all(spawn, timeout_ms, said))
        kill(spawn->program, SIGKILL);
    if (started) /* where we are init ourselves; else it is no child of ours */
        waitpid(spawn->program, NULL, 0);
    prctl(PR_SET_PTRACER, 0, 0, 0, 0);
    close_end(&spawn->said_read);
    errno = failure;
    return started;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "image/guard.h"

#include "base/err.h"
#include "image/calm.h"
#include "image/signal-frame.h"
#include "image/tracee.h"
#include "image/twin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    SOCKET_FD = 3,
    OWNER_CHECK_MS = 1000,
    LATE_CHECK_MS = 1,
    RETRY_FIRST_US = 1000,
    RETRY_LAST_US = 5000,
    IDLE_TRIES = 5
};

struct guard {
    struct hw_guard_shared *shared;
    struct hw_twin twin;
};

/* ---- talking ---- */

/* fd < 0: none goes along. */
static bool guard_send(enum hw_guard_message message, int fd)
{
    unsigned char byte = (unsigned char)message;
    struct iovec io = {&byte, 1};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct msghdr msg = {.msg_iov = &io, .msg_iovlen = 1};
    if (fd >= 0) {
        msg.msg_control = control;
        msg.msg_controllen = sizeof(control);
        struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(head), &fd, sizeof(int));
    }
    return sendmsg(SOCKET_FD, &msg, MSG_NOSIGNAL) == 1;
}

/* The owner's next message; 0: it is gone, or silent for too long (timeout_ms < 0: no limit). */
static int guard_receive(const struct hw_guard_shared *shared, int timeout_ms)
{
    struct pollfd poller = {.fd = SOCKET_FD, .events = POLLIN};
    for (;;) {
        int ready = poll(&poller, 1, timeout_ms < 0 ? OWNER_CHECK_MS : timeout_ms);
        if (ready == 0 && timeout_ms < 0 && getppid() == shared->owner)
            continue;
        if (ready < 0 && errno == EINTR)
            continue;
        unsigned char byte;
        return ready > 0 && recv(SOCKET_FD, &byte, 1, 0) == 1 ? byte : 0;
    }
}

/* ---- the steps ---- */

static bool given_up(struct hw_guard_shared *shared)
{
    return hw_err_set(&shared->err, HW_ERR_INTERRUPTED, "the capture of process %d was given up",
                      shared->pid);
}

/* Whether somebody still waits for the image. */
static bool owner_waits(const struct hw_guard_shared *shared)
{
    struct pollfd poller = {.fd = SOCKET_FD, .events = POLLIN};
    return poll(&poller, 1, 0) == 0 && getppid() == shared->owner;
}

static bool goes_on(const void *shared)
{
    return owner_waits(shared);
}

/* All threads stand still. Each stop costs the target something, so idleness is worth only a few. */
static bool is_good_moment(struct hw_guard_shared *shared)
{
    bool waits = shared->tries < IDLE_TRIES && hw_clock_ns() < shared->deadline_ns;
    shared->calm = hw_busy_words_are_zero(shared->pid, &shared->busy);
    return shared->calm && (!waits || hw_busy_words_are_zero(shared->pid, &shared->working));
}

/* Stops the target at a good moment, or at the last of the tries. */
static bool stop_calmly(struct hw_guard_shared *shared)
{
    unsigned wait_us = RETRY_FIRST_US;
    for (;; shared->tries++) {
        hw_busy_words_await(shared->pid, &shared->working, shared->deadline_ns, goes_on, shared);
        if (!hw_tracees_stop(shared, &shared->err))
            return false;
        if (is_good_moment(shared) || shared->tries >= shared->retries)
            return true;
        hw_tracees_release(shared);
        if (!owner_waits(shared))
            return given_up(shared);
        hw_sleep_us(wait_us);
        wait_us = wait_us * 5 / 4 < RETRY_LAST_US ? wait_us * 5 / 4 : RETRY_LAST_US;
    }
}

static int64_t wall_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static bool call_make(struct hw_guard_shared *shared)
{
    size_t number = shared->call.thread;
    if (number >= shared->thread_count || shared->call.text_bytes > sizeof(shared->call.text))
        return hw_err_set(&shared->err, HW_ERR_IO, "a call of no thread was asked for");
    return hw_signal_frame_push(shared->pid, &shared->threads[number], &shared->call, &shared->err);
}

/* Until the owner has copied what it wants, or said what is to be called. */
static bool wait_copied(struct hw_guard_shared *shared)
{
    int message = HW_GUARD_COPYING;
    guard_send(HW_GUARD_STOPPED, -1);
    while (message == HW_GUARD_COPYING)
        message = guard_receive(shared, HW_GUARD_PATIENCE_MS);
    if (message == HW_GUARD_CALL)
        return call_make(shared);
    return message == HW_GUARD_COPIED || given_up(shared);
}

static bool freeze(struct guard *guard)
{
    struct hw_guard_shared *shared = guard->shared;
    if (!stop_calmly(shared))
        return false;
    shared->taken_at_ns = wall_clock_ns();
    bool ok = shared->freeze == HW_FREEZE_TWIN ? hw_twin_make(shared, &guard->twin, &shared->err)
                                               : wait_copied(shared);
    hw_tracees_release(shared);
    if (guard->twin.resend_stop)
        kill(shared->pid, SIGSTOP);
    return ok;
}

static void hand_over(struct guard *guard)
{
    if (!guard->twin.pid) {
        guard_send(HW_GUARD_RELEASED, -1);
        return;
    }
    char path[64];
    hw_twin_settle(&guard->twin);
    guard->shared->twin = guard->twin.pid;
    snprintf(path, sizeof(path), "/proc/%d/mem", guard->twin.pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        guard_send(HW_GUARD_TWIN, fd);
        close(fd);
        return;
    }
    hw_err_sys(&guard->shared->err, HW_ERR_IO, errno, "cannot open the memory of the twin");
    guard_send(HW_GUARD_FAILED, -1);
}

/* Nothing is expected from the owner but its end. */
static void wait_for_end(struct hw_guard_shared *shared)
{
    struct pollfd poller = {.fd = SOCKET_FD, .events = POLLIN};
    bool late = true;
    for (;;) {
        late = late && !hw_tracees_release_late(shared);
        int ready = poll(&poller, 1, late ? LATE_CHECK_MS : OWNER_CHECK_MS);
        unsigned char byte;
        if (ready > 0 && recv(SOCKET_FD, &byte, 1, 0) != 1)
            return;
        if (ready == 0 && getppid() != shared->owner)
            return;
    }
}

/* ---- becoming the guardian ---- */

static void close_all_but_socket(int socket)
{
    int null = open("/dev/null", O_RDWR);
    int high = fcntl(socket, F_DUPFD, 100);
    for (int fd = 0; fd < SOCKET_FD; fd++)
        dup2(null, fd);
    dup2(high, SOCKET_FD);
    if (syscall(SYS_close_range, SOCKET_FD + 1, ~0u, 0))
        for (int fd = SOCKET_FD + 1; fd < 1 << 16; fd++)
            close(fd);
}

/* The twin is to die for want of memory, not the one that can clean up. Needs privilege. */
static void stay_alive(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, "-1000", 5) < 0) {
        /* a precaution, no more */
    }
    close(fd);
}

/* On a loaded machine the target would stand still until we get the processor again. Needs privilege. */
static void hurry(void)
{
    struct sched_param param = {.sched_priority = 1};
    if (sched_setscheduler(0, SCHED_RR, &param))
        setpriority(PRIO_PROCESS, 0, -10);
}

_Noreturn void hw_guard_run(struct hw_guard_shared *shared, int socket)
{
    struct guard guard = {.shared = shared};
    setsid();
    prctl(PR_SET_NAME, "hw-guard");
    prctl(PR_SET_TIMERSLACK, 1000UL);
    close_all_but_socket(socket);
    stay_alive();
    hurry();
    if (freeze(&guard))
        hand_over(&guard);
    else
        guard_send(HW_GUARD_FAILED, -1);
    wait_for_end(shared);
    hw_twin_end(&guard.twin, shared->pid);
    _exit(0);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "image/guard-link.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CANCEL_CHECK_MS = 50 };

bool hw_guard_init(struct hw_guard *guard, struct hw_err *err)
{
    void *shared = mmap(NULL, sizeof(struct hw_guard_shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    *guard = (struct hw_guard){.socket = -1};
    if (shared == MAP_FAILED)
        return hw_err_no_memory(err);
    guard->shared = shared;
    return true;
}

bool hw_guard_start(struct hw_guard *guard, struct hw_err *err)
{
    int pair[2];
    sigset_t all, before;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return hw_err_sys(err, HW_ERR_IO, errno, "cannot make a socket");
    guard->shared->owner = getpid();
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    /* Not fork(): no handlers are to run in the child, and its end is to send us no SIGCHLD. */
    pid_t pid = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
    if (pid == 0)
        hw_guard_run(guard->shared, pair[1]);
    int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return hw_err_sys(err, HW_ERR_IO, error, "cannot start a process");
    }
    guard->pid = pid;
    guard->socket = pair[0];
    return true;
}

void hw_guard_send(struct hw_guard *guard, enum hw_guard_message message)
{
    unsigned char byte = (unsigned char)message;
    /* A guardian that is gone is noticed when it is listened to. */
    (void)!send(guard->socket, &byte, 1, MSG_NOSIGNAL);
}

static int descriptor_of(struct msghdr *msg)
{
    int fd = -1;
    struct cmsghdr *head = CMSG_FIRSTHDR(msg);
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(head), sizeof(fd));
    return fd;
}

bool hw_guard_receive(struct hw_guard *guard, const volatile int *cancel,
                      enum hw_guard_message *ret_message, int *ret_fd, struct hw_err *err)
{
    struct pollfd poller = {.fd = guard->socket, .events = POLLIN};
    do {
        if (cancel && *cancel)
            return hw_err_set(err, HW_ERR_INTERRUPTED, "interrupted");
    } while (poll(&poller, 1, CANCEL_CHECK_MS) <= 0);
    unsigned char byte;
    struct iovec io = {&byte, 1};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct msghdr msg = {
        .msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    if (recvmsg(guard->socket, &msg, MSG_CMSG_CLOEXEC) != 1)
        return hw_err_set(err, HW_ERR_IO, "the guardian process was killed; process %d runs on",
                          guard->shared->pid);
    if (byte == HW_GUARD_FAILED) {
        if (err)
            *err = guard->shared->err;
        return false;
    }
    *ret_message = byte;
    *ret_fd = descriptor_of(&msg);
    return true;
}

void hw_guard_deinit(struct hw_guard *guard)
{
    if (guard->socket >= 0)
        close(guard->socket);
    while (guard->pid > 0 && waitpid(guard->pid, NULL, __WALL) < 0 && errno == EINTR)
        ;
    if (guard->shared)
        munmap(guard->shared, sizeof(*guard->shared));
    *guard = (struct hw_guard){.socket = -1};
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "attach/libc-calls.h"

#include <string.h>
#include <sys/syscall.h>

/* By glibc 2.28 to 2.41. Some wait with a lock of stdio's, which loading a library does not ask
 * for. */
static const char *const waiting[] = {
    /* descriptors */
    "read", "__read", "__read_chk", "readv", "pread", "pread64", "preadv", "preadv2", "write",
    "__write", "writev", "pwrite", "pwrite64", "recv", "__recv_chk", "recvfrom", "__recvfrom_chk",
    "recvmsg", "recvmmsg", "send", "__send", "sendto", "sendmsg", "sendmmsg", "sendfile",
    "sendfile64", "accept", "accept4", "connect", "__connect", "open", "__open", "open64",
    "__open64", "openat", "openat64", "fsync", "fdatasync", "flock", "fcntl", "__fcntl", "fcntl64",
    "lockf", "splice", "ioctl", "msgrcv", "semop", "mq_receive", "mq_timedreceive",
    /* several of them */
    "poll", "__poll", "__poll_chk", "ppoll", "__ppoll_chk", "select", "__select", "pselect",
    "epoll_wait", "epoll_pwait", "epoll_pwait2",
    /* time, signals, children */
    "nanosleep", "__nanosleep", "clock_nanosleep", "__clock_nanosleep", "usleep", "sleep", "pause",
    "sigsuspend", "sigwait", "sigwaitinfo", "sigtimedwait", "wait", "__wait", "wait3", "wait4",
    "waitpid", "__waitpid", "waitid",
    /* threads */
    "sem_wait", "sem_timedwait", "sem_clockwait", "pthread_cond_wait", "pthread_cond_timedwait",
    "pthread_cond_clockwait", "pthread_mutex_lock", "pthread_mutex_timedlock",
    "pthread_mutex_clocklock", "pthread_rwlock_rdlock", "pthread_rwlock_wrlock", "pthread_join",
    "pthread_timedjoin_np", "pthread_clockjoin_np", "pthread_barrier_wait", "sched_yield",
    /* stdio, waiting for a descriptor */
    "fgets", "fread", "getc", "_IO_getc", "fgetc", "getline", "getdelim", "__getdelim", "fwrite",
    "fputs", "fflush",
    /* whatever is asked for */
    "syscall"};

bool hw_libc_call_waits(const char *function)
{
    for (size_t i = 0; i < sizeof(waiting) / sizeof(*waiting); i++)
        if (strcmp(waiting[i], function) == 0)
            return true;
    return false;
}

/* What malloc asks the kernel for. */
bool hw_syscall_is_of_memory(long number)
{
    return number == SYS_brk || number == SYS_mmap || number == SYS_munmap ||
           number == SYS_mremap || number == SYS_mprotect || number == SYS_madvise;
}

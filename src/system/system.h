/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_SYSTEM_SYSTEM_H
#define HW_SYSTEM_SYSTEM_H

/*
 * What the kernel keeps for a process: open descriptors, what its sockets are connected to, what its
 * epoll sets watch, its threads and children. Read from /proc (proc(5), Linux 5.14 to 6.x) as the
 * process sees it, in its own network and mount namespace; nothing is opened but files of /proc.
 *
 * The process runs while it is read. Threads are read before it is frozen: right after, each still
 * comes back to the call that it waited in. Descriptors are listed before and read after, and only
 * what is the same both times is steady. Reading costs about 10 us for a file, 3 us for a socket,
 * none of it while the process stands still. All of it is bounded; what is beyond a bound
 * is counted, and what cannot be read is left out.
 */

#include "base/arena.h"
#include "heapwhy.h"

enum {
    HW_SYSTEM_FDS_MAX = 1 << 18, /* rows; about 120 bytes each */
    HW_SYSTEM_WATCHES_MAX = 1 << 18,
    HW_SYSTEM_TASKS_MAX = 1 << 17,
    HW_SYSTEM_TEXT_MAX = 4096, /* longest name or address */
};

enum hw_system_fd_flag {
    HW_FD_READS = 1 << 0,
    HW_FD_WRITES = 1 << 1,
    HW_FD_DELETED = 1 << 2, /* the file has no name any more */
    HW_FD_STEADY = 1 << 3,  /* the same before and after the freeze */
    HW_FD_LISTENS = 1 << 4,
};

struct hw_system_fd {
    int32_t fd;
    uint8_t kind; /* enum hw_descriptor_kind */
    uint8_t flags;
    uint8_t state;         /* of TCP: include/net/tcp_states.h, 1 ESTABLISHED to 12; 0: not known */
    uint64_t inode;        /* of files with device */
    uint64_t device;
    uint64_t disk_bytes;   /* of files: blocks in use */
    uint64_t number;       /* eventfd: its count; pidfd: the process */
    uint32_t queue_in, queue_out; /* bytes that wait; of a listening socket: connections not accepted */
    const char *name;      /* path; of what has none: "" or what the kernel calls it */
    const char *protocol;  /* "tcp", "udp6", "unix-stream"; "" */
    const char *local, *peer; /* "127.0.0.1:80", "[::1]:80", "/run/x", "@abstract"; "" */
};

/* An epoll set watches a descriptor, by the number that it was registered with. */
struct hw_system_watch {
    int32_t epoll, fd;
    uint32_t events; /* EPOLL* bits */
};

enum hw_system_task_kind { HW_TASK_THREAD, HW_TASK_CHILD };
#define HW_CALL_NONE UINT32_MAX
struct hw_system_task {
    int32_t id;   /* in the process's own pid namespace, as its Python code knows it */
    uint8_t kind;
    char state;   /* R S D T t Z X I, 0: not known */
    uint32_t call; /* number of the system call that a thread waits in; HW_CALL_NONE */
    uint64_t argument; /* its first argument */
    bool timed;        /* it is a futex with a time limit */
    const char *name;
};

struct hw_system {
    bool recorded;
    struct hw_system_fd *fds; /* by number */
    size_t fd_count;
    struct hw_system_watch *watches;
    size_t watch_count;
    struct hw_system_task *tasks;
    size_t task_count;
    struct hw_arena arena; /* owns the texts */
};
/* Arrays are malloc'ed and owned by it. */
void hw_system_deinit(struct hw_system *system);

/* The descriptors of a process at one moment: number and a hash of what each leads to. */
struct hw_system_seen {
    int32_t fd;
    uint64_t hash;
};
struct hw_system_look {
    struct hw_system_seen *seen; /* by number */
    size_t count;
};
void hw_system_look_init(struct hw_system_look *look, pid_t pid); /* empty when it can't be read */
void hw_system_look_deinit(struct hw_system_look *look);

/* Before the freeze: threads and children, and a look at the descriptors. */
void hw_system_begin(struct hw_system *ret_system, struct hw_system_look *ret_look, pid_t pid);

/* After it: all else. recorded stays false where descriptors cannot be listed or memory runs out.
 * ret_total: descriptors there are; ret_limit: RLIMIT_NOFILE, 0: not known. */
void hw_system_finish(struct hw_system *system, pid_t pid, const struct hw_system_look *before,
                      uint64_t *ret_total, uint64_t *ret_limit);

/* For who reads itself: takes out the files of /proc/PID that are open for reading it, of each pid of
 * count, and takes them off *total. */
void hw_system_forget_reading(struct hw_system *system, const pid_t *pids, size_t count,
                              uint64_t *total);

/* The name of a system call that threads wait in; "" for others. x86-64. */
const char *hw_system_call_name(uint32_t call);
/* Whether its first argument is a descriptor. */
bool hw_system_call_takes_fd(uint32_t call);
bool hw_system_call_is_futex(uint32_t call);

#endif

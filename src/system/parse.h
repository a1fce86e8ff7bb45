/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_SYSTEM_PARSE_H
#define HW_SYSTEM_PARSE_H

/*
 * Single texts of /proc. Names in them are the process's own and may hold anything; every function
 * takes any text, and says false or leaves the rest zero where it is not of the expected form.
 */

#include "system/system.h"

/* What the link /proc/PID/fd/N says. name is a part of text; of sockets, pipes and the like it is
 * what the kernel calls them, without the number. */
struct hw_link_text {
    enum hw_descriptor_kind kind; /* a path: HW_DESCRIPTOR_FILE, stat() knows better */
    uint64_t inode;
    bool deleted;
    const char *name;
    size_t name_bytes;
};
void hw_link_parse(const char *text, struct hw_link_text *ret_link);

/* /proc/PID/fdinfo/N: sets flags and number of fd; calls watch for each line of an epoll set. */
typedef bool hw_watch_fn(void *ctx, int32_t fd, uint32_t events); /* false: enough */
void hw_fdinfo_parse(const char *text, struct hw_system_fd *fd, hw_watch_fn *watch, void *ctx);

/* One line of /proc/net/{tcp,udp,raw,...}, is_v6: of those for IPv6. Room for addresses:
 * HW_NET_ADDRESS_MAX. An unconnected end is "". */
enum { HW_NET_ADDRESS_MAX = 64 };
struct hw_net_line {
    uint64_t inode;
    uint8_t state;
    uint32_t queue_in, queue_out;
    char local[HW_NET_ADDRESS_MAX], peer[HW_NET_ADDRESS_MAX];
};
bool hw_net_line_parse(const char *line, bool is_v6, struct hw_net_line *ret_line);

/* One line of /proc/net/unix; path is a part of line, up to its end. */
struct hw_unix_line {
    uint64_t inode;
    uint32_t type; /* SOCK_STREAM 1, SOCK_DGRAM 2, SOCK_SEQPACKET 5 */
    bool listens, connected;
    const char *path;
};
bool hw_unix_line_parse(const char *line, struct hw_unix_line *ret_line);

/* /proc/PID/task/TID/syscall: "202 0x7f00 ...", "running". */
void hw_syscall_parse(const char *text, struct hw_system_task *task);

/* The soft limit in the line "Max open files" of /proc/PID/limits; 0: none such. */
uint64_t hw_limits_parse(const char *text);

#endif

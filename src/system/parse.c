/* SPDX-License-Identifier: Apache-2.0 */
#include "system/parse.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- links ---- */

/* fs/eventpoll.c, eventfd.c, timerfd.c, ... anon_inode_getfile(); pidfds have a file system of their
 * own since 6.9. */
static const struct {
    const char *prefix;
    enum hw_descriptor_kind kind;
} links[] = {
    {"socket:", HW_DESCRIPTOR_SOCKET},
    {"pipe:", HW_DESCRIPTOR_PIPE},
    {"anon_inode:[eventpoll]", HW_DESCRIPTOR_EPOLL},
    {"anon_inode:[eventfd]", HW_DESCRIPTOR_EVENTFD},
    {"anon_inode:[timerfd]", HW_DESCRIPTOR_TIMERFD},
    {"anon_inode:[signalfd]", HW_DESCRIPTOR_SIGNALFD},
    {"anon_inode:inotify", HW_DESCRIPTOR_INOTIFY},
    {"anon_inode:[pidfd]", HW_DESCRIPTOR_PIDFD},
    {"pidfd:", HW_DESCRIPTOR_PIDFD},
    {"/memfd:", HW_DESCRIPTOR_MEMFD},
};

void hw_link_parse(const char *text, struct hw_link_text *ret_link)
{
    static const char mark[] = " (deleted)";
    size_t length = strlen(text), tail = sizeof(mark) - 1;
    struct hw_link_text link = {.kind = *text == '/' ? HW_DESCRIPTOR_FILE : HW_DESCRIPTOR_OTHER,
                                .name = text,
                                .name_bytes = length};
    for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
        if (strncmp(text, links[i].prefix, strlen(links[i].prefix)) == 0) {
            link.kind = links[i].kind;
            break;
        }
    const char *open = strchr(text, '[');
    if (*text == '/') {
        link.deleted = length > tail && strcmp(text + length - tail, mark) == 0;
        link.name_bytes -= link.deleted ? tail : 0;
    } else if (open && open[-(open > text)] == ':' && open[1] >= '0' && open[1] <= '9') {
        link.inode = strtoull(open + 1, NULL, 10);
        link.name_bytes = (size_t)(open - text) - (open > text);
    }
    *ret_link = link;
}

/* ---- fdinfo ---- */

void hw_fdinfo_parse(const char *text, struct hw_system_fd *fd, hw_watch_fn *watch, void *ctx)
{
    bool wants = watch != NULL;
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        unsigned flags;
        unsigned events;
        int target;
        uint64_t number;
        if (sscanf(line, "flags: %o", &flags) == 1) {
            bool both = (flags & O_ACCMODE) == O_RDWR;
            fd->flags |= both || (flags & O_ACCMODE) == O_RDONLY ? HW_FD_READS : 0;
            fd->flags |= both || (flags & O_ACCMODE) == O_WRONLY ? HW_FD_WRITES : 0;
        } else if (sscanf(line, "eventfd-count: %" SCNx64, &number) == 1 ||
                   sscanf(line, "Pid: %" SCNu64, &number) == 1) {
            fd->number = number;
        } else if (wants && sscanf(line, "tfd: %d events: %x", &target, &events) == 2) {
            wants = watch(ctx, target, events);
        }
    }
}

/* ---- sockets ---- */

/* Addresses are words of the machine's own order, each holding four bytes in the network's. */
static bool address_parse(const char *hex, bool is_v6, unsigned port, char *to)
{
    unsigned char bytes[16];
    char text[INET6_ADDRSTRLEN];
    size_t words = is_v6 ? 4 : 1;
    bool zero = true;
    if (strlen(hex) != words * 8 || port > UINT16_MAX)
        return false;
    for (size_t i = 0; i < words; i++) {
        char word_hex[9] = {0};
        memcpy(word_hex, hex + 8 * i, 8);
        uint32_t word = (uint32_t)strtoul(word_hex, NULL, 16);
        zero = zero && !word;
        memcpy(bytes + 4 * i, &word, 4);
    }
    *to = 0;
    if (zero && !port)
        return true;
    if (!inet_ntop(is_v6 ? AF_INET6 : AF_INET, bytes, text, sizeof(text)))
        return false;
    snprintf(to, HW_NET_ADDRESS_MAX, is_v6 ? "[%s]:%u" : "%s:%u", text, port);
    return true;
}

bool hw_net_line_parse(const char *line, bool is_v6, struct hw_net_line *ret_line)
{
    char local[33], peer[33];
    unsigned local_port, peer_port, state, out, in;
    uint64_t inode;
    struct hw_net_line parsed = {0};
    if (sscanf(line,
               " %*u: %32[0-9A-Fa-f]:%4x %32[0-9A-Fa-f]:%4x %2x %8x:%8x %*x:%*x %*x %*u %*d "
               "%" SCNu64,
               local, &local_port, peer, &peer_port, &state, &out, &in, &inode) != 8 ||
        !inode || !address_parse(local, is_v6, local_port, parsed.local) ||
        !address_parse(peer, is_v6, peer_port, parsed.peer))
        return false;
    parsed.inode = inode;
    parsed.state = (uint8_t)state;
    parsed.queue_in = in;
    parsed.queue_out = out;
    *ret_line = parsed;
    return true;
}

bool hw_unix_line_parse(const char *line, struct hw_unix_line *ret_line)
{
    enum { ACCEPTS = 1 << 16, CONNECTED = 3 }; /* __SO_ACCEPTCON, SS_CONNECTED */
    unsigned flags, type, state;
    uint64_t inode;
    int end = 0;
    if (sscanf(line, "%*x: %*x %*x %x %x %x %" SCNu64 "%n", &flags, &type, &state, &inode, &end) <
            4 ||
        !end || !inode)
        return false;
    *ret_line = (struct hw_unix_line){.inode = inode,
                                      .type = type,
                                      .listens = flags & ACCEPTS,
                                      .connected = state == CONNECTED,
                                      .path = line + end + (line[end] == ' ')};
    return true;
}

/* ---- threads ---- */

void hw_syscall_parse(const char *text, struct hw_system_task *task)
{
    int call;
    uint64_t argument, limit = 0;
    task->call = HW_CALL_NONE;
    if (sscanf(text, "%d 0x%" SCNx64 " %*s %*s 0x%" SCNx64, &call, &argument, &limit) < 2 ||
        call < 0)
        return;
    task->call = (uint32_t)call;
    task->argument = argument;
    task->timed = hw_system_call_is_futex(task->call) && limit;
}

uint64_t hw_limits_parse(const char *text)
{
    static const char key[] = "Max open files";
    const char *line = strstr(text, key);
    return line ? strtoull(line + sizeof(key) - 1, NULL, 10) : 0;
}

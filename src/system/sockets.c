/* SPDX-License-Identifier: Apache-2.0 */
#include "image/proc.h"
#include "system/parse.h"
#include "system/read.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

/* The tables list every socket of the network namespace: they are read line by line, and only the
 * process's own sockets are kept. */
enum { TABLE_MAX_BYTES = 256 << 20, LINE_MAX_BYTES = HW_SYSTEM_TEXT_MAX, TCP_LISTEN = 10, PROTOCOL_MAX = 32 };

static const struct {
    const char *name;
    bool is_v6, is_tcp;
} tables[] = {
    {"tcp", false, true},   {"tcp6", true, true},   {"udp", false, false}, {"udp6", true, false},
    {"raw", false, false},  {"raw6", true, false},  {"icmp", false, false}, {"icmp6", true, false},
    {"udplite", false, false}, {"udplite6", true, false},
};

struct sockets {
    struct hw_system *system;
    struct hw_system_fd **rows; /* by inode */
    size_t count;
    bool no_memory;
};

static int by_inode(const void *a, const void *b)
{
    const struct hw_system_fd *x = *(struct hw_system_fd *const *)a;
    const struct hw_system_fd *y = *(struct hw_system_fd *const *)b;
    return (x->inode > y->inode) - (x->inode < y->inode);
}

/* The first of the descriptors that lead to the socket; SIZE_MAX: it is none of ours. */
static size_t first_with(const struct sockets *sockets, uint64_t inode)
{
    size_t low = 0, high = sockets->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sockets->rows[middle]->inode < inode)
            low = middle + 1;
        else
            high = middle;
    }
    return low < sockets->count && sockets->rows[low]->inode == inode ? low : SIZE_MAX;
}

static const char *keep(struct sockets *sockets, const char *text)
{
    const char *copy = *text ? hw_arena_strdup(&sockets->system->arena, text) : "";
    sockets->no_memory |= !copy;
    return copy ? copy : "";
}

/* Gives all descriptors of one socket what told says. */
static void tell_rows(struct sockets *sockets, uint64_t inode, const struct hw_system_fd *told)
{
    size_t i = first_with(sockets, inode);
    if (i == SIZE_MAX || *sockets->rows[i]->protocol)
        return;
    const char *local = keep(sockets, told->local), *peer = keep(sockets, told->peer);
    for (; i < sockets->count && sockets->rows[i]->inode == inode; i++) {
        struct hw_system_fd *fd = sockets->rows[i];
        fd->protocol = told->protocol;
        fd->local = local;
        fd->peer = peer;
        fd->state = told->state;
        fd->flags |= told->flags;
        fd->queue_in = told->queue_in;
        fd->queue_out = told->queue_out;
    }
}

static void take_net_line(struct sockets *sockets, const char *text, size_t table)
{
    struct hw_net_line line;
    if (!hw_net_line_parse(text, tables[table].is_v6, &line) ||
        first_with(sockets, line.inode) == SIZE_MAX)
        return;
    bool listens = tables[table].is_tcp && line.state == TCP_LISTEN;
    struct hw_system_fd told = {.protocol = tables[table].name,
                                .local = line.local,
                                .peer = line.peer,
                                .state = tables[table].is_tcp && line.state <= 12 ? line.state : 0,
                                .flags = listens ? HW_FD_LISTENS : 0,
                                .queue_in = line.queue_in,
                                .queue_out = line.queue_out};
    tell_rows(sockets, line.inode, &told);
}

static void take_unix_line(struct sockets *sockets, const char *text, size_t table)
{
    static const char *const names[] = {"unix", "unix-stream", "unix-dgram",
                                        "unix", "unix",        "unix-seqpacket"};
    struct hw_unix_line line;
    if (!hw_unix_line_parse(text, &line) || first_with(sockets, line.inode) == SIZE_MAX)
        return;
    struct hw_system_fd told = {
        .protocol = line.type < sizeof(names) / sizeof(*names) ? names[line.type] : "unix",
        .local = line.path,
        .peer = "",
        .flags = line.listens ? HW_FD_LISTENS : 0};
    tell_rows(sockets, line.inode, &told);
}

static void read_table(struct sockets *sockets, pid_t pid, const char *name, size_t table,
                       void (*take)(struct sockets *, const char *, size_t))
{
    char path[64], line[LINE_MAX_BYTES];
    size_t bytes = 0;
    snprintf(path, sizeof(path), "/proc/%d/net/%s", pid, name);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    while (bytes < TABLE_MAX_BYTES && fgets(line, sizeof(line), file)) {
        size_t length = strlen(line);
        bytes += length ? length : 1;
        if (length && line[length - 1] == '\n')
            line[length - 1] = 0;
        take(sockets, line, table);
    }
    fclose(file);
}

/* Sockets that are bound to nothing stand in no table; the kernel names their protocol. */
static void read_protocol(struct sockets *sockets, pid_t pid, struct hw_system_fd *fd)
{
    char path[64], text[PROTOCOL_MAX];
    snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd->fd);
    ssize_t n = getxattr(path, "system.sockprotoname", text, sizeof(text) - 1);
    text[n < 0 ? 0 : n] = 0;
    for (char *c = text; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    if (strcmp(text, "tcpv6") == 0 || strcmp(text, "udpv6") == 0)
        strcpy(text + 3, "6");
    fd->protocol = keep(sockets, text);
}

bool hw_system_read_sockets(struct hw_system *system, pid_t pid)
{
    struct sockets sockets = {.system = system};
    sockets.rows = calloc(system->fd_count + 1, sizeof(*sockets.rows));
    if (!sockets.rows)
        return false;
    for (size_t i = 0; i < system->fd_count; i++)
        if (system->fds[i].kind == HW_DESCRIPTOR_SOCKET)
            sockets.rows[sockets.count++] = &system->fds[i];
    if (sockets.count) {
        qsort(sockets.rows, sockets.count, sizeof(*sockets.rows), by_inode);
        for (size_t t = 0; t < sizeof(tables) / sizeof(*tables); t++)
            read_table(&sockets, pid, tables[t].name, t, take_net_line);
        read_table(&sockets, pid, "unix", 0, take_unix_line);
    }
    for (size_t i = 0; i < sockets.count; i++)
        if (!*sockets.rows[i]->protocol)
            read_protocol(&sockets, pid, sockets.rows[i]);
    free(sockets.rows);
    return !sockets.no_memory;
}

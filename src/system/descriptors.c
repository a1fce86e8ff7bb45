/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/vec.h"
#include "image/proc.h"
#include "system/parse.h"
#include "system/read.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <xxhash.h>

enum { FDINFO_MAX_BYTES = 8 << 20, BLOCK_BYTES = 512 };

/* ---- the list ---- */

static int by_fd(const void *a, const void *b)
{
    const struct hw_system_seen *x = a, *y = b;
    return (x->fd > y->fd) - (x->fd < y->fd);
}

/* Numbers alone, rising. *ret_total: of all, also of those beyond the bound. NULL: not readable. */
static struct hw_system_seen *list_fds(DIR *dir, size_t *ret_count, uint64_t *ret_total)
{
    struct hw_system_seen *seen = NULL;
    size_t count = 0, capacity = 0;
    *ret_total = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
            continue;
        ++*ret_total;
        if (count == HW_SYSTEM_FDS_MAX)
            continue;
        struct hw_system_seen *grown = hw_vec_grow(seen, &capacity, count + 1, sizeof(*grown));
        if (!grown) {
            free(seen);
            return NULL;
        }
        seen = grown;
        seen[count++] = (struct hw_system_seen){(int32_t)strtol(entry->d_name, NULL, 10), 0};
    }
    if (count)
        qsort(seen, count, sizeof(*seen), by_fd);
    *ret_count = count;
    return seen;
}

static DIR *open_fds(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    return opendir(path);
}

/* The link's text, terminated; false: it was closed meanwhile. */
static bool link_read(DIR *dir, int32_t fd, char text[HW_SYSTEM_TEXT_MAX], char name[16])
{
    snprintf(name, 16, "%d", fd);
    ssize_t n = readlinkat(dirfd(dir), name, text, HW_SYSTEM_TEXT_MAX - 1);
    text[n < 0 ? 0 : n] = 0;
    return n > 0;
}

static uint64_t link_hash(const char *text)
{
    return XXH3_64bits(text, strlen(text));
}

void hw_system_look_init(struct hw_system_look *look, pid_t pid)
{
    char text[HW_SYSTEM_TEXT_MAX], name[16];
    uint64_t total;
    DIR *dir = open_fds(pid);
    *look = (struct hw_system_look){0};
    if (!dir)
        return;
    look->seen = list_fds(dir, &look->count, &total);
    for (size_t i = 0; i < look->count; i++)
        if (link_read(dir, look->seen[i].fd, text, name))
            look->seen[i].hash = link_hash(text);
    closedir(dir);
}

void hw_system_look_deinit(struct hw_system_look *look)
{
    free(look->seen);
    *look = (struct hw_system_look){0};
}

static bool was_there(const struct hw_system_look *before, int32_t fd, const char *text)
{
    struct hw_system_seen key = {.fd = fd};
    const struct hw_system_seen *seen =
        before->count ? bsearch(&key, before->seen, before->count, sizeof(key), by_fd) : NULL;
    return seen && seen->hash == link_hash(text);
}

/* ---- each ---- */

struct reader {
    struct hw_system *system;
    pid_t pid;
    DIR *dir;
    size_t watch_capacity;
    int32_t fd;
    char root[HW_SYSTEM_TEXT_MAX]; /* of its file system, where that is not ours; "" */
    bool no_memory;
};

static void read_root(struct reader *r)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/root", r->pid);
    ssize_t n = readlink(path, r->root, sizeof(r->root) - 1);
    r->root[n <= 1 ? 0 : n] = 0;
}

/* The kernel says paths as we see them; in a chroot the process sees less. */
static void cut_root(const struct reader *r, struct hw_link_text *link)
{
    size_t length = strlen(r->root);
    if (!length || link->kind != HW_DESCRIPTOR_FILE || link->name_bytes <= length ||
        memcmp(link->name, r->root, length) != 0 || link->name[length] != '/')
        return;
    link->name += length;
    link->name_bytes -= length;
}

static bool add_watch(void *ctx, int32_t fd, uint32_t events)
{
    struct reader *r = ctx;
    struct hw_system *s = r->system;
    if (s->watch_count == HW_SYSTEM_WATCHES_MAX)
        return false;
    struct hw_system_watch *watches =
        hw_vec_grow(s->watches, &r->watch_capacity, s->watch_count + 1, sizeof(*watches));
    r->no_memory |= !watches;
    if (!watches)
        return false;
    s->watches = watches;
    watches[s->watch_count++] = (struct hw_system_watch){r->fd, fd, events};
    return true;
}

/* AT_STATX_DONT_SYNC: a file server that does not answer must not hold us up. */
static void stat_file(const struct reader *r, const char *name, struct hw_system_fd *fd)
{
    struct statx st;
    if (statx(dirfd(r->dir), name, AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &st))
        return;
    fd->inode = st.stx_ino;
    fd->device = makedev(st.stx_dev_major, st.stx_dev_minor);
    fd->flags |= st.stx_nlink ? 0 : HW_FD_DELETED;
    switch (st.stx_mode & S_IFMT) {
    case S_IFREG:
        fd->disk_bytes = st.stx_blocks * BLOCK_BYTES;
        break;
    case S_IFDIR:
        fd->kind = HW_DESCRIPTOR_DIRECTORY;
        break;
    case S_IFCHR:
    case S_IFBLK:
        fd->kind = HW_DESCRIPTOR_DEVICE;
        break;
    case S_IFIFO:
        fd->kind = HW_DESCRIPTOR_PIPE;
        break;
    }
}

static void read_fdinfo(struct reader *r, struct hw_system_fd *fd)
{
    char path[64];
    struct hw_buf buf;
    snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", r->pid, fd->fd);
    if (hw_proc_file_read(path, FDINFO_MAX_BYTES, &buf))
        return;
    r->fd = fd->fd;
    hw_fdinfo_parse(hw_buf_str(&buf), fd, fd->kind == HW_DESCRIPTOR_EPOLL ? add_watch : NULL, r);
    hw_buf_deinit(&buf);
}

/* False: it was closed meanwhile, or memory is out. */
static bool read_fd(struct reader *r, int32_t number, const struct hw_system_look *before,
                    struct hw_system_fd *fd)
{
    char text[HW_SYSTEM_TEXT_MAX], name[16];
    struct hw_link_text link;
    if (!link_read(r->dir, number, text, name))
        return false;
    hw_link_parse(text, &link);
    cut_root(r, &link);
    bool is_path = link.kind == HW_DESCRIPTOR_FILE, is_socket = link.kind == HW_DESCRIPTOR_SOCKET;
    *fd = (struct hw_system_fd){.fd = number,
                                .kind = (uint8_t)link.kind,
                                .inode = link.inode,
                                .protocol = "",
                                .local = "",
                                .peer = ""};
    fd->flags = (uint8_t)((link.deleted ? HW_FD_DELETED : 0) |
                          (was_there(before, number, text) ? HW_FD_STEADY : 0) |
                          (is_socket ? HW_FD_READS | HW_FD_WRITES : 0));
    bool is_named = is_path || link.kind == HW_DESCRIPTOR_MEMFD || link.kind == HW_DESCRIPTOR_OTHER;
    fd->name = is_named ? hw_arena_strndup(&r->system->arena, link.name, link.name_bytes) : "";
    r->no_memory |= !fd->name;
    if (is_path)
        stat_file(r, name, fd);
    if (!is_socket)
        read_fdinfo(r, fd);
    return !r->no_memory;
}

bool hw_system_read_fds(struct hw_system *system, pid_t pid, const struct hw_system_look *before,
                        uint64_t *ret_total)
{
    struct reader r = {.system = system, .pid = pid, .dir = open_fds(pid)};
    size_t count = 0;
    if (!r.dir)
        return true;
    read_root(&r);
    struct hw_system_seen *seen = list_fds(r.dir, &count, ret_total);
    system->fds = calloc(count + 1, sizeof(*system->fds));
    r.no_memory = !system->fds;
    for (size_t i = 0; !r.no_memory && i < count; i++)
        system->fd_count += read_fd(&r, seen[i].fd, before, &system->fds[system->fd_count]);
    system->recorded = !r.no_memory;
    free(seen);
    closedir(r.dir);
    return !r.no_memory;
}

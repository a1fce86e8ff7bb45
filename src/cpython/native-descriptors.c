/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/native.h"

#include <inttypes.h>
#include <stdio.h>

/*
 * Objects of the standard library that own descriptors. Read from the debug information of 3.11.7,
 * 3.13.0 and 3.13.5: Modules/selectmodule.c pyEpoll_Object, mmapmodule.c mmap_object, posixmodule.c
 * ScandirIterator, _sqlite/connection.h pysqlite_Connection. A structure of another size is refused.
 * The value is "fd=5", "fd=5 7" of several; what was closed has "fd=-1".
 */

enum {
    EPOLL_EPFD = 16,
    MMAP_DATA = 16,
    MMAP_FD = 56, /* a duplicate of the one it was made with */
    SCANDIR_DIRP_3_11 = 88,
    SCANDIR_DIRP_3_13 = 104,
    CONNECTION_DB = 16,
};

static size_t put_fd(uint32_t fd, char *to, size_t max)
{
    return (size_t)snprintf(to, max, "fd=%d", (int)fd);
}

static size_t epoll_text(struct hw_py *py, const unsigned char *p, char *to, size_t max)
{
    return put_fd(load32(p + EPOLL_EPFD), to, max);
}

/* One of no file has none, open or closed. */
size_t hw_native_mmap_text(struct hw_py *py, const unsigned char *p, char *to, size_t max)
{
    bool is_open = load64(p + MMAP_DATA) != 0;
    if (is_open && load32(p + MMAP_FD) > INT32_MAX)
        return 0;
    return put_fd(load32(p + MMAP_FD), to, max);
}

/* A DIR of glibc begins with its descriptor (sysdeps/unix/sysv/linux/dirstream.h). At the end of the
 * folder Python closes it. */
static size_t dir_text(struct hw_py *py, hw_addr dirp, char *to, size_t max)
{
    const unsigned char *dir = dirp ? hw_py_at(py, dirp, 4) : NULL;
    return put_fd(dir ? load32(dir) : UINT32_MAX, to, max);
}

static size_t scandir_text_3_11(struct hw_py *py, const unsigned char *p, char *to, size_t max)
{
    return dir_text(py, load64(p + SCANDIR_DIRP_3_11), to, max);
}

static size_t scandir_text_3_13(struct hw_py *py, const unsigned char *p, char *to, size_t max)
{
    return dir_text(py, load64(p + SCANDIR_DIRP_3_13), to, max);
}

/* ---- SQLite ---- */

/*
 * From a connection to its files. SQLite's structures are private, so each step is checked by what
 * refers back. The places are those of src/sqliteInt.h (struct sqlite3 and Db), btreeInt.h (Btree
 * and BtShared) and os_unix.c (unixFile), tested with 3.40 and 3.46; those in a Pager move. A Pager's
 * files are therefore those of its first words that lead to a unixFile with the pager's own VFS.
 */
enum {
    SQLITE_ADB = 32,
    SQLITE_NDB = 40,
    DB_BTREE = 8,
    DB_BYTES = 32,
    BTREE_DB = 0,
    BTREE_SHARED = 8,
    SHARED_PAGER = 0,
    PAGER_VFS = 0,
    PAGER_WORDS = 48,
    FILE_METHODS = 0,
    FILE_VFS = 8,
    FILE_H = 24,
    DATABASES_MAX = 12, /* SQLITE_MAX_ATTACHED is 10 by default */
    FILES_MAX = 16,
};

struct files {
    int32_t fds[FILES_MAX];
    unsigned count;
};

static void add_file(struct files *files, uint32_t fd)
{
    for (unsigned i = 0; i < files->count; i++)
        if (files->fds[i] == (int32_t)fd)
            return;
    if (files->count < FILES_MAX && fd <= INT32_MAX)
        files->fds[files->count++] = (int32_t)fd;
}

static void add_pager(struct hw_py *py, hw_addr pager, struct files *files)
{
    hw_addr words[PAGER_WORDS];
    const unsigned char *p = hw_py_at(py, pager, sizeof(words));
    if (!p)
        return;
    memcpy(words, p, sizeof(words));
    hw_addr vfs = words[PAGER_VFS / 8];
    for (size_t i = 1; vfs && i < PAGER_WORDS; i++) {
        bool aligned = words[i] && words[i] % 8 == 0;
        const unsigned char *file =
            aligned && hw_native_mapped(py, words[i], FILE_H + 4)
                ? hw_py_at(py, words[i], FILE_H + 4)
                : NULL;
        if (file && load64(file + FILE_VFS) == vfs && load64(file + FILE_METHODS))
            add_file(files, load32(file + FILE_H));
    }
}

static void add_database(struct hw_py *py, hw_addr db, hw_addr row, struct files *files)
{
    hw_addr btree = hw_py_word(py, row + DB_BTREE);
    if (!btree || hw_py_word(py, btree + BTREE_DB) != db)
        return;
    hw_addr shared = hw_py_word(py, btree + BTREE_SHARED);
    hw_addr pager = shared ? hw_py_word(py, shared + SHARED_PAGER) : 0;
    if (pager)
        add_pager(py, pager, files);
}

/* "fd=5 7": its database and journal, and those that are attached. */
static size_t connection_text(struct hw_py *py, const unsigned char *p, char *to, size_t max)
{
    hw_addr db = load64(p + CONNECTION_DB);
    struct files files = {0};
    if (!db)
        return put_fd(UINT32_MAX, to, max);
    if (!hw_native_mapped(py, db, SQLITE_NDB + 4))
        return 0;
    hw_addr rows = hw_py_word(py, db + SQLITE_ADB);
    const unsigned char *head = hw_py_at(py, db + SQLITE_NDB, 4);
    uint32_t count = head ? load32(head) : 0;
    for (uint32_t i = 0; i < count && i < DATABASES_MAX; i++)
        if (hw_native_mapped(py, rows + i * DB_BYTES, DB_BYTES))
            add_database(py, db, rows + i * DB_BYTES, &files);
    size_t n = files.count ? (size_t)snprintf(to, max, "fd=") : 0;
    for (unsigned i = 0; i < files.count && n + 12 < max; i++)
        n += (size_t)snprintf(to + n, max - n, "%s%d", i ? " " : "", files.fds[i]);
    return n;
}

const struct hw_native hw_native_descriptors[] = {
    {.tp_name = "select.epoll", .basicsize = 24, .text = epoll_text},
    {.tp_name = "posix.ScandirIterator", .basicsize = 104, .text = scandir_text_3_11},
    {.tp_name = "posix.ScandirIterator", .basicsize = 120, .text = scandir_text_3_13},
    {.tp_name = "sqlite3.Connection", .basicsize = 216, .text = connection_text},
    {.tp_name = "sqlite3.Connection", .basicsize = 224, .text = connection_text},
    {0},
};

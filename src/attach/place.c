/* SPDX-License-Identifier: Apache-2.0 */
#include "attach/place.h"

#include "agent/table.h"
#include "base/err.h"
#include "image/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SCRIPT_NAME "load.py"
enum { DIRECTORY_MODE = 0755, FILE_MODE = 0644 };

/* ---- the library where it is ---- */

static bool same_file(pid_t pid, const char *library)
{
    char there[PATH_MAX + 64];
    struct stat ours, theirs;
    snprintf(there, sizeof(there), "/proc/%d/root%s", pid, library);
    return stat(library, &ours) == 0 && stat(there, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

/* Whoever it is may walk down the path and read the file at its end. */
static bool is_public(const char *path)
{
    char part[PATH_MAX];
    struct stat st;
    snprintf(part, sizeof(part), "%s", path);
    if (stat(part, &st) || !(st.st_mode & S_IROTH))
        return false;
    for (char *slash; (slash = strrchr(part, '/'));) {
        *slash = 0;
        if (stat(*part ? part : "/", &st) || !(st.st_mode & S_IXOTH))
            return false;
    }
    return true;
}

static bool may_read(pid_t pid, const char *library)
{
    struct hw_proc_status status;
    return hw_proc_status_read(pid, &status) &&
           (status.euid == geteuid() || status.euid == 0 || is_public(library));
}

void hw_place_translate(pid_t pid, const char *path, char to[PATH_MAX])
{
    char link[64], root[PATH_MAX];
    snprintf(link, sizeof(link), "/proc/%d/root", pid);
    ssize_t n = readlink(link, root, sizeof(root) - 1);
    size_t bytes = n > 1 ? (size_t)n : 0; /* "/" is no prefix */
    root[bytes] = 0;
    bool below = bytes && strncmp(path, root, bytes) == 0 && path[bytes] == '/';
    snprintf(to, PATH_MAX, "%s", below ? path + bytes : path);
}

/* ---- a copy ---- */

/* A directory below the process's root, whose links must not lead out of it. */
static int open_below(int root, const char *path)
{
    struct open_how how = {.flags = O_DIRECTORY | O_RDONLY | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static bool may_execute(int directory)
{
    struct statvfs fs;
    return fstatvfs(directory, &fs) == 0 && !(fs.f_flag & ST_NOEXEC);
}

static bool copy_all(int from, int to, size_t bytes)
{
    while (bytes) {
        ssize_t n = sendfile(to, from, NULL, bytes);
        if (n <= 0)
            return false;
        bytes -= (size_t)n;
    }
    return true;
}

static int create_in(int directory, const char *name)
{
    int fd =
        openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (fd >= 0 && fchmod(fd, FILE_MODE)) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool copy_into(int directory, const char *library)
{
    struct stat st;
    int from = open(library, O_RDONLY | O_CLOEXEC);
    int to = from < 0 ? -1 : create_in(directory, HW_AGENT_LIBRARY);
    bool ok = to >= 0 && fstat(from, &st) == 0 && copy_all(from, to, (size_t)st.st_size);
    if (from >= 0)
        close(from);
    if (to >= 0)
        ok = close(to) == 0 && ok;
    return ok;
}

/* A directory of a new name in place->parent. -1: none. */
static int directory_make(struct hw_place *place)
{
    unsigned long long random = 0;
    char name[sizeof(place->name)];
    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        return -1;
    snprintf(name, sizeof(name), "heapwhy-%016llx", random);
    if (mkdirat(place->parent, name, DIRECTORY_MODE))
        return -1;
    memcpy(place->name, name, sizeof(name));
    int made = openat(place->parent, name, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (made >= 0 && fchmod(made, DIRECTORY_MODE)) {
        close(made);
        made = -1;
    }
    return made;
}

/* The directory of ours in the first of the usual places that will do. */
static int directory_find(struct hw_place *place, pid_t pid)
{
    static const char *const parents[] = {"tmp", "var/tmp", "dev/shm"};
    char path[64];
    int made = -1;
    snprintf(path, sizeof(path), "/proc/%d/root", pid);
    int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; root >= 0 && made < 0 && i < sizeof(parents) / sizeof(*parents); i++) {
        hw_place_remove(place);
        place->parent = open_below(root, parents[i]);
        if (place->parent >= 0 && may_execute(place->parent))
            made = directory_make(place);
        snprintf(place->directory, sizeof(place->directory), "/%s/%s", parents[i], place->name);
    }
    int error = errno;
    if (root >= 0)
        close(root);
    errno = error;
    return made;
}

static int directory_open(struct hw_place *place, pid_t pid)
{
    return *place->name ? openat(place->parent, place->name, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                        : directory_find(place, pid);
}

static bool refused(struct hw_place *place, pid_t pid, const char *what, int error,
                    struct hw_err *err)
{
    hw_place_remove(place);
    return hw_err_sys(
        err, HW_ERR_IO, error,
        "%s could not be put where process %d finds it, in /tmp, /var/tmp or /dev/shm below its "
        "root directory",
        what, pid);
}

bool hw_place_make(struct hw_place *place, pid_t pid, const char *library, struct hw_err *err)
{
    *place = (struct hw_place){.parent = -1};
    if (same_file(pid, library) && may_read(pid, library)) {
        snprintf(place->path, sizeof(place->path), "%s", library);
        return true;
    }
    int made = directory_open(place, pid);
    bool ok = made >= 0 && copy_into(made, library);
    int error = errno;
    if (made >= 0)
        close(made);
    snprintf(place->path, sizeof(place->path), "%s/%s", place->directory, HW_AGENT_LIBRARY);
    return ok || refused(place, pid, library, error, err);
}

bool hw_place_add(struct hw_place *place, pid_t pid, const char *text, size_t bytes,
                  struct hw_err *err)
{
    int made = directory_open(place, pid);
    if (made >= 0)
        unlinkat(made, SCRIPT_NAME, 0);
    int file = made < 0 ? -1 : create_in(made, SCRIPT_NAME);
    bool ok = file >= 0 && write(file, text, bytes) == (ssize_t)bytes;
    int error = errno;
    if (file >= 0)
        close(file);
    if (made >= 0)
        close(made);
    snprintf(place->script, sizeof(place->script), "%s/%s", place->directory, SCRIPT_NAME);
    return ok || refused(place, pid, "a script", error, err);
}

void hw_place_remove(struct hw_place *place)
{
    int made = *place->name
                   ? openat(place->parent, place->name, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                   : -1;
    if (made >= 0) {
        unlinkat(made, HW_AGENT_LIBRARY, 0);
        unlinkat(made, SCRIPT_NAME, 0);
        close(made);
    }
    if (*place->name)
        unlinkat(place->parent, place->name, AT_REMOVEDIR);
    if (place->parent >= 0)
        close(place->parent);
    place->parent = -1;
    *place->name = *place->script = 0;
}

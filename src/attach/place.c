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
    int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
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

static bool directory_make(struct hw_place *place, const char *library)
{
    unsigned long long random = 0;
    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        return false;
    snprintf(place->name, sizeof(place->name), "heapwhy-%016llx", random);
    if (mkdirat(place->parent, place->name, DIRECTORY_MODE))
        return false;
    int made = openat(place->parent, place->name, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool ok = made >= 0 && fchmod(made, DIRECTORY_MODE) == 0 && copy_into(made, library);
    if (made >= 0)
        close(made);
    return ok;
}

static bool copy_below(struct hw_place *place, const char *parent, const char *library)
{
    place->parent = open_below(place->root, parent);
    if (place->parent < 0)
        return false;
    if (may_execute(place->parent) && directory_make(place, library)) {
        snprintf(place->path, sizeof(place->path), "/%s/%s/%s", parent, place->name, HW_AGENT_LIBRARY);
        return true;
    }
    int error = errno;
    int root = place->root;
    place->root = -1;
    hw_place_remove(place);
    place->root = root;
    errno = error;
    return false;
}

static bool copy_make(struct hw_place *place, pid_t pid, const char *library, struct hw_err *err)
{
    static const char *const parents[] = {"tmp", "var/tmp", "dev/shm"};
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/root", pid);
    place->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (place->root < 0)
        return hw_proc_explain_denied(pid, errno, err);
    for (size_t i = 0; i < sizeof(parents) / sizeof(*parents); i++)
        if (copy_below(place, parents[i], library))
            return true;
    int error = errno;
    hw_place_remove(place);
    return hw_err_sys(err, HW_ERR_IO, error,
                      "process %d does not see %s, and no copy could be put into its /tmp, /var/tmp or "
                      "/dev/shm",
                      pid, library);
}

bool hw_place_make(struct hw_place *place, pid_t pid, const char *library, struct hw_err *err)
{
    *place = (struct hw_place){.root = -1, .parent = -1};
    if (!same_file(pid, library) || !may_read(pid, library))
        return copy_make(place, pid, library, err);
    snprintf(place->path, sizeof(place->path), "%s", library);
    return true;
}

void hw_place_remove(struct hw_place *place)
{
    int made = place->parent < 0 || !*place->name
                   ? -1
                   : openat(place->parent, place->name, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (made >= 0) {
        unlinkat(made, HW_AGENT_LIBRARY, 0);
        close(made);
        unlinkat(place->parent, place->name, AT_REMOVEDIR);
    }
    if (place->parent >= 0)
        close(place->parent);
    if (place->root >= 0)
        close(place->root);
    place->root = place->parent = -1;
    *place->name = 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Renaming over a device or a pipe would put a file in its place. */
static bool is_special(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 && !S_ISREG(file.st_mode);
}

/* False: sys_errno of out says why. */
static bool write_whole(struct hw_out *out, hw_run_writer *write, const void *ctx,
                        uint64_t *ret_bytes)
{
    struct stat file;
    write(out, ctx);
    bool ok = hw_out_finish(out);
    if (ret_bytes)
        *ret_bytes = fstat(out->fd, &file) == 0 ? (uint64_t)file.st_size : 0;
    if (close(out->fd) != 0 && ok) {
        out->sys_errno = errno;
        ok = false;
    }
    return ok;
}

bool hw_run_write(const struct hw_run *run, const char *path, hw_run_writer *write, const void *ctx,
                  uint64_t *ret_bytes, struct hw_err *err)
{
    char half[PATH_MAX];
    bool special = is_special(path);
    int n = special ? snprintf(half, sizeof(half), "%s", path)
                    : snprintf(half, sizeof(half), "%s.%d.part", path, (int)getpid());
    if (n >= (int)sizeof(half))
        return hw_err_set(err, HW_ERR_USAGE, "the name of the file is too long");
    int flags = O_WRONLY | O_CLOEXEC | (special ? 0 : O_CREAT | O_EXCL);
    struct hw_out out = {.fd = open(half, flags, 0666), .cancel = run->out.cancel};
    if (out.fd < 0)
        return hw_err_sys(err, HW_ERR_IO, errno, "cannot write %s", half);
    bool ok = write_whole(&out, write, ctx, ret_bytes);
    if (ok && !special && rename(half, path) != 0) {
        out.sys_errno = errno;
        ok = false;
    }
    if (!ok && !special)
        unlink(half);
    return ok || hw_err_sys(err, out.sys_errno == ECANCELED ? HW_ERR_INTERRUPTED : HW_ERR_IO,
                            out.sys_errno, "cannot write %s", path);
}

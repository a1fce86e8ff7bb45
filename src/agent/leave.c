/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/record.h"

#include <dlfcn.h>
#include <unistd.h>

/*
 * A process that is replaced by another program, or that ends by _exit() as forked ones do, runs no
 * destructors: what is not yet written is written before. These stand before the C library's
 * functions, since the agent is loaded first.
 */

/* A child of vfork() has its parent's memory, and leaves it alone. The lock may be this thread's
 * when a signal handler ends the process. */
static bool is_ours_to_write(void)
{
    return hw_record_wanted && !hw_thread.inside && getpid() == hw_agent_table.pid;
}

static void write_before(void (*write)(void))
{
    if (!is_ours_to_write())
        return;
    hw_thread.inside = true;
    hw_store_lock();
    write();
    hw_store_unlock();
    hw_thread.inside = false;
}

#define EXPORT __attribute__((visibility("default")))
/* The C library's own. */
#define NEXT(function)          \
    __typeof__(&function) next; \
    *(void **)&next = dlsym(RTLD_NEXT, #function)

EXPORT void _exit(int status)
{
    NEXT(_exit);
    write_before(hw_record_end);
    next(status);
    __builtin_unreachable();
}

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
    NEXT(execve);
    write_before(hw_record_flush);
    return next(path, argv, envp);
}

EXPORT int execv(const char *path, char *const argv[])
{
    NEXT(execv);
    write_before(hw_record_flush);
    return next(path, argv);
}

EXPORT int execvp(const char *file, char *const argv[])
{
    NEXT(execvp);
    write_before(hw_record_flush);
    return next(file, argv);
}

EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
    NEXT(fexecve);
    write_before(hw_record_flush);
    return next(fd, argv, envp);
}

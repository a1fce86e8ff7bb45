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

/* The C library's own. Found before main(): between a fork and what follows it, another thread's
 * lock in the loader may stay locked for ever. */
static struct {
    __typeof__(&_exit) exit;
    __typeof__(&execve) execve;
    __typeof__(&execv) execv;
    __typeof__(&execvp) execvp;
    __typeof__(&fexecve) fexecve;
} next;

__attribute__((constructor)) static void next_init(void)
{
    *(void **)&next.exit = dlsym(RTLD_NEXT, "_exit");
    *(void **)&next.execve = dlsym(RTLD_NEXT, "execve");
    *(void **)&next.execv = dlsym(RTLD_NEXT, "execv");
    *(void **)&next.execvp = dlsym(RTLD_NEXT, "execvp");
    *(void **)&next.fexecve = dlsym(RTLD_NEXT, "fexecve");
}

/* The constructor of another library may come first. */
static void leave(void (*write)(void))
{
    if (!next.exit)
        next_init();
    write_before(write);
}

#define EXPORT __attribute__((visibility("default")))

EXPORT void _exit(int status)
{
    leave(hw_record_end);
    next.exit(status);
    __builtin_unreachable();
}

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
    leave(hw_record_flush);
    return next.execve(path, argv, envp);
}

EXPORT int execv(const char *path, char *const argv[])
{
    leave(hw_record_flush);
    return next.execv(path, argv);
}

EXPORT int execvp(const char *file, char *const argv[])
{
    leave(hw_record_flush);
    return next.execvp(file, argv);
}

EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
    leave(hw_record_flush);
    return next.fexecve(fd, argv, envp);
}

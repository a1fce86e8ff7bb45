/* SPDX-License-Identifier: Apache-2.0 */
#include "attach/remote.h"

#include "base/err.h"
#include <string.h>
#include <sys/uio.h>

/* _Py_DebugOffsets of 3.14 (Include/internal/pycore_debug_offsets.h); each series has its own. */
enum {
    VERSION_FIRST = 0x030e0000,
    VERSION_LAST = 0x030effff,
    OFFSETS_THREADS_MAIN = 80,
    OFFSETS_DEBUGGER = 712,
    PATH_MAX_BYTES = 512,
    OFFSET_MAX = 1 << 20,
    EVAL_PLEASE_STOP = 1 << 5 /* Include/internal/pycore_ceval.h */
};

struct debugger_support {
    uint64_t eval_breaker, support; /* in the thread's state */
    uint64_t enabled;               /* in the interpreter's */
    uint64_t pending, path;         /* in support */
    uint64_t path_bytes;
};

static bool read_now(struct hw_image *image, hw_addr addr, void *to, size_t bytes)
{
    return image->ops->read(image, addr, to, bytes) == bytes;
}

static bool write_now(struct hw_image *image, hw_addr addr, const void *from, size_t bytes)
{
    struct iovec here = {(void *)(uintptr_t)from, bytes}, there = {(void *)(uintptr_t)addr, bytes};
    return process_vm_writev(image->pid, &here, 1, &there, 1, 0) == (ssize_t)bytes;
}

static bool is_sane(const struct debugger_support *s)
{
    return s->eval_breaker && s->eval_breaker < OFFSET_MAX && s->support &&
           s->support < OFFSET_MAX && s->enabled && s->enabled < OFFSET_MAX &&
           s->pending < PATH_MAX_BYTES && s->path < PATH_MAX_BYTES &&
           s->path_bytes == PATH_MAX_BYTES;
}

bool hw_remote_find(struct hw_image *image, const struct hw_runtime *runtime,
                    struct hw_remote *ret_remote, struct hw_err *err)
{
    struct debugger_support s;
    uint64_t main_offset;
    hw_addr thread = 0;
    uint32_t enabled = 0;
    *ret_remote = (struct hw_remote){0};
    if (runtime->version < VERSION_FIRST || runtime->version > VERSION_LAST ||
        !read_now(image, runtime->addr + OFFSETS_DEBUGGER, &s, sizeof(s)) ||
        !read_now(image, runtime->addr + OFFSETS_THREADS_MAIN, &main_offset, sizeof(main_offset)) ||
        !is_sane(&s) || !main_offset || main_offset >= OFFSET_MAX)
        return true;
    if (!read_now(image, runtime->interpreters[0] + s.enabled, &enabled, sizeof(enabled)) ||
        enabled != 1)
        return hw_err_set(
            err, HW_ERR_PERMISSION,
            "process %d was started so that nothing may be run in it from outside (-X "
            "disable_remote_debug, PYTHON_DISABLE_REMOTE_DEBUG, or a build without it)",
            (int)image->pid);
    if (read_now(image, runtime->interpreters[0] + main_offset, &thread, sizeof(thread)) && thread)
        *ret_remote = (struct hw_remote){.pending = thread + s.support + s.pending,
                                         .path = thread + s.support + s.path,
                                         .breaker = thread + s.eval_breaker};
    return true;
}

/* ---- with all threads standing still ---- */

struct asking {
    struct hw_image *image;
    const struct hw_remote *remote;
    const char *script; /* NULL: take it back */
    bool done;
};

static bool write_request(const struct asking *asking)
{
    const struct hw_remote *remote = asking->remote;
    const uint32_t pending = 1;
    uint64_t breaker;
    return write_now(asking->image, remote->path, asking->script, strlen(asking->script) + 1) &&
           write_now(asking->image, remote->pending, &pending, sizeof(pending)) &&
           read_now(asking->image, remote->breaker, &breaker, sizeof(breaker)) &&
           (breaker |= EVAL_PLEASE_STOP,
            write_now(asking->image, remote->breaker, &breaker, sizeof(breaker)));
}

static bool ask_or_withdraw(void *ctx, const struct hw_tracee *threads, size_t count,
                            struct hw_guard_call *ret_call)
{
    struct asking *asking = ctx;
    uint32_t pending, none = 0;
    if (!read_now(asking->image, asking->remote->pending, &pending, sizeof(pending)))
        return false;
    if (asking->script)
        asking->done = !pending && write_request(asking);
    else
        asking->done =
            pending && write_now(asking->image, asking->remote->pending, &none, sizeof(none));
    return false; /* no call is to be made */
}

bool hw_remote_ask(struct hw_image *image, const struct hw_remote *remote, const char *script,
                   const volatile int *cancel, struct hw_call_try *ret_try, struct hw_err *err)
{
    struct asking asking = {.image = image, .remote = remote, .script = script};
    struct hw_call_try tried = {0};
    if (strlen(script) < PATH_MAX_BYTES &&
        !hw_call_try(image->pid, ask_or_withdraw, &asking, cancel, &tried, err))
        return false;
    tried.called = asking.done;
    *ret_try = tried;
    return true;
}

bool hw_remote_withdraw(struct hw_image *image, const struct hw_remote *remote, bool *ret_taken,
                        struct hw_err *err)
{
    struct asking asking = {.image = image, .remote = remote};
    struct hw_call_try tried;
    bool ok = hw_call_try(image->pid, ask_or_withdraw, &asking, NULL, &tried, err);
    *ret_taken = !asking.done;
    return ok;
}

bool hw_remote_is_taken(struct hw_image *image, const struct hw_remote *remote)
{
    uint32_t pending;
    return !read_now(image, remote->pending, &pending, sizeof(pending)) || !pending;
}

/* An extension module without a module in it: that it can't be imported is no news. The script's
 * names die with it, since it is run in a dict of its own. */
bool hw_remote_script(struct hw_buf *buf, const char *library)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+~ ";
    if (library[strspn(library, plain)])
        return false;
    hw_buf_printf(buf,
                  "import _imp\n"
                  "class spec:\n"
                  "    name, origin = 'heapwhy_agent', '%s'\n"
                  "try:\n"
                  "    _imp.create_dynamic(spec)\n"
                  "except Exception:\n"
                  "    pass\n",
                  library);
    return true;
}

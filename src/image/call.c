/* SPDX-License-Identifier: Apache-2.0 */
#include "image/call.h"

#include "base/err.h"
#include "image/guard-link.h"

static bool try_with(struct hw_guard *guard, hw_call_choose *choose, void *ctx,
                     const volatile int *cancel, struct hw_call_try *ret_try, struct hw_err *err)
{
    struct hw_guard_shared *task = guard->shared;
    enum hw_guard_message message;
    int fd;
    if (!hw_guard_start(guard, err) || !hw_guard_receive(guard, cancel, &message, &fd, err))
        return false;
    size_t count = task->thread_count < HW_GUARD_THREADS_MAX ? task->thread_count : 0;
    bool chosen = choose(ctx, task->threads, count, &task->call);
    hw_guard_send(guard, chosen ? HW_GUARD_CALL : HW_GUARD_COPIED);
    if (!hw_guard_receive(guard, NULL, &message, &fd, err))
        return false;
    *ret_try = (struct hw_call_try){.called = chosen, .pause_ns = task->pause_ns};
    if (chosen)
        ret_try->tid = task->threads[task->call.thread].tid;
    return true;
}

bool hw_call_try(pid_t pid, hw_call_choose *choose, void *ctx, const volatile int *cancel,
                 struct hw_call_try *ret_try, struct hw_err *err)
{
    struct hw_guard guard;
    if (!hw_guard_init(&guard, err))
        return false;
    guard.shared->pid = pid;
    guard.shared->freeze = HW_FREEZE_STOP;
    bool ok = try_with(&guard, choose, ctx, cancel, ret_try, err);
    hw_guard_deinit(&guard);
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Putting the agent into a running process and taking it out. Two calls are made there, each by a
 * thread that stands at a safe point (safe-point.h): dlopen(), unless the library is loaded
 * already, and then hw_agent_obey(). After each, the process is asked from outside whether it is
 * done.
 */

#include "attach/agent.h"
#include "attach/place.h"
#include "attach/remote.h"
#include "attach/safe-point.h"
#include "attach/target.h"
#include "base/arena.h"
#include "base/err.h"
#include "cpython/tracemalloc.h"
#include "image/source.h"
#include "image/tracee.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

enum {
    TRY_FIRST_US = 500,
    TRY_LAST_US = 20000,
    RENEW_TRIES = 8,
    LOOK_US = 200,
    LOOK_LAST_US = 5000,
    PAUSE_NS = 50000000,   /* so long threads stand still at most, while we look at them */
    REMOTE_NS = 1000000000 /* an interpreter that has something to do comes by sooner */
};

struct work {
    pid_t pid;
    const struct hw_attach_options *opts;
    struct hw_image *image;
    struct hw_runtime runtime;
    struct hw_safe_points *points;
    struct hw_agent agent;
    struct hw_remote remote;
    struct hw_place place;
    int64_t deadline_ns;
    struct hw_attached *result;
    /* of the call at hand */
    const struct hw_guard_call *call;
    size_t next;           /* the first thread to look at the next time */
    enum hw_unsafe unsafe; /* why the one looked at first could not make it */
    pid_t unsafe_tid;
};

static bool is_cancelled(const struct work *work)
{
    return work->opts->cancel && *work->opts->cancel;
}

static bool is_late(const struct work *work)
{
    return hw_clock_ns() >= work->deadline_ns;
}

static double seconds_allowed(const struct work *work)
{
    return (double)work->opts->timeout_ns / 1e9;
}

static bool has_exited(const struct work *work, struct hw_err *err)
{
    return hw_err_set(err, HW_ERR_GONE, "process %d exited meanwhile", work->pid);
}

/* ---- a call ---- */

static bool choose(void *ctx, const struct hw_tracee *threads, size_t count,
                   struct hw_guard_call *ret_call)
{
    struct work *work = ctx;
    int64_t end_ns = hw_clock_ns() + PAUSE_NS;
    size_t first = work->next;
    for (size_t n = 0; n < count && hw_clock_ns() < end_ns; n++) {
        size_t i = work->next = (first + n) % count;
        if (threads[i].state == HW_TRACEE_FREE)
            continue;
        enum hw_unsafe unsafe = hw_safe_point_look(work->points, &threads[i], end_ns);
        if (!unsafe) {
            *ret_call = *work->call;
            ret_call->thread = i;
            return true;
        }
        if (!work->unsafe) {
            work->unsafe = unsafe;
            work->unsafe_tid = threads[i].tid;
        }
    }
    return false;
}

static bool none_is_safe(const struct work *work, struct hw_err *err)
{
    return hw_err_set(
        err, HW_ERR_BUSY,
        "no thread of process %d stood where a library may be loaded within %.3g s; thread %d: %s. "
        "Nothing was changed; --timeout waits longer",
        work->pid, seconds_allowed(work), work->unsafe_tid, hw_unsafe_text(work->unsafe));
}

/* What was mapped since, and what a library's pointers point at by now. */
static bool points_renew(struct work *work, struct hw_err *err)
{
    hw_safe_points_destroy(work->points);
    work->points = NULL;
    hw_image_renew(work->image);
    return hw_safe_points_create(work->image, &work->runtime, &work->points, err);
}

/* A guardian that was left alone may still be at work there, so another tracer is waited for. */
static bool try_once(struct work *work, struct hw_call_try *tried, struct hw_err *err)
{
    struct hw_err one = HW_ERR_INIT;
    *tried = (struct hw_call_try){0};
    work->unsafe = HW_SAFE;
    if (hw_call_try(work->pid, choose, work, work->opts->cancel, tried, &one) ||
        (one.code == HW_ERR_BUSY && !is_late(work)))
        return true;
    if (!hw_target_lives(work->pid))
        return has_exited(work, err);
    if (err)
        *err = one;
    return false;
}

static void try_count(struct work *work, const struct hw_call_try *tried)
{
    work->result->tries++;
    work->result->tid = tried->tid;
    if (tried->pause_ns > work->result->pause_ns)
        work->result->pause_ns = tried->pause_ns;
}

static bool call_make(struct work *work, struct hw_guard_call *call, struct hw_err *err)
{
    struct hw_call_try tried;
    unsigned wait_us = TRY_FIRST_US;
    call->sigreturn = hw_safe_points_sigreturn(work->points);
    work->call = call;
    for (unsigned tries = 1;; tries++) {
        if (!try_once(work, &tried, err))
            return false;
        try_count(work, &tried);
        if (tried.called)
            return true;
        if (is_cancelled(work))
            return hw_err_set(err, HW_ERR_INTERRUPTED, "interrupted; process %d is as it was",
                              work->pid);
        if (is_late(work))
            return none_is_safe(work, err);
        if (tries % RENEW_TRIES == 0 && !points_renew(work, err))
            return false;
        hw_sleep_us(wait_us);
        wait_us = wait_us * 5 / 4 < TRY_LAST_US ? wait_us * 5 / 4 : TRY_LAST_US;
    }
}

/* ---- what came of it ---- */

/* Asks until is_done() says so. */
static bool await(struct work *work, bool (*is_done)(struct work *work), const char *what,
                  struct hw_err *err)
{
    for (unsigned wait_us = LOOK_US; !is_done(work); hw_sleep_us(wait_us)) {
        if (!hw_target_lives(work->pid))
            return has_exited(work, err);
        if (is_cancelled(work))
            return hw_err_set(
                err, HW_ERR_INTERRUPTED,
                "interrupted while process %d was at it; it goes on, with or without the agent",
                work->pid);
        if (is_late(work))
            return hw_err_set(err, HW_ERR_IO, "process %d has not %s within %.3g s: %s", work->pid,
                              what, seconds_allowed(work), hw_target_why_late(work->pid));
        wait_us = wait_us * 5 / 4 < LOOK_LAST_US ? wait_us * 5 / 4 : LOOK_LAST_US;
    }
    return true;
}

static bool is_loaded(struct work *work)
{
    struct hw_agent_control control;
    return (work->agent.control ||
            (hw_agent_find(work->image, &work->agent, NULL) && work->agent.control)) &&
           hw_agent_read(work->image, &work->agent, &control) && control.ready;
}

static bool has_obeyed(struct work *work)
{
    struct hw_agent_control control;
    return hw_agent_read(work->image, &work->agent, &control) && control.wish == HW_AGENT_NO_WISH;
}

/* ---- by the interpreter ---- */

/* *ret_asked: false when there is no such way here. */
static bool interpreter_ask(struct work *work, const char *library, bool *ret_asked,
                            struct hw_err *err)
{
    struct hw_buf script = {0};
    struct hw_call_try tried = {0};
    *ret_asked = false;
    if (!work->remote.pending || !hw_remote_script(&script, library))
        return true;
    bool ok = hw_place_add(&work->place, work->pid, hw_buf_str(&script), script.len, err) &&
              hw_remote_ask(work->image, &work->remote, work->place.script, work->opts->cancel,
                            &tried, err);
    hw_buf_deinit(&script);
    try_count(work, &tried);
    *ret_asked = tried.called;
    return ok;
}

/* *ret_taken: false when it did not come by in time, and does not any more. */
static bool interpreter_await(struct work *work, bool *ret_taken, struct hw_err *err)
{
    int64_t end_ns = hw_clock_ns() + REMOTE_NS;
    while (!hw_remote_is_taken(work->image, &work->remote)) {
        if (hw_clock_ns() >= end_ns || is_late(work) || is_cancelled(work))
            return hw_remote_withdraw(work->image, &work->remote, ret_taken, err);
        hw_sleep_us(LOOK_US);
    }
    *ret_taken = true;
    return true;
}

/* A script that was begun with is not taken away from under its reader, not for Ctrl-C either. */
static void await_script(struct work *work, bool (*is_done)(struct work *work))
{
    int64_t end_ns = hw_clock_ns() + REMOTE_NS;
    while (hw_clock_ns() < end_ns && hw_target_lives(work->pid) && !is_done(work))
        hw_sleep_us(LOOK_US);
}

/* ---- the steps ---- */

struct step {
    const char *library; /* for the interpreter to load */
    struct hw_guard_call call;
    bool (*is_done)(struct work *work);
    const char *what; /* "loaded the library" */
};

/* By the interpreter where that has a way for it and comes by; else by a call. An interpreter that
 * has taken the script and not done it was told not to, and is not overruled. */
static bool step_make(struct work *work, struct step *step, struct hw_err *err)
{
    bool asked, taken = false;
    if (!interpreter_ask(work, step->library, &asked, err) ||
        (asked && !interpreter_await(work, &taken, err)))
        return false;
    if (!taken && !call_make(work, &step->call, err))
        return false;
    work->result->remote = taken;
    if (taken)
        await_script(work, step->is_done);
    else
        work->remote.pending =
            0; /* a thread that does not come by now will not for the next step */
    return await(work, step->is_done, step->what, err);
}

static bool load(struct work *work, struct hw_err *err)
{
    struct step step = {.call = {.args = {0, RTLD_NOW | RTLD_LOCAL}},
                        .is_done = is_loaded,
                        .what = "loaded the library"};
    if (work->agent.control)
        return true;
    if (!hw_place_make(&work->place, work->pid, work->opts->library, err))
        return false;
    step.library = work->place.path;
    step.call.function = hw_safe_points_dlopen(work->points);
    step.call.text_bytes = strlen(step.library) + 1;
    if (step.call.text_bytes > sizeof(step.call.text))
        return hw_err_set(err, HW_ERR_LIMIT, "the path of the library is too long");
    memcpy(step.call.text, step.library, step.call.text_bytes);
    return step_make(work, &step, err) && points_renew(work, err);
}

static bool obey(struct work *work, enum hw_agent_wish wish, struct hw_err *err)
{
    char library[PATH_MAX];
    struct step step = {.library = library,
                        .call.function = work->agent.obey,
                        .is_done = has_obeyed,
                        .what = wish == HW_AGENT_BEGIN ? "begun to sample" : "ended sampling"};
    hw_place_translate(work->pid, work->agent.path, library);
    if (!hw_agent_wish(work->pid, &work->agent, wish, work->opts->rate_bytes))
        return has_exited(work, err);
    if (step_make(work, &step, err))
        return true;
    hw_agent_wish(work->pid, &work->agent, HW_AGENT_NO_WISH, 0);
    return false;
}

static bool begun(struct work *work, struct hw_err *err)
{
    struct hw_agent_control control;
    if (!hw_agent_read(work->image, &work->agent, &control))
        return has_exited(work, err);
    if (control.state == HW_AGENT_ON)
        return true;
    return hw_err_set(
        err, HW_ERR_UNSUPPORTED,
        control.state == HW_AGENT_NO_MEMORY
            ? "there is no memory for the agent in process %d"
            : "the agent does not find the interpreter of process %d, which a program has loaded "
              "for itself (dlopen without RTLD_GLOBAL)",
        work->pid);
}

/* ---- beginning and end ---- */

static bool open_target(struct work *work, struct hw_err *err)
{
    return hw_image_open_live(work->pid, &work->image, err) &&
           hw_target_check(work->pid, work->opts, err) &&
           hw_runtime_find(work->image, &work->runtime, err) &&
           hw_remote_find(work->image, &work->runtime, &work->remote, err) &&
           hw_agent_find(work->image, &work->agent, err) &&
           hw_safe_points_create(work->image, &work->runtime, &work->points, err);
}

static void close_target(struct work *work, int64_t began_ns)
{
    work->result->took_ns = hw_clock_ns() - began_ns;
    hw_place_remove(&work->place);
    hw_safe_points_destroy(work->points);
    if (work->image)
        hw_image_close(work->image);
}

static bool is_on(struct work *work, struct hw_agent_control *ret_control)
{
    *ret_control = (struct hw_agent_control){0};
    return work->agent.control && hw_agent_read(work->image, &work->agent, ret_control) &&
           ret_control->state == HW_AGENT_ON;
}

/* What stands there already tells more, and would hide the agent. */
static bool is_traced_already(struct work *work)
{
    struct hw_arena arena = {0};
    struct hw_py py;
    struct hw_tracemalloc tracemalloc = {0};
    if (!hw_py_init(&py, work->image, work->runtime.layout, work->runtime.version, &arena, NULL))
        return false;
    py.type_type = work->runtime.type_type;
    hw_tracemalloc_find(&py, &work->runtime, &tracemalloc);
    hw_py_deinit(&py);
    hw_arena_deinit(&arena);
    return tracemalloc.state != HW_TRACING_OFF;
}

static bool attach(struct work *work, struct hw_err *err)
{
    struct hw_agent_control control;
    if (!open_target(work, err))
        return false;
    if (is_on(work, &control))
        return hw_err_set(err, HW_ERR_UNSUPPORTED,
                          "process %d has the agent already; try: heapwhy sites %d", work->pid,
                          work->pid);
    if (is_traced_already(work))
        return hw_err_set(
            err, HW_ERR_UNSUPPORTED,
            "process %d runs tracemalloc, which knows all blocks already; try: heapwhy sites %d",
            work->pid, work->pid);
    work->result->was_loaded = work->agent.control != 0;
    return load(work, err) && obey(work, HW_AGENT_BEGIN, err) && begun(work, err);
}

static bool detach(struct work *work, struct hw_err *err)
{
    struct hw_agent_control control;
    if (!open_target(work, err))
        return false;
    if (!is_on(work, &control))
        return hw_err_set(err, HW_ERR_UNSUPPORTED, "process %d has no agent that takes samples",
                          work->pid);
    work->result->was_loaded = true;
    if (!obey(work, HW_AGENT_END, err))
        return false;
    work->result->passes = hw_agent_read(work->image, &work->agent, &control) && control.passes;
    return true;
}

static bool work_run(pid_t pid, const struct hw_attach_options *opts,
                     bool (*run)(struct work *, struct hw_err *), struct hw_attached *ret,
                     struct hw_err *err)
{
    int64_t began_ns = hw_clock_ns();
    struct hw_attached result = {.pid = pid, .rate_bytes = opts->rate_bytes};
    struct work work = {.pid = pid,
                        .opts = opts,
                        .place.parent = -1,
                        .deadline_ns = began_ns + opts->timeout_ns,
                        .result = &result};
    bool ok = run(&work, err);
    result.python = work.runtime.version;
    close_target(&work, began_ns);
    if (ok)
        *ret = result;
    return ok;
}

bool hw_attach(pid_t pid, const struct hw_attach_options *opts, struct hw_attached *ret_attached,
               struct hw_err *err)
{
    return work_run(pid, opts, attach, ret_attached, err);
}

bool hw_detach(pid_t pid, const struct hw_attach_options *opts, struct hw_attached *ret_attached,
               struct hw_err *err)
{
    return work_run(pid, opts, detach, ret_attached, err);
}

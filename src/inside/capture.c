/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/capture.h"

#include <time.h>

/* How long a signal may wait to be handled. */
#define SIGNALS_EVERY_NS INT64_C(50000000)

struct capture_call {
    PyThreadState *state; /* while the interpreter is released */
    int64_t looked_ns;
    volatile int cancel;
};

static void interpreter_hold(void *ctx)
{
    struct capture_call *call = ctx;
    PyEval_RestoreThread(call->state);
}

static void interpreter_release(void *ctx)
{
    struct capture_call *call = ctx;
    call->state = PyEval_SaveThread();
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void progress(void *ctx, const char *stage, uint64_t done, uint64_t total)
{
    struct capture_call *call = ctx;
    int64_t now = now_ns();
    if (call->cancel || now - call->looked_ns < SIGNALS_EVERY_NS)
        return;
    interpreter_hold(call);
    call->cancel = PyErr_CheckSignals() < 0;
    call->looked_ns = now_ns();
    interpreter_release(call);
}

static bool take(const struct hw_capture_wish *wish, struct capture_call *call,
                 struct hw_graph **ret_graph, struct hw_err *err)
{
    struct hw_capture_options options = {.freeze = wish->freeze,
                                         .no_values = wish->no_values,
                                         .progress = progress,
                                         .progress_ctx = call,
                                         .cancel = &call->cancel};
    if (wish->pid)
        return hw_capture(wish->pid, &options, ret_graph, err);
    struct hw_self_options self = {.capture = options,
                                   .hold = interpreter_hold,
                                   .release = interpreter_release,
                                   .hold_ctx = call,
                                   .own_package = wish->own ? NULL : "heapwhy"};
    return hw_capture_self(&self, ret_graph, err);
}

struct hw_graph *hw_capture_take(const struct hw_capture_wish *wish)
{
    struct capture_call call = {.looked_ns = now_ns()};
    struct hw_graph *graph = NULL;
    struct hw_err err = HW_ERR_INIT;
    interpreter_release(&call);
    bool ok = take(wish, &call, &graph, &err);
    interpreter_hold(&call);
    if (!ok)
        hw_raise(&err);
    return graph;
}

struct hw_graph *hw_capture_load(const char *path)
{
    struct hw_graph *graph = NULL;
    struct hw_err err = HW_ERR_INIT;
    bool ok;
    Py_BEGIN_ALLOW_THREADS
    ok = hw_snapshot_load(path, &graph, &err);
    Py_END_ALLOW_THREADS
    if (!ok)
        hw_raise(&err);
    return graph;
}

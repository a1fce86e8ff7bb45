/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/vec.h"
#include "watch/alert.h"
#include "watch/find.h"
#include "watch/limits.h"
#include "watch/procfile.h"
#include "watch/sampler.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WATCHED_MAX = 4096 };

struct target {
    struct hw_watched info;
    char name[HW_SAMPLER_NAME];
    struct hw_sampler sampler;
    struct hw_alert alert;
    bool begun; /* the alert has had its first sample */
};

struct hw_watch {
    struct hw_watch_options options;
    struct hw_find find;
    struct target **targets; /* by process id */
    size_t count, capacity;
    uint64_t missed;
    bool no_memory;
    hw_watch_sink *sink; /* during a look */
    void *ctx;
};

/* Where pid is, or would be. */
static size_t place_of(const struct hw_watch *watch, pid_t pid)
{
    size_t low = 0, high = watch->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (watch->targets[middle]->info.pid < pid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_watched(void *ctx, pid_t pid)
{
    const struct hw_watch *watch = ctx;
    size_t at = place_of(watch, pid);
    return at < watch->count && watch->targets[at]->info.pid == pid;
}

static bool insert(struct hw_watch *watch, struct target *target)
{
    struct target **grown =
        hw_vec_grow(watch->targets, &watch->capacity, watch->count + 1, sizeof(*grown));
    if (!grown)
        return false;
    size_t at = place_of(watch, target->info.pid);
    watch->targets = grown;
    memmove(grown + at + 1, grown + at, (watch->count - at) * sizeof(*grown));
    grown[at] = target;
    watch->count++;
    return true;
}

static void target_destroy(struct target *target)
{
    if (target)
        hw_sampler_close(&target->sampler);
    free(target);
}

/* Returns 0 or an errno. */
static int target_add(struct hw_watch *watch, pid_t pid, pid_t parent)
{
    int error = 0;
    struct target *target = calloc(1, sizeof(*target));
    if (!target || !hw_sampler_open(&target->sampler, pid, &error)) {
        free(target);
        return error ? error : ENOMEM;
    }
    hw_sampler_name(&target->sampler, target->name);
    target->info = (struct hw_watched){.pid = pid,
                                       .parent = parent,
                                       .started_at_ns = hw_sampler_started(&target->sampler),
                                       .name = target->name};
    if (!insert(watch, target)) {
        target_destroy(target);
        return ENOMEM;
    }
    return 0;
}

static void found(void *ctx, pid_t pid, pid_t parent)
{
    struct hw_watch *watch = ctx;
    if (is_watched(ctx, pid))
        return;
    if (watch->count >= WATCHED_MAX) {
        watch->missed++;
        return;
    }
    int error = target_add(watch, pid, parent);
    watch->no_memory |= error == ENOMEM;
    watch->missed += error == EMFILE || error == ENFILE || error == EACCES;
}

static bool add_pid(struct hw_watch *watch, pid_t pid, struct hw_err *err)
{
    struct hw_memory_sample sample;
    int error = is_watched(watch, pid) ? 0 : target_add(watch, pid, 0);
    if (error == ENOENT || error == ESRCH)
        return hw_err_set(err, HW_ERR_NOT_FOUND, "there is no process %d", (int)pid);
    if (error == ENOMEM)
        return hw_err_no_memory(err);
    if (error)
        return hw_err_sys(err, HW_ERR_PERMISSION, error, "cannot look at process %d", (int)pid);
    const struct hw_sampler *sampler = &watch->targets[place_of(watch, pid)]->sampler;
    struct hw_sampler once = *sampler;
    once.pss_budget.due_ns = INT64_MAX; /* left to the first look */
    if (!hw_sampler_read(&once, hw_clock_now(), &sample))
        return hw_err_set(
            err, HW_ERR_GONE,
            "process %d has no memory of its own: it has ended, or is a kernel thread", (int)pid);
    return true;
}

static bool add_pids(struct hw_watch *watch, struct hw_err *err)
{
    for (size_t i = 0; i < watch->options.pid_count; i++)
        if (!add_pid(watch, watch->options.pids[i], err))
            return false;
    return true;
}

bool hw_watch_create(const struct hw_watch_options *options, struct hw_watch **ret_watch,
                     struct hw_err *err)
{
    struct hw_watch *watch = calloc(1, sizeof(*watch));
    if (!watch)
        return hw_err_no_memory(err);
    watch->options = *options;
    if (!hw_find_init(&watch->find, options->names, options->name_count, options->children, err) ||
        !add_pids(watch, err)) {
        hw_watch_destroy(watch);
        return false;
    }
    watch->options.pids = NULL;
    watch->options.names = NULL;
    *ret_watch = watch;
    return true;
}

void hw_watch_destroy(struct hw_watch *watch)
{
    if (!watch)
        return;
    for (size_t i = 0; i < watch->count; i++)
        target_destroy(watch->targets[i]);
    free(watch->targets);
    hw_find_deinit(&watch->find);
    free(watch);
}

static void emit(struct hw_watch *watch, enum hw_watch_event_kind kind, const struct target *target,
                 const struct hw_memory_sample *sample, const struct hw_alarm *alarm)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const struct hw_watch_event event = {
        .kind = kind,
        .at_ns = sample ? sample->at_ns : now.tv_sec * INT64_C(1000000000) + now.tv_nsec,
        .process = &target->info,
        .sample = sample,
        .alarm = alarm};
    watch->sink(watch->ctx, &event);
}

static void judge(struct hw_watch *watch, struct target *target,
                  const struct hw_memory_sample *sample, int64_t now_ns)
{
    struct hw_alarm alarms[HW_ALERTS];
    size_t count = hw_alert_add(&target->alert, sample, now_ns, alarms);
    for (size_t i = 0; i < count; i++) {
        hw_limits_set(&alarms[i], &target->sampler, watch->options.rss_bytes, sample);
        emit(watch, HW_WATCH_ALARM, target, sample, &alarms[i]);
    }
}

static void begin(struct hw_watch *watch, struct target *target,
                  const struct hw_memory_sample *sample, int64_t now_ns)
{
    int64_t started = target->info.started_at_ns, age = started ? sample->at_ns - started : 0;
    hw_alert_init(&target->alert, &watch->options, age > 0 ? age : 0, sample, now_ns);
    target->begun = true;
    emit(watch, HW_WATCH_BEGAN, target, sample, NULL);
}

/* False: the process ended. */
static bool target_look(struct hw_watch *watch, struct target *target)
{
    struct hw_memory_sample sample;
    int64_t now_ns = hw_clock_now();
    if (!hw_sampler_read(&target->sampler, now_ns, &sample)) {
        if (target->begun)
            emit(watch, HW_WATCH_ENDED, target, NULL, NULL);
        return false;
    }
    if (!target->begun)
        begin(watch, target, &sample, now_ns);
    emit(watch, HW_WATCH_SAMPLE, target, &sample, NULL);
    judge(watch, target, &sample, now_ns);
    return true;
}

/* Those that the main thread has started, at once, where the kernel tells (CONFIG_PROC_CHILDREN); a
 * look through all processes finds the others later. */
static void find_children(struct hw_watch *watch, const struct target *parent)
{
    char path[64], text[4096], *rest = text, *end;
    pid_t pid = parent->info.pid;
    snprintf(path, sizeof(path), "task/%d/children", (int)pid);
    if (hw_procfile_read(parent->sampler.dir, path, text, sizeof(text)) < 0)
        return;
    for (long child = strtol(rest, &end, 10); end != rest && *end == ' ';
         rest = end, child = strtol(rest, &end, 10))
        if (child > 0 && child <= INT_MAX && child != getpid())
            found(watch, (pid_t)child, pid);
}

bool hw_watch_look(struct hw_watch *watch, hw_watch_sink *sink, void *ctx, struct hw_err *err)
{
    const struct hw_find_calls calls = {.is_watched = is_watched, .found = found, .ctx = watch};
    size_t kept = 0;
    watch->sink = sink;
    watch->ctx = ctx;
    if (!hw_find_look(&watch->find, hw_clock_now(), &calls) || watch->no_memory)
        return hw_err_no_memory(err);
    /* the list grows, by process id, while it is walked: some may be asked twice */
    for (size_t i = 0; watch->options.children && i < watch->count; i++)
        find_children(watch, watch->targets[i]);
    for (size_t i = 0; i < watch->count; i++)
        if (target_look(watch, watch->targets[i]))
            watch->targets[kept++] = watch->targets[i];
        else
            target_destroy(watch->targets[i]);
    watch->count = kept;
    return true;
}

size_t hw_watch_count(const struct hw_watch *watch)
{
    return watch->count;
}

uint64_t hw_watch_missed(const struct hw_watch *watch)
{
    return watch->missed;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cpython/runtime.h"
#include "heap/build.h"
#include "image/calm.h"
#include "image/image.h"
#include "image/self.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DEFAULT_RETRIES = 50 };

struct capture {
    const struct hw_capture_options *opts;
    const struct hw_self_hold *hold; /* of our own process; NULL: another one */
    const char *own_package;         /* as in struct hw_self_options */
    struct hw_image *live, *image;
    struct hw_runtime runtime;
    struct hw_facts facts; /* of before; the rest the graph's builder finds */
    struct hw_system system;
    struct hw_residence residence;
};

static int64_t now_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Field n of /proc/PID/stat, counted from 1; the name in field 2 may hold anything. */
static uint64_t stat_field(pid_t pid, int n)
{
    char path[64], text[2048];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    size_t bytes = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[bytes] = 0;
    char *at = strrchr(text, ')');
    if (!at)
        return 0;
    for (int field = 2; field < n; field++) {
        at = strchr(at + 1, ' ');
        if (!at)
            return 0;
    }
    return strtoull(at + 1, NULL, 10);
}

enum { STAT_START_TIME = 22, STAT_RSS_PAGES = 24 };

/* Waiting for a processor is no idleness: what else runs on the machine does not matter. */
static int64_t busy_ns(pid_t pid)
{
    char path[64];
    uint64_t ran = 0, waited = 0;
    snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    bool ok = fscanf(file, "%" SCNu64 " %" SCNu64, &ran, &waited) == 2;
    fclose(file);
    return ok ? (int64_t)(ran + waited) : 0;
}

static void facts_before(struct hw_facts *facts, pid_t pid)
{
    facts->pid = pid;
    facts->start_time = stat_field(pid, STAT_START_TIME);
    facts->rss_bytes = stat_field(pid, STAT_RSS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    int64_t ticks = sysconf(_SC_CLK_TCK);
    facts->uptime_ns = now_ns(CLOCK_BOOTTIME) - (int64_t)facts->start_time * (1000000000 / ticks);
    facts->busy_ns = busy_ns(pid);
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
    ssize_t n = readlink(path, facts->executable, sizeof(facts->executable) - 1);
    facts->executable[n < 0 ? 0 : n] = 0;
}

static void facts_after(struct hw_facts *to, const struct hw_facts *before,
                        const struct hw_image *image)
{
    to->pid = before->pid;
    to->start_time = before->start_time;
    to->rss_bytes = before->rss_bytes;
    to->uptime_ns = before->uptime_ns;
    to->busy_ns = before->busy_ns;
    to->freeze = before->freeze;
    memcpy(to->executable, before->executable, sizeof(to->executable));
    to->taken_at_ns = image->taken_at_ns;
    to->pause_ns = image->pause_ns;
    to->retries = before->retries;
    to->system_recorded = before->system_recorded;
    to->descriptor_total = before->descriptor_total;
    to->descriptor_limit = before->descriptor_limit;
}

/* How much of the target's memory and of its graph we hold at once: two thirds of what the target
 * has itself, since the collector's lists and the tables of objects are read in no order at all,
 * and what was dropped must be read again. */
static uint64_t memory_limit(const struct hw_facts *facts)
{
    const uint64_t least = (uint64_t)256 << 20;
    uint64_t limit = facts->rss_bytes / 100 * 67;
    return limit > least ? limit : least;
}

/* A part of the process that could not be read for that must not pass for one that is not there. */
static bool starve(const struct hw_image *image, struct hw_err *err)
{
    return hw_err_set(err, HW_ERR_NO_MEMORY,
                      "heapwhy may not take as much address space as it needs to read process %d, which is about as "
                      "much as that has: see ulimit -v (RLIMIT_AS), which it inherits",
                      (int)image->pid);
}

static bool graph_build(struct capture *capture, struct hw_graph **ret_graph, struct hw_err *err)
{
    const struct hw_capture_options *opts = capture->opts;
    struct hw_image *image = capture->image;
    /* What a stopped process's memory was copied for can't be read again. */
    bool bounded = capture->facts.freeze == HW_FREEZE_TWIN;
    struct hw_build_options build = {.no_values = opts->no_values,
                                     .own_package = capture->own_package,
                                     .memory_bytes = bounded ? memory_limit(&capture->facts) : 0,
                                     .residence = &capture->residence,
                                     .progress = opts->progress,
                                     .progress_ctx = opts->progress_ctx,
                                     .cancel = opts->cancel};
    struct hw_graph *graph = NULL;
    if (!hw_graph_build(image, &capture->runtime, &build, &graph, err))
        return image->starved ? starve(image, err) : false;
    if (image->starved) {
        hw_graph_destroy(graph);
        return starve(image, err);
    }
    if (image->lost) {
        hw_graph_destroy(graph);
        return hw_err_set(err, HW_ERR_GONE,
                          "the frozen copy of process %d was killed while it was being read, "
                          "probably for lack of memory; --freeze=stop needs no copy",
                          (int)image->pid);
    }
    *ret_graph = graph;
    return true;
}

static bool copies_itself(const struct capture *capture)
{
    return capture->hold && capture->facts.freeze == HW_FREEZE_STOP;
}

/* The mirrors of our own memory lie in mappings of our own, too: which pages are resident is asked before
 * they are filled. */
static bool freeze_as(struct capture *capture, const struct hw_freeze_options *freeze,
                      struct hw_freeze_result *frozen, struct hw_err *err)
{
    capture->facts.freeze = freeze->freeze;
    if (copies_itself(capture) &&
        !hw_residence_settle(&capture->residence, capture->live->pid, err))
        return false;
    return capture->hold ? hw_image_freeze_self(capture->live, freeze, capture->hold,
                                                &capture->image, frozen, err)
                         : hw_image_freeze(capture->live, freeze, &capture->image, frozen, err);
}

/* Where we may not make a process, or not read it, we copy ourselves while we are held. */
static bool freeze_anyhow(struct capture *capture, struct hw_freeze_options *freeze,
                          struct hw_freeze_result *frozen, struct hw_err *err)
{
    struct hw_err first = HW_ERR_INIT;
    if (freeze_as(capture, freeze, frozen, &first))
        return true;
    bool is_refused = first.code == HW_ERR_PERMISSION || first.code == HW_ERR_IO;
    if (capture->hold && freeze->freeze == HW_FREEZE_TWIN && is_refused) {
        freeze->freeze = HW_FREEZE_STOP;
        return freeze_as(capture, freeze, frozen, err);
    }
    if (err)
        *err = first;
    return false;
}

/* What the kernel keeps for the process is read while that runs, before and after. */
static bool freeze_between_looks(struct capture *capture, struct hw_freeze_options *freeze,
                                 struct hw_err *err)
{
    struct hw_freeze_result frozen = {0};
    struct hw_system_look before;
    struct hw_facts *facts = &capture->facts;
    pid_t pid = capture->live->pid;
    hw_system_begin(&capture->system, &before, pid);
    bool ok = freeze_anyhow(capture, freeze, &frozen, err);
    if (ok) {
        facts->retries = frozen.retries;
        hw_system_finish(&capture->system, pid, &before, &facts->descriptor_total,
                         &facts->descriptor_limit);
        const pid_t read[] = {pid, capture->image->memory_pid};
        if (capture->hold)
            hw_system_forget_reading(&capture->system, read, 2, &facts->descriptor_total);
        facts->system_recorded = capture->system.recorded;
    }
    hw_system_look_deinit(&before);
    return ok;
}

static bool is_not_cancelled(const void *opts)
{
    const struct hw_capture_options *options = opts;
    return !options->cancel || !*options->cancel;
}

/* Before the facts are read, so that they are those of the freeze. */
static void idle_await(struct hw_image *live, const struct hw_capture_options *opts,
                       const struct hw_runtime *runtime, struct hw_freeze_options *freeze)
{
    if (opts->patience_ns <= 0)
        return;
    freeze->working = hw_runtime_working_words(live, runtime);
    freeze->deadline_ns = now_ns(CLOCK_MONOTONIC) + opts->patience_ns;
    hw_busy_words_await(live->pid, &freeze->working, freeze->deadline_ns, is_not_cancelled, opts);
}

/* Freezes the process that live reads, at a moment when its collector does not run. */
static bool process_freeze(struct capture *capture, struct hw_err *err)
{
    const struct hw_capture_options *opts = capture->opts;
    struct hw_image *live = capture->live;
    struct hw_freeze_options freeze = {.freeze = opts->freeze,
                                       .retries = opts->retries ? opts->retries : DEFAULT_RETRIES,
                                       .cancel = opts->cancel};
    if (!hw_runtime_find(live, &capture->runtime, err))
        return false;
    freeze.busy = hw_runtime_busy_words(&capture->runtime);
    idle_await(live, opts, &capture->runtime, &freeze);
    facts_before(&capture->facts, live->pid);
    return hw_residence_read(live->pid, &capture->residence, err) &&
           freeze_between_looks(capture, &freeze, err) &&
           (copies_itself(capture) ||
            hw_residence_settle(&capture->residence, capture->image->memory_pid, err));
}

static bool capture_run(struct capture *capture, struct hw_graph **ret_graph, struct hw_err *err)
{
    int64_t start = now_ns(CLOCK_MONOTONIC);
    bool ok = process_freeze(capture, err);
    if (!ok && capture->live->starved)
        starve(capture->live, err);
    hw_image_close(capture->live);
    ok = ok && graph_build(capture, ret_graph, err);
    if (ok) {
        facts_after(&(*ret_graph)->facts, &capture->facts, capture->image);
        (*ret_graph)->facts.capture_ns = now_ns(CLOCK_MONOTONIC) - start;
        (*ret_graph)->system = capture->system;
        hw_graph_enlist(*ret_graph);
    } else {
        hw_system_deinit(&capture->system);
    }
    hw_residence_deinit(&capture->residence);
    hw_image_close(capture->image);
    return ok;
}

bool hw_capture(pid_t pid, const struct hw_capture_options *opts, struct hw_graph **ret_graph,
                struct hw_err *err)
{
    static const struct hw_capture_options defaults;
    struct capture capture = {.opts = opts ? opts : &defaults};
    return hw_image_open_live(pid, &capture.live, err) && capture_run(&capture, ret_graph, err);
}

bool hw_capture_self(const struct hw_self_options *opts, struct hw_graph **ret_graph,
                     struct hw_err *err)
{
    static const struct hw_self_options defaults;
    opts = opts ? opts : &defaults;
    struct hw_self_hold hold = {opts->hold, opts->release, opts->hold_ctx};
    struct capture capture = {
        .opts = &opts->capture, .hold = &hold, .own_package = opts->own_package};
    return hw_image_open_live(getpid(), &capture.live, err) && capture_run(&capture, ret_graph, err);
}

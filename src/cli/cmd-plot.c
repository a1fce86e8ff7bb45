/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/output.h"
#include "cli/watch.h"


#define STANDARD_FOR_NS INT64_C(30000000000)

struct recording {
    struct hw_run *run;
    struct hw_memory_history *history;
    struct hw_err *err;
    bool failed;
};

static void record_event(void *ctx, const struct hw_watch_event *event)
{
    struct recording *recording = ctx;
    if (!recording->failed)
        recording->failed = !hw_memory_history_add(recording->history, event, recording->err);
    if (event->kind == HW_WATCH_SAMPLE && recording->run->progress.on) {
        struct hw_buf state = {0};
        hw_tell_watch_state(&state, event);
        hw_progress_stage(&recording->run->progress, hw_buf_str(&state));
        hw_buf_deinit(&state);
    }
}

/* Ends early when all processes have. An interrupt ends the recording, not the plot. */
static bool record(struct recording *recording, struct hw_watch *monitor, bool follows_names,
                   struct hw_err *err)
{
    const struct hw_args *args = recording->run->args;
    struct hw_watch_wait wait;
    bool ok = true;
    hw_watch_wait_init(&wait, args, args->for_ns ? args->for_ns : STANDARD_FOR_NS);
    while (ok && hw_watch_wait_next(&wait, recording->run)) {
        ok = hw_watch_look(monitor, record_event, recording, err) && !recording->failed;
        if (!follows_names && !hw_watch_count(monitor))
            break;
    }
    hw_watch_wait_deinit(&wait);
    hw_progress_clear(&recording->run->progress);
    recording->run->out.cancel = NULL;
    return ok;
}

static bool record_processes(struct hw_run *run, const struct hw_watch_words *words,
                             struct hw_memory_history **ret_history, struct hw_err *err)
{
    struct hw_watch_options options = hw_watch_words_options(words, run->args);
    struct recording recording = {.run = run, .err = err};
    struct hw_watch *monitor = NULL;
    bool ok = hw_memory_history_create(&recording.history, err) &&
              hw_watch_create(&options, &monitor, err) &&
              record(&recording, monitor, words->name_count > 0, err);
    hw_watch_destroy(monitor);
    if (ok && !recording.history->series_count)
        ok = hw_err_set(err, HW_ERR_NOT_FOUND, "no process was there to look at");
    if (ok)
        *ret_history = recording.history;
    else
        hw_memory_history_destroy(recording.history);
    return ok;
}

struct picture {
    const struct hw_memory_history *history;
    const struct hw_plot_look *look;
};

static void write_svg(struct hw_out *out, const void *ctx)
{
    const struct picture *picture = ctx;
    hw_tell_plot_svg(out, picture->history, picture->look);
}

static bool plot(struct hw_run *run, const struct hw_memory_history *history, struct hw_err *err)
{
    const struct hw_args *args = run->args;
    const struct hw_plot_look look = {.title = args->title,
                                      .ascii = hw_run_wants_ascii(run),
                                      .stacked = args->stacked,
                                      .no_functions = args->no_functions};
    if (args->peak)
        hw_tell_plot_peaks(&run->out, history);
    else if (args->output)
        return hw_run_write(run, args->output, write_svg, &(struct picture){history, &look}, NULL, err);
    else
        hw_tell_plot(&run->out, history, &look);
    return true;
}

static int64_t begin_of(const struct hw_memory_history *history)
{
    int64_t begin = INT64_MAX;
    for (size_t i = 0; i < history->series_count; i++)
        begin = history->series[i].samples[0].at_ns < begin ? history->series[i].samples[0].at_ns
                                                            : begin;
    return begin;
}

/* --window FROM,TO, in times since the beginning. */
static bool crop(const struct hw_args *args, struct hw_memory_history *history, struct hw_err *err)
{
    int64_t from_ns, to_ns;
    if (!args->window)
        return true;
    if (!hw_window_parse(args->window, &from_ns, &to_ns))
        return hw_err_set(err, HW_ERR_USAGE,
                          "--window wants two times, such as 0,20.5 or 5m,1h, not '%s'",
                          args->window);
    int64_t begin_ns = begin_of(history);
    return hw_memory_history_window(history, begin_ns + from_ns, begin_ns + to_ns, err);
}

bool hw_cmd_plot(struct hw_run *run, struct hw_err *err)
{
    struct hw_watch_words words;
    struct hw_memory_history *history = NULL;
    if (!hw_watch_words_init(&words, run->args, err))
        return false;
    bool ok = (words.file ? hw_memory_history_load(words.file, &history, err)
                          : record_processes(run, &words, &history, err)) &&
              hw_memory_history_add_total(history, err) && crop(run->args, history, err) &&
              plot(run, history, err);
    hw_memory_history_destroy(history);
    hw_watch_words_deinit(&words);
    return ok;
}

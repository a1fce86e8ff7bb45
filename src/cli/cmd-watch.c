/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/watch.h"
#include "tell/text.h"

#include <stdio.h>
#include <sys/wait.h>

enum { EXIT_ALARM = 3 };

struct watch {
    struct hw_run *run;
    struct hw_watch_wait wait;
    struct hw_watch_exec exec;
    struct hw_evidence evidence;
    struct hw_watch_recording recording;
    pid_t program; /* 0: none */
    bool nobody_left;
    uint64_t alarms;
    bool told_missed, told_waiting;
};

/* Trouble that does not end the watch. */
static void complain(struct watch *watch, const char *message)
{
    struct hw_out out = {.fd = 2};
    hw_progress_clear(&watch->run->progress);
    hw_out_puts(&out, "heapwhy: ");
    hw_out_text(&out, message);
    hw_out_puts(&out, "\n");
    hw_out_finish(&out);
}

static void act(struct watch *watch, const struct hw_watch_event *event)
{
    struct hw_err err = HW_ERR_INIT;
    watch->alarms++;
    if (!hw_watch_exec_start(&watch->exec, event, &watch->wait.outside, &err))
        complain(watch, err.msg);
    if (watch->run->args->diagnose &&
        !hw_evidence_start(&watch->evidence, watch->run, event, &watch->wait.outside, &err))
        complain(watch, err.msg);
}

/* On a terminal what is seen of a process stands on one line, until something is told. */
static void show_state(struct watch *watch, const struct hw_watch_event *event)
{
    struct hw_buf state = {0};
    if (!watch->run->progress.on || watch->run->out.json)
        return;
    hw_tell_watch_state(&state, event);
    hw_progress_stage(&watch->run->progress, hw_buf_str(&state));
    hw_buf_deinit(&state);
}

/* All but samples is written at once: before a line of state, and before a fork, since what is in
 * the buffer must not be written twice. */
static void take_event(void *ctx, const struct hw_watch_event *event)
{
    struct watch *watch = ctx;
    if (event->kind != HW_WATCH_SAMPLE)
        hw_progress_clear(&watch->run->progress);
    hw_watch_recording_add(&watch->recording, event);
    /* a program's output is its own: of it only what matters is told */
    if (!watch->program || event->kind == HW_WATCH_ALARM || watch->run->out.json)
        hw_tell_watch_event(&watch->run->out, event, watch->run->args->warm_up_ns);
    if (event->kind == HW_WATCH_SAMPLE && !watch->program)
        show_state(watch, event);
    else if (hw_out_finish(&watch->run->out) && event->kind == HW_WATCH_ALARM)
        act(watch, event);
}

/* Looks after what alarms have started. True: something still runs. */
static bool look_after(struct watch *watch)
{
    struct hw_watch_diagnosis told;
    char message[100];
    bool done;
    int status;
    bool busy = hw_watch_exec_poll(&watch->exec, &status);
    if (status > 0) {
        bool exited = WIFEXITED(status);
        snprintf(message, sizeof(message), "the command of --exec ended with %s %d",
                 exited ? "status" : "signal", exited ? WEXITSTATUS(status) : WTERMSIG(status));
        complain(watch, message);
    }
    busy |= hw_evidence_poll(&watch->evidence, &done, &told);
    if (done) {
        hw_progress_clear(&watch->run->progress);
        hw_tell_watch_diagnosis(&watch->run->out, &told);
    }
    return busy;
}

/* Once: they are met again in each look. */
static void tell_missed(struct watch *watch, const struct hw_watch *monitor)
{
    if (watch->told_missed || !hw_watch_missed(monitor))
        return;
    watch->told_missed = true;
    complain(watch, "some processes cannot be watched: they are too many, or not ours to see");
}

/* Who mistyped a name would wait for ever. */
static void tell_waiting(struct watch *watch, const struct hw_watch *monitor)
{
    if (!watch->told_waiting && !hw_watch_count(monitor))
        complain(watch, "no such process is there yet: waiting for one");
    watch->told_waiting = true;
}

static bool is_over(struct watch *watch, const struct hw_watch *monitor, bool follows_names)
{
    bool busy = look_after(watch);
    tell_missed(watch, monitor);
    if (follows_names)
        tell_waiting(watch, monitor);
    bool nobody = !hw_watch_count(monitor) && !follows_names;
    bool seen = watch->run->args->until_alarm && watch->alarms;
    watch->nobody_left = nobody;
    return (nobody || seen) && !busy;
}

static bool watch_on(struct watch *watch, struct hw_watch *monitor, bool follows_names,
                     struct hw_err *err)
{
    while (hw_watch_wait_next(&watch->wait, watch->run)) {
        if (!hw_watch_look(monitor, take_event, watch, err))
            return false;
        bool over = is_over(watch, monitor, follows_names);
        if (!hw_out_finish(&watch->run->out) || over)
            return true;
    }
    /* Being asked to end is the end of watching, not a failure. */
    watch->run->out.cancel = NULL;
    return true;
}

/* A wrong file of rules is told now, not in the night when the alarm comes. */
static bool prepare_diagnosis(struct watch *watch, struct hw_err *err)
{
    struct hw_ignores ignores;
    const struct hw_args *args = watch->run->args;
    if (!args->diagnose)
        return true;
    if (!hw_ignores_init(&ignores, args, err))
        return false;
    hw_ignores_deinit(&ignores);
    return hw_evidence_init(&watch->evidence, args, err);
}

static bool watch_processes(struct watch *watch, const struct hw_watch_words *words,
                            struct hw_err *err)
{
    const struct hw_args *args = watch->run->args;
    const struct hw_watch_options options = hw_watch_words_options(words, args);
    struct hw_watch *monitor = NULL;
    if (!prepare_diagnosis(watch, err) || !hw_watch_create(&options, &monitor, err))
        return false;
    hw_watch_wait_init(&watch->wait, args, args->for_ns);
    bool ok = watch_on(watch, monitor, words->name_count > 0, err);
    hw_progress_clear(&watch->run->progress);
    hw_evidence_stop(&watch->evidence);
    hw_watch_wait_deinit(&watch->wait);
    hw_watch_destroy(monitor);
    return ok;
}

static bool watch_recorded(struct watch *watch, const struct hw_watch_words *words,
                           struct hw_err *err)
{
    if (!hw_watch_recording_open(&watch->recording, watch->run->args, err))
        return false;
    bool ok = watch_processes(watch, words, err);
    return hw_watch_recording_close(&watch->recording, ok ? err : NULL) && ok;
}

/* "heapwhy: recorded 123 looks, at most 192.1 MB; see heapwhy plot FILE". */
static void tell_recorded(struct watch *watch)
{
    const struct hw_watch_recording *recording = &watch->recording;
    struct hw_buf message = {0};
    hw_buf_printf(&message, "recorded %llu looks", (unsigned long long)recording->samples);
    if (recording->samples) {
        hw_buf_puts(&message, ", at most ");
        hw_text_bytes(&message, (double)recording->most);
    }
    hw_buf_printf(&message, "; see heapwhy plot %s%s",
                  hw_watch_is_file(recording->path) ? "" : "./", recording->path);
    complain(watch, hw_buf_str(&message));
    hw_buf_deinit(&message);
}

/* Its status is ours only when --exit-code asks for it. */
static void end_program(struct watch *watch)
{
    int status;
    if (!hw_watch_program_end(watch->program, watch->nobody_left, &status))
        complain(watch, "the program runs on");
    else if (watch->run->args->exit_code)
        watch->run->status = status;
    else if (status)
        complain(watch, "the program failed; --exit-code passes its status on");
}

static bool watch_program(struct watch *watch, struct hw_err *err)
{
    struct hw_watch_words words = {.pids = &watch->program, .pid_count = 1};
    if (!hw_watch_recording_open(&watch->recording, watch->run->args, err) ||
        !hw_watch_program_start(watch->run->args->program, &watch->recording, &watch->program,
                                err)) {
        hw_watch_recording_discard(&watch->recording);
        return false;
    }
    bool ok = watch_processes(watch, &words, err);
    bool over = !ok && err->code == HW_ERR_GONE; /* before it could be looked at */
    watch->nobody_left |= over;
    end_program(watch);
    if (!hw_watch_recording_close(&watch->recording, ok || over ? err : NULL))
        return false;
    if (ok || over)
        tell_recorded(watch);
    return ok || over;
}

/* What a recording would have told: nothing is started for it. */
static void take_recorded(void *ctx, const struct hw_watch_event *event)
{
    struct watch *watch = ctx;
    hw_tell_watch_event(&watch->run->out, event, 0);
    watch->alarms += event->kind == HW_WATCH_ALARM;
}

static bool judge_file(struct watch *watch, const char *path, struct hw_err *err)
{
    const struct hw_watch_words none = {0};
    const struct hw_watch_options options = hw_watch_words_options(&none, watch->run->args);
    struct hw_memory_history *history = NULL;
    bool ok = hw_memory_history_load(path, &history, err) &&
              hw_memory_history_judge(history, &options, take_recorded, watch, err);
    hw_memory_history_destroy(history);
    return ok;
}

static bool check_options(const struct hw_args *args, const struct hw_watch_words *words,
                          struct hw_err *err)
{
    if (args->save && !args->diagnose)
        return hw_err_set(err, HW_ERR_USAGE, "--save goes with --diagnose");
    if (words->file && (args->diagnose || args->exec))
        return hw_err_set(err, HW_ERR_USAGE, "%s is a recording: there is nothing to %s",
                          words->file, args->diagnose ? "diagnose" : "do");
    return true;
}

bool hw_cmd_watch(struct hw_run *run, struct hw_err *err)
{
    struct watch watch = {.run = run, .exec.command = run->args->exec, .evidence.pipe = -1};
    struct hw_watch_words words;
    if (!hw_watch_words_init(&words, run->args, err))
        return false;
    bool ok = check_options(run->args, &words, err) &&
              (words.file           ? judge_file(&watch, words.file, err)
               : run->args->program ? watch_program(&watch, err)
                                    : watch_recorded(&watch, &words, err));
    hw_watch_words_deinit(&words);
    if (ok && run->args->until_alarm && watch.alarms)
        run->status = EXIT_ALARM;
    return ok;
}

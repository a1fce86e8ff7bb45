/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/watch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool ends_with(const char *s, const char *end)
{
    size_t length = strlen(s), tail = strlen(end);
    return length >= tail && strcmp(s + length - tail, end) == 0;
}

bool hw_watch_is_file(const char *word)
{
    return strchr(word, '/') || ends_with(word, ".jsonl") || ends_with(word, ".dat");
}

static bool add_word(struct hw_watch_words *words, const char *word, struct hw_err *err)
{
    if (!hw_run_is_pid(word) && hw_recording_is(word))
        return hw_err_set(err, HW_ERR_USAGE,
                          "%s is a recording of allocations: see heapwhy allocations %s --over-time",
                          word, word);
    if (hw_watch_is_file(word))
        words->file = word;
    else if (!hw_run_is_pid(word))
        words->names[words->name_count++] = word;
    else if (!hw_run_pid(word, &words->pids[words->pid_count], err))
        return false;
    else
        words->pid_count++;
    return true;
}

bool hw_watch_words_init(struct hw_watch_words *words, const struct hw_args *args,
                         struct hw_err *err)
{
    *words = (struct hw_watch_words){.pids = calloc(args->word_count, sizeof(*words->pids)),
                                     .names = calloc(args->word_count, sizeof(*words->names))};
    bool ok = (words->pids && words->names) || hw_err_no_memory(err);
    for (size_t i = 0; ok && i < args->word_count; i++)
        ok = add_word(words, args->words[i], err);
    if (ok && words->file && args->word_count > 1)
        ok = hw_err_set(err, HW_ERR_USAGE, "%s is a file; it goes with nothing else", words->file);
    if (!ok)
        hw_watch_words_deinit(words);
    return ok;
}

void hw_watch_words_deinit(struct hw_watch_words *words)
{
    free(words->pids);
    free(words->names);
    *words = (struct hw_watch_words){0};
}

struct hw_watch_options hw_watch_words_options(const struct hw_watch_words *words,
                                               const struct hw_args *args)
{
    return (struct hw_watch_options){.pids = words->pids,
                                     .pid_count = words->pid_count,
                                     .names = words->names,
                                     .name_count = words->name_count,
                                     .children = args->children,
                                     .every_ns = args->every_ns,
                                     .rss_bytes = (uint64_t)args->rss_bytes,
                                     .growth_bytes_per_second = (double)args->growth_rate,
                                     .warm_up_ns = args->warm_up_ns};
}

/* ---- waiting ---- */

void hw_watch_wait_init(struct hw_watch_wait *wait, const struct hw_args *args, int64_t for_ns)
{
    sigset_t stopping;
    sigemptyset(&stopping);
    sigaddset(&stopping, SIGINT);
    sigaddset(&stopping, SIGTERM);
    sigaddset(&stopping, SIGHUP);
    sigprocmask(SIG_BLOCK, &stopping, &wait->outside);
    wait->every_ns = args->every_ns;
    wait->next_ns = hw_run_now();
    wait->end_ns = for_ns ? wait->next_ns + for_ns : 0;
}

void hw_watch_wait_deinit(struct hw_watch_wait *wait)
{
    sigprocmask(SIG_SETMASK, &wait->outside, NULL);
}

static void sleep_until(const struct hw_watch_wait *wait, const struct hw_run *run,
                        int64_t until_ns)
{
    for (int64_t now = hw_run_now(); now < until_ns && !*run->cancel; now = hw_run_now()) {
        const struct timespec left = {(until_ns - now) / 1000000000, (until_ns - now) % 1000000000};
        if (ppoll(NULL, 0, &left, &wait->outside) < 0 && errno != EINTR)
            return;
    }
}

bool hw_watch_wait_next(struct hw_watch_wait *wait, const struct hw_run *run)
{
    const struct timespec none = {0};
    int64_t now = hw_run_now();
    bool last = wait->end_ns && wait->next_ns > wait->end_ns;
    sleep_until(wait, run, last ? wait->end_ns : wait->next_ns);
    ppoll(NULL, 0, &none, &wait->outside);
    /* Looks that a machine that slept has missed are not made up for. */
    now = hw_run_now();
    wait->next_ns += wait->every_ns;
    if (wait->next_ns <= now)
        wait->next_ns = now + wait->every_ns;
    return !last && !*run->cancel;
}

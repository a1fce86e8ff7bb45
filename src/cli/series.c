/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/run.h"

#include <stdlib.h>

/* A word of the command line, and what is known of it before its heap is read. */
struct source {
    const char *word;
    struct hw_facts facts;
    size_t number;
    bool is_live;
};

/* Shells sort names, not times. A process is looked at last, now. */
static int by_time(const void *a, const void *b)
{
    const struct source *x = a, *y = b;
    if (x->is_live != y->is_live)
        return x->is_live ? 1 : -1;
    if (!x->is_live && x->facts.taken_at_ns != y->facts.taken_at_ns)
        return x->facts.taken_at_ns < y->facts.taken_at_ns ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

static bool is_same_moment(const struct source *a, const struct source *b)
{
    return !a->is_live && !b->is_live && a->facts.pid == b->facts.pid &&
           a->facts.start_time == b->facts.start_time &&
           a->facts.taken_at_ns == b->facts.taken_at_ns;
}

static bool find_sources(const struct hw_args *args, struct source *sources, struct hw_err *err)
{
    size_t count = args->word_count;
    for (size_t i = 0; i < count; i++) {
        sources[i] = (struct source){
            .word = args->words[i], .number = i, .is_live = hw_run_is_pid(args->words[i])};
        if (!sources[i].is_live && !hw_snapshot_facts(sources[i].word, &sources[i].facts, err))
            return false;
    }
    qsort(sources, count, sizeof(*sources), by_time);
    for (size_t i = 1; i < count; i++)
        if (is_same_moment(&sources[i - 1], &sources[i]))
            return hw_err_set(err, HW_ERR_USAGE, "%s and %s are one and the same snapshot",
                              sources[i - 1].word, sources[i].word);
    return true;
}

typedef bool take_graph(void *ctx, struct hw_graph *graph, struct hw_err *err);

static bool open_sources(struct hw_run *run, const struct source *sources, take_graph *take,
                         void *ctx, struct hw_err *err)
{
    for (size_t i = 0; i < run->args->word_count; i++) {
        struct hw_graph *graph = NULL;
        if (*run->cancel)
            return hw_err_set(err, HW_ERR_INTERRUPTED, "interrupted");
        if (!hw_run_open(run, sources[i].word, &graph, err) || !take(ctx, graph, err))
            return false;
    }
    return true;
}

bool hw_run_each(struct hw_run *run, take_graph *take, void *ctx, struct hw_err *err)
{
    struct source *sources = calloc(run->args->word_count + 1, sizeof(*sources));
    if (!sources)
        return hw_err_no_memory(err);
    bool ok = find_sources(run->args, sources, err) && open_sources(run, sources, take, ctx, err);
    free(sources);
    return ok;
}

static bool add_to_series(void *ctx, struct hw_graph *graph, struct hw_err *err)
{
    return hw_series_add(ctx, graph, err);
}

bool hw_run_series(struct hw_run *run, struct hw_series *series, struct hw_err *err)
{
    return hw_run_each(run, add_to_series, series, err);
}

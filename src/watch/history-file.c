/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Files of samples. Two kinds of lines are known, and told apart line by line:
 *
 *     {"event":"sample","at":"2025-11-20T11:00:00.123Z","pid":41233,"rss_bytes":...}   docs/json.md
 *
 * and those of mprof (memory_profiler 0.61, mprof.py): megabytes are of 1024 * 1024 bytes, times
 * are seconds since 1970.
 *
 *     CMDLINE /usr/bin/python3 app.py
 *     MEM 12.5 1700000000.1234          the process, or with its children
 *     CHLD 0 3.25 1700000000.1234       child number 0, or with that process id
 *     FUNC app.work 12.5 1700000001.0 13.5 1700000002.0 0
 */

#include "base/err.h"
#include "watch/history.h"
#include "watch/json-line.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 64 << 10 };

struct reader {
    struct hw_history *history;
    char command[256]; /* of mprof's CMDLINE */
    size_t main;       /* its series; SIZE_MAX: not begun */
    bool failed;       /* err is filled */
    struct hw_err *err;
};

/* ---- lines of watch ---- */

static struct hw_memory_sample sample_of(const struct hw_json_line *line, int64_t at_ns)
{
    struct hw_memory_sample sample = {.at_ns = at_ns,
                                      .rss_bytes = hw_json_line_u64(line, "rss_bytes"),
                                      .peak_rss_bytes = hw_json_line_u64(line, "peak_rss_bytes"),
                                      .memory_bytes = hw_json_line_u64(line, "memory_bytes"),
                                      .swap_bytes = hw_json_line_u64(line, "swap_bytes"),
                                      .pss_bytes = hw_json_line_u64(line, "pss_bytes"),
                                      .fds = hw_json_line_u64(line, "fds"),
                                      .threads = hw_json_line_u64(line, "threads")};
    if (sample.memory_bytes == HW_UNKNOWN)
        sample.memory_bytes = sample.rss_bytes;
    return sample;
}

static bool begin_named(struct reader *reader, const struct hw_json_line *line, pid_t pid,
                        size_t *ret_series)
{
    const char *name = hw_json_line_string(line, "name");
    uint64_t parent = hw_json_line_u64(line, "parent");
    const struct hw_watched process = {.pid = pid,
                                       .parent = parent <= INT32_MAX ? (pid_t)parent : 0,
                                       .started_at_ns = hw_json_line_time(line, "started_at"),
                                       .name = name ? name : ""};
    reader->failed |= !hw_history_begin(reader->history, &process, ret_series, reader->err);
    return !reader->failed;
}

static bool take_sample(struct reader *reader, const struct hw_json_line *line, pid_t pid,
                        int64_t at_ns)
{
    struct hw_memory_sample sample = sample_of(line, at_ns);
    size_t series = hw_history_find(reader->history, pid);
    if (sample.rss_bytes == HW_UNKNOWN)
        return false;
    if (series == SIZE_MAX && !begin_named(reader, line, pid, &series))
        return true;
    const struct hw_memory_series *known = &reader->history->told.series[series];
    /* Times that go back would make a line go back. */
    if (known->sample_count && known->samples[known->sample_count - 1].at_ns >= at_ns)
        return false;
    reader->failed |= !hw_history_sample(reader->history, series, &sample, reader->err);
    return true;
}

/* An alarm, or a note that somebody has written between: it belongs to the last process, unless it
 * names one. */
static void take_mark(struct reader *reader, const struct hw_json_line *line, const char *event,
                      size_t series, int64_t at_ns)
{
    bool is_alarm = strcmp(event, "alarm") == 0;
    const char *text = hw_json_line_string(line, is_alarm ? "reason" : "text");
    if (series == SIZE_MAX && reader->history->told.series_count)
        series = reader->history->told.series_count - 1;
    const struct hw_memory_mark mark = {
        .at_ns = at_ns, .series = series, .text = text, .is_alarm = is_alarm};
    if (text && series != SIZE_MAX && (is_alarm || strcmp(event, "note") == 0))
        reader->failed |= !hw_history_mark(reader->history, &mark, reader->err);
}

/* False: the line says nothing that we understand. */
static bool take_json(struct reader *reader, char *text)
{
    struct hw_json_line line;
    size_t series;
    if (!hw_json_line_parse(text, &line))
        return false;
    const char *event = hw_json_line_string(&line, "event");
    uint64_t pid = hw_json_line_u64(&line, "pid");
    int64_t at_ns = hw_json_line_time(&line, "at");
    if (!event || !at_ns)
        return false;
    if (pid > INT32_MAX) {
        /* other events are not ours to refuse: later versions have more */
        take_mark(reader, &line, event, SIZE_MAX, at_ns);
        return strcmp(event, "sample") != 0;
    }
    if (strcmp(event, "process") == 0)
        begin_named(reader, &line, (pid_t)pid, &series);
    if (strcmp(event, "sample") == 0)
        return take_sample(reader, &line, (pid_t)pid, at_ns);
    series = hw_history_find(reader->history, (pid_t)pid);
    take_mark(reader, &line, event, series, at_ns);
    return true;
}

/* ---- lines of mprof ---- */

static bool mprof_sample(double mib, double seconds, struct hw_memory_sample *ret)
{
    /* 9e9 seconds are the year 2255; 2^53 bytes are the most that a double counts */
    if (!(mib >= 0 && mib < 8e9 && seconds > 0 && seconds < 9e9))
        return false;
    uint64_t bytes = (uint64_t)(mib * 1048576);
    *ret = (struct hw_memory_sample){.at_ns = (int64_t)(seconds * 1e9),
                                     .rss_bytes = bytes,
                                     .peak_rss_bytes = HW_UNKNOWN,
                                     .memory_bytes = bytes,
                                     .pss_bytes = HW_UNKNOWN,
                                     .fds = HW_UNKNOWN,
                                     .threads = HW_UNKNOWN};
    return true;
}

static bool mprof_add(struct reader *reader, size_t series, double mib, double seconds)
{
    struct hw_memory_sample sample;
    const struct hw_memory_series *known = &reader->history->told.series[series];
    if (!mprof_sample(mib, seconds, &sample) ||
        (known->sample_count && known->samples[known->sample_count - 1].at_ns >= sample.at_ns))
        return false;
    reader->failed |= !hw_history_sample(reader->history, series, &sample, reader->err);
    return true;
}

static bool take_memory(struct reader *reader, double mib, double seconds)
{
    const struct hw_watched process = {.name = reader->command};
    if (reader->main == SIZE_MAX)
        reader->failed |= !hw_history_begin(reader->history, &process, &reader->main, reader->err);
    return reader->failed || mprof_add(reader, reader->main, mib, seconds);
}

/* Children have numbers from 0 on, or process ids: both are above 0 as number + 1. */
static bool take_child(struct reader *reader, unsigned number, double mib, double seconds)
{
    char name[32];
    const struct hw_watched process = {.pid = (pid_t)(number + 1), .name = name};
    snprintf(name, sizeof(name), "child %u", number);
    if (number >= INT32_MAX)
        return false;
    size_t series = hw_history_find(reader->history, process.pid);
    if (series == SIZE_MAX)
        reader->failed |= !hw_history_begin(reader->history, &process, &series, reader->err);
    return reader->failed || mprof_add(reader, series, mib, seconds);
}

/* Of the process that was first. */
static bool take_function(struct reader *reader, const char *name, const double begin[2],
                          const double end[2])
{
    struct hw_memory_sample from, to;
    if (!reader->history->told.series_count)
        return true;
    if (!mprof_sample(begin[0], begin[1], &from) || !mprof_sample(end[0], end[1], &to) ||
        to.at_ns < from.at_ns)
        return false;
    const struct hw_memory_mark mark = {.at_ns = from.at_ns,
                                        .until_ns = to.at_ns,
                                        .bytes = from.rss_bytes,
                                        .until_bytes = to.rss_bytes,
                                        .series = reader->main == SIZE_MAX ? 0 : reader->main,
                                        .text = name};
    reader->failed |= !hw_history_mark(reader->history, &mark, reader->err);
    return true;
}

static bool take_mprof(struct reader *reader, const char *text)
{
    char name[256];
    double mib, seconds, begin[2], end[2];
    unsigned number;
    if (strncmp(text, "CMDLINE ", 8) == 0) {
        snprintf(reader->command, sizeof(reader->command), "%.*s", (int)strcspn(text + 8, "\r\n"),
                 text + 8);
        return true;
    }
    if (sscanf(text, "MEM %lf %lf", &mib, &seconds) == 2)
        return take_memory(reader, mib, seconds);
    if (sscanf(text, "CHLD %u %lf %lf", &number, &mib, &seconds) == 3)
        return take_child(reader, number, mib, seconds);
    if (sscanf(text, "FUNC %255s %lf %lf %lf %lf", name, &begin[0], &begin[1], &end[0], &end[1]) ==
        5)
        return take_function(reader, name, begin, end);
    return strncmp(text, "BACKEND ", 8) == 0;
}

/* ---- the file ---- */

static void take_line(struct reader *reader, char *text)
{
    const char *begin = text + strspn(text, " \t\r\n");
    bool understood =
        !*begin || (*begin == '{' ? take_json(reader, text) : take_mprof(reader, text));
    reader->history->told.bad_lines += !understood;
}

/* A line that is too long is bad as a whole. */
static bool read_lines(struct reader *reader, FILE *file, char *line)
{
    bool is_rest = false;
    while (!reader->failed && fgets(line, LINE_BYTES, file)) {
        bool is_whole = strchr(line, '\n') || feof(file);
        if (is_whole && !is_rest)
            take_line(reader, line);
        else if (!is_rest)
            reader->history->told.bad_lines++;
        is_rest = !is_whole;
    }
    return !reader->failed;
}

static bool load(struct hw_history *history, FILE *file, const char *path, struct hw_err *err)
{
    struct reader reader = {.history = history, .main = SIZE_MAX, .err = err};
    char *line = malloc(LINE_BYTES);
    if (!line)
        return hw_err_no_memory(err);
    bool ok = read_lines(&reader, file, line);
    free(line);
    if (!ok)
        return false;
    if (ferror(file))
        return hw_err_sys(err, HW_ERR_IO, errno, "cannot read %s", path);
    hw_history_drop_empty(history);
    if (!history->told.series_count)
        return hw_err_set(err, HW_ERR_CORRUPT,
                          "%s holds no samples: neither lines of heapwhy watch --json nor of mprof",
                          path);
    history->told.source = hw_arena_strdup(&history->arena, path);
    return history->told.source || hw_err_no_memory(err);
}

bool hw_memory_history_load(const char *path, struct hw_memory_history **ret_history,
                            struct hw_err *err)
{
    struct hw_memory_history *history = NULL;
    FILE *file = fopen(path, "re");
    if (!file)
        return hw_err_sys(err, errno == ENOENT ? HW_ERR_NOT_FOUND : HW_ERR_IO, errno,
                          "cannot open %s", path);
    bool ok =
        hw_memory_history_create(&history, err) && load(hw_history_of(history), file, path, err);
    fclose(file);
    if (ok)
        *ret_history = history;
    else
        hw_memory_history_destroy(history);
    return ok;
}

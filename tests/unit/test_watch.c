/* SPDX-License-Identifier: Apache-2.0 */

/* Files of samples, names of processes, limits of control groups, plots. */
#include "heapwhy.h"
#include "tell/plot-scale.h"
#include "tell/tell.h"
#include "tell/text.h"
#include "watch/command.h"
#include "watch/json-line.h"
#include "watch/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* ---- lines ---- */

static bool parse(const char *text, struct hw_json_line *line)
{
    static char copy[4096];
    snprintf(copy, sizeof(copy), "%s", text);
    return hw_json_line_parse(copy, line);
}

static void test_json_lines(void **state)
{
    (void)state;
    struct hw_json_line line;
    assert_true(parse(" { \"a\" : 12 , \"b\":\"x\\u00e9\\n\\\"\",\"c\":{\"d\":[1,{\"a\":\"}\"}]},"
                      "\"e\":null,\"at\":\"2025-11-20T11:00:00.123Z\"}\n",
                      &line));
    assert_int_equal(line.count, 5);
    assert_int_equal(hw_json_line_u64(&line, "a"), 12);
    assert_string_equal(hw_json_line_string(&line, "b"), "x\xc3\xa9\n\"");
    assert_true(hw_json_line_u64(&line, "b") == HW_UNKNOWN);
    assert_true(hw_json_line_u64(&line, "e") == HW_UNKNOWN);
    assert_null(hw_json_line_string(&line, "d"));
    assert_true(hw_json_line_time(&line, "at") == INT64_C(1763636400123000000));
    assert_true(parse("{}", &line) && line.count == 0);
}

static void test_damaged_json_lines(void **state)
{
    (void)state;
    static const char *const lines[] = {"",
                                        "x",
                                        "{",
                                        "{\"a\"",
                                        "{\"a\":",
                                        "{\"a\":}",
                                        "{\"a\":1",
                                        "{\"a\":1,",
                                        "{\"a\":1,}",
                                        "{\"a\" 1}",
                                        "{\"a\":\"x}",
                                        "{\"a\":\"\\",
                                        "{\"a\":\"\\u12\"}",
                                        "{\"a\":[1}",
                                        "{\"a\":[\"]}",
                                        "{a:1}",
                                        "[1]",
                                        "{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["};
    struct hw_json_line line;
    for (size_t i = 0; i < COUNT(lines); i++)
        if (parse(lines[i], &line) && i != 13)
            fail_msg("'%s' was taken for an object", lines[i]);
    /* what no number holds is none */
    assert_true(parse("{\"a\":99999999999999999999,\"at\":\"9999-99-99T99:99:99Z\"}", &line));
    assert_true(hw_json_line_u64(&line, "a") == HW_UNKNOWN);
    assert_true(hw_json_line_time(&line, "at") == 0);
}

/* ---- files ---- */

static const char *write_file(const char *text, size_t bytes)
{
    static char path[64];
    snprintf(path, sizeof(path), "/tmp/test-watch-%d", (int)getpid());
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, bytes, file), bytes);
    fclose(file);
    return path;
}

/* NULL: refused. */
static struct hw_memory_history *load(const char *text, size_t bytes, struct hw_err *err)
{
    struct hw_memory_history *history = NULL;
    const char *path = write_file(text, bytes);
    *err = (struct hw_err)HW_ERR_INIT;
    bool ok = hw_memory_history_load(path, &history, err);
    unlink(path);
    assert_true(ok == (history != NULL));
    return history;
}

static const char mprof[] = "CMDLINE /usr/bin/python3 app.py\n"
                            "BACKEND psutil\n"
                            "MEM 10.5 1700000000.5\n"
                            "CHLD 0 3.0 1700000000.6\n"
                            "MEM 12 1700000001.5\n"
                            "FUNC app.work 10.5 1700000000.7 12.0 1700000001.2 0\n"
                            "MEM nan 1700000002.5\n"
                            "MEM 11 1600000000\n"
                            "nonsense\n";

static void test_files_of_mprof(void **state)
{
    (void)state;
    struct hw_err err;
    struct hw_memory_history *history = load(mprof, sizeof(mprof) - 1, &err);
    assert_non_null(history);
    assert_int_equal(history->series_count, 2);
    assert_string_equal(history->series[0].process.name, "/usr/bin/python3 app.py");
    assert_int_equal(history->series[0].sample_count, 2);
    assert_int_equal(history->series[0].samples[0].rss_bytes, 11010048);
    assert_int_equal(history->series[0].samples[1].at_ns / 1000000, 1700000001500);
    assert_int_equal(history->series[0].peak, 1);
    assert_string_equal(history->series[1].process.name, "child 0");
    assert_int_equal(history->mark_count, 1);
    assert_false(history->marks[0].is_alarm);
    assert_int_equal(history->bad_lines, 3);
    hw_memory_history_destroy(history);
}

static const char lines[] =
    "{\"event\":\"process\",\"at\":\"2025-11-20T11:00:00.000Z\",\"pid\":7,\"name\":\"none.py\"}\n"
    "{\"event\":\"process\",\"at\":\"2025-11-20T11:00:00.000Z\",\"pid\":8,\"name\":\"a.py\","
    "\"started_at\":\"2025-11-20T10:00:00.000Z\"}\n"
    "{\"event\":\"sample\",\"at\":\"2025-11-20T11:00:00.000Z\",\"pid\":8,\"rss_bytes\":5000}\n"
    "{\"event\":\"alarm\",\"at\":\"2025-11-20T11:00:01.000Z\",\"pid\":8,\"reason\":\"rss\"}\n"
    "{\"event\":\"later\",\"at\":\"2025-11-20T11:00:01.000Z\"}\n"
    "{\"event\":\"sample\",\"at\":\"2025-11-20T11:00:01.000Z\",\"pid\":8,\"rss_bytes\":6000,"
    "\"memory_bytes\":4000,\"fds\":null}\n"
    /* the same number again, another process */
    "{\"event\":\"process\",\"at\":\"2025-11-20T12:00:00.000Z\",\"pid\":8,\"name\":\"b.py\"}\n"
    "{\"event\":\"sample\",\"at\":\"2025-11-20T12:00:00.000Z\",\"pid\":8,\"rss_bytes\":7000}\n";

static void test_files_of_watch(void **state)
{
    (void)state;
    struct hw_err err;
    struct hw_memory_history *history = load(lines, sizeof(lines) - 1, &err);
    assert_non_null(history);
    assert_int_equal(history->bad_lines, 0);
    assert_int_equal(history->series_count, 2);
    assert_string_equal(history->series[0].process.name, "a.py");
    assert_int_equal(history->series[0].samples[0].memory_bytes, 5000);
    assert_int_equal(history->series[0].samples[1].memory_bytes, 4000);
    assert_true(history->series[0].samples[1].fds == HW_UNKNOWN);
    assert_string_equal(history->series[1].process.name, "b.py");
    assert_int_equal(history->mark_count, 1);
    assert_int_equal(history->marks[0].series, 0);
    hw_memory_history_destroy(history);
}

static void test_files_that_hold_nothing(void **state)
{
    (void)state;
    struct hw_err err;
    assert_null(load("", 0, &err));
    assert_int_equal(err.code, HW_ERR_CORRUPT);
    assert_null(load("hello\n", 6, &err));
    static char zeros[200000];
    assert_null(load(zeros, sizeof(zeros), &err));
    memset(zeros, '{', sizeof(zeros));
    assert_null(load(zeros, sizeof(zeros), &err));
}

/* Whatever a file says, it is read, or refused, and what is read can be drawn. */
static void test_damaged_files(void **state)
{
    (void)state;
    char text[sizeof(lines) + sizeof(mprof)];
    struct hw_err err;
    srand(1);
    for (int round = 0; round < 3000; round++) {
        size_t bytes = (size_t)snprintf(text, sizeof(text), "%s%s", lines, mprof);
        for (int i = rand() % 20; i >= 0; i--)
            text[(size_t)rand() % bytes] =
                (char)(rand() % 4 ? "\"{}[],:\\0129eE-n\n"[rand() % 17] : rand());
        struct hw_memory_history *history = load(text, (size_t)rand() % bytes, &err);
        if (!history)
            continue;
        struct hw_out out = {.fd = -1, .width = 80};
        hw_tell_plot(&out, history, &(struct hw_plot_look){.ascii = round % 2});
        hw_tell_plot_svg(&out, history, &(struct hw_plot_look){.stacked = true});
        assert_true(hw_out_ok(&out));
        hw_out_deinit(&out);
        hw_memory_history_destroy(history);
    }
}

/* ---- names ---- */

static void test_what_a_process_runs(void **state)
{
    (void)state;
    static const struct {
        const char *argv;
        size_t bytes;
        const char *script;
    } cases[] = {
#define ARGV(text, script) {text, sizeof(text) - 1, script}
        ARGV("/usr/bin/python3\0/srv/app.py\0-m\0x", "app.py"),
        ARGV("python3.11\0-u\0-X\0dev\0-W\0error\0app.py", "app.py"),
        ARGV("python3\0-Im\0http.server\0"
             "8000",
             "-m http.server"),
        ARGV("python3\0-c\0import x", "-c"),
        ARGV("python3", "python3"),
        ARGV("python3\0-", "-"),
        ARGV("python3\0-m", "python3"),
        ARGV("/usr/sbin/nginx\0-g", "nginx"),
        ARGV("gunicorn: worker [app]", "gunicorn: worker [app]"),
        ARGV("/", "/"),
        ARGV("", ""),
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char script[64];
        hw_command_script(cases[i].argv, cases[i].bytes, script, sizeof(script));
        assert_string_equal(script, cases[i].script);
    }
}

/* ---- control groups ---- */

static void put(const char *root, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", root, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void make(const char *root, const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", root, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void test_the_tightest_group_counts(void **state)
{
    (void)state;
    char root[] = "/tmp/test-groups-XXXXXX", command[64];
    struct hw_memory_limit limit;
    assert_non_null(mkdtemp(root));
    make(root, "a");
    make(root, "a/b");
    put(root, "a/memory.max", "500000000\n");
    put(root, "a/memory.current", "400000000\n");
    put(root, "a/memory.stat", "anon 1\ninactive_file 50000000\n");
    put(root, "a/b/memory.max", "max\n");
    put(root, "a/b/memory.current", "300000000\n");
    assert_true(hw_limits_of_group(root, "/a/b", true, &limit));
    assert_string_equal(limit.name, "cgroup");
    assert_int_equal(limit.limit_bytes, 500000000);
    assert_int_equal(limit.left_bytes, 150000000);
    put(root, "a/b/memory.limit_in_bytes", "9223372036854771712\n");
    put(root, "a/b/memory.usage_in_bytes", "5\n");
    assert_false(hw_limits_of_group(root, "/a/b", false, &limit));
    put(root, "a/memory.limit_in_bytes", "1000\n");
    put(root, "a/memory.usage_in_bytes", "5000\n");
    assert_true(hw_limits_of_group(root, "/a/b", false, &limit));
    assert_int_equal(limit.left_bytes, 0);
    assert_false(hw_limits_of_group(root, "/gone", true, &limit));
    snprintf(command, sizeof(command), "rm -r %s", root);
    assert_int_equal(system(command), 0);
}

/* ---- plots ---- */

static struct hw_memory_history *hills(const char *name, size_t samples)
{
    struct hw_err err = HW_ERR_INIT;
    struct hw_memory_history *history = NULL;
    const struct hw_watched process = {.pid = 41233, .name = name, .started_at_ns = 1};
    struct hw_watch_event event = {.kind = HW_WATCH_BEGAN, .process = &process};
    assert_true(hw_memory_history_create(&history, &err));
    assert_true(hw_memory_history_add(history, &event, &err));
    event.kind = HW_WATCH_SAMPLE;
    for (size_t i = 0; i < samples; i++) {
        const struct hw_memory_sample sample = {
            .at_ns = INT64_C(1700000000000000000) + (int64_t)i * 1000000000,
            .rss_bytes = i == samples / 3 ? 250000000 : 100000000 + i % 50 * 1000000};
        event.sample = &sample;
        assert_true(hw_memory_history_add(history, &event, &err));
    }
    return history;
}

static void add_one(struct hw_memory_history *history, pid_t pid, int64_t second, uint64_t bytes)
{
    struct hw_err err = HW_ERR_INIT;
    const struct hw_memory_sample sample = {.at_ns = second * 1000000000, .rss_bytes = bytes};
    const struct hw_watched process = {.pid = pid, .parent = pid == 8 ? 7 : 0, .name = "p"};
    struct hw_watch_event event = {.kind = HW_WATCH_BEGAN, .process = &process, .sample = &sample};
    if (second == 1 || (pid == 8 && second == 2))
        assert_true(hw_memory_history_add(history, &event, &err));
    event.kind = HW_WATCH_SAMPLE;
    assert_true(hw_memory_history_add(history, &event, &err));
}

static void test_the_sum_of_a_family(void **state)
{
    (void)state;
    static const uint64_t sums[] = {100, 110, 140, 155, 120};
    struct hw_err err = HW_ERR_INIT;
    struct hw_memory_history *history = NULL;
    assert_true(hw_memory_history_create(&history, &err));
    add_one(history, 7, 1, 100);
    assert_true(hw_memory_history_add_total(history, &err));
    assert_int_equal(history->series_count, 1); /* nobody's child */
    add_one(history, 7, 2, 110);
    add_one(history, 8, 2, 30);
    add_one(history, 8, 3, 45);
    add_one(history, 7, 4, 120);
    assert_true(hw_memory_history_add_total(history, &err));
    assert_int_equal(history->series_count, 3);
    const struct hw_memory_series *together = &history->series[2];
    assert_int_equal(together->sample_count, COUNT(sums));
    assert_int_equal(together->samples[0].rss_bytes, sums[0]);
    for (size_t i = 2; i < COUNT(sums); i++)
        assert_int_equal(together->samples[i].rss_bytes, sums[i]);
    hw_memory_history_destroy(history);
}

static size_t widest(const char *text)
{
    size_t most = 0;
    char *copy = strdup(text), *save = NULL;
    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        most = hw_text_width(line) > most ? hw_text_width(line) : most;
    free(copy);
    return most;
}

static void test_plots_fit_and_keep_their_peaks(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 60, 100000};
    for (size_t i = 0; i < COUNT(counts); i++)
        for (int ascii = 0; ascii <= 1; ascii++) {
            struct hw_memory_history *history = hills("app.py", counts[i]);
            struct hw_out out = {.fd = -1, .width = 80};
            hw_tell_plot(&out, history, &(struct hw_plot_look){.ascii = ascii});
            const char *text = hw_buf_str(&out.buf);
            assert_true(widest(text) <= 80);
            assert_non_null(strstr(text, counts[i] > 2 ? "250.0 MB" : "250"));
            for (const char *p = text; ascii && *p; p++)
                assert_true(*p == '\n' || (*p >= ' ' && *p < 127));
            hw_out_deinit(&out);
            hw_memory_history_destroy(history);
        }
}

static void test_names_cannot_act_in_a_plot(void **state)
{
    (void)state;
    struct hw_memory_history *history = hills("<b>&\x1b[31m\xe2\x80\xae", 10);
    struct hw_out out = {.fd = -1, .width = 80};
    hw_tell_plot(&out, history, &(struct hw_plot_look){.ascii = true});
    hw_tell_plot_svg(&out, history, &(struct hw_plot_look){.stacked = true});
    const char *text = hw_buf_str(&out.buf);
    assert_null(strchr(text, 0x1b));
    assert_null(strstr(text, "\xe2\x80\xae"));
    assert_non_null(strstr(text, "&lt;b&gt;&amp;\\x1b[31m\\u202e"));
    hw_out_deinit(&out);
    hw_memory_history_destroy(history);
}

static void test_marks_are_round(void **state)
{
    (void)state;
    static const struct {
        double bytes;
        const char *text;
    } cases[] = {{0, "0"}, {5000, "5 kB"}, {150e6, "150 MB"}, {2.5e9, "2.5 GB"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hw_buf buf = {0};
        hw_plot_size_text(&buf, cases[i].bytes);
        assert_string_equal(hw_buf_str(&buf), cases[i].text);
        hw_buf_deinit(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_lines),
        cmocka_unit_test(test_damaged_json_lines),
        cmocka_unit_test(test_files_of_mprof),
        cmocka_unit_test(test_files_of_watch),
        cmocka_unit_test(test_files_that_hold_nothing),
        cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_what_a_process_runs),
        cmocka_unit_test(test_the_tightest_group_counts),
        cmocka_unit_test(test_the_sum_of_a_family),
        cmocka_unit_test(test_plots_fit_and_keep_their_peaks),
        cmocka_unit_test(test_names_cannot_act_in_a_plot),
        cmocka_unit_test(test_marks_are_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

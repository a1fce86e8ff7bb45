/* SPDX-License-Identifier: Apache-2.0 */

/* Profiles written by hand: their stacks as trees, as pictures, and for other tools. */
#include "tell/flame-tree.h"
#include "tell/tell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* ---- a program ---- */

#define FRAME(path, name, number, called_by) \
    {.file = path, .function = name, .line = number, .caller = called_by}
#define FROZEN "<frozen importlib._bootstrap>"
static const struct hw_site_frame main_frame = FRAME("/srv/app/main.py", "main", 10, NULL);
static const struct hw_site_frame serve = FRAME("/srv/app/main.py", "serve", 20, &main_frame);
static const struct hw_site_frame add = FRAME("/srv/app/hub/core.py", "Hub.add", 7, &serve);
static const struct hw_site_frame add_more = FRAME("/srv/app/hub/core.py", "Hub.add", 9, &serve);
static const struct hw_site_frame direct = FRAME("/srv/app/hub/core.py", "Hub.add", 7, &main_frame);
static const struct hw_site_frame decode =
    FRAME("/usr/lib/python3.11/json/decoder.py", "decode", 337, &add);
static const struct hw_site_frame frozen = FRAME(FROZEN, "_load", 690, &main_frame);
static const struct hw_site_frame imported =
    FRAME("/venv/lib/python3.11/site-packages/rx/__init__.py", "<module>", 1, &frozen);
static const struct hw_site_frame compiled = FRAME(FROZEN, "_compile", 3, &frozen);

static struct hw_profile_row row_of(const struct hw_site_frame *frame, uint32_t depth,
                                    uint64_t bytes, uint32_t thread)
{
    return (struct hw_profile_row){.frame = frame,
                                   .depth = depth,
                                   .thread = thread,
                                   .amounts[HW_MEASURE_LIVE] = {1, bytes},
                                   .amounts[HW_MEASURE_PEAK] = {2, 2 * bytes}};
}

static struct hw_profile profile_of(struct hw_profile_row *rows, size_t count)
{
    static struct hw_profile_thread threads[] = {{11, "MainThread"}, {12, "worker"}};
    struct hw_profile profile = {
        .command = "app", .rows = rows, .row_count = count, .threads = threads, .thread_count = 2};
    for (size_t i = 0; i < count; i++)
        for (int measure = 0; measure < HW_MEASURE_COUNT; measure++) {
            profile.totals[measure].bytes += rows[i].amounts[measure].bytes;
            profile.totals[measure].count += rows[i].amounts[measure].count;
        }
    return profile;
}

/* ---- trees as lines ---- */

static void put_node(struct hw_buf *buf, const struct hw_flame *flame,
                     const struct hw_stacks *stacks, uint32_t node)
{
    if (flame->parent[node] != HW_NONE) {
        put_node(buf, flame, stacks, flame->parent[node]);
        hw_buf_puts(buf, " > ");
    }
    uint32_t what = flame->what[node];
    if (what < stacks->place_count)
        hw_stacks_label(buf, stacks, what);
    else if (what >= HW_FLAME_OTHERS)
        hw_buf_puts(buf, what == HW_FLAME_ROOT ? "all" : "others");
    else if (what == HW_FLAME_CUT)
        hw_buf_puts(buf, "cut");
    else
        hw_buf_printf(buf, "thread %u", what - (unsigned)HW_FLAME_THREAD);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The nodes with their bytes, in the order of their paths. */
static void assert_tree(const struct hw_profile *profile, const struct hw_frames_look *look,
                        enum hw_flame_direction direction, const char *const *expected,
                        size_t count)
{
    struct hw_stacks stacks;
    struct hw_flame flame;
    char *lines[64];
    assert_true(hw_stacks_init(&stacks, profile, look));
    assert_true(hw_flame_init(&flame, &stacks, direction));
    assert_true(flame.count <= COUNT(lines));
    for (uint32_t i = 0; i < flame.count; i++) {
        struct hw_buf buf = {0};
        put_node(&buf, &flame, &stacks, i);
        hw_buf_printf(&buf, " %llu", (unsigned long long)hw_flame_amounts(&flame, i)[0].bytes);
        lines[i] = strdup(hw_buf_str(&buf));
        hw_buf_deinit(&buf);
    }
    qsort(lines, flame.count, sizeof(*lines), compare_lines);
    for (size_t i = 0; i < flame.count && i < count; i++)
        assert_string_equal(lines[i], expected[i]);
    assert_int_equal(flame.count, count);
    for (size_t i = 0; i < flame.count; i++)
        free(lines[i]);
    hw_flame_deinit(&flame);
    hw_stacks_deinit(&stacks);
}

static const struct hw_frames_look by_line = {.imports = true}, without_imports = {0},
                                   by_function = {.by_function = true};

static void test_stacks_with_the_same_callers_are_one_branch(void **state)
{
    struct hw_profile_row rows[] = {row_of(&add, 3, 100, 0), row_of(&add_more, 3, 10, 0),
                                    row_of(&direct, 2, 5, 0), row_of(&add, 3, 1, 0)};
    struct hw_profile profile = profile_of(rows, COUNT(rows));
    static const char *const callers[] = {
        "all 116",
        "all > main.py:main:10 116",
        "all > main.py:main:10 > hub/core.py:Hub.add:7 5",
        "all > main.py:main:10 > main.py:serve:20 111",
        "all > main.py:main:10 > main.py:serve:20 > hub/core.py:Hub.add:7 101",
        "all > main.py:main:10 > main.py:serve:20 > hub/core.py:Hub.add:9 10"};
    static const char *const functions[] = {
        "all 116", "all > main.py:main 116", "all > main.py:main > hub/core.py:Hub.add 5",
        "all > main.py:main > main.py:serve 111",
        "all > main.py:main > main.py:serve > hub/core.py:Hub.add 111"};
    static const char *const callees[] = {
        "all 116",
        "all > hub/core.py:Hub.add:7 106",
        "all > hub/core.py:Hub.add:7 > main.py:main:10 5",
        "all > hub/core.py:Hub.add:7 > main.py:serve:20 101",
        "all > hub/core.py:Hub.add:7 > main.py:serve:20 > main.py:main:10 101",
        "all > hub/core.py:Hub.add:9 10",
        "all > hub/core.py:Hub.add:9 > main.py:serve:20 10",
        "all > hub/core.py:Hub.add:9 > main.py:serve:20 > main.py:main:10 10"};
    assert_tree(&profile, &by_line, HW_FLAME_CALLERS, callers, COUNT(callers));
    assert_tree(&profile, &by_function, HW_FLAME_CALLERS, functions, COUNT(functions));
    assert_tree(&profile, &by_line, HW_FLAME_CALLEES, callees, COUNT(callees));
    (void)state;
}

static void test_threads_have_a_tree_each(void **state)
{
    struct hw_profile_row rows[] = {row_of(&serve, 2, 100, 0), row_of(&serve, 2, 10, 1),
                                    row_of(&add, 3, 1, 1)};
    struct hw_profile profile = profile_of(rows, COUNT(rows));
    static const char *const threads[] = {
        "all 111",
        "all > thread 0 100",
        "all > thread 0 > main.py:main:10 100",
        "all > thread 0 > main.py:main:10 > main.py:serve:20 100",
        "all > thread 1 11",
        "all > thread 1 > main.py:main:10 11",
        "all > thread 1 > main.py:main:10 > main.py:serve:20 11",
        "all > thread 1 > main.py:main:10 > main.py:serve:20 > hub/core.py:Hub.add:7 1"};
    assert_tree(&profile, &by_line, HW_FLAME_THREADS, threads, COUNT(threads));
    (void)state;
}

static void test_callers_that_were_not_kept_are_a_branch(void **state)
{
    struct hw_profile_row rows[] = {row_of(&serve, 9, 100, 0)};
    struct hw_profile profile = profile_of(rows, COUNT(rows));
    static const char *const callers[] = {"all 100", "all > cut 100",
                                          "all > cut > main.py:main:10 100",
                                          "all > cut > main.py:main:10 > main.py:serve:20 100"};
    static const char *const callees[] = {"all 100", "all > main.py:serve:20 100",
                                          "all > main.py:serve:20 > main.py:main:10 100",
                                          "all > main.py:serve:20 > main.py:main:10 > cut 100"};
    assert_tree(&profile, &by_line, HW_FLAME_CALLERS, callers, COUNT(callers));
    assert_tree(&profile, &by_line, HW_FLAME_CALLEES, callees, COUNT(callees));
    (void)state;
}

static void test_imports_are_left_out_where_they_only_call_on(void **state)
{
    struct hw_profile_row rows[] = {row_of(&imported, 3, 100, 0), row_of(&compiled, 3, 10, 0),
                                    row_of(&frozen, 2, 1, 0)};
    struct hw_profile profile = profile_of(rows, COUNT(rows));
    static const char *const callers[] = {"all 111", "all > main.py:main:10 111",
                                          "all > main.py:main:10 > " FROZEN ":_compile:3 10",
                                          "all > main.py:main:10 > " FROZEN ":_load:690 1",
                                          "all > main.py:main:10 > rx/__init__.py:<module>:1 100"};
    assert_tree(&profile, &without_imports, HW_FLAME_CALLERS, callers, COUNT(callers));
    (void)state;
}

static void test_nothing_known_has_a_name(void **state)
{
    static const struct hw_site_frame unknown = FRAME("", "", 0, NULL);
    struct hw_profile_row rows[] = {row_of(&unknown, 0, 100, 0), row_of(NULL, 0, 10, 0)};
    struct hw_profile profile = profile_of(rows, COUNT(rows));
    struct hw_profile empty = profile_of(rows, 0);
    static const char *const callers[] = {"all 110", "all > (not known) 110"}, *const nothing[] = {
                                                                                   "all 0"};
    assert_tree(&profile, &by_line, HW_FLAME_CALLERS, callers, COUNT(callers));
    assert_tree(&empty, &by_line, HW_FLAME_CALLERS, nothing, 1);
    assert_tree(&empty, &by_line, HW_FLAME_CALLEES, nothing, 1);
    (void)state;
}

/* ---- small enough to look at ---- */

static void assert_sums(const struct hw_flame *flame)
{
    uint64_t *below = calloc(flame->count, sizeof(*below));
    for (size_t i = 1; i < flame->count; i++) {
        assert_true(flame->parent[i] < i);
        below[flame->parent[i]] += hw_flame_amounts(flame, i)[0].bytes;
    }
    for (size_t i = 0; i < flame->count; i++)
        assert_true(below[i] <= hw_flame_amounts(flame, i)[0].bytes);
    free(below);
}

static void test_what_is_small_is_summed_up(void **state)
{
    enum { SMALL = 3000 };
    static struct hw_site_frame frames[SMALL];
    static struct hw_profile_row rows[SMALL + 1];
    for (uint32_t i = 0; i < SMALL; i++) {
        frames[i] = (struct hw_site_frame)FRAME("/srv/app/main.py", "small", i + 1, &main_frame);
        rows[i] = row_of(&frames[i], 2, 100, 0);
    }
    rows[SMALL] = row_of(&serve, 2, 700000, 0);
    struct hw_profile profile = profile_of(rows, COUNT(rows));
    static const char *const callers[] = {"all 1000000", "all > main.py:main:10 1000000",
                                          "all > main.py:main:10 > main.py:serve:20 700000",
                                          "all > main.py:main:10 > others 300000"};
    static const char *const callees[] = {"all 1000000", "all > main.py:serve:20 700000",
                                          "all > main.py:serve:20 > main.py:main:10 700000",
                                          "all > others 300000"};
    assert_tree(&profile, &by_line, HW_FLAME_CALLERS, callers, COUNT(callers));
    assert_tree(&profile, &by_line, HW_FLAME_CALLEES, callees, COUNT(callees));
    (void)state;
}

/* A stack as deep as can be, with a branch at each level. */
static void test_deep_stacks_are_bounded(void **state)
{
    enum { DEEP = 60000 };
    struct hw_site_frame *frames = calloc(DEEP, sizeof(*frames));
    struct hw_profile_row *rows = calloc(DEEP, sizeof(*rows));
    for (uint32_t i = 0; i < DEEP; i++) {
        frames[i] = (struct hw_site_frame)FRAME("/srv/app/main.py", "deep", i % 7,
                                                i ? &frames[i - 1] : NULL);
        rows[i] = row_of(&frames[i], i + 1, 100, 0);
    }
    struct hw_profile profile = profile_of(rows, DEEP);
    struct hw_stacks stacks;
    struct hw_flame flame;
    assert_true(hw_stacks_init(&stacks, &profile, &by_line));
    for (int direction = 0; direction < HW_FLAME_DIRECTIONS; direction++) {
        assert_true(hw_flame_init(&flame, &stacks, (enum hw_flame_direction)direction));
        assert_true(flame.count > 100 && flame.count <= 2 * HW_FLAME_NODES_MAX && flame.left_out);
        assert_int_equal(hw_flame_amounts(&flame, 0)[0].bytes, 100 * DEEP);
        assert_sums(&flame);
        hw_flame_deinit(&flame);
    }
    hw_stacks_deinit(&stacks);
    free(frames);
    free(rows);
    (void)state;
}

/* ---- names of files ---- */

static void test_files_say_whose_they_are(void **state)
{
    static const struct {
        const char *file, *label, *package;
        enum hw_file_kind kind;
        const char *function; /* NULL: f */
    } cases[] = {
        {"/srv/app/main.py", "main.py", "main", HW_FILE_OWN, NULL},
        {"/srv/app/models/user.py", "models/user.py", "models", HW_FILE_OWN, NULL},
        {"/usr/lib/python3.11/asyncio/events.py", "asyncio/events.py", "asyncio", HW_FILE_STANDARD,
         NULL},
        {"/usr/lib/python3.11/threading.py", "threading.py", "threading", HW_FILE_STANDARD, NULL},
        {"/usr/lib/python3/dist-packages/yaml/cyaml.py", "yaml/cyaml.py", "yaml", HW_FILE_LIBRARY,
         NULL},
        {"/v/lib/python3.13/site-packages/six.py", "six.py", "six", HW_FILE_LIBRARY, NULL},
        {"/v/lib/python3.13t/abc.py", "abc.py", "abc", HW_FILE_STANDARD, NULL},
        {"<frozen importlib._bootstrap>", "<frozen importlib._bootstrap>", "importlib",
         HW_FILE_STANDARD, NULL},
        {"<string>", "<string>", "<string>", HW_FILE_OWN, NULL},
        {"/usr/lib/x86_64-linux-gnu/libxml2.so.2", "libxml2.so.2", "libxml2", HW_FILE_NATIVE, NULL},
        {"/v/lib/python3.13/site-packages/rx/_c.cpython-313-x86_64-linux-gnu.so",
         "_c.cpython-313-x86_64-linux-gnu.so", "_c", HW_FILE_NATIVE, NULL},
        {"/usr/bin/python3.11", "python3.11", "python3", HW_FILE_NATIVE, NULL},
        {"./Objects/obmalloc.c", "obmalloc.c", "obmalloc", HW_FILE_NATIVE, NULL},
        {"../Modules/_sqlite/cursor.c", "cursor.c", "_sqlite3", HW_FILE_NATIVE,
         "query (_sqlite3.cpython-311-x86_64-linux-gnu.so)"},
        {"<unknown>", "<unknown>", "<unknown>", HW_FILE_UNKNOWN, NULL},
        {"", "", "", HW_FILE_UNKNOWN, NULL},
    };
    struct hw_site_frame frames[COUNT(cases)];
    struct hw_profile_row rows[COUNT(cases)];
    for (size_t i = 0; i < COUNT(cases); i++) {
        frames[i] = (struct hw_site_frame)FRAME(
            cases[i].file, cases[i].function ? cases[i].function : "f", 1, NULL);
        rows[i] = row_of(&frames[i], 1, 1, 0);
    }
    struct hw_profile profile = profile_of(rows, COUNT(cases));
    struct hw_stacks stacks;
    assert_true(hw_stacks_init(&stacks, &profile, &by_line));
    assert_int_equal(stacks.function_count, COUNT(cases));
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct hw_stack_function *function = &stacks.functions[i];
        assert_string_equal(hw_stacks_text(&stacks, function->label), cases[i].label);
        assert_string_equal(hw_stacks_text(&stacks, function->package), cases[i].package);
        assert_int_equal(function->kind, cases[i].kind);
    }
    hw_stacks_deinit(&stacks);
    (void)state;
}

/* ---- for other tools and for eyes ---- */

static struct hw_out memory_out(void)
{
    return (struct hw_out){.fd = -1, .width = 80};
}

static void test_collapsed_stacks_stand_root_first(void **state)
{
    struct hw_profile_row rows[] = {row_of(&add, 3, 100, 0), row_of(&add, 3, 1, 1),
                                    row_of(&decode, 4, 7, 0), row_of(&main_frame, 1, 0, 0)};
    struct hw_profile profile = profile_of(rows, COUNT(rows));
    struct hw_out out = memory_out();
    hw_tell_collapsed(&out, &profile, HW_MEASURE_PEAK, &by_line);
    assert_string_equal(
        hw_buf_str(&out.buf),
        "main.py:main:10;main.py:serve:20;hub/core.py:Hub.add:7 202\n"
        "main.py:main:10;main.py:serve:20;hub/core.py:Hub.add:7;json/decoder.py:decode:337 14\n");
    hw_buf_clear(&out.buf);
    hw_tell_collapsed(&out, &profile, HW_MEASURE_LIVE, &by_function);
    assert_true(strncmp(hw_buf_str(&out.buf),
                        "main.py:main;main.py:serve;hub/core.py:Hub.add 101\n", 51) == 0);
    hw_out_deinit(&out);
    (void)state;
}

static void test_no_name_breaks_a_line(void **state)
{
    static const struct hw_site_frame outer = FRAME("/srv/app/a;b.py", "f\n 5", 0, NULL);
    static const struct hw_site_frame inner = FRAME("/srv/app/c.py", "\xff  ", 0, &outer);
    struct hw_profile_row rows[] = {row_of(&inner, 2, 100, 0)};
    struct hw_profile profile = profile_of(rows, 1);
    struct hw_out out = memory_out();
    hw_tell_collapsed(&out, &profile, HW_MEASURE_LIVE, &by_line);
    assert_string_equal(hw_buf_str(&out.buf), "a\\x3bb.py:f\\n 5;c.py:\\xff\\x20\\x20 100\n");
    hw_out_deinit(&out);
    (void)state;
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (; (text = strstr(text, what)); text++)
        count++;
    return count;
}

static void test_no_name_gets_out_of_a_picture(void **state)
{
    static char longest[10001];
    memset(longest, 'x', sizeof(longest) - 1);
    static const struct hw_site_frame frames[] = {
        FRAME("/srv/</script><script>bad()</script>.py", "</title><script>bad()</script>", 1, NULL),
        FRAME("/srv/\"' onload=bad() <!--.py", "]]><&\"'", 2, NULL),
        FRAME("/srv/\x1b[31m\xff\n\xe2\x80\xae.py", "\x01\x7f", 3, NULL),
        FRAME("/srv/long.py", longest, 4, NULL)};
    struct hw_profile_row rows[COUNT(frames)];
    for (size_t i = 0; i < COUNT(frames); i++)
        rows[i] = row_of(&frames[i], 1, 100, 0);
    struct hw_profile profile = profile_of(rows, COUNT(rows));
    profile.command = "</script><script>bad()</script>";
    const struct hw_flame_look look = {0};
    struct hw_out out = memory_out();
    hw_tell_flame_html(&out, &profile, &look);
    assert_true(hw_out_ok(&out));
    assert_int_equal(count_of(hw_buf_str(&out.buf), "<script"), 2);
    assert_int_equal(count_of(hw_buf_str(&out.buf), "</script"), 2);
    assert_int_equal(count_of(hw_buf_str(&out.buf), "<!--"), 0);
    assert_int_equal(count_of(hw_buf_str(&out.buf), "\x1b"), 0);
    assert_non_null(strstr(hw_buf_str(&out.buf), "\\u003c/script>\\u003cscript>bad()"));
    hw_buf_clear(&out.buf);
    hw_tell_flame_svg(&out, &profile, &look);
    assert_true(hw_out_ok(&out));
    assert_int_equal(count_of(hw_buf_str(&out.buf), "<script"), 0);
    assert_int_equal(count_of(hw_buf_str(&out.buf), "\x1b"), 0);
    assert_int_equal(count_of(hw_buf_str(&out.buf), "<g>"), 5);
    assert_int_equal(count_of(hw_buf_str(&out.buf), "</title>"), 5);
    hw_out_deinit(&out);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stacks_with_the_same_callers_are_one_branch),
        cmocka_unit_test(test_threads_have_a_tree_each),
        cmocka_unit_test(test_callers_that_were_not_kept_are_a_branch),
        cmocka_unit_test(test_imports_are_left_out_where_they_only_call_on),
        cmocka_unit_test(test_nothing_known_has_a_name),
        cmocka_unit_test(test_what_is_small_is_summed_up),
        cmocka_unit_test(test_deep_stacks_are_bounded),
        cmocka_unit_test(test_files_say_whose_they_are),
        cmocka_unit_test(test_collapsed_stacks_stand_root_first),
        cmocka_unit_test(test_no_name_breaks_a_line),
        cmocka_unit_test(test_no_name_gets_out_of_a_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

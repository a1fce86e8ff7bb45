/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_WORDS = 12, LINE_BYTES = 256 };

/* Parses a command line written with blanks. */
static bool parse(const char *text, struct hw_args *args, struct hw_err *err)
{
    static char line[LINE_BYTES], *argv[MAX_WORDS + 1];
    int argc = 0;
    snprintf(line, sizeof(line), "%s", text);
    for (char *word = strtok(line, " "); word && argc < MAX_WORDS; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    *err = (struct hw_err)HW_ERR_INIT;
    return hw_args_parse(args, argc, argv, err);
}

static struct hw_args parse_well(const char *text)
{
    struct hw_args args;
    struct hw_err err;
    if (!parse(text, &args, &err))
        fail_msg("%s: %s", text, err.msg);
    return args;
}

static void assert_refused(const char *text, enum hw_command_id command, const char *because)
{
    struct hw_args args;
    struct hw_err err;
    if (parse(text, &args, &err))
        fail_msg("%s: was accepted", text);
    assert_int_equal(err.code, HW_ERR_USAGE);
    if (!strstr(err.msg, because))
        fail_msg("%s: says '%s', not '%s'", text, err.msg, because);
    assert_int_equal(args.command, command);
}

static void test_a_number_means_diagnose(void **state)
{
    (void)state;
    struct hw_args args = parse_well("heapwhy 41233");
    assert_int_equal(args.command, HW_COMMAND_DIAGNOSE);
    assert_int_equal(args.word_count, 1);
    assert_string_equal(args.words[0], "41233");
    assert_int_equal(args.snapshots, 0); /* each command has its own */
    assert_int_equal(args.interval_ns, 5000000000);
    assert_int_equal(args.freeze, HW_FREEZE_TWIN);
    assert_false(args.json);
}

static void test_sizes_and_rates(void **state)
{
    (void)state;
    static const struct {
        const char *size;
        int64_t bytes;
    } sizes[] = {{"500M", 500000000}, {"1.5G", 1500000000}, {"64MiB", 67108864},  {"2000", 2000},
                 {"3kB", 3000},       {"3Ki", 3072},        {"1T", 1000000000000}};
    static const struct {
        const char *rate;
        int64_t bytes;
    } rates[] = {{"1M/s", 1000000},
                 {"1M", 1000000},
                 {"60M/min", 1000000},
                 {"36MB/h", 10000},
                 {"1KiB/s", 1024}};
    static const char *const wrong[] = {"",     "M",    "5MM", "-5M",     "1e9",
                                        "0x10", "5M/s", "999", "9999999T"};
    char line[64];
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        snprintf(line, sizeof(line), "heapwhy watch 1 --rss=%s", sizes[i].size);
        assert_int_equal(parse_well(line).rss_bytes, sizes[i].bytes);
    }
    for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
        snprintf(line, sizeof(line), "heapwhy watch 1 --growth=%s", rates[i].rate);
        assert_int_equal(parse_well(line).growth_rate, rates[i].bytes);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        snprintf(line, sizeof(line), "heapwhy watch 1 --rss=%s", wrong[i]);
        assert_refused(line, HW_COMMAND_WATCH, "--rss wants a size");
    }
    assert_refused("heapwhy watch 1 --growth 1M/x", HW_COMMAND_WATCH, "bytes in a time");
    assert_refused("heapwhy watch 1 --every 9ms", HW_COMMAND_WATCH, "from 10ms to 1h");
    assert_int_equal(parse_well("heapwhy watch 1").every_ns, 1000000000);
    assert_int_equal(parse_well("heapwhy watch 1 --warm-up 0s").warm_up_ns, 0);
}

static void test_what_to_ignore_may_be_given_many_times(void **state)
{
    (void)state;
    struct hw_args args = parse_well("heapwhy 1 --ignore app.A --rules=r.txt --ignore=app.B*");
    assert_int_equal(args.ignore.count, 2);
    assert_string_equal(args.ignore.items[0], "app.A");
    assert_string_equal(args.ignore.items[1], "app.B*");
    assert_string_equal(args.rules, "r.txt");
    assert_int_equal(parse_well("heapwhy 1").ignore.count, 0);
    assert_refused("heapwhy 1 --ignore=", HW_COMMAND_DIAGNOSE, "wants a name");
    assert_refused("heapwhy types 1 --ignore x", HW_COMMAND_TYPES, "does not know");
}

static void test_options_stand_anywhere(void **state)
{
    static const char *const lines[] = {
        "heapwhy --json 41233 -n 4",
        "heapwhy 41233 --json -n4",
        "heapwhy -n 4 -j diagnose 41233",
        "heapwhy diagnose --snapshots=4 --json -- 41233",
        "heapwhy -jn4 41233",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        struct hw_args args = parse_well(lines[i]);
        assert_int_equal(args.command, HW_COMMAND_DIAGNOSE);
        assert_true(args.json);
        assert_int_equal(args.snapshots, 4);
        assert_int_equal(args.word_count, 1);
        assert_string_equal(args.words[0], "41233");
    }
}

static void test_an_option_value_is_no_command(void **state)
{
    (void)state;
    struct hw_args args = parse_well("heapwhy --save types 41233");
    assert_int_equal(args.command, HW_COMMAND_DIAGNOSE);
    assert_string_equal(args.save, "types");
}

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } cases[] = {{"500ms", 500000000}, {"5s", 5000000000},  {"2", 2000000000},
                 {"2.5s", 2500000000}, {"1m", 60000000000}, {"24h", 86400000000000}};
    static const char *const bad[] = {"5x", "s", "-1s", "9ms", "25h", "nan", "0x10s", "1e99s"};
    char line[LINE_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(line, sizeof(line), "heapwhy 1 -i %s", cases[i].text);
        assert_int_equal(parse_well(line).interval_ns, cases[i].ns);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        snprintf(line, sizeof(line), "heapwhy diagnose 1 --interval=%s", bad[i]);
        assert_refused(line, HW_COMMAND_DIAGNOSE, "--interval wants a time");
    }
}

static void test_wrong_values_name_the_option(void **state)
{
    (void)state;
    assert_refused("heapwhy -n 0 1", HW_COMMAND_NONE, "--snapshots wants a whole number from 1");
    assert_refused("heapwhy 1 -n 3x", HW_COMMAND_DIAGNOSE, "not '3x'");
    assert_refused("heapwhy 1 -n 99999999999999999999", HW_COMMAND_DIAGNOSE, "--snapshots wants");
    assert_refused("heapwhy types 1 --sort=size", HW_COMMAND_TYPES, "one of bytes, count, name");
    assert_refused("heapwhy types 1 --limit", HW_COMMAND_TYPES, "--limit wants an argument");
    assert_refused("heapwhy types 1 --json=1", HW_COMMAND_TYPES, "--json takes no argument");
    assert_refused("heapwhy snapshot 1 --output=", HW_COMMAND_SNAPSHOT, "--output wants a name");
}

static void test_unknown_things(void **state)
{
    (void)state;
    assert_refused("heapwhy", HW_COMMAND_NONE, "missing");
    assert_refused("heapwhy --json", HW_COMMAND_NONE, "missing");
    assert_refused("heapwhy typos 1", HW_COMMAND_NONE, "no command 'typos'");
    assert_refused("heapwhy types 1 --nope", HW_COMMAND_TYPES, "--nope");
    assert_refused("heapwhy types 1 -z", HW_COMMAND_TYPES, "-z");
    assert_refused("heapwhy types --interval 5s 1", HW_COMMAND_TYPES, "--interval");
    assert_refused("heapwhy types", HW_COMMAND_TYPES, "types wants X");
    assert_refused("heapwhy types 1 2", HW_COMMAND_TYPES, "'2'");
    assert_refused("heapwhy diff 1", HW_COMMAND_DIFF, "diff wants A B");
}

static void test_help_needs_no_arguments(void **state)
{
    (void)state;
    assert_true(parse_well("heapwhy --help").help);
    assert_int_equal(parse_well("heapwhy --help").command, HW_COMMAND_NONE);
    assert_int_equal(parse_well("heapwhy types --help").command, HW_COMMAND_TYPES);
    assert_true(parse_well("heapwhy types -h").help);
    assert_true(parse_well("heapwhy -V").version);
    assert_int_equal(parse_well("heapwhy help").word_count, 0);
}

/* What help texts, manual pages and completions rely on. */
static void test_the_tables_are_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < hw_option_count; i++) {
        const struct hw_option *a = &hw_options[i];
        assert_true(a->commands != 0);
        assert_true(a->help[0] && a->help[strlen(a->help) - 1] == '.');
        assert_true((a->kind == HW_OPTION_FLAG) == (a->arg == NULL));
        assert_true((a->kind == HW_OPTION_CHOICE) == (a->words[0] != NULL));
        for (size_t k = i + 1; k < hw_option_count; k++) {
            assert_true(strcmp(a->name, hw_options[k].name) != 0 ||
                        !(a->commands & hw_options[k].commands));
            assert_true(!a->letter || a->letter != hw_options[k].letter);
            assert_true(a->offset != hw_options[k].offset);
        }
    }
    for (size_t i = 0; i < hw_option_help_count; i++) {
        const struct hw_option_help *help = &hw_option_helps[i];
        uint32_t takers = 0;
        for (size_t k = 0; k < hw_option_count; k++)
            if (strcmp(hw_options[k].name, help->name) == 0)
                takers |= hw_options[k].commands;
        assert_true(help->commands && !(help->commands & ~takers));
        assert_true(help->help[strlen(help->help) - 1] == '.');
    }
    for (int i = 0; i < HW_COMMAND_COUNT; i++) {
        assert_int_equal(hw_command_find(hw_commands[i].name), i);
        assert_non_null(hw_commands[i].examples[0].line);
        assert_true(hw_commands[i].min_args <= hw_commands[i].max_args);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_number_means_diagnose),
        cmocka_unit_test(test_sizes_and_rates),
        cmocka_unit_test(test_what_to_ignore_may_be_given_many_times),
        cmocka_unit_test(test_options_stand_anywhere),
        cmocka_unit_test(test_an_option_value_is_no_command),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_wrong_values_name_the_option),
        cmocka_unit_test(test_unknown_things),
        cmocka_unit_test(test_help_needs_no_arguments),
        cmocka_unit_test(test_the_tables_are_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

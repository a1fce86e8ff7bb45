/* SPDX-License-Identifier: Apache-2.0 */

/* What the user ignores: which suspects a rule fits, and what a file of rules may say. */
#include "series-text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- which suspects a rule fits ---- */

/* Two leaks: many jobs in app.hub.jobs, a few hits in app.hits. */
static void tell(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_puts(out, "['hub'] -> 0x200\n['hits'] -> 0x2000\n"
                     "type app.Hub python heap\ntype app.Job python heap\n"
                     "type app.Hit python heap\n"
                     "@0x200 app.Hub\n.jobs -> 0x1000\n@0x1000 dict\n");
    tell_entries(out, 0, 10 + 200 * k, 0x10000);
    hw_buf_puts(out, "@0x2000 list\n");
    tell_elements(out, 0, 10 + 10 * k, 0x90000);
    tell_instances(out, 0, 10 + 200 * k, 0x10000, "app.Job");
    tell_instances(out, 0, 10 + 10 * k, 0x90000, "app.Hit");
}

static struct hw_diagnosis *diagnose(const struct hw_ignore *ignores, size_t count)
{
    struct hw_diagnose_options options = {ignores, count};
    struct hw_series *series = series_from(tell, 3);
    struct hw_diagnosis *diagnosis;
    struct hw_err err = HW_ERR_INIT;
    if (!hw_diagnose_ask(series, &options, &diagnosis, &err))
        fail_msg("%s", err.msg);
    hw_series_destroy(series);
    return diagnosis;
}

/* The first suspect's type with this one rule; whether the rule was of use. */
static void assert_first(const char *what, const char *type, bool is_used)
{
    struct hw_ignore rule = {what, "known", "rules:1"};
    struct hw_diagnosis *diagnosis = diagnose(&rule, 1);
    assert_true(diagnosis->suspect_count > 0);
    if (strcmp(diagnosis->suspects[0].type, type) != 0)
        fail_msg("%s: the first suspect is %s", what, diagnosis->suspects[0].type);
    assert_int_equal(diagnosis->ignored_count, is_used);
    assert_int_equal(diagnosis->unused_rule_count, !is_used);
    assert_int_equal(diagnosis->verdict, HW_VERDICT_LEAK);
    hw_diagnosis_destroy(diagnosis);
}

static void test_types_and_paths_fit(void **state)
{
    (void)state;
    assert_first("app.Job", "app.Hit", true);
    assert_first("app.J*", "app.Hit", true);
    assert_first("sys.modules['app'].hub.jobs", "app.Hit", true);
    assert_first("sys.modules['app'].hub", "app.Hit", true);
    assert_first("sys.modules[\"app\"].hub", "app.Hit", true);
    assert_first("sys.modules['app'].hits", "app.Job", true);
}

static void test_what_only_begins_alike_does_not_fit(void **state)
{
    (void)state;
    assert_first("app.Jo", "app.Job", false);
    assert_first("app.Jobs", "app.Job", false);
    assert_first("sys.modules['app'].hub.job", "app.Job", false);
    assert_first("sys.modules['app'].hub.jobs[*]", "app.Job", false);
    assert_first("sys", "app.Job", false);
    assert_first("0123456789abcdef", "app.Job", false);
}

static void test_a_fingerprint_fits(void **state)
{
    (void)state;
    struct hw_diagnosis *plain = diagnose(NULL, 0);
    assert_string_equal(plain->suspects[0].type, "app.Job");
    assert_int_equal(plain->ignored_count, 0);
    assert_first(plain->suspects[0].fingerprint, "app.Hit", true);
    hw_diagnosis_destroy(plain);
}

static void test_what_is_ignored_is_listed_and_decides_nothing(void **state)
{
    (void)state;
    static const struct hw_ignore rules[] = {
        {"app.Hub", "no suspect", "rules:1"},
        {"app.J*", "known", "rules:2"},
        {"app.Job", "later", "rules:3"},
        {"sys.modules['app'].hits", "", "--ignore"},
    };
    struct hw_diagnosis *diagnosis = diagnose(rules, 4);
    assert_int_equal(diagnosis->verdict, HW_VERDICT_STEADY);
    assert_int_equal(diagnosis->suspect_count, 0);
    assert_non_null(strstr(diagnosis->answer, "ignored"));
    assert_int_equal(diagnosis->ignored_count, 2);
    const struct hw_ignored *ignored = diagnosis->ignored;
    assert_string_equal(ignored[0].rule, "app.J*");
    assert_string_equal(ignored[0].reason, "known");
    assert_string_equal(ignored[0].source, "rules:2");
    assert_string_equal(ignored[0].type, "app.Job");
    assert_string_equal(ignored[0].path, "sys.modules['app'].hub.jobs");
    assert_int_equal(ignored[0].verdict, HW_VERDICT_LEAK);
    assert_true(ignored[0].bytes_per_second > 0);
    assert_string_equal(ignored[1].type, "app.Hit");
    assert_int_equal(diagnosis->unused_rule_count, 1);
    assert_string_equal(diagnosis->unused_rules[0], "app.Hub");
    assert_string_equal(diagnosis->unused_sources[0], "rules:1");
    hw_diagnosis_destroy(diagnosis);
}

/* ---- files of rules ---- */

static char path[] = "/tmp/heapwhy-rules-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_file(const char *text, size_t bytes)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

static void assert_wrong(const char *text, size_t bytes, const char *where, const char *why)
{
    struct hw_rules *rules;
    struct hw_err err = HW_ERR_INIT;
    char begins[200];
    write_file(text, bytes);
    assert_false(hw_rules_load(path, &rules, &err));
    assert_int_equal(err.code, HW_ERR_USAGE);
    snprintf(begins, sizeof(begins), "%s%s: ", path, where);
    if (strncmp(err.msg, begins, strlen(begins)) != 0 || !strstr(err.msg, why))
        fail_msg("'%s' says neither %s nor %s", err.msg, begins, why);
}

static struct hw_rules *load(const char *text)
{
    struct hw_rules *rules;
    struct hw_err err = HW_ERR_INIT;
    write_file(text, strlen(text));
    if (!hw_rules_load(path, &rules, &err))
        fail_msg("%s", err.msg);
    return rules;
}

static void test_a_file_of_rules_is_read(void **state)
{
    (void)state;
    struct hw_rules *rules = load("# ours\n\n"
                                  "ignore app.Metric* because there are 40 hosts\r\n"
                                  "  \t# indented\n"
                                  "\tignore\t<main() at a b.py>.rows  because\tbecause we said so");
    char source[64];
    assert_int_equal(rules->ignore_count, 2);
    assert_string_equal(rules->ignores[0].what, "app.Metric*");
    assert_string_equal(rules->ignores[0].reason, "there are 40 hosts");
    snprintf(source, sizeof(source), "%s:3", path);
    assert_string_equal(rules->ignores[0].source, source);
    assert_string_equal(rules->ignores[1].what, "<main() at a b.py>.rows");
    assert_string_equal(rules->ignores[1].reason, "because we said so");
    hw_rules_destroy(rules);
    rules = load("");
    assert_int_equal(rules->ignore_count, 0);
    hw_rules_destroy(rules);
    rules = load("ignore app.becausex because it holds the word\n");
    assert_string_equal(rules->ignores[0].what, "app.becausex");
    hw_rules_destroy(rules);
}

#define WRONG(text, where, why) assert_wrong(text, sizeof(text) - 1, where, why)

static void test_what_is_wrong_in_a_file_is_named(void **state)
{
    (void)state;
    WRONG("# x\nignroe app.A because b\n", ":2", "unknown word 'ignroe'");
    WRONG("ignore app.A\n", ":1", "a reason");
    WRONG("ignore app.A because\n", ":1", "the reason is missing");
    WRONG("ignore app.A because  \t\n", ":1", "the reason is missing");
    WRONG("ignore\n", ":1", "what to ignore is missing");
    WRONG("ignore because nothing\n", ":1", "what to ignore is missing");
    WRONG("ignore app.A because x\nignore a\0b because c\n", ":2", "no text");
    WRONG("\x7f"
          "ELF\x02\x01\x01\0\0\0",
          ":1", "no text");
    WRONG("ignore app.A because \x1b[2J\n", ":1", "no text");
}

static void test_a_huge_line_or_file_is_refused(void **state)
{
    (void)state;
    const size_t bytes = 10 * 1024 * 1024;
    char *text = malloc(bytes);
    assert_non_null(text);
    memset(text, 'x', bytes);
    assert_wrong(text, bytes, ":1", "longer than 4096 bytes");
    for (size_t i = 0; i < bytes; i += 64)
        text[i] = '#', text[i + 63] = '\n';
    assert_wrong(text, bytes, "", "more than a megabyte");
    free(text);
}

static void test_a_file_that_cannot_be_read_is_no_wrong_usage(void **state)
{
    (void)state;
    struct hw_rules *rules;
    struct hw_err err = HW_ERR_INIT;
    assert_false(hw_rules_load("/no/such/file", &rules, &err));
    assert_int_equal(err.code, HW_ERR_NOT_FOUND);
    assert_false(hw_rules_load("/tmp", &rules, &err));
    assert_int_equal(err.code, HW_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_and_paths_fit),
        cmocka_unit_test(test_what_only_begins_alike_does_not_fit),
        cmocka_unit_test(test_a_fingerprint_fits),
        cmocka_unit_test(test_what_is_ignored_is_listed_and_decides_nothing),
        cmocka_unit_test(test_a_file_of_rules_is_read),
        cmocka_unit_test(test_what_is_wrong_in_a_file_is_named),
        cmocka_unit_test(test_a_huge_line_or_file_is_refused),
        cmocka_unit_test(test_a_file_that_cannot_be_read_is_no_wrong_usage),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}

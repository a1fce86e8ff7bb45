/* SPDX-License-Identifier: Apache-2.0 */

/* The views, with results written by hand. */
#include "tell/json-writer.h"
#include "tell/line-sort.h"
#include "tell/table.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct hw_out memory_out(void)
{
    return (struct hw_out){.fd = -1, .width = 80};
}

static const char *text_of(struct hw_out *out)
{
    assert_true(hw_out_ok(out));
    return hw_buf_str(&out->buf);
}

static void assert_contains(struct hw_out *out, const char *what)
{
    if (!strstr(text_of(out), what))
        fail_msg("'%s' is not in:\n%s", what, text_of(out));
}

static void assert_lines_fit(struct hw_out *out, size_t columns)
{
    char *text = strdup(text_of(out)), *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        if (hw_text_width(line) > columns)
            fail_msg("%zu columns: %s", hw_text_width(line), line);
    free(text);
}

/* ---- text ---- */

static void test_target_text_cannot_act_on_the_terminal(void **state)
{
    static const struct {
        const char *raw, *shown;
    } cases[] = {
        {"plain 'text'", "plain 'text'"},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x8d", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x8d"},
        {"\x1b[31mred", "\\x1b[31mred"},
        {"a\nb\tc\rd\x7f", "a\\nb\\tc\\rd\\x7f"},
        {"\xc2\x9b"
         "31m",
         "\\x9b31m"}, /* C1 control sequence introducer */
        {"\xe2\x80\xae"
         "abc",
         "\\u202eabc"},                      /* right-to-left override */
        {"\xf3\xa0\x81\x81", "\\U000e0041"}, /* invisible tag */
        {"\xff\xc3(", "\\xff\\xc3("},        /* no UTF-8 */
        {"\xc0\xaf", "\\xc0\\xaf"},          /* overlong */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* surrogate */
        {"end\xe2\x82", "end\\xe2\\x82"},    /* cut in the middle */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hw_buf buf = {0};
        hw_text_escape(&buf, cases[i].raw);
        assert_string_equal(hw_buf_str(&buf), cases[i].shown);
        hw_buf_deinit(&buf);
    }
}

static void test_cutting_keeps_both_ends(void **state)
{
    static const struct {
        const char *text;
        size_t columns;
        const char *cut;
    } cases[] = {
        {"short", 5, "short"},
        {"sys.modules['app'].hub", 12, "sys.m....hub"},
        {"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac", 8,
         "\xe6\x97\xa5...\xe6\x9c\xac"},
        {"abcdefgh", 4, "a..."},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hw_buf buf = {0};
        hw_text_cut(&buf, cases[i].text, cases[i].columns);
        assert_string_equal(hw_buf_str(&buf), cases[i].cut);
        assert_true(hw_text_width(hw_buf_str(&buf)) <= cases[i].columns);
        hw_buf_deinit(&buf);
    }
}

static void assert_number(void (*put)(struct hw_buf *, double), double n, const char *text)
{
    struct hw_buf buf = {0};
    put(&buf, n);
    assert_string_equal(hw_buf_str(&buf), text);
    hw_buf_deinit(&buf);
}

static void put_count(struct hw_buf *buf, double n)
{
    hw_text_count(buf, (uint64_t)n);
}

static void put_duration(struct hw_buf *buf, double n)
{
    hw_text_duration(buf, (int64_t)n);
}

static void put_delta(struct hw_buf *buf, double n)
{
    hw_text_delta(buf, (int64_t)n);
}

static void put_version(struct hw_buf *buf, double n)
{
    hw_text_python(buf, (uint32_t)n);
}

static void test_numbers_as_people_read_them(void **state)
{
    (void)state;
    assert_number(hw_text_bytes, 0, "0 B");
    assert_number(hw_text_bytes, 999, "999 B");
    assert_number(hw_text_bytes, 1900000, "1.9 MB");
    assert_number(hw_text_bytes, 999960, "1.0 MB");
    assert_number(hw_text_bytes, -2500, "-2.5 kB");
    assert_number(hw_text_bytes, 1.8e19, "18.0 EB");
    assert_number(put_count, 0, "0");
    assert_number(put_count, 999, "999");
    assert_number(put_count, 1234567, "1,234,567");
    assert_number(put_delta, 1000, "+1,000");
    assert_number(put_delta, -1000, "-1,000");
    assert_number(put_delta, 0, "0");
    assert_number(hw_text_rate, 411.954, "412");
    assert_number(hw_text_rate, 3.21, "3.2");
    assert_number(hw_text_rate, 0.051, "0.05");
    assert_number(hw_text_rate, 0, "0");
    assert_number(hw_text_rate, -1500, "-1,500");
    assert_number(put_duration, 1440000, "1.4 ms");
    assert_number(put_duration, 14400000, "14 ms");
    assert_number(put_duration, 2300000000, "2.3 s");
    assert_number(put_version, 0x030b02f0, "3.11.2");
    assert_number(put_version, 0x030e00c1, "3.14.0rc1");
}

/* ---- out ---- */

static void test_a_failed_write_is_kept(void **state)
{
    struct hw_out out = {.fd = open("/dev/full", O_WRONLY), .width = 80};
    (void)state;
    for (int i = 0; i < 100000; i++)
        hw_out_puts(&out, "0123456789");
    assert_false(hw_out_ok(&out));
    assert_true(out.buf.len < 1000000);
    assert_false(hw_out_finish(&out));
    assert_int_equal(out.sys_errno, ENOSPC);
    close(out.fd);
}

static void test_wrapping(void **state)
{
    struct hw_out out = memory_out();
    (void)state;
    out.width = 20;
    hw_out_puts(&out, "Cure  ");
    hw_out_wrap(&out, 6, 6, "one two three four\x1b five");
    assert_string_equal(text_of(&out), "Cure  one two three\n      four\\x1b five\n");
    hw_out_deinit(&out);
}

/* ---- tables ---- */

static void fill_table(struct hw_out *out, const char *name)
{
    static const struct hw_column columns[] = {
        {"objects", HW_COLUMN_RIGHT}, {"type", HW_COLUMN_CUT}, {"", HW_COLUMN_BELOW}};
    struct hw_table table = {.columns = columns, .column_count = 3};
    hw_buf_puts(hw_table_cell(&table), "12");
    hw_text_escape(hw_table_cell(&table), name);
    hw_buf_puts(hw_table_cell(&table), "path");
    hw_buf_puts(hw_table_cell(&table), "1,234,567");
    hw_buf_puts(hw_table_cell(&table), "str");
    hw_table_cell(&table);
    hw_table_finish(&table, out);
}

static void test_a_table_is_whole_in_a_pipe_and_cut_on_a_terminal(void **state)
{
    struct hw_out out = memory_out();
    (void)state;
    out.width = 40;
    fill_table(&out, "a.very.long.module.name.of.some.package.Session");
    assert_string_equal(text_of(&out),
                        "  objects  type\n"
                        "       12  a.very.long.module.name.of.some.package.Session\n"
                        "    path\n"
                        "1,234,567  str\n");
    hw_buf_clear(&out.buf);
    out.terminal = true;
    fill_table(&out, "a.very.long.module.name.of.some.package.Session");
    assert_lines_fit(&out, 40);
    assert_contains(&out, "       12  a.very.long.m...ckage.Session\n");
    assert_contains(&out, "1,234,567");
    hw_out_deinit(&out);
}

/* ---- JSON ---- */

static void test_json_is_well_formed_whatever_is_in_it(void **state)
{
    struct hw_out out = memory_out();
    struct hw_json json;
    (void)state;
    hw_json_init(&json, &out, true);
    hw_json_object(&json, NULL);
    hw_json_string(&json, "s", "q\" b\\ n\n e\x1b \xc3\xa9 \xff\xe2\x80\xa8");
    hw_json_array(&json, "a");
    hw_json_u64(&json, NULL, UINT64_MAX);
    hw_json_i64(&json, NULL, INT64_MIN);
    hw_json_double(&json, NULL, 411.9539);
    hw_json_double(&json, NULL, NAN);
    hw_json_end(&json);
    hw_json_array(&json, "empty");
    hw_json_end(&json);
    hw_json_bool(&json, "b", true);
    hw_json_addr(&json, "addr", 0x7f3a00);
    hw_json_addr(&json, "none", 0);
    hw_json_time(&json, "at", INT64_C(1763636400123456789));
    hw_json_end(&json);
    assert_string_equal(text_of(&out),
                        "{\"s\":\"q\\\" b\\\\ n\\u000a e\\u001b \xc3\xa9 \\ufffd\\u2028\","
                        "\"a\":[18446744073709551615,-9223372036854775808,411.954,null],"
                        "\"empty\":[],\"b\":true,\"addr\":\"0x7f3a00\",\"none\":null,"
                        "\"at\":\"2025-11-20T11:00:00.123Z\"}\n");
    hw_out_deinit(&out);
}

/* ---- sorting ---- */

/* Pseudo-random lines, from a pool small enough to have duplicates. */
static void add_lines(struct hw_line_sort *sort, unsigned count)
{
    unsigned seed = 1;
    for (unsigned i = 0; i < count; i++) {
        char line[64];
        seed = seed * 1103515245 + 12345;
        int n = snprintf(line, sizeof(line), "%.*s%u", (int)(seed >> 28), "xxxxxxxxxxxxxxxxxxxx",
                         seed >> 16 & 0xff);
        assert_true(hw_line_sort_add(sort, line, (size_t)n, NULL));
    }
}

static void sorted_text(size_t run_bytes, struct hw_out *out)
{
    struct hw_line_sort sort;
    hw_line_sort_init(&sort);
    sort.run_bytes = run_bytes;
    add_lines(&sort, 5000);
    assert_true(hw_line_sort_finish(&sort, out, NULL));
    hw_line_sort_deinit(&sort);
}

static void test_sorting_in_runs_gives_what_sorting_at_once_gives(void **state)
{
    struct hw_out whole = memory_out(), runs = memory_out();
    unsigned lines = 0;
    char before[64] = "";
    (void)state;
    sorted_text(HW_LINE_SORT_RUN_BYTES, &whole);
    sorted_text(1000, &runs);
    assert_string_equal(text_of(&whole), text_of(&runs));
    char *save = NULL;
    for (char *line = strtok_r((char *)whole.buf.data, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        assert_true(strcmp(before, line) <= 0);
        snprintf(before, sizeof(before), "%s", line);
        lines++;
    }
    assert_int_equal(lines, 5000);
    hw_out_deinit(&whole);
    hw_out_deinit(&runs);
}

static void test_a_line_longer_than_the_read_buffer_survives_the_merge(void **state)
{
    struct hw_line_sort sort;
    struct hw_out out = memory_out();
    char *line = malloc(200000);
    (void)state;
    hw_line_sort_init(&sort);
    sort.run_bytes = 1000;
    memset(line, 'm', 200000);
    assert_true(hw_line_sort_add(&sort, "z", 1, NULL));
    assert_true(hw_line_sort_add(&sort, line, 200000, NULL));
    assert_true(hw_line_sort_add(&sort, "a", 1, NULL));
    assert_true(hw_line_sort_finish(&sort, &out, NULL));
    assert_int_equal(out.buf.len, 200000 + 5);
    assert_memory_equal(text_of(&out), "a\nmmm", 5);
    assert_string_equal(text_of(&out) + out.buf.len - 5, "mm\nz\n");
    free(line);
    hw_line_sort_deinit(&sort);
    hw_out_deinit(&out);
}

/* ---- views ---- */

static const struct hw_facts facts = {.pid = 41233,
                                      .taken_at_ns = INT64_C(1763636400123456789),
                                      .pause_ns = 14200000,
                                      .rss_bytes = 181000000,
                                      .python_version = 0x030b02f0,
                                      .main_script = "app.py"};

static void test_types_are_sorted_and_limited(void **state)
{
    struct hw_type_row rows[] = {
        {"dict", 5, 500, 0, 0}, {"app.Session", 7, 300, 0, 1}, {"str", 9, 90, 0, 2}};
    struct hw_types types = {rows, 3, 21, 890, 0};
    struct hw_out out = memory_out();
    (void)state;
    hw_tell_types(&out, &facts, &types, HW_SORT_COUNT, 2);
    assert_contains(&out, "process 41233, Python 3.11.2, app.py, 2025-11-20 11:00:00 UTC, "
                          "paused 14 ms\n");
    assert_contains(&out, "      9   90 B   10.1  str\n"
                          "      7  300 B   33.7  app.Session\n"
                          "     21  890 B  100.0  all 3 types\n"
                          "2 of 3 types; --all shows all.\n");
    hw_buf_clear(&out.buf);
    out.json = true;
    hw_tell_types(&out, &facts, &types, HW_SORT_NAME, 0);
    assert_true(strstr(text_of(&out), "app.Session") < strstr(text_of(&out), "\"dict\""));
    assert_contains(&out, "\"objects\": 21,\n  \"bytes\": 890,");
    hw_out_deinit(&out);
}

static void test_merged_paths_stand_below_their_numbers_and_the_rest_is_summed(void **state)
{
    struct hw_merged_row rows[] = {
        {"sys.modules['app'].hub._subscribers[*].conn", "app.Sub", false, 20000, 1000000, 7,
         0x7f3a4c0b1230},
        {"<main() at a\x1b[2J.py>.rows[*]", "list", false, 30, 200, 8, 0x7f3a4c0b1270}};
    struct hw_merged paths = {.rows = rows,
                              .row_count = 2,
                              .place_count = 14,
                              .count = 20061,
                              .bytes = 1000310,
                              .rest_count = 12,
                              .rest_bytes = 60,
                              .unheld_count = 19,
                              .unheld_bytes = 50,
                              .garbage_count = 17,
                              .garbage_bytes = 40};
    struct hw_out out = memory_out();
    (void)state;
    hw_tell_merged(&out, &facts, "app.Conn", HW_MERGED_PATHS, &paths);
    assert_lines_fit(&out, 80);
    assert_null(strchr(text_of(&out), '\x1b'));
    assert_contains(&out, "20,061 objects are app.Conn, 1.0 MB, on 14 different paths\n");
    assert_contains(&out, " 20,000  1.0 MB  100.0  app.Sub  0x7f3a4c0b1230\n"
                          "    sys.modules['app'].hub._subscribers[*].conn\n");
    assert_contains(&out, "    12 other paths; --all shows all\n");
    assert_contains(&out, "     17    40 B    0.0\n    garbage: ");
    assert_contains(&out, "      2    10 B    0.0\n    no root ");
    hw_buf_clear(&out.buf);
    out.json = true;
    hw_tell_merged(&out, &facts, "app.Conn", HW_MERGED_PATHS, &paths);
    assert_contains(&out, "\"objects\": 20061,\n  \"bytes\": 1000310,\n  \"path_count\": 14,");
    assert_contains(&out, "\"holder_type\": \"app.Sub\"");
    assert_contains(&out, "\"example\": \"0x7f3a4c0b1230\"");
    assert_contains(&out, "\"rest\": {\n    \"objects\": 12,");
    assert_null(strstr(text_of(&out), "shared"));
    hw_buf_clear(&out.buf);
    hw_tell_merged(&out, &facts, "app.Conn", HW_MERGED_OWNERS, &paths);
    assert_contains(&out, "\"owner_count\": 14,\n  \"owners\": [");
    assert_contains(&out, "\"owner_type\": \"app.Sub\",\n      \"shared\": false,");
    hw_buf_clear(&out.buf);
    out.json = false;
    rows[0].shared = true;
    hw_tell_merged(&out, &facts, "app.Conn", HW_MERGED_OWNERS, &paths);
    assert_lines_fit(&out, 80);
    assert_contains(&out, "1.0 MB, with 14 different owners\n");
    assert_contains(&out, "  100.0  several   0x7f3a4c0b1230\n    shared: sys.modules['app'].hub");
    hw_out_deinit(&out);
}

static struct hw_step steps[] = {
    {9, 0, "", "interpreter", "interpreter 0", false},
    {3, 0x7f3a4c0b1200, "sys.modules", "dict", "", false},
    {1, 0x7f3a4c0b1230, "['app']", "module", "app", false},
    {2, 0x7f3a4c0b1270, ".hub", "app.Hub", "\x1b[2J", true},
};
static const char *evidence[] = {"It grew in every interval: 1,000, 20,000, 53,120 entries, and "
                                 "nothing was ever removed from it while heapwhy looked."};
static const char *doubts[] = {"Fifteen seconds are short.", "The bytes may be a cache."};

static struct hw_diagnosis sample_diagnosis(struct hw_suspect *suspects, struct hw_chain *also,
                                            struct hw_shot *shots)
{
    *also = (struct hw_chain){"local sessions of main() app.py:12", steps, 1, 1};
    shots[0] = (struct hw_shot){facts.taken_at_ns, 14200000, 1000, 48000, 0, 18100000};
    shots[1] = (struct hw_shot){facts.taken_at_ns + 1000000000, 13200000, 2000, 96000, 0, 18200000};
    suspects[0] = (struct hw_suspect){.pattern = HW_PATTERN_GROWING_CONTAINER,
                                      .cause = "growing-dict",
                                      .about = "A dict gets entries and loses none.",
                                      .verdict = HW_VERDICT_LEAK,
                                      .type = "app.Session",
                                      .chain = {"sys.modules['app'].hub", steps, 4, 1},
                                      .shape = "sys.modules['app'].hub",
                                      .fingerprint = "0123456789abcdef",
                                      .also = also,
                                      .also_count = 1,
                                      .objects_per_second = 411.9539,
                                      .objects_per_second_low = 400,
                                      .objects_per_second_high = 424,
                                      .confidence = 1,
                                      .held_objects_per_second = 411.9539,
                                      .bytes_per_second = 98765,
                                      .objects = 53120,
                                      .held_objects = 53120,
                                      .bytes = 12100000,
                                      .evidence = evidence,
                                      .evidence_count = 1,
                                      .fix = "Remove the entry when the session ends."};
    suspects[1] = (struct hw_suspect){.pattern = HW_PATTERN_UNEXPLAINED,
                                      .cause = "unexplained-references",
                                      .about = "",
                                      .verdict = HW_VERDICT_INCONCLUSIVE,
                                      .type = "bytes",
                                      .chain = {.path = ""},
                                      .shape = "",
                                      .fingerprint = "fedcba9876543210",
                                      .doubt = doubts[1],
                                      .fix = ""};
    static struct hw_ignored ignored = {.rule = "app.Metric*",
                                        .reason = "bounded by the number\x1b[2J of hosts",
                                        .source = "rules.txt:3",
                                        .type = "app.Metric",
                                        .path = "sys.modules['app'].metrics",
                                        .shape = "sys.modules['app'].metrics",
                                        .fingerprint = "00112233aabbccdd",
                                        .verdict = HW_VERDICT_LEAK,
                                        .bytes_per_second = 98765};
    static const char *unused[] = {"app.Old", "app.Typo"};
    static const char *sources[] = {"rules.txt:4", "--ignore"};
    return (struct hw_diagnosis){.verdict = HW_VERDICT_LEAK,
                                 .answer = "412 app.Session objects a second stay.",
                                 .doubts = doubts,
                                 .doubt_count = 2,
                                 .shots = shots,
                                 .shot_count = 2,
                                 .suspects = suspects,
                                 .suspect_count = 2,
                                 .ignored = &ignored,
                                 .ignored_count = 1,
                                 .unused_rules = unused,
                                 .unused_sources = sources,
                                 .unused_rule_count = 2};
}

static void test_a_diagnosis_answers_first_and_fits_the_screen(void **state)
{
    struct hw_suspect suspects[2];
    struct hw_chain also;
    struct hw_shot shots[2];
    struct hw_diagnosis diagnosis = sample_diagnosis(suspects, &also, shots);
    struct hw_out out = memory_out();
    (void)state;
    hw_tell_diagnosis(&out, &facts, &diagnosis);
    assert_memory_equal(text_of(&out), "LEAK: 412 app.Session objects a second stay.\n", 45);
    assert_lines_fit(&out, 80);
    assert_contains(&out, "\n         +412 objects/s, +98.8 kB/s; now 53,120 objects, 12.1 MB\n");
    assert_contains(&out, "\n  sys.modules['app'].hub\n    interpreter 0\n    sys.modules  dict    "
                          " 0x7f3a4c0b1200\n");
    assert_contains(&out, "    .hub         app.Hub  0x7f3a4c0b1270  \\x1b[2J (inferred)\n");
    assert_contains(&out, "Also in  local sessions of main() app.py:12\n");
    assert_contains(&out, "Pattern  growing-dict: A dict gets entries and loses none.\n");
    assert_contains(&out, "\n         fingerprint 0123456789abcdef\n");
    assert_contains(&out, "inconclusive  unexplained-references  bytes\n");
    assert_contains(&out,
                    "\nIgnored  app.Metric, +98.8 kB/s, in sys.modules['app'].metrics (bounded by "
                    "the\n         number\\x1b[2J of hosts)\n");
    assert_null(strstr(text_of(&out), "app.Old"));
    assert_contains(&out, "\nUnused   --ignore app.Typo matched nothing\n");
    assert_contains(&out, "\nDoubts   - Fifteen seconds are short.\n"
                          "         - 1 other suspect is not settled: --json tells why\n");
    assert_null(strstr(text_of(&out), "may be a cache"));
    assert_contains(&out, "  14 ms\n");
    assert_null(strchr(text_of(&out), '\x1b'));
    hw_buf_clear(&out.buf);
    out.color = true;
    hw_tell_diagnosis(&out, &facts, &diagnosis);
    assert_contains(&out, "\x1b[1;31mLEAK:\x1b[0m");
    hw_out_deinit(&out);
}

static void test_a_diagnosis_in_json_has_the_promised_keys(void **state)
{
    static const char *const promised[] = {"\"verdict\": \"leak\"",
                                           "\"answer\": ",
                                           "\"doubts\": [\n    \"Fifteen",
                                           "\"pid\": 41233",
                                           "\"python\": \"3.11.2\"",
                                           "\"at\": \"2025-11-20T11:00:00.123Z\"",
                                           "\"pause_ms\": 14.200",
                                           "\"rss_bytes\": 18100000",
                                           "\"pattern\": \"growing-container\"",
                                           "\"cause\": \"growing-dict\"",
                                           "\"about\": \"A dict",
                                           "\"type\": \"app.Session\"",
                                           "\"fingerprint\": \"0123456789abcdef\"",
                                           "\"shape\": \"sys.modules['app'].hub\"",
                                           "\"path\": \"sys.modules['app'].hub\"",
                                           "\"addr\": null",
                                           "\"addr\": \"0x7f3a4c0b1270\"",
                                           "\"inferred\": true",
                                           "\"also_held_by\": [",
                                           "\"objects_per_second\": 411.954",
                                           "\"bytes_per_second\": 98765.000",
                                           "\"objects\": 53120",
                                           "\"bytes\": 12100000",
                                           "\"evidence\": [",
                                           "\"fix\": \"Remove",
                                           "\"ignored\": [",
                                           "\"rule\": \"app.Metric*\"",
                                           "\"source\": \"rules.txt:3\"",
                                           "\"doubt\": \"The bytes may be a cache.\"",
                                           "\"unused_rules\": [\n    \"app.Old\""};
    struct hw_suspect suspects[2];
    struct hw_chain also;
    struct hw_shot shots[2];
    struct hw_diagnosis diagnosis = sample_diagnosis(suspects, &also, shots);
    struct hw_out out = memory_out();
    (void)state;
    out.json = true;
    hw_tell_diagnosis(&out, &facts, &diagnosis);
    for (size_t i = 0; i < COUNT(promised); i++)
        assert_contains(&out, promised[i]);
    hw_out_deinit(&out);
}

static void test_a_steady_process_has_no_suspect(void **state)
{
    struct hw_shot shot = {facts.taken_at_ns, 14200000, 1000, 48000, 0, 18100000};
    struct hw_diagnosis diagnosis = {
        .verdict = HW_VERDICT_STEADY, .answer = "Nothing grows.", .shots = &shot, .shot_count = 1};
    struct hw_out out = memory_out();
    (void)state;
    hw_tell_diagnosis(&out, &facts, &diagnosis);
    assert_memory_equal(text_of(&out), "STEADY: Nothing grows.\n\nSnapshots of process 41233", 50);
    assert_null(strstr(text_of(&out), "Holder"));
    hw_out_deinit(&out);
}

static void test_a_diff_shows_growth_by_type_and_holder(void **state)
{
    uint64_t counts[] = {1000, 20000}, bytes[] = {48000, 960000}, native_bytes[] = {0, 0};
    struct hw_facts both[] = {facts, facts};
    struct hw_diff_type type = {"app.Session", counts, bytes, 19000, 912000, 19100, 0};
    struct hw_diff_holder holder = {.path = "sys.modules['app'].hub._subscribers",
                                    .holder_type = "dict",
                                    .type = "app.Session",
                                    .sizes = counts,
                                    .born = 19100,
                                    .born_bytes = 916800};
    struct hw_diff diff = {2, both, counts, bytes, native_bytes, &type, 1, &holder, 1};
    struct hw_out out = memory_out();
    (void)state;
    hw_tell_diff(&out, &diff, 0);
    assert_contains(&out, "+19,000  +912.0 kB  20,000  19,100         0  app.Session\n");
    assert_contains(&out, "1,000 > 20,000  app.Session  dict\n"
                          "    sys.modules['app'].hub._subscribers\n");
    hw_buf_clear(&out.buf);
    out.json = true;
    hw_tell_diff(&out, &diff, 0);
    assert_contains(&out, "\"objects_delta\": 19000");
    assert_contains(&out, "\"new_bytes\": 916800");
    hw_out_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_target_text_cannot_act_on_the_terminal),
        cmocka_unit_test(test_cutting_keeps_both_ends),
        cmocka_unit_test(test_numbers_as_people_read_them),
        cmocka_unit_test(test_a_failed_write_is_kept),
        cmocka_unit_test(test_wrapping),
        cmocka_unit_test(test_a_table_is_whole_in_a_pipe_and_cut_on_a_terminal),
        cmocka_unit_test(test_json_is_well_formed_whatever_is_in_it),
        cmocka_unit_test(test_sorting_in_runs_gives_what_sorting_at_once_gives),
        cmocka_unit_test(test_a_line_longer_than_the_read_buffer_survives_the_merge),
        cmocka_unit_test(test_types_are_sorted_and_limited),
        cmocka_unit_test(test_merged_paths_stand_below_their_numbers_and_the_rest_is_summed),
        cmocka_unit_test(test_a_diagnosis_answers_first_and_fits_the_screen),
        cmocka_unit_test(test_a_diagnosis_in_json_has_the_promised_keys),
        cmocka_unit_test(test_a_steady_process_has_no_suspect),
        cmocka_unit_test(test_a_diff_shows_growth_by_type_and_holder),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}

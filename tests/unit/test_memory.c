/* SPDX-License-Identifier: Apache-2.0 */
#include "account/trend.h"
#include "graph-text.h"
#include "series-text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Ledgers made by hand: what they tell alone, against each other, and in a diagnosis. */

enum { MB = 1 << 20, SHOTS_MAX = 8 };

/* One snapshot: bytes of each, all resident. */
struct shot {
    uint64_t live, pinned, used, kept;
    uint64_t leaked; /* blocks of 4096 bytes among used */
};

static void part_put(struct hw_graph *graph, enum hw_memory_kind kind, const char *name,
                     uint64_t bytes)
{
    struct hw_ledger_part *part = hw_ledger_part(&graph->ledger, kind, name, &graph->arena);
    assert_non_null(part);
    part->rss_bytes += kind < HW_MEMORY_SWAP ? bytes : 0;
    part->bytes += bytes;
    part->count++;
}

static void ledger_put(struct hw_graph *graph, const struct shot *shot)
{
    struct hw_ledger *ledger = &graph->ledger;
    ledger->recorded = true;
    part_put(graph, HW_MEMORY_OBJECTS, "dict", shot->live / 4);
    part_put(graph, HW_MEMORY_OBJECTS, "str", shot->live - shot->live / 4);
    part_put(graph, HW_MEMORY_FREE_BLOCKS, "", shot->pinned);
    part_put(graph, HW_MEMORY_MALLOC_USED, "", shot->used + shot->leaked * 4096);
    part_put(graph, HW_MEMORY_MALLOC_FREE, "", shot->kept);
    part_put(graph, HW_MEMORY_LIBRARIES, "/lib/libc.so.6", 2 * MB);
    part_put(graph, HW_MEMORY_TRIM, "", shot->kept / 2);
    ledger->natives = calloc(2, sizeof(*ledger->natives));
    ledger->native_count = 2;
    ledger->natives[0] = (struct hw_ledger_native){64, shot->used / 64, shot->used, "", ""};
    ledger->natives[1] = (struct hw_ledger_native){4096, shot->leaked, shot->leaked * 4096,
                                                   "'jpeg'", "/lib/libjpeg.so.62"};
    ledger->arenas = calloc(2, sizeof(*ledger->arenas));
    ledger->arena_count = 2;
    ledger->arenas[0] = (struct hw_ledger_arena){0x10000000, 900000, 100000, 0, MB, 64};
    ledger->arenas[1] = (struct hw_ledger_arena){0x20000000, 400, 900000, 0, MB, 64};
}

static void tell(struct hw_buf *out)
{
    tell_app(out);
    hw_buf_puts(out, "['hub'] -> 0x1000\n"
                     "@0x1000 app.Hub\n"
                     ".first -> 0x10000040\n"
                     ".last -> 0x20000040\n"
                     "@0x10000040 list size=80\n"
                     "@0x20000040 app.Sample size=200\n");
}

static struct hw_series *series_of(const struct shot *shots, unsigned count)
{
    struct hw_series *series;
    assert_true(hw_series_create(&series, NULL));
    for (unsigned k = 0; k < count; k++) {
        struct hw_buf text = {0};
        hw_buf_printf(&text, "fact taken_at_ns=%llu\n", (k + 1) * 5000000000ull);
        tell(&text);
        struct hw_graph *graph = graph_from_text(hw_buf_str(&text));
        hw_buf_deinit(&text);
        ledger_put(graph, &shots[k]);
        assert_true(hw_series_add(series, graph, NULL));
    }
    return series;
}

/* ---- the question ---- */

static const struct hw_memory_part *part_of(const struct hw_memory *memory, const char *name)
{
    for (size_t i = 0; i < memory->part_count; i++)
        if (!strcmp(memory->parts[i].name, name))
            return &memory->parts[i];
    fail_msg("no part %s", name);
    return NULL;
}

static void test_parts_add_up(void **state)
{
    (void)state;
    const struct shot shots[] = {{8 * MB, MB, 2 * MB, 3 * MB, 10},
                                 {8 * MB, 4 * MB, 2 * MB, MB, 30}};
    struct hw_series *series = series_of(shots, 2);
    struct hw_memory *memory;
    assert_true(hw_memory_ask(series, &memory, NULL));
    uint64_t sum = 0;
    for (size_t i = 0; i < memory->part_count; i++) {
        sum += memory->parts[i].rss_bytes;
        assert_true(!i || memory->parts[i - 1].rss_bytes >= memory->parts[i].rss_bytes);
    }
    assert_int_equal(memory->rss_bytes, sum);
    assert_int_equal(sum, 17 * MB + 30 * 4096);
    assert_int_equal(memory->rss_delta, MB + 20 * 4096);
    const struct hw_memory_part *objects = part_of(memory, "python-objects");
    assert_int_equal(objects->detail_count, 2);
    assert_string_equal(objects->details[0].name, "str");
    assert_int_equal(part_of(memory, "malloc-free")->rss_delta, -2 * MB);
    assert_string_equal(memory->beside[0].name, "malloc-trim");
    assert_int_equal(memory->beside[0].bytes, MB / 2);
    assert_int_equal(memory->natives[0].block_bytes, 4096);
    assert_int_equal(memory->natives[0].count_delta, 20);
    hw_memory_destroy(memory);
    hw_series_destroy(series);
}

static void test_survivors_of_sparse_arenas_are_named(void **state)
{
    (void)state;
    const struct shot shot = {8 * MB, MB, 2 * MB, 3 * MB, 0};
    struct hw_series *series = series_of(&shot, 1);
    struct hw_memory *memory;
    assert_true(hw_memory_ask(series, &memory, NULL));
    assert_int_equal(memory->arena_count, 2);
    assert_int_equal(memory->sparse_arena_count, 1);
    assert_int_equal(memory->pin_count, 1);
    assert_string_equal(memory->pins[0].type, "app.Sample");
    assert_string_equal(memory->pins[0].path, "sys.modules['app'].hub.last");
    assert_int_equal(memory->rss_delta, 0);
    hw_memory_destroy(memory);
    hw_series_destroy(series);
}

static void tell_nothing(struct hw_buf *out, unsigned k)
{
    (void)k;
    tell(out);
}

static void test_without_a_ledger_there_is_no_answer(void **state)
{
    (void)state;
    struct hw_series *series = series_from(tell_nothing, 3);
    struct hw_err err = HW_ERR_INIT;
    struct hw_memory *memory = NULL;
    assert_false(hw_memory_ask(series, &memory, &err));
    assert_int_equal(err.code, HW_ERR_UNSUPPORTED);
    struct hw_memory_trend trend;
    struct hw_arena arena = {0};
    assert_true(hw_memory_trend_find(series, &arena, &trend));
    assert_int_equal(trend.trend, HW_TREND_NONE);
    hw_arena_deinit(&arena);
    hw_series_destroy(series);
}

/* ---- trends, and what a diagnosis makes of them ---- */

static void assert_diagnosed(const struct shot *shots, unsigned count, enum hw_trend trend,
                             enum hw_verdict verdict, const char *type, const char *answer)
{
    struct hw_series *series = series_of(shots, count);
    struct hw_memory_trend found;
    struct hw_arena arena = {0};
    struct hw_diagnosis *diagnosis;
    assert_true(hw_memory_trend_find(series, &arena, &found));
    assert_int_equal(found.trend, trend);
    assert_true(hw_diagnose_ask(series, NULL, &diagnosis, NULL));
    assert_int_equal(diagnosis->verdict, verdict);
    assert_int_equal(diagnosis->suspect_count, type != NULL);
    if (type)
        assert_string_equal(diagnosis->suspects[0].type, type);
    if (answer && !strstr(diagnosis->answer, answer))
        fail_msg("answer is: %s", diagnosis->answer);
    hw_diagnosis_destroy(diagnosis);
    hw_arena_deinit(&arena);
    hw_series_destroy(series);
}

static void test_blocks_that_nobody_frees(void **state)
{
    (void)state;
    const struct shot shots[] = {{8 * MB, MB, 2 * MB, MB, 100},
                                 {8 * MB, MB, 2 * MB, MB, 300},
                                 {8 * MB, MB, 2 * MB, MB, 500}};
    assert_diagnosed(shots, 3, HW_TREND_NATIVE, HW_VERDICT_LEAK, "malloc(4088)",
                     "the native heap grows by 163.8 kB/s, in blocks of 4096 bytes that nobody "
                     "frees, near libjpeg.so.62");
    assert_diagnosed(shots, 2, HW_TREND_NATIVE, HW_VERDICT_INCONCLUSIVE, "malloc(4088)", NULL);
}

static void test_what_fills_up_or_wavers_is_no_leak(void **state)
{
    (void)state;
    const struct shot slowing[] = {{8 * MB, MB, 2 * MB, MB, 100},
                                   {8 * MB, MB, 2 * MB, MB, 480},
                                   {8 * MB, MB, 2 * MB, MB, 500}};
    const struct shot wavering[] = {{8 * MB, MB, 2 * MB, MB, 100},
                                    {8 * MB, MB, 2 * MB, MB, 500},
                                    {8 * MB, MB, 2 * MB, MB, 480}};
    assert_diagnosed(slowing, 3, HW_TREND_NONE, HW_VERDICT_STEADY, NULL, "no leak");
    assert_diagnosed(wavering, 3, HW_TREND_NONE, HW_VERDICT_STEADY, NULL, "no leak");
}

static void test_growth_of_many_sizes(void **state)
{
    (void)state;
    const struct shot shots[] = {{8 * MB, MB, 2 * MB, MB, 0},
                                 {8 * MB, MB, 2 * MB, MB, 512},
                                 {8 * MB, MB, 6 * MB, MB, 0}};
    assert_diagnosed(shots, 3, HW_TREND_NATIVE, HW_VERDICT_LEAK, "malloc", "blocks of many sizes");
}

static void test_arenas_that_survivors_pin(void **state)
{
    (void)state;
    const struct shot shots[] = {{8 * MB, 2 * MB, 2 * MB, MB, 0},
                                 {8 * MB, 6 * MB, 2 * MB, MB, 0},
                                 {8 * MB, 10 * MB, 2 * MB, MB, 0}};
    assert_diagnosed(shots, 3, HW_TREND_PINNED, HW_VERDICT_FRAGMENTATION, "app.Sample",
                     "not a leak: live data is flat");
    assert_diagnosed(shots, 2, HW_TREND_PINNED, HW_VERDICT_INCONCLUSIVE, "app.Sample", NULL);
}

static void test_a_snapshot_in_a_burst(void **state)
{
    (void)state;
    const struct shot shots[] = {{8 * MB, 2 * MB, 2 * MB, MB, 0},
                                 {14 * MB, 0, 2 * MB, MB, 0},
                                 {8 * MB, 10 * MB, 2 * MB, MB, 0}};
    assert_diagnosed(shots, 3, HW_TREND_PINNED, HW_VERDICT_FRAGMENTATION, "app.Sample", NULL);
}

static void test_a_burst_at_the_start(void **state)
{
    (void)state;
    const struct shot goes_on[] = {{13 * MB, 0, 2 * MB, MB, 0},
                                   {8 * MB, 6 * MB, 2 * MB, MB, 0},
                                   {8 * MB, 6 * MB + MB * 4 / 5, 2 * MB, MB, 0}};
    const struct shot once[] = {{13 * MB, 0, 2 * MB, MB, 0},
                                {8 * MB, 8 * MB, 2 * MB, MB, 0},
                                {8 * MB, 8 * MB + MB / 10, 2 * MB, MB, 0}};
    const struct shot rising[] = {{13 * MB, 0, 2 * MB, MB, 0},
                                  {16 * MB, 0, 2 * MB, MB, 0},
                                  {8 * MB, 10 * MB, 2 * MB, MB, 0}};
    assert_diagnosed(goes_on, 3, HW_TREND_PINNED, HW_VERDICT_FRAGMENTATION, "app.Sample", NULL);
    assert_diagnosed(once, 3, HW_TREND_NONE, HW_VERDICT_STEADY, NULL, "no leak");
    assert_diagnosed(rising, 3, HW_TREND_NONE, HW_VERDICT_STEADY, NULL, "no leak");
}

static void test_what_malloc_keeps(void **state)
{
    (void)state;
    const struct shot growing[] = {{8 * MB, MB, 2 * MB, 2 * MB, 0},
                                   {8 * MB, MB, 2 * MB, 5 * MB, 0},
                                   {8 * MB, MB, 2 * MB, 9 * MB, 0}};
    const struct shot after_a_peak[] = {{8 * MB, MB, 2 * MB, 60 * MB, 0},
                                        {8 * MB, MB, 2 * MB, 60 * MB, 0},
                                        {8 * MB, MB, 2 * MB, 60 * MB, 0}};
    assert_diagnosed(growing, 3, HW_TREND_KEPT, HW_VERDICT_FRAGMENTATION, "malloc",
                     "malloc keeps 9.4 MB that are free");
    assert_diagnosed(after_a_peak, 3, HW_TREND_NONE, HW_VERDICT_STEADY, NULL, "no leak");
}

static void test_live_data_that_grows_is_no_fragmentation(void **state)
{
    (void)state;
    const struct shot shots[] = {{8 * MB, 2 * MB, 2 * MB, MB, 0},
                                 {11 * MB, 6 * MB, 2 * MB, MB, 0},
                                 {14 * MB, 10 * MB, 2 * MB, MB, 0}};
    assert_diagnosed(shots, 3, HW_TREND_NONE, HW_VERDICT_STEADY, NULL, NULL);
}

static void test_what_the_user_accepts(void **state)
{
    (void)state;
    const struct shot shots[] = {{8 * MB, MB, 2 * MB, MB, 100},
                                 {8 * MB, MB, 2 * MB, MB, 300},
                                 {8 * MB, MB, 2 * MB, MB, 500}};
    const struct hw_ignore rules[] = {{"malloc(*", "known", "rules.txt:1"}, {"app.X", "", ""}};
    const struct hw_diagnose_options options = {rules, 2};
    struct hw_series *series = series_of(shots, 3);
    struct hw_diagnosis *diagnosis;
    assert_true(hw_diagnose_ask(series, &options, &diagnosis, NULL));
    assert_int_equal(diagnosis->verdict, HW_VERDICT_STEADY);
    assert_int_equal(diagnosis->suspect_count, 0);
    assert_int_equal(diagnosis->ignored_count, 1);
    assert_string_equal(diagnosis->ignored[0].type, "malloc(4088)");
    assert_string_equal(diagnosis->ignored[0].reason, "known");
    assert_int_equal(diagnosis->ignored[0].verdict, HW_VERDICT_LEAK);
    assert_int_equal(diagnosis->unused_rule_count, 1);
    assert_string_equal(diagnosis->unused_rules[0], "app.X");
    hw_diagnosis_destroy(diagnosis);
    hw_series_destroy(series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_add_up),
        cmocka_unit_test(test_survivors_of_sparse_arenas_are_named),
        cmocka_unit_test(test_without_a_ledger_there_is_no_answer),
        cmocka_unit_test(test_blocks_that_nobody_frees),
        cmocka_unit_test(test_what_fills_up_or_wavers_is_no_leak),
        cmocka_unit_test(test_growth_of_many_sizes),
        cmocka_unit_test(test_arenas_that_survivors_pin),
        cmocka_unit_test(test_a_snapshot_in_a_burst),
        cmocka_unit_test(test_a_burst_at_the_start),
        cmocka_unit_test(test_what_malloc_keeps),
        cmocka_unit_test(test_what_the_user_accepts),
        cmocka_unit_test(test_live_data_that_grows_is_no_fragmentation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

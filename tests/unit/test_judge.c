/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-text.h"
#include "grow/chance.h"
#include "grow/judge.h"
#include "series-text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- what chance does ---- */

static void test_sigmas(void **state)
{
    (void)state;
    assert_true(hw_chance_sigmas(0, 0) == 0);
    assert_true(hw_chance_sigmas(9, 0) == 3);
    assert_true(hw_chance_sigmas(50, 50) == 0);
    assert_true(hw_chance_sigmas(500, 480) < 1);
}

static void assert_near(double value, double expected, double off)
{
    if (value < expected - off || value > expected + off)
        fail_msg("%f is not %f", value, expected);
}

static void test_rate_of_few_events_is_open(void **state)
{
    (void)state;
    const double steps[] = {0, 5, 5}, seconds[] = {0, 5, 5};
    struct hw_range range = hw_chance_rate(steps, seconds, 3, 10);
    /* the exact Poisson limits for 10 events are 4.795 and 18.39 */
    assert_near(range.low, 0.4795, 0.005);
    assert_near(range.high, 1.839, 0.005);
}

static void test_bursts_widen_the_range(void **state)
{
    (void)state;
    const double even[] = {0, 100, 100, 100, 100, 100}, seconds[] = {0, 5, 5, 5, 5, 5};
    const double bursts[] = {0, 0, 300, 0, 200, 0};
    struct hw_range calm = hw_chance_rate(even, seconds, 6, 500);
    struct hw_range wild = hw_chance_rate(bursts, seconds, 6, 500);
    assert_near(calm.low, 18.3, 0.2);
    assert_near(calm.high, 21.8, 0.2);
    assert_true(wild.low < calm.low - 5 && wild.high > calm.high + 5);
}

static void test_no_events(void **state)
{
    (void)state;
    const double steps[] = {0, 0, 0}, seconds[] = {0, 5, 5};
    struct hw_range range = hw_chance_rate(steps, seconds, 3, 0);
    assert_true(range.low == 0);
    assert_near(range.high, 0.369, 0.01); /* 3.69 events in ten seconds */
}

/* ---- stories: a dict whose members [from, to) are there in each snapshot ---- */

struct story {
    const unsigned *from, *to;
};
static struct story story;

static void tell(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_puts(out, "['users'] -> 0x1000\n@0x1000 dict\n");
    tell_entries(out, story.from[k], story.to[k], 0x10000);
    tell_instances(out, story.from[k], story.to[k], 0x10000, "app.User");
}

static struct hw_judgement judge(const unsigned *from, const unsigned *to, unsigned count,
                                 struct hw_pace *ret_pace)
{
    story = (struct story){from, to};
    struct hw_series *series = series_from(tell, count);
    struct hw_growth growth;
    assert_true(hw_growth_init(&growth, series, NULL));
    assert_true(growth.site_count > 0);
    struct hw_judgement judgement = hw_site_judge(&growth, &growth.sites[0]);
    *ret_pace = hw_site_pace(&growth, &growth.sites[0]);
    hw_growth_deinit(&growth);
    hw_series_destroy(series);
    return judgement;
}

static const unsigned NOBODY_LEAVES[16];

static void assert_judged(const unsigned *from, const unsigned *to, unsigned count,
                          enum hw_verdict verdict, enum hw_judge_reason reason)
{
    struct hw_pace pace;
    struct hw_judgement judgement = judge(from, to, count, &pace);
    assert_int_equal(judgement.reason, reason);
    assert_int_equal(judgement.verdict, verdict);
    assert_true(pace.low <= pace.rate && pace.rate <= pace.high);
    assert_true(pace.confidence >= 0 && pace.confidence <= 1);
}

static void test_few_members_in_few_snapshots_say_nothing(void **state)
{
    (void)state;
    const unsigned to[] = {5, 7, 9};
    assert_judged(NOBODY_LEAVES, to, 3, HW_VERDICT_STEADY, HW_JUDGE_TOO_SMALL);
}

/* About one member in five seconds, not one in every interval, and none ever leaves. */
static void test_very_slow_leak_in_many_snapshots(void **state)
{
    (void)state;
    const unsigned to[] = {5, 6, 8, 8, 9, 11, 12, 12, 13, 15, 16, 17, 18};
    assert_judged(NOBODY_LEAVES, to, 13, HW_VERDICT_LEAK, HW_JUDGE_GROWS);
}

static void test_very_slow_growth_that_stopped(void **state)
{
    (void)state;
    const unsigned to[] = {5, 7, 9, 12, 14, 16, 18, 18, 18, 18, 18, 18, 18};
    assert_judged(NOBODY_LEAVES, to, 13, HW_VERDICT_STEADY, HW_JUDGE_STOPPED);
}

static void test_growth_with_a_long_gap_is_uneven(void **state)
{
    (void)state;
    const unsigned to[] = {5, 11, 16, 22, 22, 22, 22, 22, 22, 27, 33, 38, 44};
    assert_judged(NOBODY_LEAVES, to, 13, HW_VERDICT_INCONCLUSIVE, HW_JUDGE_UNEVEN);
}

/* Two hundred members; ten come and nine or ten leave: more at the end, as chance would have it. */
static void test_turnover_that_wavers(void **state)
{
    (void)state;
    const unsigned from[] = {0, 10, 19, 29}, to[] = {200, 211, 221, 232};
    assert_judged(from, to, 4, HW_VERDICT_STEADY, HW_JUDGE_TURNOVER);
}

/* A batch that is emptied when it is full, at whatever lengths it is met. */
static void test_nothing_early_is_left(void **state)
{
    (void)state;
    const unsigned from[] = {0, 100, 300}, to[] = {53, 208, 464};
    assert_judged(from, to, 3, HW_VERDICT_STEADY, HW_JUDGE_TURNOVER);
    const unsigned low_from[] = {0, 0, 300, 300, 600}, low_to[] = {66, 193, 309, 365, 797};
    assert_judged(low_from, low_to, 5, HW_VERDICT_STEADY, HW_JUDGE_TURNOVER);
}

/* Of the first snapshots nothing is left, but most of the last but one is: no batch. */
static void test_a_queue_that_is_worked_off_too_slowly(void **state)
{
    (void)state;
    const unsigned from[] = {0, 40, 80, 120}, to[] = {50, 110, 170, 230};
    assert_judged(from, to, 4, HW_VERDICT_INCONCLUSIVE, HW_JUDGE_PILING_UP);
}

/* Members go, but ever more come. */
static void test_nothing_early_is_left_of_what_rises_for_long(void **state)
{
    (void)state;
    const unsigned from[] = {0, 35, 70, 105, 145}, to[] = {50, 150, 250, 350, 450};
    assert_judged(from, to, 5, HW_VERDICT_INCONCLUSIVE, HW_JUDGE_PILING_UP);
}

/* The same amount of growth in a container that loses none of two hundred is no chance. */
static void test_old_members_that_all_stay(void **state)
{
    (void)state;
    const unsigned to[] = {200, 203, 206, 209};
    assert_judged(NOBODY_LEAVES, to, 4, HW_VERDICT_LEAK, HW_JUDGE_GROWS);
}

/* A cache that meets ever fewer keys that it does not know. */
static void test_a_small_decline_that_is_no_chance(void **state)
{
    (void)state;
    const unsigned to[] = {1000, 2000, 2930, 3780, 4570};
    assert_judged(NOBODY_LEAVES, to, 5, HW_VERDICT_INCONCLUSIVE, HW_JUDGE_SLOWING_DOWN);
}

static void test_a_small_decline_that_may_be_chance(void **state)
{
    (void)state;
    const unsigned to[] = {100, 130, 158, 187, 213};
    assert_judged(NOBODY_LEAVES, to, 5, HW_VERDICT_LEAK, HW_JUDGE_GROWS);
}

static void test_confidence_grows_with_the_evidence(void **state)
{
    (void)state;
    const unsigned few[] = {30, 33, 36}, more[] = {30, 40, 50}, none[] = {0, 0, 0};
    struct hw_pace weak, strong;
    judge(none, few, 3, &weak);
    judge(none, more, 3, &strong);
    assert_true(weak.confidence > 0.9 && weak.confidence < strong.confidence);
    assert_near(strong.rate, 2.0, 0.001);
    assert_true((weak.high - weak.low) / weak.rate > (strong.high - strong.low) / strong.rate);
}

static void test_a_level_with_turnover_is_steady(void **state)
{
    (void)state;
    const unsigned from[] = {0, 2, 4, 6}, to[] = {8, 42, 44, 46}, rising[] = {8, 42, 44, 47};
    struct hw_pace pace;
    struct hw_judgement full = judge(from, to, 4, &pace);
    assert_int_equal(full.verdict, HW_VERDICT_STEADY);
    assert_int_equal(full.reason, HW_JUDGE_STOPPED);
    assert_int_equal(judge(from, rising, 4, &pace).verdict, HW_VERDICT_INCONCLUSIVE);
    /* one interval alone may be a pause */
    assert_int_equal(judge(from, to, 3, &pace).verdict, HW_VERDICT_INCONCLUSIVE);
}

/* ---- a list that is made anew each time: the place has the history ---- */

static void tell_copies(struct hw_buf *out, unsigned k)
{
    unsigned addr = 0x1000 + k * 0x100;
    tell_app(out);
    hw_buf_printf(out, "['users'] -> 0x%x\n@0x%x list\n", addr, addr);
    tell_elements(out, story.from[k], story.to[k], 0x10000);
    tell_instances(out, story.from[k], story.to[k], 0x10000, "app.User");
}

static void assert_copies(const unsigned *from, const unsigned *to, enum hw_verdict verdict,
                          enum hw_judge_reason reason)
{
    story = (struct story){from, to};
    struct hw_series *series = series_from(tell_copies, 3);
    struct hw_growth growth;
    assert_true(hw_growth_init(&growth, series, NULL));
    assert_true(growth.site_count > 0);
    const struct hw_site *site = &growth.sites[0];
    assert_true(site->is_replaced && site->has_history);
    for (unsigned k = 0; k < 3; k++)
        assert_int_equal(site->lengths[k], to[k] - from[k]);
    struct hw_judgement judgement = hw_site_judge(&growth, site);
    assert_int_equal(judgement.reason, reason);
    assert_int_equal(judgement.verdict, verdict);
    hw_growth_deinit(&growth);
    hw_series_destroy(series);
}

static void test_longer_copies_that_keep_all(void **state)
{
    (void)state;
    const unsigned to[] = {130, 194, 259};
    assert_copies(NOBODY_LEAVES, to, HW_VERDICT_LEAK, HW_JUDGE_GROWS);
}

static void test_copies_that_leave_out_the_old(void **state)
{
    (void)state;
    const unsigned from[] = {0, 100, 200}, to[] = {130, 230, 331};
    assert_copies(from, to, HW_VERDICT_STEADY, HW_JUDGE_TURNOVER);
    const unsigned few_from[] = {0, 10, 20}, few_to[] = {130, 200, 270};
    assert_copies(few_from, few_to, HW_VERDICT_INCONCLUSIVE, HW_JUDGE_REBUILT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sigmas),
        cmocka_unit_test(test_rate_of_few_events_is_open),
        cmocka_unit_test(test_bursts_widen_the_range),
        cmocka_unit_test(test_no_events),
        cmocka_unit_test(test_few_members_in_few_snapshots_say_nothing),
        cmocka_unit_test(test_very_slow_leak_in_many_snapshots),
        cmocka_unit_test(test_very_slow_growth_that_stopped),
        cmocka_unit_test(test_growth_with_a_long_gap_is_uneven),
        cmocka_unit_test(test_turnover_that_wavers),
        cmocka_unit_test(test_nothing_early_is_left),
        cmocka_unit_test(test_a_queue_that_is_worked_off_too_slowly),
        cmocka_unit_test(test_nothing_early_is_left_of_what_rises_for_long),
        cmocka_unit_test(test_old_members_that_all_stay),
        cmocka_unit_test(test_a_small_decline_that_is_no_chance),
        cmocka_unit_test(test_a_small_decline_that_may_be_chance),
        cmocka_unit_test(test_a_level_with_turnover_is_steady),
        cmocka_unit_test(test_confidence_grows_with_the_evidence),
        cmocka_unit_test(test_longer_copies_that_keep_all),
        cmocka_unit_test(test_copies_that_leave_out_the_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

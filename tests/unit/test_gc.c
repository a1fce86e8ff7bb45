/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LISTS                      \
    "$i interpreter \"main\"\n"    \
    "root gc.garbage -> 0x100\n"   \
    "root gc.callbacks -> 0x200\n" \
    "@0x100 list\n"

static struct hw_gc *ask(const char *text, struct hw_facts facts)
{
    struct hw_err err = HW_ERR_INIT;
    struct hw_gc *gc = NULL;
    struct hw_graph *graph = graph_from_text(text);
    graph->facts = facts;
    if (!hw_gc_ask(graph, &gc, &err))
        fail_msg("%s", err.msg);
    hw_graph_destroy(graph);
    return gc;
}

/* A collector as a new process has it. */
static struct hw_facts usual(void)
{
    return (struct hw_facts){.gc_recorded = 1,
                             .gc_enabled = 1,
                             .gc_threshold = {700, 10, 10},
                             .gc_count = {100, 3, 2},
                             .gc_stats = {{30, 1, 0}, {2, 0, 0}, {0, 0, 0}}};
}

static void assert_condition(struct hw_facts facts, enum hw_gc_condition condition,
                             const char *words)
{
    struct hw_gc *gc = ask(LISTS "@0x200 list\n", facts);
    assert_string_equal(hw_gc_condition_name(gc->condition), hw_gc_condition_name(condition));
    if (!strstr(gc->answer, words))
        fail_msg("'%s' does not say '%s'", gc->answer, words);
    hw_gc_destroy(gc);
}

static void test_conditions(void **state)
{
    (void)state;
    struct hw_facts facts = usual();
    assert_condition(facts, HW_GC_ON, "has run 32 times, never over the whole heap");
    facts.gc_stats[2].collections = 5;
    assert_condition(facts, HW_GC_ON, "37 times, 5 of them over the whole heap");
    facts.gc_objects[3] = 12;
    assert_condition(facts, HW_GC_ON, "never looks at 12 frozen objects");
    facts.gc_debug = 32;
    assert_condition(facts, HW_GC_ON, "keeps in gc.garbage");
    facts.gc_threshold[1] = 20000;
    assert_condition(facts, HW_GC_RARE, "154007700 new containers");
    facts.gc_threshold[0] = 0;
    assert_condition(facts, HW_GC_THRESHOLD_ZERO, "never runs by itself");
    facts.gc_enabled = 0;
    assert_condition(facts, HW_GC_OFF, "off");
}

/* CPython: due when count > threshold, held back while pending < total / 4. */
static void test_a_full_collection_is_held_back(void **state)
{
    (void)state;
    struct hw_facts facts = usual();
    facts.gc_long_lived_total = 1000;
    facts.gc_long_lived_pending = 249;
    facts.gc_count[2] = 10;
    assert_condition(facts, HW_GC_ON, "on");
    facts.gc_count[2] = 11;
    assert_condition(facts, HW_GC_HELD_BACK, "(249 of 250)");
    facts.gc_long_lived_pending = 250;
    assert_condition(facts, HW_GC_ON, "on");
    facts.gc_long_lived_pending = 0;
    facts.gc_recorded = 0;
    assert_condition(facts, HW_GC_ON, "The collector is on.");
}

static void assert_full_after(uint32_t t0, uint32_t t1, uint32_t t2, uint64_t expected)
{
    struct hw_facts facts = usual();
    facts.gc_threshold[0] = t0;
    facts.gc_threshold[1] = t1;
    facts.gc_threshold[2] = t2;
    struct hw_gc *gc = ask(LISTS "@0x200 list\n", facts);
    assert_true(gc->full_after == expected);
    hw_gc_destroy(gc);
}

static void test_how_much_until_a_full_collection(void **state)
{
    (void)state;
    assert_full_after(700, 10, 10, 84700);
    assert_full_after(700, 0, 0, 700);
    assert_full_after(0, 10, 10, 0);
    assert_full_after(UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT64_MAX);
}

static void test_garbage_and_callbacks(void **state)
{
    (void)state;
    struct hw_facts facts = usual();
    facts.gc_debug = 1 | 4 | 32 | 64;
    struct hw_gc *gc = ask(LISTS "[0] -> 0x300\n"
                                 "[1] -> 0x310\n"
                                 "[2] -> 0x320\n"
                                 "@0x200 list\n"
                                 "[0] -> 0x400\n"
                                 "@0x300 app.Node size=48\n"
                                 "@0x310 dict size=200 native=32\n"
                                 "@0x320 app.Node size=48\n"
                                 "@0x400 function\n"
                                 "@0x500 app.Lost size=16 native=24\n"
                                 ".me -> 0x500\n",
                           facts);
    assert_int_equal(gc->garbage_count, 3);
    assert_int_equal(gc->garbage_bytes, 328);
    assert_int_equal(gc->garbage_row_count, 2);
    assert_string_equal(gc->garbage[0].name, "dict");
    assert_string_equal(gc->garbage[1].name, "app.Node");
    assert_int_equal(gc->garbage[1].count, 2);
    assert_int_equal(gc->callback_count, 1);
    assert_int_equal(gc->free_objects, 1);
    assert_int_equal(gc->free_bytes, 40);
    assert_string_equal(gc->debug, "DEBUG_STATS|DEBUG_UNCOLLECTABLE|DEBUG_SAVEALL|0x40");
    hw_gc_destroy(gc);
}

/* A file may lack them. */
static void test_without_lists(void **state)
{
    (void)state;
    struct hw_gc *gc = ask("@0x100 list\n", usual());
    assert_int_equal(gc->garbage_count, 0);
    assert_int_equal(gc->callback_count, 0);
    assert_string_equal(gc->debug, "");
    hw_gc_destroy(gc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_a_full_collection_is_held_back),
        cmocka_unit_test(test_how_much_until_a_full_collection),
        cmocka_unit_test(test_garbage_and_callbacks),
        cmocka_unit_test(test_without_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-text.h"
#include "series-text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "why/glance.h"

enum { MEMBERS = 400, MEGABYTE = 1024 * 1024 };

/* A list at addr of members of some bytes, whose ages run from first to last. The last members are
 * among the newest of all. */
static void tell_list(struct hw_buf *out, hw_addr addr, unsigned members, unsigned bytes,
                      unsigned first, unsigned last, bool newest)
{
    hw_buf_printf(out, "@0x%llx list age=%u\n", (unsigned long long)addr, first);
    for (unsigned i = 0; i < members; i++)
        hw_buf_printf(out, "[%u] -> 0x%llx\n", i, (unsigned long long)(addr + 0x100 + i * 0x10));
    for (unsigned i = 0; i < members; i++)
        hw_buf_printf(out, "@0x%llx app.Item size=%u age=%u flags=tracked%s\n",
                      (unsigned long long)(addr + 0x100 + i * 0x10), bytes,
                      first + i * (last - first) / members,
                      newest && i + 10 > members ? ",newest" : "");
}

static struct hw_glances look(struct hw_buf *text)
{
    struct hw_glances glances;
    struct hw_tree tree;
    struct hw_err err = HW_ERR_INIT;
    struct hw_graph *graph = graph_from_text(hw_buf_str(text));
    if (!hw_glances_find(graph, &tree, &glances, &err))
        fail_msg("%s", err.msg);
    for (size_t i = 0; i < glances.count; i++)
        glances.rows[i].node = (hw_id)hw_graph_addr(graph, glances.rows[i].node);
    hw_tree_deinit(&tree);
    hw_graph_destroy(graph);
    hw_buf_deinit(text);
    return glances;
}

static void test_a_large_list_is_found_through_its_owners(void **state)
{
    struct hw_buf text = {0};
    (void)state;
    tell_app(&text);
    hw_buf_puts(&text, "['hub'] -> 0x1000\n@0x1000 app.Hub\n.items -> 0x20000\n");
    tell_list(&text, 0x20000, MEMBERS, 8192, 10, 60, false);
    struct hw_glances glances = look(&text);
    assert_int_equal(glances.count, 1);
    assert_int_equal(glances.rows[0].node, 0x20000);
    assert_int_equal(glances.rows[0].members, MEMBERS);
    assert_int_equal(glances.rows[0].bytes, MEMBERS * 8192 + 64);
    assert_false(glances.rows[0].ages.keeps_arriving);
}

static void test_what_is_small_is_not_told(void **state)
{
    struct hw_buf text = {0};
    (void)state;
    tell_app(&text);
    hw_buf_puts(&text, "['items'] -> 0x20000\n");
    tell_list(&text, 0x20000, 30, 64, 1, 255, true);
    assert_int_equal(look(&text).count, 0);
}

static void test_arrival_needs_all_ages_and_the_newest(void **state)
{
    static const struct {
        unsigned first, last;
        bool newest, arrives;
    } cases[] = {{60, 255, true, true},
                 {60, 255, false, false}, /* nothing among the newest */
                 {60, 200, true, false},  /* not up to the youngest tenth */
                 {248, 255, true, false}, /* one burst just now */
                 {1, 20, false, false}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hw_buf text = {0};
        tell_app(&text);
        hw_buf_puts(&text, "['items'] -> 0x20000\n");
        tell_list(&text, 0x20000, MEMBERS, 8192, cases[i].first, cases[i].last, cases[i].newest);
        struct hw_glances glances = look(&text);
        assert_int_equal(glances.count, 1);
        assert_int_equal(glances.rows[0].ages.keeps_arriving, cases[i].arrives);
    }
}

static void test_a_small_one_that_keeps_arriving_comes_first(void **state)
{
    struct hw_buf text = {0};
    (void)state;
    tell_app(&text);
    hw_buf_puts(&text, "['big'] -> 0x20000\n['fresh'] -> 0x40000\n");
    hw_buf_puts(&text, "@0x1000 app.Item size=16\n");
    tell_list(&text, 0x20000, MEMBERS, 8192, 1, 40, false);
    tell_list(&text, 0x40000, MEMBERS, 256, 60, 255, true);
    struct hw_glances glances = look(&text);
    assert_int_equal(glances.count, 2);
    assert_int_equal(glances.rows[0].node, 0x40000);
    assert_int_equal(glances.rows[1].node, 0x20000);
}

/* Two dicts have each object, so neither owns it; together they are most of the heap. */
static void test_a_group_hangs_from_the_place_that_most_share(void **state)
{
    struct hw_buf text = {0};
    (void)state;
    tell_app(&text);
    hw_buf_puts(&text, "['a'] -> 0x10000\n['b'] -> 0x1f0000\n");
    hw_buf_puts(&text, "@0x1f0000 list\n");
    for (unsigned i = 0; i < MEMBERS; i++)
        hw_buf_printf(&text, "[%u] -> 0x%x\n", i, 0x10100 + i * 0x10);
    tell_list(&text, 0x10000, MEMBERS, 8192, 1, 40, false);
    struct hw_glances glances = look(&text);
    assert_int_equal(glances.count, 1);
    assert_true(glances.rows[0].is_group);
    assert_int_equal(glances.rows[0].node, 0x10000);
    assert_int_equal(glances.rows[0].members, MEMBERS);
}

static void tell_arrivals(struct hw_buf *out, unsigned k)
{
    (void)k;
    tell_app(out);
    hw_buf_puts(out, "['items'] -> 0x20000\n");
    tell_list(out, 0x20000, MEMBERS, 8192, 60, 255, true);
}

static void test_one_snapshot_is_a_diagnosis_that_is_not_sure(void **state)
{
    struct hw_series *series = series_from(tell_arrivals, 1);
    struct hw_diagnosis *diagnosis;
    struct hw_err err = HW_ERR_INIT;
    (void)state;
    assert_true(hw_diagnose_ask(series, NULL, &diagnosis, &err));
    assert_int_equal(diagnosis->verdict, HW_VERDICT_INCONCLUSIVE);
    assert_int_equal(diagnosis->suspect_count, 1);
    assert_string_equal(diagnosis->suspects[0].chain.path, "sys.modules['app'].items");
    assert_string_equal(diagnosis->suspects[0].type, "app.Item");
    assert_string_equal(diagnosis->suspects[0].cause, "steady-arrival");
    assert_true(diagnosis->doubt_count > 0);
    hw_diagnosis_destroy(diagnosis);
    hw_series_destroy(series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_large_list_is_found_through_its_owners),
        cmocka_unit_test(test_what_is_small_is_not_told),
        cmocka_unit_test(test_arrival_needs_all_ages_and_the_newest),
        cmocka_unit_test(test_a_small_one_that_keeps_arriving_comes_first),
        cmocka_unit_test(test_a_group_hangs_from_the_place_that_most_share),
        cmocka_unit_test(test_one_snapshot_is_a_diagnosis_that_is_not_sure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

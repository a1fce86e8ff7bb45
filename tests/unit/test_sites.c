/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/alloc-sites.h"
#include "sample-graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Frames of sample_graph_trace(): "shared" is file 3, "local" file 4, "name" a function.
 *
 *     0 shared:90   1 local:7, called by 0   2 shared:41 in name, called by 0   3 shared:4294967295, by 1 */

static struct hw_graph *traced(void)
{
    struct hw_graph *graph = sample_graph_small();
    assert_true(sample_graph_trace(graph));
    assert_true(hw_graph_validate(graph, NULL));
    return graph;
}

static struct hw_sites *ask(const struct hw_graph *graph, enum hw_sites_by by,
                            const struct hw_sites *before)
{
    struct hw_sites *sites = NULL;
    struct hw_err err = HW_ERR_INIT;
    if (!hw_sites_ask(graph, by, before, &sites, &err))
        fail_msg("%s", err.msg);
    return sites;
}

static void assert_row(const struct hw_sites *sites, size_t row, const char *file, uint32_t line,
                       uint64_t count, uint64_t bytes)
{
    assert_true(row < sites->row_count);
    assert_string_equal(sites->rows[row].frame->file, file);
    assert_int_equal(sites->rows[row].frame->line, line);
    assert_int_equal(sites->rows[row].count, count);
    assert_int_equal(sites->rows[row].bytes, bytes);
}

static void test_by_line(void **state)
{
    struct hw_graph *graph = traced();
    struct hw_sites *sites = ask(graph, HW_SITES_BY_LINE, NULL);
    assert_int_equal(sites->row_count, 3);
    assert_row(sites, 0, "shared", 41, 6, ((uint64_t)1 << 40) + 560);
    assert_row(sites, 1, "shared", UINT32_MAX, 2, 112);
    assert_row(sites, 2, "", 0, 1, 16);
    assert_null(sites->rows[1].frame->caller);
    assert_int_equal(sites->count, 9);
    assert_int_equal(sites->rows[1].objects, 2);
    assert_string_equal(sites->rows[1].type, "dict");
    assert_int_equal(sites->rows[1].type_objects, 2);
    assert_int_equal(sites->domain_count, 2);
    assert_int_equal(sites->domains[1].domain, 389047);
    assert_int_equal(sites->domains[1].count, 5);
    hw_sites_destroy(sites);
    hw_graph_destroy(graph);
}

static void test_by_file(void **state)
{
    struct hw_graph *graph = traced();
    struct hw_sites *sites = ask(graph, HW_SITES_BY_FILE, NULL);
    assert_int_equal(sites->row_count, 2);
    assert_row(sites, 0, "shared", 0, 8, ((uint64_t)1 << 40) + 672);
    hw_sites_destroy(sites);
    hw_graph_destroy(graph);
}

static void test_by_traceback(void **state)
{
    struct hw_graph *graph = traced();
    struct hw_sites *sites = ask(graph, HW_SITES_BY_TRACEBACK, NULL);
    assert_int_equal(sites->row_count, 3);
    const struct hw_site_frame *frame = sites->rows[1].frame;
    assert_int_equal(frame->line, UINT32_MAX);
    assert_string_equal(frame->caller->file, "local");
    assert_int_equal(frame->caller->caller->line, 90);
    assert_null(frame->caller->caller->caller);
    assert_string_equal(sites->rows[0].frame->function, "name");
    assert_int_equal(sites->rows[0].depth, 70000);
    hw_sites_destroy(sites);
    hw_graph_destroy(graph);
}

/* Rows that changed, came and went; largest change first. */
static void check_comparison(enum hw_sites_by by)
{
    struct hw_graph *first = traced(), *second = traced();
    first->allocs.sites[3].bytes = 70;
    second->allocs.sites[0].count = 12;
    second->allocs.sites[0].bytes = 1112;
    second->allocs.sites[3].frame = 1;
    struct hw_sites *before = ask(first, by, NULL);
    hw_graph_destroy(first);
    struct hw_sites *sites = ask(second, by, before);
    hw_sites_destroy(before);
    hw_graph_destroy(second);
    assert_int_equal(sites->row_count, 4);
    assert_row(sites, 0, "shared", UINT32_MAX, 12, 1112);
    assert_int_equal(sites->rows[0].count_delta, 10);
    assert_int_equal(sites->rows[0].bytes_delta, 1000);
    assert_row(sites, 1, "", 0, 0, 0);
    assert_int_equal(sites->rows[1].bytes_delta, -70);
    assert_int_equal(sites->rows[1].count_delta, -1);
    assert_row(sites, 2, "local", 7, 1, 16);
    assert_int_equal(sites->rows[2].bytes_delta, 16);
    assert_int_equal(sites->rows[3].bytes_delta, 0);
    assert_int_equal(sites->bytes_delta, 946);
    hw_sites_destroy(sites);
}

static void test_comparison(void **state)
{
    check_comparison(HW_SITES_BY_LINE);
    check_comparison(HW_SITES_BY_TRACEBACK);
}

static void check_refusal(enum hw_alloc_source source, const char *words)
{
    struct hw_graph *graph = traced();
    struct hw_sites *sites = NULL;
    struct hw_err err = HW_ERR_INIT;
    graph->facts.alloc_source = source;
    assert_false(hw_sites_ask(graph, HW_SITES_BY_LINE, NULL, &sites, &err));
    assert_int_equal(err.code, HW_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.msg, words));
    hw_graph_destroy(graph);
}

static void test_refusals(void **state)
{
    check_refusal(HW_ALLOC_NOBODY, "tracemalloc.start(10)");
    check_refusal(HW_ALLOC_NOT_RECORDED, "file");
    check_refusal(HW_ALLOC_UNREADABLE, "certainty");
    struct hw_graph *graph = traced();
    struct hw_sites *before = ask(graph, HW_SITES_BY_FILE, NULL), *sites = NULL;
    struct hw_err err = HW_ERR_INIT;
    assert_false(hw_sites_ask(graph, HW_SITES_BY_LINE, before, &sites, &err));
    assert_int_equal(err.code, HW_ERR_USAGE);
    hw_sites_destroy(before);
    hw_graph_destroy(graph);
}

/* What a file must not bring. */
static void test_damaged_sites_are_refused(void **state)
{
    for (unsigned way = 0; way < 5; way++) {
        struct hw_graph *graph = traced();
        struct hw_alloc_sites *allocs = &graph->allocs;
        switch (way) {
        case 0:
            allocs->frames[1].caller = 1;
            break;
        case 1:
            allocs->frames[2].file = graph->string_count;
            break;
        case 2:
            allocs->frames[2].function = UINT32_MAX;
            break;
        case 3:
            allocs->sites[1].frame = 4;
            break;
        case 4:
            allocs->of[5] = 4;
            break;
        }
        assert_false(hw_graph_validate(graph, NULL));
        hw_graph_destroy(graph);
    }
}

static uint32_t frame_make(struct hw_alloc_maker *maker, uint32_t caller, uint32_t line)
{
    return hw_alloc_frame_make(maker, &(struct hw_alloc_frame){caller, 3, 7, line});
}

static void test_equal_stacks_are_one(void **state)
{
    struct hw_alloc_sites sites = {0};
    struct hw_alloc_maker maker = {.sites = &sites};
    uint32_t outer = frame_make(&maker, HW_NONE, 90);
    uint32_t inner = frame_make(&maker, outer, 41);
    assert_int_equal(frame_make(&maker, HW_NONE, 90), outer);
    assert_int_equal(frame_make(&maker, outer, 41), inner);
    assert_int_not_equal(frame_make(&maker, HW_NONE, 41), inner);
    uint32_t site = hw_alloc_site_make(&maker, inner, 2, 0);
    assert_int_equal(hw_alloc_site_make(&maker, inner, 2, 0), site);
    assert_int_not_equal(hw_alloc_site_make(&maker, inner, 2, 1), site);
    assert_int_not_equal(hw_alloc_site_make(&maker, inner, 3, 0), site);
    assert_int_equal(sites.frame_count, 3);
    struct hw_alloc_frame other = {outer, 3, 8, 41}; /* of another function */
    assert_int_not_equal(hw_alloc_frame_make(&maker, &other), inner);
    assert_int_equal(sites.site_count, 3);
    hw_alloc_maker_deinit(&maker);
    hw_alloc_sites_deinit(&sites);
}

static void test_pairs_keep_their_numbers(void **state)
{
    struct hw_pairs pairs = {0};
    bool is_new;
    for (uint32_t i = 0; i < 100000; i++) {
        assert_int_equal(hw_pairs_number(&pairs, i % 7, i, &is_new), i);
        assert_true(is_new);
    }
    for (uint32_t i = 0; i < 100000; i++) {
        assert_int_equal(hw_pairs_number(&pairs, i % 7, i, &is_new), i);
        assert_false(is_new);
    }
    assert_int_equal(hw_pairs_word(&pairs, 0, &is_new), 0);
    hw_pairs_deinit(&pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_line),
        cmocka_unit_test(test_by_file),
        cmocka_unit_test(test_by_traceback),
        cmocka_unit_test(test_comparison),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_damaged_sites_are_refused),
        cmocka_unit_test(test_equal_stacks_are_one),
        cmocka_unit_test(test_pairs_keep_their_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

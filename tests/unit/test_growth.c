/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/spell.h"
#include "graph-text.h"
#include "grow/growth.h"
#include "series-text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Asserts what the largest site of the story is. */
static void assert_site(tell_snapshot *tell, const char *path, uint64_t born, uint64_t joined,
                        const char *type)
{
    struct hw_series *series = series_from(tell, 3);
    struct hw_growth growth;
    struct hw_buf text = {0};
    assert_true(hw_growth_init(&growth, series, NULL));
    assert_true(growth.site_count > 0);
    const struct hw_site *site = &growth.sites[0];
    hw_path_spell(growth.graph, &growth.tree, site->name, &text);
    assert_string_equal(hw_buf_str(&text), path);
    assert_int_equal(site->born_total, born);
    assert_int_equal(site->joined_total, joined);
    uint32_t member = hw_site_member_type(&growth, site);
    assert_string_equal(growth.graph->types[member].name, type);
    hw_buf_deinit(&text);
    hw_growth_deinit(&growth);
    hw_series_destroy(series);
}

static void tell_dict(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_puts(out, "['users'] -> 0x1000\n@0x1000 dict\n");
    tell_entries(out, 0, 10 + 20 * k, 0x10000);
    tell_instances(out, 0, 10 + 20 * k, 0x10000, "app.User");
}

static void test_container_is_the_site(void **state)
{
    (void)state;
    /* with each user comes an int, its key */
    assert_site(tell_dict, "sys.modules['app'].users", 80, 40, "app.User");
    struct hw_series *series = series_from(tell_dict, 3);
    struct hw_growth growth;
    assert_true(hw_growth_init(&growth, series, NULL));
    const struct hw_site *site = &growth.sites[0];
    assert_int_equal(growth.site_count, 1);
    assert_true(site->has_history);
    assert_int_equal(site->lengths[0], 10);
    assert_int_equal(site->lengths[1], 30);
    assert_int_equal(site->lengths[2], 50);
    assert_int_equal(site->born[1], 40);
    assert_int_equal(site->joined[2], 20);
    hw_growth_deinit(&growth);
    hw_series_destroy(series);
}

/* An address that is taken again by another type is not the same object. */
static void tell_reuse(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_puts(out, "['users'] -> 0x1000\n@0x1000 list\n");
    tell_elements(out, 0, 10, 0x10000);
    tell_instances(out, 0, 10, 0x10000, k == 2 ? "app.Other" : "app.User");
}

static void test_other_type_is_another_object(void **state)
{
    (void)state;
    assert_site(tell_reuse, "sys.modules['app'].users", 10, 10, "app.Other");
}

/* Lists of one text each: in the first snapshot some busy object had lists at the addresses that
 * the archive's lists have later. Texts that say the same are the same. */
static void tell_taken_again(struct hw_buf *out, unsigned k)
{
    unsigned kept = 4 + 10 * k;
    tell_app(out);
    hw_buf_puts(out, "['archive'] -> 0x1000\n['busy'] -> 0x1800\n@0x1000 list\n");
    tell_elements(out, 0, kept, 0x10000);
    hw_buf_puts(out, "@0x1800 list\n");
    tell_elements(out, kept, 24, 0x10000);
    for (unsigned i = 0; i < 24; i++)
        hw_buf_printf(out, "@0x%x list\n[0] -> '%s %u'\n", 0x10000 + i * 0x40,
                      i < kept ? "kept" : "passing", i);
}

static void test_list_of_other_holder_and_contents_is_another(void **state)
{
    (void)state;
    assert_site(tell_taken_again, "sys.modules['app'].archive", 40, 20, "list");
    struct hw_series *series = series_from(tell_taken_again, 3);
    struct hw_growth growth;
    assert_true(hw_growth_init(&growth, series, NULL));
    assert_int_equal(growth.sites[0].joined[1], 10);
    assert_int_equal(growth.sites[0].joined[2], 10);
    hw_growth_deinit(&growth);
    hw_series_destroy(series);
}

/* The same lists, moved from one holder to the other with what they contain: they stay old. */
static void tell_moved(struct hw_buf *out, unsigned k)
{
    unsigned kept = 4 + 10 * k;
    tell_app(out);
    hw_buf_puts(out, "['archive'] -> 0x1000\n['busy'] -> 0x1800\n@0x1000 list\n");
    tell_elements(out, 0, kept, 0x10000);
    hw_buf_puts(out, "@0x1800 list\n");
    tell_elements(out, kept, 24, 0x10000);
    for (unsigned i = 0; i < 24; i++)
        hw_buf_printf(out, "@0x%x list\n[0] -> 'text %u'\n", 0x10000 + i * 0x40, i);
}

static void test_moved_list_is_old(void **state)
{
    (void)state;
    struct hw_series *series = series_from(tell_moved, 3);
    uint8_t *births;
    assert_true(hw_series_births(series, &births, NULL));
    const struct hw_graph *graph = hw_series_last(series);
    for (unsigned i = 0; i < 24; i++)
        assert_int_equal(births[node_at(graph, 0x10000 + i * 0x40)], 0);
    free(births);
    hw_series_destroy(series);
}

/* The table at 0x3000 is built anew at 0x2000, where a busy list had a dict before; its rules go
 * along, which nothing else holds. */
static void tell_built_anew(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_printf(out, "['busy'] -> 0x1800\n['table'] -> 0x%x\n@0x1800 list\n",
                  k ? 0x2000 : 0x3000);
    if (!k)
        hw_buf_puts(out, "[0] -> 0x2000\n@0x2000 dict\n['host'] -> 'here'\n");
    hw_buf_printf(out, "@0x%x dict\n", k ? 0x2000 : 0x3000);
    tell_entries(out, 0, 30, 0x10000);
    tell_instances(out, 0, 30, 0x10000, "app.Rule");
}

/* A dict of another holder at 0x2000, and with a function that was made meanwhile. */
static void tell_wrapped(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_printf(out, "['busy'] -> 0x1800\n['send'] -> 0x5000\n@0x1800 list\n%s",
                  k ? "" : "[0] -> 0x2000\n@0x2000 dict\n['host'] -> 'here'\n");
    hw_buf_puts(out, "@0x5000 function\n");
    if (k)
        hw_buf_puts(out, ".__dict__ -> 0x2000\n@0x2000 dict\n['__wrapped__'] -> 0x5100\n"
                         "@0x5100 function\n");
}

/* Lists of what all share, which says nothing of their age: a busy list had one of another length
 * there. */
static void tell_registers(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_printf(out, "['busy'] -> 0x1800\n['driver'] -> 0x1900\n@0x1800 list\n%s",
                  k ? "" : "[0] -> 0x2000\n[1] -> 0x2100\n");
    hw_buf_printf(out, "@0x1900 list\n%s", k ? "[0] -> 0x2000\n[1] -> 0x2100\n" : "");
    hw_buf_printf(out, "@0x2000 list\n[0] -> 0x4000\n%s", k ? "[1] -> 0x4000\n" : "");
    hw_buf_puts(out, "@0x2100 list\n[0] -> 0x4000\n");
    hw_buf_puts(out, "@0x4000 object rc=100\n");
}

/* A table that is copied each time, to and fro between two addresses; at one of them a busy list has
 * a dict meanwhile. */
static void tell_copied_back(struct hw_buf *out, unsigned k)
{
    unsigned addr = k == 1 ? 0x3000 : 0x2000, count = 10 + 20 * k;
    tell_app(out);
    hw_buf_printf(out, "['busy'] -> 0x1800\n['table'] -> 0x%x\n@0x1800 list\n", addr);
    if (k == 1)
        hw_buf_puts(out, "[0] -> 0x2000\n@0x2000 dict\n['host'] -> 'here'\n");
    hw_buf_printf(out, "@0x%x dict\n", addr);
    tell_entries(out, 0, count, 0x10000);
    tell_instances(out, 0, count, 0x10000, "app.Rule");
}

static void assert_birth(tell_snapshot *tell, hw_addr addr, uint8_t birth)
{
    struct hw_series *series = series_from(tell, 3);
    uint8_t *births;
    assert_true(hw_series_births(series, &births, NULL));
    assert_int_equal(births[node_at(hw_series_last(series), addr)], birth);
    free(births);
    hw_series_destroy(series);
}

static void test_dict_of_other_holder_and_moved_contents_is_another(void **state)
{
    (void)state;
    assert_birth(tell_built_anew, 0x2000, 1);
    assert_birth(tell_built_anew, 0x10000, 0); /* what moved is as old as it is */
    assert_birth(tell_wrapped, 0x2000, 1);
    assert_birth(tell_wrapped, 0x5000, 0);
    assert_birth(tell_registers, 0x2000, 1);
    assert_birth(tell_registers, 0x2100, 0); /* moved, for all that can be seen */
}

static void test_what_is_copied_to_and_fro_is_another(void **state)
{
    (void)state;
    assert_birth(tell_copied_back, 0x2000, 2);
    assert_birth(tell_copied_back, 0x10000, 0);
    struct hw_series *series = series_from(tell_copied_back, 3);
    struct hw_growth growth;
    assert_true(hw_growth_init(&growth, series, NULL));
    for (unsigned k = 0; k < 3; k++)
        assert_int_equal(growth.sites[0].lengths[k], 10 + 20 * k);
    hw_growth_deinit(&growth);
    hw_series_destroy(series);
}

/* A block that becomes full, and then more blocks behind it, which only C knows. */
static void tell_blocks(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_puts(out, "['reader'] -> 0x1000\n@0x1000 itertools._tee\ninternal dataobj -> 0x1040\n"
                     "@0x1040 itertools._tee_dataobject\n");
    tell_elements(out, 0, k ? 12 : 10, 0x10000);
    if (k)
        hw_buf_puts(out, "internal next -> 0x2000\n");
    for (unsigned block = 0; block < k; block++) {
        hw_buf_printf(out, "@0x%x itertools._tee_dataobject\n", 0x2000 + block * 0x100);
        tell_elements(out, 12 + block * 12, 24 + block * 12, 0x10000);
        if (block + 1 < k)
            hw_buf_printf(out, "internal next -> 0x%x\n", 0x2000 + (block + 1) * 0x100);
    }
    tell_instances(out, 0, k ? 12 + 12 * k : 10, 0x10000, "app.Quote");
}

static void test_what_grows_beside_the_members_of_a_full_container(void **state)
{
    (void)state;
    struct hw_series *series = series_from(tell_blocks, 4);
    struct hw_growth growth;
    assert_true(hw_growth_init(&growth, series, NULL));
    const struct hw_site *site = &growth.sites[0];
    assert_false(site->is_container);
    assert_int_equal(site->born_total, 3 + 2 + 36);
    assert_int_equal(site->born[1], 1 + 2 + 12);
    assert_int_equal(site->born[3], 13);
    hw_growth_deinit(&growth);
    hw_series_destroy(series);
}

/* A tuple that is replaced by a longer one each time. */
static void tell_tuple(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_printf(out,
                  "['log'] -> 0x1000\n@0x1000 app.Log\n.__dict__ -> 0x1040\n@0x1040 dict\n"
                  "['items'] -> 0x%x\n@0x%x tuple size=%u\n",
                  0x2000 + k * 0x1000, 0x2000 + k * 0x1000, 100 + k);
    tell_elements(out, 0, 10 + 20 * k, 0x10000);
    tell_instances(out, 0, 10 + 20 * k, 0x10000, "app.Line");
}

static void test_replaced_tuple_is_the_site(void **state)
{
    (void)state;
    assert_site(tell_tuple, "sys.modules['app'].log.items", 41, 40, "app.Line");
    struct hw_series *series = series_from(tell_tuple, 3);
    struct hw_growth growth;
    assert_true(hw_growth_init(&growth, series, NULL));
    assert_true(growth.sites[0].is_replaced);
    assert_int_equal(growth.sites[0].lengths[0], 10);
    assert_int_equal(growth.sites[0].lengths[1], 30);
    hw_growth_deinit(&growth);
    hw_series_destroy(series);
}

/* index[key] are lists, each of which grows. */
static void tell_index(struct hw_buf *out, unsigned k)
{
    unsigned each = 2 + 2 * k;
    tell_app(out);
    hw_buf_puts(out, "['index'] -> 0x1000\n@0x1000 dict\n");
    for (unsigned i = 0; i < 8; i++)
        hw_buf_printf(out, "[%u] -> 0x%x\n", i, 0x2000 + i * 0x40);
    for (unsigned i = 0; i < 8; i++) {
        hw_buf_printf(out, "@0x%x list\n", 0x2000 + i * 0x40);
        tell_elements(out, 0, each, 0x10000 + i * 0x1000);
        tell_instances(out, 0, each, 0x10000 + i * 0x1000, "app.Row");
    }
}

static void test_siblings_are_merged(void **state)
{
    (void)state;
    assert_site(tell_index, "sys.modules['app'].index", 32, 32, "app.Row");
    struct hw_series *series = series_from(tell_index, 3);
    struct hw_growth growth;
    assert_true(hw_growth_init(&growth, series, NULL));
    assert_int_equal(growth.site_count, 1);
    assert_true(growth.sites[0].is_merged);
    assert_int_equal(growth.sites[0].lengths[0], 16);
    assert_int_equal(growth.sites[0].lengths[2], 48);
    hw_growth_deinit(&growth);
    hw_series_destroy(series);
}

/* One of the lists has most of the growth: it is named itself. */
static void tell_one_of_index(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_puts(out, "['index'] -> 0x1000\n@0x1000 dict\n");
    for (unsigned i = 0; i < 4; i++)
        hw_buf_printf(out, "[%u] -> 0x%x\n", i, 0x2000 + i * 0x40);
    for (unsigned i = 0; i < 4; i++) {
        unsigned each = i == 3 ? 2 + 20 * k : 2 + k;
        hw_buf_printf(out, "@0x%x list\n", 0x2000 + i * 0x40);
        tell_elements(out, 0, each, 0x10000 + i * 0x1000);
        tell_instances(out, 0, each, 0x10000 + i * 0x1000, "app.Row");
    }
}

static void test_one_sibling_stands_out(void **state)
{
    (void)state;
    assert_site(tell_one_of_index, "sys.modules['app'].index[3]", 40, 40, "app.Row");
}

/* log.head -> newest node -> ... -> oldest node */
static void tell_list_by_head(struct hw_buf *out, unsigned k)
{
    unsigned n = 3 + 20 * k;
    tell_app(out);
    hw_buf_printf(out, "['log'] -> 0x1000\n@0x1000 app.Log\n.head -> 0x%x\n",
                  0x10000 + (n - 1) * 0x40);
    for (unsigned i = 0; i < n; i++) {
        hw_buf_printf(out, "@0x%x app.Node\n", 0x10000 + i * 0x40);
        if (i)
            hw_buf_printf(out, ".next -> 0x%x\n", 0x10000 + (i - 1) * 0x40);
    }
}

static void test_linked_list_by_head(void **state)
{
    (void)state;
    assert_site(tell_list_by_head, "sys.modules['app'].log.head", 40, 1, "app.Node");
}

/* log.head -> oldest node -> ... -> newest node */
static void tell_list_by_tail(struct hw_buf *out, unsigned k)
{
    unsigned n = 3 + 20 * k;
    tell_app(out);
    hw_buf_puts(out, "['log'] -> 0x1000\n@0x1000 app.Log\n.head -> 0x10000\n");
    for (unsigned i = 0; i < n; i++) {
        hw_buf_printf(out, "@0x%x app.Node\n", 0x10000 + i * 0x40);
        if (i + 1 < n)
            hw_buf_printf(out, ".next -> 0x%x\n", 0x10000 + (i + 1) * 0x40);
    }
}

static void test_linked_list_by_tail(void **state)
{
    (void)state;
    assert_site(tell_list_by_tail, "sys.modules['app'].log.head", 40, 1, "app.Node");
}

/* A cache that only C can see is named by the function it belongs to. */
static void tell_lru(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_puts(out, "['load'] -> 0x1000\n"
                     "@0x1000 functools._lru_cache_wrapper value=maxsize=None\n"
                     "internal cache -> 0x1040\n@0x1040 dict\n");
    tell_entries(out, 0, 5 + 20 * k, 0x10000);
    tell_instances(out, 0, 5 + 20 * k, 0x10000, "app.Page");
}

static void test_internals_are_named_by_their_owner(void **state)
{
    (void)state;
    assert_site(tell_lru, "sys.modules['app'].load", 80, 40, "app.Page");
}

/* ---- diff ---- */

static void test_diff(void **state)
{
    (void)state;
    struct hw_series *series = series_from(tell_dict, 3);
    struct hw_diff *diff;
    assert_true(hw_diff_ask(series, &diff, NULL));
    assert_int_equal(diff->snapshot_count, 3);
    assert_int_equal(diff->type_count, 2);
    const struct hw_diff_type *type = &diff->types[0];
    type += strcmp(type->name, "app.User") != 0;
    assert_string_equal(type->name, "app.User");
    assert_int_equal(type->counts[0], 10);
    assert_int_equal(type->count_delta, 40);
    assert_int_equal(type->bytes_delta, 40 * 64);
    assert_int_equal(type->born, 40);
    assert_int_equal(type->survived, 20);
    assert_int_equal(diff->holder_count, 1);
    assert_string_equal(diff->holders[0].path, "sys.modules['app'].users");
    assert_string_equal(diff->holders[0].holder_type, "dict");
    assert_string_equal(diff->holders[0].type, "app.User");
    assert_int_equal(diff->holders[0].sizes[2], 50);
    assert_int_equal(diff->holders[0].survived, 40);
    hw_diff_destroy(diff);
    hw_series_destroy(series);
}

static void test_series_refuses_strangers(void **state)
{
    (void)state;
    struct hw_series *series;
    struct hw_err err = HW_ERR_INIT;
    struct hw_diff *diff;
    assert_true(hw_series_create(&series, NULL));
    assert_true(hw_series_add(series, graph_from_text("fact pid=7\nfact taken_at_ns=5\n"), NULL));
    assert_false(hw_diff_ask(series, &diff, &err));
    assert_int_equal(err.code, HW_ERR_USAGE);
    assert_false(hw_series_add(series, graph_from_text("fact pid=8\nfact taken_at_ns=6\n"), &err));
    assert_string_equal(err.msg, "the snapshots are of different processes (7 and 8)");
    assert_false(hw_series_add(series, graph_from_text("fact pid=7\nfact taken_at_ns=4\n"), &err));
    assert_int_equal(hw_series_count(series), 1);
    hw_series_destroy(series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_container_is_the_site),
        cmocka_unit_test(test_other_type_is_another_object),
        cmocka_unit_test(test_list_of_other_holder_and_contents_is_another),
        cmocka_unit_test(test_moved_list_is_old),
        cmocka_unit_test(test_dict_of_other_holder_and_moved_contents_is_another),
        cmocka_unit_test(test_what_is_copied_to_and_fro_is_another),
        cmocka_unit_test(test_what_grows_beside_the_members_of_a_full_container),
        cmocka_unit_test(test_replaced_tuple_is_the_site),
        cmocka_unit_test(test_siblings_are_merged),
        cmocka_unit_test(test_one_sibling_stands_out),
        cmocka_unit_test(test_linked_list_by_head),
        cmocka_unit_test(test_linked_list_by_tail),
        cmocka_unit_test(test_internals_are_named_by_their_owner),
        cmocka_unit_test(test_diff),
        cmocka_unit_test(test_series_refuses_strangers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

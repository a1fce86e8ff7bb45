/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-text.h"
#include "series-text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Memory outside of objects: in a graph, in the questions, in a diagnosis. */

static void test_questions_tell_native_bytes(void **state)
{
    (void)state;
    struct hw_graph *graph = graph_from_text("$i interpreter \"main\"\n"
                                             "root a -> 0x1000\n"
                                             "root b -> 0x2000\n"
                                             "root c -> 0x3000\n"
                                             "@0x1000 mmap.mmap size=80 native=1000000\n"
                                             "@0x2000 dict size=5000\n"
                                             "@0x3000 mmap.mmap size=80 native=24\n");
    struct hw_types *types;
    struct hw_object *object;
    assert_true(hw_types_ask(graph, &types, NULL));
    assert_int_equal(hw_graph_native(graph, node_at(graph, 0x1000)), 1000000);
    assert_int_equal(hw_graph_native(graph, node_at(graph, 0x2000)), 0);
    assert_int_equal(hw_graph_native(graph, HW_NONE), 0);
    assert_int_equal(hw_graph_native_bytes(graph), 1000024);
    assert_string_equal(types->rows[0].name, "mmap.mmap");
    assert_int_equal(types->rows[0].bytes, 160);
    assert_int_equal(types->rows[0].native_bytes, 1000024);
    assert_int_equal(types->bytes, 5160);
    assert_int_equal(types->native_bytes, 1000024);
    assert_true(hw_object_ask(graph, node_at(graph, 0x3000), 9, &object, NULL));
    assert_int_equal(object->native_bytes, 24);
    hw_object_destroy(object);
    hw_types_destroy(types);
    hw_graph_destroy(graph);
}

static struct hw_diagnosis *ask(tell_snapshot *tell)
{
    struct hw_series *series = series_from(tell, 3);
    struct hw_diagnosis *diagnosis;
    struct hw_err err = HW_ERR_INIT;
    if (!hw_diagnose_ask(series, NULL, &diagnosis, &err))
        fail_msg("%s", err.msg);
    hw_series_destroy(series);
    return diagnosis;
}

static void assert_cause(tell_snapshot *tell, const char *cause, const char *evidence)
{
    struct hw_diagnosis *diagnosis = ask(tell);
    assert_int_equal(diagnosis->verdict, HW_VERDICT_LEAK);
    const struct hw_suspect *suspect = &diagnosis->suspects[0];
    assert_string_equal(suspect->cause, cause);
    assert_null(strchr(suspect->fix, '{'));
    bool found = !evidence;
    for (size_t i = 0; i < suspect->evidence_count; i++)
        found |= evidence && strcmp(suspect->evidence[i], evidence) == 0;
    if (!found)
        fail_msg("no evidence '%s', but '%s'", evidence, suspect->evidence[0]);
    hw_diagnosis_destroy(diagnosis);
}

/* ---- growth ---- */

static void tell_mapping(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_printf(out, "['log'] -> 0x1000\n@0x1000 mmap.mmap size=80 native=%u\n",
                  1000000 * (k + 1));
}

static void test_a_mapping_swells(void **state)
{
    (void)state;
    struct hw_diagnosis *diagnosis = ask(tell_mapping);
    assert_int_equal(diagnosis->verdict, HW_VERDICT_LEAK);
    assert_string_equal(diagnosis->suspects[0].evidence[0],
                        "the size of sys.modules['app'].log went 1,000,080 -> 2,000,080 -> "
                        "3,000,080 bytes in 10.0 s");
    assert_int_equal(diagnosis->shots[2].native_bytes, 3000000);
    hw_diagnosis_destroy(diagnosis);
}

/* 40 MB of a mapping that is larger than 32 bits tell. */
static void tell_huge_mapping(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_printf(out, "['log'] -> 0x1000\n@0x1000 mmap.mmap size=80 native=%llu\n",
                  (1ull << 35) + 20000000ull * k);
}

static void test_a_huge_mapping_swells(void **state)
{
    (void)state;
    struct hw_diagnosis *diagnosis = ask(tell_huge_mapping);
    assert_int_equal(diagnosis->verdict, HW_VERDICT_LEAK);
    assert_int_equal(diagnosis->suspects[0].bytes_per_second, 4000000);
    hw_diagnosis_destroy(diagnosis);
}

/* Few members, far below what counts are judged by, but large. */
static void tell_few_mappings(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_puts(out, "['jobs'] -> 0x1000\n@0x1000 list\n");
    tell_elements(out, 0, 2 + 2 * k, 0x10000);
    for (unsigned i = 0; i < 2 + 2 * k; i++)
        hw_buf_printf(out, "@0x%x mmap.mmap size=80 native=1000000\n", 0x10000 + i * 0x40);
}

static void test_few_mappings_are_many_bytes(void **state)
{
    (void)state;
    struct hw_diagnosis *diagnosis = ask(tell_few_mappings);
    const struct hw_suspect *suspect = diagnosis->suspects;
    assert_int_equal(diagnosis->verdict, HW_VERDICT_LEAK);
    assert_int_equal(suspect->bytes_per_second, 400032);
    assert_int_equal(suspect->bytes, 6000480);
    assert_int_equal(suspect->native_bytes, 6000000);
    assert_string_equal(suspect->evidence[suspect->evidence_count - 1],
                        "it holds 6 objects, 6.0 MB in all, of which 6.0 MB are buffers outside of "
                        "them");
    hw_diagnosis_destroy(diagnosis);
}

/* data += more: another object each time, in one place. */
static void tell_replaced(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_printf(out,
                  "['log'] -> 0x%x\n@0x%x numpy.ndarray size=%u flags=none\n.dtype -> 0x800\n"
                  "@0x800 numpy.dtype flags=none\n",
                  0x2000 + k * 0x1000, 0x2000 + k * 0x1000, 100000 + 50000 * k);
}

/* Made anew each time, sometimes larger. */
static void tell_renewed(struct hw_buf *out, unsigned k)
{
    static const unsigned sizes[] = {100000, 400000, 300000};
    tell_app(out);
    hw_buf_printf(out, "['log'] -> 0x%x\n@0x%x bytearray size=%u\n", 0x2000 + k * 0x1000,
                  0x2000 + k * 0x1000, sizes[k]);
}

/* A dict's entries under new keys are other places. */
static void tell_others(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_printf(out, "['log'] -> 0x1000\n@0x1000 dict\n['key%u'] -> 0x%x\n", k,
                  0x2000 + k * 0x1000);
    hw_buf_printf(out, "@0x%x bytearray size=%u\n", 0x2000 + k * 0x1000, 100000 + 50000 * k);
}

static void test_objects_that_larger_ones_replace(void **state)
{
    (void)state;
    struct hw_diagnosis *diagnosis = ask(tell_replaced);
    assert_int_equal(diagnosis->verdict, HW_VERDICT_LEAK);
    assert_string_equal(diagnosis->suspects[0].chain.path, "sys.modules['app'].log");
    assert_string_equal(diagnosis->suspects[0].type, "numpy.ndarray");
    assert_string_equal(diagnosis->suspects[0].evidence[0],
                        "the size of sys.modules['app'].log went 100,000 -> 150,000 -> 200,000 "
                        "bytes in 10.0 s");
    hw_diagnosis_destroy(diagnosis);
    diagnosis = ask(tell_renewed);
    assert_int_equal(diagnosis->verdict, HW_VERDICT_STEADY);
    hw_diagnosis_destroy(diagnosis);
    diagnosis = ask(tell_others);
    assert_int_not_equal(diagnosis->verdict, HW_VERDICT_LEAK);
    hw_diagnosis_destroy(diagnosis);
}

/* ---- what pins what ---- */

enum { VIEWS = 0x10000, BASES = 0x100000, BUFFERS = 0x200000 };

static void tell_views(struct hw_buf *out, unsigned count, unsigned shown, bool shared)
{
    tell_app(out);
    hw_buf_puts(out, "['rows'] -> 0x1000\n['frame'] -> 0x2000\n@0x1000 list\n");
    tell_elements(out, 0, count, VIEWS);
    for (unsigned i = 0; i < count; i++) {
        hw_buf_printf(out, "@0x%x numpy.ndarray size=112 flags=none value=nbytes=%u shape=(%u,)\n",
                      VIEWS + i * 0x40, shown, shown);
        hw_buf_printf(out, ".base -> 0x%x\n.dtype -> 0x3000\n", shared ? 0x2000 : BASES + i * 0x40);
        if (!shared)
            hw_buf_printf(out, "@0x%x numpy.ndarray size=9000 flags=none\n.dtype -> 0x3000\n",
                          BASES + i * 0x40);
    }
    hw_buf_puts(out, "@0x2000 numpy.ndarray size=900000 flags=none\n.dtype -> 0x3000\n"
                     "@0x3000 numpy.dtype flags=none\n");
}

static void tell_small_views(struct hw_buf *out, unsigned k)
{
    tell_views(out, 10 + 20 * k, 100, false);
}

static void tell_large_views(struct hw_buf *out, unsigned k)
{
    tell_views(out, 10 + 20 * k, 8800, false);
}

static void tell_shared_views(struct hw_buf *out, unsigned k)
{
    tell_views(out, 10 + 20 * k, 100, true);
}

static void tell_headers(struct hw_buf *out, unsigned k)
{
    unsigned count = 10 + 20 * k;
    tell_app(out);
    hw_buf_puts(out, "['seen'] -> 0x1000\n@0x1000 list\n");
    tell_elements(out, 0, count, VIEWS);
    for (unsigned i = 0; i < count; i++) {
        unsigned at = i * 0x40;
        hw_buf_printf(out, "@0x%x memoryview size=184 value=nbytes=16\ninternal mbuf -> 0x%x\n",
                      VIEWS + at, BASES + at);
        hw_buf_printf(out, "@0x%x managedbuffer size=128\ninternal obj -> 0x%x\n", BASES + at,
                      BUFFERS + at);
        hw_buf_printf(out, "@0x%x bytes size=8000 flags=leaf value=b'%u'\n", BUFFERS + at, i);
    }
}

static void test_small_views_pin_buffers(void **state)
{
    (void)state;
    assert_cause(tell_small_views, "view-pins-buffer",
                 "each numpy.ndarray shows 100 B, and keeps a numpy.ndarray of 9.0 kB alive that "
                 "nothing else holds (40 of 40 looked at)");
    assert_cause(tell_headers, "view-pins-buffer",
                 "each memoryview shows 16 B, and keeps a bytes of 8.0 kB alive that nothing else "
                 "holds (40 of 40 looked at)");
}

static void test_views_that_pin_nothing_unwanted(void **state)
{
    (void)state;
    assert_cause(tell_large_views, "growing-list", NULL);
    assert_cause(tell_shared_views, "growing-list", NULL);
}

static void tell_elements_of(struct hw_buf *out, unsigned count, const char *value, bool shared)
{
    tell_app(out);
    hw_buf_puts(out, "['titles'] -> 0x1000\n['feed'] -> 0x2000\n@0x1000 list\n");
    tell_elements(out, 0, count, VIEWS);
    for (unsigned i = 0; i < count; i++) {
        hw_buf_printf(out, "@0x%x lxml.etree._Element size=56 value=%s\n", VIEWS + i * 0x40, value);
        hw_buf_printf(out, "internal _doc -> 0x%x\ninternal _tag -> None\n",
                      shared ? 0x2000 : BASES + i * 0x40);
        if (!shared)
            hw_buf_printf(out, "@0x%x lxml.etree._Document size=72 native=50000\n",
                          BASES + i * 0x40);
    }
    hw_buf_puts(out, "@0x2000 lxml.etree._Document size=72 native=5000000\n");
}

static void tell_titles(struct hw_buf *out, unsigned k)
{
    tell_elements_of(out, 10 + 20 * k, "<title>", false);
}

static void tell_tops(struct hw_buf *out, unsigned k)
{
    tell_elements_of(out, 10 + 20 * k, "<feed>, root", false);
}

static void tell_titles_of_one(struct hw_buf *out, unsigned k)
{
    tell_elements_of(out, 10 + 20 * k, "<title>", true);
}

static void test_elements_pin_documents(void **state)
{
    (void)state;
    assert_cause(tell_titles, "proxy-pins-tree",
                 "each lxml.etree._Element keeps a lxml.etree._Document of 50.1 kB alive that "
                 "nothing else holds (40 of 40 looked at)");
    assert_cause(tell_tops, "growing-list", NULL);
    assert_cause(tell_titles_of_one, "growing-list", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_questions_tell_native_bytes),
        cmocka_unit_test(test_a_mapping_swells),
        cmocka_unit_test(test_a_huge_mapping_swells),
        cmocka_unit_test(test_few_mappings_are_many_bytes),
        cmocka_unit_test(test_objects_that_larger_ones_replace),
        cmocka_unit_test(test_small_views_pin_buffers),
        cmocka_unit_test(test_views_that_pin_nothing_unwanted),
        cmocka_unit_test(test_elements_pin_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

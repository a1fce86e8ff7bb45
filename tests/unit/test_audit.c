/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/residual.h"
#include "ask/sample.h"
#include "graph-text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The interpreter holds a module's namespace, and C code's memory one text: so the file says that it
 * was looked at. */
#define ROOTS                                                                             \
    "$i interpreter \"0\"\nroot sys.modules -> 0x100\n"                                   \
    "@0x100 dict\n['app'] -> 0x110\n"                                                     \
    "@0x180 str rc=1 held=1 value='kept by C code'\n"

static struct hw_audit *ask_after(const char *text, const struct hw_audit *before)
{
    struct hw_graph *graph = graph_from_text(text);
    struct hw_audit *audit = NULL;
    struct hw_err err = HW_ERR_INIT;
    if (!hw_audit_ask(graph, before, &audit, &err))
        fail_msg("%s", err.msg);
    hw_graph_destroy(graph);
    return audit;
}

static struct hw_audit *ask(const char *text)
{
    return ask_after(text, NULL);
}

static const struct hw_audit_row *row_of(const struct hw_audit *audit, const char *type)
{
    for (size_t i = 0; i < audit->row_count; i++)
        if (strcmp(audit->rows[i].type, type) == 0)
            return &audit->rows[i];
    fail_msg("no row of %s", type);
    return NULL;
}

static void assert_nothing(const char *text)
{
    struct hw_audit *audit = ask(text);
    assert_int_equal(audit->objects, 0);
    assert_int_equal(audit->row_count, 0);
    assert_int_equal(audit->overcounted, 0);
    assert_int_equal(audit->exact + audit->by_words + audit->busy_objects, audit->examined);
    hw_audit_destroy(audit);
}

static void test_all_is_seen(void **state)
{
    (void)state;
    assert_nothing(ROOTS "@0x110 module\n.x -> 0x120\n.y -> 0x120\n@0x120 list rc=2\n");
    /* what the collector is not told of is a reference, too */
    assert_nothing(ROOTS "@0x110 module\n.x -> 0x120\n@0x120 app.C rc=1\n"
                         "word 16 -> 0x130\n@0x130 list rc=1\n");
}

static void test_words_speak_for_references(void **state)
{
    (void)state;
    assert_nothing(ROOTS "@0x110 module\n@0x120 list rc=1\n$c c_globals \"a.so\" \"/x/a.so\"\n"
                         "word 8 -> 0x120\n");
    assert_nothing(ROOTS "@0x110 module\n@0x120 list rc=2 held=2\n");
    /* but only for as many as there are words */
    struct hw_audit *audit = ask(ROOTS "@0x110 module\n@0x120 list rc=3 held=2\n");
    assert_int_equal(row_of(audit, "list")->references, 1);
    hw_audit_destroy(audit);
}

static void test_words_in_memory_are_told_apart(void **state)
{
    (void)state;
    struct hw_audit *audit = ask(ROOTS "@0x110 module\n.x -> 0x130\n@0x120 list rc=3 held=2\n"
                                       "@0x130 dict rc=3 held=9\n");
    assert_int_equal(audit->objects, 1);
    /* the text of ROOTS is another; what is left over of a list is no word's */
    assert_int_equal(audit->word_objects, 2);
    assert_int_equal(audit->word_count, 2);
    for (size_t i = 0; i < audit->word_count; i++)
        assert_int_equal(audit->words[i].references,
                         strcmp(audit->words[i].type, "dict") == 0 ? 2 : 1);
    hw_audit_destroy(audit);
}

/* C code may keep more and more of what it wants to keep. */
static void test_growth_in_memory_is_no_leak(void **state)
{
    (void)state;
    static const char *const looks[] = {
        "fact pid=7\nfact start_time=9\nfact taken_at_ns=1000000000\n" ROOTS "@0x110 module\n",
        "fact pid=7\nfact start_time=9\nfact taken_at_ns=2000000000\n" ROOTS
        "@0x110 module\n@0x120 list rc=1 held=1\n"};
    struct hw_audit *first = ask(looks[0]), *second = ask_after(looks[1], first);
    assert_false(second->leaks);
    assert_int_equal(second->word_count, 2);
    for (size_t i = 0; i < second->word_count; i++)
        assert_int_equal(second->words[i].grows, strcmp(second->words[i].type, "list") == 0);
    hw_audit_destroy(first);
    hw_audit_destroy(second);
}

static void test_words_on_stacks_are_told_apart(void **state)
{
    (void)state;
    struct hw_audit *audit = ask(ROOTS "@0x110 module\n@0x120 list rc=1\n"
                                       "$s stack \"main\" tid=5\nword 8 -> 0x120\nword 16 -> 0x120\n");
    assert_int_equal(audit->objects, 0);
    assert_int_equal(audit->busy_objects, 1);
    assert_int_equal(audit->busy_count, 1);
    assert_string_equal(audit->busy[0].type, "list");
    assert_int_equal(audit->busy[0].references, 1);
    hw_audit_destroy(audit);
}

static void test_what_counts_nothing(void **state)
{
    (void)state;
    assert_nothing(ROOTS "@0x110 module\n.x -> 0x120\n.t -> 0x130\n@0x120 list rc=9 flags=immortal\n"
                         "@0x130 tuple rc=9 flags=static\n@0x140 code rc=999999999\n");
}

static void test_a_cache_lends_what_its_links_hold(void **state)
{
    (void)state;
    assert_nothing(ROOTS "@0x110 module\n.x -> 0x120\n@0x120 functools._lru_cache_wrapper rc=1\n"
                         "internal link -> 0x130\ninternal \"cached key\" -> 0x140\n"
                         "internal \"cached result\" -> 0x150\n"
                         "@0x130 functools._lru_list_elem rc=1\ninternal key -> 0x140\n"
                         "internal result -> 0x150\n"
                         "@0x140 tuple rc=1\n@0x150 list rc=1\n");
}

static void test_a_running_generator_counts_once(void **state)
{
    (void)state;
    assert_nothing(ROOTS "@0x110 module\n.g -> 0x120\n@0x120 generator rc=1\n.gi_code -> 0x130\n"
                         ".f_code -> 0x130\nlocal x -> 0x140\n@0x130 code rc=2\n@0x140 list rc=1\n"
                         "$f frame \"gen\" \"app.py\" 3 tid=5\n.f_code -> 0x130\nlocal x -> 0x140\n");
}

static void test_a_leaked_object(void **state)
{
    (void)state;
    struct hw_audit *audit =
        ask("type app.Frame python\n" ROOTS
            "@0x110 module\n.kept -> 0x120\n@0x120 app.Frame rc=2\n"
            "@0x130 app.Frame rc=1 size=48\n.data -> 0x140\n@0x140 bytes rc=1 size=400\n"
            "@0x150 str rc=1 flags=leaf,lost value='text'\n");
    assert_int_equal(audit->objects, 3);
    assert_int_equal(audit->lost, 1);
    assert_int_equal(audit->row_count, 2);
    assert_true(audit->memory_recorded);
    assert_false(audit->leaks);
    const struct hw_audit_row *frames = row_of(audit, "app.Frame");
    /* one is held as well; the other holds its data, which are none of the heads */
    assert_int_equal(frames->objects, 2);
    assert_int_equal(frames->references, 2);
    assert_int_equal(frames->lost, 0);
    assert_int_equal(frames->held_objects, 2);
    assert_int_equal(frames->held_bytes, 448);
    const struct hw_audit_row *texts = row_of(audit, "str");
    assert_int_equal(texts->lost, 1);
    assert_int_equal(texts->sample_count, 1);
    assert_string_equal(texts->samples[0], "'text'");
    assert_int_equal(texts->example_addr, 0x150);
    hw_audit_destroy(audit);
}

static void test_our_mistakes_are_counted(void **state)
{
    (void)state;
    struct hw_audit *audit =
        ask(ROOTS "@0x110 module\n.x -> 0x120\n.y -> 0x120\n@0x120 list rc=1\n");
    assert_int_equal(audit->overcounted, 1);
    assert_int_equal(audit->objects, 0);
    hw_audit_destroy(audit);
}

static void test_old_files_say_so(void **state)
{
    (void)state;
    struct hw_audit *audit = ask("@0x100 list rc=1\n");
    assert_false(audit->memory_recorded);
    assert_int_equal(audit->objects, 1);
    hw_audit_destroy(audit);
}

#define LOOK(at, leaked) "fact pid=7\nfact start_time=9\nfact taken_at_ns=" #at "\n" ROOTS "@0x110 module\n" leaked
#define TEXT(addr) "@" #addr " str rc=1 flags=leaf,lost\n"

static void test_only_growth_is_a_leak(void **state)
{
    (void)state;
    struct hw_audit *first = ask(LOOK(1000000000, TEXT(0x200) "@0x300 tuple rc=1 flags=lost\n"));
    struct hw_audit *second = ask_after(
        LOOK(3000000000, TEXT(0x200) TEXT(0x220) "@0x300 tuple rc=1 flags=lost\n"), first);
    assert_true(second->leaks);
    assert_int_equal(second->looks, 2);
    assert_true(second->seconds > 1.9 && second->seconds < 2.1);
    assert_string_equal(second->rows[0].type, "str");
    assert_true(second->rows[0].grows);
    assert_int_equal(second->rows[0].first_references, 1);
    assert_false(row_of(second, "tuple")->grows);
    /* what stopped growing is none */
    struct hw_audit *third = ask_after(LOOK(5000000000, TEXT(0x200) TEXT(0x220)), second);
    assert_false(third->leaks);
    assert_int_equal(row_of(third, "str")->first_references, 1);
    struct hw_audit *more =
        ask_after(LOOK(5000000000, TEXT(0x200) TEXT(0x220) TEXT(0x240)), second);
    assert_true(more->leaks);
    hw_audit_destroy(first);
    hw_audit_destroy(second);
    hw_audit_destroy(third);
    hw_audit_destroy(more);
}

static void test_looks_are_of_one_process_in_order(void **state)
{
    (void)state;
    struct hw_audit *first = ask(LOOK(3000000000, "")), *audit = NULL;
    static const char *const refused[] = {LOOK(1000000000, ""),
                                          "fact pid=8\nfact start_time=9\n"
                                          "fact taken_at_ns=5000000000\n" ROOTS
                                          "@0x110 module\n"};
    for (size_t i = 0; i < 2; i++) {
        struct hw_graph *graph = graph_from_text(refused[i]);
        struct hw_err err = HW_ERR_INIT;
        assert_false(hw_audit_ask(graph, first, &audit, &err));
        assert_int_equal(err.code, HW_ERR_USAGE);
        assert_null(audit);
        hw_graph_destroy(graph);
    }
    hw_audit_destroy(first);
}

static void test_nearest_modules(void **state)
{
    (void)state;
    struct hw_audit *audit =
        ask("type lxml.etree._Element node=0x900\n" ROOTS "@0x110 module\n@0x900 type rc=1\n"
            "$a c_globals \"etree.cpython-311-x86_64-linux-gnu.so\" \"/site/lxml/etree.cpython-311.so\"\n"
            "$b c_globals \"fast.abi3.so\" \"/site/fast.abi3.so\"\nword 8 -> 0x900\n"
            "$c c_globals \"_json.cpython-311-x86_64-linux-gnu.so\" \"/py/lib-dynload/_json.so\"\n"
            "$d c_globals \"libxml2.so\" \"/lib/libxml2.so\"\nword 8 -> 0x900\n"
            "@0x200 lxml.etree._Element rc=1\n");
    const struct hw_audit_row *row = row_of(audit, "lxml.etree._Element");
    assert_int_equal(row->library_count, 2);
    assert_string_equal(row->libraries[0], "etree.cpython-311-x86_64-linux-gnu.so");
    assert_string_equal(row->libraries[1], "fast.abi3.so");
    assert_int_equal(audit->extension_count, 2);
    hw_audit_destroy(audit);
}

static void assert_sample(const char *text, const char *sample)
{
    struct hw_graph *graph = graph_from_text(text);
    struct hw_arena arena = {0};
    const char *said;
    assert_true(hw_sample_spell(graph, node_at(graph, 0x10), &arena, &said));
    assert_string_equal(said, sample);
    hw_arena_deinit(&arena);
    hw_graph_destroy(graph);
}

static void test_samples(void **state)
{
    (void)state;
    assert_sample("@0x10 str value='abc'\n", "'abc'");
    assert_sample("@0x10 str\n", "");
    assert_sample("@0x10 tuple\n[0] -> 'a'\n[1] -> 3\n[2] -> 0x20\n[3] -> 4\n@0x20 list\n",
                  "('a', 3, <list>, ...)");
    assert_sample("@0x10 dict\n['k'] -> 1\n", "{'k': 1}");
    assert_sample("type app.A python\n@0x10 app.A\n.name -> 'x'\n.parts -> 0x20\n@0x20 list\n",
                  "name='x'");
    assert_sample("type app.A python\n@0x10 app.A\n.__dict__ -> 0x20\n@0x20 dict\n['n'] -> 5\n",
                  "'n': 5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_is_seen),
        cmocka_unit_test(test_words_speak_for_references),
        cmocka_unit_test(test_words_in_memory_are_told_apart),
        cmocka_unit_test(test_growth_in_memory_is_no_leak),
        cmocka_unit_test(test_words_on_stacks_are_told_apart),
        cmocka_unit_test(test_what_counts_nothing),
        cmocka_unit_test(test_a_cache_lends_what_its_links_hold),
        cmocka_unit_test(test_a_running_generator_counts_once),
        cmocka_unit_test(test_a_leaked_object),
        cmocka_unit_test(test_our_mistakes_are_counted),
        cmocka_unit_test(test_old_files_say_so),
        cmocka_unit_test(test_only_growth_is_a_leak),
        cmocka_unit_test(test_looks_are_of_one_process_in_order),
        cmocka_unit_test(test_nearest_modules),
        cmocka_unit_test(test_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

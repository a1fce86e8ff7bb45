/* SPDX-License-Identifier: Apache-2.0 */

/* Who owns all objects of a type. */
#include "graph-text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A program of a module app, with an installed package lib and queue of the standard library, whose
 * namespace has these entries. The namespace of app is open for more. */
#define PROGRAM_WITH(queue)                                                  \
    "$i interpreter \"main\"\nroot sys.modules -> 0x100\n"                   \
    "@0x100 dict\n"                                                          \
    "['app'] -> 0x110\n['lib'] -> 0x120\n['queue'] -> 0x130\n"               \
    "@0x110 module value=app\n.__dict__ -> 0x118\n"                          \
    "@0x120 module value=lib\n.__dict__ -> 0x128\n"                          \
    "@0x128 dict\n['__file__'] -> '/usr/lib/python3/dist-packages/lib.py'\n" \
    "['pool'] -> 0x600\n@0x600 list\n[0] -> 0x6000\n@0x6000 Item\n"          \
    "@0x130 module value=queue\n.__dict__ -> 0x138\n@0x138 dict\n" queue     \
    "type app.Hub python heap\ntype app.Session python heap\n"               \
    "type lib.Box python heap\ntype queue.Queue python heap\n"               \
    "@0x118 dict\n"
#define PROGRAM PROGRAM_WITH("")

struct expected {
    const char *owner, *holder;
    uint64_t count;
    bool shared;
};

static void assert_owners(const char *text, const struct expected *expected, size_t count)
{
    struct hw_graph *graph = graph_from_text(text);
    struct hw_merged *merged;
    size_t items;
    assert_true(hw_object_resolve(graph, "Item", NULL, 0, &items, NULL));
    hw_id *ids = calloc(items, sizeof(*ids));
    assert_true(hw_object_resolve(graph, "Item", ids, items, &items, NULL));
    assert_true(hw_owners_ask(graph, ids, items, 0, &merged, NULL));
    assert_int_equal(merged->count, items);
    for (size_t i = 0; i < count; i++) {
        const struct hw_merged_row *row = NULL;
        for (size_t r = 0; r < merged->row_count; r++)
            if (strcmp(merged->rows[r].path, expected[i].owner) == 0)
                row = &merged->rows[r];
        if (!row)
            fail_msg("nobody is called %s; the first is %s", expected[i].owner,
                     merged->rows[0].path);
        assert_string_equal(row->holder, expected[i].holder);
        assert_int_equal(row->count, expected[i].count);
        assert_int_equal(row->bytes, 64 * expected[i].count);
        assert_int_equal(row->shared, expected[i].shared);
    }
    free(ids);
    hw_merged_destroy(merged);
    hw_graph_destroy(graph);
}

#define OWNERS(text, ...)                                        \
    do {                                                         \
        const struct expected rows[] = {__VA_ARGS__};            \
        assert_owners(text, rows, sizeof(rows) / sizeof(*rows)); \
    } while (0)

/* Wrappers of any depth between an attribute and the objects. */
static void test_objects_of_the_program_own_through_their_attributes(void **state)
{
    (void)state;
    OWNERS(PROGRAM "['hub'] -> 0x200\n"
                   "@0x200 app.Hub\n.sessions -> 0x210\n"
                   "@0x210 list\n[0] -> 0x300\n[1] -> 0x340\n"
                   "@0x300 app.Session\n.headers -> 0x310\n.body -> 0x5000\n"
                   "@0x310 dict\n[1] -> 0x5040\n[2] -> 0x320\n"
                   "@0x320 tuple\n[0] -> 0x5080\n"
                   "@0x340 app.Session\n.__dict__ -> 0x350\n"
                   "@0x350 dict\n~['headers'] -> 0x360\n['body'] -> 0x50c0\n"
                   "@0x360 dict\n[1] -> 0x5100\n"
                   "@0x5000 Item\n@0x5040 Item\n@0x5080 Item\n@0x50c0 Item\n@0x5100 Item\n",
           {"app.Session.headers", "app.Session", 3, false},
           {"app.Session.body", "app.Session", 2, false});
}

static void test_names_of_modules_own(void **state)
{
    (void)state;
    OWNERS(PROGRAM "['cache'] -> 0x200\n['one'] -> 0x5080\n"
                   "@0x200 dict\n[1] -> 0x5000\n[2] -> 0x5040\n"
                   "@0x5000 Item\n@0x5040 Item\n@0x5080 Item\n",
           {"sys.modules['app'].cache", "module", 2, false},
           {"sys.modules['app'].one", "module", 1, false});
}

static void test_local_variables_own(void **state)
{
    (void)state;
    OWNERS(PROGRAM "$t thread \"MainThread\" tid=5\nroot frame -> $f\n"
                   "$f frame \"main\" \"/srv/app.py\" 41 tid=5\nlocal rows -> 0x200\n"
                   "@0x200 list\n[0] -> 0x5000\n@0x5000 Item\n",
           {"<main() at app.py>.rows", "running frame", 1, false});
}

static void test_classes_own(void **state)
{
    (void)state;
    OWNERS(PROGRAM "['Hub'] -> 0x900\ntype app.Hub python heap node=0x900\n"
                   "@0x900 type flags=type,tracked\n.__dict__ -> 0x908\n"
                   "@0x908 dict\n['registry'] -> 0x200\n"
                   "@0x200 list\n[0] -> 0x5000\n@0x5000 Item\n",
           {"app.Hub.registry", "type", 1, false});
}

/* A queue of the program's belongs to the program; one that nobody else holds to its library. */
static void test_libraries_own_only_where_the_program_has_no_part(void **state)
{
    (void)state;
    OWNERS(PROGRAM "['hub'] -> 0x200\n"
                   "@0x200 app.Hub\n.jobs -> 0x210\n.box -> 0x240\n"
                   "@0x210 queue.Queue\n.items -> 0x220\n@0x220 list\n[0] -> 0x5000\n"
                   "@0x240 lib.Box\n.inside -> 0x5040\n"
                   "@0x5000 Item\n@0x5040 Item\n",
           {"app.Hub.jobs", "app.Hub", 1, false}, {"app.Hub.box", "app.Hub", 1, false},
           {"sys.modules['lib'].pool", "module", 1, false});
}

/* Two modules hold one dict; two names of one module hold another. */
static void test_what_several_hold_is_shared(void **state)
{
    (void)state;
    OWNERS(
        PROGRAM_WITH(
            "['both'] -> 0x200\n['direct'] -> 0x5080\n") "['both'] -> 0x200\n['a'] -> 0x220\n['b'] "
                                                         "-> 0x228\n['direct'] -> 0x5080\n"
                                                         "@0x200 dict\n[1] -> 0x5000\n"
                                                         "@0x220 list\n[0] -> 0x230\n@0x228 "
                                                         "list\n[0] -> 0x230\n"
                                                         "@0x230 dict\n[1] -> 0x5040\n"
                                                         "@0x5000 Item\n@0x5040 Item\n@0x5080 "
                                                         "Item\n",
        {"sys.modules['app'].both", "", 1, true}, {"sys.modules['app'].a[*]", "", 1, true},
        {"", "", 1, true});
}

/* A word that a call left on the C stack is no second owner. */
static void test_a_stale_word_on_the_stack_takes_nothing_away(void **state)
{
    (void)state;
    OWNERS(PROGRAM "['hub'] -> 0x200\n$s stack \"MainThread\"\nword 8 -> 0x210\n"
                   "@0x200 app.Hub\n.jobs -> 0x210\n@0x210 list\n[0] -> 0x5000\n@0x5000 Item\n",
           {"app.Hub.jobs", "app.Hub", 1, false});
}

/* 50,000 links, each owned by the one before: no stack, no quadratic time. */
static void test_a_long_list_is_walked_once(void **state)
{
    (void)state;
    enum { LINKS = 50000 };
    struct hw_buf text = {0};
    hw_buf_puts(&text, PROGRAM "['head'] -> 0x10000\n");
    for (unsigned i = 0; i < LINKS; i++) {
        hw_buf_printf(&text, "@0x%x list\n[0] -> 0x%x\n", 0x10000 + i * 0x80, 0x10040 + i * 0x80);
        hw_buf_printf(&text, i + 1 < LINKS ? "[1] -> 0x%x\n" : "", 0x10080 + i * 0x80);
        hw_buf_printf(&text, "@0x%x Item\n", 0x10040 + i * 0x80);
    }
    OWNERS(hw_buf_str(&text), {"sys.modules['app'].head", "module", LINKS, false});
    hw_buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects_of_the_program_own_through_their_attributes),
        cmocka_unit_test(test_names_of_modules_own),
        cmocka_unit_test(test_local_variables_own),
        cmocka_unit_test(test_classes_own),
        cmocka_unit_test(test_libraries_own_only_where_the_program_has_no_part),
        cmocka_unit_test(test_what_several_hold_is_shared),
        cmocka_unit_test(test_a_stale_word_on_the_stack_takes_nothing_away),
        cmocka_unit_test(test_a_long_list_is_walked_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */

/* Shapes of best paths, and many objects merged by them. */
#include "ask/shape.h"
#include "base/buf.h"
#include "graph-text.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Modules sys and app, and the namespace of app open for entries. */
#define APP                       \
    "$i interpreter \"main\"\n"   \
    "root sys.modules -> 0x100\n" \
    "@0x100 dict\n"               \
    "['app'] -> 0x110\n"          \
    "@0x110 module value=app\n"   \
    ".__dict__ -> 0x118\n"        \
    "@0x118 dict\n"

static void assert_shape(const char *text, hw_addr addr, const char *shape)
{
    struct hw_graph *graph = graph_from_text(text);
    struct hw_tree tree;
    struct hw_shapes *shapes;
    struct hw_buf spelled = {0};
    assert_true(hw_tree_init(&tree, graph, NULL));
    assert_true(hw_shapes_create(&shapes, graph, &tree, NULL));
    uint32_t number = hw_shape_of(shapes, node_at(graph, addr));
    hw_shape_spell(shapes, number, &spelled);
    assert_string_equal(hw_buf_str(&spelled), shape);
    assert_int_equal(hw_shape_of(shapes, node_at(graph, addr)), number);
    hw_buf_deinit(&spelled);
    hw_shapes_destroy(shapes);
    hw_tree_deinit(&tree);
    hw_graph_destroy(graph);
}

static struct hw_merged *ask(struct hw_graph *graph, const char *what, size_t max_rows)
{
    size_t count;
    struct hw_merged *paths;
    assert_true(hw_object_resolve(graph, what, NULL, 0, &count, NULL));
    hw_id *ids = calloc(count, sizeof(*ids));
    assert_true(hw_object_resolve(graph, what, ids, count, &count, NULL));
    assert_true(hw_paths_ask(graph, ids, count, max_rows, &paths, NULL));
    free(ids);
    return paths;
}

/* ---- shapes ---- */

#define HUB                          \
    APP "['hub'] -> 0x200\n"         \
        "type app.Hub python heap\n" \
        "@0x200 app.Hub\n"

static void test_keys_and_indices_are_left_out_and_names_stay(void **state)
{
    (void)state;
    const char *text = HUB ".__dict__ -> 0x210\n"
                           "@0x210 dict\n"
                           "~['_subscribers'] -> 0x220\n"
                           "~['rows'] -> 0x260\n"
                           "@0x220 dict\n"
                           "['user-8812'] -> 0x230\n"
                           "@0x230 app.Sub\n"
                           ".conn -> 0x240\n"
                           "@0x240 app.Conn\n"
                           "@0x260 list\n"
                           "[7] -> 0x270\n"
                           "@0x270 dict\n"
                           "~['name'] -> 0x280\n"
                           "@0x280 app.Name\n";
    assert_shape(text, 0x240, "sys.modules['app'].hub._subscribers[*].conn");
    assert_shape(text, 0x280, "sys.modules['app'].hub.rows[*]['name']");
    assert_shape(text, 0x110, "sys.modules['app']");
    assert_shape(text, 0x210, "sys.modules['app'].hub.__dict__");
}

static void test_attributes_read_alike_in_a_dict_and_inline(void **state)
{
    (void)state;
    assert_shape(HUB ".__dict__ -> 0x210\n@0x210 dict\n['jobs'] -> 0x300\n@0x300 list\n", 0x300,
                 "sys.modules['app'].hub.jobs");
    assert_shape(HUB ".__dict__ -> 0x210\n@0x210 dict\n~['jobs'] -> 0x300\n@0x300 list\n", 0x300,
                 "sys.modules['app'].hub.jobs");
    assert_shape(HUB ".jobs -> 0x300\n@0x300 list\n", 0x300, "sys.modules['app'].hub.jobs");
}

static void test_attributes_that_are_no_names_are_keys(void **state)
{
    (void)state;
    assert_shape(HUB ".__dict__ -> 0x210\n@0x210 dict\n['user 17'] -> 0x300\n@0x300 list\n", 0x300,
                 "sys.modules['app'].hub[*]");
}

static void test_functions_go_without_line_and_thread(void **state)
{
    (void)state;
    const char *text = "$i interpreter \"main\"\n"
                       "$t thread \"Thread-12 (worker)\" tid=5\n"
                       "root frame -> $f\n"
                       "root dict -> 0x300\n"
                       "$f frame \"main\" \"/srv/app.py\" 41 tid=5\n"
                       "local sessions -> 0x200\n"
                       "local task -> 0x210\n"
                       "@0x200 list\n"
                       "@0x210 coroutine value=serve app.py:30\n"
                       ".cr_code -> 0x220\n"
                       "local peers -> 0x230\n"
                       "@0x220 code value=serve app.py:30\n"
                       "@0x230 dict\n"
                       "['a'] -> 0x240\n"
                       "@0x240 app.Peer\n"
                       "@0x300 dict\n";
    assert_shape(text, 0x200, "<main() at app.py>.sessions");
    assert_shape(text, 0x240, "<coroutine serve() at app.py>.peers[*]");
    assert_shape(text, 0x300, "<thread Thread-* (worker)>.<dict>");
}

static void test_libraries_go_without_version(void **state)
{
    (void)state;
    assert_shape("$c c_globals \"libpython3.11.so.1.0\"\nword 16 -> 0x200\n@0x200 list\n", 0x200,
                 "<globals of python>.<word>");
    assert_shape("$c c_globals \"_ssl.cpython-311-x86_64-linux-gnu.so\"\nword 8 -> 0x200\n"
                 "@0x200 list\n",
                 0x200, "<globals of _ssl>.<word>");
    assert_shape("$c c_globals \"heapwhy\" \"left out\"\nword 8 -> 0x200\n@0x200 list\n", 0x200, "<heapwhy itself>.<word>");
}

/* Its dicts are held in another way in each version. */
static void test_attributes_of_a_thread_local_object_are_attributes(void **state)
{
    (void)state;
    assert_shape(APP "['state'] -> 0x200\n"
                     "@0x200 _thread._local\n"
                     "internal dummies -> 0x210\n"
                     "@0x210 dict\n"
                     "[0x220] -> 0x230\n"
                     "@0x220 weakref.ReferenceType\n"
                     "@0x230 dict\n"
                     "['rows'] -> 0x240\n"
                     "@0x240 list\n"
                     "[0] -> 0x250\n"
                     "@0x250 app.Row\n",
                 0x250, "sys.modules['app'].state.rows[*]");
}

/* ---- runs ---- */

/* app.head -> links nodes, each from the one before by the suffixes in turn; the last is at
 * 0x10000 + 0x40 * links. */
static void tell_links(struct hw_buf *out, unsigned links, const char *const *suffixes,
                       const char *const *types, unsigned period)
{
    hw_buf_puts(out, APP "['head'] -> 0x10000\n");
    for (unsigned i = 0; i <= links; i++) {
        hw_buf_printf(out, "@0x%x %s\n", 0x10000 + i * 0x40, types[i % period]);
        if (i < links)
            hw_buf_printf(out, "%s -> 0x%x\n", suffixes[i % period], 0x10000 + (i + 1) * 0x40);
    }
}

static void assert_links(unsigned links, const char *const *suffixes, const char *const *types,
                         unsigned period, const char *shape)
{
    struct hw_buf text = {0};
    tell_links(&text, links, suffixes, types, period);
    assert_shape(hw_buf_str(&text), 0x10000 + links * 0x40, shape);
    hw_buf_deinit(&text);
}

static void test_runs_are_folded(void **state)
{
    (void)state;
    static const char *const next[] = {".next"}, *const node[] = {"app.Node"};
    static const char *const item[] = {"[0]"}, *const list[] = {"list"};
    static const char *const parts[] = {".parts", "[3]"}, *const part[] = {"app.Part", "list"};
    static const char *const three[] = {".a", ".b", "[0]"}, *const types[] = {"X", "Y", "list"};
    assert_links(1, next, node, 1, "sys.modules['app'].head.next");
    assert_links(2, next, node, 1, "sys.modules['app'].head.next+");
    assert_links(5000, next, node, 1, "sys.modules['app'].head.next+");
    assert_links(3, item, list, 1, "sys.modules['app'].head[*][*][*]");
    assert_links(4, item, list, 1, "sys.modules['app'].head[*]+");
    assert_links(900, item, list, 1, "sys.modules['app'].head[*]+");
    assert_links(3, parts, part, 2, "sys.modules['app'].head.parts[*].parts");
    assert_links(4, parts, part, 2, "sys.modules['app'].head(.parts[*])+");
    assert_links(3000, parts, part, 2, "sys.modules['app'].head(.parts[*])+");
    assert_links(3001, parts, part, 2, "sys.modules['app'].head(.parts[*])+.parts");
    assert_links(3000, three, types, 3, "sys.modules['app'].head(.a.b[*])+");
}

/* Left and right in any order: every node of a tree has a path of its own. */
static void test_attributes_from_a_type_to_itself_are_joined(void **state)
{
    (void)state;
    static const char *const turns[] = {".left", ".right", ".right", ".left", ".right"};
    static const char *const node[] = {"app.Node", "app.Node", "app.Node", "app.Node", "app.Node"};
    assert_links(1, turns, node, 5, "sys.modules['app'].head.left");
    assert_links(2, turns, node, 5, "sys.modules['app'].head.*+");
    assert_links(1000, turns, node, 5, "sys.modules['app'].head.*+");
}

/* No period: a bounded number of shapes all the same. */
static void test_paths_without_end_are_cut(void **state)
{
    (void)state;
    struct hw_buf text = {0};
    uint32_t random = 7;
    unsigned links = 2000;
    hw_buf_puts(&text, APP "['head'] -> 0x10000\n");
    for (unsigned i = 0; i <= links; i++) {
        hw_buf_printf(&text, "@0x%x T%u\n", 0x10000 + i * 0x40, i % 7);
        random = random * 1664525u + 1013904223u;
        if (i < links)
            hw_buf_printf(&text, ".a%u -> 0x%x\n", random >> 24, 0x10000 + (i + 1) * 0x40);
    }
    struct hw_graph *graph = graph_from_text(hw_buf_str(&text));
    struct hw_tree tree;
    struct hw_shapes *shapes;
    struct hw_buf spelled = {0};
    assert_true(hw_tree_init(&tree, graph, NULL));
    assert_true(hw_shapes_create(&shapes, graph, &tree, NULL));
    hw_shape_spell(shapes, hw_shape_of(shapes, node_at(graph, 0x10000 + links * 0x40)), &spelled);
    assert_true(strncmp(hw_buf_str(&spelled), "sys.modules['app'].head.a", 25) == 0);
    assert_string_equal(hw_buf_str(&spelled) + spelled.len - 3, "...");
    assert_true(hw_shapes_count(shapes) < 200);
    hw_buf_deinit(&spelled);
    hw_buf_deinit(&text);
    hw_shapes_destroy(shapes);
    hw_tree_deinit(&tree);
    hw_graph_destroy(graph);
}

/* ---- merged paths ---- */

static void tell_sessions(struct hw_buf *out, unsigned count)
{
    hw_buf_puts(out, APP "['cache'] -> 0x1000\n['last'] -> 0x2000\n"
                         "type app.Session python heap\n"
                         "@0x2000 app.Session size=10\n"
                         "@0x3000 app.Session size=7 rc=1\n.me -> 0x3000\n"
                         "@0x1000 dict\n");
    for (unsigned i = 0; i < count; i++)
        hw_buf_printf(out, "[%u] -> 0x%x\n", i, 0x10000 + i * 0x40);
    for (unsigned i = 0; i < count; i++)
        hw_buf_printf(out, "@0x%x app.Session size=100\n", 0x10000 + i * 0x40);
}

static void test_objects_are_counted_by_path(void **state)
{
    (void)state;
    struct hw_buf text = {0};
    tell_sessions(&text, 50);
    struct hw_graph *graph = graph_from_text(hw_buf_str(&text));
    struct hw_merged *paths = ask(graph, "app.Session", 0);
    assert_int_equal(paths->count, 52);
    assert_int_equal(paths->bytes, 5017);
    assert_int_equal(paths->place_count, 2);
    assert_int_equal(paths->row_count, 2);
    assert_string_equal(paths->rows[0].path, "sys.modules['app'].cache[*]");
    assert_string_equal(paths->rows[0].holder, "dict");
    assert_int_equal(paths->rows[0].count, 50);
    assert_int_equal(paths->rows[0].bytes, 5000);
    assert_int_equal(paths->rows[0].example_addr, 0x10000);
    assert_string_equal(paths->rows[1].path, "sys.modules['app'].last");
    assert_string_equal(paths->rows[1].holder, "module");
    assert_int_equal(paths->rows[1].count, 1);
    assert_int_equal(paths->rest_count, 0);
    assert_int_equal(paths->unheld_count, 1);
    assert_int_equal(paths->unheld_bytes, 7);
    assert_int_equal(paths->garbage_count, 1);
    hw_merged_destroy(paths);
    paths = ask(graph, "app.Session", 1);
    assert_int_equal(paths->row_count, 1);
    assert_int_equal(paths->place_count, 2);
    assert_int_equal(paths->rest_count, 1);
    assert_int_equal(paths->rest_bytes, 10);
    hw_merged_destroy(paths);
    hw_graph_destroy(graph);
    hw_buf_deinit(&text);
}

static void test_holders_of_other_types_are_other_rows(void **state)
{
    (void)state;
    struct hw_graph *graph = graph_from_text(APP "['all'] -> 0x200\n"
                                                 "@0x200 list\n"
                                                 "[0] -> 0x300\n"
                                                 "[1] -> 0x340\n"
                                                 "[2] -> 0x380\n"
                                                 "@0x300 app.A\n"
                                                 ".item -> 0x500\n"
                                                 "@0x340 app.B\n"
                                                 ".item -> 0x540\n"
                                                 "@0x380 app.A\n"
                                                 ".item -> 0x580\n"
                                                 "@0x500 app.Item\n"
                                                 "@0x540 app.Item\n"
                                                 "@0x580 app.Item\n");
    struct hw_merged *paths = ask(graph, "app.Item", 0);
    assert_int_equal(paths->row_count, 2);
    assert_string_equal(paths->rows[0].path, "sys.modules['app'].all[*].item");
    assert_string_equal(paths->rows[0].holder, "app.A");
    assert_int_equal(paths->rows[0].count, 2);
    assert_string_equal(paths->rows[1].path, "sys.modules['app'].all[*].item");
    assert_string_equal(paths->rows[1].holder, "app.B");
    hw_merged_destroy(paths);
    hw_id wrong = hw_graph_node_count(graph);
    struct hw_err err = HW_ERR_INIT;
    assert_false(hw_paths_ask(graph, &wrong, 1, 0, &paths, &err));
    assert_int_equal(err.code, HW_ERR_USAGE);
    hw_graph_destroy(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_and_indices_are_left_out_and_names_stay),
        cmocka_unit_test(test_attributes_read_alike_in_a_dict_and_inline),
        cmocka_unit_test(test_attributes_that_are_no_names_are_keys),
        cmocka_unit_test(test_functions_go_without_line_and_thread),
        cmocka_unit_test(test_libraries_go_without_version),
        cmocka_unit_test(test_attributes_of_a_thread_local_object_are_attributes),
        cmocka_unit_test(test_runs_are_folded),
        cmocka_unit_test(test_attributes_from_a_type_to_itself_are_joined),
        cmocka_unit_test(test_paths_without_end_are_cut),
        cmocka_unit_test(test_objects_are_counted_by_path),
        cmocka_unit_test(test_holders_of_other_types_are_other_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-text.h"
#include "tell/tell.h"
#include "weigh/dominators.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A service: a module with a hub that has a cache; a second module that uses the hub as well; a
 * frame with a list of its own; a cycle that no root reaches. */
static const char PROGRAM[] =
    "$i interpreter \"main\"\nroot sys.modules -> 0x100\n"
    "$t thread \"MainThread\" tid=5\n"
    "$f frame \"main\" \"app.py\" 41 tid=5 depth=0\nlocal rows -> 0x700\nlocal hub -> 0x200\n"
    "@0x100 dict size=100\n['app'] -> 0x110\n['lib'] -> 0x120\n"
    "@0x110 module size=10\n.__dict__ -> 0x118\n"
    "@0x118 dict size=20\n['hub'] -> 0x200\n['cache'] -> 0x300\n['fun'] -> 0x130\n"
    "@0x120 module size=10\n.__dict__ -> 0x128\n"
    "@0x128 dict size=20\n['fun'] -> 0x130\n['own'] -> 0x140\n"
    "@0x130 function size=5\ninternal __globals__ -> 0x118\n"
    "@0x140 list size=7\n[0] -> 0x148\n"
    "@0x148 app.Lib size=9\n"
    "@0x200 app.Hub size=40\n.__dict__ -> 0x210\n"
    "@0x210 dict size=60\n['conns'] -> 0x220\n"
    "@0x220 list size=64\n[0] -> 0x230\n[1] -> 0x240\n"
    "@0x230 app.Conn size=1000\n.peer -> 0x240\n"
    "@0x240 app.Conn size=2000\n.peer -> 0x230\n"
    "@0x300 dict size=300\n['a'] -> 0x310\n['b'] -> 0x320\n"
    "@0x310 dict size=310\n['x'] -> 0x330\n"
    "@0x320 app.Entry size=320\n.next -> 0x340\n"
    "@0x330 app.Entry size=330\n"
    "@0x340 app.Entry size=340\n"
    "@0x700 list size=70 native=700\n[0] -> 0x710\n"
    "@0x710 app.Row size=71\n"
    "@0x900 app.Lost size=90\n.a -> 0x910\n"
    "@0x910 app.Lost size=91\n.a -> 0x900\n";

static const struct hw_retained_type *type_row(const struct hw_retained_type *rows, size_t count,
                                               const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

static const struct hw_retained_place *place_row(const struct hw_retained *retained,
                                                 enum hw_place_kind kind, const char *name)
{
    for (size_t i = 0; i < retained->place_count; i++)
        if (retained->places[i].kind == kind && strstr(retained->places[i].name, name))
            return &retained->places[i];
    return NULL;
}

/* ---- everything ---- */

static void test_totals(void **state)
{
    (void)state;
    struct hw_graph *graph = graph_from_text(PROGRAM);
    struct hw_retained *retained;
    assert_true(hw_retained_ask(graph, 100, &retained, NULL));
    assert_int_equal(retained->objects, hw_graph_object_count(graph));
    assert_int_equal(retained->bytes, hw_graph_bytes(graph) + 700);
    assert_int_equal(retained->unreached_objects, 2);
    assert_int_equal(retained->unreached_bytes, 181);
    uint64_t objects = 0, bytes = 0;
    for (size_t i = 0; i < retained->place_count; i++) {
        objects += retained->places[i].objects;
        bytes += retained->places[i].bytes;
    }
    assert_int_equal(objects + 2, retained->objects);
    assert_int_equal(bytes + 181, retained->bytes);
    hw_retained_destroy(retained);
    hw_graph_destroy(graph);
}

static void test_places(void **state)
{
    (void)state;
    struct hw_graph *graph = graph_from_text(PROGRAM);
    struct hw_retained *retained;
    assert_true(hw_retained_ask(graph, 100, &retained, NULL));
    /* The module app itself, and its namespace, which the other module's function holds as well. */
    const struct hw_retained_place *app = place_row(retained, HW_PLACE_MODULE, "app");
    assert_non_null(app);
    uint64_t keys = 3 * 64; /* 'hub', 'cache' and 'fun' are shared; 'a', 'b' and 'x' are not */
    assert_int_equal(app->bytes, 10 + 20 + 300 + 310 + 320 + 330 + 340 + keys + 2 * 64);
    const struct hw_retained_place *lib = place_row(retained, HW_PLACE_MODULE, "lib");
    assert_int_equal(lib->bytes, 10 + 20 + 7 + 9 + 64);
    const struct hw_retained_place *frame = place_row(retained, HW_PLACE_FRAME, "main()");
    assert_int_equal(frame->bytes, 70 + 700 + 71);
    assert_int_equal(frame->objects, 2);
    const struct hw_retained_place *modules = place_row(retained, HW_PLACE_MODULES, "");
    assert_int_equal(modules->bytes, 100 + 5 + 3 * 64);
    /* A module and a frame hold the hub. */
    const struct hw_retained_place *root = place_row(retained, HW_PLACE_ROOT, "");
    assert_int_equal(root->bytes, 40 + 60 + 64 + 3000 + 64);
    hw_retained_destroy(retained);
    hw_graph_destroy(graph);
}

static void test_types_count_nothing_twice(void **state)
{
    (void)state;
    struct hw_graph *graph = graph_from_text(PROGRAM);
    struct hw_retained *retained;
    assert_true(hw_retained_ask(graph, 100, &retained, NULL));
    const struct hw_retained_type *conn =
        type_row(retained->types, retained->type_count, "app.Conn");
    assert_int_equal(conn->objects, 2);
    assert_int_equal(conn->retained_bytes, 3000);
    /* The last entry is below another one. */
    const struct hw_retained_type *entry =
        type_row(retained->types, retained->type_count, "app.Entry");
    assert_int_equal(entry->objects, 3);
    assert_int_equal(entry->bytes, 990);
    assert_int_equal(entry->retained_bytes, 990);
    assert_int_equal(entry->retained_objects, 3);
    assert_null(type_row(retained->types, retained->type_count, "app.Lost"));
    /* No type retains more than there is, though dicts lie in dicts. */
    for (size_t i = 0; i < retained->type_count; i++) {
        assert_true(retained->types[i].retained_bytes <= retained->bytes);
        assert_true(retained->types[i].bytes <= retained->types[i].retained_bytes);
    }
    hw_retained_destroy(retained);
    hw_graph_destroy(graph);
}

/* A list of nodes of one type: n, n - 1, ... retained bytes, but n nodes in all. */
static void test_links_of_a_list_are_one_sum(void **state)
{
    (void)state;
    char text[16000] = "$f frame \"f\" \"f.py\" 1 tid=1\nlocal a -> 0x1000\n";
    for (int i = 0; i < 200; i++) {
        char line[80];
        snprintf(line, sizeof(line), "@0x%x app.Link size=10\n.next -> 0x%x\n", 0x1000 + 16 * i,
                 0x1000 + 16 * (i + 1));
        strcat(text, line);
    }
    strcat(text, "@0x1c80 app.Link size=10\n");
    struct hw_graph *graph = graph_from_text(text);
    struct hw_retained *retained;
    assert_true(hw_retained_ask(graph, 1000, &retained, NULL));
    const struct hw_retained_type *link =
        type_row(retained->types, retained->type_count, "app.Link");
    assert_int_equal(link->objects, 201);
    assert_int_equal(link->retained_bytes, 2010);
    assert_int_equal(link->retained_objects, 201);
    /* The second link says nothing that the first did not; the last ones do. */
    assert_int_equal(retained->rows[0].retained_bytes, 2010);
    assert_true(retained->row_count < 100);
    hw_retained_destroy(retained);
    hw_graph_destroy(graph);
}

static void test_names_are_merged(void **state)
{
    (void)state;
    struct hw_graph *graph = graph_from_text(
        "$f frame \"f\" \"f.py\" 1 tid=1\nlocal a -> 0x10\n@0x10 app.A size=100\n.b -> 0x20\n"
        "@0x20 app.B size=30\n.c -> 0x30\n@0x30 app.A size=7\n");
    struct hw_retained *retained;
    for (uint32_t t = 0; t < graph->type_count; t++)
        if (strcmp(graph->types[t].name, "app.B") == 0)
            graph->types[t].name = "app.A";
    assert_true(hw_retained_ask(graph, 100, &retained, NULL));
    const struct hw_retained_type *row = type_row(retained->types, retained->type_count, "app.A");
    assert_int_equal(row->objects, 3);
    assert_int_equal(row->retained_bytes, 137);
    hw_retained_destroy(retained);
    hw_graph_destroy(graph);
}

static void test_largest_objects(void **state)
{
    (void)state;
    struct hw_graph *graph = graph_from_text(PROGRAM);
    struct hw_retained *retained;
    assert_true(hw_retained_ask(graph, 3, &retained, NULL));
    assert_int_equal(retained->row_count, 3);
    assert_string_equal(retained->rows[0].path, "sys.modules['app'].hub");
    assert_int_equal(retained->rows[0].bytes, 40);
    assert_int_equal(retained->rows[0].retained_bytes, 40 + 60 + 64 + 64 + 3000);
    assert_int_equal(retained->rows[0].retained_objects, 6);
    /* Not the hub's __dict__. */
    assert_string_equal(retained->rows[1].path, "sys.modules['app'].hub.conns");
    assert_string_equal(retained->rows[2].path, "sys.modules['app'].hub.conns[1]");
    hw_retained_destroy(retained);
    hw_graph_destroy(graph);
}

/* ---- some objects ---- */

static void test_one_object(void **state)
{
    (void)state;
    struct hw_graph *graph = graph_from_text(PROGRAM);
    hw_id ids[] = {node_at(graph, 0x220), node_at(graph, 0x900)};
    struct hw_weighing *weighing;
    assert_true(hw_weighing_ask(graph, ids, 2, 10, &weighing, NULL));
    assert_int_equal(weighing->object_count, 2);
    const struct hw_weighed *list = &weighing->objects[0], *lost = &weighing->objects[1];
    assert_true(list->reached);
    assert_int_equal(list->object.retained_bytes, 3064);
    assert_string_equal(list->object.step.edge, "['conns']");
    assert_int_equal(list->type_count, 2);
    assert_string_equal(list->types[0].name, "app.Conn");
    assert_int_equal(list->types[0].objects, 2);
    assert_int_equal(list->types[0].bytes, 3000);
    assert_int_equal(list->owner_total, 2);
    assert_int_equal(list->owners[0].step.addr, 0x210);
    assert_int_equal(list->owners[1].step.addr, 0x200);
    assert_string_equal(list->owners[1].step.edge, "");
    assert_false(lost->reached);
    assert_int_equal(lost->object.retained_bytes, 0);
    assert_int_equal(lost->type_count + lost->owner_count, 0);
    hw_weighing_destroy(weighing);
    assert_true(hw_weighing_ask(graph, ids, 1, 1, &weighing, NULL));
    assert_int_equal(weighing->objects[0].owner_count, 1);
    assert_int_equal(weighing->objects[0].owner_total, 2);
    hw_weighing_destroy(weighing);
    hw_graph_destroy(graph);
}

/* ---- the tree ---- */

static void check_sums(const struct hw_branch *branch, bool is_last)
{
    uint64_t bytes = branch->object.bytes + branch->rest_bytes;
    uint64_t objects = branch->rest_objects + (branch->object.step.addr != 0);
    for (size_t i = 0; i < branch->child_count; i++) {
        bytes += branch->children[i].object.retained_bytes;
        objects += branch->children[i].object.retained_objects;
        if (i)
            assert_true(branch->children[i].object.retained_bytes <=
                        branch->children[i - 1].object.retained_bytes);
    }
    if (is_last)
        return;
    assert_int_equal(bytes, branch->object.retained_bytes);
    assert_int_equal(objects, branch->object.retained_objects);
}

static void test_tree(void **state)
{
    (void)state;
    struct hw_graph *graph = graph_from_text(PROGRAM);
    struct hw_branch_options options = {.depth = 2, .limit = 2};
    struct hw_branch *root, *hub;
    assert_true(hw_branch_ask(graph, HW_NONE, &options, &root, NULL));
    assert_int_equal(root->object.retained_objects, hw_graph_object_count(graph) - 2);
    assert_int_equal(root->child_count, 2);
    check_sums(root, false);
    for (size_t i = 0; i < root->child_count; i++)
        check_sums(&root->children[i], false);
    assert_null(root->children[0].children[0].children);
    assert_true(root->rest_count > 0);
    hw_branch_destroy(root);
    assert_true(hw_branch_ask(graph, node_at(graph, 0x200), &options, &hub, NULL));
    assert_string_equal(hub->object.path, "sys.modules['app'].hub");
    assert_string_equal(hub->children[0].object.step.edge, ".__dict__");
    assert_int_equal(hub->children[0].child_count, 2);
    assert_string_equal(hub->children[0].children[0].object.step.edge, "['conns']");
    hw_branch_destroy(hub);
    hw_graph_destroy(graph);
}

static void test_tree_sums_up_the_rest(void **state)
{
    (void)state;
    struct hw_graph *graph = graph_from_text(PROGRAM);
    struct hw_branch_options options = {.depth = 1, .limit = 10, .least_share = 0.5};
    struct hw_branch *branch;
    assert_true(hw_branch_ask(graph, node_at(graph, 0x220), &options, &branch, NULL));
    assert_int_equal(branch->child_count, 1);
    assert_int_equal(branch->children[0].object.retained_bytes, 2000);
    assert_int_equal(branch->rest_count, 1);
    assert_int_equal(branch->rest_bytes, 1000);
    assert_string_equal(branch->rest_type, "app.Conn");
    assert_int_equal(branch->rest_type_count, 1);
    hw_branch_destroy(branch);
    struct hw_err err = HW_ERR_INIT;
    assert_false(hw_branch_ask(graph, node_at(graph, 0x900), &options, &branch, &err));
    assert_int_equal(err.code, HW_ERR_USAGE);
    hw_graph_destroy(graph);
}

/* ---- views ---- */

static void test_views(void **state)
{
    (void)state;
    struct hw_graph *graph = graph_from_text(PROGRAM);
    struct hw_out out = {.fd = -1, .width = 80, .terminal = true};
    struct hw_branch_options options = {.depth = 2, .limit = 1};
    struct hw_branch *branch;
    struct hw_retained *retained;
    assert_true(hw_branch_ask(graph, node_at(graph, 0x220), &options, &branch, NULL));
    hw_tell_tree(&out, hw_graph_facts(graph), branch);
    assert_non_null(strstr(hw_buf_str(&out.buf),
                           "\n  3.1 kB        3  0x220    list\n"
                           "  2.0 kB        1  0x240      [1] app.Conn\n"
                           "  1.0 kB        1             and 1 more: app.Conn\n"));
    hw_buf_clear(&out.buf);
    assert_true(hw_retained_ask(graph, 1, &retained, NULL));
    hw_tell_retained(&out, hw_graph_facts(graph), retained, 2);
    const char *text = hw_buf_str(&out.buf);
    assert_non_null(strstr(text, "No root reaches 2 of them, 181 B"));
    assert_non_null(strstr(text, "module app\n"));
    assert_non_null(strstr(text, "\n    sys.modules['app'].hub\n"));
    hw_out_deinit(&out);
    hw_branch_destroy(branch);
    hw_retained_destroy(retained);
    hw_graph_destroy(graph);
}

/* A dict that an object owns, with a stale word to it on a C stack, and a list that only that stack
 * knows, which refers to the dict and to a name in it. */
static void test_words_on_stacks_own_only_what_nobody_else_does(void **state)
{
    struct hw_graph *graph =
        graph_from_text("$i interpreter \"main\"\nroot sys.modules -> 0x100\n"
                        "$s stack \"MainThread\" tid=5\nword 8 -> 0x220\nword 16 -> 0x300\n"
                        "@0x100 dict\n['app'] -> 0x110\n"
                        "@0x110 module\n.__dict__ -> 0x118\n"
                        "@0x118 dict\n['hub'] -> 0x200\n"
                        "@0x200 app.Hub\n.rooms -> 0x220\n"
                        "@0x220 dict size=100\n['a'] -> 0x230\n"
                        "@0x230 app.Room size=1000\n"
                        "@0x300 list size=50\n[0] -> 0x220\n[1] -> 0x230\n[2] -> 0x310\n"
                        "@0x310 app.Room size=7\n");
    struct hw_dominators *dominators;
    struct hw_err err = HW_ERR_INIT;
    (void)state;
    assert_true(hw_dominators_create(&dominators, graph, &err));
    hw_id hub = node_at(graph, 0x200), rooms = node_at(graph, 0x220);
    assert_int_equal(hw_dominators_owner(dominators, rooms), hub);
    assert_int_equal(hw_dominators_owner(dominators, node_at(graph, 0x230)), rooms);
    assert_true(hw_dominators_retained(dominators, hub) >= 1100);
    hw_id list = node_at(graph, 0x300);
    assert_int_equal(hw_dominators_owner(dominators, node_at(graph, 0x310)), list);
    assert_int_equal(hw_dominators_retained(dominators, list), 57);
    assert_true(hw_dominators_reached(dominators, list));
    hw_dominators_destroy(dominators);
    hw_graph_destroy(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_totals),
        cmocka_unit_test(test_words_on_stacks_own_only_what_nobody_else_does),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_types_count_nothing_twice),
        cmocka_unit_test(test_links_of_a_list_are_one_sum),
        cmocka_unit_test(test_names_are_merged),
        cmocka_unit_test(test_largest_objects),
        cmocka_unit_test(test_one_object),
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_tree_sums_up_the_rest),
        cmocka_unit_test(test_views),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

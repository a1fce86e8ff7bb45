/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/garbage.h"
#include "ask/lookup.h"
#include "ask/rules.h"
#include "ask/spell.h"
#include "graph-text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A program: modules app and __main__, a hub with subscribers, a thread and its frame. */
#define PROGRAM                                            \
    "$i interpreter \"main\"\n"                            \
    "root sys.modules -> 0x100\n"                          \
    "$t thread \"MainThread\" tid=5\n"                     \
    "root frame -> $f\n"                                   \
    "$f frame \"main\" \"/srv/app.py\" 41 tid=5\n"         \
    "local sessions -> 0x700\n"                            \
    "stack 0 -> 0x300\n"                                   \
    "@0x100 dict\n"                                        \
    "['app'] -> 0x110\n"                                   \
    "['__main__'] -> 0x120\n"                              \
    "['logging'] -> 0x130\n"                               \
    "['sys'] -> 0x140\n"                                   \
    "@0x110 module value=app\n"                            \
    ".__dict__ -> 0x118\n"                                 \
    "@0x118 dict\n"                                        \
    "['hub'] -> 0x200\n"                                   \
    "['cache'] -> 0x600\n"                                 \
    "['not a name'] -> 0x610\n"                            \
    "['make'] -> 0x620\n"                                  \
    "['Hub'] -> 0x900\n"                                   \
    "['gen'] -> 0x650\n"                                   \
    "@0x120 module value=__main__\n"                       \
    ".__dict__ -> 0x128\n"                                 \
    "@0x128 dict\n"                                        \
    "['hub'] -> 0x200\n"                                   \
    "['twice'] -> 0x680\n"                                 \
    "@0x130 module value=logging\n"                        \
    ".__dict__ -> 0x138\n"                                 \
    "@0x138 dict\n"                                        \
    "['root'] -> 0x690\n"                                  \
    "@0x140 module value=sys\n"                            \
    ".__dict__ -> 0x148\n"                                 \
    "@0x148 dict\n"                                        \
    "['stdlib_module_names'] -> 0x150\n"                   \
    "@0x150 frozenset\n"                                   \
    "{1} -> 'logging'\n"                                   \
    "{4} -> 'sys'\n"                                       \
    "type app.Hub python heap node=0x900\n"                \
    "@0x900 type flags=type,tracked\n"                     \
    ".__dict__ -> 0x908\n"                                 \
    ".__mro__ -> 0x910\n"                                  \
    "@0x908 dict\n"                                        \
    "['LIMIT'] -> 500\n"                                   \
    "@0x910 tuple\n"                                       \
    "[0] -> 0x900\n"                                       \
    "@0x200 app.Hub\n"                                     \
    ".__dict__ -> 0x210\n"                                 \
    "type -> 0x900\n"                                      \
    "@0x210 dict\n"                                        \
    "~['_subscribers'] -> 0x220\n"                         \
    "@0x220 dict\n"                                        \
    "['user-8812'] -> 0x300\n"                             \
    "[42] -> 0x310\n"                                      \
    "[0x230] -> 0x320\n"                                   \
    "[0x240] -> 0x330\n"                                   \
    "@0x230 app.Key\n"                                     \
    "@0x240 tuple\n"                                       \
    "[0] -> 'a'\n"                                         \
    "[1] -> 1\n"                                           \
    "@0x300 app.Sub\n"                                     \
    ".conn -> 0x340\n"                                     \
    "@0x310 app.Sub\n"                                     \
    "@0x320 app.Sub\n"                                     \
    "@0x330 app.Sub\n"                                     \
    "@0x340 app.Conn\n"                                    \
    "@0x600 list\n"                                        \
    "[0] -> 0x608\n"                                       \
    "@0x608 app.Page\n"                                    \
    "@0x610 app.Odd\n"                                     \
    "@0x620 function value=make app.py:7\n"                \
    ".__closure__ -> 0x630\n"                              \
    ".__globals__ -> 0x118\n"                              \
    "@0x630 tuple\n"                                       \
    "[0] -> 0x638\n"                                       \
    "@0x638 cell\n"                                        \
    ".cell_contents -> 0x640\n"                            \
    "@0x640 app.Big\n"                                     \
    "@0x650 coroutine value=serve.<locals>.go app.py:30\n" \
    "local buf -> 0x660\n"                                 \
    "@0x660 list\n"                                        \
    "[0] -> 0x670\n"                                       \
    "@0x670 set\n"                                         \
    "{3} -> 0x678\n"                                       \
    "@0x678 app.Item\n"                                    \
    "@0x680 app.Odd\n"                                     \
    "@0x690 logging.RootLogger\n"                          \
    ".spare -> 0x610\n"                                    \
    "internal cache -> 0x698\n"                            \
    "@0x698 list\n"                                        \
    "@0x700 dict\n"                                        \
    "['k'] -> 0x710\n"                                     \
    "@0x710 app.Session\n"                                 \
    "$g c_globals \"libfoo.so\" \"/usr/lib/libfoo.so\"\n"  \
    "word 16 -> 0x640\n"                                   \
    "word 24 -> 0x800\n"                                   \
    "@0x800 app.Hidden\n"                                  \
    ".x -> 0x808\n"                                        \
    "@0x808 app.Item\n"

static struct hw_graph *program(void)
{
    return graph_from_text(PROGRAM);
}

static void assert_path(const struct hw_graph *graph, hw_addr addr, const char *path)
{
    struct hw_tree tree;
    struct hw_buf text = {0};
    assert_true(hw_tree_init(&tree, graph, NULL));
    hw_path_spell(graph, &tree, node_at(graph, addr), &text);
    assert_string_equal(hw_buf_str(&text), path);
    hw_buf_deinit(&text);
    hw_tree_deinit(&tree);
}

static void test_paths_read_as_python(void **state)
{
    (void)state;
    struct hw_graph *graph = program();
    assert_path(graph, 0x100, "sys.modules");
    assert_path(graph, 0x110, "sys.modules['app']");
    assert_path(graph, 0x118, "sys.modules['app'].__dict__");
    assert_path(graph, 0x200, "sys.modules['app'].hub");
    assert_path(graph, 0x340, "sys.modules['app'].hub._subscribers['user-8812'].conn");
    assert_path(graph, 0x310, "sys.modules['app'].hub._subscribers[42]");
    assert_path(graph, 0x320, "sys.modules['app'].hub._subscribers[<app.Key at 0x230>]");
    assert_path(graph, 0x330, "sys.modules['app'].hub._subscribers[('a', 1)]");
    assert_path(graph, 0x640, "sys.modules['app'].make.__closure__[0].cell_contents");
    assert_path(graph, 0x230, "sys.modules['app'].hub._subscribers.<key <app.Key at 0x230>>");
    assert_path(graph, 0x698, "sys.modules['logging'].root.<cache>");
    hw_graph_destroy(graph);
}

static void test_paths_start_at_functions(void **state)
{
    (void)state;
    struct hw_graph *graph = program();
    assert_path(graph, 0x710, "<main() at app.py:41 in MainThread>.sessions['k']");
    assert_path(graph, 0x678,
                "<coroutine serve.<locals>.go() at app.py:30>.buf[0].<member <app.Item at 0x678>>");
    hw_graph_destroy(graph);
}

/* The self of a method that happens to run says less than the module that holds the object. */
static void test_modules_say_more_than_self(void **state)
{
    (void)state;
    struct hw_graph *graph = graph_from_text(
        "$i interpreter \"m\"\nroot sys.modules -> 0x100\n$t thread \"T\" tid=5\nroot f -> $f\n"
        "$f frame \"Hub.run\" \"app.py\" 7 tid=5\nlocal self -> 0x200\n@0x100 dict\n"
        "['app'] -> 0x110\n@0x110 module value=app\n.__dict__ -> 0x118\n@0x118 dict\n"
        "['hub'] -> 0x200\n@0x200 app.Hub\n.queue -> 0x300\n@0x300 list\n");
    assert_path(graph, 0x300, "sys.modules['app'].hub.queue");
    hw_graph_destroy(graph);
}

static void test_guesses_come_last(void **state)
{
    (void)state;
    struct hw_graph *graph = program();
    assert_path(graph, 0x800, "<globals of libfoo.so>.<word 24>");
    assert_path(graph, 0x610, "sys.modules['app'].__dict__['not a name']");
    hw_graph_destroy(graph);
}

/* A word on a C stack is no way to the end of a chain of true references, however long. */
static void test_guesses_shorten_no_chain(void **state)
{
    (void)state;
    enum { LONG = 300 };
    struct hw_buf text = {0};
    hw_buf_puts(&text, "$i interpreter \"m\"\nroot sys.modules -> 0x100\n$t thread \"T\" tid=5\n"
                       "root stack -> $s\n$s stack \"T\" tid=5\nword 8 -> 0x22c0\n"
                       "word 16 -> 0x300\n@0x300 app.Alone\n.x -> 0x340\n@0x340 list\n"
                       "@0x100 dict\n['app'] -> 0x110\n@0x110 module value=app\n"
                       ".__dict__ -> 0x118\n@0x118 dict\n['first'] -> 0x1000\n");
    for (unsigned i = 0; i < LONG; i++)
        hw_buf_printf(&text, "@0x%x app.Node\n.next -> 0x%x\n", 0x1000 + i * 0x10,
                      0x1010 + i * 0x10);
    hw_buf_printf(&text, "@0x%x list\n", 0x1000 + LONG * 0x10);
    struct hw_graph *graph = graph_from_text(hw_buf_str(&text));
    struct hw_tree tree;
    assert_true(hw_tree_init(&tree, graph, NULL));
    hw_id at = node_at(graph, 0x1000 + LONG * 0x10), first = node_at(graph, 0x1000);
    for (unsigned i = 0; i < LONG; i++)
        at = tree.parent[at];
    assert_int_equal(at, first);
    hw_tree_deinit(&tree);
    hw_buf_deinit(&text);
    assert_path(graph, 0x340, "<native stack of T>.<word 16>.x");
    hw_graph_destroy(graph);
}

/* A library whose data points at nothing, a stack without words: reached, and leaves. */
static void test_order_has_each_node_once(void **state)
{
    (void)state;
    struct hw_graph *graph = graph_from_text(
        "$i interpreter \"m\"\nroot sys.modules -> 0x100\n$t thread \"T\" tid=5\nroot stack -> $s\n"
        "$s stack \"T\" tid=5\n$g c_globals \"libfoo.so\" \"/usr/lib/libfoo.so\"\n"
        "$h c_globals \"libbar.so\" \"/usr/lib/libbar.so\"\nword 16 -> 0x300\n"
        "@0x100 dict\n['a'] -> 0x200\n@0x200 app.A\n@0x300 app.B\n");
    struct hw_tree tree;
    assert_true(hw_tree_init(&tree, graph, NULL));
    assert_int_equal(tree.count, graph->node_count);
    unsigned char *seen = calloc(graph->node_count, 1);
    assert_non_null(seen);
    for (uint32_t i = 0; i < tree.count; i++)
        assert_int_equal(seen[tree.order[i]]++, 0);
    free(seen);
    hw_tree_deinit(&tree);
    hw_graph_destroy(graph);
}

static void assert_resolves(const struct hw_graph *graph, const char *text, hw_addr addr)
{
    hw_id ids[4];
    size_t count = 0;
    struct hw_err err = HW_ERR_INIT;
    if (!hw_object_resolve(graph, text, ids, 4, &count, &err))
        fail_msg("%s: %s", text, err.msg);
    assert_int_equal(count, 1);
    if (hw_graph_addr(graph, ids[0]) != addr)
        fail_msg("%s is 0x%llx", text, (unsigned long long)hw_graph_addr(graph, ids[0]));
}

static void test_every_path_resolves(void **state)
{
    (void)state;
    struct hw_graph *graph = program();
    struct hw_tree tree;
    struct hw_buf text = {0};
    assert_true(hw_tree_init(&tree, graph, NULL));
    unsigned resolved = 0;
    for (hw_id id = 0; id < graph->object_count; id++) {
        hw_buf_clear(&text);
        hw_path_spell(graph, &tree, id, &text);
        if (!tree_has(&tree, id))
            continue;
        assert_resolves(graph, hw_buf_str(&text), hw_graph_addr(graph, id));
        resolved++;
    }
    assert_true(resolved > 40);
    hw_buf_deinit(&text);
    hw_tree_deinit(&tree);
    hw_graph_destroy(graph);
}

static void test_expressions_by_hand(void **state)
{
    (void)state;
    struct hw_graph *graph = program();
    assert_resolves(graph, "0x340", 0x340);
    assert_resolves(graph, "0x300.conn", 0x340);
    assert_resolves(graph, " sys.modules[\"app\"].hub ", 0x200);
    assert_resolves(graph, "app.hub._subscribers[\"user-8812\"].conn", 0x340);
    assert_resolves(graph, "app.hub.__dict__['_subscribers'][42]", 0x310);
    assert_resolves(graph, "app.hub._subscribers[('a', 1)]", 0x330);
    assert_resolves(graph, "app.cache[-1]", 0x608);
    assert_resolves(graph, "app.hub.__class__", 0x900);
    assert_resolves(graph, "app.Conn", 0x340);
    assert_resolves(graph, "Conn", 0x340);
    assert_resolves(
        graph, "app.hub.LIMIT",
        hw_graph_addr(graph, graph->edge_to[hw_entry_find(graph, node_at(graph, 0x908), "LIMIT")]));
    hw_graph_destroy(graph);
}

/* Names that several references share, or that mean something else first. */
static void test_names_are_unique(void **state)
{
    const struct {
        hw_addr addr;
        const char *path;
    } wanted[] = {
        {0x900, "<static types>.dict"},
        {0x910, "<static types>.<type array.array>"},
        {0x920, "<static types>.dict.<keys 0>"},
        {0x928, "<static types>.dict.<keys 2>"},
        {0x950, "<static types>.<type array.array>.__dict__['__dict__']"},
        {0x960, "<static types>.<type array.array>.__dict__[<int at 0x980>]"},
        {0x968, "<static types>.<type array.array>.__dict__[<int at 0x988>]"},
    };
    struct hw_graph *graph = graph_from_text("$s static\n"
                                             "root type -> 0x900\n"
                                             "root type -> 0x910\n"
                                             "type dict node=0x900\n"
                                             "type array.array node=0x910\n"
                                             "@0x900 type\n"
                                             "internal keys -> 0x920\n"
                                             "internal other -> 0x910\n"
                                             "internal keys -> 0x928\n"
                                             "@0x910 type\n"
                                             ".__dict__ -> 0x940\n"
                                             "@0x920 app.Key\n"
                                             "@0x928 app.Key\n"
                                             "@0x940 dict\n"
                                             "['__dict__'] -> 0x950\n"
                                             "[0x980] -> 0x960\n"
                                             "[0x988] -> 0x968\n"
                                             "@0x950 getset_descriptor\n"
                                             "@0x960 app.Value\n"
                                             "@0x968 app.Value\n"
                                             "@0x980 int value=int of more than 64 bits\n"
                                             "@0x988 int value=int of more than 64 bits\n");
    struct hw_tree tree;
    struct hw_buf text = {0};
    assert_true(hw_tree_init(&tree, graph, NULL));
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        hw_buf_clear(&text);
        hw_path_spell(graph, &tree, node_at(graph, wanted[i].addr), &text);
        assert_string_equal(hw_buf_str(&text), wanted[i].path);
        assert_resolves(graph, hw_buf_str(&text), wanted[i].addr);
    }
    hw_buf_deinit(&text);
    hw_tree_deinit(&tree);
    hw_graph_destroy(graph);
}

static void assert_unresolved(const struct hw_graph *graph, const char *text, enum hw_err_code code,
                              const char *message)
{
    hw_id ids[4];
    size_t count = 77;
    struct hw_err err = HW_ERR_INIT;
    assert_false(hw_object_resolve(graph, text, ids, 4, &count, &err));
    assert_int_equal(err.code, code);
    assert_int_equal(count, 77);
    assert_string_equal(err.msg, message);
}

static void test_what_is_missing_is_named(void **state)
{
    (void)state;
    struct hw_graph *graph = program();
    assert_unresolved(graph, "sys.modules['app'].hubb.x", HW_ERR_NOT_FOUND,
                      "sys.modules['app'] has no .hubb");
    assert_unresolved(graph, "sys.modules['nope']", HW_ERR_NOT_FOUND,
                      "sys.modules has no ['nope']");
    assert_unresolved(graph, "app.cache[7]", HW_ERR_NOT_FOUND, "app.cache has no [7]");
    assert_unresolved(graph, "nothing", HW_ERR_NOT_FOUND,
                      "neither a module nor a type is called nothing");
    assert_unresolved(graph, "nothing.Type", HW_ERR_NOT_FOUND,
                      "neither a module nor a type is called nothing.Type");
    assert_unresolved(graph, "0x12340", HW_ERR_NOT_FOUND, "no object begins at 0x12340");
    assert_unresolved(graph, "app.hub[", HW_ERR_USAGE, "cannot read the expression from \"[\" on");
    assert_unresolved(graph, "", HW_ERR_USAGE, "the expression is empty");
    hw_graph_destroy(graph);
}

static void test_instances_are_counted(void **state)
{
    (void)state;
    struct hw_graph *graph = program();
    hw_id ids[2];
    size_t count;
    assert_true(hw_object_resolve(graph, "app.Sub", ids, 2, &count, NULL));
    assert_int_equal(count, 4);
    assert_int_equal(hw_graph_addr(graph, ids[0]), 0x300);
    hw_graph_destroy(graph);
}

/* ---- holders ---- */

static void test_holders_are_ranked(void **state)
{
    (void)state;
    struct hw_graph *graph = program();
    struct hw_holders *holders;
    assert_true(hw_holders_ask(graph, node_at(graph, 0x610), 8, &holders, NULL));
    assert_int_equal(holders->referrer_count, 2);
    assert_int_equal(holders->chain_count, 2);
    assert_string_equal(holders->chains[0].path, "sys.modules['app'].__dict__['not a name']");
    assert_string_equal(holders->chains[1].path, "sys.modules['logging'].root.spare");
    assert_true(holders->chains[0].cost < holders->chains[1].cost);
    assert_false(holders->garbage);
    hw_holders_destroy(holders);
    assert_true(hw_holders_ask(graph, node_at(graph, 0x640), 1, &holders, NULL));
    assert_int_equal(holders->chain_count, 1);
    assert_int_equal(holders->referrer_count, 1);
    const struct hw_chain *chain = &holders->chains[0];
    assert_string_equal(chain->steps[chain->step_count - 1].edge, ".cell_contents");
    assert_string_equal(chain->steps[chain->step_count - 4].what, "make() at app.py:7");
    hw_holders_destroy(holders);
    hw_graph_destroy(graph);
}

/* The first of `count` running threads of a class of its own, each in a frame of its own. */
static void assert_thread_path(unsigned count, const char *path)
{
    struct hw_buf text = {0};
    hw_buf_puts(&text, "$i interpreter \"main\"\nroot sys.modules -> 0x100\n"
                       "@0x100 dict\n['threading'] -> 0x110\n['sys'] -> 0x140\n"
                       "@0x110 module value=threading\n.__dict__ -> 0x118\n"
                       "@0x118 dict\n['_active'] -> 0x120\n"
                       "@0x140 module value=sys\n.__dict__ -> 0x148\n"
                       "@0x148 dict\n['stdlib_module_names'] -> 0x150\n"
                       "@0x150 frozenset\n{1} -> 'threading'\n@0x120 dict\n");
    for (unsigned i = 0; i < count; i++)
        hw_buf_printf(&text, "[%u] -> 0x%x\n", 7000 + i, 0x1000 + 0x40 * i);
    for (unsigned i = 0; i < count; i++)
        hw_buf_printf(&text,
                      "@0x%x app.Watcher\n$t%u thread \"Thread-%u\" tid=%u\nroot frame -> $f%u\n"
                      "$f%u frame \"Watcher.run\" \"/srv/app.py\" 9 tid=%u\nlocal self -> 0x%x\n",
                      0x1000 + 0x40 * i, i, i, i + 1, i, i, i + 1, 0x1000 + 0x40 * i);
    struct hw_graph *graph = graph_from_text(hw_buf_str(&text));
    struct hw_holders *holders;
    assert_true(hw_holders_ask(graph, node_at(graph, 0x1000), 8, &holders, NULL));
    assert_string_equal(holders->chains[0].path, path);
    hw_holders_destroy(holders);
    hw_graph_destroy(graph);
    hw_buf_deinit(&text);
}

static void test_thread_of_a_crowd_is_in_the_registry(void **state)
{
    (void)state;
    assert_thread_path(HW_CROWD_MIN - 1, "<Watcher.run() at app.py:9 in Thread-0>.self");
    assert_thread_path(HW_CROWD_MIN, "sys.modules['threading']._active[7000]");
}

/* Of one loop that several frames of a library know: the one that is there all the time. */
static void test_outermost_frame_of_a_library_says_most(void **state)
{
    (void)state;
    struct hw_graph *graph = graph_from_text(
        "$t thread \"MainThread\" tid=5\nroot frame -> $a\nroot frame -> $b\nroot frame -> $c\n"
        "$a frame \"Loop.call\" \"/usr/lib/python3.11/events.py\" 3 tid=5 depth=0\nlocal self -> 0x10\n"
        "$b frame \"Loop.run\" \"/usr/lib/python3.11/events.py\" 2 tid=5 depth=1\nlocal self -> 0x10\n"
        "$c frame \"main\" \"/srv/app.py\" 1 tid=5 depth=2\n"
        "@0x10 events.Loop\n.timers -> 0x20\n@0x20 list\n");
    struct hw_holders *holders;
    assert_true(hw_holders_ask(graph, node_at(graph, 0x20), 8, &holders, NULL));
    assert_string_equal(holders->chains[0].path,
                        "<Loop.run() at events.py:2 in MainThread>.self.timers");
    hw_holders_destroy(holders);
    hw_graph_destroy(graph);
}

static void test_steps_name_frame_and_thread(void **state)
{
    (void)state;
    struct hw_graph *graph = program();
    struct hw_holders *holders;
    assert_true(hw_holders_ask(graph, node_at(graph, 0x710), 8, &holders, NULL));
    const struct hw_chain *chain = &holders->chains[0];
    assert_int_equal(chain->step_count, 4);
    assert_string_equal(chain->steps[0].type, "thread");
    assert_string_equal(chain->steps[0].what, "MainThread");
    assert_string_equal(chain->steps[1].what, "main() at /srv/app.py:41 in MainThread");
    assert_string_equal(chain->steps[2].edge, "local sessions");
    assert_string_equal(chain->steps[3].edge, "['k']");
    assert_string_equal(chain->steps[3].type, "app.Session");
    hw_holders_destroy(holders);
    hw_graph_destroy(graph);
}

/* A path through the target itself holds nothing of it. */
static void test_holders_below_the_target_are_none(void **state)
{
    (void)state;
    struct hw_graph *graph = graph_from_text("$i interpreter \"m\"\nroot sys.modules -> 0x100\n"
                                             "@0x100 dict\n['a'] -> 0x200\n"
                                             "@0x200 app.Node\n.child -> 0x300\n"
                                             "@0x300 app.Node\n.parent -> 0x200\n");
    struct hw_holders *holders;
    assert_true(hw_holders_ask(graph, node_at(graph, 0x200), 8, &holders, NULL));
    assert_int_equal(holders->referrer_count, 2);
    assert_int_equal(holders->chain_count, 1);
    hw_holders_destroy(holders);
    hw_graph_destroy(graph);
}

/* ---- one object ---- */

static void test_object_links(void **state)
{
    (void)state;
    struct hw_graph *graph = program();
    struct hw_object *object;
    assert_true(hw_object_ask(graph, node_at(graph, 0x200), 1, &object, NULL));
    assert_string_equal(object->type, "app.Hub");
    assert_string_equal(object->path, "sys.modules['app'].hub");
    assert_int_equal(object->referent_total, 2);
    assert_int_equal(object->referent_count, 1);
    assert_string_equal(object->referents[0].edge, ".__dict__");
    assert_int_equal(object->referrer_total, 2);
    assert_int_equal(object->referrer_count, 1);
    assert_string_equal(object->referrers[0].edge, "['hub']");
    hw_object_destroy(object);
    hw_graph_destroy(graph);
}

/* ---- types ---- */

static void test_types_merge_names(void **state)
{
    (void)state;
    struct hw_graph *graph = graph_from_text("@0x10 app.A size=100\n@0x20 app.B size=30\n"
                                             "@0x30 app.A size=0x100000000\n");
    graph->types[1].name = "app.A";
    struct hw_types *types;
    assert_true(hw_types_ask(graph, &types, NULL));
    assert_int_equal(types->row_count, 1);
    assert_string_equal(types->rows[0].name, "app.A");
    assert_int_equal(types->rows[0].count, 3);
    assert_int_equal(types->rows[0].bytes, 0x100000000 + 130);
    assert_int_equal(types->count, 3);
    hw_types_destroy(types);
    hw_graph_destroy(graph);
}

/* ---- garbage ---- */

static void assert_garbage(const char *text, unsigned count, hw_addr one)
{
    struct hw_graph *graph = graph_from_text(text);
    struct hw_garbage garbage;
    assert_true(hw_garbage_init(&garbage, graph, NULL));
    assert_int_equal(garbage.count, count);
    if (one)
        assert_true(garbage.is_garbage[node_at(graph, one)]);
    hw_garbage_deinit(&garbage);
    hw_graph_destroy(graph);
}

static void test_garbage(void **state)
{
    (void)state;
    /* a cycle and what only it holds */
    assert_garbage("@0x10 app.A\n.b -> 0x20\n@0x20 app.B\n.a -> 0x10\n.s -> 0x30\n"
                   "@0x30 tuple flags=none\n[0] -> 'text'\n",
                   4, 0x30);
    /* somebody we cannot see holds it */
    assert_garbage("@0x10 app.A rc=2\n.b -> 0x20\n@0x20 app.B\n.a -> 0x10\n", 0, 0);
    /* what an object outside the collector's lists holds lives */
    assert_garbage("@0x10 app.A\n.b -> 0x20\n@0x20 app.B\n.a -> 0x10\n"
                   "@0x40 app.C flags=none rc=1\n.a -> 0x10\n",
                   0, 0);
    /* a reference that was guessed frees nothing */
    assert_garbage("@0x10 app.A rc=1\nword 8 -> 0x10\n", 0, 0);
    /* the permanent generation is not examined */
    assert_garbage("@0x10 app.A flags=tracked,frozen\n.b -> 0x20\n@0x20 app.B\n.a -> 0x10\n", 0, 0);
    /* a leaf shared with the living lives */
    assert_garbage("@0x10 app.A\n.a -> 0x10\n.s -> 'text'\n@0x20 app.B rc=1\n.s -> 'text'\n", 1,
                   0x10);
    /* a frame holds */
    assert_garbage("$f frame \"f\" \"f.py\" 1 tid=1\nlocal a -> 0x10\n@0x10 app.A\n.a -> 0x10\n", 0,
                   0);
}

static void test_a_graph_may_have_several_owners(void **state)
{
    (void)state;
    struct hw_graph *graph = graph_from_text("@0x10 app.A\n@0x20 app.B\n");
    uint32_t count = hw_graph_object_count(graph);
    assert_ptr_equal(hw_graph_share(graph), graph);
    hw_graph_destroy(graph);
    assert_int_equal(hw_graph_object_count(graph), count);
    hw_graph_destroy(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_read_as_python),
        cmocka_unit_test(test_paths_start_at_functions),
        cmocka_unit_test(test_modules_say_more_than_self),
        cmocka_unit_test(test_guesses_come_last),
        cmocka_unit_test(test_guesses_shorten_no_chain),
        cmocka_unit_test(test_order_has_each_node_once),
        cmocka_unit_test(test_every_path_resolves),
        cmocka_unit_test(test_names_are_unique),
        cmocka_unit_test(test_expressions_by_hand),
        cmocka_unit_test(test_what_is_missing_is_named),
        cmocka_unit_test(test_instances_are_counted),
        cmocka_unit_test(test_holders_are_ranked),
        cmocka_unit_test(test_thread_of_a_crowd_is_in_the_registry),
        cmocka_unit_test(test_outermost_frame_of_a_library_says_most),
        cmocka_unit_test(test_steps_name_frame_and_thread),
        cmocka_unit_test(test_holders_below_the_target_are_none),
        cmocka_unit_test(test_object_links),
        cmocka_unit_test(test_types_merge_names),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_a_graph_may_have_several_owners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

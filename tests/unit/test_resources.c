/* SPDX-License-Identifier: Apache-2.0 */

/* Who owns what is open, on graphs written by hand. */
#include "graph-text.h"
#include "sample-system.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A program of a module app, whose namespace is open for more. */
#define PROGRAM                                                          \
    "$i interpreter \"main\"\nroot sys.modules -> 0x100\n"               \
    "@0x100 dict\n['app'] -> 0x110\n['os'] -> 0x120\n"                   \
    "@0x110 module value=app\n.__dict__ -> 0x118\n"                      \
    "@0x120 module value=os\n.__dict__ -> 0x128\n"                       \
    "@0x128 dict\n['__file__'] -> '/usr/lib/python3.11/os.py'\n['names'] -> 0x600\n" \
    "@0x600 list\n[0] -> 5\n[1] -> 6\n[2] -> 7\n[3] -> 8\n"                \
    "type app.Conn python heap\n"                                        \
    "@0x118 dict\n"

static struct hw_graph *graph;

static void begin(const char *text, int last_fd, enum hw_descriptor_kind kind)
{
    graph = graph_from_text(text);
    for (int32_t fd = 5; fd <= last_fd; fd++)
        sample_system_add_fd(graph, fd, kind);
}

static struct hw_resources *ask(void)
{
    struct hw_resources *resources;
    struct hw_err err = HW_ERR_INIT;
    if (!hw_resources_ask(graph, &resources, &err))
        fail_msg("%s", err.msg);
    return resources;
}

static void end(struct hw_resources *resources)
{
    hw_resources_destroy(resources);
    hw_graph_destroy(graph);
}

static void an_owner_has_a_path(void **state)
{
    begin(PROGRAM "['sock'] -> 0x1000\n@0x1000 _socket.socket value=fd=5\n", 6,
          HW_DESCRIPTOR_SOCKET);
    struct hw_resources *r = ask();
    assert_int_equal(r->descriptor_count, 2);
    assert_string_equal(r->descriptors[0].owner.path, "sys.modules['app'].sock");
    assert_string_equal(r->descriptors[0].owner.type, "_socket.socket");
    assert_int_equal(r->descriptors[1].owner.node, HW_NONE);
    assert_int_equal(r->unowned, 1);
    end(r);
}

/* A socket's number that was freed and taken again by a file is not that of the closed socket. */
static void kinds_must_fit(void **state)
{
    begin(PROGRAM "['sock'] -> 0x1000\n['file'] -> 0x1100\n['poll'] -> 0x1200\n"
                  "@0x1000 _socket.socket value=fd=5\n@0x1100 _io.FileIO value=fd=5\n"
                  "@0x1200 select.epoll value=fd=5\n",
          5, HW_DESCRIPTOR_FILE);
    struct hw_resources *r = ask();
    assert_string_equal(r->descriptors[0].owner.type, "_io.FileIO");
    end(r);
}

/* Files are made of others' numbers, too. */
static void a_socket_comes_before_a_file(void **state)
{
    begin(PROGRAM "['file'] -> 0x1000\n['sock'] -> 0x1100\n"
                  "@0x1000 _io.FileIO value=fd=5\n@0x1100 _socket.socket value=fd=5\n",
          5, HW_DESCRIPTOR_SOCKET);
    struct hw_resources *r = ask();
    assert_string_equal(r->descriptors[0].owner.path, "sys.modules['app'].sock");
    end(r);
}

static void the_outermost_file_stands_for_it(void **state)
{
    begin(PROGRAM "['log'] -> 0x1000\n@0x1000 _io.TextIOWrapper\n.buffer -> 0x1100\n"
                  "@0x1100 _io.BufferedWriter\n.raw -> 0x1200\n@0x1200 _io.FileIO value=fd=5\n",
          5, HW_DESCRIPTOR_FILE);
    struct hw_resources *r = ask();
    assert_string_equal(r->descriptors[0].owner.path, "sys.modules['app'].log");
    end(r);
}

static void wrappers_may_form_a_ring(void **state)
{
    begin(PROGRAM "['log'] -> 0x1000\n@0x1000 _io.TextIOWrapper\n.buffer -> 0x1100\n"
                  "@0x1100 _io.BufferedWriter\n.raw -> 0x1200\n"
                  "@0x1200 _io.FileIO value=fd=5\n.raw -> 0x1000\n"
                  "@0x1300 _io.TextIOWrapper\n.buffer -> 0x1300\n",
          5, HW_DESCRIPTOR_FILE);
    end(ask());
}

static void numbers_are_hints(void **state)
{
    begin(PROGRAM "['kept'] -> 0x1000\n@0x1000 list\n[0] -> 5\n[1] -> 6\n[2] -> 7\n", 8,
          HW_DESCRIPTOR_FILE);
    struct hw_resources *r = ask();
    assert_int_equal(r->unowned, 4);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(r->descriptors[i].candidate, "sys.modules['app'].kept[*]");
    assert_string_equal(r->descriptors[3].candidate, ""); /* a library's table is none */
    end(r);
}

static void a_name_is_a_hint(void **state)
{
    begin(PROGRAM "['conn'] -> 0x1000\n['count'] -> 6\n@0x1000 app.Conn\n.lock_fd -> 5\n", 6,
          HW_DESCRIPTOR_FILE);
    struct hw_resources *r = ask();
    assert_string_equal(r->descriptors[0].candidate, "sys.modules['app'].conn.lock_fd");
    assert_string_equal(r->descriptors[1].candidate, "");
    end(r);
}

/* The end of a pipe that multiprocessing keeps open for its child stands in a finalizer. */
static void finalizers_close_for_others(void **state)
{
    begin(PROGRAM "['process'] -> 0x1000\n['other'] -> 0x1300\n"
                  "@0x1000 multiprocessing.process.BaseProcess\n._popen -> 0x1100\n"
                  "@0x1100 multiprocessing.popen_fork.Popen\n.finalizer -> 0x1200\n"
                  "@0x1200 multiprocessing.util.Finalize\n._callback -> 0x1400\n._args -> 0x1210\n"
                  "@0x1210 tuple\n[0] -> 5\n[1] -> 6\n"
                  "@0x1300 multiprocessing.util.Finalize\n._callback -> 0x1500\n._args -> 0x1310\n"
                  "@0x1310 tuple\n[0] -> 7\n"
                  "@0x1400 function value=close_fds util.py:488\n"
                  "@0x1500 function value=stop app.py:3\n",
          7, HW_DESCRIPTOR_PIPE);
    struct hw_resources *r = ask();
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(r->descriptors[i].owner.path, "sys.modules['app'].process");
    assert_int_equal(r->descriptors[2].owner.node, HW_NONE);
    end(r);
}

/* It may have been opened after the heap was frozen. */
static void what_moves_is_nobodys_fault(void **state)
{
    begin(PROGRAM, 6, HW_DESCRIPTOR_FILE);
    graph->system.fds[1].flags &= (uint8_t)~HW_FD_STEADY;
    struct hw_resources *r = ask();
    assert_int_equal(r->unowned, 1);
    assert_string_equal(r->groups[0].owner, "nobody");
    assert_string_equal(r->groups[1].owner, "not known");
    end(r);
}

static void connections_are_grouped_by_their_ends(void **state)
{
    static const char *const ends[][2] = {{"0.0.0.0:80", ""},
                                          {"10.0.0.1:80", "10.0.0.7:5001"},
                                          {"10.0.0.1:80", "10.0.0.8:5002"},
                                          {"10.0.0.1:6000", "10.0.0.9:5432"}};
    begin(PROGRAM, 8, HW_DESCRIPTOR_SOCKET);
    for (size_t i = 0; i < 4; i++) {
        struct hw_system_fd *fd = &graph->system.fds[i];
        fd->protocol = "tcp";
        fd->local = ends[i][0];
        fd->peer = ends[i][1];
        fd->state = i ? 1 : 10;
        fd->flags |= i ? 0 : HW_FD_LISTENS;
    }
    struct hw_resources *r = ask();
    assert_int_equal(r->group_count, 3);
    assert_string_equal(r->groups[0].what, "tcp accepted on 0.0.0.0:80");
    assert_int_equal(r->groups[0].count, 2);
    assert_string_equal(r->groups[1].what, "tcp on 0.0.0.0:80, listens");
    assert_string_equal(r->groups[2].what, "tcp to 10.0.0.9:5432");
    end(r);
}

static void what_should_have_been_closed(void **state)
{
    begin(PROGRAM "['sock'] -> 0x1000\n@0x1000 _socket.socket value=fd=5\n", 5,
          HW_DESCRIPTOR_SOCKET);
    graph->system.fds[0].protocol = "tcp";
    graph->system.fds[0].state = 8;
    sample_system_add_task(graph, 77, HW_TASK_CHILD, 'Z');
    sample_system_add_task(graph, 78, HW_TASK_CHILD, 'S');
    struct hw_resources *r = ask();
    assert_string_equal(r->descriptors[0].problem, "its peer has closed the connection");
    assert_int_equal(r->problem_count, 2);
    assert_non_null(r->children[0].problem);
    assert_null(r->children[1].problem);
    end(r);
}

static void a_thread_waits_in_its_own_frame(void **state)
{
    begin(PROGRAM "['event'] -> 0x1000\n@0x1000 threading.Event\n"
                  "$f frame \"Event.wait\" \"/usr/lib/python3.11/threading.py\" 600 tid=9 depth=0\n"
                  "local self -> 0x1000\n"
                  "$g frame \"watch\" \"/srv/app.py\" 18 tid=9 depth=1\nlocal e -> 0x1000\n",
          5, HW_DESCRIPTOR_FILE);
    sample_system_add_task(graph, 9, HW_TASK_THREAD, 'S');
    struct hw_resources *r = ask();
    assert_int_equal(r->thread_count, 1);
    assert_string_equal(r->threads[0].place, "watch() at app.py:18");
    assert_string_equal(r->threads[0].waits, "Event.wait()");
    assert_string_equal(r->threads[0].waits_for, "sys.modules['app'].event");
    assert_string_equal(r->thread_groups[0].what, "watch() at app.py:18 for Event.wait()");
    assert_string_equal(r->thread_groups[0].where, "sys.modules['app'].event");
    end(r);
}

/* Keys may hold what looks like the end of one. */
static void waits_for_members_are_one_group(void **state)
{
    begin(PROGRAM "['events'] -> 0x900\n@0x900 dict\n['a]'] -> 0x1000\n['b\"['] -> 0x1100\n"
                  "@0x1000 threading.Event\n@0x1100 threading.Event\n"
                  "$f frame \"Event.wait\" \"/usr/lib/python3.11/threading.py\" 600 tid=9 depth=0\n"
                  "local self -> 0x1000\n"
                  "$g frame \"watch\" \"/srv/app.py\" 18 tid=9 depth=1\n"
                  "$h frame \"Event.wait\" \"/usr/lib/python3.11/threading.py\" 600 tid=8 depth=0\n"
                  "local self -> 0x1100\n"
                  "$k frame \"watch\" \"/srv/app.py\" 18 tid=8 depth=1\n",
          5, HW_DESCRIPTOR_FILE);
    sample_system_add_task(graph, 8, HW_TASK_THREAD, 'S');
    sample_system_add_task(graph, 9, HW_TASK_THREAD, 'S');
    struct hw_resources *r = ask();
    assert_int_equal(r->thread_group_count, 1);
    assert_int_equal(r->thread_groups[0].count, 2);
    assert_string_equal(r->thread_groups[0].where, "sys.modules['app'].events[*]");
    end(r);
}

/* Half of them owned. */
static void many_descriptors(void **state)
{
    enum { COUNT = 100000, FIRST = 1000 };
    struct hw_buf text = {0};
    hw_buf_puts(&text, PROGRAM "['pool'] -> 0x1000\n@0x1000 list\n");
    for (int i = 0; i < COUNT; i += 2)
        hw_buf_printf(&text, "[%d] -> 0x%x\n", i / 2, 0x1000000 + i * 64);
    for (int i = 0; i < COUNT; i += 2)
        hw_buf_printf(&text, "@0x%x _socket.socket value=fd=%d\n", 0x1000000 + i * 64, FIRST + i);
    graph = graph_from_text(hw_buf_str(&text));
    hw_buf_deinit(&text);
    for (int i = 0; i < COUNT; i++)
        sample_system_add_fd(graph, FIRST + i, HW_DESCRIPTOR_SOCKET);
    struct hw_resources *r = ask();
    assert_int_equal(r->descriptor_count, COUNT);
    assert_int_equal(r->unowned, COUNT / 2);
    assert_int_equal(r->group_count, 2);
    assert_int_equal(r->groups[0].count, COUNT / 2);
    end(r);
}

static void unrecorded_graphs_say_so(void **state)
{
    struct hw_err err = HW_ERR_INIT;
    struct hw_resources *r = NULL;
    graph = graph_from_text(PROGRAM);
    assert_false(hw_resources_ask(graph, &r, &err));
    assert_int_equal(err.code, HW_ERR_UNSUPPORTED);
    assert_null(r);
    hw_graph_destroy(graph);
}

static const struct hw_resource_growth *row_of(const struct hw_resources_growth *growth,
                                               const char *label)
{
    for (size_t i = 0; i < growth->row_count; i++)
        if (strcmp(growth->rows[i].label, label) == 0)
            return &growth->rows[i];
    return NULL;
}

static void growth_counts_each_moment(void **state)
{
    struct hw_resources *moments[3];
    struct hw_resources_growth *growth;
    struct hw_err err = HW_ERR_INIT;
    for (int i = 0; i < 3; i++) {
        begin(PROGRAM, 5 + 10 * i, HW_DESCRIPTOR_EVENTFD);
        sample_system_add_fd(graph, 100, HW_DESCRIPTOR_EPOLL);
        moments[i] = ask();
        hw_graph_destroy(graph);
    }
    assert_true(hw_resources_compare(moments, 3, &growth, &err));
    const struct hw_resource_growth *unowned = row_of(growth, "descriptors nobody owns");
    assert_int_equal(unowned->delta, 20);
    assert_int_equal(unowned->counts[1], 12);
    assert_string_equal(row_of(growth, "eventfd")->where, "nobody");
    assert_true(row_of(growth, "eventfd")->is_group);
    assert_null(row_of(growth, "epoll")); /* as many as before */
    hw_resources_growth_destroy(growth);
    moments[1]->facts.pid++;
    assert_false(hw_resources_compare(moments, 3, &growth, &err));
    assert_int_equal(err.code, HW_ERR_USAGE);
    for (int i = 0; i < 3; i++)
        hw_resources_destroy(moments[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_owner_has_a_path),
        cmocka_unit_test(kinds_must_fit),
        cmocka_unit_test(a_socket_comes_before_a_file),
        cmocka_unit_test(the_outermost_file_stands_for_it),
        cmocka_unit_test(wrappers_may_form_a_ring),
        cmocka_unit_test(numbers_are_hints),
        cmocka_unit_test(a_name_is_a_hint),
        cmocka_unit_test(finalizers_close_for_others),
        cmocka_unit_test(what_moves_is_nobodys_fault),
        cmocka_unit_test(connections_are_grouped_by_their_ends),
        cmocka_unit_test(what_should_have_been_closed),
        cmocka_unit_test(a_thread_waits_in_its_own_frame),
        cmocka_unit_test(waits_for_members_are_one_group),
        cmocka_unit_test(many_descriptors),
        cmocka_unit_test(unrecorded_graphs_say_so),
        cmocka_unit_test(growth_counts_each_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/snapshot-columns.h"
#include "sample-graph.h"
#include "sample-system.h"
#include "system/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- texts of /proc ---- */

static void check_link(const char *text, enum hw_descriptor_kind kind, uint64_t inode,
                       const char *name, bool deleted)
{
    struct hw_link_text link;
    hw_link_parse(text, &link);
    assert_int_equal(link.kind, kind);
    assert_int_equal(link.inode, inode);
    assert_int_equal(link.deleted, deleted);
    assert_int_equal(link.name_bytes, strlen(name));
    assert_memory_equal(link.name, name, link.name_bytes);
}

static void links(void **state)
{
    check_link("socket:[12345]", HW_DESCRIPTOR_SOCKET, 12345, "socket", false);
    check_link("pipe:[7]", HW_DESCRIPTOR_PIPE, 7, "pipe", false);
    check_link("anon_inode:[eventpoll]", HW_DESCRIPTOR_EPOLL, 0, "anon_inode:[eventpoll]", false);
    check_link("anon_inode:inotify", HW_DESCRIPTOR_INOTIFY, 0, "anon_inode:inotify", false);
    check_link("/var/log/app.log", HW_DESCRIPTOR_FILE, 0, "/var/log/app.log", false);
    check_link("/tmp/x (deleted)", HW_DESCRIPTOR_FILE, 0, "/tmp/x", true);
    check_link("/tmp/socket:[12345]", HW_DESCRIPTOR_FILE, 0, "/tmp/socket:[12345]", false);
    check_link("/memfd:pool (deleted)", HW_DESCRIPTOR_MEMFD, 0, "/memfd:pool", true);
}

static void odd_links(void **state)
{
    check_link("", HW_DESCRIPTOR_OTHER, 0, "", false);
    check_link("[", HW_DESCRIPTOR_OTHER, 0, "[", false);
    check_link(":[9]", HW_DESCRIPTOR_OTHER, 9, "", false);
    check_link("socket:[99999999999999999999999]", HW_DESCRIPTOR_SOCKET, UINT64_MAX, "socket",
               false);
    check_link("socket:[", HW_DESCRIPTOR_SOCKET, 0, "socket:[", false);
    check_link(" (deleted)", HW_DESCRIPTOR_OTHER, 0, " (deleted)", false);
    check_link("/\x1b[31m\n", HW_DESCRIPTOR_FILE, 0, "/\x1b[31m\n", false);
}

struct watched {
    int32_t fds[8];
    unsigned count, most;
};

static bool note_watch(void *ctx, int32_t fd, uint32_t events)
{
    struct watched *watched = ctx;
    watched->fds[watched->count++] = fd;
    return watched->count < watched->most;
}

static void descriptor_infos(void **state)
{
    struct hw_system_fd fd = {0};
    struct watched watched = {.most = 8};
    hw_fdinfo_parse("pos:\t0\nflags:\t02000002\nmnt_id:\t15\nino:\t9\n", &fd, NULL, NULL);
    assert_int_equal(fd.flags, HW_FD_READS | HW_FD_WRITES);
    fd.flags = 0;
    hw_fdinfo_parse("pos:\t0\nflags:\t0100001\n", &fd, NULL, NULL);
    assert_int_equal(fd.flags, HW_FD_WRITES);
    hw_fdinfo_parse("flags:\t00\neventfd-count:               1f\n", &fd, NULL, NULL);
    assert_int_equal(fd.number, 0x1f);
    hw_fdinfo_parse("Pid:\t1234\nNSpid:\t1234\n", &fd, NULL, NULL);
    assert_int_equal(fd.number, 1234);
    hw_fdinfo_parse("flags:\t02\ntfd:        5 events:       19 data: 5  pos:0 ino:3 sdev:8\n"
                    "tfd:        9 events:       1d data: 9  pos:0 ino:3 sdev:8\n",
                    &fd, note_watch, &watched);
    assert_int_equal(watched.count, 2);
    assert_int_equal(watched.fds[1], 9);
}

static void odd_descriptor_infos(void **state)
{
    struct hw_system_fd fd = {0};
    struct watched watched = {.most = 1};
    hw_fdinfo_parse("", &fd, note_watch, &watched);
    hw_fdinfo_parse("flags:\n\n\n:::\nflags:\tzz\nPid:\t-\ntfd:\n", &fd, note_watch, &watched);
    assert_int_equal(fd.flags, 0);
    assert_int_equal(watched.count, 0);
    hw_fdinfo_parse("tfd: 1 events: 1\ntfd: 2 events: 1\ntfd: 3 events: 1", &fd, note_watch,
                    &watched);
    assert_int_equal(watched.count, 1); /* enough is enough */
}

static void net_lines(void **state)
{
    struct hw_net_line line;
    assert_true(hw_net_line_parse(
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000005 00:00000000 00000000  1000"
        "        0 21212 1 0000000000000000 100 0 0 10 0",
        false, &line));
    assert_string_equal(line.local, "127.0.0.1:8080");
    assert_string_equal(line.peer, "");
    assert_int_equal(line.state, 10);
    assert_int_equal(line.queue_in, 5);
    assert_int_equal(line.inode, 21212);
    assert_true(hw_net_line_parse(
        "  11: 00000000000000000000000001000000:01BB B80D01200000000067452301EFCDAB89:FFFF 01 "
        "00000000:00000000 00:00000000 00000000     0        0 99 1 0 20 4 30 10 -1",
        true, &line));
    assert_string_equal(line.local, "[::1]:443");
    assert_string_equal(line.peer, "[2001:db8::123:4567:89ab:cdef]:65535");
}

static void odd_net_lines(void **state)
{
    static const char *const texts[] = {
        "",
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid",
        "0: 0100007F:1F90",
        "0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 0 1",
        "0: 0100007:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 5 1",
        "0: 0100007F0100007F0100007F0100007F0100007F:1 0:0 0A 0:0 0:0 0 0 0 5",
        "0: zzzzzzzz:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 5 1",
    };
    struct hw_net_line line = {.inode = 4};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        for (int v6 = 0; v6 < 2; v6++)
            if (hw_net_line_parse(texts[i], v6, &line))
                fail_msg("taken: %s", texts[i]);
    assert_int_equal(line.inode, 4); /* untouched */
}

static void unix_lines(void **state)
{
    struct hw_unix_line line;
    assert_true(hw_unix_line_parse(
        "0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/x y", &line));
    assert_true(line.listens);
    assert_int_equal(line.inode, 12345);
    assert_int_equal(line.type, 1);
    assert_string_equal(line.path, "/run/x y");
    assert_true(hw_unix_line_parse("0000: 00000003 00000000 00000000 0002 03 77", &line));
    assert_true(line.connected && !line.listens);
    assert_string_equal(line.path, "");
    assert_false(hw_unix_line_parse("Num       RefCount Protocol Flags    Type St Inode Path",
                                    &line));
    assert_false(hw_unix_line_parse("0: 1 2 3 4 5", &line));
    assert_false(hw_unix_line_parse("0: 1 2 3 4 5 0 /x", &line));
    assert_false(hw_unix_line_parse("", &line));
}

static void system_calls(void **state)
{
    struct hw_system_task task = {0};
    hw_syscall_parse("202 0x7f0011 0x189 0x0 0x0 0x0 0xffffffff 0x7ffe 0x7f00", &task);
    assert_int_equal(task.call, 202);
    assert_int_equal(task.argument, 0x7f0011);
    assert_false(task.timed);
    assert_string_equal(hw_system_call_name(task.call), "futex");
    hw_syscall_parse("202 0x7f0011 0x189 0x0 0x7ffe0 0x0 0xffffffff 0x7ffe 0x7f00", &task);
    assert_true(task.timed);
    hw_syscall_parse("0 0x5 0x1 0x1 0x1 0x1 0x1 0x1 0x1", &task);
    assert_true(hw_system_call_takes_fd(task.call) && !task.timed);
    static const char *const none[] = {"running", "", "-1 0x7ffe 0x7f00", "x", "12"};
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        hw_syscall_parse(none[i], &task);
        assert_int_equal(task.call, HW_CALL_NONE);
    }
    assert_string_equal(hw_system_call_name(HW_CALL_NONE), "");
}

static void limits(void **state)
{
    assert_int_equal(hw_limits_parse("Limit  Soft Limit\nMax open files            1024         "
                                     "524288      files\n"),
                     1024);
    assert_int_equal(hw_limits_parse("Max open files unlimited unlimited files"), 0);
    assert_int_equal(hw_limits_parse("Max open files"), 0);
    assert_int_equal(hw_limits_parse(""), 0);
}

/* ---- this very process ---- */

static void own_descriptors(void **state)
{
    struct hw_system system;
    struct hw_system_look before;
    uint64_t total, limit;
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);
    hw_system_begin(&system, &before, getpid());
    int late = dup(pipe_fds[0]);
    hw_system_finish(&system, getpid(), &before, &total, &limit);
    assert_true(system.recorded && total >= system.fd_count && limit > 0);
    unsigned found = 0;
    for (size_t i = 0; i < system.fd_count; i++) {
        const struct hw_system_fd *fd = &system.fds[i];
        if (fd->fd != pipe_fds[0] && fd->fd != pipe_fds[1] && fd->fd != late)
            continue;
        found++;
        assert_int_equal(fd->kind, HW_DESCRIPTOR_PIPE);
        assert_int_equal((fd->flags & HW_FD_WRITES) != 0, fd->fd == pipe_fds[1]);
        assert_int_equal((fd->flags & HW_FD_STEADY) != 0, fd->fd != late);
    }
    assert_int_equal(found, 3);
    assert_true(system.task_count >= 1);
    hw_system_deinit(&system);
    hw_system_look_deinit(&before);
    hw_system_begin(&system, &before, -1);
    hw_system_finish(&system, -1, &before, &total, &limit);
    assert_false(system.recorded);
    assert_int_equal(total, 0);
    hw_system_deinit(&system);
    hw_system_look_deinit(&before);
    close(late);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

/* ---- in a file ---- */

static char path[64];

static int make_path(void **state)
{
    snprintf(path, sizeof(path), "/tmp/heapwhy-system-%d", (int)getpid());
    return 0;
}

static int remove_path(void **state)
{
    unlink(path);
    return 0;
}

static struct hw_graph *save_and_load(struct hw_graph *graph, struct hw_err *err)
{
    struct hw_graph *again = NULL;
    assert_true(hw_snapshot_save(graph, path, err));
    return hw_snapshot_load(path, &again, err) ? again : NULL;
}

static void round_trip(void **state)
{
    struct hw_err err = HW_ERR_INIT;
    struct hw_graph *graph = sample_graph_open(), *again = save_and_load(graph, &err);
    if (!again)
        fail_msg("%s", err.msg);
    assert_null(sample_system_difference(graph, again));
    assert_null(sample_graph_difference(graph, again));
    hw_graph_destroy(graph);
    hw_graph_destroy(again);
}

/* Some pieces' worth. */
static void many_rows(void **state)
{
    enum { ROWS = 150000 };
    struct hw_err err = HW_ERR_INIT;
    struct hw_graph *graph = sample_graph_small();
    graph->system.fds = calloc(ROWS, sizeof(*graph->system.fds));
    for (int32_t i = 0; i < ROWS; i++)
        graph->system.fds[i] = (struct hw_system_fd){.fd = i * 3,
                                                     .kind = HW_DESCRIPTOR_SOCKET,
                                                     .inode = (uint64_t)i << 20,
                                                     .name = "",
                                                     .protocol = "tcp",
                                                     .local = "127.0.0.1:80",
                                                     .peer = "10.0.0.1:1"};
    graph->system.fd_count = ROWS;
    struct hw_graph *again = save_and_load(graph, &err);
    if (!again)
        fail_msg("%s", err.msg);
    assert_null(sample_system_difference(graph, again));
    hw_graph_destroy(graph);
    hw_graph_destroy(again);
}

static void expect_refused(struct hw_graph *graph, const char *what)
{
    struct hw_err err = HW_ERR_INIT;
    struct hw_graph *again = save_and_load(graph, &err);
    if (again)
        fail_msg("%s was taken", what);
    assert_int_equal(err.code, HW_ERR_CORRUPT);
    hw_graph_destroy(graph);
}

static void odd_rows_are_refused(void **state)
{
    struct hw_graph *graph = sample_graph_open();
    graph->system.fds[1].kind = HW_DESCRIPTOR_OTHER + 1;
    expect_refused(graph, "an unknown kind");
    graph = sample_graph_open();
    graph->system.fds[1].fd = graph->system.fds[0].fd;
    expect_refused(graph, "a number twice");
    graph = sample_graph_open();
    graph->system.fds[1].state = 13;
    expect_refused(graph, "an unknown state");
    graph = sample_graph_open();
    graph->system.tasks[0].kind = HW_TASK_CHILD + 1;
    expect_refused(graph, "an unknown kind of task");
    graph = sample_graph_open();
    graph->system.tasks[0].state = '\n';
    expect_refused(graph, "a control character");
}

static void too_many_rows_are_refused(void **state)
{
    struct hw_graph *graph = hw_graph_create();
    struct hw_err err = HW_ERR_INIT;
    const struct hw_snap_column *const columns[] = {&hw_snap_fds, &hw_snap_watches, &hw_snap_tasks};
    for (size_t i = 0; i < 3; i++) {
        assert_false(columns[i]->prepare(graph, (uint64_t)1 << 33, &err));
        assert_int_equal(err.code, HW_ERR_CORRUPT);
    }
    hw_graph_destroy(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links),
        cmocka_unit_test(odd_links),
        cmocka_unit_test(descriptor_infos),
        cmocka_unit_test(odd_descriptor_infos),
        cmocka_unit_test(net_lines),
        cmocka_unit_test(odd_net_lines),
        cmocka_unit_test(unix_lines),
        cmocka_unit_test(system_calls),
        cmocka_unit_test(limits),
        cmocka_unit_test(own_descriptors),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(many_rows),
        cmocka_unit_test(odd_rows_are_refused),
        cmocka_unit_test(too_many_rows_are_refused),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}

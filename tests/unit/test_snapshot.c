/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/snapshot-columns.h"
#include "heap/snapshot-format.h"
#include "sample-graph.h"
#include "sample-system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

#include <cmocka.h>

enum { CHUNK_COUNT = HW_SNAP_COLUMN_COUNT + 2 }; /* with values and padding */

/* ---- failures on demand: the n-th call from now on fails ---- */

static atomic_long allocations_left = -1, writes_left = -1, kill_left = -1;
static atomic_bool no_tmpfile;

static bool is_due(atomic_long *left)
{
    return atomic_load(left) >= 0 && atomic_fetch_sub(left, 1) == 0;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t m);
void *__real_realloc(void *p, size_t n);
ssize_t __real_write(int fd, const void *data, size_t n);
int __real_fsync(int fd);
int __real_open(const char *path, int flags, ...);
int __real_rename(const char *from, const char *to);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t m);
void *__wrap_realloc(void *p, size_t n);
ssize_t __wrap_write(int fd, const void *data, size_t n);
int __wrap_fsync(int fd);
int __wrap_open(const char *path, int flags, ...);
int __wrap_rename(const char *from, const char *to);

/* The largest block asked for. */
static atomic_size_t largest;

static void note(size_t n)
{
    if (n > atomic_load(&largest))
        atomic_store(&largest, n);
}

void *__wrap_malloc(size_t n)
{
    note(n);
    return is_due(&allocations_left) ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t m)
{
    note(n * m);
    return is_due(&allocations_left) ? NULL : __real_calloc(n, m);
}

void *__wrap_realloc(void *p, size_t n)
{
    note(n);
    return is_due(&allocations_left) ? NULL : __real_realloc(p, n);
}

/* Long writes are cut in half, which a writer must bear. */
ssize_t __wrap_write(int fd, const void *data, size_t n)
{
    if (is_due(&kill_left))
        raise(SIGKILL);
    if (is_due(&writes_left)) {
        errno = ENOSPC;
        return -1;
    }
    return __real_write(fd, data, n > 4096 ? n / 2 : n);
}

/* Some file systems have no files without a name. */
int __wrap_open(const char *name, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    bool nameless = (flags & O_TMPFILE) == O_TMPFILE;
    mode_t mode = nameless || flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (nameless && atomic_load(&no_tmpfile)) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return __real_open(name, flags, mode);
}

int __wrap_fsync(int fd)
{
    if (is_due(&kill_left))
        raise(SIGKILL);
    if (is_due(&writes_left)) {
        errno = EIO;
        return -1;
    }
    return __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
    if (is_due(&writes_left)) {
        errno = EIO;
        return -1;
    }
    return __real_rename(from, to);
}

/* ---- a directory of our own ---- */

static char dir[64], path[128], other_path[128];

static int make_dir(void **state)
{
    strcpy(dir, "/tmp/heapwhy-test-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/a.hwsnap", dir);
    snprintf(other_path, sizeof(other_path), "%s/b.hwsnap", dir);
    return 0;
}

static int remove_dir(void **state)
{
    unlink(path);
    unlink(other_path);
    return rmdir(dir); /* fails when anything was left behind */
}

static int count_files(void)
{
    DIR *d = opendir(dir);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(d));)
        count += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
    closedir(d);
    return count;
}

static struct hw_buf read_file(const char *name)
{
    struct hw_buf buf = {0};
    FILE *f = fopen(name, "rb");
    assert_non_null(f);
    for (int c; (c = getc(f)) != EOF;)
        hw_buf_putc(&buf, (char)c);
    fclose(f);
    return buf;
}

static void write_file(const char *name, const void *data, size_t bytes)
{
    FILE *f = fopen(name, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, bytes, f), bytes);
    fclose(f);
}

static void save(struct hw_graph *graph, const char *name)
{
    struct hw_err err = HW_ERR_INIT;
    if (!graph || !hw_snapshot_save(graph, name, &err))
        fail_msg("%s", err.msg);
}

static struct hw_buf saved_small(void)
{
    struct hw_graph *graph = sample_graph_small();
    save(graph, path);
    hw_graph_destroy(graph);
    return read_file(path);
}

/* ---- there and back ---- */

static void round_trip(struct hw_graph *graph)
{
    struct hw_err err = HW_ERR_INIT;
    struct hw_graph *again = NULL;
    struct hw_check *check = NULL;
    assert_non_null(graph);
    assert_true(hw_graph_validate(graph, NULL));
    save(graph, path);
    if (!hw_snapshot_load(path, &again, &err) || !hw_snapshot_check(path, &check, &err))
        fail_msg("%s", err.msg);
    const char *difference = sample_graph_difference(graph, again);
    if (difference)
        fail_msg("%s differ", difference);
    struct hw_facts facts;
    assert_true(hw_snapshot_facts(path, &facts, &err));
    assert_memory_equal(&facts, &again->facts, sizeof(facts));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(check->version, 1);
    assert_int_equal(check->file_bytes, st.st_size);
    assert_int_equal(check->objects, graph->object_count);
    assert_int_equal(check->edges, graph->edge_count);
    assert_int_equal(check->chunk_count, CHUNK_COUNT);
    assert_int_equal(count_files(), 1);
    hw_check_destroy(check);
    hw_graph_destroy(again);
    hw_graph_destroy(graph);
}

static void only_a_root(void **state)
{
    round_trip(sample_graph_root());
}

static struct hw_graph *golden_source(unsigned minor);

static void one_of_everything(void **state)
{
    round_trip(sample_graph_small());
    round_trip(golden_source(4));
}

static void many_pieces(void **state)
{
    round_trip(sample_graph_service(60000, false));
    round_trip(sample_graph_service(60000, true));
}

/* So uniform that it packs better than a reader believes: padding makes up for it. */
static void packs_too_well(void **state)
{
    struct hw_graph *graph = sample_graph_service(60000, false);
    hw_values_deinit(&graph->values);
    save(graph, path);
    struct hw_check *check;
    assert_true(hw_snapshot_check(path, &check, NULL));
    assert_string_equal(check->chunks[CHUNK_COUNT - 1].name, "pad");
    assert_true(check->chunks[CHUNK_COUNT - 1].file_bytes > 0);
    hw_check_destroy(check);
    round_trip(graph);
}

/* What format 1.0 had no place for. */
static void forget_new(struct hw_graph *graph)
{
    struct hw_facts *facts = &graph->facts;
    memset(graph->age, 0, graph->node_count);
    facts->gc_recorded = facts->gc_debug = 0;
    memset(facts->gc_objects, 0, sizeof(facts->gc_objects));
    memset(facts->gc_stats, 0, sizeof(facts->gc_stats));
    facts->gc_long_lived_total = facts->gc_long_lived_pending = 0;
}

/* Makes up what C code's memory points at. */
static void hold(struct hw_graph *graph, struct hw_big_size first, struct hw_big_size second)
{
    graph->held = calloc(2, sizeof(*graph->held));
    assert_non_null(graph->held);
    graph->held[0] = first;
    graph->held[1] = second;
    graph->held_count = 2;
}

/* What a golden file of that minor version was written from. */
static struct hw_graph *golden_source(unsigned minor)
{
    struct hw_graph *graph = minor >= 3 ? sample_graph_open() : sample_graph_small();
    if (minor >= 3)
        hold(graph, (struct hw_big_size){0, 3}, (struct hw_big_size){6, UINT64_MAX});
    else
        hw_ledger_deinit(&graph->ledger);
    if (minor < 1)
        forget_new(graph);
    if (minor < 2)
        graph->native_count = graph->native_bytes = 0;
    if (minor >= 4)
        assert_true(sample_graph_trace(graph));
    return graph;
}

static void check_golden(const char *file, unsigned minor)
{
    struct hw_err err = HW_ERR_INIT;
    struct hw_graph *golden = NULL, *expected = golden_source(minor);
    struct hw_check *check;
    if (!hw_snapshot_load(file, &golden, &err) || !hw_snapshot_check(file, &check, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(golden->age != NULL, minor >= 1);
    assert_int_equal(hw_graph_age(golden, 7), minor >= 1 ? 252 : 0);
    if (minor < 3) /* none was written with this fact */
        expected->facts.busy_ns = golden->facts.busy_ns;
    const char *difference = sample_graph_difference(golden, expected);
    if (!difference)
        difference = sample_system_difference(golden, expected);
    if (difference)
        fail_msg("%s differ", difference);
    char buf[32];
    hw_graph_value(golden, 1, buf, sizeof(buf));
    assert_string_equal(buf, "'abc'");
    assert_int_equal(hw_graph_size(golden, 3), (uint64_t)1 << 40);
    assert_int_equal(hw_graph_addr(golden, 3), 0x7f0000000000);
    assert_string_equal(hw_graph_type(golden, 1)->name, "app.Caf\xc3\xa9");
    assert_int_equal(hw_graph_native(golden, 2), 0);
    assert_int_equal(hw_graph_native(golden, 6), minor >= 2 ? (uint64_t)5 << 32 : 0);
    assert_int_equal(hw_graph_native_bytes(golden), expected->native_bytes);
    hw_check_destroy(check);
    hw_graph_destroy(golden);
    hw_graph_destroy(expected);
}

/* Files of every version of the format that was ever written. */
static void golden_files_still_load(void **state)
{
    check_golden(HW_TEST_DATA "/golden-1.hwsnap", 0);
    check_golden(HW_TEST_DATA "/golden-1.1.hwsnap", 1);
    check_golden(HW_TEST_DATA "/golden-1.2.hwsnap", 2);
    check_golden(HW_TEST_DATA "/golden-1.3.hwsnap", 3);
    check_golden(HW_TEST_DATA "/golden-1.4.hwsnap", 4);
}

static void files_without_ages_load(void **state)
{
    struct hw_err err = HW_ERR_INIT;
    struct hw_graph *graph = sample_graph_small(), *again = NULL;
    free(graph->age);
    graph->age = NULL;
    save(graph, path);
    if (!hw_snapshot_load(path, &again, &err))
        fail_msg("%s", err.msg);
    assert_null(again->age);
    assert_null(sample_graph_difference(graph, again));
    hw_graph_destroy(graph);
    hw_graph_destroy(again);
}

/* ---- damage ---- */

static void expect_refused(const char *what, size_t at)
{
    struct hw_err err = HW_ERR_INIT;
    struct hw_graph *graph = NULL;
    struct hw_check *check = NULL;
    struct hw_facts facts;
    bool loaded = hw_snapshot_load(path, &graph, &err);
    assert_true(hw_snapshot_facts(path, &facts, NULL) || !loaded);
    hw_graph_destroy(graph);
    if (loaded && hw_snapshot_check(path, &check, &err))
        fail_msg("%s at %zu went unnoticed", what, at);
    if (err.code != HW_ERR_CORRUPT && err.code != HW_ERR_TOO_NEW)
        fail_msg("%s at %zu: %s", what, at, err.msg);
    assert_non_null(strstr(err.msg, path));
}

static void every_truncation_is_noticed(void **state)
{
    struct hw_buf file = saved_small();
    for (size_t n = 0; n < file.len; n++) {
        write_file(path, file.data, n);
        expect_refused("truncation", n);
    }
    hw_buf_putc(&file, 0);
    write_file(path, file.data, file.len);
    expect_refused("one byte more", file.len);
    hw_buf_deinit(&file);
}

static void every_changed_byte_is_noticed(void **state)
{
    static const unsigned char flips[] = {0x01, 0x80, 0xff};
    struct hw_buf file = saved_small();
    for (size_t i = 0; i < file.len; i++) {
        for (size_t f = 0; f < sizeof(flips); f++) {
            file.data[i] ^= flips[f];
            write_file(path, file.data, file.len);
            expect_refused("change", i);
            file.data[i] ^= flips[f];
        }
    }
    hw_buf_deinit(&file);
}

/* ---- other versions ---- */

static void newer_major_is_refused(void **state)
{
    struct hw_buf file = saved_small();
    struct hw_err err = HW_ERR_INIT;
    struct hw_graph *graph;
    file.data[8] = 7;
    file.data[10] = 3;
    /* Nothing but the first twelve bytes means anything then. */
    for (size_t n = 12; n < file.len; n += 50) {
        write_file(path, file.data, n);
        assert_false(hw_snapshot_load(path, &graph, &err));
        assert_int_equal(err.code, HW_ERR_TOO_NEW);
        assert_non_null(strstr(err.msg, "7.3"));
        assert_non_null(strstr(err.msg, "1.x"));
    }
    hw_buf_deinit(&file);
}

/* Rewrites the small file: with `extra` as an additional chunk, without the chunk `left_out`, and
 * with what `change` does to the head; all checksums are right. */
static void rewrite(const char *extra, const char *left_out, void (*change)(struct hw_snap_head *))
{
    struct hw_buf file = saved_small(), body = {0};
    struct hw_snap_head old, head;
    assert_true(hw_snap_head_get(file.data, file.len, &old, NULL));
    head = old;
    head.minor = 9;
    head.row_count = 0;
    for (uint32_t i = 0; i < old.row_count; i++) {
        if (strcmp(old.rows[i].tag, left_out) == 0)
            continue;
        head.rows[head.row_count++] = old.rows[i];
        hw_buf_put(&body, file.data + old.rows[i].offset, old.rows[i].stored_bytes);
    }
    if (extra) {
        struct hw_snap_row *row = &head.rows[head.row_count++];
        *row = (struct hw_snap_row){.codec = 99, .stored_bytes = 5, .elements = 1u << 30};
        strcpy(row->tag, extra);
        row->checksum = XXH3_64bits("later", 5);
        hw_buf_put(&body, "later", 5);
    }
    size_t at = hw_snap_head_bytes(head.row_count);
    for (uint32_t i = 0; i < head.row_count; i++) {
        head.rows[i].offset = at;
        at += head.rows[i].stored_bytes;
    }
    head.file_bytes = at + HW_SNAP_END_BYTES;
    if (change)
        change(&head);
    unsigned char front[HW_SNAP_HEAD_MAX_BYTES], end[HW_SNAP_END_BYTES];
    hw_snap_head_put(&head, front);
    hw_snap_end_put(&head, end);
    hw_buf_clear(&file);
    hw_buf_put(&file, front, hw_snap_head_bytes(head.row_count));
    hw_buf_put(&file, body.data, body.len);
    hw_buf_put(&file, end, sizeof(end));
    write_file(path, file.data, file.len);
    hw_buf_deinit(&file);
    hw_buf_deinit(&body);
}

static void unknown_chunks_are_skipped(void **state)
{
    struct hw_graph *graph, *expected = sample_graph_small();
    struct hw_check *check;
    rewrite("later", "", NULL);
    assert_true(hw_snapshot_load(path, &graph, NULL));
    assert_null(sample_graph_difference(graph, expected));
    assert_true(hw_snapshot_check(path, &check, NULL));
    assert_int_equal(check->chunk_count, CHUNK_COUNT + 1);
    assert_string_equal(check->chunks[CHUNK_COUNT].name, "later");
    assert_false(check->chunks[CHUNK_COUNT].known);
    assert_true(check->chunks[0].known);
    hw_check_destroy(check);
    hw_graph_destroy(graph);
    hw_graph_destroy(expected);
    /* Skipped is not trusted: checking a file reads the chunk all the same. */
    struct hw_buf file = read_file(path);
    struct hw_err err = HW_ERR_INIT;
    file.data[file.len - HW_SNAP_END_BYTES - 1] ^= 1;
    write_file(path, file.data, file.len);
    assert_false(hw_snapshot_check(path, &check, &err));
    assert_int_equal(err.code, HW_ERR_CORRUPT);
    assert_non_null(strstr(err.msg, "later"));
    hw_buf_deinit(&file);
}

static void odd_tables_are_refused(void **state)
{
    static const char *const needed[] = {"facts", "strings", "where", "target", "values"};
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        rewrite(NULL, needed[i], NULL);
        expect_refused("missing chunk", i);
    }
    rewrite("facts", "", NULL);
    expect_refused("chunk twice", 0);
    rewrite("Facts", "", NULL);
    expect_refused("odd tag", 0);
    rewrite("label", "label", NULL);
    expect_refused("unknown codec", 0);
}

/* A file without the chunk is one of an earlier version. */
static void optional_chunks_may_be_missing(void **state)
{
    struct hw_graph *graph;
    rewrite(NULL, "native", NULL);
    assert_true(hw_snapshot_load(path, &graph, NULL));
    assert_int_equal(hw_graph_native_bytes(graph), 0);
    hw_graph_destroy(graph);
}

static void a_ledger_may_be_missing(void **state)
{
    static const char *const tags[] = {"memparts", "mempools", "memarena", "memnativ"};
    for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
        struct hw_graph *graph;
        rewrite(NULL, tags[i], NULL);
        assert_true(hw_snapshot_load(path, &graph, NULL));
        assert_int_equal(graph->ledger.recorded, i != 0);
        hw_graph_destroy(graph);
    }
}

static void odd_ledgers_are_refused(void **state)
{
    for (unsigned i = 0; i < 4; i++) {
        struct hw_graph *graph = sample_graph_small();
        struct hw_ledger *ledger = &graph->ledger;
        ledger->arenas[1].start = ledger->arenas[i == 0 ? 0 : 1].start; /* twice */
        if (i == 1)
            ledger->natives[1].block_bytes = 48;
        if (i == 2)
            ledger->parts[0].rss_bytes = UINT64_MAX;
        if (i == 3)
            ledger->natives[0].bytes = UINT64_MAX;
        save(graph, path);
        expect_refused("ledger", i);
        hw_graph_destroy(graph);
    }
}

static void kinds_of_later_versions_are_passed_over(void **state)
{
    struct hw_graph *graph = sample_graph_small(), *loaded;
    graph->ledger.parts[0].kind = (enum hw_memory_kind)4711;
    save(graph, path);
    assert_true(hw_snapshot_load(path, &loaded, NULL));
    assert_int_equal(loaded->ledger.parts[0].kind, HW_MEMORY_KIND_COUNT);
    assert_string_equal(hw_memory_kind_name(loaded->ledger.parts[0].kind), "");
    hw_graph_destroy(loaded);
    hw_graph_destroy(graph);
}

static void odd_native_sizes_are_refused(void **state)
{
    static const struct hw_big_size odd[][2] = {
        {{6, 4096}, {1, 4096}},                 /* out of order */
        {{1, 4096}, {1, 4096}},                 /* twice */
        {{1, 4096}, {8, 4096}},                 /* not an object */
        {{1, 0}, {6, 4096}},                    /* nothing */
        {{1, HW_NATIVE_MAX_BYTES}, {6, 1}},     /* more than a process has */
        {{1, UINT64_MAX}, {6, UINT64_MAX - 4}}, /* a sum that wraps */
    };
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        struct hw_graph *graph = sample_graph_small();
        memcpy(graph->native, odd[i], sizeof(odd[i]));
        save(graph, path);
        expect_refused("native sizes", i);
        hw_graph_destroy(graph);
    }
}

static void words_that_hold_are_kept(void **state)
{
    struct hw_graph *graph = sample_graph_small(), *loaded = NULL;
    hold(graph, (struct hw_big_size){0, 3}, (struct hw_big_size){6, UINT64_MAX});
    save(graph, path);
    assert_true(hw_snapshot_load(path, &loaded, NULL));
    assert_null(sample_graph_difference(graph, loaded));
    hw_graph_destroy(loaded);
    hw_graph_destroy(graph);
}

static void odd_words_are_refused(void **state)
{
    static const struct hw_big_size odd[][2] = {
        {{6, 1}, {1, 1}}, /* out of order */
        {{1, 1}, {1, 1}}, /* twice */
        {{1, 1}, {8, 1}}, /* not an object */
    };
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        struct hw_graph *graph = sample_graph_small();
        hold(graph, odd[i][0], odd[i][1]);
        save(graph, path);
        expect_refused("words that hold", i);
        hw_graph_destroy(graph);
    }
}

static struct hw_snap_row *row_of(struct hw_snap_head *head, const char *tag)
{
    struct hw_snap_row *row = head->rows;
    while (strcmp(row->tag, tag) != 0)
        row++;
    return row;
}

static void many_nodes(struct hw_snap_head *head)
{
    head->node_count = HW_NONE - 1;
}

static void many_edges(struct hw_snap_head *head)
{
    head->edge_count = UINT32_MAX;
}

static void many_elements(struct hw_snap_head *head)
{
    head->edge_count = row_of(head, "target")->elements = row_of(head, "label")->elements = 1 << 30;
}

static void many_strings(struct hw_snap_head *head)
{
    row_of(head, "strings")->elements = 1 << 28;
}

static void much_raw(struct hw_snap_head *head)
{
    row_of(head, "where")->raw_bytes = (uint64_t)1 << 50;
}

static void long_chunk(struct hw_snap_head *head)
{
    row_of(head, "values")->stored_bytes = row_of(head, "values")->raw_bytes = (uint64_t)1 << 40;
}

static void raw_sum_wraps(struct hw_snap_head *head)
{
    row_of(head, "where")->raw_bytes = row_of(head, "type")->raw_bytes = (uint64_t)1 << 63;
}

/* A head that lies, with checksums in order, costs neither memory nor time. */
static void lies_are_cheap(void **state)
{
    void (*const lies[])(struct hw_snap_head *) = {
        many_nodes, many_edges, many_elements, many_strings, much_raw, long_chunk, raw_sum_wraps,
    };
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        rewrite(NULL, "", lies[i]);
        atomic_store(&largest, 0);
        expect_refused("lie", i);
        assert_true(atomic_load(&largest) <= HW_SNAP_PIECE_RAW_MAX);
    }
}

/* ---- failing systems ---- */

static void check_failing_writes(void)
{
    struct hw_graph *graphs[] = {sample_graph_small(), sample_graph_service(40000, true)};
    for (size_t g = 0; g < 2; g++) {
        struct hw_err err = HW_ERR_INIT;
        bool ok = false;
        long n = 0;
        unlink(path);
        for (; !ok; n++) {
            writes_left = n;
            ok = hw_snapshot_save(graphs[g], path, &err);
            writes_left = -1;
            assert_int_equal(count_files(), ok ? 1 : 0);
            if (!ok) {
                assert_int_equal(err.code, HW_ERR_IO);
                assert_true(err.sys_errno == ENOSPC || err.sys_errno == EIO);
                assert_non_null(strstr(err.msg, path));
            }
        }
        assert_true(n > 10);
        struct hw_check *check;
        assert_true(hw_snapshot_check(path, &check, NULL));
        hw_check_destroy(check);
        hw_graph_destroy(graphs[g]);
    }
}

static void failing_writes_leave_nothing(void **state)
{
    check_failing_writes();
    atomic_store(&no_tmpfile, true);
    check_failing_writes();
    atomic_store(&no_tmpfile, false);
}

/* A child that is killed at write number n, or at the sync; false: it was done before. */
static bool child_is_killed(const struct hw_graph *graph, long n)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        kill_left = n;
        _exit(hw_snapshot_save(graph, path, NULL) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

static void killed_writers_leave_nothing(void **state)
{
    int fd = open(dir, O_TMPFILE | O_RDWR, 0600);
    if (fd < 0)
        skip();
    close(fd);
    struct hw_graph *graph = sample_graph_small();
    long n = 0;
    /* Killed at the last call, which syncs the directory, it has done its work. */
    for (; child_is_killed(graph, n); n++)
        assert_int_equal(count_files(), access(path, F_OK) == 0 ? 1 : 0);
    assert_true(n > 10);
    hw_graph_destroy(graph);
    graph = NULL;
    assert_true(hw_snapshot_load(path, &graph, NULL));
    hw_graph_destroy(graph);
}

static void full_disk_keeps_the_old_file(void **state)
{
    struct hw_graph *small = sample_graph_small(), *large = sample_graph_service(2000, true);
    struct rlimit before, limit;
    struct hw_err err = HW_ERR_INIT;
    save(small, path);
    struct hw_buf old = read_file(path);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    limit = (struct rlimit){5000, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    bool ok = hw_snapshot_save(large, path, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_false(ok);
    assert_int_equal(err.sys_errno, EFBIG);
    assert_int_equal(count_files(), 1);
    struct hw_buf now = read_file(path);
    assert_int_equal(now.len, old.len);
    assert_memory_equal(now.data, old.data, old.len);
    hw_buf_deinit(&old);
    hw_buf_deinit(&now);
    hw_graph_destroy(small);
    hw_graph_destroy(large);
}

static void failing_allocations(void **state)
{
    struct hw_graph *graph = sample_graph_small(), *again = NULL;
    struct hw_check *check = NULL;
    struct hw_err err = HW_ERR_INIT;
    bool ok = false;
    for (long n = 0; !ok; n++) {
        unlink(path);
        allocations_left = n;
        ok = hw_snapshot_save(graph, path, &err);
        allocations_left = -1;
        assert_int_equal(count_files(), ok ? 1 : 0);
        assert_true(ok || err.code == HW_ERR_NO_MEMORY);
    }
    ok = false;
    long n = 0;
    for (; !ok; n++) {
        allocations_left = n;
        ok = hw_snapshot_load(path, &again, &err);
        allocations_left = -1;
        assert_true(ok || err.code == HW_ERR_NO_MEMORY);
    }
    assert_true(n > 30);
    ok = false;
    for (n = 0; !ok; n++) {
        allocations_left = n;
        ok = hw_snapshot_check(path, &check, &err);
        allocations_left = -1;
        /* A value block that cannot be unpacked for lack of memory counts as damaged. */
        assert_true(ok || err.code == HW_ERR_NO_MEMORY || err.code == HW_ERR_CORRUPT);
    }
    hw_check_destroy(check);
    hw_graph_destroy(again);
    hw_graph_destroy(graph);
}

static void odd_names(void **state)
{
    struct hw_graph *graph = sample_graph_small(), *again;
    struct hw_err err = HW_ERR_INIT;
    char fifo[160], missing[160];
    assert_false(hw_snapshot_save(graph, "/dev/null", &err));
    assert_int_equal(err.code, HW_ERR_IO);
    struct stat st;
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
    assert_false(hw_snapshot_save(graph, dir, &err));
    assert_false(hw_snapshot_load(dir, &again, &err));
    assert_int_equal(err.code, HW_ERR_IO);
    assert_false(hw_snapshot_load(path, &again, &err));
    assert_int_equal(err.code, HW_ERR_NOT_FOUND);
    snprintf(missing, sizeof(missing), "%s/none/x", dir);
    assert_false(hw_snapshot_save(graph, missing, &err));
    assert_int_equal(err.code, HW_ERR_NOT_FOUND);
    snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_false(hw_snapshot_load(fifo, &again, &err));
    assert_int_equal(err.code, HW_ERR_IO);
    unlink(fifo);
    /* A symbolic link goes on pointing to its file. */
    save(graph, path);
    assert_int_equal(symlink(path, other_path), 0);
    save(graph, other_path);
    assert_int_equal(lstat(other_path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    hw_graph_destroy(graph);
}

#define SNAPSHOT_TEST(function) cmocka_unit_test_setup_teardown(function, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SNAPSHOT_TEST(only_a_root),
        SNAPSHOT_TEST(one_of_everything),
        SNAPSHOT_TEST(many_pieces),
        SNAPSHOT_TEST(packs_too_well),
        SNAPSHOT_TEST(golden_files_still_load),
        SNAPSHOT_TEST(files_without_ages_load),
        SNAPSHOT_TEST(every_truncation_is_noticed),
        SNAPSHOT_TEST(every_changed_byte_is_noticed),
        SNAPSHOT_TEST(newer_major_is_refused),
        SNAPSHOT_TEST(unknown_chunks_are_skipped),
        SNAPSHOT_TEST(odd_tables_are_refused),
        SNAPSHOT_TEST(optional_chunks_may_be_missing),
        SNAPSHOT_TEST(odd_native_sizes_are_refused),
        SNAPSHOT_TEST(a_ledger_may_be_missing),
        SNAPSHOT_TEST(odd_ledgers_are_refused),
        SNAPSHOT_TEST(kinds_of_later_versions_are_passed_over),
        SNAPSHOT_TEST(words_that_hold_are_kept),
        SNAPSHOT_TEST(odd_words_are_refused),
        SNAPSHOT_TEST(lies_are_cheap),
        SNAPSHOT_TEST(failing_writes_leave_nothing),
        SNAPSHOT_TEST(killed_writers_leave_nothing),
        SNAPSHOT_TEST(full_disk_keeps_the_old_file),
        SNAPSHOT_TEST(failing_allocations),
        SNAPSHOT_TEST(odd_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/tracemalloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Tables made by hand as CPython 3.9 to 3.14 has them: Include/internal/pycore_hashtable.h,
 * pycore_tracemalloc.h. */

enum { DATA_BYTES = 1 << 16, CODE_BYTES = 4096, BUCKETS = 16 };
static const hw_addr data_at = 0x7f0000000000, code_at = 0x7f1000000000;

struct made {
    unsigned char data[DATA_BYTES], code[CODE_BYTES];
    size_t used;
    struct hw_layout layout;
    struct hw_runtime runtime;
    struct hw_image *image;
    struct hw_py py;
};

static const struct field_row {
    enum hw_field_id field;
    uint32_t offset, width;
} fields[] = {
    {HW_F__Py_hashtable_t_nentries, 0, 8},        {HW_F__Py_hashtable_t_nbuckets, 8, 8},
    {HW_F__Py_hashtable_t_buckets, 16, 8},        {HW_F__Py_hashtable_entry_t_next, 0, 8},
    {HW_F__Py_hashtable_entry_t_key_hash, 8, 8},  {HW_F__Py_hashtable_entry_t_key, 16, 8},
    {HW_F__Py_hashtable_entry_t_value, 24, 8},    {HW_F_tracemalloc_trace_size, 0, 8},
    {HW_F_tracemalloc_trace_traceback, 8, 8},     {HW_F_tracemalloc_traceback_nframe, 8, 2},
    {HW_F_tracemalloc_traceback_total_nframe, 10, 2}, {HW_F_tracemalloc_traceback_frames, 12, 12},
    {HW_F_tracemalloc_frame_filename, 0, 8},      {HW_F_tracemalloc_frame_lineno, 8, 4},
};

static void make(struct made *made)
{
    memset(made, 0, sizeof(*made));
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        made->layout.f[fields[i].field] = (struct hw_field){fields[i].offset, fields[i].width};
    made->layout.s[HW_S__Py_hashtable_t] = 80;
    made->layout.s[HW_S__Py_hashtable_entry_t] = 32;
    made->layout.s[HW_S_tracemalloc_trace] = 16;
    made->layout.s[HW_S_tracemalloc_traceback] = 24;
    made->layout.s[HW_S_tracemalloc_frame] = 12;
    made->runtime.layout = &made->layout;
}

static hw_addr room(struct made *made, size_t bytes)
{
    hw_addr at = data_at + made->used;
    made->used += (bytes + 15) / 16 * 16;
    assert_true(made->used <= DATA_BYTES);
    return at;
}

static void put(struct made *made, hw_addr at, uint64_t value, size_t bytes)
{
    memcpy(made->data + (at - data_at), &value, bytes);
}

static uint64_t get(const struct made *made, hw_addr at)
{
    uint64_t value;
    memcpy(&value, made->data + (at - data_at), sizeof(value));
    return value;
}

static hw_addr table_make(struct made *made)
{
    hw_addr table = room(made, 80), buckets = room(made, BUCKETS * sizeof(hw_addr));
    put(made, table + 8, BUCKETS, 8);
    put(made, table + 16, buckets, 8);
    for (unsigned i = 0; i < 5; i++)
        put(made, table + 24 + i * 8, code_at + i * 64, 8);
    return table;
}

static hw_addr entry_add(struct made *made, hw_addr table, uint64_t key, uint64_t hash,
                         hw_addr value)
{
    hw_addr entry = room(made, 32), head = get(made, table + 16) + hash % BUCKETS * 8;
    put(made, entry, get(made, head), 8);
    put(made, entry + 8, hash, 8);
    put(made, entry + 16, key, 8);
    put(made, entry + 24, value, 8);
    put(made, head, entry, 8);
    put(made, table, get(made, table) + 1, 8);
    return entry;
}

static hw_addr traceback_make(struct made *made, unsigned frames, unsigned depth)
{
    hw_addr at = room(made, 12 + 12 * frames);
    put(made, at + 8, frames, 2);
    put(made, at + 10, depth, 2);
    for (unsigned i = 0; i < frames; i++) {
        put(made, at + 12 + i * 12, 0x1000 + i, 8);
        put(made, at + 20 + i * 12, 10 * (i + 1), 4);
    }
    return at;
}

static hw_addr trace_add(struct made *made, hw_addr table, hw_addr block, uint64_t bytes,
                         hw_addr traceback)
{
    hw_addr trace = room(made, 16);
    put(made, trace, bytes, 8);
    put(made, trace + 8, traceback, 8);
    return entry_add(made, table, block, block >> 4 | block << 60, trace);
}

static void open_image(struct made *made)
{
    const struct hw_memory_segment segments[] = {
        {data_at, made->data, DATA_BYTES, HW_PROT_READ | HW_PROT_WRITE},
        {code_at, made->code, CODE_BYTES, HW_PROT_READ | HW_PROT_EXEC}};
    assert_true(hw_image_open_memory(segments, 2, &made->image, NULL));
    made->py = (struct hw_py){.image = made->image,
                              .layout = &made->layout,
                              .item_limit = (DATA_BYTES + CODE_BYTES) / 8};
}

struct seen {
    uint64_t count, bytes, in_domain, domain;
};

static bool see(void *ctx, const struct hw_trace *trace)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->bytes += trace->bytes;
    seen->in_domain += trace->domain != 0;
    seen->domain = trace->domain ? trace->domain : seen->domain;
    return true;
}

static struct seen walk(struct made *made, hw_addr traces, hw_addr domains, uint64_t *missed)
{
    struct seen seen = {0};
    const struct hw_tracemalloc tables = {HW_TRACING_ON, 25, traces, domains};
    open_image(made);
    assert_true(hw_tracemalloc_walk(&made->py, &made->runtime, &tables, see, &seen, missed));
    hw_image_close(made->image);
    return seen;
}

/* 20 blocks of 100 bytes, and two of another domain. */
static void make_all(struct made *made, hw_addr *traces, hw_addr *domains)
{
    make(made);
    hw_addr traceback = traceback_make(made, 3, 7), inner;
    *traces = table_make(made);
    *domains = table_make(made);
    inner = table_make(made);
    for (unsigned i = 0; i < 8; i++)
        trace_add(made, *traces, 0x5000 + i * 4096, 100, traceback);
    trace_add(made, inner, 0xdead0000, 7, traceback);
    trace_add(made, inner, 0xdead0010, 8, traceback);
    entry_add(made, *domains, 389047, 389047, inner);
}

static void test_all_traces_are_seen(void **state)
{
    struct made *made = malloc(sizeof(*made));
    hw_addr traces, domains;
    uint64_t missed;
    make_all(made, &traces, &domains);
    struct seen seen = walk(made, traces, domains, &missed);
    assert_int_equal(seen.count, 10);
    assert_int_equal(seen.bytes, 815);
    assert_int_equal(seen.in_domain, 2);
    assert_int_equal(seen.domain, 389047);
    assert_int_equal(missed, 0);
    free(made);
}

static void test_tracebacks_are_read(void **state)
{
    struct made *made = malloc(sizeof(*made));
    struct hw_traceback traceback;
    hw_addr file;
    uint32_t line;
    make(made);
    hw_addr good = traceback_make(made, 3, 7), none = traceback_make(made, 0, 1);
    hw_addr more = traceback_make(made, 3, 2);
    open_image(made);
    assert_true(hw_traceback_read(&made->py, good, &traceback));
    assert_int_equal(traceback.frame_count, 3);
    assert_int_equal(traceback.depth, 7);
    assert_true(hw_traceback_frame(&made->py, &traceback, 1, &file, &line));
    assert_int_equal(file, 0x1001);
    assert_int_equal(line, 20);
    assert_false(hw_traceback_read(&made->py, none, &traceback));
    assert_false(hw_traceback_read(&made->py, more, &traceback));
    assert_false(hw_traceback_read(&made->py, good + 4, &traceback));
    assert_false(hw_traceback_read(&made->py, 8, &traceback));
    hw_image_close(made->image);
    free(made);
}

static void test_a_chain_in_a_circle_ends(void **state)
{
    struct made *made = malloc(sizeof(*made));
    uint64_t missed;
    make(made);
    hw_addr traces = table_make(made), traceback = traceback_make(made, 1, 1);
    hw_addr first = trace_add(made, traces, 0x10000, 1, traceback);
    hw_addr second = trace_add(made, traces, 0x20000, 1, traceback);
    put(made, first, second, 8);
    assert_true(walk(made, traces, 0, &missed).count <= 2);
    free(made);
}

static void test_what_makes_no_sense_is_missed(void **state)
{
    struct made *made = malloc(sizeof(*made));
    uint64_t missed;
    make(made);
    hw_addr traces = table_make(made), traceback = traceback_make(made, 1, 1);
    hw_addr hash = trace_add(made, traces, 0x10100, 1, traceback);
    hw_addr value = trace_add(made, traces, 0x10110, 1, traceback);
    hw_addr nowhere = trace_add(made, traces, 0x10120, 1, 8);
    trace_add(made, traces, 0x10130, UINT64_MAX, traceback);
    trace_add(made, traces, 0x10140, 5, traceback);
    put(made, hash + 8, 1, 8);
    put(made, value + 24, 12345, 8);
    struct seen seen = walk(made, traces, 0, &missed);
    assert_true(nowhere && seen.count == 1 && seen.bytes == 5);
    assert_int_equal(missed, 4);
    free(made);
}

/* A table whose counts, buckets or functions can't be is none. */
static void test_what_is_no_table_is_not_walked(void **state)
{
    static const struct {
        size_t at;
        uint64_t value;
    } wrong[] = {{0, 17}, {8, 15}, {8, 8}, {8, (uint64_t)1 << 40}, {16, 16}, {16, 3}, {24, 0}, {32, 1}, {40, 1}};
    struct made *made = malloc(sizeof(*made));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        hw_addr traces, domains;
        uint64_t missed;
        make_all(made, &traces, &domains);
        put(made, traces + wrong[i].at, wrong[i].value, 8);
        assert_int_equal(walk(made, traces, 0, &missed).count, 0);
        assert_true(missed > 0);
    }
    free(made);
}

/* A domain's table that is the table of domains, or one that all domains share: work stays bounded. */
static void test_domains_that_share_a_table(void **state)
{
    struct made *made = malloc(sizeof(*made));
    hw_addr traces, domains;
    uint64_t missed;
    make_all(made, &traces, &domains);
    entry_add(made, domains, 5, 5, domains);
    for (unsigned i = 0; i < 10; i++)
        entry_add(made, domains, 100 + i, 100 + i, traces);
    struct seen seen = walk(made, traces, domains, &missed);
    assert_true(seen.count <= 8 + 2 + 80);
    free(made);
}

static uint32_t random_next(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* Whatever bytes there are: the walk ends, within what the tables say, and reads nothing outside. */
static void test_damage_is_survived(void **state)
{
    struct made *made = malloc(sizeof(*made));
    uint32_t seed = 1;
    for (unsigned round = 0; round < 3000; round++) {
        hw_addr traces, domains;
        uint64_t missed;
        make_all(made, &traces, &domains);
        for (unsigned n = random_next(&seed) % 12; n; n--) {
            size_t at = random_next(&seed) % made->used;
            if (n % 3)
                made->data[at] ^= (unsigned char)(1 << random_next(&seed) % 8);
            else
                put(made, data_at + at / 8 * 8, data_at + random_next(&seed) % made->used / 8 * 8, 8);
        }
        assert_true(walk(made, traces, domains, &missed).count <= made->py.item_limit);
    }
    free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_traces_are_seen),
        cmocka_unit_test(test_tracebacks_are_read),
        cmocka_unit_test(test_a_chain_in_a_circle_ends),
        cmocka_unit_test(test_what_makes_no_sense_is_missed),
        cmocka_unit_test(test_what_is_no_table_is_not_walked),
        cmocka_unit_test(test_domains_that_share_a_table),
        cmocka_unit_test(test_damage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

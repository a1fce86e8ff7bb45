/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/codec.h"
#include "heapwhy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint32_t edge_cases[] = {
    0,       1,         0x7f,       0x80,       0x3fff,     0x4000,     0x1fffff,   0x200000,
    0xfffff, 0xfffffff, 0x10000000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 0,
};

static void varints_come_back(void **state)
{
    unsigned char buf[HW_VARINT64_BYTES];
    for (unsigned shift = 0; shift < 64; shift++) {
        for (int delta = -1; delta <= 1; delta++) {
            uint64_t v = ((uint64_t)1 << shift) + (uint64_t)(int64_t)delta;
            size_t n = (size_t)(hw_put_varint(buf, v) - buf);
            struct hw_bytes in = hw_bytes_of(buf, n);
            assert_true(hw_bytes_varint64(&in) == v);
            assert_true(hw_bytes_done(&in));
            in = hw_bytes_of(buf, n);
            uint32_t narrow = hw_bytes_varint32(&in);
            assert_int_equal(in.failed, v > UINT32_MAX);
            assert_int_equal(narrow, v > UINT32_MAX ? 0 : v);
        }
    }
}

static void bad_varints_fail(void **state)
{
    static const unsigned char endless[11] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                              0x80, 0x80, 0x80, 0x80, 0};
    static const unsigned char large32[] = {0xff, 0xff, 0xff, 0xff, 0x10};
    struct hw_bytes in = hw_bytes_of(endless, 11);
    hw_bytes_varint64(&in);
    assert_true(in.failed);
    in = hw_bytes_of(large32, 5);
    hw_bytes_varint32(&in);
    assert_true(in.failed);
    in = hw_bytes_of(endless, 3);
    hw_bytes_varint32(&in);
    assert_true(in.failed);
    /* Longer than needed is allowed. */
    static const unsigned char lengthy[] = {0x81, 0x80, 0};
    in = hw_bytes_of(lengthy, 3);
    assert_int_equal(hw_bytes_varint32(&in), 1);
    assert_true(hw_bytes_done(&in));
}

static void cursor_stops_at_the_end(void **state)
{
    static const unsigned char data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct hw_bytes in = hw_bytes_of(data, sizeof(data));
    assert_int_equal(hw_bytes_u32(&in), 0x04030201);
    assert_false(hw_bytes_done(&in));
    in = hw_bytes_of(data, sizeof(data));
    assert_true(hw_bytes_u64(&in) == 0x0807060504030201);
    assert_null(hw_bytes_take(&in, 2));
    assert_true(in.failed);
    assert_null(hw_bytes_take(&in, 1)); /* failures stick */
    in = hw_bytes_of(data, sizeof(data));
    assert_null(hw_bytes_take(&in, SIZE_MAX));
    in = hw_bytes_of(NULL, 0);
    assert_int_equal(hw_bytes_u32(&in), 0);
    assert_true(in.failed);
}

static void columns_come_back(void **state)
{
    unsigned char buf[COUNT(edge_cases) * HW_VARINT32_BYTES];
    uint32_t out[COUNT(edge_cases)];
    size_t n = COUNT(edge_cases);
    struct hw_bytes in = hw_bytes_of(buf, (size_t)(hw_codec_put_plain(buf, edge_cases, n) - buf));
    assert_true(hw_codec_get_plain(&in, out, n));
    assert_memory_equal(out, edge_cases, sizeof(out));
    in = hw_bytes_of(buf, (size_t)(hw_codec_put_rising(buf, edge_cases, n) - buf));
    assert_true(hw_codec_get_rising(&in, out, n));
    assert_memory_equal(out, edge_cases, sizeof(out));
    in = hw_bytes_of(buf, (size_t)(hw_codec_put_labels(buf, edge_cases, n) - buf));
    assert_true(hw_codec_get_labels(&in, out, n));
    assert_memory_equal(out, edge_cases, sizeof(out));
    for (size_t shift = 0; shift < n; shift++) {
        uint32_t labels[COUNT(edge_cases)];
        for (size_t i = 0; i < n; i++)
            labels[i] = edge_cases[(i * 7 + shift) % n];
        in = hw_bytes_of(buf, (size_t)(hw_codec_put_targets(buf, edge_cases, labels, n) - buf));
        assert_true(hw_codec_get_targets(&in, out, labels, n));
        assert_memory_equal(out, edge_cases, sizeof(out));
    }
}

/* The bytes that the document promises, so that both sides cannot drift together. */
static void encodings_are_as_documented(void **state)
{
    unsigned char buf[32];
    static const uint32_t labels[] = {0x10000000, 0x10000001, 0x10000002, 0x00000001};
    static const unsigned char label_bytes[] = {0x01, 0x21, 0x21, 0x10};
    assert_int_equal(hw_codec_put_labels(buf, labels, 4) - buf, sizeof(label_bytes));
    assert_memory_equal(buf, label_bytes, sizeof(label_bytes));
    static const uint32_t keys[] = {0x20000000, 0x30000000, 0x20000000, 0x30000000};
    static const uint32_t to[] = {5, 100, 5, 101};
    static const unsigned char to_bytes[] = {0x0a, 0xc8, 0x01, 0x00, 0x02};
    assert_int_equal(hw_codec_put_targets(buf, to, keys, 4) - buf, sizeof(to_bytes));
    assert_memory_equal(buf, to_bytes, sizeof(to_bytes));
    static const uint32_t start[] = {0, 2, 2, 302};
    static const unsigned char degree_bytes[] = {2, 0, 0xac, 0x02};
    assert_int_equal(hw_codec_put_steps(buf, start, 3) - buf, sizeof(degree_bytes));
    assert_memory_equal(buf, degree_bytes, sizeof(degree_bytes));
}

static void wrong_lengths_fail(void **state)
{
    static const unsigned char three[] = {1, 2, 3}, wide[] = {0x80, 0x80, 0x04};
    uint32_t out[4];
    uint16_t narrow[4];
    struct hw_bytes in = hw_bytes_of(three, 3);
    assert_false(hw_codec_get_plain(&in, out, 4));
    assert_true(in.failed);
    in = hw_bytes_of(three, 3);
    assert_false(hw_codec_get_rising(&in, out, 2));
    assert_true(in.failed);
    in = hw_bytes_of(wide, 3);
    assert_false(hw_codec_get_short(&in, narrow, 1));
    assert_true(in.failed);
    in = hw_bytes_of(three, 3);
    assert_true(hw_codec_get_short(&in, narrow, 3));
    assert_int_equal(narrow[2], 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(varints_come_back),           cmocka_unit_test(bad_varints_fail),
        cmocka_unit_test(cursor_stops_at_the_end),     cmocka_unit_test(columns_come_back),
        cmocka_unit_test(encodings_are_as_documented), cmocka_unit_test(wrong_lengths_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

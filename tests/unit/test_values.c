/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 50000 };

static size_t text_of(hw_id id, char text[64])
{
    return (size_t)snprintf(text, 64, "'user-%u'", id * 2654435761u);
}

static void fill(struct hw_values *values)
{
    char text[64];
    hw_values_init(values);
    for (hw_id id = 7; id < MANY; id += 1 + id % 3)
        assert_true(hw_values_add(values, id, text, text_of(id, text), NULL));
    assert_true(hw_values_finish(values, NULL));
    assert_true(values->block_count > 3);
}

static void expect(struct hw_values *values, hw_id id)
{
    char text[64], buf[64];
    size_t n = text_of(id, text);
    assert_int_equal(hw_values_get(values, id, buf, sizeof(buf)), n);
    assert_string_equal(buf, text);
}

static void every_text_comes_back(void **state)
{
    struct hw_values values;
    char buf[64];
    fill(&values);
    hw_id before = 0;
    for (hw_id id = 7; id < MANY; id += 1 + id % 3) {
        expect(&values, id);
        for (hw_id none = before + 1; none < id; none++)
            assert_int_equal(hw_values_get(&values, none, buf, sizeof(buf)), 0);
        before = id;
    }
    for (uint32_t i = 0, id = 7; i < 2000; i++, id = 7 + i * 7919 % 40000) {
        hw_id at = 7;
        while (at < id)
            at += 1 + at % 3;
        expect(&values, at);
        expect(&values, at);
    }
    assert_true(hw_values_validate(&values, MANY, NULL));
    struct hw_err err = HW_ERR_INIT;
    assert_false(hw_values_validate(&values, MANY - 20, &err));
    assert_int_equal(err.code, HW_ERR_CORRUPT);
    hw_values_deinit(&values);
}

static void edges(void **state)
{
    struct hw_values values;
    char buf[300], text[300];
    hw_values_init(&values);
    assert_int_equal(hw_values_get(&values, 0, buf, sizeof(buf)), 0);
    assert_true(hw_values_finish(&values, NULL));
    memset(text, 'x', sizeof(text));
    assert_true(hw_values_add(&values, 0, "first", 5, NULL));
    assert_true(hw_values_add(&values, 3, "", 0, NULL));
    assert_true(hw_values_add(&values, HW_NONE - 1, text, sizeof(text), NULL));
    assert_true(hw_values_finish(&values, NULL));
    assert_int_equal(hw_values_get(&values, 0, buf, sizeof(buf)), 5);
    assert_int_equal(hw_values_get(&values, 3, buf, sizeof(buf)), 0);
    assert_int_equal(hw_values_get(&values, HW_NONE - 1, buf, sizeof(buf)), HW_VALUE_MAX_BYTES);
    assert_int_equal(strlen(buf), HW_VALUE_MAX_BYTES);
    assert_int_equal(hw_values_get(&values, HW_NONE - 1, buf, 4), 3);
    assert_string_equal(buf, "xxx");
    assert_int_equal(hw_values_get(&values, 0, buf, 1), 0);
    assert_string_equal(buf, "");
    assert_int_equal(hw_values_get(&values, 0, buf, 0), 0);
    hw_values_deinit(&values);
}

static void forget_unpacked(struct hw_values *values)
{
    for (size_t i = 0; i < HW_VALUE_CACHES; i++)
        values->caches[i].block = SIZE_MAX;
}

/* Whatever a packed byte becomes, nothing worse than a missing or a wrong text happens. */
static void damage_is_survived(void **state)
{
    struct hw_values values;
    char buf[64];
    fill(&values);
    for (size_t i = 0; i < values.packed.len; i += 997) {
        values.packed.data[i] ^= (unsigned char)(1 + i % 255);
        forget_unpacked(&values);
        for (hw_id id = 0; id < MANY; id += 5000)
            hw_values_get(&values, id, buf, sizeof(buf));
        values.packed.data[i] ^= (unsigned char)(1 + i % 255);
    }
    forget_unpacked(&values);
    values.blocks[1].offset = UINT64_MAX - 5;
    assert_int_equal(hw_values_get(&values, values.blocks[1].first, buf, sizeof(buf)), 0);
    values.blocks[1].offset = 0;
    values.blocks[1].raw_bytes = UINT32_MAX;
    assert_int_equal(hw_values_get(&values, values.blocks[1].first, buf, sizeof(buf)), 0);
    hw_values_deinit(&values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_comes_back),
        cmocka_unit_test(edges),
        cmocka_unit_test(damage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

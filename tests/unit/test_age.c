/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/age.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEGMENT_BYTES = 1 << 16, COUNT = 1000 };
static const hw_addr low = 0x10000, high = 0x7f0000000000;

struct fixture {
    struct hw_image *image;
    struct hw_marks marks;
    struct hw_order order;
    uint8_t age[2 * COUNT];
};

/* Objects at every 32 bytes of two pieces of memory that lie far from each other. */
static int set_up(void **state)
{
    static const unsigned char zeros[SEGMENT_BYTES];
    struct fixture *f = calloc(1, sizeof(*f));
    const struct hw_memory_segment segments[] = {
        {low, zeros, SEGMENT_BYTES, HW_PROT_READ | HW_PROT_WRITE},
        {high, zeros, SEGMENT_BYTES, HW_PROT_READ | HW_PROT_WRITE},
    };
    *state = f;
    if (!f || !hw_image_open_memory(segments, 2, &f->image, NULL) ||
        !hw_marks_init(&f->marks, f->image, NULL, 0, NULL))
        return -1;
    for (unsigned i = 0; i < COUNT; i++)
        if (hw_marks_set(&f->marks, low + i * 32) != 1 ||
            hw_marks_set(&f->marks, high + i * 32) != 1)
            return -1;
    return hw_marks_rank(&f->marks, NULL) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    hw_order_deinit(&f->order);
    hw_marks_deinit(&f->marks);
    hw_image_close(f->image);
    free(f);
    return 0;
}

static void find_ages(struct fixture *f)
{
    struct hw_err err = HW_ERR_INIT;
    if (!hw_order_ages(&f->order, &f->marks, f->age, &err))
        fail_msg("%s", err.msg);
}

/* The youngest comes first. */
static void test_ages_are_ranks(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = COUNT; i-- > 0;)
        hw_order_add(&f->order, low + i * 32);
    find_ages(f);
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(f->age[i], 1 + i * 255 / COUNT);
    for (unsigned i = COUNT; i < 2 * COUNT; i++)
        assert_int_equal(f->age[i], 0);
}

static void test_any_order_of_addresses(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < COUNT; i++) {
        hw_order_add(&f->order, high + i * 7 % COUNT * 32);
        hw_order_add(&f->order, low + i * 7 % COUNT * 32);
    }
    find_ages(f);
    for (unsigned i = 0; i < COUNT; i++) {
        unsigned older = 2 * (COUNT - 1 - i);
        assert_int_equal(f->age[COUNT + i * 7 % COUNT], 1 + (older + 1) * 255 / (2 * COUNT));
        assert_int_equal(f->age[i * 7 % COUNT], 1 + older * 255 / (2 * COUNT));
    }
}

static void test_each_interpreter_by_itself(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 3; i++)
        hw_order_add(&f->order, low + i * 32);
    f->order.interpreter = 1;
    hw_order_add(&f->order, high + 32);
    hw_order_add(&f->order, high);
    find_ages(f);
    assert_int_equal(f->age[0], 171);
    assert_int_equal(f->age[1], 86);
    assert_int_equal(f->age[2], 1);
    assert_int_equal(f->age[COUNT + 1], 128);
    assert_int_equal(f->age[COUNT], 1);
}

/* A damaged list may come by again, or lead where no object is. */
static void test_twice_and_nowhere(void **state)
{
    struct fixture *f = *state;
    hw_order_add(&f->order, low);
    hw_order_add(&f->order, low + 8);
    hw_order_add(&f->order, UINT64_MAX - 7);
    hw_order_add(&f->order, low);
    find_ages(f);
    assert_int_equal(f->age[0], 192);
    assert_int_equal(f->age[1], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ages_are_ranks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_any_order_of_addresses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_each_interpreter_by_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_twice_and_nowhere, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/marks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PAGE = 4096 };
static const hw_addr base = 0x7f0000000000;

static struct hw_image *open_image(const hw_addr *starts, const size_t *bytes, size_t count)
{
    struct hw_memory_segment segments[4];
    struct hw_image *image = NULL;
    unsigned char *zeros = calloc(64, PAGE);
    for (size_t i = 0; i < count; i++)
        segments[i] = (struct hw_memory_segment){starts[i], zeros, bytes[i],
                                                 HW_PROT_READ | HW_PROT_WRITE};
    assert_true(hw_image_open_memory(segments, count, &image, NULL));
    free(zeros);
    return image;
}

/* A module's bss of two pages, and behind it memory of an allocator in the same mapping. */
static void test_a_mapping_that_two_share(void **state)
{
    (void)state;
    struct hw_image *image = open_image(&base, &(size_t){34 * PAGE}, 1);
    struct hw_module module = {.path = "/lib/libcrypto.so", .start = base - 8 * PAGE,
                               .end = base + 2 * PAGE};
    struct hw_marks marks;
    hw_addr heap = module.end;
    assert_true(hw_marks_init(&marks, image, &module, 1, NULL));
    assert_int_equal(hw_marks_segment(&marks, base)->shift, 3);
    assert_int_equal(hw_marks_segment(&marks, heap - 8)->shift, 3);
    assert_int_equal(hw_marks_segment(&marks, heap)->shift, 4);
    assert_int_equal(hw_marks_segment(&marks, base + 34 * PAGE - 1)->shift, 4);
    assert_int_equal(hw_marks_set(&marks, base + 8), 1);
    assert_int_equal(hw_marks_set(&marks, heap + 8), -1);
    assert_int_equal(hw_marks_set(&marks, heap + 16), 1);
    assert_int_equal(hw_marks_next(&marks, base + 9), heap + 16);
    assert_int_equal(hw_marks_before(&marks, heap + 16), base + 8);
    uint64_t bits[1] = {0};
    hw_marks_add_to(&marks, heap, 1, bits);
    assert_int_equal(bits[0], 2);
    assert_non_null(hw_marks_words(&marks, heap, 1));
    hw_marks_deinit(&marks);
    hw_image_close(image);
}

static void test_mappings_of_one_each(void **state)
{
    (void)state;
    const hw_addr starts[] = {base, base + 16 * PAGE, base + 32 * PAGE};
    struct hw_image *image = open_image(starts, (size_t[]){2 * PAGE, PAGE, 4 * PAGE}, 3);
    struct hw_module modules[] = {
        {.path = "/a", .start = base - PAGE, .end = base + 2 * PAGE},
        {.path = "/b", .start = base + 32 * PAGE, .end = base + 33 * PAGE}};
    struct hw_marks marks;
    assert_true(hw_marks_init(&marks, image, modules, 2, NULL));
    assert_int_equal(marks.count, 4);
    assert_int_equal(hw_marks_segment(&marks, base + 2 * PAGE - 1)->shift, 3);
    assert_null(hw_marks_segment(&marks, base + 2 * PAGE));
    assert_int_equal(hw_marks_segment(&marks, base + 16 * PAGE)->shift, 4);
    assert_int_equal(hw_marks_segment(&marks, base + 32 * PAGE)->shift, 3);
    assert_int_equal(hw_marks_segment(&marks, base + 33 * PAGE)->shift, 4);
    hw_marks_deinit(&marks);
    hw_image_close(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_mapping_that_two_share),
        cmocka_unit_test(test_mappings_of_one_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

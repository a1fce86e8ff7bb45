/* SPDX-License-Identifier: Apache-2.0 */

/* The same mistake has the same fingerprint; another one has another. */
#include "series-text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One story, told with the differences that two runs have, and those that two mistakes have. */
struct telling {
    unsigned pid;
    unsigned long long addr; /* of the leaking objects */
    const char *attributes;  /* how the hub holds its dict: inline, or in a __dict__ */
    const char *keys;        /* written before each key's number */
    const char *holder, *type;
};
static struct telling telling;
static const struct telling original = {1, 0x10000, ".jobs -> 0x1000\n", "k", "app.Hub", "app.Job"};

static void tell(struct hw_buf *out, unsigned k)
{
    hw_buf_printf(out, "fact pid=%u\n", telling.pid);
    tell_app(out);
    hw_buf_printf(out, "['hub'] -> 0x200\ntype %s python heap\ntype %s python heap\n@0x200 %s\n%s",
                  telling.holder, telling.type, telling.holder, telling.attributes);
    hw_buf_puts(out, "@0x1000 dict\n");
    for (unsigned i = 0; i < 10 + 20 * k; i++)
        hw_buf_printf(out, "['%s%u'] -> 0x%llx\n", telling.keys, i, telling.addr + i * 0x40);
    tell_instances(out, 0, 10 + 20 * k, telling.addr, telling.type);
}

/* Writes the first suspect's fingerprint; checks its shape unless NULL. */
static void sign(struct telling what, char fingerprint[17], const char *shape)
{
    struct hw_diagnosis *diagnosis;
    struct hw_err err = HW_ERR_INIT;
    telling = what;
    struct hw_series *series = series_from(tell, 3);
    if (!hw_diagnose_ask(series, NULL, &diagnosis, &err))
        fail_msg("%s", err.msg);
    assert_true(diagnosis->suspect_count > 0);
    const struct hw_suspect *suspect = &diagnosis->suspects[0];
    assert_int_equal(strlen(suspect->fingerprint), 16);
    assert_int_equal(strspn(suspect->fingerprint, "0123456789abcdef"), 16);
    memcpy(fingerprint, suspect->fingerprint, 17);
    if (shape)
        assert_string_equal(suspect->shape, shape);
    hw_diagnosis_destroy(diagnosis);
    hw_series_destroy(series);
}

static void assert_same(struct telling what)
{
    char first[17], second[17];
    sign(original, first, "sys.modules['app'].hub.jobs");
    sign(what, second, "sys.modules['app'].hub.jobs");
    assert_string_equal(first, second);
}

static void assert_different(struct telling what)
{
    char first[17], second[17];
    sign(original, first, NULL);
    sign(what, second, NULL);
    assert_string_not_equal(first, second);
}

static void test_another_run_has_the_same(void **state)
{
    (void)state;
    struct telling run = original;
    run.pid = 4711;
    run.addr = 0x90000;
    run.keys = "user-";
    assert_same(run);
}

static void test_another_layout_of_attributes_has_the_same(void **state)
{
    (void)state;
    struct telling layout = original;
    layout.attributes = ".__dict__ -> 0x210\n@0x210 dict\n~['jobs'] -> 0x1000\n";
    assert_same(layout);
    layout.attributes = ".__dict__ -> 0x210\n@0x210 dict\n['jobs'] -> 0x1000\n";
    assert_same(layout);
}

/* As when a C object keeps its parts in other fields, or a list of its own between. */
static void test_what_lies_in_a_c_object_counts_for_nothing(void **state)
{
    (void)state;
    char first[17], second[17];
    struct telling inner = original;
    inner.attributes = ".jobs -> 0x210\n@0x210 _io.Log\nhidden small -> 0x1000\n";
    sign(inner, first, "sys.modules['app'].hub.jobs.<small>");
    inner.attributes = ".jobs -> 0x210\n@0x210 _io.Log\nhidden writer -> 0x220\n@0x220 tuple\n"
                       "hidden buffer -> 0x1000\n";
    sign(inner, second, "sys.modules['app'].hub.jobs.<writer>.<buffer>");
    assert_string_equal(first, second);
}

static void test_another_place_or_type_has_another(void **state)
{
    (void)state;
    struct telling other = original;
    other.attributes = ".done -> 0x1000\n";
    assert_different(other);
    other = original;
    other.holder = "app.Pool";
    assert_different(other);
    other = original;
    other.type = "app.Task";
    assert_different(other);
}

/* What users wrote down must stay valid: XXH3 of "held\napp.Job\nsys.modules['app']\n.hub.jobs\n
 * app.Hub dict\n". */
static void test_the_fingerprint_is_a_promise(void **state)
{
    (void)state;
    char fingerprint[17];
    sign(original, fingerprint, NULL);
    assert_string_equal(fingerprint, "e34502e87b22e625");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_run_has_the_same),
        cmocka_unit_test(test_another_layout_of_attributes_has_the_same),
        cmocka_unit_test(test_what_lies_in_a_c_object_counts_for_nothing),
        cmocka_unit_test(test_another_place_or_type_has_another),
        cmocka_unit_test(test_the_fingerprint_is_a_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

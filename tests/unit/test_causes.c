/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-text.h"
#include "series-text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * A module app with one object `hub` of class app.Hub, whose dict `users` grows, and methods whose
 * code names this and that. Nothing runs: what a function does is only what its code says.
 */

static const char *methods; /* of the class, as the rest of its namespace */
static const char *codes;   /* functions and their code */

static void tell_hub(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_puts(out, "['hub'] -> 0x1000\n['Hub'] -> 0x1100\n"
                     "type app.Hub python heap node=0x1100\n"
                     "@0x1000 app.Hub\n.users -> 0x2000\n.other -> 0x2100\n"
                     "@0x1100 type\n.__dict__ -> 0x1200\n@0x1200 dict\n");
    hw_buf_puts(out, methods);
    hw_buf_puts(out, codes);
    hw_buf_puts(out, "@0x2100 list\n[0] -> 'x'\n@0x2000 dict\n");
    tell_entries(out, 0, 10 + 20 * k, 0x10000);
    tell_instances(out, 0, 10 + 20 * k, 0x10000, "app.User");
}

static const struct hw_suspect *ask(struct hw_diagnosis **ret_diagnosis)
{
    struct hw_series *series = series_from(tell_hub, 3);
    struct hw_err err = HW_ERR_INIT;
    if (!hw_diagnose_ask(series, NULL, ret_diagnosis, &err))
        fail_msg("%s", err.msg);
    hw_series_destroy(series);
    assert_true((*ret_diagnosis)->suspect_count > 0);
    return &(*ret_diagnosis)->suspects[0];
}

static void assert_cause(const char *cause, const char *evidence)
{
    struct hw_diagnosis *diagnosis;
    const struct hw_suspect *suspect = ask(&diagnosis);
    assert_string_equal(suspect->cause, cause);
    assert_null(strchr(suspect->about, '{'));
    assert_null(strchr(suspect->fix, '{'));
    if (evidence && !strstr(suspect->evidence[0], evidence))
        fail_msg("no '%s' in '%s'", evidence, suspect->evidence[0]);
    hw_diagnosis_destroy(diagnosis);
}

#define PUT "['put'] -> 0x3000\n"
#define PUT_CODE                                                 \
    "@0x3000 function\n.__code__ -> 0x3040\n"                    \
    "@0x3040 code flags=tracked,stores value=Hub.put app.py:3\n" \
    ".co_names -> 0x3080\n.co_filename -> 'app.py'\n@0x3080 tuple\n[0] -> 'users'\n"
#define TAKE "['take'] -> 0x3100\n"
#define TAKE_CODE(flags, names)                                     \
    "@0x3100 function\n.__code__ -> 0x3140\n"                       \
    "@0x3140 code flags=tracked" flags " value=Hub.take app.py:9\n" \
    ".co_names -> 0x3180\n.co_filename -> 'app.py'\n@0x3180 tuple\n" names

static void test_nobody_takes_out(void **state)
{
    (void)state;
    methods = PUT;
    codes = PUT_CODE;
    assert_cause("singleton-manager", "Hub.put() at app.py:3 puts them in; no function of app.py");
}

static void test_method_behind_the_name_takes_out(void **state)
{
    (void)state;
    methods = PUT TAKE;
    codes = PUT_CODE TAKE_CODE("", "[0] -> 'users'\n[1] -> 'pop'\n");
    assert_cause("skipped-removal", "Hub.take() at app.py:9 takes entries out, yet 50 stayed");
}

static void test_deletion_takes_out(void **state)
{
    (void)state;
    methods = PUT TAKE;
    codes = PUT_CODE TAKE_CODE(",deletes", "[0] -> 'users'\n[1] -> 'name'\n");
    assert_cause("skipped-removal", "Hub.take() at app.py:9");
}

/* What goes by its age all stays at first. */
static void test_a_clock_beside_the_removal_is_a_doubt(void **state)
{
    (void)state;
    struct hw_diagnosis *diagnosis;
    methods = PUT TAKE;
    codes = PUT_CODE TAKE_CODE(",deletes", "[0] -> 'users'\n[1] -> 'ttl'\n");
    ask(&diagnosis);
    assert_int_equal(diagnosis->verdict, HW_VERDICT_LEAK);
    assert_int_equal(diagnosis->doubt_count, 1);
    assert_non_null(strstr(diagnosis->doubts[0], "Hub.take() at app.py:9 takes out of "));
    hw_diagnosis_destroy(diagnosis);
    codes = PUT_CODE TAKE_CODE(",deletes", "[0] -> 'users'\n[1] -> 'name'\n");
    ask(&diagnosis);
    assert_int_equal(diagnosis->doubt_count, 0);
    hw_diagnosis_destroy(diagnosis);
}

/* self.users is filled elsewhere, so what this one deletes from is not what it only adds to. */
static void test_deletion_beside_a_store_takes_out(void **state)
{
    (void)state;
    methods = PUT TAKE;
    codes = PUT_CODE TAKE_CODE(",deletes,stores", "[0] -> 'counts'\n[1] -> 'users'\n");
    assert_cause("skipped-removal", "Hub.take() at app.py:9");
}

static void test_removal_from_another_container_is_none(void **state)
{
    (void)state;
    methods = PUT TAKE;
    codes = PUT_CODE TAKE_CODE("", "[0] -> 'other'\n[1] -> 'pop'\n[2] -> 'users'\n"
                                   "[3] -> 'update'\n");
    assert_cause("singleton-manager", "no function of app.py takes any out");
}

/* It pops from something that nobody can tell: neither cause has its evidence. */
static void test_doubtful_removal_claims_nothing(void **state)
{
    (void)state;
    methods = PUT TAKE;
    codes = PUT_CODE TAKE_CODE("", "[0] -> 'users'\n[1] -> 'something'\n[2] -> 'pop'\n");
    assert_cause("growing-dict", NULL);
}

/* Other names stand between the container's and the removal. */
static void test_put_and_taken_back(void **state)
{
    (void)state;
    methods = TAKE;
    codes = TAKE_CODE(",stores", "[0] -> 'users'\n[1] -> 'check'\n[2] -> 'pop'\n");
    assert_cause("early-return", "Hub.take() at app.py:9 puts them in and would take them out");
    codes = TAKE_CODE(",stores,deletes", "[0] -> 'users'\n[1] -> 'check'\n");
    assert_cause("early-return", "Hub.take() at app.py:9");
    codes = TAKE_CODE("", "[0] -> 'users'\n[1] -> 'add'\n[2] -> 'work'\n[3] -> 'discard'\n");
    assert_cause("early-return", "Hub.take() at app.py:9");
}

static void test_making_room_is_no_early_return(void **state)
{
    struct hw_diagnosis *diagnosis;
    (void)state;
    methods = TAKE;
    codes = TAKE_CODE(",stores,deletes", "[0] -> 'users'\n[1] -> 'next'\n[2] -> 'iter'\n");
    assert_string_not_equal(ask(&diagnosis)->cause, "early-return");
    hw_diagnosis_destroy(diagnosis);
    codes = TAKE_CODE(",stores", "[0] -> 'users'\n[1] -> 'other'\n[2] -> 'pop'\n");
    assert_string_not_equal(ask(&diagnosis)->cause, "early-return");
    hw_diagnosis_destroy(diagnosis);
}

static void test_library_keeps(void **state)
{
    (void)state;
    methods = TAKE PUT;
    codes = "@0x3000 function\n.__code__ -> 0x3040\n"
            "@0x3040 code flags=tracked,stores value=Hub.put hub.py:3\n.co_names -> 0x3080\n"
            ".co_filename -> '/usr/lib/python3/dist-packages/hub.py'\n"
            "@0x3080 tuple\n[0] -> 'users'\n"
            "@0x3100 function\n.__code__ -> 0x3140\n"
            "@0x3140 code flags=tracked value=Hub.leave hub.py:9\n.co_names -> 0x3180\n"
            ".co_filename -> '/usr/lib/python3/dist-packages/hub.py'\n"
            "@0x3180 tuple\n[0] -> 'users'\n[1] -> 'pop'\n";
    assert_cause("kept-by-library", "Hub.leave() at hub.py:9 takes entries out");
}

static void test_code_of_another_file_does_not_count(void **state)
{
    (void)state;
    methods = PUT;
    codes = PUT_CODE "@0x3140 code value=Foreign.take foreign.py:9\n.co_names -> 0x3180\n"
                     ".co_filename -> 'foreign.py'\n@0x3180 tuple\n[0] -> 'users'\n[1] -> 'pop'\n";
    assert_cause("singleton-manager", NULL);
}

static void test_look_up_and_store_is_a_cache(void **state)
{
    (void)state;
    methods = PUT TAKE;
    codes = PUT_CODE TAKE_CODE(",stores", "[0] -> 'users'\n[1] -> 'get'\n");
    assert_cause("unbounded-cache", "Hub.take() at app.py:9 looks a key up");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_takes_out),
        cmocka_unit_test(test_method_behind_the_name_takes_out),
        cmocka_unit_test(test_deletion_takes_out),
        cmocka_unit_test(test_a_clock_beside_the_removal_is_a_doubt),
        cmocka_unit_test(test_deletion_beside_a_store_takes_out),
        cmocka_unit_test(test_removal_from_another_container_is_none),
        cmocka_unit_test(test_doubtful_removal_claims_nothing),
        cmocka_unit_test(test_put_and_taken_back),
        cmocka_unit_test(test_making_room_is_no_early_return),
        cmocka_unit_test(test_library_keeps),
        cmocka_unit_test(test_code_of_another_file_does_not_count),
        cmocka_unit_test(test_look_up_and_store_is_a_cache),
    };
    return cmocka_run_group_tests_name("causes", tests, NULL, NULL);
}

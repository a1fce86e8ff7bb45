/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-text.h"
#include "series-text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct hw_diagnosis *ask(tell_snapshot *tell, unsigned count)
{
    struct hw_series *series = series_from(tell, count);
    struct hw_diagnosis *diagnosis;
    struct hw_err err = HW_ERR_INIT;
    if (!hw_diagnose_ask(series, NULL, &diagnosis, &err))
        fail_msg("%s", err.msg);
    hw_series_destroy(series);
    return diagnosis;
}

static void assert_leak(tell_snapshot *tell, enum hw_pattern pattern, const char *type,
                        const char *path)
{
    struct hw_diagnosis *diagnosis = ask(tell, 3);
    assert_int_equal(diagnosis->verdict, HW_VERDICT_LEAK);
    const struct hw_suspect *suspect = &diagnosis->suspects[0];
    assert_int_equal(suspect->verdict, HW_VERDICT_LEAK);
    assert_string_equal(suspect->chain.path, path);
    assert_string_equal(hw_pattern_name(suspect->pattern), hw_pattern_name(pattern));
    assert_string_equal(suspect->type, type);
    assert_true(suspect->evidence_count > 0);
    assert_true(suspect->fix[0]);
    assert_null(strchr(suspect->fix, '{'));
    hw_diagnosis_destroy(diagnosis);
}

/* A local of a thread's function: a list that grows. */
static void tell_thread(struct hw_buf *out, unsigned k, int tid)
{
    tell_app(out);
    hw_buf_printf(out,
                  "$t thread \"worker\" tid=%d\n"
                  "$f frame \"run\" \"w.py\" 9 tid=%d depth=0\nlocal seen -> 0x1000\n"
                  "@0x1000 list\n",
                  tid, tid);
    tell_elements(out, 0, 10 + 40 * k, 0x10000);
    tell_instances(out, 0, 10 + 40 * k, 0x10000, "app.Seen");
}
static void tell_old_thread(struct hw_buf *out, unsigned k)
{
    tell_thread(out, k, 7);
}
static void tell_new_thread(struct hw_buf *out, unsigned k)
{
    tell_thread(out, k, k ? 8 : 7);
}

static void assert_verdict(tell_snapshot *tell, unsigned count, enum hw_verdict verdict)
{
    struct hw_diagnosis *diagnosis = ask(tell, count);
    assert_string_equal(hw_verdict_name(diagnosis->verdict), hw_verdict_name(verdict));
    if (verdict == HW_VERDICT_INCONCLUSIVE)
        assert_true(diagnosis->doubt_count > 0);
    hw_diagnosis_destroy(diagnosis);
}

/* A module's list or dict with members [first, last). */
static void tell_list(struct hw_buf *out, unsigned first, unsigned last, const char *type)
{
    tell_app(out);
    hw_buf_puts(out, "['held'] -> 0x1000\n@0x1000 list\n");
    tell_elements(out, first, last, 0x10000);
    tell_instances(out, first, last, 0x10000, type);
}

/* ---- leaks ---- */

static void tell_growing_dict(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_puts(out, "['users'] -> 0x1000\n@0x1000 dict\n");
    tell_entries(out, 0, 10 + 20 * k, 0x10000);
    tell_instances(out, 0, 10 + 20 * k, 0x10000, "app.User");
}

static void test_growing_dict(void **state)
{
    (void)state;
    assert_leak(tell_growing_dict, HW_PATTERN_GROWING_CONTAINER, "app.User",
                "sys.modules['app'].users");
    struct hw_diagnosis *diagnosis = ask(tell_growing_dict, 3);
    const struct hw_suspect *suspect = &diagnosis->suspects[0];
    assert_string_equal(suspect->evidence[0], "len(sys.modules['app'].users) went 10 -> 30 -> 50 "
                                              "in 10.0 s; nothing was removed");
    assert_string_equal(suspect->evidence[1],
                        "of 20 that came in the first interval, 20 are still there");
    assert_int_equal(suspect->held_objects, 100);
    assert_int_equal(suspect->bytes, 6400);
    assert_int_equal(suspect->objects, 50);
    assert_true(suspect->objects_per_second == 4.0);
    assert_true(suspect->held_objects_per_second == 8.0);
    assert_true(suspect->bytes_per_second == 512.0);
    assert_int_equal(diagnosis->shot_count, 3);
    assert_string_equal(diagnosis->answer, "app.User leaks: 4.0/s, with all they hold 8.0 "
                                           "objects/s, 512 B/s, pile up in "
                                           "sys.modules['app'].users");
    hw_diagnosis_destroy(diagnosis);
}

/* Instances of a class whose ancestor gives them a place for weak references, or of one without. */
static void tell_class(struct hw_buf *out, unsigned k, const char *spare)
{
    hw_buf_puts(out, "type app.User python heap gc node=0x900\n");
    tell_app(out);
    hw_buf_puts(out, "['users'] -> 0x1000\n['User'] -> 0x900\n['Base'] -> 0x980\n"
                     "@0x900 type\n.__dict__ -> 0x920\n.__mro__ -> 0x940\n"
                     "@0x920 dict\n['__module__'] -> 'app'\n"
                     "@0x940 tuple\n[0] -> 0x900\n[1] -> 0x980\n"
                     "@0x980 type\n.__dict__ -> 0x9a0\n@0x9a0 dict\n");
    hw_buf_printf(out, "['%s'] -> 'descriptor'\n@0x1000 dict\n", spare);
    tell_entries(out, 0, 10 + 20 * k, 0x10000);
    tell_instances(out, 0, 10 + 20 * k, 0x10000, "app.User");
}

static void tell_plain_class(struct hw_buf *out, unsigned k)
{
    tell_class(out, k, "__weakref__");
}

static void tell_class_with_slots(struct hw_buf *out, unsigned k)
{
    tell_class(out, k, "__slots__");
}

static void test_weak_references_need_a_place(void **state)
{
    (void)state;
    struct hw_diagnosis *plain = ask(tell_plain_class, 3), *slots = ask(tell_class_with_slots, 3);
    assert_non_null(strstr(plain->suspects[0].fix, "WeakValueDictionary"));
    assert_null(strstr(slots->suspects[0].fix, "WeakValueDictionary"));
    hw_diagnosis_destroy(plain);
    hw_diagnosis_destroy(slots);
}

/* Two indexes of the same users: neither alone keeps them. */
static void tell_shared_members(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_puts(out, "['by_id'] -> 0x1000\n['by_name'] -> 0x1800\n@0x1000 dict\n");
    tell_entries(out, 0, 10 + 20 * k, 0x10000);
    hw_buf_puts(out, "@0x1800 list\n");
    tell_elements(out, 0, 10 + 20 * k, 0x10000);
    tell_instances(out, 0, 10 + 20 * k, 0x10000, "app.User");
}

static void test_emptying_one_of_two_frees_nothing(void **state)
{
    (void)state;
    struct hw_diagnosis *diagnosis = ask(tell_shared_members, 3);
    const struct hw_suspect *suspect = &diagnosis->suspects[0];
    bool told = false;
    assert_int_equal(suspect->also_count, 1);
    for (size_t i = 0; i < suspect->evidence_count; i++)
        told |= strstr(suspect->evidence[i], "would free none of 40 of its new members") != NULL;
    assert_true(told);
    hw_diagnosis_destroy(diagnosis);
}

/* One str on one spot, longer each time, at another address each time. */
static void tell_longer_text(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_printf(out,
                  "['log'] -> 0x1000\n@0x1000 app.Log\n.text -> 0x%x\n@0x%x str size=%u "
                  "value='line %u'\n",
                  0x2000 + k * 0x100, 0x2000 + k * 0x100, 100000 + 80000 * k, k);
}

static void test_longer_text_on_one_spot(void **state)
{
    (void)state;
    assert_leak(tell_longer_text, HW_PATTERN_GROWING_CONTAINER, "str",
                "sys.modules['app'].log.text");
}

static void tell_growing_list(struct hw_buf *out, unsigned k)
{
    tell_list(out, 0, 5 + 20 * k, "app.Line");
}

/* An object of unittest with a list of reports, and below it one of what is tested. */
static void tell_session(struct hw_buf *out, unsigned k, hw_addr holder)
{
    tell_app(out);
    hw_buf_printf(out,
                  "['session'] -> 0x1000\n@0x1000 unittest.runner.TextTestResult\n"
                  ".reports -> 0x%x\n.fixture -> 0x2000\n"
                  "@0x2000 app.Client\n.replies -> 0x%x\n@0x4000 list\n",
                  holder == 0x1000 ? 0x4000 : 0x5000, holder == 0x2000 ? 0x4000 : 0x5000);
    tell_elements(out, 0, 5 + 20 * k, 0x10000);
    hw_buf_puts(out, "@0x5000 list\n");
    tell_instances(out, 0, 5 + 20 * k, 0x10000, "app.Reply");
}
static void tell_reports(struct hw_buf *out, unsigned k)
{
    tell_session(out, k, 0x1000);
}
static void tell_tested(struct hw_buf *out, unsigned k)
{
    tell_session(out, k, 0x2000);
}

static void test_records_of_a_test_session(void **state)
{
    (void)state;
    assert_verdict(tell_reports, 3, HW_VERDICT_INCONCLUSIVE);
    assert_leak(tell_tested, HW_PATTERN_GROWING_CONTAINER, "app.Reply",
                "sys.modules['app'].session.fixture.replies");
}

/* 120 new ones, then 66: fewer than chance explains. */
static void tell_filling_list(struct hw_buf *out, unsigned k)
{
    static const unsigned lengths[] = {100, 220, 286};
    tell_list(out, 0, lengths[k], "app.Page");
}

/* All that was there at first is gone. */
static void tell_window(struct hw_buf *out, unsigned k)
{
    static const unsigned first[] = {0, 100, 200}, end[] = {100, 300, 500};
    tell_list(out, first[k], end[k], "app.Hit");
}

static void test_what_may_come_to_an_end_is_not_settled(void **state)
{
    (void)state;
    assert_verdict(tell_filling_list, 3, HW_VERDICT_INCONCLUSIVE);
    assert_verdict(tell_window, 3, HW_VERDICT_INCONCLUSIVE);
}

static void tell_hooks(struct hw_buf *out, unsigned k)
{
    unsigned count = 5 + 20 * k;
    hw_buf_puts(out, "$i interpreter \"main\"\nroot sys.modules -> 0x100\n");
    for (unsigned i = 0; i < count; i++)
        hw_buf_printf(out, "root hook -> 0x%x\n", 0x10000 + 0x40 * i);
    hw_buf_puts(out, "@0x100 dict\n");
    tell_instances(out, 0, count, 0x10000, "function");
}

static void test_callbacks_that_the_interpreter_holds(void **state)
{
    (void)state;
    assert_leak(tell_hooks, HW_PATTERN_CLOSURE, "function", "<hooks>");
}

static void test_two_snapshots_show_no_trend(void **state)
{
    (void)state;
    assert_verdict(tell_growing_list, 2, HW_VERDICT_INCONCLUSIVE);
}

static void tell_few_but_large(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_puts(out, "['blobs'] -> 0x1000\n@0x1000 list\n");
    tell_elements(out, 0, 1 + 2 * k, 0x10000);
    for (unsigned i = 0; i < 1 + 2 * k; i++)
        hw_buf_printf(out, "@0x%x bytes size=100000 value=b'%u'\n", 0x10000 + i * 0x40, i);
}

static void test_few_but_large(void **state)
{
    (void)state;
    assert_leak(tell_few_but_large, HW_PATTERN_GROWING_CONTAINER, "bytes",
                "sys.modules['app'].blobs");
}

static void tell_callbacks(struct hw_buf *out, unsigned k)
{
    unsigned n = 5 + 20 * k;
    tell_app(out);
    hw_buf_puts(out, "['listeners'] -> 0x1000\n@0x1000 list\n");
    tell_elements(out, 0, n, 0x10000);
    for (unsigned i = 0; i < n; i++)
        hw_buf_printf(out, "@0x%x method\n.__self__ -> 0x%x\n@0x%x app.Room\n", 0x10000 + i * 0x40,
                      0x40000 + i * 0x40, 0x40000 + i * 0x40);
}

static void test_callbacks(void **state)
{
    (void)state;
    assert_leak(tell_callbacks, HW_PATTERN_CLOSURE, "method", "sys.modules['app'].listeners");
    struct hw_diagnosis *diagnosis = ask(tell_callbacks, 3);
    assert_string_equal(diagnosis->suspects[0].carries, "app.Room");
    assert_non_null(strstr(diagnosis->answer, "method of app.Room leaks: "));
    hw_diagnosis_destroy(diagnosis);
}

static void tell_errors(struct hw_buf *out, unsigned k)
{
    unsigned n = 5 + 20 * k;
    tell_app(out);
    hw_buf_puts(out, "['errors'] -> 0x1000\n@0x1000 list\n");
    tell_elements(out, 0, n, 0x10000);
    for (unsigned i = 0; i < n; i++)
        hw_buf_printf(out,
                      "@0x%x app.PayError\n.__traceback__ -> 0x%x\n@0x%x traceback\n"
                      ".tb_frame -> 0x%x\n@0x%x frame\nlocal basket -> 0x%x\n@0x%x app.Basket\n",
                      0x10000 + i * 0x40, 0x40000 + i * 0x40, 0x40000 + i * 0x40,
                      0x60000 + i * 0x40, 0x60000 + i * 0x40, 0x80000 + i * 0x40,
                      0x80000 + i * 0x40);
}

static void test_a_thread_that_just_began_is_waited_for(void **state)
{
    (void)state;
    assert_leak(tell_old_thread, HW_PATTERN_GROWING_CONTAINER, "app.Seen",
                "<run() at w.py:9 in worker>.seen");
    assert_verdict(tell_new_thread, 3, HW_VERDICT_INCONCLUSIVE);
}

static void test_frames(void **state)
{
    (void)state;
    assert_leak(tell_errors, HW_PATTERN_FRAME, "app.PayError", "sys.modules['app'].errors");
}

static void tell_sockets(struct hw_buf *out, unsigned k)
{
    unsigned n = 5 + 20 * k;
    tell_app(out);
    hw_buf_puts(out, "['clients'] -> 0x1000\n@0x1000 list\n");
    tell_elements(out, 0, n, 0x10000);
    for (unsigned i = 0; i < n; i++)
        hw_buf_printf(out, "@0x%x socket.socket value=fd=%u\n", 0x10000 + i * 0x40, 7 + i);
}

static void tell_closed_sockets(struct hw_buf *out, unsigned k)
{
    unsigned n = 5 + 20 * k;
    tell_app(out);
    hw_buf_puts(out, "['clients'] -> 0x1000\n@0x1000 list\n");
    tell_elements(out, 0, n, 0x10000);
    for (unsigned i = 0; i < n; i++)
        hw_buf_printf(out, "@0x%x socket.socket value=fd=-1\n", 0x10000 + i * 0x40);
}

static void test_resources(void **state)
{
    (void)state;
    assert_leak(tell_sockets, HW_PATTERN_UNCLOSED_RESOURCE, "socket.socket",
                "sys.modules['app'].clients");
    assert_leak(tell_closed_sockets, HW_PATTERN_GROWING_CONTAINER, "socket.socket",
                "sys.modules['app'].clients");
}

/* A list of tuples, each of which carries one object of the program. */
static void tell_wrapped(struct hw_buf *out, unsigned k)
{
    unsigned n = 5 + 20 * k;
    tell_app(out);
    hw_buf_puts(out, "['queue'] -> 0x1000\n@0x1000 list\n");
    tell_elements(out, 0, n, 0x10000);
    for (unsigned i = 0; i < n; i++)
        hw_buf_printf(out, "@0x%x tuple\n[0] -> %u\n[1] -> 0x%x\n@0x%x app.Job\n",
                      0x10000 + i * 0x40, 5000 + i, 0x40000 + i * 0x40, 0x40000 + i * 0x40);
}

/* ... or five of them: then the tuple is what there is one of. */
static void tell_packed(struct hw_buf *out, unsigned k)
{
    unsigned n = 5 + 20 * k;
    tell_app(out);
    hw_buf_puts(out, "['queue'] -> 0x1000\n@0x1000 list\n");
    tell_elements(out, 0, n, 0x10000);
    for (unsigned i = 0; i < n; i++) {
        hw_buf_printf(out, "@0x%x tuple\n", 0x10000 + i * 0x40);
        tell_elements(out, i * 5, i * 5 + 5, 0x40000);
        tell_instances(out, i * 5, i * 5 + 5, 0x40000, "app.Row");
    }
}

static void test_wrappers_are_named_by_what_they_carry(void **state)
{
    (void)state;
    assert_leak(tell_wrapped, HW_PATTERN_GROWING_CONTAINER, "app.Job", "sys.modules['app'].queue");
    assert_leak(tell_packed, HW_PATTERN_GROWING_CONTAINER, "tuple", "sys.modules['app'].queue");
}

/* cache: (self,) -> 42 */
static void tell_method_cache(struct hw_buf *out, unsigned k)
{
    unsigned n = 5 + 20 * k;
    tell_app(out);
    hw_buf_puts(out, "['total'] -> 0x1000\n"
                     "@0x1000 functools._lru_cache_wrapper value=maxsize=None\n"
                     "internal cache -> 0x1040\n@0x1040 dict\n");
    for (unsigned i = 0; i < n; i++)
        hw_buf_printf(out, "[0x%x] -> %u.5\n", 0x10000 + i * 0x40, 5000 + i);
    for (unsigned i = 0; i < n; i++)
        hw_buf_printf(out, "@0x%x tuple\n[0] -> 0x%x\n@0x%x app.Invoice\n", 0x10000 + i * 0x40,
                      0x40000 + i * 0x40, 0x40000 + i * 0x40);
}

static void test_caches_of_methods_are_named_by_self(void **state)
{
    (void)state;
    assert_leak(tell_method_cache, HW_PATTERN_GROWING_CONTAINER, "app.Invoice",
                "sys.modules['app'].total");
}

static void tell_buffer(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_printf(out, "['log'] -> 0x1000\n@0x1000 bytearray size=%u\n", 100000 + 50000 * k);
}

static void tell_wavering_buffer(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_printf(out, "['log'] -> 0x1000\n@0x1000 bytearray size=%u\n",
                  100000 + 500000 * (k % 2) + k);
}

static void test_buffers_that_swell(void **state)
{
    (void)state;
    assert_leak(tell_buffer, HW_PATTERN_GROWING_CONTAINER, "bytearray", "sys.modules['app'].log");
    struct hw_diagnosis *diagnosis = ask(tell_buffer, 3);
    assert_string_equal(
        diagnosis->suspects[0].evidence[0],
        "the size of sys.modules['app'].log went 100,000 -> 150,000 -> 200,000 bytes "
        "in 10.0 s");
    assert_int_equal(diagnosis->suspects[0].bytes, 200000);
    hw_diagnosis_destroy(diagnosis);
    assert_verdict(tell_wavering_buffer, 3, HW_VERDICT_STEADY);
}

static void tell_two_indexes(struct hw_buf *out, unsigned k)
{
    unsigned n = 5 + 20 * k;
    tell_app(out);
    hw_buf_puts(out, "['by_id'] -> 0x1000\n['by_name'] -> 0x1040\n@0x1000 dict\n");
    tell_entries(out, 0, n, 0x10000);
    hw_buf_puts(out, "@0x1040 dict\n");
    for (unsigned i = 0; i < n; i++)
        hw_buf_printf(out, "['u%u'] -> 0x%x\n", i, 0x10000 + i * 0x40);
    tell_instances(out, 0, n, 0x10000, "app.User");
}

static void test_both_indexes_are_named(void **state)
{
    (void)state;
    struct hw_diagnosis *diagnosis = ask(tell_two_indexes, 3);
    assert_int_equal(diagnosis->suspect_count, 1);
    const struct hw_suspect *suspect = &diagnosis->suspects[0];
    assert_string_equal(suspect->type, "app.User");
    assert_string_equal(suspect->chain.path, "sys.modules['app'].by_id");
    assert_int_equal(suspect->also_count, 1);
    assert_string_equal(suspect->also[0].path, "sys.modules['app'].by_name");
    hw_diagnosis_destroy(diagnosis);
}

/* ---- no leaks ---- */

static void tell_queue(struct hw_buf *out, unsigned k)
{
    tell_list(out, 40 * k, 40 * k + 60 + k % 2, "app.Message");
}

static void tell_sawtooth(struct hw_buf *out, unsigned k)
{
    tell_list(out, 0, k == 1 ? 90 : k == 2 ? 20 : 50, "app.Sample");
}

static void tell_startup(struct hw_buf *out, unsigned k)
{
    tell_list(out, 0, k ? 500 : 100, "app.Row");
}

static void tell_replaced(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_printf(out, "['table'] -> 0x%x\n@0x%x dict\n", 0x1000 + k * 0x40, 0x1000 + k * 0x40);
    tell_entries(out, 100 * k, 100 * k + 100 + k, 0x10000);
    tell_instances(out, 100 * k, 100 * k + 100 + k, 0x10000, "app.Row");
}

static void test_healthy_shapes_are_steady(void **state)
{
    (void)state;
    assert_verdict(tell_queue, 3, HW_VERDICT_STEADY);
    assert_verdict(tell_sawtooth, 4, HW_VERDICT_STEADY);
    assert_verdict(tell_startup, 3, HW_VERDICT_STEADY);
    assert_verdict(tell_replaced, 3, HW_VERDICT_STEADY);
}

/* A queue that happens to rise, whose messages take the addresses of those before: the texts tell.
 */
static void tell_reused(struct hw_buf *out, unsigned k)
{
    unsigned n = 20 + 40 * k;
    tell_app(out);
    hw_buf_puts(out, "['held'] -> 0x1000\n@0x1000 list\n");
    tell_elements(out, 0, n, 0x10000);
    for (unsigned i = 0; i < n; i++)
        hw_buf_printf(out, "@0x%x app.Message\n.body -> 'body %u of %u'\n", 0x10000 + i * 0x40, i,
                      k);
}

static void test_reused_addresses_are_turnover(void **state)
{
    (void)state;
    assert_verdict(tell_reused, 3, HW_VERDICT_STEADY);
}

/* What grows here shrinks there: nothing grows. */
static void tell_moved(struct hw_buf *out, unsigned k)
{
    unsigned done = 20 * k;
    tell_app(out);
    hw_buf_puts(out, "['held'] -> 0x1000\n['rest'] -> 0x1040\n@0x1000 list\n");
    tell_elements(out, 200, 200 + done, 0x10000);
    hw_buf_puts(out, "@0x1040 list\n");
    tell_elements(out, done, 100, 0x10000);
    tell_instances(out, 200, 200 + done, 0x10000, "app.Job");
    tell_instances(out, done, 100, 0x10000, "app.Job");
}

static void test_growth_of_a_type_that_does_not_grow(void **state)
{
    (void)state;
    assert_verdict(tell_moved, 3, HW_VERDICT_STEADY);
}

static void tell_known_cache(struct hw_buf *out, unsigned k)
{
    unsigned n = 5 + 20 * k;
    hw_buf_puts(out, "$i interpreter \"main\"\nroot sys.modules -> 0x100\n@0x100 dict\n"
                     "['re'] -> 0x130\n@0x130 module value=re\n.__dict__ -> 0x138\n@0x138 dict\n"
                     "['_cache'] -> 0x1000\n@0x1000 dict\n");
    tell_entries(out, 0, n, 0x10000);
    tell_instances(out, 0, n, 0x10000, "re.Pattern");
}

static void test_known_caches_warm_up(void **state)
{
    (void)state;
    assert_verdict(tell_known_cache, 3, HW_VERDICT_STEADY);
}

/* ---- not settled ---- */

static void tell_slowing(struct hw_buf *out, unsigned k)
{
    static const unsigned lengths[] = {0, 100, 140};
    tell_list(out, 0, lengths[k], "app.Row");
}

static void tell_deque(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_puts(out, "['ring'] -> 0x1000\n@0x1000 collections.deque value=maxlen=5000\n");
    tell_elements(out, 0, 5 + 20 * k, 0x10000);
    tell_instances(out, 0, 5 + 20 * k, 0x10000, "app.Event");
}

/* The whole ring is too small to trouble anybody. */
static void tell_small_deque(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_puts(out, "['ring'] -> 0x1000\n@0x1000 collections.deque value=maxlen=100\n");
    tell_elements(out, 0, 5 + 20 * k, 0x10000);
    tell_instances(out, 0, 5 + 20 * k, 0x10000, "app.Event");
}

static void tell_lru(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    hw_buf_puts(out, "['load'] -> 0x1000\n"
                     "@0x1000 functools._lru_cache_wrapper value=maxsize=5000\n"
                     "internal cache -> 0x1040\n@0x1040 dict\n");
    tell_entries(out, 0, 5 + 20 * k, 0x10000);
    tell_instances(out, 0, 5 + 20 * k, 0x10000, "app.Page");
}

/* app.cache.entries, and Cache.put(), which compares lengths as the checks say. */
static void tell_coded(struct hw_buf *out, unsigned k, const char *limit, const char *checks)
{
    tell_app(out);
    hw_buf_printf(out,
                  "['cache'] -> 0x1000\n['Cache'] -> 0x1100\n"
                  "type app.Cache python heap node=0x1100\n"
                  "@0x1000 app.Cache\n.max_entries -> %s\n.entries -> 0x1040\n"
                  "@0x1100 type\n.__dict__ -> 0x1200\n@0x1200 dict\n['put'] -> 0x3000\n"
                  "@0x3000 function\n.__code__ -> 0x3040\n"
                  "@0x3040 code value=Cache.put app.py:9%s\n"
                  ".co_names -> 0x3080\n.co_filename -> 'app.py'\n"
                  "@0x3080 tuple\n[0] -> 'entries'\n[1] -> 'max_entries'\n[2] -> 'len'\n"
                  "@0x1040 dict\n",
                  limit, checks);
    tell_entries(out, 0, 5 + 20 * k, 0x10000);
    tell_instances(out, 0, 5 + 20 * k, 0x10000, "app.Page");
}

#define TELL_CODED(name, limit, checks)              \
    static void name(struct hw_buf *out, unsigned k) \
    {                                                \
        tell_coded(out, k, limit, checks);           \
    }
TELL_CODED(tell_bounded, "800", "; len(self.entries) > self.max_entries")
TELL_CODED(tell_far_bound, "800000", "; len(self.entries) > self.max_entries")
TELL_CODED(tell_second_check, "800", "; len(key) > 70; len(self.entries) >= self.max_entries")
TELL_CODED(tell_number, "3", "; len(self.entries) > 700")
TELL_CODED(tell_unknown_limit, "3", "; len(self.entries) > ?")
TELL_CODED(tell_passed_bound, "30", "; len(self.entries) > self.max_entries")
TELL_CODED(tell_no_limit, "None", "; len(self.entries) > self.max_entries")
TELL_CODED(tell_unchecked, "800", "")
TELL_CODED(tell_other_length, "800", "; len(request.body) > 4096; len(body) > self.max_entries")
TELL_CODED(tell_damaged_check, "800", "; len(self.entries; len(; len() > ")

/* app.sessions, and code of a file that compares a length with a global number. */
static void tell_global(struct hw_buf *out, unsigned k, const char *file)
{
    tell_app(out);
    hw_buf_printf(out,
                  "['LIMITS'] -> 0x1100\n['sessions'] -> 0x1040\n['put'] -> 0x3000\n"
                  "@0x1100 dict\n['sessions'] -> 800\n"
                  "@0x3000 function\n.__code__ -> 0x3040\n.__globals__ -> 0x118\n"
                  "@0x3040 code value=put app.py:3\n.co_filename -> 'app.py'\n"
                  "@0x2000 code value=add %s:9; len(sessions) > LIMITS['sessions']\n"
                  ".co_filename -> '%s'\n@0x1040 dict\n",
                  file, file);
    tell_entries(out, 0, 5 + 20 * k, 0x10000);
    tell_instances(out, 0, 5 + 20 * k, 0x10000, "app.Session");
}
static void tell_global_bound(struct hw_buf *out, unsigned k)
{
    tell_global(out, k, "app.py");
}
static void tell_bound_of_another_file(struct hw_buf *out, unsigned k)
{
    tell_global(out, k, "other.py");
}

static void assert_filling(tell_snapshot *tell, const char *doubt)
{
    struct hw_diagnosis *diagnosis = ask(tell, 3);
    assert_int_equal(diagnosis->verdict, HW_VERDICT_INCONCLUSIVE);
    assert_string_equal(diagnosis->suspects[0].cause, "still-filling");
    if (!strstr(diagnosis->doubts[0], doubt))
        fail_msg("no '%s' in '%s'", doubt, diagnosis->doubts[0]);
    hw_diagnosis_destroy(diagnosis);
}

/* app.cache.entries, and code of another file that compares the length of what it calls so. */
static void tell_number_elsewhere(struct hw_buf *out, unsigned k, const char *name)
{
    tell_app(out);
    hw_buf_printf(out,
                  "['cache'] -> 0x1000\n@0x1000 app.Cache\n.entries -> 0x1040\n"
                  "@0x2000 code value=trim tool.py:9; len(%s.entries) > 800\n@0x1040 dict\n",
                  name);
    tell_entries(out, 0, 5 + 20 * k, 0x10000);
    tell_instances(out, 0, 5 + 20 * k, 0x10000, "app.Page");
}
static void tell_number_of_others(struct hw_buf *out, unsigned k)
{
    tell_number_elsewhere(out, k, "archive");
}
static void tell_number_for_it(struct hw_buf *out, unsigned k)
{
    tell_number_elsewhere(out, k, "cache");
}

static void test_bounds_are_honoured(void **state)
{
    (void)state;
    assert_verdict(tell_small_deque, 3, HW_VERDICT_STEADY);
    assert_filling(tell_deque, "its maxlen");
    assert_filling(tell_lru, "has 45 of at most 5000 members (its maxsize)");
    assert_filling(tell_bounded,
                   "sys.modules['app'].cache.entries has 45 of at most 800 members "
                   "(len(self.entries) > self.max_entries in Cache.put app.py:9); look again in "
                   "190 s, when it should be full");
    assert_filling(tell_far_bound, "45 of at most 800000 members");
    assert_filling(tell_second_check, "(len(self.entries) >= self.max_entries in Cache.put");
    assert_filling(tell_number, "45 of at most 700 members");
    assert_filling(tell_unknown_limit, "is compared with a limit that is not known "
                                       "(len(self.entries) > ? in Cache.put app.py:9)");
    assert_filling(tell_global_bound, "(len(sessions) > LIMITS['sessions'] in add app.py:9)");
    assert_filling(tell_number_for_it, "(len(cache.entries) > 800 in trim tool.py:9)");
}

static void test_other_numbers_are_no_bounds(void **state)
{
    (void)state;
    const char *path = "sys.modules['app'].cache.entries";
    assert_leak(tell_passed_bound, HW_PATTERN_GROWING_CONTAINER, "app.Page", path);
    assert_leak(tell_no_limit, HW_PATTERN_GROWING_CONTAINER, "app.Page", path);
    assert_leak(tell_unchecked, HW_PATTERN_GROWING_CONTAINER, "app.Page", path);
    assert_leak(tell_other_length, HW_PATTERN_GROWING_CONTAINER, "app.Page", path);
    assert_leak(tell_damaged_check, HW_PATTERN_GROWING_CONTAINER, "app.Page", path);
    assert_leak(tell_number_of_others, HW_PATTERN_GROWING_CONTAINER, "app.Page", path);
    assert_leak(tell_bound_of_another_file, HW_PATTERN_GROWING_CONTAINER, "app.Session",
                "sys.modules['app'].sessions");
}

static void test_slowing_growth_is_not_settled(void **state)
{
    (void)state;
    assert_verdict(tell_slowing, 3, HW_VERDICT_INCONCLUSIVE);
}

/* ---- without a holder ---- */

static void tell_cycles(struct hw_buf *out, unsigned k, unsigned gc_enabled)
{
    hw_buf_printf(out, "fact gc_enabled=%u\n", gc_enabled);
    tell_app(out);
    for (unsigned i = 0; i < 5 + 20 * k; i++)
        hw_buf_printf(out,
                      "@0x%x app.Connection\n.handlers -> 0x%x\n@0x%x dict\n['x'] -> 0x%x\n"
                      "@0x%x method\n.__self__ -> 0x%x\n",
                      0x10000 + i * 0x40, 0x40000 + i * 0x40, 0x40000 + i * 0x40,
                      0x60000 + i * 0x40, 0x60000 + i * 0x40, 0x10000 + i * 0x40);
}
static void tell_cycles_off(struct hw_buf *out, unsigned k)
{
    tell_cycles(out, k, 0);
}
static void tell_cycles_on(struct hw_buf *out, unsigned k)
{
    tell_cycles(out, k, 1);
}

static void test_cycles(void **state)
{
    (void)state;
    assert_leak(tell_cycles_off, HW_PATTERN_REFERENCE_CYCLE, "app.Connection", "");
    struct hw_diagnosis *diagnosis = ask(tell_cycles_off, 3);
    assert_string_equal(diagnosis->suspects[0].evidence[0],
                        "app.Connection.handlers['x'].__self__ is the same app.Connection");
    assert_int_equal(diagnosis->suspects[0].chain.step_count, 3);
    hw_diagnosis_destroy(diagnosis);
    assert_verdict(tell_cycles_on, 3, HW_VERDICT_STEADY);
}

static void tell_missing_decref(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    for (unsigned i = 0; i < 5 + 20 * k; i++)
        hw_buf_printf(out, "@0x%x app.Frame rc=1\n.data -> 0x%x\n@0x%x app.Data\n",
                      0x10000 + i * 0x40, 0x40000 + i * 0x40, 0x40000 + i * 0x40);
}

static void test_unexplained_references(void **state)
{
    (void)state;
    /* the frame has the reference that nobody explains; its data are held by it */
    assert_leak(tell_missing_decref, HW_PATTERN_UNEXPLAINED, "app.Frame", "");
}

/* Where C code's memory was looked at, it is known that nobody holds them. */
static void tell_forgotten(struct hw_buf *out, unsigned k)
{
    tell_missing_decref(out, k);
    hw_buf_printf(out, "@0x8000 str rc=1 held=1\n");
}

/* What C code's memory points at may be wanted. */
static void tell_held_by_c(struct hw_buf *out, unsigned k)
{
    tell_app(out);
    for (unsigned i = 0; i < 5 + 20 * k; i++)
        hw_buf_printf(out, "@0x%x app.Frame rc=1 held=1\n", 0x10000 + i * 0x40);
}

static void test_forgotten_references(void **state)
{
    (void)state;
    assert_leak(tell_forgotten, HW_PATTERN_NATIVE_REFERENCE, "app.Frame", "");
    assert_leak(tell_held_by_c, HW_PATTERN_UNEXPLAINED, "app.Frame", "");
}

static void tell_several_forgotten(struct hw_buf *out, unsigned k)
{
    tell_forgotten(out, k);
    for (unsigned i = 0; i < 12 * k; i++)
        hw_buf_printf(out, "@0x%x app.Row rc=1\n", 0x80000 + i * 0x40);
    for (unsigned i = 0; i < 4 * k; i++)
        hw_buf_printf(out, "@0x%x app.Field rc=1\n", 0x90000 + i * 0x40);
}

static void test_forgotten_references_of_several_types(void **state)
{
    (void)state;
    struct hw_diagnosis *diagnosis = ask(tell_several_forgotten, 3);
    assert_string_equal(diagnosis->suspects[0].type, "app.Frame");
    assert_string_equal(diagnosis->suspects[0].evidence[1], "so have 24 new app.Row");
    hw_diagnosis_destroy(diagnosis);
}

static void tell_native(struct hw_buf *out, unsigned k)
{
    hw_buf_printf(out, "fact rss_bytes=%u\n", 100000000 + k * 20000000);
    tell_app(out);
}

static void test_native_growth_is_not_settled(void **state)
{
    (void)state;
    assert_verdict(tell_native, 3, HW_VERDICT_INCONCLUSIVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growing_dict),
        cmocka_unit_test(test_weak_references_need_a_place),
        cmocka_unit_test(test_emptying_one_of_two_frees_nothing),
        cmocka_unit_test(test_longer_text_on_one_spot),
        cmocka_unit_test(test_two_snapshots_show_no_trend),
        cmocka_unit_test(test_what_may_come_to_an_end_is_not_settled),
        cmocka_unit_test(test_records_of_a_test_session),
        cmocka_unit_test(test_callbacks_that_the_interpreter_holds),
        cmocka_unit_test(test_few_but_large),
        cmocka_unit_test(test_callbacks),
        cmocka_unit_test(test_a_thread_that_just_began_is_waited_for),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_resources),
        cmocka_unit_test(test_wrappers_are_named_by_what_they_carry),
        cmocka_unit_test(test_caches_of_methods_are_named_by_self),
        cmocka_unit_test(test_buffers_that_swell),
        cmocka_unit_test(test_both_indexes_are_named),
        cmocka_unit_test(test_healthy_shapes_are_steady),
        cmocka_unit_test(test_reused_addresses_are_turnover),
        cmocka_unit_test(test_growth_of_a_type_that_does_not_grow),
        cmocka_unit_test(test_known_caches_warm_up),
        cmocka_unit_test(test_bounds_are_honoured),
        cmocka_unit_test(test_other_numbers_are_no_bounds),
        cmocka_unit_test(test_slowing_growth_is_not_settled),
        cmocka_unit_test(test_cycles),
        cmocka_unit_test(test_unexplained_references),
        cmocka_unit_test(test_forgotten_references),
        cmocka_unit_test(test_forgotten_references_of_several_types),
        cmocka_unit_test(test_native_growth_is_not_settled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

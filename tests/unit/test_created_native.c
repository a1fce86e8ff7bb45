/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-text.h"
#include "heap/ledger.h"
#include "series-text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Which stacks of C code the diagnosis names, when the heap of malloc, or what is mapped, grows. */

enum { MB = 1 << 20, SHOTS = 3, STACKS = 4, RATE = 16384 };

/* In use from each stack, of lines 10, 20, 30, 40; what the ledger has in blocks of 4,096 bytes. */
struct shot {
    struct in_use {
        uint64_t count, bytes;
    } stacks[STACKS];
    uint64_t blocks, mapped;
};

static uint32_t string_of(const struct hw_graph *graph, const char *text)
{
    for (uint32_t i = 0; i < graph->string_count; i++)
        if (strcmp(hw_graph_string(graph, i), text) == 0)
            return i;
    fail_msg("no string %s", text);
    return 0;
}

static void sites_put(struct hw_graph *graph, const struct shot *shot, enum hw_domain domain)
{
    struct hw_alloc_maker maker = {.sites = &graph->allocs};
    struct hw_alloc_frame outer = {.caller = HW_NONE, .file = string_of(graph, "first"), .line = 1};
    uint32_t caller = hw_alloc_frame_make(&maker, &outer);
    for (uint32_t i = 0; i < STACKS; i++) {
        struct hw_alloc_frame frame = {.caller = caller,
                                       .file = string_of(graph, "first"),
                                       .function = string_of(graph, "last"),
                                       .line = (i + 1) * 10};
        uint32_t at = hw_alloc_frame_make(&maker, &frame);
        uint32_t site = hw_alloc_site_make(&maker, at, 2, domain);
        graph->allocs.sites[site].count = shot->stacks[i].count;
        graph->allocs.sites[site].bytes = shot->stacks[i].bytes;
    }
    hw_alloc_maker_deinit(&maker);
    graph->facts.alloc_source = HW_ALLOC_AGENT;
    graph->facts.alloc_rate = RATE;
}

static void part_put(struct hw_graph *graph, enum hw_memory_kind kind, uint64_t bytes)
{
    struct hw_ledger_part *part = hw_ledger_part(&graph->ledger, kind, "", &graph->arena);
    assert_non_null(part);
    part->rss_bytes = part->bytes = bytes;
}

static void ledger_put(struct hw_graph *graph, const struct shot *shot)
{
    struct hw_ledger *ledger = &graph->ledger;
    ledger->recorded = true;
    part_put(graph, HW_MEMORY_OBJECTS, 4 * MB);
    part_put(graph, HW_MEMORY_MALLOC_USED, 100 * MB + shot->blocks * 4096);
    part_put(graph, HW_MEMORY_UNEXPLAINED, shot->mapped);
    ledger->natives = calloc(1, sizeof(*ledger->natives));
    ledger->native_count = 1;
    ledger->natives[0] =
        (struct hw_ledger_native){4096, shot->blocks, shot->blocks * 4096, "", "/lib/libnear.so"};
}

static struct hw_diagnosis *diagnose(const struct shot *shots, enum hw_domain domain)
{
    struct hw_series *series;
    struct hw_diagnosis *diagnosis;
    assert_true(hw_series_create(&series, NULL));
    for (unsigned k = 0; k < SHOTS; k++) {
        struct hw_buf text = {0};
        hw_buf_printf(&text, "fact taken_at_ns=%llu\n", (k + 1) * 5000000000ull);
        tell_app(&text);
        hw_buf_puts(&text, "['hub'] -> 0x1000\n@0x1000 app.Hub\n.first -> 0x2000\n.last -> "
                           "0x2000\n@0x2000 list size=80\n");
        struct hw_graph *graph = graph_from_text(hw_buf_str(&text));
        hw_buf_deinit(&text);
        ledger_put(graph, &shots[k]);
        sites_put(graph, &shots[k], domain);
        assert_true(hw_series_add(series, graph, NULL));
    }
    assert_true(hw_diagnose_ask(series, NULL, &diagnosis, NULL));
    hw_series_destroy(series);
    assert_int_equal(diagnosis->verdict, HW_VERDICT_LEAK);
    assert_int_equal(diagnosis->suspect_count, 1);
    return diagnosis;
}

static bool evidence_has(const struct hw_suspect *suspect, const char *text)
{
    for (size_t i = 0; i < suspect->evidence_count; i++)
        if (strstr(suspect->evidence[i], text))
            return true;
    return false;
}

/* Not the largest, not one that comes and goes, and not one that grows by other blocks. */
static void test_the_stack_that_grows_by_such_blocks(void **state)
{
    static const struct shot shots[SHOTS] = {
        {{{20000, 80 * MB}, {100, 408800}, {500, 2 * MB}, {10, 10 * 4000}}, 100, 0},
        {{{20000, 80 * MB}, {600, 600 * 4088}, {900, 4 * MB}, {900, 900 * 500}}, 600, 0},
        {{{20000, 80 * MB}, {1100, 1100 * 4088}, {700, 3 * MB}, {9000, 9000 * 500}}, 1100, 0}};
    struct hw_diagnosis *diagnosis = diagnose(shots, HW_DOMAIN_MALLOC);
    const struct hw_suspect *suspect = &diagnosis->suspects[0];
    assert_string_equal(suspect->cause, "missing-free");
    assert_string_equal(suspect->type, "malloc(4088)");
    assert_int_equal(suspect->created_count, 1);
    assert_int_equal(suspect->created[0].frame->line, 20);
    assert_int_equal(suspect->created[0].frame->caller->line, 1);
    assert_int_equal(suspect->created[0].objects, 1000);
    assert_int_equal(suspect->created[0].bytes, 1000 * 4088);
    assert_int_equal(suspect->created[0].depth, 2);
    assert_non_null(strstr(diagnosis->answer, "from first:20 in last"));
    assert_non_null(strstr(suspect->fix, "first:20 in last"));
    assert_true(evidence_has(suspect, "one for each 16.4 kB"));
    hw_diagnosis_destroy(diagnosis);
}

static void test_no_stack_grows(void **state)
{
    static const struct shot shots[SHOTS] = {
        {{{20000, 80 * MB}, {700, 3 * MB}, {1, 100}, {1, 100}}, 100, 0},
        {{{20000, 80 * MB}, {300, 1 * MB}, {1, 100}, {2, 200}}, 600, 0},
        {{{20000, 80 * MB}, {900, 4 * MB}, {1, 100}, {3, 300}}, 1100, 0}};
    struct hw_diagnosis *diagnosis = diagnose(shots, HW_DOMAIN_MALLOC);
    const struct hw_suspect *suspect = &diagnosis->suspects[0];
    assert_int_equal(suspect->created_count, 0);
    assert_true(evidence_has(suspect, "none grew with it"));
    assert_non_null(strstr(diagnosis->answer, "near libnear.so"));
    hw_diagnosis_destroy(diagnosis);
}

static void test_mappings(void **state)
{
    static const struct shot shots[SHOTS] = {
        {{{4, 64 * MB}, {1, MB}, {1, MB}, {0, 0}}, 7, 64 * MB},
        {{{4, 64 * MB}, {5, 5 * MB}, {2, 2 * MB}, {0, 0}}, 7, 69 * MB},
        {{{4, 64 * MB}, {9, 9 * MB}, {3, 3 * MB}, {0, 0}}, 7, 74 * MB}};
    struct hw_diagnosis *diagnosis = diagnose(shots, HW_DOMAIN_MMAP);
    const struct hw_suspect *suspect = &diagnosis->suspects[0];
    assert_string_equal(suspect->cause, "missing-munmap");
    assert_string_equal(suspect->type, "mmap");
    assert_int_equal(suspect->created_count, 2);
    assert_int_equal(suspect->created[0].frame->line, 20);
    assert_int_equal(suspect->created[0].bytes, 8 * MB);
    assert_int_equal(suspect->created[1].frame->line, 30);
    assert_false(evidence_has(suspect, "malloc has"));
    hw_diagnosis_destroy(diagnosis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_stack_that_grows_by_such_blocks),
        cmocka_unit_test(test_no_stack_grows),
        cmocka_unit_test(test_mappings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

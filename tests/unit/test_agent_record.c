/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/record.h"
#include "agent/recording.h"
#include "agent/store.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

/* The agent's memory and its recording without an interpreter: what is told is what a reader finds.
 */

uint32_t hw_frames_find(bool is_python)
{
    return 0;
}

void hw_frames_forget(uint64_t addr)
{
    (void)addr;
}

bool hw_python_is_over(void)
{
    return false;
}

void hw_agent_clear(void)
{
}

bool hw_frames_have_bit(uint32_t bit)
{
    (void)bit;
    return false;
}

static char folder[] = "/tmp/test_agent_record.XXXXXX";
static char path[64];

/* ---- a reader ---- */

struct event {
    uint64_t addr, bytes, number; /* number: of a rate, of a count */
    uint32_t site, kind; /* enum hw_recording_kind; with 8 added, enum hw_recording_other */
    enum hw_agent_domain domain;
};

struct reader {
    unsigned char *data, *at, *chunk_end, *end;
    uint64_t last, addrs[HW_RECORDING_SLOTS], whats[HW_RECORDING_SLOTS];
    uint32_t sites[HW_RECORDING_SLOTS], site_count;
};

static void reader_open(struct reader *reader, const char *name)
{
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    size_t bytes = (size_t)ftell(file);
    rewind(file);
    *reader = (struct reader){.data = malloc(bytes), .site_count = 1};
    assert_int_equal(fread(reader->data, 1, bytes, file), bytes);
    fclose(file);
    struct hw_recording_head head;
    memcpy(&head, reader->data, sizeof(head));
    reader->at = reader->chunk_end = reader->data + head.head_bytes;
    reader->end = reader->data + bytes;
}

static uint64_t number(struct reader *reader)
{
    uint64_t v = 0;
    for (int shift = 0;; shift += 7) {
        assert_true(reader->at < reader->chunk_end);
        v |= (uint64_t)(*reader->at & 127) << shift;
        if (*reader->at++ < 128)
            return v;
    }
}

static uint64_t unzigzag(uint64_t z)
{
    return z >> 1 ^ -(z & 1);
}

static bool next_chunk(struct reader *reader)
{
    struct hw_recording_chunk chunk;
    if (reader->at == reader->end)
        return false;
    memcpy(&chunk, reader->at, sizeof(chunk));
    reader->at += sizeof(chunk);
    reader->chunk_end = reader->at + chunk.bytes;
    assert_true(chunk.bytes && chunk.bytes <= HW_RECORDING_CHUNK_MAX_BYTES);
    assert_true(reader->chunk_end <= reader->end);
    reader->last = 0;
    memset(reader->addrs, 0, sizeof(reader->addrs));
    memset(reader->whats, 0, sizeof(reader->whats));
    memset(reader->sites, 0, sizeof(reader->sites));
    return true;
}

static void read_other(struct reader *reader, struct event *event)
{
    switch (event->kind - 8) {
    case HW_RECORDING_TEXT:
        reader->at += number(reader);
        return;
    case HW_RECORDING_SITE:
        for (int i = 0; i < 3; i++)
            number(reader);
        assert_true(reader->site_count - number(reader) < reader->site_count);
        reader->site_count++;
        return;
    case HW_RECORDING_THREAD:
        number(reader);
        number(reader);
        return;
    case HW_RECORDING_FORGET:
        event->addr = (reader->last + unzigzag(number(reader))) << 3;
        return;
    case HW_RECORDING_END:
        return;
    default:
        event->number = number(reader);
    }
}

/* The next ALLOC, FREE, or other. */
static bool next(struct reader *reader, struct event *event)
{
    if (reader->at == reader->chunk_end && !next_chunk(reader))
        return false;
    unsigned p = *reader->at & 63;
    *event = (struct event){.kind = *reader->at++ >> 6};
    switch (event->kind) {
    case HW_RECORDING_FILL:
        reader->sites[p] = reader->site_count - (uint32_t)number(reader);
        reader->whats[p] = number(reader);
        reader->addrs[p] = reader->last;
        assert_true(reader->sites[p] < reader->site_count);
        return next(reader, event);
    case HW_RECORDING_ALLOC:
        reader->last = reader->addrs[p] += unzigzag(number(reader));
        event->bytes = reader->whats[p] >> 3;
        event->domain = reader->whats[p] & 7;
        event->site = reader->sites[p];
        break;
    case HW_RECORDING_FREE:
        reader->last += unzigzag(p & 32 ? (p & 31) | number(reader) << 5 : p & 31);
        break;
    default:
        event->kind = 8 + p;
        read_other(reader, event);
        return true;
    }
    event->addr = reader->last << 3;
    return true;
}

/* ---- what is written ---- */

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Of sizes and places that come in every length of a number. */
static uint64_t random_sized(uint64_t *state)
{
    uint64_t bits = random_next(state);
    return random_next(state) >> (bits % 64);
}

static uint32_t random_site(uint64_t *state)
{
    char name[64];
    uint64_t n = random_next(state) % 3 ? random_next(state) % 8 : random_next(state) % 50000;
    int length = snprintf(name, sizeof(name), "file %" PRIu64 ".py", n % 300);
    uint32_t file = hw_text_intern(name, (size_t)length), function = hw_text_intern("f", 1);
    uint32_t caller = (uint32_t)(random_next(state) % hw_agent_table.site_count);
    return hw_site_intern(&(struct hw_agent_site){file, n % 5 ? function : HW_AGENT_NATIVE,
                                                  (uint32_t)n, n % 7 ? 0 : caller});
}

enum { EVENTS = 1000000 };

/* The events that a state makes, told to each(). */
static struct event random_event(uint64_t *state)
{
    struct event event = {.addr = random_sized(state) & ~(uint64_t)7};
    event.kind = random_next(state) % 2 ? HW_RECORDING_ALLOC : HW_RECORDING_FREE;
    if (event.kind == HW_RECORDING_FREE)
        return event;
    event.bytes = random_next(state) % 4 ? random_next(state) % 600 : random_sized(state) >> 3;
    event.domain = random_next(state) % (HW_AGENT_MMAP + 1);
    event.site = random_site(state);
    return event;
}

static void assert_event(const struct event *event, const struct event *told)
{
    assert_int_equal(event->kind, told->kind);
    assert_int_equal(event->addr, told->addr);
    assert_int_equal(event->bytes, told->bytes);
    assert_int_equal(event->domain, told->domain);
    assert_int_equal(event->site, told->site);
}

static void test_every_event_comes_back(void **unused)
{
    (void)unused;
    uint64_t state = 88172645463325252u;
    struct event *told = malloc(EVENTS * sizeof(*told));
    for (int i = 0; i < EVENTS; i++) {
        told[i] = random_event(&state);
        void *block = (void *)(uintptr_t)told[i].addr;
        if (told[i].kind == HW_RECORDING_ALLOC)
            hw_record_alloc(block, told[i].bytes, told[i].domain, told[i].site);
        else
            hw_record_free(block);
    }
    hw_record_flush();
    struct reader reader;
    struct event event;
    reader_open(&reader, path);
    int at = 0;
    while (next(&reader, &event)) {
        if (event.kind >= 8)
            continue;
        assert_true(at < EVENTS);
        assert_event(&event, &told[at]);
        at++;
    }
    assert_int_equal(at, EVENTS);
    assert_int_equal(hw_agent_table.unrecorded, 0);
    free(reader.data);
    free(told);
}

/* ---- a sample that has no more room ---- */

enum { BLOCKS = HW_AGENT_LIVE_MAX + HW_AGENT_LIVE_MAX / 4 };

static struct hw_agent_block block_of(uint64_t n)
{
    return (struct hw_agent_block){(n + 1) * 64, 48, 0, HW_AGENT_OBJECT};
}

static void test_a_full_table_is_thinned(void **unused)
{
    (void)unused;
    char child[80];
    hw_record_flush();
    hw_record_forked(false);
    hw_record_sampled = true;
    for (uint64_t n = 0; n < BLOCKS; n++) {
        struct hw_agent_block block = block_of(n);
        hw_live_put(&block);
    }
    assert_int_equal(hw_agent_table.rate_bytes, 8192);
    hw_record_flush();
    snprintf(child, sizeof(child), "%s.%d", path, (int)getpid());
    struct reader reader;
    struct event event;
    reader_open(&reader, child);
    unsigned char *live = calloc(BLOCKS + 1, 1);
    uint64_t kept = 0, rate = 0, found = 0;
    while (next(&reader, &event)) {
        if (event.kind == HW_RECORDING_ALLOC)
            live[event.addr / 64] = 1;
        else if (event.kind == 8 + HW_RECORDING_FORGET)
            assert_int_equal(live[event.addr / 64]--, 1);
        else if (event.kind == 8 + HW_RECORDING_RATE)
            rate = event.number;
    }
    assert_int_equal(rate, 8192);
    for (uint64_t i = 1; i < hw_agent_table.live_slots; i++)
        if (hw_store.live[i].addr) {
            assert_int_equal(live[hw_store.live[i].addr / 64], 1);
            kept++;
        }
    for (uint64_t n = 0; n <= BLOCKS; n++)
        found += live[n];
    assert_int_equal(kept, found);
    /* of LIVE_MAX about half has stayed; its deviation is 362 */
    assert_in_range(kept, BLOCKS - HW_AGENT_LIVE_MAX / 2 - 4000,
                    BLOCKS - HW_AGENT_LIVE_MAX / 2 + 4000);
    free(live);
    free(reader.data);
    unlink(child);
}

static void test_blocks_are_found_until_they_are_taken(void **unused)
{
    (void)unused;
    struct hw_agent_block block, taken;
    uint64_t gone = 0;
    for (uint64_t n = 0; n < BLOCKS; n++) {
        block = block_of(n);
        void *at = (void *)(uintptr_t)block.addr;
        gone += hw_live_may_have(at) && hw_live_take(at, &taken);
        assert_false(hw_live_may_have(at) && hw_live_take(at, &taken));
    }
    assert_in_range(gone, HW_AGENT_LIVE_MAX / 2, HW_AGENT_LIVE_MAX);
    for (size_t i = 0; i < HW_FILTER_BITS / 64; i++)
        assert_true(!hw_filter[i]);
}

/* ---- chances ---- */

/* Of small blocks of one size, whatever the order: as many as their period says. */
static void test_small_blocks_are_chosen_by_number(void **unused)
{
    (void)unused;
    uint64_t state = 1234567;
    struct hw_thread *thread = calloc(1, sizeof(*thread));
    uint64_t made[HW_AGENT_SMALL_MAX_BYTES + 1] = {0}, taken[HW_AGENT_SMALL_MAX_BYTES + 1] = {0};
    for (int i = 0; i < 3000000; i++) {
        size_t bytes = random_next(&state) % (HW_AGENT_SMALL_MAX_BYTES + 1);
        made[bytes / 16]++;
        taken[bytes / 16] += hw_sample_counts(thread, bytes - bytes % 16);
    }
    for (size_t n = 0; n <= HW_AGENT_SMALL_MAX_BYTES / 16; n++) {
        uint64_t period = hw_agent_period(n * 16, hw_agent_table.rate_bytes);
        assert_in_range(taken[n] * period, made[n] - 2 * period, made[n] + 2 * period);
    }
    free(thread);
}

/* Each place in a period is chosen as often as any other. */
static void test_each_of_them_has_the_same_chance(void **unused)
{
    (void)unused;
    enum { PERIOD = 16, ROUNDS = 100000 };
    struct hw_thread *thread = calloc(1, sizeof(*thread));
    unsigned taken[PERIOD] = {0};
    assert_int_equal(hw_agent_period(512, hw_agent_table.rate_bytes), PERIOD);
    for (int i = 0; i < ROUNDS * PERIOD; i++)
        taken[i % PERIOD] += hw_sample_counts(thread, 512);
    for (int i = 0; i < PERIOD; i++) /* deviation: 77 */
        assert_in_range(taken[i], ROUNDS / PERIOD - 770, ROUNDS / PERIOD + 770);
    free(thread);
}

/* ---- no room in the file ---- */

static void test_a_limit_ends_the_recording_alone(void **unused)
{
    (void)unused;
    struct rlimit before, small = {1 << 20, 1 << 20};
    uint64_t state = 42;
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    hw_record_forked(false);
    setrlimit(RLIMIT_FSIZE, &small);
    for (int i = 0; i < EVENTS; i++)
        hw_record_free((void *)(uintptr_t)random_sized(&state));
    setrlimit(RLIMIT_FSIZE, &before);
    assert_true(hw_agent_table.unrecorded > 0);
}

static int begin(void **unused)
{
    (void)unused;
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof(path), "%s/r", folder);
    return !hw_store_init(4096) || !hw_record_init(path, true, true);
}

static int end(void **unused)
{
    char command[64];
    (void)unused;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_blocks_are_chosen_by_number),
        cmocka_unit_test(test_every_event_comes_back),
        cmocka_unit_test(test_a_full_table_is_thinned),
        cmocka_unit_test(test_blocks_are_found_until_they_are_taken),
        cmocka_unit_test(test_each_of_them_has_the_same_chance),
        cmocka_unit_test(test_a_limit_ends_the_recording_alone),
    };
    return cmocka_run_group_tests(tests, begin, end);
}

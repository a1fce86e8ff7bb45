/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/recording.h"
#include "agent/table.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "heapwhy.h"
#include "profile/live-map.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- recordings by hand: one slot, and each chunk begins with it ---- */

struct recording {
    struct hw_buf file, chunk;
    uint32_t events, texts, sites;
    uint64_t last, slot, began_ns;
};

static void begin(struct recording *rec, uint64_t rate)
{
    static const char command[] = "python3\0app.py\0it's";
    struct hw_recording_head head = {.version = HW_RECORDING_VERSION,
                                     .head_bytes = sizeof(head) + sizeof(command),
                                     .rate_bytes = rate,
                                     .began_unix_ns = 1000000000,
                                     .pid = 12,
                                     .parent_pid = 7};
    memcpy(head.magic, HW_RECORDING_MAGIC, sizeof(head.magic));
    *rec = (struct recording){0};
    hw_buf_put(&rec->file, &head, sizeof(head));
    hw_buf_put(&rec->file, command, sizeof(command));
}

static void flush(struct recording *rec)
{
    struct hw_recording_chunk head = {(uint32_t)rec->chunk.len, rec->events, rec->began_ns};
    hw_buf_put(&rec->file, &head, sizeof(head));
    hw_buf_put(&rec->file, rec->chunk.data, rec->chunk.len);
    hw_buf_clear(&rec->chunk);
    rec->events = 0;
    rec->last = rec->slot = 0;
}

static void flush_long(struct recording *rec)
{
    if (rec->chunk.len > HW_RECORDING_CHUNK_MAX_BYTES / 2)
        flush(rec);
}

static void number(struct recording *rec, uint64_t v)
{
    unsigned char bytes[HW_VARINT64_BYTES];
    hw_buf_put(&rec->chunk, bytes, (size_t)(hw_put_varint(bytes, v) - bytes));
}

static void event(struct recording *rec, enum hw_recording_kind kind, unsigned p)
{
    hw_buf_putc(&rec->chunk, (char)(kind << 6 | p));
    rec->events++;
}

static uint64_t zigzag(uint64_t distance)
{
    return distance << 1 ^ -(distance >> 63);
}

static uint32_t text(struct recording *rec, const char *s)
{
    event(rec, HW_RECORDING_OTHER, HW_RECORDING_TEXT);
    number(rec, strlen(s));
    hw_buf_puts(&rec->chunk, s);
    return ++rec->texts;
}

static uint32_t site(struct recording *rec, uint32_t file, uint32_t function, uint32_t line,
                     uint32_t caller)
{
    event(rec, HW_RECORDING_OTHER, HW_RECORDING_SITE);
    number(rec, file);
    number(rec, function);
    number(rec, line);
    number(rec, rec->sites + 1 - caller);
    return ++rec->sites;
}

static void other(struct recording *rec, enum hw_recording_other what, uint64_t v)
{
    event(rec, HW_RECORDING_OTHER, what);
    number(rec, v);
}

static void thread(struct recording *rec, uint64_t id, uint32_t name)
{
    other(rec, HW_RECORDING_THREAD, id);
    number(rec, name);
}

static void take(struct recording *rec, uint64_t addr, uint64_t bytes, uint32_t at)
{
    event(rec, HW_RECORDING_FILL, 3);
    number(rec, rec->sites + 1 - at);
    number(rec, bytes * 8 + HW_AGENT_OBJECT);
    rec->slot = rec->last;
    event(rec, HW_RECORDING_ALLOC, 3);
    number(rec, zigzag(addr / 8 - rec->slot));
    rec->slot = rec->last = addr / 8;
}

/* As the block before. */
static void take_again(struct recording *rec, uint64_t addr)
{
    event(rec, HW_RECORDING_ALLOC, 3);
    number(rec, zigzag(addr / 8 - rec->slot));
    rec->slot = rec->last = addr / 8;
}

static void give(struct recording *rec, uint64_t addr)
{
    uint64_t z = zigzag(addr / 8 - rec->last);
    event(rec, HW_RECORDING_FREE, (unsigned)(z < 32 ? z : 32 | (z & 31)));
    if (z >= 32)
        number(rec, z >> 5);
    rec->last = addr / 8;
}

static void forget(struct recording *rec, uint64_t addr)
{
    other(rec, HW_RECORDING_FORGET, zigzag(addr / 8 - rec->last));
}

static void end(struct recording *rec)
{
    event(rec, HW_RECORDING_OTHER, HW_RECORDING_END);
    flush(rec);
}

static void forget_recording(struct recording *rec)
{
    hw_buf_deinit(&rec->file);
    hw_buf_deinit(&rec->chunk);
}

/* ---- reading ---- */

static struct hw_profile *read_bytes(const void *data, size_t bytes, struct hw_err *err)
{
    char path[64];
    struct hw_profile *profile = NULL;
    int fd = memfd_create("recording", MFD_CLOEXEC);
    assert_true(fd >= 0 && write(fd, data, bytes) == (ssize_t)bytes);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    bool ok = hw_profile_read(path, NULL, &profile, err);
    assert_true(ok == (profile != NULL));
    close(fd);
    return profile;
}

static struct hw_profile *finish(struct recording *rec)
{
    struct hw_err err = HW_ERR_INIT;
    struct hw_profile *profile = read_bytes(rec->file.data, rec->file.len, &err);
    assert_string_equal(err.msg, "");
    forget_recording(rec);
    return profile;
}

static const struct hw_profile_row *row_of(const struct hw_profile *profile, uint32_t line)
{
    for (size_t i = 0; i < profile->row_count; i++)
        if (profile->rows[i].frame->line == line)
            return &profile->rows[i];
    fail_msg("no row of line %u", line);
    return NULL;
}

#define assert_amount(amount, blocks, size)       \
    do {                                          \
        assert_int_equal((amount).count, blocks); \
        assert_int_equal((amount).bytes, size);   \
    } while (0)

static const struct hw_amount *amounts_of(const struct hw_profile *profile, uint32_t line)
{
    return row_of(profile, line)->amounts;
}

/* ---- what a recording tells ---- */

static void test_head(void **state)
{
    (void)state;
    struct recording rec;
    begin(&rec, 0);
    other(&rec, HW_RECORDING_MISSED, 5);
    other(&rec, HW_RECORDING_MISSED, 6);
    end(&rec);
    struct hw_profile *profile = finish(&rec);
    assert_true(profile->is_recording && profile->is_complete);
    assert_string_equal(profile->command, "python3 app.py 'it'\\''s'");
    assert_string_equal(profile->damage, "");
    assert_int_equal(profile->pid, 12);
    assert_int_equal(profile->parent_pid, 7);
    assert_int_equal(profile->missed, 11);
    assert_int_equal(profile->event_count, 3);
    assert_true(profile->began_unix == 1);
    assert_int_equal(profile->row_count, 0);
    assert_true(profile->thread_count >= 1);
    hw_profile_destroy(profile);
}

static void test_measures(void **state)
{
    (void)state;
    struct recording rec;
    begin(&rec, 0);
    uint32_t file = text(&rec, "app.py"), function = text(&rec, "f");
    uint32_t outer = site(&rec, file, function, 1, 0), first = site(&rec, file, function, 2, outer),
             second = site(&rec, file, function, 3, outer);
    take(&rec, 0x1000, 100, first);
    take_again(&rec, 0x2000);
    take(&rec, 0x3000, 50, second); /* the peak: 250 */
    other(&rec, HW_RECORDING_TIME, 2000000000);
    give(&rec, 0x3000);    /* temporary */
    give(&rec, 0x1000);    /* not: its thread allocated others since */
    give(&rec, 0x9999000); /* unknown */
    flush(&rec);
    rec.began_ns = 3000000000;
    take(&rec, 0x1000, 30, second);
    end(&rec);
    struct hw_profile *profile = finish(&rec);
    const struct hw_amount *amounts = amounts_of(profile, 2);
    assert_amount(amounts[HW_MEASURE_LIVE], 1, 100);
    assert_amount(amounts[HW_MEASURE_PEAK], 2, 200);
    assert_amount(amounts[HW_MEASURE_ALLOCATED], 2, 200);
    assert_amount(amounts[HW_MEASURE_TEMPORARY], 0, 0);
    amounts = amounts_of(profile, 3);
    assert_amount(amounts[HW_MEASURE_LIVE], 1, 30);
    assert_amount(amounts[HW_MEASURE_PEAK], 1, 50);
    assert_amount(amounts[HW_MEASURE_ALLOCATED], 2, 80);
    assert_amount(amounts[HW_MEASURE_TEMPORARY], 1, 50);
    assert_amount(profile->totals[HW_MEASURE_PEAK], 3, 250);
    assert_true(profile->peak_seconds == 0 && profile->seconds == 3);
    assert_int_equal(row_of(profile, 2)->depth, 2);
    assert_int_equal(row_of(profile, 2)->frame->caller->line, 1);
    assert_ptr_equal(row_of(profile, 2)->frame->caller, row_of(profile, 3)->frame->caller);
    assert_int_equal(row_of(profile, 2)->domain, HW_AGENT_OBJECT);
    hw_profile_destroy(profile);
}

/* The second time as much is in use is no peak; more is, and rows that did not change since have
 * what they have. */
static void test_the_peak_by_row(void **state)
{
    (void)state;
    struct recording rec;
    begin(&rec, 0);
    uint32_t file = text(&rec, "app.py"), a = site(&rec, file, 0, 1, 0),
             b = site(&rec, file, 0, 2, 0), c = site(&rec, file, 0, 3, 0);
    take(&rec, 0x1000, 10, a);
    take(&rec, 0x2000, 90, b); /* 100 */
    give(&rec, 0x2000);
    take(&rec, 0x3000, 90, c); /* 100 again */
    give(&rec, 0x3000);
    other(&rec, HW_RECORDING_TIME, 1000000000);
    take(&rec, 0x3000, 91, c); /* 101: the peak */
    give(&rec, 0x1000);
    give(&rec, 0x3000);
    take(&rec, 0x4000, 5, b);
    end(&rec);
    struct hw_profile *profile = finish(&rec);
    assert_amount(amounts_of(profile, 1)[HW_MEASURE_PEAK], 1, 10);
    assert_amount(amounts_of(profile, 2)[HW_MEASURE_PEAK], 0, 0);
    assert_amount(amounts_of(profile, 3)[HW_MEASURE_PEAK], 1, 91);
    assert_amount(profile->totals[HW_MEASURE_PEAK], 2, 101);
    assert_true(profile->peak_seconds == 1);
    hw_profile_destroy(profile);
}

static void test_temporary_is_of_its_thread(void **state)
{
    (void)state;
    struct recording rec;
    begin(&rec, 0);
    uint32_t name = text(&rec, "worker"), at = site(&rec, text(&rec, "app.py"), 0, 1, 0);
    thread(&rec, 100, 0);
    take(&rec, 0x1000, 8, at);
    thread(&rec, 101, name);
    take_again(&rec, 0x2000); /* of the worker: the main thread allocates nothing */
    give(&rec, 0x1000);
    thread(&rec, 100, 0);
    take_again(&rec, 0x3000);
    give(&rec, 0x2000);       /* by another thread than its own */
    take_again(&rec, 0x3000); /* the end of the older one was missed: that is not its doing */
    end(&rec);
    struct hw_profile *profile = finish(&rec);
    assert_int_equal(profile->row_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct hw_profile_row *row = &profile->rows[i];
        bool is_main = profile->threads[row->thread].id == 100;
        assert_string_equal(profile->threads[row->thread].name, is_main ? "" : "worker");
        assert_amount(row->amounts[HW_MEASURE_TEMPORARY], 1, 8);
        assert_amount(row->amounts[HW_MEASURE_ALLOCATED], is_main ? 3 : 1, is_main ? 24 : 8);
        assert_amount(row->amounts[HW_MEASURE_LIVE], is_main ? 1 : 0, is_main ? 8 : 0);
    }
    hw_profile_destroy(profile);
}

static double chance(double bytes, double rate)
{
    return hw_agent_chance(HW_AGENT_OBJECT, (uint64_t)bytes, (uint64_t)rate);
}

static void test_samples_stand_for_more(void **state)
{
    (void)state;
    struct recording rec;
    begin(&rec, 4096);
    uint32_t at = site(&rec, text(&rec, "app.py"), 0, 1, 0);
    take(&rec, 0x1000, 64, at);
    take(&rec, 0x2000, 1 << 20, at);
    take(&rec, 0x3000, 64, at);
    take(&rec, 0x4000, 64, at);
    forget(&rec, 0x3000); /* half of the small ones go when there are half as many samples */
    other(&rec, HW_RECORDING_RATE, 8192);
    take(&rec, 0x5000, 1000, at);
    end(&rec);
    struct hw_profile *profile = finish(&rec);
    double small = 1 / chance(64, 4096), live = 2 / chance(64, 8192) + 1 + 1 / chance(1000, 8192);
    const struct hw_amount *amounts = amounts_of(profile, 1);
    assert_int_equal(amounts[HW_MEASURE_LIVE].count, (uint64_t)(live + .5));
    assert_int_equal(amounts[HW_MEASURE_ALLOCATED].count,
                     (uint64_t)(3 * small + 1 + 1 / chance(1000, 8192) + .5));
    double bytes = 128 / chance(64, 8192) + (1 << 20) + 1000 / chance(1000, 8192);
    assert_true(fabs((double)amounts[HW_MEASURE_LIVE].bytes - bytes) < 3);
    assert_amount(amounts[HW_MEASURE_TEMPORARY], 0, 0);
    assert_int_equal(profile->rate_bytes, 8192);
    assert_int_equal(profile->sample_count, 5);
    hw_profile_destroy(profile);
}

/* Each change of the rate is a pass over all that is in use: there are only as many as it can double. */
static void test_a_rate_that_does_not_grow(void **state)
{
    (void)state;
    static const struct {
        uint64_t before, after;
    } wrong[] = {{0, 1024}, {1024, 1024}, {1024, 512}, {1024, 2047}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct recording rec;
        begin(&rec, wrong[i].before);
        other(&rec, HW_RECORDING_RATE, wrong[i].after);
        end(&rec);
        struct hw_profile *profile = finish(&rec);
        assert_non_null(strstr(profile->damage, "a rate of"));
        hw_profile_destroy(profile);
    }
}

static void test_more_bytes_than_can_be(void **state)
{
    (void)state;
    struct recording rec;
    begin(&rec, 0);
    uint32_t at = site(&rec, text(&rec, "app.py"), 0, 1, 0);
    for (uint64_t i = 0; i < 1 << 18; i++) {
        take(&rec, 0x10000 + i * 8, (UINT64_C(1) << 46) - 1, at);
        flush_long(&rec);
    }
    end(&rec);
    struct hw_profile *profile = finish(&rec);
    assert_non_null(strstr(profile->damage, "more bytes"));
    assert_true(profile->totals[HW_MEASURE_LIVE].bytes > UINT64_C(1) << 61);
    hw_profile_destroy(profile);
}

/* Those that no longer have a number of their own are one, and nothing is lost of what they do. */
static void test_more_threads_than_are_told_apart(void **state)
{
    (void)state;
    enum { THREADS = 70000 };
    struct recording rec;
    begin(&rec, 0);
    uint32_t at = site(&rec, text(&rec, "app.py"), 0, 1, 0);
    for (uint64_t i = 1; i <= THREADS; i++) {
        thread(&rec, i, 0);
        take(&rec, 0x10000 + i * 16, 16, at);
        flush_long(&rec);
    }
    end(&rec);
    struct hw_profile *profile = finish(&rec);
    assert_string_equal(profile->damage, "");
    assert_true(profile->thread_count <= 1 << 16);
    assert_int_equal(profile->totals[HW_MEASURE_LIVE].count, THREADS);
    hw_profile_destroy(profile);
}

static void test_native_frames(void **state)
{
    (void)state;
    struct recording rec;
    begin(&rec, 0);
    uint32_t python = site(&rec, text(&rec, "app.py"), text(&rec, "f"), 5, 0);
    take(&rec, 0x1000, 8,
         site(&rec, text(&rec, "/usr/lib/leaky.so"), HW_AGENT_NATIVE, 0x1139, python));
    end(&rec);
    struct hw_profile *profile = finish(&rec);
    const struct hw_site_frame *frame = profile->rows[0].frame;
    assert_true(frame->is_native && !frame->caller->is_native);
    assert_string_equal(frame->file, "/usr/lib/leaky.so");
    assert_string_equal(frame->function, "0x1139"); /* there is no such file */
    struct hw_allocations *answer = NULL;
    assert_true(
        hw_allocations_ask(profile, NULL, HW_ALLOCATIONS_BY_LINE, HW_MEASURE_LIVE, &answer, NULL));
    assert_string_equal(answer->rows[0].frame->file, "app.py"); /* it called the C code */
    hw_allocations_destroy(answer);
    hw_profile_destroy(profile);
}

static void test_moments(void **state)
{
    (void)state;
    struct recording rec;
    begin(&rec, 0);
    uint32_t at = site(&rec, text(&rec, "app.py"), 0, 1, 0);
    take(&rec, 0x10000, 16, at);
    for (unsigned i = 1; i < 20000; i++) {
        other(&rec, HW_RECORDING_TIME, 1000000);
        take_again(&rec, 0x10000 + i * 16);
    }
    for (unsigned i = 10; i < 20000; i++)
        give(&rec, 0x10000 + i * 16);
    end(&rec);
    struct hw_profile *profile = finish(&rec);
    assert_in_range(profile->moment_count, 400, 1000);
    uint64_t most = 0;
    for (size_t i = 0; i < profile->moment_count; i++) {
        const struct hw_profile_moment *moment = &profile->moments[i];
        assert_true(!i || moment->seconds >= moment[-1].seconds);
        if (moment->live_bytes > most)
            most = moment->live_bytes;
    }
    assert_int_equal(most, 20000 * 16);
    assert_int_equal(profile->moments[profile->moment_count - 1].live_bytes, 160);
    hw_profile_destroy(profile);
}

/* ---- damage ---- */

static void make_all_kinds(struct recording *rec)
{
    begin(rec, 512);
    uint32_t at = site(rec, text(rec, "app.py"), text(rec, "f"), 7, 0);
    thread(rec, 55, text(rec, "main"));
    take(rec, 0x7f0000001000, 100, at);
    take_again(rec, 0x7f0000002000);
    give(rec, 0x7f0000002000);
    flush(rec);
    rec->began_ns = 5;
    other(rec, HW_RECORDING_TIME, 300);
    take(rec, 0x7f0000002000, 4000, at);
    forget(rec, 0x7f0000001000);
    other(rec, HW_RECORDING_RATE, 1024);
    other(rec, HW_RECORDING_MISSED, 3);
    end(rec);
}

static void check_sound(const struct hw_profile *profile)
{
    for (size_t i = 0; i < profile->row_count; i++) {
        const struct hw_profile_row *row = &profile->rows[i];
        assert_true(row->thread < profile->thread_count);
        for (const struct hw_site_frame *frame = row->frame; frame; frame = frame->caller)
            assert_true(frame->file && frame->function);
    }
    for (enum hw_allocations_by by = HW_ALLOCATIONS_BY_LINE; by <= HW_ALLOCATIONS_BY_ALLOCATOR;
         by++) {
        struct hw_allocations *answer = NULL;
        assert_true(hw_allocations_ask(profile, profile, by, HW_MEASURE_PEAK, &answer, NULL));
        hw_allocations_destroy(answer);
    }
}

static void test_a_file_that_ends_anywhere(void **state)
{
    (void)state;
    struct recording rec;
    make_all_kinds(&rec);
    for (size_t bytes = 0; bytes < rec.file.len; bytes++) {
        struct hw_err err = HW_ERR_INIT;
        struct hw_profile *profile = read_bytes(rec.file.data, bytes, &err);
        if (!profile) {
            assert_int_equal(err.code, HW_ERR_CORRUPT);
            assert_true(bytes < 48 + 20);
            continue;
        }
        assert_false(profile->is_complete);
        assert_string_equal(profile->damage, "");
        assert_true(profile->row_count < 2);
        hw_profile_destroy(profile);
    }
    forget_recording(&rec);
}

static void test_each_byte_damaged(void **state)
{
    (void)state;
    struct recording rec;
    make_all_kinds(&rec);
    size_t damaged = 0;
    for (size_t at = 0; at < rec.file.len; at++)
        for (unsigned change = 1; change < 256; change++) {
            rec.file.data[at] ^= (unsigned char)change;
            struct hw_profile *profile = read_bytes(rec.file.data, rec.file.len, NULL);
            rec.file.data[at] ^= (unsigned char)change;
            if (!profile)
                continue;
            damaged += *profile->damage != 0;
            check_sound(profile);
            hw_profile_destroy(profile);
        }
    assert_true(damaged > 1000);
    forget_recording(&rec);
}

/* What was before the damage holds. */
static void test_damage_ends_it(void **state)
{
    (void)state;
    struct recording rec;
    begin(&rec, 0);
    uint32_t at = site(&rec, text(&rec, "app.py"), 0, 1, 0);
    take(&rec, 0x1000, 64, at);
    take(&rec, 0x2000, 64, at + 1); /* one that is still to be told */
    take(&rec, 0x3000, 64, at);
    end(&rec);
    struct hw_profile *profile = finish(&rec);
    assert_non_null(strstr(profile->damage, "a block that cannot be at byte "));
    assert_false(profile->is_complete);
    assert_amount(profile->totals[HW_MEASURE_LIVE], 1, 64);
    hw_profile_destroy(profile);
}

static void test_others_are_no_recordings(void **state)
{
    (void)state;
    struct hw_err err = HW_ERR_INIT;
    struct hw_profile *profile = NULL;
    assert_false(hw_recording_is("/proc/self/exe"));
    assert_false(hw_recording_is("/nonexistent"));
    assert_false(hw_recording_is("/dev/zero"));
    assert_false(hw_profile_read("/proc/self/exe", NULL, &profile, &err));
    assert_int_equal(err.code, HW_ERR_CORRUPT);
    assert_false(hw_profile_read("/nonexistent", NULL, &profile, &err));
    assert_int_equal(err.code, HW_ERR_NOT_FOUND);
    struct recording rec;
    begin(&rec, 0);
    rec.file.data[8] = 2;
    assert_null(read_bytes(rec.file.data, rec.file.len, &err));
    assert_int_equal(err.code, HW_ERR_TOO_NEW);
    forget_recording(&rec);
}

/* ---- the map ---- */

/* Against a plain array: blocks of neighbouring and of far addresses come and go. */
static void test_live_map(void **state)
{
    (void)state;
    enum { BLOCKS = 5000, STEPS = 100000 };
    struct hw_live_map map;
    uint64_t *sizes = calloc(BLOCKS, sizeof(*sizes)), random = 1;
    assert_true(hw_live_map_init(&map) && sizes);
    for (size_t i = 0; i < STEPS; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        size_t n = random >> 33 & 0xffff, at = n % BLOCKS;
        uint64_t units = at % 2 ? 1 + at : (UINT64_C(1) << HW_LIVE_UNIT_BITS) - 1 - at * 977;
        assert_true(hw_live_map_reserve(&map, 1));
        struct hw_live_slot *slot = hw_live_map_find(&map, units);
        assert_int_equal(slot->units_size != 0, sizes[at] != 0);
        if (slot->units_size) {
            assert_int_equal(hw_live_block_of(slot).bytes, sizes[at]);
            assert_int_equal(hw_live_block_of(slot).row, at);
            hw_live_map_remove(&map, slot);
            sizes[at] = 0;
        } else {
            sizes[at] = (random >> 17) & ((UINT64_C(1) << HW_LIVE_BYTES_BITS) - 1);
            sizes[at] |= 1;
            *slot = hw_live_pack(units, (struct hw_live_block){sizes[at], (uint32_t)at});
            map.count++;
        }
    }
    size_t left = 0;
    for (size_t i = 0; i < BLOCKS; i++)
        left += sizes[i] != 0;
    assert_int_equal(map.count, left);
    hw_live_map_deinit(&map);
    free(sizes);
}

/* ---- questions ---- */

static struct hw_profile *make_work(uint64_t scale)
{
    struct recording rec;
    begin(&rec, 0);
    uint32_t app = text(&rec, "/srv/app/app.py"), hub = text(&rec, "/srv/app/hub.py"),
             other_hub = text(&rec, "/srv/lib/hub.py"), serve = text(&rec, "serve"),
             add = text(&rec, "Hub.add"), main_thread = text(&rec, "MainThread");
    uint32_t outer = site(&rec, app, serve, 10, 0), again = site(&rec, app, serve, 10, outer),
             a = site(&rec, hub, add, 5, again), b = site(&rec, hub, add, 6, outer),
             c = site(&rec, other_hub, add, 5, outer);
    thread(&rec, 9, main_thread);
    take(&rec, 0x1000, 100 * scale, a);
    take(&rec, 0x2000, 10 * scale, b);
    take(&rec, 0x3000, 1, c);
    take(&rec, 0x4000, 1000, outer);
    end(&rec);
    return finish(&rec);
}

static struct hw_allocations *ask(const struct hw_profile *profile, const struct hw_profile *before,
                                  enum hw_allocations_by by)
{
    struct hw_allocations *answer = NULL;
    assert_true(hw_allocations_ask(profile, before, by, HW_MEASURE_LIVE, &answer, NULL));
    return answer;
}

static void test_allocations_by(void **state)
{
    (void)state;
    static const size_t rows[] = {
        [HW_ALLOCATIONS_BY_LINE] = 4,      [HW_ALLOCATIONS_BY_FILE] = 3,
        [HW_ALLOCATIONS_BY_TRACEBACK] = 4, [HW_ALLOCATIONS_BY_FUNCTION] = 3,
        [HW_ALLOCATIONS_BY_THREAD] = 1,    [HW_ALLOCATIONS_BY_ALLOCATOR] = 1};
    struct hw_profile *profile = make_work(1);
    for (size_t by = 0; by < sizeof(rows) / sizeof(*rows); by++) {
        struct hw_allocations *answer = ask(profile, NULL, (enum hw_allocations_by)by);
        assert_int_equal(answer->row_count, rows[by]);
        uint64_t bytes = 0;
        for (size_t i = 0; i < answer->row_count; i++) {
            bytes += answer->rows[i].amounts[HW_MEASURE_LIVE].bytes;
            assert_true(!i || answer->rows[i].amounts[HW_MEASURE_LIVE].bytes <=
                                  answer->rows[i - 1].amounts[HW_MEASURE_LIVE].bytes);
        }
        assert_int_equal(bytes, 1111);
        hw_allocations_destroy(answer);
    }
    hw_profile_destroy(profile);
}

static void test_two_recordings_compared(void **state)
{
    (void)state;
    struct hw_profile *before = make_work(1), *now = make_work(3);
    for (enum hw_allocations_by by = HW_ALLOCATIONS_BY_LINE; by <= HW_ALLOCATIONS_BY_ALLOCATOR;
         by++) {
        struct hw_allocations *one = ask(now, NULL, by), *two = ask(now, before, by);
        assert_int_equal(two->row_count, one->row_count);
        hw_allocations_destroy(one);
        hw_allocations_destroy(two);
    }
    struct hw_allocations *answer = ask(now, before, HW_ALLOCATIONS_BY_LINE);
    assert_string_equal(answer->rows[0].frame->function,
                        "Hub.add"); /* not the largest: it grew most */
    assert_int_equal(answer->rows[0].amounts[HW_MEASURE_LIVE].bytes, 300);
    assert_int_equal(answer->rows[0].before[HW_MEASURE_LIVE].bytes, 100);
    assert_int_equal(answer->totals_before[HW_MEASURE_LIVE].bytes, 1111);
    hw_allocations_destroy(answer);
    hw_profile_destroy(before);
    hw_profile_destroy(now);
}

static void test_lines(void **state)
{
    (void)state;
    struct hw_err err = HW_ERR_INIT;
    struct hw_profile *profile = make_work(1);
    struct hw_lines *lines = NULL;
    assert_false(hw_lines_ask(profile, "hub.py", false, &lines, &err));
    assert_int_equal(err.code, HW_ERR_USAGE);
    assert_false(hw_lines_ask(profile, "ub.py", false, &lines, &err));
    assert_int_equal(err.code, HW_ERR_NOT_FOUND);
    assert_true(hw_lines_ask(profile, "app/hub.py", false, &lines, &err));
    assert_string_equal(lines->file, "/srv/app/hub.py");
    assert_int_equal(lines->row_count, 2);
    assert_int_equal(lines->rows[1].line, 6);
    assert_amount(lines->rows[0].amounts[HW_MEASURE_LIVE], 1, 100);
    hw_lines_destroy(lines);
    assert_true(hw_lines_ask(profile, "app.py", false, &lines, &err));
    assert_amount(lines->rows[0].amounts[HW_MEASURE_LIVE], 1, 1000);
    hw_lines_destroy(lines);
    /* serve() calls itself once: its line counts once */
    assert_true(hw_lines_ask(profile, "app.py", true, &lines, &err));
    assert_int_equal(lines->row_count, 1);
    assert_amount(lines->rows[0].amounts[HW_MEASURE_LIVE], 4, 1111);
    assert_amount(lines->totals[HW_MEASURE_LIVE], 4, 1111);
    hw_lines_destroy(lines);
    hw_profile_destroy(profile);
}

/* ---- source ---- */

static struct hw_source *source_of(const char *text)
{
    char path[64];
    struct hw_source *source = NULL;
    int fd = memfd_create("source", MFD_CLOEXEC);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    assert_true(hw_source_read(path, &source, NULL));
    close(fd);
    return source;
}

static void test_source(void **state)
{
    (void)state;
    static const struct hw_source_function expected[] = {
        {"f", 2, 5}, {"A.g", 8, 15}, {"A.B.h", 18, 18}, {"last", 21, 26}};
    struct hw_source *source = source_of("import x\n"
                                         "def f():\n"
                                         "    return '''\n"
                                         "def no():\n"
                                         "'''\n"
                                         "\n"
                                         "class A:\n"
                                         "\t@x.cached(\n"
                                         "  1)\n"
                                         "\tasync def g(self, a=')',\n"
                                         "def_=2):\n"
                                         "\t\tdef inner():\n"
                                         "# def comment():\n"
                                         "\t\t\treturn \"\\\"\" # '''\n"
                                         "\t\treturn inner\n"
                                         "\n"
                                         "\tclass B(object):\n"
                                         "\t\tdef h(self): pass\n"
                                         "\n"
                                         "x = f()\n"
                                         "def last():\r\n"
                                         "    x = 1 + \\\n"
                                         "1\n"
                                         "    return [\n"
                                         "x\n"
                                         "]");
    assert_int_equal(source->line_count, 26);
    assert_string_equal(source->lines[7], "        @x.cached(");
    assert_string_equal(source->lines[20], "def last():");
    assert_int_equal(source->function_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(source->functions[i].name, expected[i].name);
        assert_int_equal(source->functions[i].first, expected[i].first);
        assert_int_equal(source->functions[i].last, expected[i].last);
    }
    hw_source_destroy(source);
    source = source_of("");
    assert_int_equal(source->line_count, 0);
    hw_source_destroy(source);
    source = source_of("def f(:\n '\n \"\"\" \\");
    assert_int_equal(source->functions[0].last, 3);
    hw_source_destroy(source);
    assert_false(hw_source_read("/", &source, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_measures),
        cmocka_unit_test(test_the_peak_by_row),
        cmocka_unit_test(test_temporary_is_of_its_thread),
        cmocka_unit_test(test_samples_stand_for_more),
        cmocka_unit_test(test_a_rate_that_does_not_grow),
        cmocka_unit_test(test_more_bytes_than_can_be),
        cmocka_unit_test(test_more_threads_than_are_told_apart),
        cmocka_unit_test(test_native_frames),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_a_file_that_ends_anywhere),
        cmocka_unit_test(test_each_byte_damaged),
        cmocka_unit_test(test_damage_ends_it),
        cmocka_unit_test(test_others_are_no_recordings),
        cmocka_unit_test(test_live_map),
        cmocka_unit_test(test_allocations_by),
        cmocka_unit_test(test_two_recordings_compared),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "image/source.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024, BIG = 40 * CHUNK + 100 };

/* Each byte tells its place. */
static unsigned char byte_of(size_t at)
{
    return (unsigned char)(at * 31 + (at >> 8) * 7 + (at >> 16));
}

static unsigned char *big_data(void)
{
    unsigned char *data = malloc(BIG);
    for (size_t i = 0; i < BIG; i++)
        data[i] = byte_of(i);
    return data;
}

/* A big segment, one that touches its end, and a small one far away. */
static struct hw_image *open_three(void)
{
    unsigned char *data = big_data();
    struct hw_memory_segment segments[] = {
        {0x7f0000000000, "far away", 9, HW_PROT_READ},
        {0x10000000 + BIG, "behind", 7, HW_PROT_READ},
        {0x10000000, data, BIG, HW_PROT_READ | HW_PROT_WRITE},
    };
    struct hw_image *image = NULL;
    assert_true(hw_image_open_memory(segments, 3, &image, NULL));
    free(data);
    return image;
}

static void bounds(void **state)
{
    struct hw_image *image = open_three();
    hw_addr base = 0x10000000, end = base + BIG;
    assert_null(hw_image_at(image, base - 1, 1));
    assert_null(hw_image_at(image, base - 1, 0));
    assert_null(hw_image_at(image, 0, 1));
    assert_null(hw_image_at(image, UINT64_MAX, 1));
    assert_non_null(hw_image_at(image, base, 0));
    assert_non_null(hw_image_at(image, base, BIG));
    assert_null(hw_image_at(image, base, SIZE_MAX));
    assert_null(hw_image_at(image, base + 1, SIZE_MAX - base));
    assert_memory_equal(hw_image_at(image, end, 7), "behind", 7);
    assert_null(hw_image_at(image, end, 8));
    assert_null(hw_image_at(image, end + 7, 1));
    assert_string_equal(hw_image_at(image, 0x7f0000000000, 9), "far away");
    hw_image_close(image);
}

static void neighbours_are_contiguous(void **state)
{
    struct hw_image *image = open_three();
    const unsigned char *p = hw_image_at(image, 0x10000000 + BIG - 2, 9);
    assert_non_null(p);
    assert_int_equal(p[0], byte_of(BIG - 2));
    assert_int_equal(p[1], byte_of(BIG - 1));
    assert_memory_equal(p + 2, "behind", 7);
    assert_null(hw_image_at(image, 0x10000000 + BIG - 2, 10));
    hw_image_close(image);
}

static void every_byte_is_right(void **state)
{
    struct hw_image *image = open_three();
    srand(7);
    for (int i = 0; i < 20000; i++) {
        size_t at = (size_t)rand() % BIG, bytes = (size_t)rand() % (3 * CHUNK);
        const unsigned char *p = hw_image_at(image, 0x10000000 + at, bytes);
        if (at + bytes > BIG + 7) {
            assert_null(p);
            continue;
        }
        assert_non_null(p);
        assert_int_equal(p[0], byte_of(at));
        size_t last = at + bytes > BIG ? BIG - 1 : at + (bytes ? bytes - 1 : 0);
        assert_int_equal(p[last - at], byte_of(last));
    }
    assert_true(image->loaded_bytes <= BIG + 16);
    hw_image_close(image);
}

static void trim_keeps_the_budget(void **state)
{
    struct hw_image *image = open_three();
    image->budget_bytes = 8 * CHUNK;
    for (size_t round = 0; round < 3; round++) {
        for (size_t at = 0; at + 8 < BIG; at += 1000) {
            const unsigned char *p = hw_image_at(image, 0x10000000 + at, 8);
            assert_non_null(p);
            for (size_t i = 0; i < 8; i++)
                assert_int_equal(p[i], byte_of(at + i));
            hw_image_trim(image);
            assert_true(image->loaded_bytes <= image->budget_bytes);
        }
    }
    assert_true(image->read_bytes > BIG);
    hw_image_close(image);
}

/* What is in constant use stays, while other chunks come and go. */
static void trim_prefers_the_unused(void **state)
{
    struct hw_image *image = open_three();
    image->budget_bytes = 16 * CHUNK;
    for (size_t at = 0; at < 30 * CHUNK; at += CHUNK) {
        assert_non_null(hw_image_at(image, 0x10000000, 8));
        assert_non_null(hw_image_at(image, 0x10000000 + at, 8));
        hw_image_trim(image);
    }
    uint64_t before = image->read_bytes;
    assert_non_null(hw_image_at(image, 0x10000000, 8));
    assert_int_equal(image->read_bytes, before);
    hw_image_close(image);
}

static void no_budget_trims_nothing(void **state)
{
    struct hw_image *image = open_three();
    const void *p = hw_image_at(image, 0x10000000, BIG);
    uint64_t loaded = image->loaded_bytes;
    hw_image_trim(image);
    assert_int_equal(image->loaded_bytes, loaded);
    assert_ptr_equal(hw_image_at(image, 0x10000000, BIG), p);
    hw_image_close(image);
}

static void strings(void **state)
{
    struct hw_image *image = open_three();
    char text[32];
    assert_true(hw_image_read_string(image, 0x7f0000000000, text, sizeof(text)));
    assert_string_equal(text, "far away");
    assert_true(hw_image_read_string(image, 0x7f0000000000, text, 9));
    assert_false(hw_image_read_string(image, 0x7f0000000000, text, 8));
    assert_false(hw_image_read_string(image, 0x7f0000000000, text, 0));
    assert_false(hw_image_read_string(image, 0x7f0000000009, text, sizeof(text)));
    assert_false(hw_image_read_string(image, 0, text, sizeof(text)));
    /* ends where its segment does, without a zero */
    struct hw_memory_segment open_end = {0x1000, "abc", 3, HW_PROT_READ};
    struct hw_image *other;
    assert_true(hw_image_open_memory(&open_end, 1, &other, NULL));
    assert_false(hw_image_read_string(other, 0x1000, text, sizeof(text)));
    hw_image_close(other);
    hw_image_close(image);
}

static void bad_segments_are_refused(void **state)
{
    struct hw_memory_segment overlapping[] = {{0x1000, "abc", 3, 0}, {0x1002, "abc", 3, 0}};
    struct hw_memory_segment empty = {0x1000, "", 0, 0};
    struct hw_memory_segment wrapping = {UINT64_MAX, "abc", 3, 0};
    struct hw_image *image;
    struct hw_err err = HW_ERR_INIT;
    assert_false(hw_image_open_memory(overlapping, 2, &image, &err));
    assert_int_equal(err.code, HW_ERR_USAGE);
    assert_false(hw_image_open_memory(&empty, 1, &image, &err));
    assert_false(hw_image_open_memory(&wrapping, 1, &image, &err));
    assert_true(hw_image_open_memory(NULL, 0, &image, &err));
    assert_null(hw_image_at(image, 0, 1));
    hw_image_trim(image);
    hw_image_close(image);
}

/* ---- a real process: a child that waits to be killed ---- */

struct child {
    pid_t pid;
    unsigned char *memory;      /* BIG bytes, known content */
    volatile unsigned *counter; /* shared with us */
};

static struct child child_start(void)
{
    struct child child;
    child.memory = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    child.counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    child.pid = fork();
    if (child.pid == 0) {
        for (size_t i = 0; i < BIG; i++)
            child.memory[i] = byte_of(i);
        for (;;)
            ++*child.counter;
    }
    while (*child.counter < 1000)
        usleep(1000);
    return child;
}

static void child_end(struct child *child)
{
    kill(child->pid, SIGKILL);
    waitpid(child->pid, NULL, 0);
    munmap(child->memory, BIG);
    munmap((void *)child->counter, 4096);
}

static void check_big(struct hw_image *image, const struct child *child)
{
    const unsigned char *p = hw_image_at(image, (hw_addr)child->memory, BIG);
    assert_non_null(p);
    for (size_t i = 0; i < BIG; i += 97)
        assert_int_equal(p[i], byte_of(i));
}

static void assert_runs(const struct child *child)
{
    unsigned before = *child->counter;
    for (int i = 0; i < 2000 && *child->counter == before; i++)
        usleep(1000);
    assert_int_not_equal(*child->counter, before);
}

static void live_process(void **state)
{
    struct child child = child_start();
    struct hw_image *image;
    assert_true(hw_image_open_live(child.pid, &image, NULL));
    assert_int_equal(image->thread_count, 1);
    assert_int_equal(image->threads[0].tid, child.pid);
    assert_false(image->threads[0].has_regs);
    check_big(image, &child);
    assert_null(hw_image_at(image, 0, 8));
    hw_image_close(image);
    child_end(&child);
}

/* Maps a page at place once the word is 1, and says so with 2. */
static void map_when_told(volatile unsigned *word, void *place)
{
    while (*word != 1)
        usleep(1000);
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    unsigned *page = mmap(place, 4096, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (page == MAP_FAILED)
        _exit(1);
    *page = 4711;
    *word = 2;
    for (;;)
        pause();
}

/* Where a page fits that a child of ours can map: sanitizers and the loader own the rest. */
static void *place_without_mapping(void)
{
    void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page, 4096);
    return page;
}

static void later_mappings(void **state)
{
    volatile unsigned *word =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    void *place = place_without_mapping();
    struct hw_image *live;
    pid_t pid = fork();
    if (!pid)
        map_when_told(word, place);
    assert_true(hw_image_open_live(pid, &live, NULL));
    *word = 1;
    while (*word != 2) {
        assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
        usleep(1000);
    }
    assert_int_equal(hw_image_word32(live, (hw_addr)(uintptr_t)place), 0);
    hw_image_renew(live);
    assert_int_equal(hw_image_word32(live, (hw_addr)(uintptr_t)place), 4711);
    hw_image_close(live);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    munmap((void *)word, 4096);
}

static void frozen(enum hw_freeze freeze)
{
    struct child child = child_start();
    struct hw_freeze_options opts = {.freeze = freeze};
    struct hw_freeze_result result;
    struct hw_image *live, *image;
    assert_true(hw_image_open_live(child.pid, &live, NULL));
    assert_true(hw_image_freeze(live, &opts, &image, &result, NULL));
    assert_runs(&child);
    assert_true(result.calm);
    assert_int_equal(result.retries, 0);
    assert_int_equal(image->pid, child.pid);
    assert_true(image->pause_ns > 0 && image->pause_ns < 1000000000);
    assert_true(image->threads[0].has_regs);
    assert_non_null(hw_image_segment(image, image->threads[0].sp));
    assert_non_null(hw_image_segment(image, image->threads[0].ip));
    check_big(image, &child);
    assert_false(image->lost);
    hw_image_close(image);
    hw_image_close(live);
    assert_runs(&child);
    child_end(&child);
}

static void twin(void **state)
{
    frozen(HW_FREEZE_TWIN);
}

static void stopped(void **state)
{
    frozen(HW_FREEZE_STOP);
}

static volatile unsigned *shared_word(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(p != MAP_FAILED);
    return p;
}

/* Ends the bad moment after a while, as a collector does. */
static void *calm_down(void *word)
{
    usleep(30000);
    *(volatile unsigned *)word = 0;
    return NULL;
}

static void calm_is_waited_for(void **state)
{
    volatile unsigned *word = shared_word();
    struct hw_freeze_options opts = {.retries = 100000, .busy = {{(hw_addr)(uintptr_t)word}, 1}};
    struct hw_freeze_result result;
    struct hw_image *live, *image;
    pthread_t thread;
    *word = 1;
    pid_t pid = fork();
    while (!pid)
        pause();
    assert_true(hw_image_open_live(pid, &live, NULL));
    assert_int_equal(pthread_create(&thread, NULL, calm_down, (void *)word), 0);
    assert_true(hw_image_freeze(live, &opts, &image, &result, NULL));
    pthread_join(thread, NULL);
    assert_true(result.retries > 0);
    assert_true(result.calm);
    hw_image_close(image);
    *word = 1;
    opts.retries = 2;
    assert_true(hw_image_freeze(live, &opts, &image, &result, NULL));
    assert_int_equal(result.retries, 2);
    assert_false(result.calm);
    hw_image_close(image);
    hw_image_close(live);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    munmap((void *)word, 4096);
}

static int64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void idleness_is_waited_for(void **state)
{
    const int64_t minute = INT64_C(60000000000);
    volatile unsigned *word = shared_word();
    struct hw_freeze_options opts = {.retries = 50, .working = {{(hw_addr)(uintptr_t)word}, 1}};
    struct hw_freeze_result result;
    struct hw_image *live, *image;
    pthread_t thread;
    *word = 1;
    pid_t pid = fork();
    while (!pid)
        pause();
    assert_true(hw_image_open_live(pid, &live, NULL));
    assert_int_equal(pthread_create(&thread, NULL, calm_down, (void *)word), 0);
    opts.deadline_ns = clock_ns() + minute;
    assert_true(hw_image_freeze(live, &opts, &image, &result, NULL));
    assert_int_equal(*word, 0);
    assert_int_equal(result.retries, 0); /* it was not stopped for that */
    pthread_join(thread, NULL);
    assert_true(clock_ns() < opts.deadline_ns);
    hw_image_close(image);
    *word = 1;
    opts.deadline_ns = clock_ns() + 20000000;
    assert_true(hw_image_freeze(live, &opts, &image, &result, NULL));
    assert_true(clock_ns() >= opts.deadline_ns);
    hw_image_close(image);
    hw_image_close(live);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    munmap((void *)word, 4096);
}

static void *cancel_soon(void *cancel)
{
    usleep(30000);
    *(volatile int *)cancel = 1;
    return NULL;
}

static void cancel_leaves_nothing(void **state)
{
    struct child child = child_start();
    volatile int cancel = 0;
    /* The counter is never zero: the moment is never good. */
    struct hw_freeze_options opts = {.retries = 1000000,
                                     .busy = {{(hw_addr)(uintptr_t)child.counter}, 1},
                                     .cancel = &cancel};
    struct hw_err err = HW_ERR_INIT;
    struct hw_image *live, *image;
    pthread_t thread;
    assert_true(hw_image_open_live(child.pid, &live, NULL));
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, (void *)&cancel), 0);
    assert_false(hw_image_freeze(live, &opts, &image, NULL, &err));
    pthread_join(thread, NULL);
    assert_int_equal(err.code, HW_ERR_INTERRUPTED);
    hw_image_close(live);
    assert_runs(&child);
    child_end(&child);
}

static void refused(void **state)
{
    struct hw_err err = HW_ERR_INIT;
    struct hw_image *image;
    assert_false(hw_image_open_live(0, &image, &err));
    assert_int_equal(err.code, HW_ERR_NOT_FOUND);
    assert_false(hw_image_open_live(0x3ffffffe, &image, &err));
    assert_int_equal(err.code, HW_ERR_NOT_FOUND);
    pid_t zombie = fork();
    if (zombie == 0)
        _exit(0);
    siginfo_t info;
    waitid(P_PID, (id_t)zombie, &info, WEXITED | WNOWAIT);
    assert_false(hw_image_open_live(zombie, &image, &err));
    assert_int_equal(err.code, HW_ERR_GONE);
    waitpid(zombie, NULL, 0);
}

static void exit_is_noticed(void **state)
{
    struct child child = child_start();
    struct hw_freeze_options opts = {0};
    struct hw_err err = HW_ERR_INIT;
    struct hw_image *live, *image;
    assert_true(hw_image_open_live(child.pid, &live, NULL));
    hw_addr memory = (hw_addr)child.memory;
    child_end(&child);
    assert_null(hw_image_at(live, memory, 8));
    assert_true(live->lost);
    assert_false(hw_image_freeze(live, &opts, &image, NULL, &err));
    assert_int_equal(err.code, HW_ERR_GONE);
    hw_image_close(live);
}

/* The twin keeps its bytes after the target's end. */
static void twin_outlives_target(void **state)
{
    struct child child = child_start();
    struct hw_freeze_options opts = {0};
    struct hw_image *live, *image;
    assert_true(hw_image_open_live(child.pid, &live, NULL));
    assert_true(hw_image_freeze(live, &opts, &image, NULL, NULL));
    kill(child.pid, SIGKILL);
    waitpid(child.pid, NULL, 0);
    check_big(image, &child);
    hw_image_close(image);
    hw_image_close(live);
    child_end(&child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds),
        cmocka_unit_test(neighbours_are_contiguous),
        cmocka_unit_test(every_byte_is_right),
        cmocka_unit_test(trim_keeps_the_budget),
        cmocka_unit_test(trim_prefers_the_unused),
        cmocka_unit_test(no_budget_trims_nothing),
        cmocka_unit_test(strings),
        cmocka_unit_test(bad_segments_are_refused),
        cmocka_unit_test(live_process),
        cmocka_unit_test(later_mappings),
        cmocka_unit_test(twin),
        cmocka_unit_test(stopped),
        cmocka_unit_test(calm_is_waited_for),
        cmocka_unit_test(idleness_is_waited_for),
        cmocka_unit_test(cancel_leaves_nothing),
        cmocka_unit_test(refused),
        cmocka_unit_test(exit_is_noticed),
        cmocka_unit_test(twin_outlives_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

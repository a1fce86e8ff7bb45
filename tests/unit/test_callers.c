/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "native/callers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that waits below functions of ours, as the walk shall find them. */

static volatile int sink;

static __attribute__((noinline)) int innermost(int depth)
{
    char room[200];
    memset(room, depth, sizeof(room));
    pause();
    return room[sink & 127] + sink;
}

static __attribute__((noinline)) int middle(int depth)
{
    int sum = depth > 0 ? middle(depth - 1) : innermost(depth);
    return sum + sink;
}

static __attribute__((noinline)) void on_signal(int number)
{
    sink += innermost(number);
}

enum { MIDDLES = 20 };

static void child_live(bool in_handler)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGUSR1, on_signal);
    if (in_handler)
        raise(SIGUSR1);
    for (;;)
        sink += middle(MIDDLES - 1);
}

struct child {
    pid_t pid;
    struct hw_image *image;
    struct hw_module *modules;
    size_t module_count;
    struct hw_regs regs;
};

static void child_start(struct child *child, bool in_handler)
{
    int status;
    child->pid = fork();
    if (child->pid == 0)
        child_live(in_handler);
    char state = 0;
    while (state != 'S') { /* it waits */
        char path[64], text[256] = "";
        snprintf(path, sizeof(path), "/proc/%d/stat", child->pid);
        FILE *file = fopen(path, "re");
        assert_non_null(file);
        assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
        fclose(file);
        state = strrchr(text, ')')[2];
    }
    assert_false(ptrace(PTRACE_SEIZE, child->pid, 0, 0));
    assert_false(ptrace(PTRACE_INTERRUPT, child->pid, 0, 0));
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    assert_true(hw_arch_regs_get(child->pid, &child->regs));
    assert_true(hw_image_open_live(child->pid, &child->image, NULL));
    assert_true(hw_modules_list(child->image, &child->modules, &child->module_count, NULL));
}

static void child_end(struct child *child)
{
    kill(child->pid, SIGKILL);
    waitpid(child->pid, NULL, 0);
    hw_image_close(child->image);
    free(child->modules);
}

static void callers_are_found(void **state)
{
    struct child child;
    struct hw_callers callers;
    unsigned innermosts = 0, middles = 0;
    child_start(&child, false);
    hw_callers_begin(&callers, child.image, child.modules, child.module_count, &child.regs);
    do {
        assert_non_null(callers.module);
        innermosts += callers.function == (hw_addr)(uintptr_t)innermost;
        middles += callers.function == (hw_addr)(uintptr_t)middle;
    } while (hw_callers_next(&callers));
    assert_true(callers.complete);
    assert_int_equal(innermosts, 1);
    assert_int_equal(middles, MIDDLES);
    child_end(&child);
}

/* What a handler has interrupted is not looked at. */
static void a_signal_handler_ends_the_walk(void **state)
{
    struct child child;
    struct hw_callers callers;
    unsigned innermosts = 0;
    child_start(&child, true);
    hw_callers_begin(&callers, child.image, child.modules, child.module_count, &child.regs);
    do
        innermosts += callers.function == (hw_addr)(uintptr_t)innermost;
    while (hw_callers_next(&callers));
    assert_int_equal(innermosts, 1);
    assert_false(callers.complete);
    child_end(&child);
}

/* ---- hostile memory ---- */

enum { SEGMENTS_MAX = 16, ROUNDS = 3000 };

struct copy {
    struct hw_memory_segment segments[SEGMENTS_MAX];
    unsigned char *data[SEGMENTS_MAX];
    size_t count;
};

static void copy_make(struct copy *copy, const struct child *child, const struct hw_module *module)
{
    for (size_t i = 0; i < child->image->segment_count && copy->count < SEGMENTS_MAX; i++) {
        const struct hw_segment *segment = &child->image->segments[i];
        size_t bytes = segment->end - segment->start;
        bool wanted = segment->start >= module->start && segment->end <= module->end;
        if (!wanted && strcmp(segment->path, "[stack]") != 0)
            continue;
        unsigned char *data = malloc(bytes);
        assert_non_null(data);
        assert_true(hw_image_read(child->image, segment->start, data, bytes));
        copy->data[copy->count] = data;
        copy->segments[copy->count++] =
            (struct hw_memory_segment){segment->start, data, bytes, segment->prot};
    }
}

/* Walks up to our own code: what is above it is not in the copy. */
static void walk_to_ours(struct hw_callers *callers, const struct child *child)
{
    hw_callers_begin(callers, child->image, child->modules, child->module_count, &child->regs);
    while (callers->function != (hw_addr)(uintptr_t)innermost)
        assert_true(hw_callers_next(callers));
}

static unsigned next_random(unsigned *random)
{
    *random = *random * 1103515245 + 12345;
    return *random >> 8;
}

/* Of each two rounds one damages the records of frames, one whatever comes. */
static void damage(struct copy *copy, const struct hw_symbol *records, unsigned round,
                   unsigned *random)
{
    size_t which = next_random(random) % copy->count;
    size_t at = next_random(random) % copy->segments[which].bytes;
    hw_addr addr = records->addr + next_random(random) % records->bytes;
    for (size_t i = 0; round % 2 && i < copy->count; i++)
        if (addr - copy->segments[i].start < copy->segments[i].bytes) {
            which = i;
            at = addr - copy->segments[i].start;
        }
    copy->data[which][at] = (unsigned char)next_random(random);
}

/* Whatever the bytes say, a walk ends. Damage gathers. */
static void damage_ends_the_walk(void **state)
{
    struct child child;
    struct copy copy = {0};
    struct hw_callers ours;
    struct hw_symbol records;
    unsigned random = 1, steps = 0;
    child_start(&child, false);
    walk_to_ours(&ours, &child);
    assert_true(hw_module_section(child.image, ours.module, ".eh_frame", &records));
    copy_make(&copy, &child, ours.module);
    ours.modules = ours.module;
    ours.module_count = 1;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct hw_callers callers = ours;
        assert_true(hw_image_open_memory(copy.segments, copy.count, &callers.image, NULL));
        while (hw_callers_next(&callers))
            steps++;
        hw_image_close(callers.image);
        damage(&copy, &records, round, &random);
    }
    assert_true(steps > MIDDLES);
    for (size_t i = 0; i < copy.count; i++)
        free(copy.data[i]);
    child_end(&child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(callers_are_found),
        cmocka_unit_test(a_signal_handler_ends_the_walk),
        cmocka_unit_test(damage_ends_the_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

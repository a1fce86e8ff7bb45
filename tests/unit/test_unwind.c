/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/unwind-table.h"
#include "agent/unwind.h"

#include <alloca.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

/* The agent's stacks against those of libgcc's unwinder, which throws C++ exceptions. */

enum { DEPTH_MAX = 64, PAGE = 4096 };

struct stack {
    uintptr_t pcs[DEPTH_MAX];
    size_t depth;
};
static struct stack ours, theirs;
static size_t compared;

static _Unwind_Reason_Code theirs_add(struct _Unwind_Context *context, void *ctx)
{
    struct stack *stack = ctx;
    if (stack->depth == DEPTH_MAX)
        return _URC_END_OF_STACK;
    stack->pcs[stack->depth++] = _Unwind_GetIP(context);
    return _URC_NO_REASON;
}

static void ours_find(struct stack *stack)
{
    struct hw_unwind unwind = {0};
    struct hw_code code;
    HW_UNWIND_HERE(unwind);
    stack->depth = 0;
    while (stack->depth < DEPTH_MAX && hw_code_find(unwind.pc, &code)) {
        stack->pcs[stack->depth++] = unwind.pc + 1;
        if (!hw_unwind_up(&unwind, &code))
            break;
    }
}

/* The first of each are not the same: where each of them asked. The last of theirs may be 0, above
 * all. */
static __attribute__((noinline)) void compare(size_t at_least)
{
    theirs.depth = 0;
    ours_find(&ours);
    _Unwind_Backtrace(theirs_add, &theirs);
    size_t end = theirs.depth;
    while (end && !theirs.pcs[end - 1])
        end--;
    assert_true(end >= at_least);
    for (size_t i = 2; i < end && i < ours.depth; i++)
        assert_int_equal(ours.pcs[i], theirs.pcs[i - 1]);
    /* ours_find() and compare() against compare() alone */
    assert_int_equal(ours.depth, end + 1 > DEPTH_MAX ? DEPTH_MAX : end + 1);
    compared++;
}

/* Work behind a call, so that no compiler makes a loop of it. */
#define LATER() __asm__ volatile("" ::: "memory")

static __attribute__((noinline)) void nested(int depth, unsigned more)
{
    char *room = alloca((more & 0xff) + 16);
    memset(room, (int)more, 16);
    if (depth)
        nested(depth - 1, more * 31 + (unsigned)depth);
    else
        compare(6);
    LATER();
}

static __attribute__((noinline, optimize("no-omit-frame-pointer"))) void with_frame(int depth)
{
    if (depth)
        with_frame(depth - 1);
    else
        nested(4, 77);
    LATER();
}

static __attribute__((noinline, optimize("omit-frame-pointer"))) void without_frame(int depth)
{
    if (depth)
        without_frame(depth - 1);
    else
        with_frame(3);
    LATER();
}

static int from_qsort(const void *a, const void *b)
{
    compare(6);
    return *(const int *)a - *(const int *)b;
}

static void same_as_libgcc(void **state)
{
    int numbers[] = {5, 3, 9, 1, 7};
    compared = 0;
    for (unsigned more = 0; more < 200; more++)
        nested(6 + (int)(more % 20), more);
    without_frame(5);
    qsort(numbers, 5, sizeof(numbers[0]), from_qsort);
    bsearch(&numbers[2], numbers, 5, sizeof(numbers[0]), from_qsort);
    assert_true(compared > 200);
}

static void *in_thread(void *arg)
{
    nested(9, 3);
    nested(50, 4);
    without_frame(2);
    return arg;
}

static void same_in_a_thread(void **state)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, in_thread, NULL), 0);
    pthread_join(thread, NULL);
}

/* ---- stacks that are none ---- */

static ucontext_t back, coroutine;

static void in_coroutine(void)
{
    ours_find(&ours);
    swapcontext(&coroutine, &back);
}

/* Its stack ends where memory does. */
static void ends_with_memory(void **state)
{
    size_t bytes = 16 * PAGE;
    char *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(room, MAP_FAILED);
    assert_int_equal(mprotect(room + bytes - PAGE, PAGE, PROT_NONE), 0);
    getcontext(&coroutine);
    coroutine.uc_stack.ss_sp = room;
    coroutine.uc_stack.ss_size = bytes - PAGE;
    coroutine.uc_link = NULL;
    makecontext(&coroutine, in_coroutine, 0);
    ours.depth = 0;
    swapcontext(&back, &coroutine);
    assert_true(ours.depth >= 2 && ours.depth < 8);
    munmap(room, bytes);
}

static __attribute__((optimize("no-omit-frame-pointer"))) void garbage_is_not_followed(void **state)
{
    struct hw_unwind unwind = {0};
    struct hw_code code;
    HW_UNWIND_HERE(unwind);
    assert_true(hw_code_find(unwind.pc, &code));
    assert_true(hw_unwind_rule_find(unwind.pc, &code).from_bp);
    const uintptr_t wrong[] = {0,
                               1,
                               8,
                               unwind.sp - 64,
                               unwind.bp + 1,
                               0x7ffffffff000,
                               UINTPTR_MAX - 7,
                               UINTPTR_MAX - 15,
                               UINTPTR_MAX / 2 + 1};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct hw_unwind bad = unwind;
        bad.bp = wrong[i];
        assert_false(hw_unwind_up(&bad, &code));
    }
    assert_true(hw_unwind_up(&unwind, &code));
}

/* ---- tables that are damaged ---- */

/* The segment that has the tables, copied: all in it is told by distances. */
struct copy {
    struct hw_code code;
    uintptr_t moved; /* from where it was */
};

static int segment_copy(struct dl_phdr_info *info, size_t bytes, void *ctx)
{
    struct copy *copy = ctx;
    const ElfW(Phdr) *tables = NULL;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_GNU_EH_FRAME)
            tables = &info->dlpi_phdr[i];
    for (int i = 0; tables && i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || tables->p_vaddr - part->p_vaddr >= part->p_memsz)
            continue;
        char *room = malloc(part->p_memsz);
        assert_non_null(room);
        int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        assert_int_equal(pread(fd, room, part->p_filesz, (off_t)part->p_offset), part->p_filesz);
        close(fd);
        copy->moved = (uintptr_t)room - (info->dlpi_addr + part->p_vaddr);
        copy->code = (struct hw_code){(uintptr_t)room, (uintptr_t)room + part->p_memsz, NULL,
                                      (uint8_t *)room + (tables->p_vaddr - part->p_vaddr)};
    }
    return 1; /* the program itself comes first */
}

static void damaged_tables(void **state)
{
    struct copy copy = {0};
    dl_iterate_phdr(segment_copy, &copy);
    assert_non_null(copy.code.unwind);
    uintptr_t pc = (uintptr_t)damaged_tables + 40 + copy.moved;
    uint8_t *tables = (uint8_t *)copy.code.unwind;
    size_t bytes = copy.code.end - (uintptr_t)tables, known = 0;
    assert_true(hw_unwind_rule_find(pc, &copy.code).is_known);
    srandom(1);
    for (int turn = 0; turn < 20000; turn++) {
        size_t at = (size_t)random() % (turn % 2 ? bytes : bytes / 8);
        uint8_t was = tables[at];
        tables[at] = (uint8_t)random();
        for (uintptr_t near = pc - 4000; near < pc + 4000; near += 1337)
            known += hw_unwind_rule_find(near, &copy.code).is_known;
        tables[at] = was;
    }
    assert_true(known > 0);
    free((void *)copy.code.start);
}

static int begin(void **state)
{
    hw_code_begin();
    hw_unwind_begin();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_libgcc),   cmocka_unit_test(same_in_a_thread),
        cmocka_unit_test(ends_with_memory), cmocka_unit_test(garbage_is_not_followed),
        cmocka_unit_test(damaged_tables),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "native/symbols.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char program[4096];

static __attribute__((noinline)) uintptr_t return_address(void)
{
    return (uintptr_t)__builtin_return_address(0);
}

static uint64_t below(uintptr_t pc)
{
    Dl_info info;
    assert_true(dladdr((void *)pc, &info));
    return pc - (uintptr_t)info.dli_fbase;
}

static void a_line_and_a_function(void **state)
{
    struct hw_symbols *symbols;
    struct hw_code_place place, again;
    assert_true(hw_symbols_create(NULL, NULL, 0, time(NULL) + 60, &symbols));
    uint32_t line = __LINE__ + 1;
    uint64_t addr = below(return_address());
    assert_true(hw_symbols_find(symbols, program, addr, &place));
    const char *slash = strrchr(place.file, '/');
    assert_string_equal(slash ? slash + 1 : place.file, "test_symbols.c");
    assert_string_equal(place.function, "a_line_and_a_function (test_symbols)");
    assert_int_equal(place.line, line);
    assert_true(hw_symbols_find(symbols, program, addr, &again));
    assert_ptr_equal(again.file, place.file);
    hw_symbols_destroy(symbols);
}

static void what_is_not_known_is_an_address(void **state)
{
    struct hw_symbols *symbols;
    struct hw_code_place place;
    assert_true(hw_symbols_create(NULL, NULL, 0, time(NULL) + 60, &symbols));
    assert_true(hw_symbols_find(symbols, program, 1, &place));
    assert_string_equal(place.file, program);
    assert_string_equal(place.function, "0x1");
    assert_int_equal(place.line, 0);
    static const char *const none[] = {"",          "/",           "/no/such/file",
                                       "/dev/null", "/etc/passwd", "relative"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_true(hw_symbols_find(symbols, none[i], 0x1234, &place));
        assert_string_equal(place.file, none[i]);
        assert_string_equal(place.function, "0x1234");
    }
    hw_symbols_destroy(symbols);
}

/* It was built since: its addresses are others. */
static void a_newer_file_is_not_believed(void **state)
{
    struct hw_symbols *symbols;
    struct hw_code_place place;
    assert_true(hw_symbols_create(NULL, NULL, 0, 1000, &symbols));
    assert_true(hw_symbols_find(symbols, program, below(return_address()), &place));
    assert_string_equal(place.file, program);
    assert_int_equal(place.line, 0);
    hw_symbols_destroy(symbols);
}

/* More modules than are kept open, and what of a file is there when it is cut short. */
static void many_and_damaged_files(void **state)
{
    struct hw_symbols *symbols;
    struct hw_code_place place;
    char path[] = "/tmp/heapwhy-symbols-XXXXXX", name[32];
    static char content[1 << 16];
    FILE *from = fopen(program, "re");
    size_t bytes = from ? fread(content, 1, sizeof(content), from) : 0;
    assert_true(bytes > 4096);
    fclose(from);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    srandom(1);
    for (int turn = 0; turn < 300; turn++) {
        size_t part = 64 + (size_t)random() % (bytes - 64);
        for (int flips = turn % 9; flips; flips--)
            content[(size_t)random() % bytes] = (char)random();
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, content, part, 0), (ssize_t)part);
        assert_true(hw_symbols_create(NULL, NULL, 0, time(NULL) + 60, &symbols));
        assert_true(hw_symbols_find(symbols, path, (uint64_t)random(), &place));
        hw_symbols_destroy(symbols);
    }
    close(fd);
    unlink(path);
    assert_true(hw_symbols_create(NULL, NULL, 0, time(NULL) + 60, &symbols));
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "/no/%d", i);
        assert_true(hw_symbols_find(symbols, name, 7, &place));
        assert_string_equal(place.file, name);
    }
    hw_symbols_destroy(symbols);
}

int main(void)
{
    ssize_t bytes = readlink("/proc/self/exe", program, sizeof(program) - 1);
    program[bytes > 0 ? bytes : 0] = 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_and_a_function),
        cmocka_unit_test(what_is_not_known_is_an_address),
        cmocka_unit_test(a_newer_file_is_not_believed),
        cmocka_unit_test(many_and_damaged_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

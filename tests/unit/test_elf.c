/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "native/elf.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* In .symtab only. */
int test_elf_marker[77] = {1};

static pid_t child_start(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    return pid;
}

static void child_end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* The module whose file has this name. */
static struct hw_module module_named(struct hw_image *image, const char *name)
{
    struct hw_module *modules, found = {0};
    size_t count;
    assert_true(hw_modules_list(image, &modules, &count, NULL));
    for (size_t i = 0; i < count; i++) {
        if (i)
            assert_true(modules[i - 1].end <= modules[i].start);
        const char *slash = strrchr(modules[i].path, '/');
        if (slash && !strcmp(slash + 1, name))
            found = modules[i];
    }
    free(modules);
    return found;
}

static void own_symbols(void **state)
{
    pid_t pid = child_start();
    struct hw_image *image;
    struct hw_symbol symbol;
    assert_true(hw_image_open_live(pid, &image, NULL));
    struct hw_module self = module_named(image, "test_elf");
    assert_non_null(self.path);
    assert_true(hw_module_symbol(image, &self, "test_elf_marker", &symbol));
    assert_int_equal(symbol.addr, (hw_addr)test_elf_marker);
    assert_int_equal(symbol.bytes, sizeof(test_elf_marker));
    assert_false(hw_module_symbol(image, &self, "no_such_symbol_here", &symbol));
    assert_false(hw_module_symbol(image, &self, "fork", &symbol));
    assert_true(hw_module_section(image, &self, ".data", &symbol));
    assert_true((hw_addr)test_elf_marker - symbol.addr < symbol.bytes);
    assert_false(hw_module_section(image, &self, ".comment", &symbol));
    assert_false(hw_module_section(image, &self, ".nothing", &symbol));
    struct hw_module libc = module_named(image, "libc.so.6");
    assert_true(hw_module_symbol(image, &libc, "getenv", &symbol));
    assert_int_equal(symbol.addr, (hw_addr)&getenv);
    assert_true(symbol.addr >= libc.start && symbol.addr < libc.end);
    hw_image_close(image);
    child_end(pid);
}

/* The kernel's own library has no file: everything comes from memory. */
static void memory_only(void **state)
{
    pid_t pid = child_start();
    struct hw_image *image;
    struct hw_symbol symbol;
    assert_true(hw_image_open_live(pid, &image, NULL));
    const struct hw_segment *vdso = hw_image_segment(image, getauxval(AT_SYSINFO_EHDR));
    assert_non_null(vdso);
    struct hw_module module = {
        .path = vdso->path, .start = vdso->start, .end = vdso->end, .bias = vdso->start};
    assert_true(hw_module_symbol(image, &module, "__vdso_gettimeofday", &symbol));
    assert_true(symbol.addr > vdso->start && symbol.addr < vdso->end);
    assert_true(symbol.bytes > 0);
    assert_false(hw_module_symbol(image, &module, "__vdso_nothing", &symbol));
    hw_image_close(image);
    child_end(pid);
}

/* A module that says its file is elsewhere: the hash table in memory answers for libc too. */
static void memory_agrees_with_file(void **state)
{
    static const char *const names[] = {"getenv", "environ", "stdout", "timezone",
                                        "program_invocation_name"};
    pid_t pid = child_start();
    struct hw_image *image;
    struct hw_symbol from_file, from_memory;
    assert_true(hw_image_open_live(pid, &image, NULL));
    struct hw_module libc = module_named(image, "libc.so.6");
    struct hw_segment *segment = hw_image_segment(image, libc.start);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_true(hw_module_symbol(image, &libc, names[i], &from_file));
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        assert_true(hw_module_symbol(image, &libc, names[i], &from_file));
        struct hw_segment whole = *segment;
        segment->deleted = true;
        segment->end -= 4096; /* so that no map_files entry has this name */
        assert_true(hw_module_symbol(image, &libc, names[i], &from_memory));
        *segment = whole;
        assert_int_equal(from_file.addr, from_memory.addr);
        assert_int_equal(from_file.bytes, from_memory.bytes);
    }
    hw_image_close(image);
    child_end(pid);
}

static void copy_file(const char *from, const char *to)
{
    char buf[65536];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0700);
    assert_true(in >= 0 && out >= 0);
    for (ssize_t n; (n = read(in, buf, sizeof(buf))) > 0;)
        assert_int_equal(write(out, buf, (size_t)n), n);
    close(in);
    close(out);
}

/* Runs a copy of ourselves that only sleeps; waits until it does. */
static pid_t run_copy(const char *path)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ready[1], 1);
        close(ready[0]);
        close(ready[1]);
        execl(path, path, "sleep", NULL);
        _exit(1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

/* After `change` to the file on disk, the symbols must still be those of the mapped one. */
static void check_changed(void (*change)(const char *path))
{
    char directory[] = "/tmp/heapwhy-elf-XXXXXX", path[64];
    struct hw_image *image;
    struct hw_symbol before, after;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/sleeper", directory);
    copy_file("/proc/self/exe", path);
    pid_t pid = run_copy(path);
    assert_true(hw_image_open_live(pid, &image, NULL));
    struct hw_module module = module_named(image, "sleeper");
    assert_true(hw_module_symbol(image, &module, "test_elf_exported", &before));
    hw_image_close(image);
    change(path);
    assert_true(hw_image_open_live(pid, &image, NULL));
    module = module_named(image, "sleeper");
    assert_non_null(module.path);
    assert_true(hw_module_symbol(image, &module, "test_elf_exported", &after));
    assert_int_equal(before.addr, after.addr);
    assert_int_equal(before.bytes, after.bytes);
    hw_image_close(image);
    child_end(pid);
    unlink(path);
    rmdir(directory);
}

static void remove_it(const char *path)
{
    unlink(path);
}

static void replace_it(const char *path)
{
    unlink(path);
    copy_file("/bin/true", path);
}

static void deleted_file(void **state)
{
    check_changed(remove_it);
}

static void replaced_file(void **state)
{
    check_changed(replace_it);
}

/* Random bytes in headers and tables: any answer will do, none may hurt. */
static void damaged_headers(void **state)
{
    const unsigned char *vdso = (const void *)getauxval(AT_SYSINFO_EHDR);
    enum { BYTES = 8192, ROUNDS = 3000 };
    unsigned char *copy = malloc(BYTES);
    srand(11);
    for (int round = 0; round < ROUNDS; round++) {
        memcpy(copy, vdso, BYTES);
        for (int n = rand() % 20; n >= 0; n--)
            copy[rand() % (round % 2 ? BYTES : 1024)] = (unsigned char)rand();
        struct hw_memory_segment segment = {0x5000, copy, BYTES, HW_PROT_READ};
        struct hw_module module = {.path = "/x", .start = 0x5000, .end = 0x7000, .bias = 0x5000};
        struct hw_image *image;
        struct hw_symbol symbol;
        assert_true(hw_image_open_memory(&segment, 1, &image, NULL));
        hw_module_symbol(image, &module, "__vdso_gettimeofday", &symbol);
        image->segments[0].path = "/x";
        struct hw_module *modules;
        size_t count;
        assert_true(hw_modules_list(image, &modules, &count, NULL));
        free(modules);
        hw_image_close(image);
    }
    free(copy);
}

__attribute__((visibility("default"))) int test_elf_exported[5] = {1};

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "sleep")) {
        if (write(1, "r", 1) == 1)
            for (;;)
                pause();
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_symbols),
        cmocka_unit_test(memory_only),
        cmocka_unit_test(memory_agrees_with_file),
        cmocka_unit_test(deleted_file),
        cmocka_unit_test(replaced_file),
        cmocka_unit_test(damaged_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

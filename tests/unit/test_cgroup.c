/* SPDX-License-Identifier: Apache-2.0 */
#include "image/cgroup.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Files as the kernel shows them, below a folder of our own. */

static char root[64];

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof(root), "/tmp/test-cgroup-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st, (void)kind, (void)walk;
    return remove(path);
}

static int remove_root(void **state)
{
    (void)state;
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *path, const char *text)
{
    char full[256];
    snprintf(full, sizeof(full), "%s/%s", root, path);
    for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        mkdir(full, 0700);
        *slash = '/';
    }
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_cgroup(const char *path, uint64_t current, uint64_t limit)
{
    struct hw_cgroup cgroup;
    hw_cgroup_read_below(root, 7, &cgroup);
    assert_string_equal(cgroup.path, path);
    assert_int_equal(cgroup.current_bytes, current);
    assert_int_equal(cgroup.limit_bytes, limit);
}

static void test_the_lowest_limit_above_counts(void **state)
{
    (void)state;
    put("proc/7/cgroup", "0::/pods/app\n");
    put("sys/fs/cgroup/pods/app/memory.current", "5000\n");
    put("sys/fs/cgroup/pods/app/memory.max", "max\n");
    put("sys/fs/cgroup/pods/memory.max", "8000\n");
    assert_cgroup("/pods/app", 5000, 8000);
    put("sys/fs/cgroup/pods/app/memory.max", "6000\n");
    assert_cgroup("/pods/app", 5000, 6000);
}

static void test_a_path_of_outside_a_container(void **state)
{
    (void)state;
    put("proc/7/cgroup", "0::/system.slice/docker-abc\n");
    put("sys/fs/cgroup/memory.current", "7000\n");
    put("sys/fs/cgroup/memory.max", "9000\n");
    assert_cgroup("/", 7000, 9000);
}

static void test_version_1(void **state)
{
    (void)state;
    put("proc/7/cgroup", "3:cpu,cpuacct:/x\n2:memory:/docker/abc\n0::/\n");
    put("sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes", "400\n");
    put("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "9223372036854771712\n");
    assert_cgroup("/docker/abc", 400, 0);
    put("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "500\n");
    assert_cgroup("/docker/abc", 400, 500);
}

static void test_nothing_is_known(void **state)
{
    (void)state;
    assert_cgroup("", 0, 0);
    put("proc/7/cgroup", "garbage\n::\n0:name\n0::/there/is/none\n");
    assert_cgroup("", 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_lowest_limit_above_counts, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_a_path_of_outside_a_container, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_version_1, make_root, remove_root),
        cmocka_unit_test_setup_teardown(test_nothing_is_known, make_root, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */

/* Times saving and loading: bench-snapshot FILE [INSTANCES [disorder]] */

#include "sample-graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

static double wall_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double seconds_of(struct timeval tv)
{
    return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

static void report(const char *what, double wall, const struct rusage *before)
{
    struct rusage now;
    getrusage(RUSAGE_SELF, &now);
    printf("%-8s %.3f s wall, %.3f s user, %.3f s system, peak memory %+ld KiB\n", what,
           wall_s() - wall, seconds_of(now.ru_utime) - seconds_of(before->ru_utime),
           seconds_of(now.ru_stime) - seconds_of(before->ru_stime),
           now.ru_maxrss - before->ru_maxrss);
}

int main(int argc, char **argv)
{
    struct hw_err err = HW_ERR_INIT;
    struct hw_graph *again = NULL;
    struct hw_check *check = NULL;
    struct rusage before;
    if (argc < 2)
        return 2;
    uint32_t instances = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1000000;
    struct hw_graph *graph = sample_graph_service(instances, argc > 3);
    if (!graph || !hw_graph_validate(graph, &err)) {
        printf("no graph: %s\n", err.msg);
        return 1;
    }
    /* A graph leaves freed memory behind in which a peak could hide. */
    getrusage(RUSAGE_SELF, &before);
    double wall = wall_s();
    if (!hw_snapshot_save(graph, argv[1], &err)) {
        printf("%s\n", err.msg);
        return 1;
    }
    report("save", wall, &before);
    uint32_t objects = hw_graph_object_count(graph);
    uint64_t edges = hw_graph_edge_count(graph);
    getrusage(RUSAGE_SELF, &before);
    wall = wall_s();
    if (!hw_snapshot_load(argv[1], &again, &err)) {
        printf("%s\n", err.msg);
        return 1;
    }
    report("load", wall, &before);
    wall = wall_s();
    getrusage(RUSAGE_SELF, &before);
    if (!hw_snapshot_check(argv[1], &check, &err)) {
        printf("%s\n", err.msg);
        return 1;
    }
    report("check", wall, &before);
    for (size_t i = 0; i < check->chunk_count; i++)
        printf("  %-8s %10llu -> %10llu  %6.2f bytes/object\n", check->chunks[i].name,
               (unsigned long long)check->chunks[i].raw_bytes,
               (unsigned long long)check->chunks[i].file_bytes,
               (double)check->chunks[i].file_bytes / objects);
    printf("%u objects, %llu edges, %llu bytes, %.2f bytes/object\n", objects,
           (unsigned long long)edges, (unsigned long long)check->file_bytes,
           (double)check->file_bytes / objects);
    const char *difference = sample_graph_difference(graph, again);
    printf("%s\n", difference ? difference : "same");
    hw_check_destroy(check);
    hw_graph_destroy(again);
    hw_graph_destroy(graph);
    return difference != NULL;
}

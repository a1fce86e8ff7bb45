/* SPDX-License-Identifier: Apache-2.0 */

/* Times saving and loading: bench-snapshot FILE [INSTANCES [disorder]] */

#include "sample-graph.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* A line of /proc/self/status in KiB. */
static long memory_kib(const char *name)
{
    char line[256];
    long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtol(line + strlen(name), NULL, 10);
    if (f)
        fclose(f);
    return kib;
}

struct mark {
    double wall;
    struct rusage usage;
    long kib;
};

/* Forgets the peak of memory so far, and what the allocator has kept. */
static struct mark begin(void)
{
    struct mark mark;
    malloc_trim(0);
    FILE *f = fopen("/proc/self/clear_refs", "w");
    if (f) {
        fputs("5", f);
        fclose(f);
    }
    mark.kib = memory_kib("VmRSS:");
    getrusage(RUSAGE_SELF, &mark.usage);
    mark.wall = wall_s();
    return mark;
}

static void end(const char *what, struct mark mark)
{
    double wall = wall_s() - mark.wall;
    struct rusage now;
    getrusage(RUSAGE_SELF, &now);
    printf("%-6s %.3f s wall, %.3f s user, %.3f s system, memory: peak %+ld KiB, after %+ld KiB\n",
           what, wall, seconds_of(now.ru_utime) - seconds_of(mark.usage.ru_utime),
           seconds_of(now.ru_stime) - seconds_of(mark.usage.ru_stime),
           memory_kib("VmHWM:") - mark.kib, memory_kib("VmRSS:") - mark.kib);
}

int main(int argc, char **argv)
{
    struct hw_err err = HW_ERR_INIT;
    struct hw_graph *again = NULL;
    struct hw_check *check = NULL;
    if (argc < 2)
        return 2;
    uint32_t instances = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1000000;
    struct hw_graph *graph = sample_graph_service(instances, argc > 3);
    if (!graph || !hw_graph_validate(graph, &err)) {
        printf("no graph: %s\n", err.msg);
        return 1;
    }
    uint32_t objects = hw_graph_object_count(graph);
    uint64_t edges = hw_graph_edge_count(graph);
    struct mark mark = begin();
    bool ok = hw_snapshot_save(graph, argv[1], &err);
    end("save", mark);
    mark = begin();
    ok = ok && hw_snapshot_load(argv[1], &again, &err);
    end("load", mark);
    mark = begin();
    ok = ok && hw_snapshot_check(argv[1], &check, &err);
    end("check", mark);
    if (!ok) {
        printf("%s\n", err.msg);
        return 1;
    }
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

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Takes images of a process one after the other, reads all private memory of each, and prints one
 * line of JSON: how long the process stood still, and how fast it was read.
 *
 *     twinloop [--stop | --hold] PID COUNT
 *
 * --stop: hold the process instead of making twins. --hold: make one twin, say so, keep it until
 * killed. COUNT 0: go on until killed.
 */

#include "image/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct tally {
    int64_t *pauses;
    size_t count;
    uint64_t bytes, unreadable;
    int64_t read_ns, total_ns;
    uint64_t sum;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void read_segment(struct hw_image *image, const struct hw_segment *segment,
                         struct tally *tally)
{
    enum { STEP = 4096 };
    for (hw_addr at = segment->start; at < segment->end; at += STEP) {
        const uint64_t *page = hw_image_at(image, at, STEP);
        if (!page) {
            tally->unreadable += STEP;
            continue;
        }
        tally->bytes += STEP;
        tally->sum += page[0];
    }
}

static void read_all(struct hw_image *image, struct tally *tally)
{
    int64_t start = now_ns();
    for (size_t i = 0; i < image->segment_count; i++)
        if ((image->segments[i].prot & HW_PROT_WRITE) &&
            !(image->segments[i].prot & HW_PROT_SHARED))
            read_segment(image, &image->segments[i], tally);
    tally->read_ns += now_ns() - start;
}

static void hold_for_ever(void)
{
    puts("held");
    fflush(stdout);
    for (;;)
        pause();
}

static bool take_one(pid_t pid, enum hw_freeze freeze, bool hold, struct tally *tally,
                     struct hw_err *err)
{
    struct hw_freeze_options opts = {.freeze = freeze};
    struct hw_image *live, *image;
    int64_t start = now_ns();
    if (!hw_image_open_live(pid, &live, err))
        return false;
    bool ok = hw_image_freeze(live, &opts, &image, NULL, err);
    hw_image_close(live);
    if (!ok)
        return false;
    if (hold)
        hold_for_ever();
    read_all(image, tally);
    tally->pauses[tally->count++] = image->pause_ns;
    ok = !image->lost;
    if (!ok)
        snprintf(err->msg, sizeof(err->msg), "the twin was lost");
    hw_image_close(image);
    tally->total_ns += now_ns() - start;
    return ok;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void print_tally(struct tally *tally)
{
    size_t n = tally->count;
    qsort(tally->pauses, n, sizeof(*tally->pauses), by_value);
    printf("{\"count\": %zu, \"pause_min_ms\": %.3f, \"pause_median_ms\": %.3f, "
           "\"pause_max_ms\": %.3f, \"bytes_each\": %llu, \"unreadable_each\": %llu, "
           "\"read_gb_per_s\": %.2f, \"total_ms_each\": %.2f}\n",
           n, (double)tally->pauses[0] / 1e6, (double)tally->pauses[n / 2] / 1e6,
           (double)tally->pauses[n - 1] / 1e6, (unsigned long long)(tally->bytes / n),
           (unsigned long long)(tally->unreadable / n),
           (double)tally->bytes / (double)tally->read_ns,
           (double)tally->total_ns / 1e6 / (double)n);
}

int main(int argc, char **argv)
{
    enum hw_freeze freeze = HW_FREEZE_TWIN;
    struct hw_err err = HW_ERR_INIT;
    struct tally tally = {0};
    bool hold = argc == 4 && !strcmp(argv[1], "--hold");
    if (argc == 4 && (hold || !strcmp(argv[1], "--stop"))) {
        freeze = hold ? HW_FREEZE_TWIN : HW_FREEZE_STOP;
        argv++;
        argc--;
    }
    if (argc != 3) {
        fprintf(stderr, "usage: twinloop [--stop | --hold] PID COUNT\n");
        return 2;
    }
    size_t count = strtoul(argv[2], NULL, 10);
    tally.pauses = calloc(count ? count : 1, sizeof(*tally.pauses));
    for (size_t i = 0; i < count || !count; i++) {
        if (!count)
            tally.count = 0;
        if (!take_one(atoi(argv[1]), freeze, hold, &tally, &err)) {
            fprintf(stderr, "twinloop: %s\n", err.msg);
            free(tally.pauses);
            return 1;
        }
    }
    print_tally(&tally);
    free(tally.pauses);
    return 0;
}

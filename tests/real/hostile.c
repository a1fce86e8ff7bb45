/* SPDX-License-Identifier: Apache-2.0 */

/*
 * hostile PID N [SEED]: copies the process, then builds its graph N times from the copy, each time with
 * other words of it overwritten. Nothing read from a target may be able to crash, hang or swallow all
 * memory. Prints how many graphs were built and how many were refused, as one line of JSON.
 */

#include "cpython/runtime.h"
#include "heap/build.h"
#include "image/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SECONDS_PER_GRAPH = 60, WORDS_MAX = 4000 };

static uint64_t rng_state;
static uint64_t rng(uint64_t below)
{
    rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
    return (rng_state >> 20) % below;
}

struct damage {
    unsigned char *at;
    uint64_t was;
};

static struct hw_segment *writable_segment(struct hw_image *image)
{
    for (;;) {
        struct hw_segment *s = &image->segments[rng(image->segment_count)];
        if (s->prot & HW_PROT_WRITE && s->mirror && !(s->prot & HW_PROT_SHARED))
            return s;
    }
}

/* A word from elsewhere in the copy, a small change, or one of the values that break sums. */
static uint64_t evil(struct hw_image *image, uint64_t was)
{
    static const uint64_t telling[] = {0, 1, 8, 0xffffffff, INT64_MAX, UINT64_MAX, 1ull << 32, 1ull << 47};
    const struct hw_segment *s = writable_segment(image);
    switch (rng(5)) {
    case 0:
        return telling[rng(sizeof(telling) / sizeof(*telling))];
    case 1:
        return was ^ 1ull << rng(64);
    case 2:
        return was + (rng(2) ? 8 : -8ull);
    case 3:
        return s->start + rng(s->end - s->start) / 8 * 8;
    default:
        memcpy(&was, s->mirror + rng(s->end - s->start - 8) / 8 * 8, sizeof(was));
        return was;
    }
}

static struct hw_residence residence;

static bool build(struct hw_image *image, const struct hw_runtime *runtime)
{
    struct hw_build_options opts = {.residence = &residence};
    struct hw_graph *graph = NULL;
    struct hw_err err = HW_ERR_INIT;
    alarm(SECONDS_PER_GRAPH);
    bool ok = hw_graph_build(image, runtime, &opts, &graph, &err);
    if (ok && !hw_graph_validate(graph, &err)) {
        fprintf(stderr, "hostile: an invalid graph: %s\n", err.msg);
        abort();
    }
    alarm(0);
    hw_graph_destroy(graph);
    return ok;
}

static bool run(struct hw_image *image, const struct hw_runtime *runtime, struct damage *damage)
{
    size_t count = 1 + rng(rng(4) ? 200 : WORDS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct hw_segment *s = writable_segment(image);
        damage[i].at = s->mirror + rng(s->end - s->start - 8) / 8 * 8;
        memcpy(&damage[i].was, damage[i].at, 8);
        uint64_t word = evil(image, damage[i].was);
        memcpy(damage[i].at, &word, 8);
    }
    bool ok = build(image, runtime);
    while (count-- > 0)
        memcpy(damage[count].at, &damage[count].was, 8);
    return ok;
}

int main(int argc, char **argv)
{
    struct hw_err err = HW_ERR_INIT;
    struct hw_image *live = NULL, *image = NULL;
    struct hw_runtime runtime;
    struct hw_freeze_options freeze = {.freeze = HW_FREEZE_STOP};
    struct hw_freeze_result frozen;
    if (argc < 3)
        return 2;
    rng_state = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    if (!hw_image_open_live(atoi(argv[1]), &live, &err) || !hw_runtime_find(live, &runtime, &err) ||
        !hw_residence_read(live->pid, &residence, &err) ||
        !hw_image_freeze(live, &freeze, &image, &frozen, &err) ||
        !hw_residence_settle(&residence, image->memory_pid, &err) || !build(image, &runtime)) {
        fprintf(stderr, "hostile: %s\n", err.msg);
        return 1;
    }
    struct damage *damage = calloc(WORDS_MAX + 1, sizeof(*damage));
    unsigned built = 0, refused = 0;
    for (int i = 0; damage && i < atoi(argv[2]); i++) {
        if (run(image, &runtime, damage))
            built++;
        else
            refused++;
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"built\":%u,\"refused\":%u,\"max_rss_kb\":%ld}\n", built, refused, usage.ru_maxrss);
    free(damage);
    hw_residence_deinit(&residence);
    hw_image_close(image);
    hw_image_close(live);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */

/*
 * blocks PID: freezes a process, walks the blocks of its allocators, and prints sums as JSON.
 */

#include "cpython/pymalloc.h"
#include "native/glibc-heap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const kinds[] = {"used", "free", "fast", "tcache", "top", "own"};

static void pymalloc_print(struct hw_pymalloc *pm, struct hw_image *image)
{
    uint64_t blocks[HW_PYMALLOC_CLASSES + 1] = {0}, total = 0, framed = 0, bytes;
    struct hw_pymalloc_cursor cursor = {0};
    struct hw_pymalloc_block block;
    hw_addr last = 0;
    while (hw_pymalloc_next(pm, &cursor, &block)) {
        if (block.addr <= last)
            exit(1);
        last = block.addr;
        blocks[block.bytes / HW_PYMALLOC_BLOCK_STEP]++;
        framed += hw_pymalloc_framed(image, block.addr, block.bytes, &bytes);
        total++;
    }
    printf("\"pymalloc\": {\"arenas\": %zu, \"blocks\": %" PRIu64 ", \"framed\": %" PRIu64
           ", \"has_hooks\": %s, \"damaged\": %" PRIu64 ", \"classes\": {",
           pm->arena_count, total, framed, pm->has_hooks ? "true" : "false", pm->damaged);
    for (unsigned i = 1; i <= HW_PYMALLOC_CLASSES; i++)
        printf("%s\"%u\": %" PRIu64, i > 1 ? ", " : "", i * HW_PYMALLOC_BLOCK_STEP, blocks[i]);
    printf("}}");
}

static void glibc_print(struct hw_glibc *glibc)
{
    uint64_t count[6] = {0}, bytes[6] = {0}, mapped[2] = {0};
    struct hw_glibc_cursor cursor = {0};
    struct hw_glibc_chunk chunk;
    hw_addr last = 0;
    while (hw_glibc_next(glibc, &cursor, &chunk)) {
        if (chunk.addr < last)
            exit(1);
        last = chunk.addr + chunk.bytes;
        if (chunk.arena == HW_GLIBC_MMAPPED) {
            mapped[0]++;
            mapped[1] += chunk.bytes;
            continue;
        }
        count[chunk.kind]++;
        bytes[chunk.kind] += chunk.bytes;
    }
    printf("\"glibc\": {\"arenas\": %zu, \"runs\": %zu, \"damaged\": %" PRIu64
           ", \"mmap_count\": %" PRIu64 ", \"mmap_bytes\": %" PRIu64
           ", \"mapped\": [%" PRIu64 ", %" PRIu64 "]",
           glibc->arena_count, glibc->run_count, glibc->damaged, glibc->mmap_count,
           glibc->mmap_bytes, mapped[0], mapped[1]);
    for (unsigned i = 0; i < 6; i++)
        printf(", \"%s\": [%" PRIu64 ", %" PRIu64 "]", kinds[i], count[i], bytes[i]);
    printf("}");
}

static bool look(struct hw_image *image, const struct hw_runtime *runtime, struct hw_err *err)
{
    struct hw_pymalloc pm;
    struct hw_glibc glibc;
    struct hw_module *modules;
    size_t count;
    if (!hw_modules_list(image, &modules, &count, err) ||
        !hw_pymalloc_init(&pm, image, runtime, err))
        return false;
    struct hw_glibc_range *arenas = calloc(pm.arena_count + 1, sizeof(*arenas));
    for (size_t i = 0; arenas && i < pm.arena_count; i++)
        arenas[i] = (struct hw_glibc_range){pm.arenas[i].start,
                                            pm.arenas[i].start + pm.arena_bytes};
    if (!arenas || !hw_glibc_init(&glibc, image, modules, count, arenas, pm.arena_count, err))
        return false;
    printf("{");
    pymalloc_print(&pm, image);
    printf(", ");
    glibc_print(&glibc);
    printf("}\n");
    hw_glibc_deinit(&glibc);
    hw_pymalloc_deinit(&pm);
    free(arenas);
    free(modules);
    return true;
}

int main(int argc, char **argv)
{
    struct hw_err err = HW_ERR_INIT;
    struct hw_image *live = NULL, *image = NULL;
    struct hw_runtime runtime;
    struct hw_freeze_options freeze = {.freeze = HW_FREEZE_TWIN};
    bool ok = argc == 2 && hw_image_open_live((pid_t)atoi(argv[1]), &live, &err) &&
              hw_runtime_find(live, &runtime, &err) &&
              hw_image_freeze(live, &freeze, &image, NULL, &err) && look(image, &runtime, &err);
    if (!ok)
        fprintf(stderr, "blocks: %s\n", err.msg);
    hw_image_close(image);
    hw_image_close(live);
    return ok ? 0 : 1;
}

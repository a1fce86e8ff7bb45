/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reads the input as a recording, after putting the sizes of its chunks right, as otherwise no mutation
 * would get past them; then asks everything of what it says, and shows it in all ways.
 */

#include "agent/recording.h"
#include "heapwhy.h"
#include "tell/tell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The last chunk takes what is left, and may have any number of events. */
static void repair(unsigned char *data, size_t size)
{
    struct hw_recording_head head;
    struct hw_recording_chunk chunk;
    memcpy(&head, data, sizeof(head));
    if (head.head_bytes > size)
        head.head_bytes = sizeof(head);
    memcpy(data, HW_RECORDING_MAGIC, sizeof(head.magic));
    head.version = HW_RECORDING_VERSION;
    memcpy(data + 8, &head.version, 2 * sizeof(uint32_t));
    for (size_t at = head.head_bytes; size - at > sizeof(chunk);
         at += sizeof(chunk) + chunk.bytes) {
        size_t left = size - at - sizeof(chunk);
        memcpy(&chunk, data + at, sizeof(chunk));
        if (chunk.bytes >= left) {
            chunk.bytes = (uint32_t)left;
            chunk.events = UINT32_MAX;
        }
        memcpy(data + at, &chunk, sizeof(chunk));
    }
}

static uint64_t ask_lines(const struct hw_profile *profile, const char *file)
{
    uint64_t sum = 0;
    for (int cumulative = 0; cumulative < 2; cumulative++) {
        struct hw_lines *lines = NULL;
        if (hw_lines_ask(profile, file, cumulative, &lines, NULL)) {
            sum += lines->row_count;
            hw_lines_destroy(lines);
        }
    }
    return sum;
}

static uint64_t ask_everything(const struct hw_profile *profile)
{
    uint64_t sum = profile->moment_count + strlen(profile->damage) + strlen(profile->command);
    for (size_t i = 0; i < profile->row_count; i++) {
        const struct hw_profile_row *row = &profile->rows[i];
        sum += strlen(profile->threads[row->thread].name) +
               strlen(hw_profile_domain_name(profile, row->domain));
        for (const struct hw_site_frame *frame = row->frame; frame; frame = frame->caller)
            sum += strlen(frame->file) + strlen(frame->function);
        sum += ask_lines(profile, row->frame->file);
    }
    for (int by = HW_ALLOCATIONS_BY_LINE; by <= HW_ALLOCATIONS_BY_ALLOCATOR; by++) {
        struct hw_allocations *answer = NULL;
        if (!hw_allocations_ask(profile, profile, (enum hw_allocations_by)by,
                                (enum hw_measure)(by % HW_MEASURE_COUNT), &answer, NULL))
            abort();
        sum += answer->row_count;
        hw_allocations_destroy(answer);
    }
    return sum;
}

static void show_everything(const struct hw_profile *profile)
{
    const struct hw_flame_look look = {.measure = HW_MEASURE_PEAK};
    struct hw_out out = {.fd = -1, .width = HW_OUT_WIDTH};
    hw_tell_flame_html(&out, profile, &look);
    hw_tell_flame_svg(&out, profile, &look);
    hw_tell_collapsed(&out, profile, HW_MEASURE_ALLOCATED, &look.frames);
    hw_tell_speedscope(&out, profile, &look.frames);
    hw_tell_pprof(&out, profile, &look.frames);
    hw_tell_profile_json(&out, profile);
    if (!hw_out_ok(&out))
        abort();
    hw_out_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct hw_profile *profile = NULL;
    unsigned char *copy = malloc(size + 1);
    int fd = memfd_create("recording", MFD_CLOEXEC);
    if (!copy || fd < 0)
        abort();
    memcpy(copy, data, size);
    if (size >= sizeof(struct hw_recording_head))
        repair(copy, size);
    if (write(fd, copy, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    bool is_read = hw_profile_read(path, NULL, &profile, NULL);
    if (is_read) {
        ask_everything(profile);
        show_everything(profile);
    }
    hw_profile_destroy(profile);
    close(fd);
    free(copy);
    return is_read ? 0 : -1;
}

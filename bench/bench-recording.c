/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Times reading a recording: bench-recording FILE [BLOCKS [SITES [MILLION_EVENTS]]]. Writes FILE
 * first: so many blocks are in use throughout, runs of neighbours are given back and taken again,
 * and half of all that is allocated is temporary.
 */

#include "agent/recording.h"
#include "base/bytes.h"
#include "heapwhy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { ROOM = 64, BLOCK_BYTES = 48, RUN = 8, DOMAIN = 2 };

static struct {
    FILE *file;
    unsigned char chunk[HW_RECORDING_CHUNK_MAX_BYTES], *at;
    uint32_t events, site_count;
    uint64_t event_count, last, random;
    uint64_t slot_units[HW_RECORDING_SLOTS];
    uint32_t slot_site[HW_RECORDING_SLOTS]; /* + 1 */
} out;

static uint64_t draw(uint64_t below)
{
    out.random = out.random * 6364136223846793005u + 1442695040888963407u;
    return (out.random >> 33) % below;
}

static void flush(void)
{
    struct hw_recording_chunk head = {(uint32_t)(out.at - out.chunk), out.events,
                                      out.event_count * 20};
    fwrite(&head, sizeof(head), 1, out.file);
    fwrite(out.chunk, 1, head.bytes, out.file);
    out.at = out.chunk;
    out.events = 0;
    out.last = 0;
    memset(out.slot_units, 0, sizeof(out.slot_units));
    memset(out.slot_site, 0, sizeof(out.slot_site));
}

static void begin_event(enum hw_recording_kind kind, unsigned p)
{
    *out.at++ = (unsigned char)(kind << 6 | p);
    out.events++;
    out.event_count++;
}

static void number(uint64_t v)
{
    out.at = hw_put_varint(out.at, v);
}

static uint64_t distance(uint64_t to, uint64_t from)
{
    return (to - from) << 1 ^ -((to - from) >> 63);
}

static void allocate(uint64_t units, uint32_t site)
{
    unsigned slot = site % HW_RECORDING_SLOTS;
    if (out.at > out.chunk + sizeof(out.chunk) - ROOM)
        flush();
    if (out.slot_site[slot] != site + 1) {
        begin_event(HW_RECORDING_FILL, slot);
        number(out.site_count - site); /* sites are numbered from 1 */
        number(BLOCK_BYTES * 8 + DOMAIN);
        out.slot_site[slot] = site + 1;
        out.slot_units[slot] = out.last;
    }
    begin_event(HW_RECORDING_ALLOC, slot);
    number(distance(units, out.slot_units[slot]));
    out.slot_units[slot] = out.last = units;
}

static void give_back(uint64_t units)
{
    if (out.at > out.chunk + sizeof(out.chunk) - ROOM)
        flush();
    uint64_t z = distance(units, out.last);
    begin_event(HW_RECORDING_FREE, (unsigned)(z < 32 ? z : 32 | (z & 31)));
    if (z >= 32)
        number(z >> 5);
    out.last = units;
}

static void write_sites(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        char name[32];
        size_t bytes = (size_t)snprintf(name, sizeof(name), "module%u.py", i);
        if (out.at > out.chunk + sizeof(out.chunk) - 2 * ROOM)
            flush();
        begin_event(HW_RECORDING_OTHER, HW_RECORDING_TEXT);
        number(bytes);
        memcpy(out.at, name, bytes);
        out.at += bytes;
        begin_event(HW_RECORDING_OTHER, HW_RECORDING_SITE);
        number(i + 1);
        number(i + 1);
        number(i + 1);
        number(1 + draw(i + 1)); /* called by one before, or none */
    }
    out.site_count = count;
}

static void write_recording(uint64_t blocks, uint32_t sites, uint64_t events)
{
    const uint64_t base = 0x7f0000000000 / 8, step = BLOCK_BYTES / 8;
    struct hw_recording_head head = {.version = HW_RECORDING_VERSION, .head_bytes = sizeof(head)};
    memcpy(head.magic, HW_RECORDING_MAGIC, sizeof(head.magic));
    fwrite(&head, sizeof(head), 1, out.file);
    out.at = out.chunk;
    write_sites(sites);
    for (uint64_t i = 0; i < blocks; i++)
        allocate(base + i * step, (uint32_t)(i * 7 % sites));
    while (out.event_count < events) {
        uint64_t first = draw(blocks - RUN), count = draw(RUN);
        for (uint64_t i = 0; i < count; i++)
            give_back(base + (first + i) * step);
        for (uint64_t i = count; i--;)
            allocate(base + (first + i) * step, (uint32_t)draw(draw(4) ? 64 : sites));
        for (uint64_t i = 0; i < count; i++) {
            allocate(base - (i + 1) * step, (uint32_t)draw(16));
            give_back(base - (i + 1) * step);
        }
    }
    flush();
}

int main(int argc, char **argv)
{
    struct hw_err err = HW_ERR_INIT;
    struct hw_profile *profile = NULL;
    uint64_t numbers[] = {2000000, 20000, 60};
    for (int i = 2; i < argc && i < 5; i++)
        numbers[i - 2] = strtoull(argv[i], NULL, 10);
    out.file = argc < 2 ? NULL : fopen(argv[1], "wb");
    if (!out.file || numbers[0] <= RUN || numbers[1] < 64) {
        fprintf(stderr, "usage: bench-recording FILE [BLOCKS [SITES [MILLION_EVENTS]]]\n");
        return 2;
    }
    write_recording(numbers[0], (uint32_t)numbers[1], numbers[2] * 1000000);
    if (fclose(out.file) != 0)
        return 1;
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    if (!hw_profile_read(argv[1], NULL, &profile, &err) || *profile->damage) {
        fprintf(stderr, "%s\n", profile ? profile->damage : err.msg);
        return 1;
    }
    getrusage(RUSAGE_SELF, &after);
    double seconds = (double)(after.ru_utime.tv_sec + after.ru_stime.tv_sec -
                              before.ru_utime.tv_sec - before.ru_stime.tv_sec) +
                     (double)(after.ru_utime.tv_usec + after.ru_stime.tv_usec -
                              before.ru_utime.tv_usec - before.ru_stime.tv_usec) /
                         1e6;
    printf("%.1f million events, %.2f s of processor time, %.1f million/s, %ld MB\n",
           (double)profile->event_count / 1e6, seconds,
           (double)profile->event_count / 1e6 / seconds, after.ru_maxrss / 1000);
    hw_profile_destroy(profile);
    return 0;
}

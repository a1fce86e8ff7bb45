/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A fuzzer's entry without a fuzzer: replay FOLDER N runs every file of the folder, then N
 * mutations of each, always the same ones. Says how many inputs were accepted.
 */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 20, SECONDS_PER_INPUT = 20 };

static uint64_t rng_state = 1;
static uint32_t rng(uint32_t below)
{
    rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((rng_state >> 33) % below);
}

static unsigned accepted, refused;

static void run(const uint8_t *data, size_t size)
{
    alarm(SECONDS_PER_INPUT);
    if (LLVMFuzzerTestOneInput(data, size) == 0)
        accepted++;
    else
        refused++;
    alarm(0);
}

/* One small change; returns the new size. */
static size_t mutate(uint8_t *data, size_t size)
{
    static const uint8_t telling[] = {0, 1, 0x7f, 0x80, 0xff, 0xfe};
    size_t at = rng((uint32_t)size), n = 1 + rng(16);
    switch (rng(6)) {
    case 0:
        data[at] ^= (uint8_t)(1u << rng(8));
        break;
    case 1:
        data[at] = telling[rng(sizeof(telling))];
        break;
    case 2:
        data[at] = (uint8_t)(data[at] + (rng(2) ? 1 : -1));
        break;
    case 3:
        memset(data + at, telling[rng(sizeof(telling))], n < size - at ? n : size - at);
        break;
    case 4:
        memmove(data + at, data + rng((uint32_t)(size - at)) / 2, n < size - at ? n : size - at);
        break;
    default: /* rarely the length: it moves everything behind */
        if (rng(20) == 0 && size > 1)
            return 1 + rng((uint32_t)size - 1);
        data[at] = (uint8_t)rng(256);
    }
    return size;
}

static void replay(const char *path, unsigned mutations)
{
    static uint8_t seed[INPUT_MAX], data[INPUT_MAX];
    FILE *f = fopen(path, "rb");
    if (!f)
        return;
    size_t seed_bytes = fread(seed, 1, sizeof(seed), f);
    fclose(f);
    run(seed, seed_bytes);
    for (unsigned i = 0; seed_bytes && i < mutations; i++) {
        size_t size = seed_bytes;
        memcpy(data, seed, size);
        for (unsigned changes = 1 + rng(4); changes; changes--)
            size = mutate(data, size);
        run(data, size);
    }
}

int main(int argc, char **argv)
{
    struct dirent **names;
    if (argc < 2)
        return 2;
    unsigned mutations = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    int count = scandir(argv[1], &names, NULL, alphasort), files = 0;
    for (int i = 0; i < count; i++) {
        char path[4096];
        if (names[i]->d_name[0] != '.' &&
            snprintf(path, sizeof(path), "%s/%s", argv[1], names[i]->d_name) < (int)sizeof(path)) {
            replay(path, mutations);
            files++;
        }
        free(names[i]);
    }
    free(names);
    printf("%d files, %u inputs accepted, %u refused\n", files, accepted, refused);
    return files == 0;
}

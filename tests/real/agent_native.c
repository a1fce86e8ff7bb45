/* SPDX-License-Identifier: Apache-2.0 */
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* C code that keeps and gives back memory, for agent_native.py. Lines that keep some say so. */

#define OWN __attribute__((noinline))

static OWN char *take(size_t bytes)
{
    char *block = malloc(bytes); /* taken */
    block[0] = 1;
    return block;
}

void keep(int count, size_t bytes)
{
    for (int i = 0; i < count; i++)
        take(bytes)[0] = 2;
}

static OWN char *take_other(size_t bytes)
{
    char *block = malloc(bytes); /* given back */
    block[0] = 1;
    return block;
}

void give_back(int count, size_t bytes)
{
    for (int i = 0; i < count; i++)
        free(take_other(bytes));
}

/* Each keeps count blocks of 4,000 bytes. */
void keep_of_each_kind(int count)
{
    for (int i = 0; i < count; i++) {
        void *block = calloc(4, 1000); /* by calloc */
        memset(block, 1, 10);
        block = realloc(NULL, 4000);          /* by realloc */
        block = reallocarray(NULL, 4, 1000);  /* by reallocarray */
        if (posix_memalign(&block, 64, 4000)) /* by posix_memalign */
            abort();
        block = aligned_alloc(64, 4000); /* by aligned_alloc */
        block = memalign(64, 4000);      /* by memalign */
        block = malloc(10);              /* moved */
        block = realloc(block, 2000);    /* moved */
        block = realloc(block, 4000);    /* at last */
        memset(block, 1, 10);
    }
}

#define MAP(bytes, prot, flags) mmap(NULL, bytes, prot, (flags) | MAP_ANONYMOUS, -1, 0)
#define DATA (PROT_READ | PROT_WRITE)

void *keep_mapping(size_t bytes)
{
    char *at = MAP(bytes, DATA, MAP_PRIVATE); /* mapped */
    at[0] = 1;
    return at;
}

/* What is left of each is a quarter. */
void cut_mapping(size_t bytes)
{
    char *at = MAP(bytes, DATA, MAP_PRIVATE); /* cut */
    munmap(at, bytes / 2);
    at = mremap(at + bytes / 2, bytes / 2, bytes / 4, 0);
    at[0] = 1;
}

void give_back_mapping(size_t bytes)
{
    char *at = MAP(bytes, DATA, MAP_PRIVATE); /* unmapped */
    munmap(at, bytes);
    /* a place, and another one's memory */
    MAP(bytes, PROT_NONE, MAP_PRIVATE); /* reserved */
    MAP(bytes, PROT_READ, MAP_SHARED);  /* shared */
}

/* ---- threads that Python knows nothing of ---- */

static OWN void *take_in_thread(size_t bytes)
{
    return memset(malloc(bytes), 1, 10); /* in a thread */
}

static void *keep_thread(void *count)
{
    for (intptr_t i = 0; i < (intptr_t)count; i++)
        take_in_thread(3000);
    return NULL;
}

void keep_in_threads(int threads, int count)
{
    pthread_t ids[16];
    for (int i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, keep_thread, (void *)(intptr_t)count))
            abort();
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
}

/* ---- as much at once as can be ---- */

enum { SLOTS = 64 };

static void release(void *slots)
{
    void **blocks = slots;
    for (int i = 0; i < SLOTS; i++)
        free(blocks[i]);
    free(blocks);
}

/* Its key's destructor frees when the thread's own memory is about to go. */
static void *churn_thread(void *arg)
{
    pthread_key_t *key = arg;
    void **blocks = calloc(SLOTS, sizeof(*blocks));
    uint32_t random = (uint32_t)(uintptr_t)blocks | 1;
    pthread_setspecific(*key, blocks);
    for (int i = 0; i < 20000; i++) {
        random = random * 1664525 + 1013904223;
        void **block = &blocks[random >> 16 & (SLOTS - 1)];
        size_t bytes = 1 + (random >> 8) % 3000;
        if (random & 1) {
            *block = realloc(*block, bytes);
        } else {
            free(*block);
            *block = random & 2 ? memalign(32, bytes) : malloc(bytes);
        }
        memset(*block, i, bytes);
    }
    return NULL;
}

void churn(int threads)
{
    pthread_t ids[16];
    pthread_key_t key;
    if (pthread_key_create(&key, release))
        abort();
    for (int i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, churn_thread, &key))
            abort();
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    pthread_key_delete(key);
}

/* ---- from C to Python and back ---- */

void call(void (*function)(void))
{
    char *block = take(100);
    function();
    free(block);
}

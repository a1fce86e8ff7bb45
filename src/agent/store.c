/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/store.h"
#include "agent/record.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct hw_agent_table hw_agent_table __attribute__((visibility("default")));
struct hw_store hw_store;

static uint32_t text_buckets[HW_STORE_BUCKETS], site_buckets[HW_STORE_BUCKETS], text_count;

static bool locked;

/* glibc 2.32 and later, <sys/single_threaded.h>: once there was a second thread, it is false. */
extern const char __libc_single_threaded __attribute__((weak));

void hw_store_lock(void)
{
    if (&__libc_single_threaded && __libc_single_threaded)
        return;
    while (__atomic_exchange_n(&locked, true, __ATOMIC_ACQUIRE))
        sched_yield();
}

void hw_store_unlock(void)
{
    __atomic_store_n(&locked, false, __ATOMIC_RELEASE);
}

/* The lock is not kept until the fork: handlers of others come between, which allocate, and wait for
 * threads that do. */
static void fork_begins(void)
{
    if (hw_thread.inside) /* in a signal handler: the lock may be ours */
        return;
    hw_thread.inside = true;
    hw_store_lock();
    hw_record_flush();
    hw_store_unlock();
    hw_thread.inside = false;
}

/* In the child there is one thread. Where another one had the lock, it left the columns amid a change. */
static void forked(void)
{
    bool is_torn = locked && !hw_thread.inside;
    hw_thread.tid = 0;
    if (is_torn) {
        hw_store_unlock();
        hw_agent_clear();
    }
    hw_record_forked(hw_thread.inside);
    hw_agent_table.pid = getpid();
}

/* ---- memory ---- */

static char *reserved;
static size_t reserved_bytes;

static bool reserve(void)
{
    size_t live = HW_AGENT_LIVE_MAX * sizeof(struct hw_agent_block);
    size_t links = HW_AGENT_LIVE_MAX * sizeof(uint32_t);
    size_t sites = HW_AGENT_SITES_MAX * sizeof(struct hw_agent_site);
    size_t site_links = HW_AGENT_SITES_MAX * sizeof(uint32_t);
    size_t bytes = live + links + sites + site_links + HW_AGENT_TEXT_MAX_BYTES;
    char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return false;
    reserved = at;
    reserved_bytes = bytes;
    hw_store.live = (void *)at;
    hw_store.live_links = (void *)(at += live);
    hw_store.sites = (void *)(at += links);
    hw_store.site_links = (void *)(at += sites);
    hw_store.texts = at + site_links;
    return true;
}

void hw_store_clear(void)
{
    struct hw_agent_table *table = &hw_agent_table;
    table->live_slots = table->site_count = table->text_bytes = 1;
    table->samples = table->missed = 0;
    memset(text_buckets, 0, sizeof(text_buckets));
    memset(site_buckets, 0, sizeof(site_buckets));
    text_count = 0;
    if (reserved)
        madvise(reserved, reserved_bytes, MADV_DONTNEED);
}

bool hw_store_init(uint64_t rate_bytes)
{
    if (!reserved && (!reserve() || pthread_atfork(fork_begins, NULL, forked) != 0))
        return false;
    struct hw_agent_table *table = &hw_agent_table;
    table->rate_bytes = rate_bytes;
    table->live_addr = (uintptr_t)hw_store.live;
    table->live_slots = 1; /* 0 is no slot, no site and no text */
    table->sites_addr = (uintptr_t)hw_store.sites;
    table->site_count = 1;
    table->texts_addr = (uintptr_t)hw_store.texts;
    table->text_bytes = 1;
    table->pid = getpid();
    table->version = HW_AGENT_VERSION;
    table->table_bytes = sizeof(*table);
    memcpy(table->magic, HW_AGENT_MAGIC, sizeof(table->magic));
    return true;
}

/* ---- texts ---- */

static uint32_t text_bucket(const char *text, size_t bytes)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
    return (uint32_t)(hash >> 32) % HW_STORE_BUCKETS;
}

struct text_head {
    uint32_t next, number;
};
_Static_assert(sizeof(struct text_head) == HW_STORE_TEXT_HEAD, "the head of a text");

static struct text_head text_head(uint32_t text)
{
    struct text_head head;
    memcpy(&head, hw_store.texts + text - sizeof(head), sizeof(head));
    return head;
}

uint32_t hw_text_number(uint32_t text)
{
    return text ? text_head(text).number : 0;
}

uint32_t hw_text_intern(const char *text, size_t bytes)
{
    bytes = strnlen(text, bytes); /* who reads them all finds their ends by the NUL */
    uint32_t *bucket = &text_buckets[text_bucket(text, bytes)];
    if (!bytes)
        return 0;
    for (uint32_t at = *bucket; at; at = text_head(at).next)
        if (memcmp(hw_store.texts + at, text, bytes) == 0 && !hw_store.texts[at + bytes])
            return at;
    uint64_t at = hw_agent_table.text_bytes + HW_STORE_TEXT_HEAD;
    if (at + bytes + 1 > HW_AGENT_TEXT_MAX_BYTES)
        return 0;
    const struct text_head head = {*bucket, ++text_count};
    memcpy(hw_store.texts + at - sizeof(head), &head, sizeof(head));
    memcpy(hw_store.texts + at, text, bytes);
    hw_agent_table.text_bytes = at + bytes + 1;
    return *bucket = (uint32_t)at;
}

/* ---- sites ---- */

static uint32_t site_bucket(const struct hw_agent_site *site)
{
    uint64_t hash = ((uint64_t)site->file << 32 | site->line) * 0x9e3779b97f4a7c15u;
    hash = (hash ^ ((uint64_t)site->caller << 32 | site->function)) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(hash >> 40) % HW_STORE_BUCKETS;
}

uint32_t hw_site_intern(const struct hw_agent_site *site)
{
    uint32_t *bucket = &site_buckets[site_bucket(site)];
    for (uint32_t at = *bucket; at; at = hw_store.site_links[at])
        if (memcmp(&hw_store.sites[at], site, sizeof(*site)) == 0)
            return at;
    uint64_t at = hw_agent_table.site_count;
    if (at >= HW_AGENT_SITES_MAX)
        return 0;
    hw_store.sites[at] = *site;
    hw_store.site_links[at] = *bucket;
    hw_agent_table.site_count = at + 1;
    return *bucket = (uint32_t)at;
}

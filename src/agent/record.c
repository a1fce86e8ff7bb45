/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/record.h"
#include "agent/recording.h"
#include "agent/store.h"

#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    CHUNK_BYTES = 1 << 16, /* of its events: it stays in the processor's cache */
    EVENT_MAX_BYTES = 64,  /* all that one call adds, but for texts */
    LOOK_BYTES =
        256, /* of every event, after so many bytes the clock is looked at: some 100 events */
    THREAD_NAME_BYTES = 16 /* PR_GET_NAME */
};
#define FLUSH_NS UINT64_C(1000000000)

struct slot {
    uint64_t what; /* bytes * 8 + domain */
    uint64_t unit; /* address / 8 */
    uint32_t site;
};

static struct {
    unsigned char *at, *look; /* the next byte; from where on there is something to do first */
    uint64_t last;            /* address / 8 */
    uint32_t events;
    int32_t tid; /* who was told last; -1: none in this chunk */
    struct slot slots[HW_RECORDING_SLOTS];
    uint64_t began_ns, chunk_ns, told_ns;
    uint32_t sites_told; /* the next site, and below the next text, that is to be told */
    uint64_t texts_told;
    uint64_t missed_told;
    bool ended;
    bool ended_in_order;
    struct {
        struct hw_recording_chunk head;
        unsigned char events[CHUNK_BYTES];
    } chunk;
} recorder;

bool hw_record_wanted, hw_record_sampled;

/* The coarse clock has a resolution of 1 to 10 ms and costs a few nanoseconds. */
static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- bytes ---- */

static inline unsigned char *put(unsigned char *at, uint64_t v)
{
    for (; v > 127; v >>= 7)
        *at++ = (unsigned char)(v | 128);
    *at++ = (unsigned char)v;
    return at;
}

static inline uint64_t zigzag(uint64_t distance)
{
    return distance << 1 ^ (uint64_t)((int64_t)distance >> 63);
}

static void put_other(enum hw_recording_other other)
{
    *recorder.at++ = (unsigned char)(HW_RECORDING_OTHER << 6 | other);
    recorder.events++;
}

static void put_number(uint64_t v)
{
    recorder.at = put(recorder.at, v);
}

/* ---- chunks ---- */

static void look_later(void)
{
    recorder.look = recorder.at + (hw_record_sampled ? 0 : LOOK_BYTES);
}

static void chunk_begin(void)
{
    recorder.at = recorder.chunk.events;
    look_later();
    recorder.last = 0;
    recorder.events = 0;
    recorder.tid = -1;
    memset(recorder.slots, 0, sizeof(recorder.slots));
    recorder.chunk_ns = recorder.told_ns = now_ns();
}

static void stop(void)
{
    recorder.ended = true;
    recorder.look = recorder.at = recorder.chunk.events; /* nothing is added without looking */
}

static void chunk_write(void)
{
    size_t bytes = (size_t)(recorder.at - recorder.chunk.events);
    if (!bytes)
        return;
    recorder.chunk.head = (struct hw_recording_chunk){(uint32_t)bytes, recorder.events,
                                                      recorder.chunk_ns - recorder.began_ns};
    if (hw_record_file_append(&recorder.chunk, sizeof(recorder.chunk.head) + bytes)) {
        chunk_begin();
        return;
    }
    hw_agent_table.unrecorded += recorder.events;
    stop();
}

static size_t room(void)
{
    return (size_t)(recorder.chunk.events + CHUNK_BYTES - recorder.at);
}

/* ---- what is told before events ---- */

static void tell_time(uint64_t now)
{
    if (now == recorder.told_ns)
        return;
    put_other(HW_RECORDING_TIME);
    put_number(now - recorder.told_ns);
    recorder.told_ns = now;
}

static void tell_missed(void)
{
    uint64_t missed = __atomic_load_n(&hw_agent_table.missed, __ATOMIC_RELAXED);
    if (missed == recorder.missed_told)
        return;
    put_other(HW_RECORDING_MISSED);
    put_number(missed - recorder.missed_told);
    recorder.missed_told = missed;
}

static bool tell_texts(void)
{
    while (recorder.texts_told < hw_agent_table.text_bytes && !recorder.ended) {
        const char *text = hw_store.texts + recorder.texts_told + HW_STORE_TEXT_HEAD;
        size_t bytes = strlen(text);
        if (room() < bytes + EVENT_MAX_BYTES)
            chunk_write();
        if (recorder.ended)
            return false;
        put_other(HW_RECORDING_TEXT);
        put_number(bytes);
        memcpy(recorder.at, text, bytes);
        recorder.at += bytes;
        recorder.texts_told += HW_STORE_TEXT_HEAD + bytes + 1;
    }
    return true;
}

static void tell_site(uint32_t number)
{
    const struct hw_agent_site *site = &hw_store.sites[number];
    bool native = site->function == HW_AGENT_NATIVE;
    put_other(HW_RECORDING_SITE);
    put_number(hw_text_number(site->file));
    put_number(native ? HW_AGENT_NATIVE : hw_text_number(site->function));
    put_number(site->line);
    put_number(number - site->caller);
    recorder.sites_told = number + 1;
}

/* Sites have the numbers that they have in the agent's memory: all up to this one are told. */
static void tell_sites(uint32_t site)
{
    tell_texts();
    while (recorder.sites_told <= site && !recorder.ended) {
        if (room() < EVENT_MAX_BYTES)
            chunk_write();
        if (!recorder.ended)
            tell_site(recorder.sites_told);
    }
}

static void tell_thread(struct hw_thread *thread)
{
    char name[THREAD_NAME_BYTES + 1] = "";
    if (!thread->tid)
        thread->tid = (int32_t)syscall(SYS_gettid);
    prctl(PR_GET_NAME, name, 0, 0, 0);
    uint32_t text = hw_text_intern(name, strlen(name));
    if (!tell_texts())
        return;
    put_other(HW_RECORDING_THREAD);
    put_number((uint64_t)(uint32_t)thread->tid);
    put_number(hw_text_number(text));
    recorder.tid = thread->tid;
}

/* The clock, and whether the chunk is to be written. */
static __attribute__((noinline)) bool look(void)
{
    if (recorder.ended) {
        hw_agent_table.unrecorded += !recorder.ended_in_order;
        return false;
    }
    uint64_t now = now_ns();
    tell_time(now);
    tell_missed();
    if (hw_python_is_over()) {
        hw_record_end();
        return false;
    }
    if (room() < EVENT_MAX_BYTES + LOOK_BYTES + 2 * EVENT_MAX_BYTES ||
        now - recorder.chunk_ns > FLUSH_NS)
        chunk_write();
    else
        look_later();
    return !recorder.ended;
}

static __attribute__((noinline)) bool prepare(void)
{
    bool is_first = recorder.at == recorder.chunk.events && !recorder.ended;
    if (is_first)
        recorder.chunk_ns = recorder.told_ns = now_ns();
    else if (recorder.at >= recorder.look && !look())
        return false;
    if (recorder.tid != hw_thread.tid || !hw_thread.tid)
        tell_thread(&hw_thread);
    return !recorder.ended;
}

/* Whether an event may be added. */
static inline bool is_ready(void)
{
    return __builtin_expect(recorder.at < recorder.look && recorder.tid == hw_thread.tid, 1) ||
           prepare();
}

/* ---- events ---- */

static __attribute__((noinline)) bool fill(struct slot *slot, uint64_t what, uint32_t site)
{
    if (site >= recorder.sites_told)
        tell_sites(site);
    if (recorder.ended)
        return false;
    *slot = (struct slot){what, recorder.last, site};
    *recorder.at++ = (unsigned char)(HW_RECORDING_FILL << 6 | (slot - recorder.slots));
    put_number(recorder.sites_told - site);
    put_number(what);
    recorder.events++;
    return true;
}

static inline struct slot *slot_of(uint64_t what, uint32_t site)
{
    uint64_t hash = (what + ((uint64_t)site << 40)) * 0x9e3779b97f4a7c15u;
    return &recorder.slots[(hash ^ hash << 29) >> 58];
}

void hw_record_alloc(const void *block, size_t bytes, enum hw_agent_domain domain, uint32_t site)
{
    uint64_t what = (uint64_t)bytes << 3 | domain, unit = (uintptr_t)block >> 3;
    if (!is_ready())
        return;
    struct slot *slot = slot_of(what, site);
    if (__builtin_expect(slot->what != what || slot->site != site, 0) && !fill(slot, what, site))
        return;
    unsigned char *at = recorder.at;
    *at++ = (unsigned char)(HW_RECORDING_ALLOC << 6 | (slot - recorder.slots));
    recorder.at = put(at, zigzag(unit - slot->unit));
    slot->unit = recorder.last = unit;
    recorder.events++;
}

void hw_record_free(const void *block)
{
    uint64_t unit = (uintptr_t)block >> 3;
    if (!is_ready())
        return;
    uint64_t z = zigzag(unit - recorder.last);
    unsigned char *at = recorder.at;
    *at++ = (unsigned char)(HW_RECORDING_FREE << 6 | (z > 31) << 5 | (z & 31));
    recorder.at = z > 31 ? put(at, z >> 5) : at;
    recorder.last = unit;
    recorder.events++;
}

void hw_record_forget(uint64_t addr)
{
    if (!is_ready())
        return;
    put_other(HW_RECORDING_FORGET);
    put_number(zigzag((addr >> 3) - recorder.last));
}

void hw_record_rate(uint64_t rate_bytes)
{
    if (!is_ready())
        return;
    put_other(HW_RECORDING_RATE);
    put_number(rate_bytes);
}

/* ---- beginning and end ---- */

static void begin(void)
{
    recorder.began_ns = now_ns();
    recorder.sites_told = recorder.texts_told = 1; /* 0 is no site and no text */
    recorder.missed_told = hw_agent_table.missed;
    chunk_begin();
}

bool hw_record_init(const char *path, bool is_first, bool every)
{
    hw_record_rate_began = every ? 0 : hw_agent_table.rate_bytes;
    if (!hw_record_file_init(path, is_first))
        return false;
    hw_record_sampled = !every;
    begin();
    return hw_record_wanted = true;
}

void hw_record_flush(void)
{
    if (hw_record_wanted && !recorder.ended)
        chunk_write();
}

void hw_record_stop(void)
{
    hw_record_flush();
    recorder.ended_in_order = true;
    stop();
}

void hw_record_end(void)
{
    if (!hw_record_wanted || recorder.ended)
        return;
    if (room() < 2 * EVENT_MAX_BYTES)
        chunk_write();
    if (recorder.ended)
        return;
    tell_missed();
    put_other(HW_RECORDING_END);
    chunk_write();
    recorder.ended_in_order = !recorder.ended;
    stop();
}

void hw_record_forked(bool is_amid)
{
    if (!hw_record_wanted || recorder.ended)
        return;
    if (is_amid) {
        stop();
        return;
    }
    hw_record_file_forked(hw_agent_table.pid);
    if (hw_record_rate_began)
        hw_record_rate_began = hw_agent_table.rate_bytes;
    begin();
}

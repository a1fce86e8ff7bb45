/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/events.h"

#include "agent/table.h"
#include "base/vec.h"
#include "profile/live-map.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

_Static_assert((int)HW_EVENTS_FORGET < 1 << HW_LIVE_ROW_BITS, "rows must fit the map");

enum { TEXTS_MAX = 2 * HW_EVENTS_SITES_MAX, NO_THREAD = HW_EVENTS_THREADS_MAX };

bool hw_events_damaged(struct hw_events *events, const char *format, ...)
{
    char what[100];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    snprintf(events->damage, sizeof(events->damage), "%s at byte %" PRIu64, what,
             events->chunk_at + (uint64_t)(events->at - events->chunk));
    return false;
}

/* ---- numbers ---- */

/* Two bytes at most for nearly all. Past the end of a chunk there are zeros; whoever asks looks at
 * the end once, after the event. */
static inline uint64_t number(struct hw_events *events)
{
    const unsigned char *at = events->at;
    uint64_t v = *at & 0x7f;
    unsigned shift = 7;
    while (*at++ & 0x80) {
        if (shift == 63 && *at > 1) {
            hw_events_damaged(events, "a number of more than 64 bits");
            return 0;
        }
        v |= (uint64_t)(*at & 0x7f) << shift;
        shift += 7;
    }
    events->at = at;
    return v;
}

static inline uint64_t unzigzag(uint64_t z)
{
    return z >> 1 ^ -(z & 1);
}

static inline bool is_address(uint64_t units)
{
    return units - 1 < (UINT64_C(1) << HW_LIVE_UNIT_BITS) - 1;
}

/* A site, told by how many stand between it and the next one to be told, which counts. UINT32_MAX:
 * there is none. */
static inline uint32_t site_back(struct hw_events *events)
{
    uint64_t back = number(events);
    return back - 1 < events->site_count ? (uint32_t)(events->site_count - back) : UINT32_MAX;
}

/* ---- what is kept ---- */

static bool add_text(struct hw_events *events, const void *text, size_t bytes)
{
    const char *copy = hw_arena_strndup(&events->arena, text, bytes);
    const char **texts =
        hw_vec_grow(events->texts, &events->text_capacity, events->text_count + 1, sizeof(*texts));
    if (texts)
        events->texts = texts;
    if (!texts || !copy)
        return false;
    texts[events->text_count++] = copy;
    return true;
}

static bool add_site(struct hw_events *events, const struct hw_events_site *site)
{
    struct hw_events_site *sites =
        hw_vec_grow(events->sites, &events->site_capacity, events->site_count + 1, sizeof(*sites));
    if (!sites)
        return false;
    events->sites = sites;
    sites[events->site_count] = *site;
    sites[events->site_count++].row_key = UINT32_MAX;
    return true;
}

static bool add_thread(struct hw_events *events, uint64_t id)
{
    struct hw_profile_thread *threads = hw_vec_grow(events->threads, &events->thread_capacity,
                                                    events->thread_count + 1, sizeof(*threads));
    if (!threads)
        return false;
    events->threads = threads;
    threads[events->thread_count++] = (struct hw_profile_thread){id, ""};
    return true;
}

bool hw_events_begin(struct hw_events *events)
{
    bool is_new;
    return add_text(events, "", 0) && add_site(events, &(struct hw_events_site){0}) &&
           hw_pairs_word(&events->thread_ids, 0, &is_new) == 0 && add_thread(events, 0);
}

/* The row of what the slot stands for, done by this thread. */
static bool row_find(struct hw_events *events, struct hw_events_slot *slot)
{
    bool is_new;
    uint32_t key = events->thread * HW_EVENTS_DOMAINS + slot->domain;
    struct hw_events_site *site = &events->sites[slot->site];
    slot->row_thread = events->thread;
    if (site->row_key == key) {
        slot->row = site->row;
        return true;
    }
    uint32_t row = hw_pairs_number(&events->row_keys, slot->site, key, &is_new);
    if (row == HW_PAIRS_NONE)
        return false;
    if (is_new) {
        if (row == HW_EVENTS_ROWS_MAX)
            return hw_events_damaged(events, "more than %d places", HW_EVENTS_ROWS_MAX);
        struct hw_events_row *rows =
            hw_vec_grow(events->rows, &events->row_capacity, row + 1, sizeof(*rows));
        if (!rows)
            return false;
        events->rows = rows;
        rows[events->row_count++] =
            (struct hw_events_row){slot->site, slot->domain, events->thread};
    }
    slot->row = site->row = row;
    site->row_key = key;
    return true;
}

/* ---- events ----
 *
 * Each handler reads one event and says whether it made sense and there was memory. */

static bool read_text(struct hw_events *events)
{
    uint64_t bytes = number(events);
    if (events->at > events->end || bytes > (uint64_t)(events->end - events->at))
        return hw_events_damaged(events, "a text that is longer than its chunk");
    if (events->text_count == TEXTS_MAX ||
        events->arena.used_bytes + bytes > HW_EVENTS_TEXT_MAX_BYTES)
        return hw_events_damaged(events, "too many texts");
    const unsigned char *text = events->at;
    events->at += bytes;
    return add_text(events, text, bytes);
}

static bool read_site(struct hw_events *events)
{
    uint64_t file = number(events), function = number(events), line = number(events);
    uint32_t caller = site_back(events);
    if (file >= events->text_count || caller == UINT32_MAX || line > UINT32_MAX ||
        (function >= events->text_count && function != HW_AGENT_NATIVE))
        return hw_events_damaged(events, "a site of what was not told");
    if (events->site_count == HW_EVENTS_SITES_MAX)
        return hw_events_damaged(events, "more than %d sites", HW_EVENTS_SITES_MAX);
    if (events->sites[caller].depth == HW_EVENTS_DEPTH_MAX)
        return hw_events_damaged(events, "a stack of more than %d frames", HW_EVENTS_DEPTH_MAX);
    struct hw_events_site site = {.file = (uint32_t)file,
                                  .function = (uint32_t)function,
                                  .line = (uint32_t)line,
                                  .caller = caller,
                                  .depth = events->sites[caller].depth + 1};
    return add_site(events, &site);
}

static bool read_thread(struct hw_events *events)
{
    bool is_new;
    uint64_t id = number(events), name = number(events);
    if (name >= events->text_count)
        return hw_events_damaged(events, "a thread with a name that was not told");
    uint32_t thread = hw_pairs_word(&events->thread_ids, id, &is_new);
    if (thread == HW_PAIRS_NONE)
        return false;
    if (thread >= HW_EVENTS_THREADS_MAX) { /* one with all those that are not known */
        events->thread = 0;
        return true;
    }
    if (is_new && !add_thread(events, id))
        return false;
    if (name)
        events->threads[thread].name = events->texts[name];
    events->thread = thread;
    return true;
}

static bool later(struct hw_events *events, uint64_t ns, enum hw_events_step *ret_step)
{
    if (ns > HW_EVENTS_NS_MAX - events->chunk_ns)
        return hw_events_damaged(events, "a time that cannot be");
    events->chunk_ns += ns;
    if (events->chunk_ns > events->now_ns) {
        events->now_ns = events->chunk_ns;
        *ret_step = HW_EVENTS_TIME;
    }
    return true;
}

static bool read_rate(struct hw_events *events, enum hw_events_step *ret_step)
{
    uint64_t rate = number(events);
    if (rate > HW_EVENTS_RATE_MAX || rate < 2 * events->rate_bytes || !events->rate_bytes)
        return hw_events_damaged(events, "a rate of %" PRIu64 " bytes", rate);
    events->rate_bytes = rate;
    *ret_step = HW_EVENTS_RATE;
    return true;
}

static inline bool put_block(struct hw_events *events, uint64_t units, uint64_t bytes, uint32_t row)
{
    if (!is_address(units))
        return hw_events_damaged(events, "an address that cannot be");
    events->blocks[events->block_count++] = (struct hw_events_block){units, bytes, row};
    return true;
}

static bool read_other(struct hw_events *events, unsigned what, enum hw_events_step *ret_step)
{
    switch (what) {
    case HW_RECORDING_TEXT:
        return read_text(events);
    case HW_RECORDING_SITE:
        return read_site(events);
    case HW_RECORDING_THREAD:
        return read_thread(events);
    case HW_RECORDING_TIME:
        return later(events, number(events), ret_step);
    case HW_RECORDING_RATE:
        return read_rate(events, ret_step);
    case HW_RECORDING_FORGET:
        return put_block(events, events->last_units + unzigzag(number(events)), 0,
                         HW_EVENTS_FORGET);
    case HW_RECORDING_MISSED:
        if (__builtin_add_overflow(events->missed, number(events), &events->missed))
            events->missed = UINT64_MAX;
        return true;
    case HW_RECORDING_END:
        events->ended_in_order = true;
        *ret_step = HW_EVENTS_END;
        return true;
    default:
        return hw_events_damaged(events, "an event of unknown kind %u", what);
    }
}

static inline bool read_fill(struct hw_events *events, struct hw_events_slot *slot)
{
    uint32_t site = site_back(events);
    uint64_t size = number(events);
    if (site == UINT32_MAX || size / HW_EVENTS_DOMAINS >> HW_LIVE_BYTES_BITS)
        return hw_events_damaged(events, "a block that cannot be");
    *slot = (struct hw_events_slot){.units = events->last_units,
                                    .bytes = size / HW_EVENTS_DOMAINS,
                                    .site = site,
                                    .domain = size % HW_EVENTS_DOMAINS,
                                    .row_thread = NO_THREAD};
    return true;
}

static inline bool read_alloc(struct hw_events *events, struct hw_events_slot *slot)
{
    slot->units += unzigzag(number(events));
    events->last_units = slot->units;
    return (slot->row_thread == events->thread || row_find(events, slot)) &&
           put_block(events, slot->units, slot->bytes, slot->row);
}

static inline bool read_free(struct hw_events *events, unsigned p)
{
    uint64_t z = p & 31;
    if (p & 32)
        z |= number(events) << 5;
    events->last_units += unzigzag(z);
    return put_block(events, events->last_units, 0, HW_EVENTS_FREE);
}

/* *ret_step: what it is that is more than a block; untouched: nothing. */
static inline bool read_event(struct hw_events *events, enum hw_events_step *ret_step)
{
    unsigned byte = *events->at++, p = byte & 63;
    switch ((enum hw_recording_kind)(byte >> 6)) {
    case HW_RECORDING_FILL:
        return read_fill(events, &events->slots[p]);
    case HW_RECORDING_ALLOC:
        return read_alloc(events, &events->slots[p]);
    case HW_RECORDING_FREE:
        return read_free(events, p);
    default:
        return read_other(events, p, ret_step);
    }
}

/* ---- steps ---- */

static bool next_chunk(struct hw_events *events, enum hw_events_step *ret_step)
{
    if (events->chunk_events)
        return hw_events_damaged(events, "a chunk with %u events too few", events->chunk_events);
    if (!hw_events_chunk(events))
        return false;
    for (size_t i = 0; i < HW_RECORDING_SLOTS; i++)
        events->slots[i] = (struct hw_events_slot){.row_thread = NO_THREAD};
    events->last_units = 0;
    return later(events, 0, ret_step);
}

enum hw_events_step hw_events_next(struct hw_events *events)
{
    enum hw_events_step step = HW_EVENTS_BLOCKS;
    events->block_count = 0;
    while (step == HW_EVENTS_BLOCKS && events->block_count < HW_EVENTS_BATCH) {
        if (events->at == events->end) {
            if (!next_chunk(events, &step))
                return HW_EVENTS_END;
            continue;
        }
        size_t before = events->block_count;
        bool ok = read_event(events, &step);
        if (ok && !*events->damage && (events->at > events->end || !events->chunk_events))
            ok = hw_events_damaged(events, "a chunk and its events do not fit");
        if (!ok || *events->damage) {
            events->block_count = before;
            return *events->damage ? HW_EVENTS_END : HW_EVENTS_NO_MEMORY;
        }
        events->chunk_events--;
        events->event_count++;
    }
    return step;
}

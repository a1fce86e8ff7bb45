/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_PROFILE_EVENTS_H
#define HW_PROFILE_EVENTS_H

/*
 * Reads a recording (agent/recording.h) from its file, piece by piece: what it says of texts,
 * sites, threads and the time is kept here; what it says of blocks comes in batches, for whoever
 * counts.
 *
 *     struct hw_events events;
 *     if (!hw_events_open(&events, path, err))
 *         return false;
 *     enum hw_events_step step;
 *     do {
 *         step = hw_events_next(&events);
 *         ... events.blocks[0..block_count), then what step says ...
 *     } while (step < HW_EVENTS_END);
 *     hw_events_close(&events);
 *
 * The file is hostile. A number that makes no sense ends it there: all before holds, damage says
 * what it was. Memory is bounded by what is kept: HW_EVENTS_TEXT_MAX_BYTES, and the counts of
 * sites, threads and rows.
 */

#include "agent/recording.h"
#include "base/arena.h"
#include "base/bytes.h"
#include "base/pairs.h"
#include "heapwhy.h"

enum {
    HW_EVENTS_BATCH = 512,
    HW_EVENTS_TEXT_MAX_BYTES = 1 << 28,
    HW_EVENTS_SITES_MAX = 1 << 20,
    HW_EVENTS_DEPTH_MAX = 1024, /* frames of a stack; the agent keeps HW_AGENT_DEPTH_MAX */
    HW_EVENTS_THREADS_MAX = 1 << 16,
    HW_EVENTS_ROWS_MAX = 1 << 21,
    HW_EVENTS_DOMAINS = 8, /* more than there are in enum hw_agent_domain */
    HW_EVENTS_COMMAND_MAX_BYTES = 1 << 20,
};

enum hw_events_step {
    HW_EVENTS_BLOCKS, /* nothing more than the batch */
    HW_EVENTS_TIME,   /* now_ns is later */
    HW_EVENTS_RATE,   /* rate_bytes is another */
    HW_EVENTS_END,    /* there is no more: the program ended, or the file does, or damage */
    HW_EVENTS_NO_MEMORY,
};

/* In place of the row of a block that is allocated. */
enum { HW_EVENTS_FREE = HW_EVENTS_ROWS_MAX, HW_EVENTS_FORGET };
struct hw_events_block {
    uint64_t units; /* of 8 bytes: the address; not 0, below 1 << HW_LIVE_UNIT_BITS */
    uint64_t bytes; /* below 1 << HW_LIVE_BYTES_BITS */
    uint32_t row;
};

struct hw_events_site {
    /* As in struct hw_agent_site; numbers of texts and sites that exist. */
    uint32_t file, function, line, caller;
    uint32_t depth; /* frames, this one included; 0: of site 0 */
    uint32_t row_key,
        row; /* the last row of it that was asked for, and for whom; row_key UINT32_MAX: none */
};
/* What blocks have in common: a row of the profile. */
struct hw_events_row {
    uint32_t site, domain, thread; /* thread: of threads */
};
struct hw_events_slot {
    uint64_t units, bytes;
    uint32_t site, domain;
    uint32_t row; /* for the thread of row_thread */
    uint32_t row_thread;
};

struct hw_events {
    struct hw_recording_head head;
    const char *command; /* as a user would type it */

    struct hw_events_block blocks[HW_EVENTS_BATCH];
    size_t block_count;
    uint64_t now_ns, rate_bytes, missed, event_count;
    bool ended_in_order; /* the program told that it ended */
    char damage[160];    /* why reading ended before the file does; "" */

    struct hw_arena arena; /* texts, and names of threads */
    const char **texts;    /* by number; 0 is "" */
    struct hw_events_site *sites;
    struct hw_profile_thread *threads; /* 0: not told */
    struct hw_events_row *rows;
    size_t text_count, site_count, thread_count, row_count;

    size_t text_capacity, site_capacity, thread_capacity, row_capacity;
    struct hw_pairs thread_ids, row_keys;
    uint32_t thread; /* that does what is told */
    struct hw_events_slot slots[HW_RECORDING_SLOTS];
    uint64_t last_units;
    uint64_t chunk_ns; /* the last time that was told in this chunk */
    uint64_t chunk_at; /* in the file, of the chunk's first event */
    uint32_t chunk_bytes;
    uint32_t chunk_events; /* that are still to come, as its head says */
    int fd;
    unsigned char *chunk;          /* HW_EVENTS_PADDING bytes of 0 stand behind it */
    const unsigned char *at, *end; /* in chunk */
};

/* Fails with HW_ERR_CORRUPT when the file is no recording, with HW_ERR_TOO_NEW, or as open(). */
bool hw_events_open(struct hw_events *events, const char *path, struct hw_err *err);
void hw_events_close(struct hw_events *events);
enum hw_events_step hw_events_next(struct hw_events *events);

/* Between events-open.c and events.c. */

/* The longest event but for its text is a byte and four numbers. */
enum { HW_EVENTS_PADDING = 64 };
#define HW_EVENTS_RATE_MAX (UINT64_C(1) << 48)
/* Both together are a time since 1970. */
#define HW_EVENTS_NS_MAX (UINT64_C(1) << 61)
#define HW_EVENTS_BEGAN_NS_MAX (UINT64_C(1) << 62)

/* Reads the next chunk. false: there is none, or it is not whole, or damaged. */
bool hw_events_chunk(struct hw_events *events);
/* What is known without being told: text 0, site 0, thread 0. false: no memory. */
bool hw_events_begin(struct hw_events *events);
/* Says in damage what made no sense and where. Returns false. */
bool hw_events_damaged(struct hw_events *events, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_PROFILE_REPLAY_H
#define HW_PROFILE_REPLAY_H

/*
 * Plays a recording: what is in use at each moment, and from that the amounts of each row.
 *
 * The peak is known only when all is over, and its amounts by row are wanted. So each row remembers
 * what it had at the highest total so far, in one pass and at the cost of one comparison: highest
 * totals are numbered, and a row that changes for the first time after one first writes down what
 * it has. A row that has not changed since the highest total has what it had then.
 *
 * Memory: struct hw_replay_row for each row, 32 to 64 bytes for each block in use (live-map.h), 8
 * for each thread.
 */

#include "profile/events.h"
#include "profile/live-map.h"

enum { HW_REPLAY_MOMENTS = 1000, HW_REPLAY_COUNT_BITS = 20 };

/* Counts are in units of 2^-20 blocks: of a sample each stands for 1 / its chance. */
struct hw_replay_row {
    struct hw_amount live, allocated;
    uint64_t peak_number; /* of the highest total of which peak tells */
    uint32_t thread, domain;
    struct hw_amount peak, temporary; /* what seldom changes stands last */
};

struct hw_replay {
    struct hw_replay_row *rows; /* as those of the events */
    size_t row_count, row_capacity;
    uint64_t *last_units; /* of each thread: its last block; 0: given back, or none */
    size_t thread_count, thread_capacity;
    struct hw_live_map map;
    struct hw_amount live; /* of all rows */
    uint64_t allocated_bytes;
    uint64_t rate_bytes;   /* 0: every block is there */
    uint64_t peak_bytes, peak_number, peak_ns, now_ns;
    uint64_t sample_count; /* blocks that were seen */
    struct hw_profile_moment moments[HW_REPLAY_MOMENTS];
    size_t moment_count;
    uint64_t moment_ns; /* from one to the next; doubled when there are too many */
};

bool hw_replay_init(struct hw_replay *replay, uint64_t rate_bytes);
void hw_replay_deinit(struct hw_replay *replay);

/* No program allocates so much; sums of it stay far from 64 bits. */
#define HW_REPLAY_BYTES_MAX (UINT64_C(1) << 62)

/* After each step of the events. false: no memory. Nothing more may be played when allocated_bytes
 * has passed HW_REPLAY_BYTES_MAX. */
bool hw_replay_step(struct hw_replay *replay, const struct hw_events *events,
                    enum hw_events_step step);

/* After the last one: each row's peak, and the last moments. */
void hw_replay_finish(struct hw_replay *replay);

#endif

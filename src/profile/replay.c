/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/replay.h"

#include "agent/table.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

enum {
    AHEAD = 40,    /* blocks: so early their slots are fetched from memory, */
    ROW_AHEAD = 16, /* and so early their rows */
    FIRST_MOMENT_NS = 1000000,
    /* Two stay free for the peak and the end. */
    MOMENTS_THINNED_AT = HW_REPLAY_MOMENTS - 2,
};

bool hw_replay_init(struct hw_replay *replay, uint64_t rate_bytes)
{
    *replay = (struct hw_replay){.rate_bytes = rate_bytes, .moment_ns = FIRST_MOMENT_NS};
    return hw_live_map_init(&replay->map);
}

void hw_replay_deinit(struct hw_replay *replay)
{
    free(replay->rows);
    free(replay->last_units);
    hw_live_map_deinit(&replay->map);
}

/* ---- amounts ---- */

/* What a block that was seen stands for. */
static inline struct hw_amount weigh(uint64_t rate_bytes, uint64_t bytes, uint32_t domain)
{
    const double unit = 1 << HW_REPLAY_COUNT_BITS;
    if (!rate_bytes)
        return (struct hw_amount){1 << HW_REPLAY_COUNT_BITS, bytes};
    double chance = hw_agent_chance(domain, bytes, rate_bytes);
    if (chance <= 0)
        return (struct hw_amount){0, 0};
    return (struct hw_amount){(uint64_t)(unit / chance + .5),
                              (uint64_t)((double)bytes / chance + .5)};
}

static inline void add(struct hw_amount *to, struct hw_amount amount)
{
    to->count += amount.count;
    to->bytes += amount.bytes;
}

static inline void subtract(struct hw_amount *from, struct hw_amount amount)
{
    from->count -= amount.count;
    from->bytes -= amount.bytes;
}

/* Before its live amount changes. */
static inline void keep_peak(const struct hw_replay *replay, struct hw_replay_row *row)
{
    if (row->peak_number != replay->peak_number) {
        row->peak = row->live;
        row->peak_number = replay->peak_number;
    }
}

/* ---- blocks ---- */

static inline void give_back(struct hw_replay *replay, struct hw_live_slot *slot, uint64_t units,
                             bool is_end)
{
    struct hw_live_block block = hw_live_block_of(slot);
    struct hw_replay_row *row = &replay->rows[block.row];
    struct hw_amount amount = weigh(replay->rate_bytes, block.bytes, row->domain);
    keep_peak(replay, row);
    subtract(&row->live, amount);
    subtract(&replay->live, amount);
    if (replay->last_units[row->thread] == units) {
        if (is_end)
            add(&row->temporary, amount);
        replay->last_units[row->thread] = 0;
    }
}

static inline void allocate(struct hw_replay *replay, const struct hw_events_block *event)
{
    struct hw_live_slot *slot = hw_live_map_find(&replay->map, event->units);
    struct hw_replay_row *row = &replay->rows[event->row];
    struct hw_amount amount = weigh(replay->rate_bytes, event->bytes, row->domain);
    if (slot->units_size)
        give_back(replay, slot, event->units, false);
    else
        replay->map.count++;
    *slot = hw_live_pack(event->units, (struct hw_live_block){event->bytes, event->row});
    keep_peak(replay, row);
    add(&row->live, amount);
    add(&row->allocated, amount);
    add(&replay->live, amount);
    replay->allocated_bytes += amount.bytes;
    replay->last_units[row->thread] = event->units;
    replay->sample_count++;
    if (replay->live.bytes > replay->peak_bytes) {
        replay->peak_bytes = replay->live.bytes;
        replay->peak_number++;
        replay->peak_ns = replay->now_ns;
    }
}

static inline void take_back(struct hw_replay *replay, const struct hw_events_block *event)
{
    struct hw_live_slot *slot = hw_live_map_find(&replay->map, event->units);
    if (!slot->units_size)
        return;
    give_back(replay, slot, event->units, event->row == HW_EVENTS_FREE);
    hw_live_map_remove(&replay->map, slot);
}

/* Most of the time would else go by in waiting for memory. What is given back nearly always has the
 * slot that is its home. */
static inline void fetch_slot(const struct hw_replay *replay, const struct hw_events_block *event)
{
    __builtin_prefetch(&replay->map.slots[hw_live_home(&replay->map, event->units)], 1);
}

static inline void fetch_row(const struct hw_replay *replay, const struct hw_events_block *event)
{
    size_t home = hw_live_home(&replay->map, event->units);
    uint32_t row =
        event->row < HW_EVENTS_FREE ? event->row : hw_live_block_of(&replay->map.slots[home]).row;
    __builtin_prefetch(&replay->rows[row], 1);
}

static void play(struct hw_replay *replay, const struct hw_events *events)
{
    size_t count = events->block_count;
    for (size_t i = 0; i < count; i++) {
        const struct hw_events_block *event = &events->blocks[i];
        if (i + AHEAD < count)
            fetch_slot(replay, &event[AHEAD]);
        if (i + ROW_AHEAD < count)
            fetch_row(replay, &event[ROW_AHEAD]);
        if (event->row < HW_EVENTS_FREE)
            allocate(replay, event);
        else
            take_back(replay, event);
    }
}

/* Rows, threads and room in the map for a batch. */
static bool make_room(struct hw_replay *replay, const struct hw_events *events)
{
    struct hw_replay_row *rows =
        hw_vec_grow(replay->rows, &replay->row_capacity, events->row_count, sizeof(*rows));
    if (rows)
        replay->rows = rows;
    uint64_t *units = hw_vec_grow(replay->last_units, &replay->thread_capacity,
                                  events->thread_count, sizeof(*units));
    if (units)
        replay->last_units = units;
    if (!rows || !units || !hw_live_map_reserve(&replay->map, events->block_count))
        return false;
    for (; replay->row_count < events->row_count; replay->row_count++)
        rows[replay->row_count] =
            (struct hw_replay_row){.thread = events->rows[replay->row_count].thread,
                                   .domain = events->rows[replay->row_count].domain};
    for (; replay->thread_count < events->thread_count; replay->thread_count++)
        units[replay->thread_count] = 0;
    return true;
}

/* ---- time and rate ---- */

static double seconds(uint64_t ns)
{
    return (double)ns / 1e9;
}

static void add_moment(struct hw_replay *replay)
{
    if (replay->moment_count == MOMENTS_THINNED_AT) {
        for (size_t i = 0; i < replay->moment_count; i += 2)
            replay->moments[i / 2] = replay->moments[i];
        replay->moment_count = (replay->moment_count + 1) / 2;
        replay->moment_ns *= 2;
    }
    replay->moments[replay->moment_count++] =
        (struct hw_profile_moment){seconds(replay->now_ns), replay->live.bytes};
}

/* What is in use has been so since the time before this one. */
static void move_on(struct hw_replay *replay, uint64_t now_ns)
{
    size_t n = replay->moment_count;
    if (!n ||
        seconds(replay->now_ns) >= replay->moments[n - 1].seconds + seconds(replay->moment_ns))
        add_moment(replay);
    replay->now_ns = now_ns;
}

/* What is in use stands for another amount from here on. */
static void change_rate(struct hw_replay *replay, uint64_t rate_bytes)
{
    replay->rate_bytes = rate_bytes;
    replay->live = (struct hw_amount){0};
    for (size_t i = 0; i < replay->row_count; i++) {
        keep_peak(replay, &replay->rows[i]);
        replay->rows[i].live = (struct hw_amount){0};
    }
    for (size_t i = 0; i < replay->map.slot_count; i++) {
        const struct hw_live_slot *slot = &replay->map.slots[i];
        if (!slot->units_size)
            continue;
        struct hw_live_block block = hw_live_block_of(slot);
        struct hw_replay_row *row = &replay->rows[block.row];
        struct hw_amount amount = weigh(rate_bytes, block.bytes, row->domain);
        add(&row->live, amount);
        add(&replay->live, amount);
    }
}

bool hw_replay_step(struct hw_replay *replay, const struct hw_events *events,
                    enum hw_events_step step)
{
    if (step == HW_EVENTS_NO_MEMORY || !make_room(replay, events))
        return false;
    play(replay, events);
    if (events->now_ns != replay->now_ns)
        move_on(replay, events->now_ns);
    if (step == HW_EVENTS_RATE)
        change_rate(replay, events->rate_bytes);
    return true;
}

static void insert_peak(struct hw_replay *replay)
{
    struct hw_profile_moment peak = {seconds(replay->peak_ns), replay->peak_bytes};
    size_t at = 0;
    while (at < replay->moment_count && replay->moments[at].seconds < peak.seconds)
        at++;
    memmove(&replay->moments[at + 1], &replay->moments[at],
            (replay->moment_count - at) * sizeof(peak));
    replay->moments[at] = peak;
    replay->moment_count++;
}

void hw_replay_finish(struct hw_replay *replay)
{
    for (size_t i = 0; i < replay->row_count; i++)
        keep_peak(replay, &replay->rows[i]);
    if (replay->peak_number)
        insert_peak(replay);
    replay->moments[replay->moment_count++] =
        (struct hw_profile_moment){seconds(replay->now_ns), replay->live.bytes};
}

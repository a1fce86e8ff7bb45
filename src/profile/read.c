/* SPDX-License-Identifier: Apache-2.0 */

/* From a recording to a profile. */
#include "agent/table.h"
#include "base/err.h"
#include "native/symbols.h"
#include "profile/profile.h"
#include "profile/replay.h"

#include <stdlib.h>
#include <string.h>

/* ---- the result ---- */

/* A native frame is told by its module and the address therein: the file may have the names. */
static bool name_native(const struct hw_events *events, const struct hw_events_site *site,
                        struct hw_symbols *symbols, struct hw_arena *arena,
                        struct hw_site_frame *frame)
{
    struct hw_code_place place;
    if (!hw_symbols_find(symbols, events->texts[site->file], site->line, &place))
        return false;
    frame->file = hw_arena_strdup(arena, place.file);
    frame->function = hw_arena_strdup(arena, place.function);
    frame->line = place.line;
    frame->is_native = true;
    return frame->file && frame->function;
}

static bool make_frames(const struct hw_events *events, struct hw_arena *arena,
                        struct hw_site_frame *frames)
{
    struct hw_symbols *symbols = NULL;
    int64_t began_unix = (int64_t)(events->head.began_unix_ns / 1000000000);
    bool ok = hw_symbols_create(NULL, NULL, 0, began_unix, &symbols);
    for (size_t i = 0; ok && i < events->site_count; i++) {
        const struct hw_events_site *site = &events->sites[i];
        struct hw_site_frame *frame = &frames[i];
        frame->caller = site->caller ? &frames[site->caller] : NULL;
        if (site->function == HW_AGENT_NATIVE) {
            ok = name_native(events, site, symbols, arena, frame);
            continue;
        }
        frame->file = events->texts[site->file];
        frame->function = events->texts[site->function];
        frame->line = site->line;
    }
    hw_symbols_destroy(symbols);
    return ok;
}

static struct hw_amount blocks_of(struct hw_amount amount)
{
    const uint64_t half = 1 << (HW_REPLAY_COUNT_BITS - 1);
    return (struct hw_amount){(amount.count + half) >> HW_REPLAY_COUNT_BITS, amount.bytes};
}

static void make_row(const struct hw_events *events, const struct hw_replay *replay, size_t number,
                     const struct hw_site_frame *frames, struct hw_profile_row *row)
{
    const struct hw_events_row *key = &events->rows[number];
    const struct hw_replay_row *played = &replay->rows[number];
    row->frame = &frames[key->site];
    row->depth = events->sites[key->site].depth;
    row->domain = key->domain;
    row->thread = key->thread;
    row->amounts[HW_MEASURE_LIVE] = blocks_of(played->live);
    row->amounts[HW_MEASURE_PEAK] = blocks_of(played->peak);
    row->amounts[HW_MEASURE_ALLOCATED] = blocks_of(played->allocated);
    row->amounts[HW_MEASURE_TEMPORARY] = blocks_of(played->temporary);
}

static void make_totals(struct hw_profile *profile)
{
    for (size_t i = 0; i < profile->row_count; i++)
        for (size_t k = 0; k < HW_MEASURE_COUNT; k++) {
            profile->totals[k].count += profile->rows[i].amounts[k].count;
            profile->totals[k].bytes += profile->rows[i].amounts[k].bytes;
        }
}

static void make_head(const struct hw_events *events, const struct hw_replay *replay,
                      struct hw_profile *profile)
{
    profile->is_recording = true;
    profile->is_complete = events->ended_in_order;
    profile->rate_bytes = events->rate_bytes;
    profile->sample_count = replay->sample_count;
    profile->event_count = events->event_count;
    profile->missed = events->missed;
    profile->pid = events->head.pid;
    profile->parent_pid = events->head.parent_pid;
    profile->began_unix = (double)events->head.began_unix_ns / 1e9;
    profile->seconds = (double)replay->now_ns / 1e9;
    profile->peak_seconds = (double)replay->peak_ns / 1e9;
}

static bool fill(const struct hw_events *events, const struct hw_replay *replay,
                 struct hw_profile_result *result)
{
    struct hw_profile *profile = &result->profile;
    struct hw_site_frame *frames =
        hw_arena_array(&result->arena, events->site_count, sizeof(*frames));
    profile->moments =
        hw_arena_array(&result->arena, replay->moment_count, sizeof(*profile->moments));
    profile->command = events->command;
    profile->damage = hw_arena_strdup(&result->arena, events->damage);
    if (!frames || !profile->moments || !profile->damage)
        return false;
    make_head(events, replay, profile);
    if (!make_frames(events, &result->arena, frames))
        return false;
    for (size_t i = 0; i < profile->row_count; i++)
        make_row(events, replay, i, frames, &profile->rows[i]);
    memcpy(profile->threads, events->threads, events->thread_count * sizeof(*profile->threads));
    memcpy(profile->moments, replay->moments, replay->moment_count * sizeof(*profile->moments));
    profile->moment_count = replay->moment_count;
    make_totals(profile);
    return true;
}

/* Takes the texts from events. */
static bool make_profile(struct hw_events *events, const struct hw_replay *replay,
                         struct hw_profile **ret_profile, struct hw_err *err)
{
    struct hw_profile_result *result;
    if (!hw_profile_result_create(events->row_count, events->thread_count, &result, err))
        return false;
    if (!fill(events, replay, result)) {
        hw_profile_destroy(&result->profile);
        return hw_err_no_memory(err);
    }
    hw_arena_join(&result->arena, &events->arena);
    *ret_profile = &result->profile;
    return true;
}

/* ---- reading ---- */

static bool play(struct hw_events *events, struct hw_replay *replay, const volatile int *cancel,
                 struct hw_err *err)
{
    enum hw_events_step step;
    do {
        if (cancel && *cancel)
            return hw_err_set(err, HW_ERR_INTERRUPTED, "interrupted");
        step = hw_events_next(events);
        if (!hw_replay_step(replay, events, step))
            return hw_err_no_memory(err);
        if (replay->allocated_bytes > HW_REPLAY_BYTES_MAX) {
            hw_events_damaged(events, "more bytes than a program can allocate");
            break;
        }
    } while (step < HW_EVENTS_END);
    hw_replay_finish(replay);
    return true;
}

bool hw_profile_read(const char *path, const volatile int *cancel, struct hw_profile **ret_profile,
                     struct hw_err *err)
{
    struct hw_events *events = malloc(sizeof(*events));
    struct hw_replay *replay = malloc(sizeof(*replay));
    bool is_open = events && replay && hw_events_open(events, path, err);
    bool ok = is_open && (hw_replay_init(replay, events->rate_bytes) || hw_err_no_memory(err));
    if (ok)
        ok = play(events, replay, cancel, err) && make_profile(events, replay, ret_profile, err);
    else if (!events || !replay)
        hw_err_no_memory(err);
    if (is_open) {
        hw_replay_deinit(replay);
        hw_events_close(events);
    }
    free(events);
    free(replay);
    return ok;
}
